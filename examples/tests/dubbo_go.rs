//! Our examples against a running dubbo-go, in both directions. `scripts/test` builds the Go programs and says where
//! they are.
#![allow(clippy::expect_used, reason = "a test that cannot go on should end")]

mod support;

use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

use getty_examples::user::UserServiceClient;
use getty_rpc::{Client, ErrorKind, service};
use support::{PATIENCE, Program, dubbo_go, free_port, printed, run, sockets::connections_to};
use tokio::{task::JoinSet, time::timeout};

async fn go_server(port: u16) -> Program {
    dubbo_go::server(port, &[]).await
}

async fn go_client(server: &Program, arguments: &[&str]) -> String {
    dubbo_go::client(&[&["-url", &server.url()], arguments].concat()).await
}

fn client(server: &Program, connections: usize) -> Client {
    Client::builder()
        .connections(connections)
        .timeout(PATIENCE)
        .direct(&server.url())
        .expect("a direct address")
}

#[tokio::test]
async fn every_method_of_a_go_server_gives_our_client_the_right_value() {
    let server = go_server(free_port()).await;
    let arguments = ["--url", &server.url(), "--go-provider"];
    let text = printed(&run(env!("CARGO_BIN_EXE_user-client"), &arguments).await);
    assert!(text.lines().last().is_some_and(|line| line.starts_with("ALL OK")), "{text}");
}

#[tokio::test]
async fn every_method_of_our_server_gives_a_go_client_the_right_value() {
    let server = Program::user_server(&[]).await;
    go_client(&server, &["-mode", "all"]).await;
}

/// The defect is dubbo-go's: its provider hands a null String to the method as `*string`.
#[tokio::test]
async fn a_go_server_cannot_take_a_null_string_and_our_client_shows_its_text() {
    let server = go_server(free_port()).await;
    let users: UserServiceClient = client(&server, 1).refer();
    let error = users.greet(None).await.expect_err("dubbo-go's defect");
    let exception = error.as_exception().expect("an exception");
    assert_eq!(exception.class(), "java.lang.Throwable");
    assert_eq!(exception.message(), Some("reflect: Call using *string as type string"));
}

#[tokio::test]
async fn ten_thousand_calls_of_two_hundred_callers_to_a_go_server_each_get_their_own_answer() {
    let server = go_server(free_port()).await;
    let client = client(&server, 2);
    let mut callers = JoinSet::new();
    for caller in 0..200 {
        let users: UserServiceClient = client.refer();
        callers.spawn(async move {
            for call in 0..50 {
                let name = format!("caller {caller}, call {call} 你好 🦀");
                let answer = users.greet(Some(name.clone())).await.expect("an answer");
                assert_eq!(answer, Some(format!("Hello, {name}!")));
            }
        });
    }
    while let Some(caller) = callers.join_next().await {
        caller.expect("all answers right");
    }
    assert_eq!(connections_to(server.port), 2);
}

#[tokio::test]
async fn ten_thousand_calls_of_two_hundred_go_callers_to_our_server_each_get_their_own_answer() {
    let server = Program::user_server(&[]).await;
    let load = ["-mode", "load", "-callers", "200", "-calls", "10000", "-connections", "2"];
    go_client(&server, &load).await;
}

#[tokio::test]
async fn a_handler_that_outlives_the_go_clients_timeout_sends_nothing_and_harms_no_other_call() {
    let server = Program::user_server(&[]).await;
    go_client(&server, &["-mode", "timeout"]).await;
}

#[tokio::test]
async fn a_go_client_that_asks_for_the_wrong_thing_is_told_what_there_is() {
    let server = Program::user_server(&[]).await;
    let text = go_client(&server, &["-mode", "errors"]).await;
    for (case, expected) in [
        (
            "no such service",
            ["com.example.user.NoSuchService:1.0.0", "demo/com.example.user.UserService:1.0.0"],
        ),
        ("wrong version", ["com.example.user.UserService:9.9.9", "demo/com.example.user.UserService:1.0.0"]),
        ("wrong group", ["group nobody", "demo/com.example.user.UserService:1.0.0"]),
        ("no such method", ["nope(Ljava/lang/String;)", "greet(Ljava/lang/String;)"]),
        ("String for int", ["next(Ljava/lang/String;)", "next(I)"]),
        ("User for String", ["greet(Lcom/example/user/User;)", "greet(Ljava/lang/String;)"]),
        ("too few arguments", ["next()", "next(I)"]),
    ] {
        let line = text.lines().find(|line| line.starts_with(&format!("ERROR {case}: ")));
        let line = line.unwrap_or_else(|| panic!("no line for {case} in {text}"));
        assert!(expected.iter().all(|part| line.contains(part)), "{line}");
    }
}

#[tokio::test]
async fn a_go_servers_refusals_are_typed_errors_with_its_text() {
    let server = go_server(free_port()).await;
    let client = client(&server, 1);
    let info = <UserServiceClient as getty_rpc::Stub>::INFO;
    for wrong in [client.reference(info).version("9.9.9"), client.reference(info).group("nobody")] {
        let error = wrong.refer::<UserServiceClient>().next(1).await.expect_err("not there");
        assert!(matches!(error.kind(), ErrorKind::Exception(_)), "{error:?}");
        assert!(error.message().contains("don't have this exporter"), "{error}");
    }
    let wrong: WrongClient = client.refer();
    let elsewhere: ElsewhereClient = client.refer();
    for (error, text) in [
        (elsewhere.next(1).await.expect_err("no such service"), "don't have this exporter"),
        (wrong.nope("x").await.expect_err("no such method"), "nope"),
        (wrong.next_of_text("x").await.expect_err("no int"), "string"),
    ] {
        assert!(matches!(error.kind(), ErrorKind::Exception(_)), "{error:?}");
        assert!(error.message().contains(text), "{error}");
    }
    let right: UserServiceClient = client.refer();
    assert_eq!(right.next(1).await.expect("the connection lives"), 2);
}

/// What the Go server does not have.
#[service(interface = "com.example.user.UserService", version = "1.0.0", group = "demo")]
trait Wrong {
    async fn nope(&self, name: String) -> String;
    #[method(name = "next")]
    async fn next_of_text(&self, n: String) -> i32;
}

#[service(interface = "com.example.user.NoSuchService", version = "1.0.0", group = "demo")]
trait Elsewhere {
    async fn next(&self, n: i32) -> i32;
}

#[tokio::test]
async fn an_idle_connection_to_a_go_server_outlives_four_heartbeat_periods() {
    let server = go_server(free_port()).await;
    let period = Duration::from_millis(500);
    let client =
        Client::builder().heartbeat(period).timeout(PATIENCE).direct(&server.url()).expect("an address");
    let users: UserServiceClient = client.refer();
    assert_eq!(users.next(1).await.expect("an answer"), 2);
    // Being idle is what is tested.
    tokio::time::sleep(5 * period).await;
    assert_eq!(connections_to(server.port), 1);
    assert_eq!(users.next(2).await.expect("over the same connection"), 3);
}

#[tokio::test]
async fn an_idle_connection_of_a_go_client_outlives_four_heartbeat_periods_of_ours() {
    let server = Program::user_server(&["--heartbeat", "0.5"]).await;
    // It stays idle for five periods, and checks that its one connection is still the same.
    go_client(&server, &["-mode", "idle", "-seconds", "3"]).await;
}

#[tokio::test]
async fn a_stopped_go_server_is_noticed_within_three_heartbeat_periods_and_its_calls_fail() {
    let server = go_server(free_port()).await;
    let period = Duration::from_secs(2);
    let client =
        Client::builder().heartbeat(period).timeout(PATIENCE).direct(&server.url()).expect("an address");
    let users: UserServiceClient = client.refer();
    assert_eq!(users.next(1).await.expect("an answer"), 2);
    server.freeze().await;
    let stopped = Instant::now();
    let error = users.next(2).await.expect_err("nobody answers");
    assert!(stopped.elapsed() < 3 * period, "noticed after {:?}", stopped.elapsed());
    assert!(matches!(error.kind(), ErrorKind::ConnectionLost), "{error:?}");
    assert!(!error.surely_not_run(), "the request had left: {error:?}");
}

#[tokio::test]
async fn a_go_server_that_dies_under_load_fails_its_calls_at_once_and_is_used_again_when_it_is_back() {
    let port = free_port();
    let mut server = go_server(port).await;
    let client = client(&server, 2);
    let users: UserServiceClient = client.refer();
    assert_eq!(users.next(1).await.expect("an answer"), 2);
    let mut slow = JoinSet::new();
    for _ in 0..100 {
        let users = users.clone();
        slow.spawn(async move {
            let result = users.slow(60_000).timeout(PATIENCE).await;
            (result, Instant::now())
        });
    }
    // An answer to a call that was sent after them says that they have arrived.
    assert_eq!(users.next(2).await.expect("an answer"), 3);
    server.signal("KILL").await;
    let killed = Instant::now();
    server.ended().await;
    while let Some(call) = slow.join_next().await {
        let (result, failed) = call.expect("no panic");
        let error = result.expect_err("its server is dead");
        assert!(matches!(error.kind(), ErrorKind::ConnectionLost), "{error:?}");
        assert!(
            failed.duration_since(killed) < Duration::from_secs(1),
            "{:?}",
            failed.duration_since(killed)
        );
    }

    let _server = go_server(port).await;
    let back = async {
        let mut errors = HashSet::new();
        loop {
            match users.next(3).await {
                Ok(answer) => return (answer, errors),
                Err(error) => {
                    assert!(error.surely_not_run(), "{error:?}");
                    errors.insert(error.to_string());
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
        }
    };
    let (answer, _) = timeout(PATIENCE, back).await.expect("it is used again");
    assert_eq!(answer, 4);
    let all_there = async {
        while connections_to(port) != 2 {
            users.next(4).await.expect("an answer");
        }
    };
    timeout(PATIENCE, all_there).await.expect("as many connections as before");
}
