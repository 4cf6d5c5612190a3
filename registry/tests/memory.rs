//! The registry in memory keeps what every registry promises, and is shared by its name.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod support;

use support::contract::contract;
use support::{Place, interface, next, ports_of, provider, register, subscribe};

contract!(Place::new("memory://contract", "audit=200ms&timeout=3s"));

#[tokio::test]
async fn registries_of_one_name_are_one_and_those_of_another_are_not() {
    let one = Place::new("memory://one", "").connect().await;
    let interface = interface();
    register(&one, &provider(&interface, 1)).await;
    let again = Place::new("memory://one", "").connect().await;
    assert_eq!(ports_of(&next(&mut subscribe(&again, &interface)).await), [1]);
    let other = Place::new("memory://other", "").connect().await;
    assert!(next(&mut subscribe(&other, &interface)).await.snapshot.is_empty());
}
