//! Owns the end-to-end test of the program: processes, READY, stopping, rows. Bounded by counts, not by time.

use std::io;
use std::process::{Command, Output};

const FIELDS: [&str; 15] = [
    "peer",
    "mode",
    "serialization",
    "connections",
    "callers",
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
fn a_client_without_a_server_says_what_to_do() {
    let output = benchmark(&["client", "--peer", "tarpc", "-s", "127.0.0.1:1", "-n", "10"]).unwrap();
    assert!(!output.status.success());
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("cannot connect to 127.0.0.1:1; is a server of the same peer"), "{stderr}");
}

#[test]
fn a_server_stops_at_sigterm_with_a_report() {
    use std::io::{BufRead, BufReader};
    let mut server = Command::new(env!("CARGO_BIN_EXE_benchmark"))
        .args(["server", "--peer", "tokio", "--mode", "echo", "-s", "127.0.0.1:0"])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(server.stdout.take().unwrap()).lines();
    let ready = lines.next().unwrap().unwrap();
    let addr = ready.strip_prefix("READY ").unwrap();
    let client =
        benchmark(&["client", "--peer", "tokio", "--mode", "echo", "-s", addr, "-n", "400", "--pool", "2"])
            .unwrap();
    assert!(client.status.success());

    let killed = Command::new("sh").args(["-c", &format!("kill -TERM {}", server.id())]).status().unwrap();
    assert!(killed.success());
    let report: serde_json::Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
    assert_eq!(report["calls"], 500, "400 measured, 100 to warm up");
    assert!(report["peak_rss_bytes"].as_u64().unwrap() > 0);
    assert!(server.wait().unwrap().success());
}
