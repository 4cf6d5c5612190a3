//! Owns the end-to-end test of the program: processes, READY, stopping, rows. Bounded by counts, not by time.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should end")]

use std::io::{self, BufRead, BufReader, Lines};
use std::process::{Child, ChildStdout, Command, Output, Stdio};

const FIELDS: [&str; 17] = [
    "peer",
    "mode",
    "serialization",
    "registry",
    "connections",
    "callers",
    "frame_bytes",
    "rounds",
    "calls_per_second",
    "p50_us",
    "p99_us",
    "p999_us",
    "max_us",
    "errors",
    "server_cpu_us_per_call",
    "client_cpu_us_per_call",
    "server_peak_rss_bytes",
];

fn benchmark(arguments: &[&str]) -> io::Result<Output> {
    Command::new(env!("CARGO_BIN_EXE_benchmark")).args(arguments).output()
}

#[test]
fn compare_runs_a_peer_in_two_processes_and_writes_its_row() {
    let file = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("rows.json");
    let path = file.to_str().unwrap();
    let output = benchmark(&[
        "compare",
        "--rounds",
        "1",
        "--peers",
        "tarpc",
        "--rows",
        "rpc:2x8,echo:1x1",
        "-n",
        "200",
        "--json",
        path,
    ])
    .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(table.contains("rpc:2x8       tarpc"), "{table}");

    let rows: Vec<serde_json::Map<_, _>> = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    assert_eq!(rows.len(), 1, "tarpc has no mode echo");
    let row = &rows[0];
    assert_eq!(row.len(), FIELDS.len());
    FIELDS.iter().for_each(|name| assert!(row.contains_key(*name), "{name}"));
    assert_eq!((&row["errors"], &row["rounds"]), (&0.into(), &1.into()));
    for figure in ["calls_per_second", "p50_us", "server_cpu_us_per_call", "client_cpu_us_per_call"] {
        assert!(row[figure].as_f64().unwrap() > 0.0, "{figure}");
    }
}

#[test]
fn a_peer_whose_program_was_not_built_is_left_out_with_a_word() {
    let output = Command::new(env!("CARGO_BIN_EXE_benchmark"))
        .args([
            "compare",
            "--rounds",
            "1",
            "-n",
            "100",
            "--peers",
            "getty-go,tokio",
            "--rows",
            "echo+915:2x4",
        ])
        .env_remove("GETTY_GO_BENCHMARK")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("getty-go is left out: GETTY_GO_BENCHMARK does not say"), "{said}");
    let table = String::from_utf8(output.stdout).unwrap();
    assert_eq!(table.lines().count(), 2, "{table}");
    assert!(table.contains("echo+915:2x4  tokio"), "{table}");
}

#[test]
#[ignore = "needs GETTY_GO_BENCHMARK, see scripts/build-peers"]
fn go_s_getty_is_measured_beside_ours() {
    let arguments = "compare --rounds 1 -n 2000 --peers getty,tokio,getty-go --rows echo+915:4x8";
    let output = benchmark(&arguments.split(' ').collect::<Vec<_>>()).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let table = String::from_utf8(output.stdout).unwrap();
    for peer in ["getty", "tokio", "getty-go"] {
        let row = table.lines().find(|line| line.starts_with(&format!("echo+915:4x8  {peer} "))).unwrap();
        let errors = row.split_ascii_whitespace().nth(7).unwrap();
        assert_eq!(errors, "0", "{table}");
    }
    assert!(table.contains("getty / getty-go calls/s x"), "{table}");
}

/// Standard error of a run that is refused. Its input is closed, so that a server ends that was not refused.
fn refused(arguments: &[&str]) -> String {
    let server: &[&str] = if arguments[0] == "server" { &["--until-stdin-closes"] } else { &[] };
    let output = benchmark(&[arguments, server].concat()).unwrap();
    assert!(!output.status.success(), "{arguments:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn compare_measures_getty_in_protobuf_and_through_a_registry_beside_its_peers() {
    let file = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("choices.json");
    let output = benchmark(&[
        "compare",
        "--rounds",
        "1",
        "--peers",
        "getty,tarpc",
        "--serialization",
        "protobuf",
        "--rows",
        "rpc:2x8,rpc+hessian2:2x8,rpc+registry:2x8",
        "-n",
        "200",
        "--json",
        file.to_str().unwrap(),
    ])
    .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let table = String::from_utf8(output.stdout).unwrap();
    for start in [
        "rpc+protobuf:2x8          getty / tarpc    calls/s x",
        "rpc+hessian2:2x8          getty / tarpc    calls/s x",
        "rpc+protobuf+registry:2x8 to no registry   calls/s x",
        "rpc+protobuf+registry:2x8 getty / tarpc    calls/s x",
    ] {
        assert!(table.lines().any(|line| line.starts_with(start)), "{start}: {table}");
    }
    let rows: Vec<serde_json::Value> = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let shown = |row: &serde_json::Value| {
        assert_eq!(row["errors"], 0, "{row}");
        format!("{} {} {}", row["peer"], row["serialization"], row["registry"]).replace('"', "")
    };
    assert_eq!(
        rows.iter().map(shown).collect::<Vec<_>>(),
        ["getty protobuf false", "getty hessian2 false", "getty protobuf true", "tarpc native false"]
    );
}

#[test]
fn a_client_finds_a_server_of_two_addresses_by_a_registry_url() {
    let mut server = Server::start(&["--peer", "getty", "-s", "127.0.0.1:0,127.0.0.1:0"]);
    let registry = format!("dubbo://{}", server.addrs);
    let client = benchmark(&[
        "client",
        "--json",
        "--peer",
        "getty",
        "--serialization",
        "protobuf",
        "--registry",
        &registry,
        "-c",
        "4",
        "-n",
        "400",
    ])
    .unwrap();
    assert!(client.status.success(), "{}", String::from_utf8_lossy(&client.stderr));
    let report: serde_json::Value = serde_json::from_slice(&client.stdout).unwrap();
    assert_eq!((&report["calls"], &report["errors"]), (&400.into(), &0.into()));
    assert_eq!(server.stop()["calls"], 500, "400 measured, 100 to warm up");
}

#[test]
fn a_serialization_that_does_not_exist_is_refused_with_those_that_do() {
    let getty = ["--peer", "getty", "-s", "127.0.0.1:1"];
    for command in
        [&["compare"][..], &[&["server"], &getty[..]].concat(), &[&["client"], &getty[..]].concat()]
    {
        let said = refused(&[command, &["--serialization", "json"]].concat());
        assert!(said.contains("[possible values: hessian2, protobuf]"), "{said}");
    }
    let said = refused(&["compare", "--rows", "rpc+json:1x1"]);
    assert!(said.contains("expected a row such as"), "{said}");
}

#[test]
fn a_peer_that_has_no_such_choice_says_so() {
    let here = ["--peer", "tarpc", "-s", "127.0.0.1:1"];
    for command in ["server", "client"] {
        let said = refused(&[&[command, "--serialization", "protobuf"], &here[..]].concat());
        assert!(said.contains("peer tarpc has no choice of serialization in mode rpc"), "{said}");
    }
    let said = refused(&["client", "--peer", "tonic", "--registry", "zookeeper://127.0.0.1:2181"]);
    assert!(said.contains("peer tonic knows no registries in mode rpc; use -s instead"), "{said}");
    let said = refused(&["compare", "--peers", "tarpc", "--rows", "rpc:1x1", "--serialization", "protobuf"]);
    assert!(said.contains("none of the peers has a choice of serialization"), "{said}");
}

#[test]
fn a_client_is_told_how_to_find_the_server_once() {
    let said = refused(&["client", "--peer", "getty"]);
    assert!(said.contains("--server <ADDR,..>"), "{said}");
    let said = refused(&["client", "--peer", "getty", "--registry", "memory://it"]);
    assert!(said.contains("say with -s where the server listens"), "{said}");
    let said = refused(&["server", "--peer", "getty", "--registry", "memory://it"]);
    assert!(said.contains("client -s ADDR --registry memory://it"), "{said}");
    let registry = ["--registry", "zookeeper://127.0.0.1:1"];
    let said = refused(&[&["client", "--peer", "getty", "-s", "127.0.0.1:1"], &registry[..]].concat());
    assert!(said.contains("leave -s away"), "{said}");
}

#[test]
fn a_client_without_a_server_says_what_to_do() {
    let output = benchmark(&["client", "--peer", "tarpc", "-s", "127.0.0.1:1", "-n", "10"]).unwrap();
    assert!(!output.status.success());
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("cannot connect to 127.0.0.1:1; is a server of the same peer"), "{stderr}");
}

#[test]
fn a_server_stops_at_sigterm_with_a_report() {
    let mut server = Server::start(&["--peer", "tokio", "--mode", "echo", "-s", "127.0.0.1:0"]);
    let addr = server.addrs.clone();
    let client =
        benchmark(&["client", "--peer", "tokio", "--mode", "echo", "-s", &addr, "-n", "400", "--pool", "2"])
            .unwrap();
    assert!(client.status.success());
    let report = server.stop();
    assert_eq!(report["calls"], 500, "400 measured, 100 to warm up");
    assert!(report["peak_rss_bytes"].as_u64().unwrap() > 0);
}

/// A server that has said where it listens.
struct Server {
    process: Child,
    output: Lines<BufReader<ChildStdout>>,
    addrs: String,
}

impl Server {
    fn start(arguments: &[&str]) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_benchmark"))
            .arg("server")
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap()).lines();
        let ready = output.next().unwrap().unwrap();
        let addrs = ready.strip_prefix("READY ").unwrap().to_owned();
        Self { process, output, addrs }
    }

    /// Sends it SIGTERM and takes its report.
    fn stop(&mut self) -> serde_json::Value {
        let id = self.process.id();
        let killed = Command::new("sh").args(["-c", &format!("kill -TERM {id}")]).status().unwrap();
        assert!(killed.success());
        let report = serde_json::from_str(&self.output.next().unwrap().unwrap()).unwrap();
        assert!(self.process.wait().unwrap().success());
        report
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It has ended already, unless the test failed.
        let _ = self.process.kill();
    }
}
