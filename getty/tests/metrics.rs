//! The counters for Prometheus: they say what has happened, at any time, and the number of series is bounded.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use std::collections::BTreeMap;

use bytes::Bytes;
use getty::{
    Client, ClientBuilder, Limits, Server, Session,
    metrics::{Metrics, prometheus_client::registry::Registry},
    on_message,
    transport::memory::{self, MemoryConnector},
};
use support::{Found, Frames, HEADER, Place, Recorder, echo, over_memory, until, within};

/// The samples of a text in the form of OpenMetrics, by their names and labels. Panics at anything that is not in that form.
fn samples(text: &str) -> BTreeMap<String, f64> {
    let body = text.strip_suffix("# EOF\n").expect("it ends with the mark of the end");
    let mut samples = BTreeMap::new();
    let mut types = BTreeMap::new();
    for line in body.lines() {
        if let Some(described) = line.strip_prefix("# ") {
            let mut words = described.splitn(3, ' ');
            let (what, name, value) = (words.next().unwrap(), words.next().unwrap(), words.next().unwrap());
            assert!(["HELP", "TYPE"].contains(&what) && name.starts_with("getty_"), "{line}");
            if what == "TYPE" {
                assert_eq!(types.insert(name.to_owned(), value.to_owned()), None, "{line}");
            }
            continue;
        }
        let (name, value) = line.rsplit_once(' ').unwrap();
        let family = name.split('{').next().unwrap();
        let kind = match family.strip_suffix("_total") {
            Some(counter) => (counter, "counter"),
            None => (family, "gauge"),
        };
        assert_eq!(types.get(kind.0).map(String::as_str), Some(kind.1), "{line}");
        assert_eq!(samples.insert(name.to_owned(), value.parse().unwrap()), None, "{line}");
    }
    samples
}

fn serve(metrics: &Metrics, name: &str) -> MemoryConnector {
    let (connector, listen) = memory::listen();
    tokio::spawn(Server::over(listen).name(name).observer(metrics.clone()).serve(Frames, echo()));
    connector
}

fn client(builder: ClientBuilder<Frames>, connector: &MemoryConnector) -> Client<Frames> {
    let connector = connector.clone();
    builder.dial("memory", move || {
        let connector = connector.clone();
        async move { connector.connect().await }
    })
}

/// The value of a series of the server `orders` over memory.
fn of_orders(metrics: &Metrics, name: &str, further: &str) -> Option<f64> {
    let series = format!("{name}{{endpoint=\"orders\",transport=\"memory\"{further}}}");
    samples(&metrics.text()).get(&series).copied()
}

#[tokio::test]
async fn counters_grow_while_sessions_live_and_keep_what_ended_ones_have_moved() {
    const PACKETS: usize = 10;
    let metrics = Metrics::default();
    let connector = serve(&metrics, "orders");
    let packets = |metrics: &Metrics| of_orders(metrics, "getty_read_packets_total", "");
    let each = (6 + HEADER) as f64;
    for round in 1..=3 {
        let (recorder, mut events) = Recorder::new();
        let client = client(ClientBuilder::new(Frames, recorder), &connector);
        let session = within(client.session()).await.unwrap();
        events.open().await;
        for _ in 0..PACKETS {
            session.write(Bytes::from_static(b"packet")).unwrap();
            events.message().await;
        }
        let expected = (round * PACKETS) as f64;
        until(|| of_orders(&metrics, "getty_written_bytes_total", "") == Some(expected * each)).await;
        let while_it_lives = samples(&metrics.text());
        assert_eq!(packets(&metrics), Some(expected));
        assert_eq!(of_orders(&metrics, "getty_sessions", ""), Some(1.0));
        client.close().await;
        until(|| of_orders(&metrics, "getty_sessions", "") == Some(0.0)).await;
        let after = samples(&metrics.text());
        for (series, value) in while_it_lives {
            assert!(!series.contains("_total") || after[&series] >= value, "{series} has shrunk");
        }
        for (name, value) in [
            ("getty_read_packets_total", expected),
            ("getty_written_packets_total", expected),
            ("getty_read_bytes_total", expected * each),
            ("getty_written_bytes_total", expected * each),
            ("getty_wire_read_bytes_total", expected * each),
            ("getty_wire_written_bytes_total", expected * each),
            ("getty_sessions_opened_total", round as f64),
            ("getty_refused_packets_total", 0.0),
            ("getty_dropped_messages_total", 0.0),
            ("getty_queued_bytes", 0.0),
        ] {
            assert_eq!(of_orders(&metrics, name, ""), Some(value), "{name}");
        }
        let closed = of_orders(&metrics, "getty_sessions_closed_total", ",reason=\"peer\"");
        assert_eq!(closed, Some(round as f64));
    }
}

#[tokio::test]
async fn bytes_that_wait_are_seen_and_gone_when_they_have_left() {
    let metrics = Metrics::default();
    let connector = serve(&metrics, "orders");
    let queued = || of_orders(&metrics, "getty_queued_bytes", "");
    let (recorder, mut events) = Recorder::new();
    let client = client(ClientBuilder::new(Frames, recorder), &connector);
    let session = within(client.session()).await.unwrap();
    events.open().await;
    session.write(vec![0; 1_000_000].into()).unwrap();
    until(|| queued().is_some_and(|bytes| bytes > 0.0)).await;
    assert_eq!(events.message().await.len(), 1_000_000);
    until(|| queued() == Some(0.0)).await;
}

#[tokio::test]
async fn dials_refusals_and_limits_are_counted_for_their_endpoint() {
    let metrics = Metrics::default();
    let place = Place::new(Found::Refusal);
    let builder = ClientBuilder::new(Frames, on_message(|_, _| {})).name("till").observer(metrics.clone());
    let till = place.client_of(builder);
    within(till.session()).await.unwrap_err();
    place.put(Place::echo());
    until(|| till.try_session().is_some()).await;

    let server =
        Server::bind("127.0.0.1:0").await.unwrap().name("full").limits(Limits::default().sessions(0));
    let address = server.local_addr().unwrap();
    tokio::spawn(server.observer(metrics.clone()).serve(Frames, echo()));
    let mut peer = tokio::net::TcpStream::connect(address).await.unwrap();
    assert!(support::read_to_end(&mut peer).await.is_empty());

    let samples = samples(&metrics.text());
    let value =
        |series: &str| samples.get(series).copied().unwrap_or_else(|| panic!("{series} in {samples:?}"));
    assert_eq!(value("getty_dials_total{endpoint=\"till\",outcome=\"failed\"}"), 1.0);
    assert_eq!(value("getty_dials_total{endpoint=\"till\",outcome=\"ok\"}"), 1.0);
    assert!(value("getty_dial_seconds_total{endpoint=\"till\"}") >= 0.0);
    assert_eq!(value("getty_refused_connections_total{endpoint=\"full\",limit=\"sessions\"}"), 1.0);
    assert_eq!(value("getty_failed_handshakes_total{endpoint=\"full\"}"), 0.0);
}

#[tokio::test]
async fn the_number_of_series_is_bounded_whatever_the_names_are_and_nothing_is_left_uncounted() {
    const PAIRS: usize = 5;
    const NAMES: usize = 200;
    let metrics = Metrics::new(PAIRS);
    for number in 0..NAMES {
        // Names that a text could be broken with.
        let connector = serve(&metrics, &format!("peer \"{number}\"\n{{x}}"));
        let builder = ClientBuilder::new(Frames, on_message(|_, _| {}));
        let client = client(builder.name(format!("client-{number}")).observer(metrics.clone()), &connector);
        let session = within(client.session()).await.unwrap();
        if number % 2 == 0 {
            session.abort();
        }
        client.close().await;
    }
    let counted = |name: &str| -> f64 {
        let samples = samples(&metrics.text());
        samples.iter().filter(|(series, _)| series.starts_with(name)).map(|(_, value)| value).sum()
    };
    until(|| counted("getty_sessions_closed_total") == 2.0 * NAMES as f64).await;
    let series = samples(&metrics.text());
    assert!(series.len() <= 40 * (PAIRS + 1), "{} series", series.len());
    assert_eq!(counted("getty_sessions_opened_total"), 2.0 * NAMES as f64);
    assert_eq!(counted("getty_dials_total"), NAMES as f64);
    assert_eq!(counted("getty_sessions{"), 0.0);
    let other =
        |name: &str| series.keys().any(|key| key.starts_with(name) && key.contains("endpoint=\"other\""));
    assert!(other("getty_sessions_opened_total") && other("getty_dials_total"));
}

#[tokio::test]
async fn no_label_holds_an_address() {
    let metrics = Metrics::default();
    let server = Server::bind("127.0.0.1:0").await.unwrap().observer(metrics.clone());
    let address = server.local_addr().unwrap();
    tokio::spawn(server.serve(Frames, echo()));
    let builder = ClientBuilder::new(Frames, on_message(|_, _| {})).observer(metrics.clone());
    let client = builder.tcp(address.to_string());
    within(client.session()).await.unwrap();
    until(|| metrics.text().contains("getty_sessions{endpoint=\"server\",transport=\"tcp\"} 1")).await;
    let text = metrics.text();
    assert!(!text.contains("127.0.0.1") && !text.contains(&address.port().to_string()), "{text}");
}

#[tokio::test]
async fn they_can_stand_in_a_registry_beside_others() {
    let metrics = Metrics::default();
    let mut registry = Registry::with_prefix("app");
    metrics.register(&mut registry);
    let connector = serve(&metrics, "orders");
    let _conn = connector.connect().await.unwrap();
    until(|| of_orders(&metrics, "getty_sessions", "") == Some(1.0)).await;
    let mut text = String::new();
    getty::metrics::prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
    assert!(text.contains("app_getty_sessions{endpoint=\"orders\",transport=\"memory\"} 1\n"), "{text}");
}

#[tokio::test]
async fn a_session_without_an_observer_is_not_counted() {
    let metrics = Metrics::default();
    let (_peer, session) = over_memory(Frames, on_message(|_: &Session<Frames>, _| {}), Limits::default());
    session.write(Bytes::new()).unwrap();
    assert!(samples(&metrics.text()).is_empty());
}
