//! What every registry promises, whichever it is. [`contract!`] makes tests of it for a backend.

use std::time::Duration;

use getty_registry::{RegisterError, RegistrationState, RegistryState, Target, Url};
use tokio::time::Instant;

use super::{Place, interface, next, ports, ports_of, provider, register, subscribe, within};

/// Makes a test of every promise. The expression gives a [`Place`].
macro_rules! contract {
    ($place:expr) => {
        contract!($place;
            a_registered_provider_is_given_and_an_unregistered_one_is_taken_away,
            a_subscriber_that_comes_late_is_given_the_list_at_once,
            a_list_without_providers_is_news_too,
            only_what_answers_the_target_is_given,
            a_url_is_one_node_whatever_it_holds,
            a_url_that_is_registered_twice_is_one_registration,
            an_unregistered_url_never_comes_back,
            an_unregistered_url_may_be_registered_anew,
            a_consumer_is_no_provider,
            a_slow_subscriber_sees_the_newest_list_and_the_difference_to_its_own,
            next_may_be_dropped_without_losing_an_update,
            an_empty_list_is_stale_for_its_time_of_grace_and_then_empty,
            an_empty_list_is_empty_at_once_without_a_time_of_grace,
            a_new_provider_ends_a_stale_list_at_once,
            a_closed_registry_holds_nothing_and_says_so,
            a_dropped_registry_leaves_nothing_behind,
            a_dropped_subscription_leaves_the_others_alone,
            two_hundred_providers_are_given,
            two_roots_are_two_registries,
        );
    };
    ($place:expr; $($promise:ident),* $(,)?) => {
        $(
            #[tokio::test]
            async fn $promise() {
                support::contract::$promise(&$place).await;
            }
        )*
    };
}
pub(crate) use contract;

pub(crate) async fn a_registered_provider_is_given_and_an_unregistered_one_is_taken_away(place: &Place) {
    let (providers, consumers) = (place.connect().await, place.connect().await);
    let interface = interface();
    let mut seen = subscribe(&consumers, &interface);
    assert!(next(&mut seen).await.snapshot.is_empty());

    let (first, second) = (provider(&interface, 1), provider(&interface, 2));
    let registration = register(&providers, &first).await;
    assert!(registration.is_registered());
    let update = ports(&mut seen, &[1]).await;
    assert_eq!((update.added.len(), update.removed.len(), update.stale), (1, 0, false));
    assert_eq!(update.snapshot[0].url(), &first);

    register(&providers, &second).await;
    assert_eq!(ports(&mut seen, &[1, 2]).await.added.len(), 1);

    within("unregistered", providers.unregister(&first)).await.unwrap();
    assert_eq!(registration.state(), RegistrationState::Unregistered);
    let update = ports(&mut seen, &[2]).await;
    assert_eq!(update.removed.iter().map(|gone| gone.url()).collect::<Vec<_>>(), [&first]);
    assert!(update.added.is_empty());
}

pub(crate) async fn a_subscriber_that_comes_late_is_given_the_list_at_once(place: &Place) {
    let registry = place.connect().await;
    let interface = interface();
    let mut early = subscribe(&registry, &interface);
    register(&registry, &provider(&interface, 1)).await;
    ports(&mut early, &[1]).await;
    let mut late = subscribe(&registry, &interface);
    assert_eq!(ports_of(&next(&mut late).await), [1]);
    let other = place.connect().await;
    assert_eq!(ports_of(&next(&mut subscribe(&other, &interface)).await), [1]);
}

pub(crate) async fn a_list_without_providers_is_news_too(place: &Place) {
    let registry = place.connect().await;
    let update = next(&mut subscribe(&registry, &interface())).await;
    assert!(update.snapshot.is_empty() && !update.stale, "{update:?}");
}

pub(crate) async fn only_what_answers_the_target_is_given(place: &Place) {
    let registry = place.connect().await;
    let interface = interface();
    let with = |port, version: &str, group: &str| {
        provider(&interface, port)
            .to_builder()
            .parameter("version", version)
            .parameter("group", group)
            .build()
            .unwrap()
    };
    register(&registry, &with(1, "", "")).await;
    register(&registry, &with(2, "1.0.0", "")).await;
    register(&registry, &with(3, "1.0.0", "eu")).await;
    register(&registry, &with(4, "2.0.0", "us")).await;
    let other = with(5, "", "");
    register(&registry, &other.to_builder().parameter("enabled", "false").build().unwrap()).await;
    let target = Target::new(&interface);
    for (target, expected) in [
        (target.clone(), vec![1]),
        (target.clone().version("0.0.0").group(""), vec![1]),
        (target.clone().version("1.0.0"), vec![2]),
        (target.clone().version("1.0.0").group("eu"), vec![3]),
        (target.clone().version("1.0.0").group("*"), vec![2, 3]),
        (target.clone().version("*").group("eu,us"), vec![3, 4]),
        (target.clone().version("*").group("*"), vec![1, 2, 3, 4]),
        (target.clone().version("3.0.0"), vec![]),
        (target.clone().protocol("tri"), vec![]),
    ] {
        let mut subscription = registry.subscribe(&target);
        ports(&mut subscription, &expected).await;
        assert_eq!(subscription.skipped().not_matching, 5 - expected.len(), "{target}");
    }
}

/// Interface and values with `%`, brackets, slashes, spaces, `$`, Chinese and an emoji.
pub(crate) async fn a_url_is_one_node_whatever_it_holds(place: &Place) {
    let registry = place.connect().await;
    let awkward = "a%25(b)/c+d e$f&g=h#i@中文🦀%2525";
    let interface = format!("{}${awkward}", interface());
    let url = provider(&interface, 1)
        .to_builder()
        .parameter("awkward", awkward)
        .parameter("long", "text ".repeat(800))
        .build()
        .unwrap();
    let mut seen = subscribe(&registry, &interface);
    for _ in 0..20 {
        register(&registry, &url).await;
        let update = ports(&mut seen, &[1]).await;
        assert_eq!(update.snapshot[0].url(), &url);
        within("unregistered", registry.unregister(&url)).await.unwrap();
        within("stale", async { while !next(&mut seen).await.stale {} }).await;
    }
}

pub(crate) async fn a_url_that_is_registered_twice_is_one_registration(place: &Place) {
    let registry = place.connect().await;
    let interface = interface();
    let url = provider(&interface, 1);
    let (one, two) = (register(&registry, &url).await, register(&registry, &url).await);
    let mut seen = subscribe(&registry, &interface);
    ports(&mut seen, &[1]).await;
    within("unregistered", registry.unregister(&url)).await.unwrap();
    assert_eq!(
        (one.state(), two.state()),
        (RegistrationState::Unregistered, RegistrationState::Unregistered)
    );
    within("unregistered again", registry.unregister(&url)).await.unwrap();
}

/// Several audits pass: another URL, which is kept, is proof that they come.
pub(crate) async fn an_unregistered_url_never_comes_back(place: &Place) {
    let registry = place.connect_with("audit=50ms&empty-grace=0").await;
    let interface = interface();
    let (gone, kept) = (provider(&interface, 1), provider(&interface, 2));
    register(&registry, &gone).await;
    register(&registry, &kept).await;
    within("unregistered", registry.unregister(&gone)).await.unwrap();
    let mut seen = subscribe(&registry, &interface);
    ports(&mut seen, &[2]).await;
    let quiet = tokio::time::timeout(Duration::from_millis(500), seen.next()).await;
    assert!(quiet.is_err(), "{quiet:?}");
}

pub(crate) async fn an_unregistered_url_may_be_registered_anew(place: &Place) {
    let registry = place.connect().await;
    let interface = interface();
    let url = provider(&interface, 1);
    for _ in 0..20 {
        let registration = register(&registry, &url).await;
        // Nobody waits for it, so the next registration overtakes it.
        drop(registry.unregister(&url));
        register(&registry, &url).await;
        assert_eq!(registration.state(), RegistrationState::Unregistered);
    }
    ports(&mut subscribe(&registry, &interface), &[1]).await;
}

pub(crate) async fn a_consumer_is_no_provider(place: &Place) {
    let registry = place.connect().await;
    let interface = interface();
    let consumer =
        Url::parse(&format!("consumer://10.0.0.6/{interface}?category=consumers&check=false")).unwrap();
    register(&registry, &consumer).await;
    register(&registry, &provider(&interface, 1)).await;
    let mut subscription = subscribe(&registry, &interface);
    ports(&mut subscription, &[1]).await;
    assert_eq!(subscription.skipped(), Default::default());
}

pub(crate) async fn a_slow_subscriber_sees_the_newest_list_and_the_difference_to_its_own(place: &Place) {
    let registry = place.connect().await;
    let interface = interface();
    let (mut slow, mut quick) = (subscribe(&registry, &interface), subscribe(&registry, &interface));
    let first = provider(&interface, 1);
    register(&registry, &first).await;
    ports(&mut slow, &[1]).await;
    for port in 2..=20 {
        register(&registry, &provider(&interface, port)).await;
    }
    within("unregistered", registry.unregister(&first)).await.unwrap();
    let expected: Vec<u16> = (2..=20).collect();
    ports(&mut quick, &expected).await;
    let update = next(&mut slow).await;
    assert_eq!(ports_of(&update), expected);
    assert_eq!((update.added.len(), update.removed.len()), (19, 1));
}

pub(crate) async fn next_may_be_dropped_without_losing_an_update(place: &Place) {
    let registry = place.connect().await;
    let interface = interface();
    let mut seen = subscribe(&registry, &interface);
    next(&mut seen).await;
    let url = provider(&interface, 1);
    let mut registration = registry.register(url).unwrap();
    let found = within("the update", async {
        loop {
            // Each round drops a future that was polled.
            if let Ok(Some(update)) = tokio::time::timeout(Duration::from_millis(1), seen.next()).await {
                return update;
            }
        }
    })
    .await;
    assert_eq!(ports_of(&found), [1]);
    within("registered", registration.registered()).await.unwrap();
}

pub(crate) async fn an_empty_list_is_stale_for_its_time_of_grace_and_then_empty(place: &Place) {
    let registry = place.connect_with("empty-grace=300ms").await;
    let interface = interface();
    let url = provider(&interface, 1);
    register(&registry, &url).await;
    let mut seen = subscribe(&registry, &interface);
    ports(&mut seen, &[1]).await;
    let withdrawn = Instant::now();
    within("unregistered", registry.unregister(&url)).await.unwrap();
    let update = next(&mut seen).await;
    assert_eq!((ports_of(&update), update.stale), (vec![1], true));
    assert_eq!((update.added.len(), update.removed.len()), (0, 0));
    let update = next(&mut seen).await;
    assert_eq!((ports_of(&update), update.stale), (vec![], false));
    assert_eq!(update.removed.len(), 1);
    assert!(withdrawn.elapsed() >= Duration::from_millis(300));
}

pub(crate) async fn an_empty_list_is_empty_at_once_without_a_time_of_grace(place: &Place) {
    let registry = place.connect_with("empty-grace=0").await;
    let interface = interface();
    let url = provider(&interface, 1);
    register(&registry, &url).await;
    let mut seen = subscribe(&registry, &interface);
    ports(&mut seen, &[1]).await;
    within("unregistered", registry.unregister(&url)).await.unwrap();
    let update = next(&mut seen).await;
    assert_eq!((ports_of(&update), update.stale, update.removed.len()), (vec![], false, 1));
}

pub(crate) async fn a_new_provider_ends_a_stale_list_at_once(place: &Place) {
    let registry = place.connect_with("empty-grace=60m").await;
    let interface = interface();
    let (old, new) = (provider(&interface, 1), provider(&interface, 2));
    register(&registry, &old).await;
    let mut seen = subscribe(&registry, &interface);
    ports(&mut seen, &[1]).await;
    within("unregistered", registry.unregister(&old)).await.unwrap();
    assert!(next(&mut seen).await.stale);
    register(&registry, &new).await;
    let update = next(&mut seen).await;
    assert_eq!((ports_of(&update), update.stale), (vec![2], false));
    assert_eq!((update.added.len(), update.removed.len()), (1, 1));
}

pub(crate) async fn a_closed_registry_holds_nothing_and_says_so(place: &Place) {
    let (closing, watching) = (place.connect().await, place.connect_with("empty-grace=0").await);
    let interface = interface();
    let registration = register(&closing, &provider(&interface, 1)).await;
    let mut own = subscribe(&closing, &interface);
    let mut others = subscribe(&watching, &interface);
    ports(&mut own, &[1]).await;
    ports(&mut others, &[1]).await;
    within("closed", closing.close()).await;
    assert_eq!(*closing.state().borrow(), RegistryState::Closed);
    assert_eq!(registration.state(), RegistrationState::Unregistered);
    ports(&mut others, &[]).await;
    within("the end", async { while own.next().await.is_some() {} }).await;
    assert_eq!(within("the end", subscribe(&closing, &interface).next()).await, None);
    assert_eq!(closing.register(provider(&interface, 2)).unwrap_err(), RegisterError::Closed);
    within("unregistered", closing.unregister(&provider(&interface, 1))).await.unwrap();
    within("closed again", closing.close()).await;
}

pub(crate) async fn a_dropped_registry_leaves_nothing_behind(place: &Place) {
    let (dropped, watching) = (place.connect().await, place.connect_with("empty-grace=0").await);
    let interface = interface();
    let mut registration = dropped.register(provider(&interface, 1)).unwrap();
    let mut seen = subscribe(&watching, &interface);
    within("registered", registration.registered()).await.unwrap();
    ports(&mut seen, &[1]).await;
    drop(dropped);
    ports(&mut seen, &[]).await;
    let mut state = registration.watch();
    within("the end", state.wait_for(|state| *state == RegistrationState::Unregistered)).await.unwrap();
}

pub(crate) async fn a_dropped_subscription_leaves_the_others_alone(place: &Place) {
    let registry = place.connect().await;
    let interface = interface();
    let mut kept = subscribe(&registry, &interface);
    for port in 1..=20 {
        let mut dropped = subscribe(&registry, &interface);
        next(&mut dropped).await;
        drop(dropped);
        register(&registry, &provider(&interface, port)).await;
    }
    ports(&mut kept, &(1..=20).collect::<Vec<_>>()).await;
    drop(kept);
    for _ in 0..20 {
        assert_eq!(next(&mut subscribe(&registry, &interface)).await.snapshot.len(), 20);
    }
}

pub(crate) async fn two_hundred_providers_are_given(place: &Place) {
    let registry = place.connect().await;
    let interface = interface();
    let mut seen = subscribe(&registry, &interface);
    for port in 1..=200 {
        registry.register(provider(&interface, port)).unwrap();
    }
    ports(&mut seen, &(1..=200).collect::<Vec<_>>()).await;
}

pub(crate) async fn two_roots_are_two_registries(place: &Place) {
    let (one, two) = (place.connect_with("group=one").await, place.connect_with("group=two").await);
    let interface = interface();
    register(&one, &provider(&interface, 1)).await;
    register(&two, &provider(&interface, 2)).await;
    assert_eq!(ports_of(&next(&mut subscribe(&one, &interface)).await), [1]);
    assert_eq!(ports_of(&next(&mut subscribe(&two, &interface)).await), [2]);
}
