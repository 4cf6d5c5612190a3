//! Owns ZooKeeper and etcd servers of a test's own, started from Debian's packages on a free port with a data directory of
//! their own: so that a test may kill, stop and wipe them. Uses std alone, so that tests of other crates can include it by
//! its path. A server ends with the test process, however that ends.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// Longest start of a server. A JVM on a busy machine takes seconds.
const START_LIMIT: Duration = Duration::from_secs(60);

/// Debian 12: package libzookeeper-java.
const ZOOKEEPER_CLASS_PATH: &str =
    "/usr/share/java/zookeeper.jar:/usr/share/java/slf4j-log4j12.jar:/usr/share/java/log4j-1.2.jar";

/// Starts a server and holds on to it until a line or the end of the input comes; then the server dies, and its data too
/// unless the line says `keep`. The input ends with the process that holds the other side.
const GUARD: &str = r#"
directory=$1; shift
"$@" >"$directory/log" 2>&1 </dev/null &
echo $!
read -r last
kill -9 $!
wait $! 2>/dev/null
[ "$last" = keep ] || rm -rf "$directory"
"#;

/// What a server is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// ZooKeeper with ticks of 200 ms: sessions last 0.4 to 60 s.
    ZooKeeper,
    /// etcd, one member.
    Etcd,
}

/// One server on 127.0.0.1. Dropping it kills it and removes its data.
#[derive(Debug)]
pub(crate) struct Server {
    kind: Kind,
    port: u16,
    /// etcd's second port, by which its members would meet.
    peer_port: u16,
    directory: PathBuf,
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    guard: Child,
    pid: u32,
}

impl Server {
    /// A server that runs and answers.
    pub(crate) fn start(kind: Kind) -> Self {
        let mut server = Self::prepare(kind);
        server.run();
        server
    }

    /// A server with a port and a directory that does not run yet.
    pub(crate) fn prepare(kind: Kind) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let directory = std::env::temp_dir().join(format!("getty-registry-{}-{number}", std::process::id()));
        fs::create_dir_all(&directory).expect("a directory for the server");
        Self { kind, port: free_port(), peer_port: free_port(), directory, running: None }
    }

    /// `127.0.0.1:port`.
    pub(crate) fn address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.port))
    }

    /// Starts it, and waits until it answers requests.
    pub(crate) fn run(&mut self) {
        assert!(self.running.is_none(), "the server runs already");
        let command = match self.kind {
            Kind::ZooKeeper => self.zookeeper(),
            Kind::Etcd => self.etcd(),
        };
        let mut guard = Command::new("sh")
            .args(["-c", GUARD, "guard"])
            .arg(&self.directory)
            .args(command)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("a shell");
        let mut pid = String::new();
        BufReader::new(guard.stdout.take().expect("a pipe"))
            .read_line(&mut pid)
            .expect("the server's process id");
        self.running = Some(Running { guard, pid: pid.trim().parse().expect("the server's process id") });
        self.wait_until_it_answers();
    }

    /// SIGKILL. Its data stays.
    pub(crate) fn kill(&mut self) {
        let Running { mut guard, .. } = self.running.take().expect("a running server");
        guard.stdin.take().expect("a pipe").write_all(b"keep\n").expect("the guard");
        guard.wait().expect("the guard");
    }

    /// SIGSTOP: connections stay, and nothing answers.
    pub(crate) fn pause(&self) {
        self.signal("STOP");
    }

    /// SIGCONT.
    pub(crate) fn resume(&self) {
        self.signal("CONT");
    }

    /// Removes the data of a server that does not run.
    pub(crate) fn wipe(&mut self) {
        assert!(self.running.is_none(), "the server runs");
        fs::remove_dir_all(self.directory.join("data")).expect("the server's data");
    }

    fn signal(&self, name: &str) {
        let pid = self.running.as_ref().expect("a running server").pid;
        let status = Command::new("kill").arg(format!("-{name}")).arg(pid.to_string()).status();
        assert!(status.expect("kill").success(), "the server is gone");
    }

    fn zookeeper(&self) -> Vec<String> {
        let jar = ZOOKEEPER_CLASS_PATH.split(':').next().expect("a path");
        assert!(
            Path::new(jar).exists(),
            "ZooKeeper is not installed; scripts/registry-servers install does so on Debian"
        );
        let directory = self.directory.display();
        let configuration = format!(
            "tickTime=200\ndataDir={directory}/data\nclientPort={}\nclientPortAddress=127.0.0.1\nmaxSessionTimeout=60000\n\
             admin.enableServer=false\n4lw.commands.whitelist=srvr,cons,dump\nmaxClientCnxns=0\n",
            self.port
        );
        let logging = "log4j.rootLogger=INFO, A\nlog4j.appender.A=org.apache.log4j.ConsoleAppender\n\
                       log4j.appender.A.layout=org.apache.log4j.SimpleLayout\n";
        fs::write(self.directory.join("zoo.cfg"), configuration).expect("the server's configuration");
        fs::write(self.directory.join("log4j.properties"), logging).expect("the server's configuration");
        [
            "java",
            "-Xmx128m",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-Dzookeeper.jmx.log4j.disable=true",
            "-cp",
        ]
        .map(str::to_owned)
        .into_iter()
        .chain([
            format!("{directory}:{ZOOKEEPER_CLASS_PATH}"),
            "org.apache.zookeeper.server.quorum.QuorumPeerMain".to_owned(),
            format!("{directory}/zoo.cfg"),
        ])
        .collect()
    }

    fn etcd(&self) -> Vec<String> {
        let installed = Command::new("etcd").arg("--version").stdout(Stdio::null()).status();
        assert!(
            installed.is_ok(),
            "etcd is not installed; scripts/registry-servers install does so on Debian"
        );
        let client = format!("http://{}", self.address());
        let peer = format!("http://127.0.0.1:{}", self.peer_port);
        let command = format!(
            "etcd --name one --data-dir {}/data --listen-client-urls {client} --advertise-client-urls {client} \
             --listen-peer-urls {peer} --initial-advertise-peer-urls {peer} --initial-cluster one={peer} \
             --heartbeat-interval 20 --election-timeout 200",
            self.directory.display()
        );
        command.split_whitespace().map(str::to_owned).collect()
    }

    fn wait_until_it_answers(&self) {
        let begun = Instant::now();
        while !self.answers() {
            if begun.elapsed() > START_LIMIT {
                let log = fs::read_to_string(self.directory.join("log")).unwrap_or_default();
                panic!("{:?} did not start within {START_LIMIT:?}:\n{log}", self.kind);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Whether it serves requests: ZooKeeper says its mode, etcd its health.
    fn answers(&self) -> bool {
        let (question, answer) = match self.kind {
            Kind::ZooKeeper => ("srvr", "Mode:"),
            Kind::Etcd => ("GET /health HTTP/1.0\r\n\r\n", "\"health\":\"true\""),
        };
        self.ask(question).is_some_and(|text| text.contains(answer))
    }

    /// What it answers to a text on a connection of its own, such as ZooKeeper's `cons` and `dump`.
    pub(crate) fn ask(&self, question: &str) -> Option<String> {
        let mut stream = TcpStream::connect_timeout(&self.address(), Duration::from_secs(1)).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(1))).ok()?;
        stream.write_all(question.as_bytes()).ok()?;
        let mut answer = String::new();
        // What came before a time-out counts.
        let _ = stream.read_to_string(&mut answer);
        Some(answer)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.running.is_some() {
            self.kill();
        }
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// A port that nobody listens on now. It is below those that the system gives to whoever asks for any port, so nobody gets it by
/// chance before it is used, and no two calls in a process give the same.
pub(crate) fn free_port() -> u16 {
    const FIRST: u32 = 10_000;
    const COUNT: u32 = 10_000;
    static CALLS: AtomicU32 = AtomicU32::new(0);
    for _ in 0..COUNT {
        // Processes that run side by side begin at different places.
        let at = std::process::id().wrapping_mul(97).wrapping_add(CALLS.fetch_add(1, Ordering::Relaxed));
        let port = u16::try_from(FIRST + at % COUNT).expect("a port");
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
    panic!("none of {COUNT} ports is free")
}
