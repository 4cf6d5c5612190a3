//! The programs of `examples/dubbo-go`. `scripts/build-peers` builds them; `GETTY_DUBBO_GO_SERVER` and
//! `GETTY_DUBBO_GO_CLIENT` name them.

use std::process::Output;

use super::{Program, printed, run};

/// Its server of the user service, on all addresses.
pub(crate) async fn server(port: u16, further: &[&str]) -> Program {
    let port_text = port.to_string();
    let arguments = [&["-port", &port_text], further].concat();
    Program::start(&program("GETTY_DUBBO_GO_SERVER"), &arguments, port).await
}

/// How its client ends.
pub(crate) async fn client_output(arguments: &[&str]) -> Output {
    run(&program("GETTY_DUBBO_GO_CLIENT"), arguments).await
}

/// What its client prints when all its checks are right.
pub(crate) async fn client(arguments: &[&str]) -> String {
    let text = printed(&client_output(arguments).await);
    assert!(text.lines().last().is_some_and(|line| line.starts_with("ALL OK")), "{text}");
    text
}

fn program(variable: &str) -> String {
    std::env::var(variable)
        .unwrap_or_else(|_| panic!("{variable} names the Go program; scripts/test builds it"))
}
