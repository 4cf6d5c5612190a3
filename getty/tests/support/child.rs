//! A test that runs again in a process of its own, under limits of the system or in another environment.

use std::{
    env, fs,
    io::{BufRead, BufReader},
    process::{Child as Process, Command, ExitStatus, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::{Duration, Instant},
};

const MARK: &str = "GETTY_TEST_CHILD";
const PATIENCE: Duration = Duration::from_secs(60);
/// Linux counts the time of processes in hundredths of a second, whatever its own ticks are.
const TICK: Duration = Duration::from_millis(10);

/// Whether this is the process of its own.
pub(crate) fn is_child() -> bool {
    env::var_os(MARK).is_some()
}

/// Waits until the parent lets go of its child.
pub(crate) async fn let_go() {
    let ended = tokio::task::spawn_blocking(|| std::io::copy(&mut std::io::stdin(), &mut std::io::sink()));
    let _ = ended.await;
}

pub(crate) struct Child {
    process: Process,
    lines: Receiver<String>,
}

impl Child {
    /// Runs the test of this name again; `ulimit` are the arguments of the shell's command.
    pub(crate) fn run(test: &str, ulimit: &str) -> Self {
        Self::start(test, &format!("ulimit {ulimit}"), &[])
    }

    /// Runs the test of this name again, without a limit, with these variables in its environment.
    pub(crate) fn with(test: &str, variables: &[(&str, &str)]) -> Self {
        Self::start(test, ":", variables)
    }

    fn start(test: &str, prepare: &str, variables: &[(&str, &str)]) -> Self {
        // The shell becomes the process, so its id is the child's.
        let script = format!(r#"{prepare} && exec "$0" --exact {test} --nocapture --test-threads=1"#);
        let mut process = Command::new("sh")
            .args(["-c", &script])
            .arg(env::current_exe().unwrap())
            .env(MARK, "1")
            .envs(variables.iter().copied())
            // One heap: each more reserves 64 MiB of addresses, which a limit of addresses would count.
            .env("MALLOC_ARENA_MAX", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        let (sender, lines) = channel();
        thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        Self { process, lines }
    }

    /// What follows `key` in the next line that has it.
    pub(crate) fn told(&self, key: &str) -> String {
        let end = Instant::now() + PATIENCE;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let line =
                self.lines.recv_timeout(left).unwrap_or_else(|_| panic!("the child does not tell {key:?}"));
            println!("child: {line}");
            if let Some((_, value)) = line.split_once(key) {
                return value.trim().to_owned();
            }
        }
    }

    /// Lines that have come meanwhile.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.lines.try_iter().collect()
    }

    /// Processor time that it has used, its own and the system's for it.
    pub(crate) fn cpu(&self) -> Duration {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.process.id())).unwrap();
        // The name, in parentheses, may have blanks in it. Behind it, utime and stime are the 12th and 13th.
        let (_, fields) = stat.rsplit_once(')').unwrap();
        fields.split_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<u32>().unwrap() * TICK).sum()
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.process.try_wait().unwrap().is_none()
    }

    /// Lets go of it, and waits for its end.
    pub(crate) fn end(mut self) -> ExitStatus {
        drop(self.process.stdin.take());
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.process.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < end, "the child does not end");
            thread::sleep(TICK);
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
