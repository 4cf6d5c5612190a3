//! The `registry` example without a registry that has to run.
#![allow(clippy::expect_used, reason = "a test that cannot go on should end")]

mod support;

use std::process::Stdio;

use support::{PATIENCE, Program, printed, run};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::Command,
    time::timeout,
};

const REGISTRY: &str = env!("CARGO_BIN_EXE_registry");

#[tokio::test]
async fn the_demo_shows_a_provider_that_leaves_and_comes_back_and_no_ticket_is_missed_meanwhile() {
    let text = printed(&run(REGISTRY, &["demo"]).await);
    let stops = text.find(" stops").unwrap_or_else(|| panic!("{text}"));
    let end = text.find("-- both stop").unwrap_or_else(|| panic!("{text}"));
    let (before, meanwhile) = (&text[..stops], &text[stops..end]);
    assert!(before.contains("knows 2"), "{text}");
    assert!(meanwhile.contains("knows 1, gone: ") && meanwhile.contains("knows 2, new: "), "{text}");
    assert!(meanwhile.contains("ticket 127.0.0.1:") && !meanwhile.contains("no ticket"), "{text}");
}

#[tokio::test]
async fn the_consumer_takes_a_fixed_list_and_a_provider_cannot_be_added_to_one() {
    let url = format!("dubbo://127.0.0.1:{}", support::free_port());
    let output = run(REGISTRY, &["provider", "--registry", &url]).await;
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("a fixed list of providers takes no registrations"), "{text}");

    // The list names a user server, which has no tickets and says so.
    let server = Program::user_server(&[]).await;
    let mut consumer = Command::new(REGISTRY)
        .args(["consumer", "--registry", &server.url()])
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("started");
    let mut lines = BufReader::new(consumer.stdout.take().expect("piped")).lines();
    let mut expected = vec!["knows 1, new: 127.0.0.1:", "no ticket: "];
    let seen = async {
        while !expected.is_empty() {
            let line = lines.next_line().await.expect("text").expect("it goes on");
            expected.retain(|part| !line.contains(part));
        }
    };
    timeout(PATIENCE, seen).await.expect("in time");
}

#[cfg(not(feature = "zookeeper"))]
#[tokio::test]
async fn a_registry_that_is_not_compiled_in_is_an_error_that_names_the_feature() {
    let output = run(REGISTRY, &["consumer", "--registry", "zookeeper://127.0.0.1:2181"]).await;
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("cargo feature `zookeeper`"), "{text}");
}
