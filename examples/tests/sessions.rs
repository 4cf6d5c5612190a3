//! The examples of getty without RPC, as a user runs them: each prints what its documentation says.
#![allow(clippy::expect_used, reason = "a test that cannot go on should end")]

mod support;

use support::{printed, run};

#[tokio::test]
async fn custom_protocol_prints_what_the_server_made_of_the_text() {
    assert_eq!(printed(&run(env!("CARGO_BIN_EXE_custom-protocol"), &[]).await), "HELLO, GETTY!\n");
}

#[cfg(feature = "codec")]
#[tokio::test]
async fn codec_prints_the_answers_and_why_a_stranger_is_turned_away() {
    let expected = "\
hello, getty -> 12 characters, 12 bytes
你好 -> 2 characters, 6 bytes
GET / HTTP/1.1 -> the reader refused the input: a netstring begins with its length, 'G' came
";
    assert_eq!(printed(&run(env!("CARGO_BIN_EXE_codec"), &[]).await), expected);
}

#[tokio::test]
async fn push_reaches_who_did_the_work_else_another_of_the_application_and_again_after_a_reconnect() {
    let expected = "\
orders-1 of orders has registered: orders-db
orders-2 of orders has registered: orders-db
stock-1 of stock has registered: stock-db
commit 1 of orders-db by orders-1: done by orders-1
-- orders-1 stops
commit 2 of orders-db by orders-1: done by orders-2
-- the connection of stock-1 breaks
stock-1 of stock has registered: stock-db
commit 3 of stock-db by stock-1: done by stock-1
commit 4 of stock-db by orders-2: nobody of orders has it
";
    assert_eq!(printed(&run(env!("CARGO_BIN_EXE_push"), &[]).await), expected);
}
