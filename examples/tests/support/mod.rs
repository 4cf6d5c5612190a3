//! Programs that tests start and that end with them.
#![allow(dead_code, reason = "each test is a crate of its own and uses a part of this")]

#[cfg(feature = "transports")]
#[allow(clippy::unwrap_used, reason = "a test fails by a panic")]
#[path = "../../../getty/tests/support/authority.rs"]
pub(crate) mod authority;
#[cfg(feature = "browser")]
pub(crate) mod browser;
pub(crate) mod callers;
pub(crate) mod chat;
pub(crate) mod dubbo_go;
#[cfg(feature = "transports")]
pub(crate) mod echo;
pub(crate) mod providers;
#[allow(clippy::unwrap_used, reason = "a test fails by a panic")]
#[path = "../../../registry/tests/support/proxy.rs"]
pub(crate) mod proxy;
pub(crate) mod registries;
#[path = "../../../registry/tests/support/servers.rs"]
pub(crate) mod servers;
pub(crate) mod sockets;

use std::{
    collections::VecDeque,
    process::{Output, Stdio},
    time::Duration,
};

use tokio::{
    io::{AsyncBufRead, AsyncBufReadExt, BufReader, Lines},
    process::{Child, Command},
    task::JoinHandle,
    time::timeout,
};

pub(crate) use servers::free_port;

/// Longer than anything here takes, however busy the machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// A process of its own that says when it is ready. It is killed when this is dropped.
pub(crate) struct Program {
    child: Child,
    /// Where it listens; 0 of a client.
    pub(crate) port: u16,
    /// What it printed before READY.
    pub(crate) said: Vec<String>,
    /// What it printed last.
    last: JoinHandle<String>,
}

impl Program {
    /// Starts the program and waits until it prints READY.
    pub(crate) async fn start(program: &str, arguments: &[&str], port: u16) -> Self {
        let mut child = Command::new(program)
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {program}: {error}"));
        let complaints =
            tokio::spawn(last_lines(BufReader::new(child.stderr.take().expect("piped")).lines()));
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let mut said = Vec::new();
        let ready = async {
            while let Some(line) = lines.next_line().await.expect("text") {
                if line == "READY" {
                    return true;
                }
                said.push(line);
            }
            false
        };
        if !timeout(PATIENCE, ready).await.expect("READY in time") {
            panic!("{program} ended before READY:\n{}", complaints.await.expect("text"));
        }
        Self { child, port, said, last: tokio::spawn(last_lines(lines)) }
    }

    /// Where it listens, as it says.
    pub(crate) fn address(&self) -> &str {
        let mut said = self.said.iter();
        said.find_map(|line| line.strip_prefix("listening on ")).expect("it says where it listens")
    }

    /// Our own user-server on a free port, with further arguments.
    pub(crate) async fn user_server(further: &[&str]) -> Self {
        let port = free_port();
        let listen = format!("127.0.0.1:{port}");
        let arguments: Vec<_> = ["--listen", &listen].into_iter().chain(further.iter().copied()).collect();
        Self::start(env!("CARGO_BIN_EXE_user-server"), &arguments, port).await
    }

    /// `dubbo://127.0.0.1:port`
    pub(crate) fn url(&self) -> String {
        format!("dubbo://127.0.0.1:{}", self.port)
    }

    /// Sends a signal, by name.
    pub(crate) async fn signal(&self, name: &str) {
        let id = self.child.id().expect("it runs").to_string();
        let status = Command::new("kill").args(["-s", name, &id]).status().await.expect("kill");
        assert!(status.success(), "kill -s {name} {id}");
    }

    /// Sends SIGSTOP, and waits until every thread stands still: the signal may take a moment to get to them.
    pub(crate) async fn freeze(&self) {
        self.signal("STOP").await;
        let tasks = format!("/proc/{}/task", self.child.id().expect("it runs"));
        let stands = |task: std::io::Result<std::fs::DirEntry>| {
            let stat =
                std::fs::read_to_string(task.expect("a thread").path().join("stat")).unwrap_or_default();
            // The state comes after the name, which is in brackets.
            stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('T'))
        };
        let frozen = async {
            while !std::fs::read_dir(&tasks).expect("Linux").all(stands) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(PATIENCE, frozen).await.expect("frozen in time");
    }

    /// Waits until it has ended.
    pub(crate) async fn ended(&mut self) -> std::process::ExitStatus {
        timeout(PATIENCE, self.child.wait()).await.expect("ended in time").expect("a status")
    }

    /// Waits until it has ended, and returns what it printed last.
    pub(crate) async fn last_words(mut self) -> String {
        self.ended().await;
        self.last.await.expect("text")
    }
}

/// The end of what a program prints. Read all the time, so that the program never waits.
async fn last_lines(mut lines: Lines<impl AsyncBufRead + Unpin>) -> String {
    let mut last = VecDeque::new();
    while let Ok(Some(line)) = lines.next_line().await {
        last.push_back(line + "\n");
        if last.len() > 20 {
            last.pop_front();
        }
    }
    last.into_iter().collect()
}

/// Runs a program to its end.
pub(crate) async fn run(program: &str, arguments: &[&str]) -> Output {
    let output = Command::new(program).args(arguments).kill_on_drop(true).output();
    timeout(PATIENCE, output).await.expect("ended in time").expect("started")
}

/// What a program printed, when it ended well; a panic with it when not.
pub(crate) fn printed(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let wrong: Vec<_> = text.lines().filter(|line| line.contains("FAIL")).collect();
    assert!(
        output.status.success(),
        "{}: {wrong:#?}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    text
}

/// Looks again and again until something holds.
pub(crate) async fn until(mut holds: impl FnMut() -> bool) {
    let wait = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, wait).await.expect("it comes about");
}
