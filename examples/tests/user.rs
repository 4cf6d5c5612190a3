//! The user examples against each other, as a user runs them.
#![allow(clippy::expect_used, reason = "a test that cannot go on should end")]

mod support;

use support::{Program, printed, run};

#[tokio::test]
async fn the_client_gets_the_right_answer_from_every_method_and_the_server_ends_in_good_order() {
    let mut server = Program::user_server(&[]).await;
    let text = printed(&run(env!("CARGO_BIN_EXE_user-client"), &["--url", &server.url()]).await);
    assert!(text.lines().last().is_some_and(|line| line.starts_with("ALL OK")), "{text}");
    server.signal("TERM").await;
    assert!(server.ended().await.success());
}

#[tokio::test]
async fn the_client_says_what_is_wrong_and_exits_with_1_when_nothing_listens() {
    let url = format!("dubbo://127.0.0.1:{}", support::free_port());
    let output = run(env!("CARGO_BIN_EXE_user-client"), &["--url", &url]).await;
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("no connection to 127.0.0.1") && text.contains("did not run"), "{text}");
}

#[tokio::test]
async fn hello_prints_the_reply() {
    assert_eq!(printed(&run(env!("CARGO_BIN_EXE_hello"), &[]).await), "Hello, world!\n");
}
