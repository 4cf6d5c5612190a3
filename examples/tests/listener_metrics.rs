//! The `listener-metrics` example: what Prometheus gets from it.
#![allow(clippy::expect_used, reason = "a test that cannot go on should end")]

mod support;

use std::collections::BTreeMap;

use support::{PATIENCE, Program, free_port};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_listener-metrics");

/// The whole answer to one request.
async fn ask(port: u16, request: &str) -> String {
    let asked = async {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await.expect("it listens");
        let request = format!("{request} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("text");
        answer
    };
    timeout(PATIENCE, asked).await.expect("answered in time")
}

/// The samples of a scrape, by name and labels.
async fn scrape(port: u16) -> BTreeMap<String, f64> {
    let answer = ask(port, "GET /metrics").await;
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    assert!(head.contains("application/openmetrics-text; version=1.0.0"), "{head}");
    let lines = body.strip_suffix("# EOF\n").expect("it ends with the mark of the end").lines();
    let sample = |line: &str| {
        let (name, value) = line.rsplit_once(' ').expect("a name and a value");
        (name.to_owned(), value.parse().expect("a number"))
    };
    lines.filter(|line| !line.starts_with('#')).map(sample).collect()
}

#[tokio::test]
async fn the_counters_of_server_and_client_grow_with_the_traffic() {
    let (echo, http) = (free_port(), free_port());
    let (listen, metrics) = (format!("127.0.0.1:{echo}"), format!("127.0.0.1:{http}"));
    let arguments = ["--listen", &listen, "--metrics", &metrics, "--every", "5"];
    let mut program = Program::start(PROGRAM, &arguments, http).await;
    let packets = |endpoint| format!("getty_read_packets_total{{endpoint=\"{endpoint}\",transport=\"tcp\"}}");
    let mut seen = 0.0;
    // Three times more than before.
    let grows = async {
        for _ in 0..3 {
            loop {
                let samples = scrape(http).await;
                let count = |endpoint| samples.get(&packets(endpoint)).copied().unwrap_or_default();
                if count("echo") > seen && count("visitor") > seen {
                    seen = count("echo");
                    break;
                }
            }
        }
    };
    timeout(PATIENCE, grows).await.expect("counters grow");
    let samples = scrape(http).await;
    assert_eq!(samples["getty_sessions{endpoint=\"echo\",transport=\"tcp\"}"], 1.0);
    assert_eq!(samples["getty_dials_total{endpoint=\"visitor\",outcome=\"ok\"}"], 1.0);
    // "hello" and the end of the line.
    let bytes = samples["getty_written_bytes_total{endpoint=\"visitor\",transport=\"tcp\"}"];
    assert_eq!(bytes % 6.0, 0.0);

    assert!(ask(http, "GET /").await.starts_with("HTTP/1.1 404 "));
    assert!(ask(http, "POST /metrics").await.starts_with("HTTP/1.1 405 "));
    program.signal("TERM").await;
    assert!(program.ended().await.success());
}
