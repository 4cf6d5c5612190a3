//! Owns the child processes of a run. No child may outlive it, and none may make it wait for ever:
//! every wait has a limit, and what a failed child said goes into the error.

use crate::compare::Row;
use crate::peer::{Mode, Peer};
use crate::report::{ClientReport, ServerReport};
use crate::server::READY;
use crate::setup;
use crate::window::Budget;
use serde::de::DeserializeOwned;
use std::io;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use thiserror::Error;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::task::JoinHandle;
use tokio::time::timeout;

const START: Duration = Duration::from_secs(10);
const STOP: Duration = Duration::from_secs(10);
/// What a client may take beyond the time that it measures, and all it may take if it measures a number of calls.
const SLACK: Duration = Duration::from_secs(60);
const CALLS: Duration = Duration::from_secs(600);
/// Where servers listen.
const FREE: &str = "127.0.0.1:0";
/// The registry of rows with one, in the client's process.
const REGISTRY: &str = "memory://benchmark";
/// How much of what a child says in error is kept.
const STDERR: u64 = 16 * 1024;

/// A process of a run failed. The text of its standard error stands at the end.
#[derive(Debug, Error)]
#[non_exhaustive]
pub(crate) enum ChildError {
    /// It could not be started.
    #[error("cannot start `{0}`")]
    Spawn(String, #[source] io::Error),
    /// It did not do what was awaited in time, and was killed.
    #[error("`{name}` did not {awaited} within {limit:?}; it said: {stderr}")]
    Late { name: String, awaited: &'static str, limit: Duration, stderr: String },
    /// It ended too early, or with an error.
    #[error("`{name}` ended with {status}, expected it to {awaited}; it said: {stderr}")]
    Ended { name: String, awaited: &'static str, status: ExitStatus, stderr: String },
    /// It wrote something else than expected.
    #[error("`{name}` was expected to {awaited}, but wrote {line:?}; it said: {stderr}")]
    Wrote { name: String, awaited: &'static str, line: String, stderr: String },
    /// Its output could not be read.
    #[error("cannot read from `{0}`")]
    Read(String, #[source] io::Error),
}

/// A server that has said where it listens. Killed when dropped. `addrs` is never empty.
#[derive(Debug)]
pub(crate) struct Server {
    process: Process,
    addrs: Vec<SocketAddr>,
}

impl Server {
    /// Listens on as many addresses as there are to be providers.
    pub(crate) async fn start(
        peer: Peer,
        mode: Mode,
        providers: usize,
        workers: NonZeroUsize,
    ) -> Result<Self, ChildError> {
        let listen = vec![FREE; providers].join(",");
        let options = format!("--until-stdin-closes -s {listen} --workers {workers}");
        let mut process = match peer.program() {
            Some(program) => Process::of(format!("{peer} {options}"), program, &options)?,
            None => Process::benchmark(&format!("server --peer {peer} --mode {mode} {options}"))?,
        };
        let line = process.line("say READY", START).await?;
        let addrs = |text: &str| text.split(',').map(|addr| addr.parse().ok()).collect();
        match line.strip_prefix(READY).and_then(addrs) {
            Some(addrs) => Ok(Self { process, addrs }),
            None => Err(process.wrote("say READY", line).await),
        }
    }

    pub(crate) fn addrs(&self) -> &[SocketAddr] {
        &self.addrs
    }

    /// What the system calls its process; `None` once it has ended.
    pub(crate) fn id(&self) -> Option<u32> {
        self.process.child.id()
    }

    /// Closes its input, which tells it to stop, and takes its report.
    pub(crate) async fn stop(mut self) -> Result<ServerReport, ChildError> {
        drop(self.process.child.stdin.take());
        self.process.report("report and end", STOP).await
    }
}

/// Runs a client to its end.
pub(crate) async fn run_client(
    peer: Peer,
    row: Row,
    addrs: &[SocketAddr],
    budget: Budget,
    workers: NonZeroUsize,
) -> Result<ClientReport, ChildError> {
    let serialization =
        row.serialization.map(|chosen| format!(" --serialization {chosen}")).unwrap_or_default();
    let (registry, connections) = match row.registry {
        true => (format!(" --registry {REGISTRY}"), NonZeroUsize::MIN),
        false => (String::new(), row.connections),
    };
    let process = Process::benchmark(&format!(
        "client --json --peer {peer} --mode {}{serialization}{registry} -s {} --pool {connections} -c {callers} --in-flight {callers} --bytes {} -n {} --workers {workers}",
        row.mode,
        setup::list(addrs),
        row.size(),
        budget.to_argument(),
        callers = row.callers,
    ))?;
    let limit = match budget {
        Budget::Calls(_) => CALLS,
        Budget::Time(time) => time * 2 + SLACK,
    };
    process.report("report and end", limit).await
}

/// This program with other arguments, or another program.
#[derive(Debug)]
struct Process {
    name: String,
    child: Child,
    stdout: Lines<BufReader<ChildStdout>>,
    stderr: JoinHandle<String>,
}

impl Process {
    fn benchmark(arguments: &str) -> Result<Self, ChildError> {
        let name = format!("benchmark {arguments}");
        match std::env::current_exe() {
            Ok(program) => Self::of(name, program, arguments),
            Err(error) => Err(ChildError::Spawn(name, error)),
        }
    }

    fn of(name: String, program: PathBuf, arguments: &str) -> Result<Self, ChildError> {
        Self::spawn(name, Command::new(program).args(arguments.split(' ')))
    }

    fn spawn(name: String, command: &mut Command) -> Result<Self, ChildError> {
        let mut start = || {
            let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
            let mut child = command.kill_on_drop(true).spawn()?;
            let pipes = child.stdout.take().zip(child.stderr.take());
            let (stdout, stderr) = pipes.ok_or(io::ErrorKind::BrokenPipe)?;
            Ok((child, BufReader::new(stdout).lines(), tokio::spawn(keep_start(stderr))))
        };
        match start() {
            Ok((child, stdout, stderr)) => Ok(Self { name, child, stdout, stderr }),
            Err(error) => Err(ChildError::Spawn(name, error)),
        }
    }

    /// The next line of its output.
    async fn line(&mut self, awaited: &'static str, limit: Duration) -> Result<String, ChildError> {
        match timeout(limit, self.stdout.next_line()).await {
            Ok(Ok(Some(line))) => Ok(line),
            Ok(Ok(None)) => Err(self.ended(awaited).await),
            Ok(Err(error)) => Err(ChildError::Read(self.name.clone(), error)),
            Err(_) => {
                let stderr = self.kill().await;
                Err(ChildError::Late { name: self.name.clone(), awaited, limit, stderr })
            }
        }
    }

    /// Its report, after which it has to end well.
    async fn report<T: DeserializeOwned>(
        mut self,
        awaited: &'static str,
        limit: Duration,
    ) -> Result<T, ChildError> {
        let line = self.line(awaited, limit).await?;
        let Ok(report) = serde_json::from_str(&line) else {
            return Err(self.wrote(awaited, line).await);
        };
        match timeout(STOP, self.child.wait()).await {
            Ok(Ok(status)) if status.success() => {
                let said = self.stderr.await.unwrap_or_default();
                if !said.is_empty() {
                    eprintln!("`{}` said: {said}", self.name);
                }
                Ok(report)
            }
            Ok(Ok(_)) => Err(self.ended(awaited).await),
            Ok(Err(error)) => Err(ChildError::Read(self.name, error)),
            Err(_) => {
                let stderr = self.kill().await;
                Err(ChildError::Late { name: self.name, awaited, limit: STOP, stderr })
            }
        }
    }

    async fn ended(&mut self, awaited: &'static str) -> ChildError {
        let stderr = self.kill().await;
        match self.child.wait().await {
            Ok(status) => ChildError::Ended { name: self.name.clone(), awaited, status, stderr },
            Err(error) => ChildError::Read(self.name.clone(), error),
        }
    }

    async fn wrote(mut self, awaited: &'static str, line: String) -> ChildError {
        let stderr = self.kill().await;
        ChildError::Wrote { name: self.name, awaited, line, stderr }
    }

    /// Ends it if it has not ended, and returns what it said in error.
    async fn kill(&mut self) -> String {
        // Fails only if it has ended already.
        let _ = self.child.kill().await;
        (&mut self.stderr).await.unwrap_or_default()
    }
}

/// Reads all, so that the child never waits, and keeps the start.
async fn keep_start(mut from: impl AsyncRead + Unpin) -> String {
    let mut kept = Vec::new();
    // What cannot be read cannot be told; the error that made us ask is reported anyway.
    let _ = (&mut from).take(STDERR).read_to_end(&mut kept).await;
    let _ = tokio::io::copy(&mut from, &mut tokio::io::sink()).await;
    String::from_utf8_lossy(&kept).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Process {
        Process::spawn("the child".to_owned(), Command::new("sh").args(["-c", script])).unwrap()
    }

    async fn report(script: &str) -> Result<u32, String> {
        shell(script).report("report", STOP).await.map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn a_report_counts_only_if_the_child_ends_well() {
        assert_eq!(report("echo 5").await, Ok(5));
        let error = report("echo 5; echo no memory >&2; exit 3").await.unwrap_err();
        assert_eq!(error, "`the child` ended with exit status: 3, expected it to report; it said: no memory");
    }

    #[tokio::test]
    async fn a_child_that_ends_early_or_writes_something_else_is_named_with_what_it_said() {
        let error = report("echo address in use >&2; exit 1").await.unwrap_err();
        assert_eq!(
            error,
            "`the child` ended with exit status: 1, expected it to report; it said: address in use"
        );
        let error = report("echo hello").await.unwrap_err();
        assert_eq!(error, "`the child` was expected to report, but wrote \"hello\"; it said: ");
    }

    #[tokio::test]
    async fn a_child_that_is_late_is_killed_and_named() {
        let mut child = shell("exec sleep 600");
        let error = child.line("say READY", Duration::from_millis(1)).await.unwrap_err();
        assert_eq!(error.to_string(), "`the child` did not say READY within 1ms; it said: ");
        assert!(!child.child.wait().await.unwrap().success());
    }

    #[tokio::test]
    async fn a_child_that_says_much_in_error_is_not_held_up() {
        assert_eq!(report("head -c 1000000 /dev/zero >&2; echo 5").await, Ok(5));
    }
}
