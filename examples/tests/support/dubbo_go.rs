//! The programs of `examples/dubbo-go`. `scripts/build-peers` builds them; `GETTY_DUBBO_GO_SERVER` and
//! `GETTY_DUBBO_GO_CLIENT` name them.

use super::{Program, printed, run};

/// Its server of the user service, on all addresses.
pub(crate) async fn server(port: u16, further: &[&str]) -> Program {
    let port_text = port.to_string();
    let arguments = [&["-port", &port_text], further].concat();
    Program::start(&program("GETTY_DUBBO_GO_SERVER"), &arguments, port).await
}

/// Its client while it goes on calling, as soon as it has had as many answers as it has callers.
pub(crate) async fn steady_client(arguments: &[&str]) -> Program {
    let arguments = [&["-mode", "steady"], arguments].concat();
    Program::start(&program("GETTY_DUBBO_GO_CLIENT"), &arguments, 0).await
}

/// What its client prints when all its checks are right.
pub(crate) async fn client(arguments: &[&str]) -> String {
    let text = printed(&run(&program("GETTY_DUBBO_GO_CLIENT"), arguments).await);
    assert!(text.lines().last().is_some_and(|line| line.starts_with("ALL OK")), "{text}");
    text
}

fn program(variable: &str) -> String {
    std::env::var(variable)
        .unwrap_or_else(|_| panic!("{variable} names the Go program; scripts/test builds it"))
}
