//! Names of nodes in a real server: what others encoded again at every pass, until nobody could list the directory any more.

use getty_registry::Url;

use super::faults::{Hand, blocking, place};
use super::servers::Server;
use super::{ports, provider, subscribe, until, within};

/// Values that need care, alone and in company.
const VALUES: &[&str] = &[
    "%",
    "%25",
    "%2525",
    "(",
    ")",
    "/",
    "+",
    " ",
    "$",
    "&",
    "=",
    "#",
    "中文",
    "🦀",
    "a b&c=d#e?f/g%h+i(j)$k",
];

const INTERFACE: &str = "com.x.Greeter$%25(b)/c+d e&f=g#中🦀";
const DIRECTORY: &str =
    "/dubbo/com.x.Greeter%24%2525%28b%29%2Fc%2Bd%20e%26f%3Dg%23%E4%B8%AD%F0%9F%A6%80/providers";

/// After every so many rounds the server loses its data, and all sessions or leases with it.
const LOSS: usize = 25;

pub(crate) async fn each_url_is_one_node_of_one_name_over_a_hundred_rounds_and_lost_sessions<H: Hand>() {
    let mut server = Server::start(H::KIND);
    let place = place(&server, H::KIND);
    let (providers, consumers) = (place.connect().await, place.connect().await);
    let long = "text ".repeat(4096 / 5 + 1);
    let values = VALUES.iter().copied().chain([long.as_str()]);
    let urls: Vec<Url> = (1..)
        .zip(values)
        .map(|(port, value)| {
            provider(INTERFACE, port)
                .to_builder()
                .parameter("value", value)
                .parameter(value, "1")
                .build()
                .unwrap()
        })
        .collect();
    let all: Vec<u16> = urls.iter().filter_map(Url::port).collect();
    let mut names: Vec<String> = urls.iter().map(Url::encode).collect();
    names.sort();
    let _followed_all_the_time = subscribe(&consumers, INTERFACE);
    let mut hand = H::reach(&server).await;
    for round in 1..=100 {
        let registrations: Vec<_> = urls.iter().map(|url| providers.register(url.clone()).unwrap()).collect();
        for mut registration in registrations {
            within("registered", registration.registered()).await.unwrap();
        }
        assert_eq!(hand.names(DIRECTORY).await, names, "round {round}");
        if round % LOSS == 0 {
            blocking(&mut server, |server| {
                server.kill();
                server.wipe();
                server.run();
            })
            .await;
            hand = H::reach(&server).await;
            until("all nodes are there again", || async { hand.names(DIRECTORY).await == names }).await;
        }
        let update = ports(&mut subscribe(&consumers, INTERFACE), &all).await;
        let given: Vec<&Url> = update.snapshot.iter().map(|provider| provider.url()).collect();
        assert_eq!(given, urls.iter().collect::<Vec<_>>(), "round {round}");
        let gone: Vec<_> = urls.iter().map(|url| providers.unregister(url)).collect();
        for gone in gone {
            // Right after a loss the registry may not have noticed yet, and then confirms it later than asked.
            let _ = within("an answer", gone).await;
        }
        until("no node is left", || async { hand.names(DIRECTORY).await.is_empty() }).await;
    }
}
