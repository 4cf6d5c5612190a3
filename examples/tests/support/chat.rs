//! The `chat` example in a process of its own, and people at a terminal.

use std::net::SocketAddr;

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpSocket, TcpStream},
    time::timeout,
};

use super::{PATIENCE, Program};

/// A chat that listens on free ports.
pub(crate) struct Chat {
    pub(crate) program: Program,
    /// Where terminals connect.
    pub(crate) terminals: SocketAddr,
    /// The page, such as `http://127.0.0.1:7003/`.
    pub(crate) page: String,
}

impl Chat {
    pub(crate) async fn start(program: &str) -> Self {
        let free = ["--tcp", "127.0.0.1:0", "--ws", "127.0.0.1:0", "--http", "127.0.0.1:0"];
        let program = Program::start(program, &free, 0).await;
        let said = |label: &str| {
            let line = program.said.iter().find_map(|line| line.strip_prefix(label));
            line.unwrap_or_else(|| panic!("no {label:?} in {:?}", program.said)).trim().to_owned()
        };
        let terminals = said("terminal: nc").replace(' ', ":").parse().expect("an address");
        let page = said("browser:");
        Self { program, terminals, page }
    }

    /// The web site that the page belongs to, as browsers say it.
    pub(crate) fn origin(&self) -> &str {
        self.page.trim_end_matches('/')
    }

    /// The answer to a request for the page.
    pub(crate) async fn get_page(&self) -> String {
        let host = self.origin().trim_start_matches("http://");
        let mut stream = TcpStream::connect(host).await.expect("it listens");
        let request = format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.expect("written");
        let mut answer = String::new();
        timeout(PATIENCE, stream.read_to_string(&mut answer)).await.expect("in time").expect("text");
        answer
    }

    /// Where the page connects to.
    pub(crate) async fn web_socket(&self) -> String {
        let page = self.get_page().await;
        let (_, rest) = page.split_once("data-socket=\"").unwrap_or_else(|| panic!("{page}"));
        let (socket, _) = rest.split_once('"').unwrap_or_else(|| panic!("{page}"));
        format!("ws://127.0.0.1:{socket}")
    }

    /// Somebody at a terminal, who has joined.
    pub(crate) async fn person(&self, name: &str) -> Terminal {
        let mut terminal = self.terminal().await;
        terminal.say(name).await;
        let welcome = format!("* Welcome, {name}.");
        terminal.hears_what(|line| line.starts_with(&welcome)).await;
        terminal
    }

    /// Somebody who has not said a name.
    pub(crate) async fn terminal(&self) -> Terminal {
        // What is sent to somebody who does not read soon waits at the sender.
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_recv_buffer_size(4 * 1024).expect("a smaller buffer");
        Terminal(BufReader::new(socket.connect(self.terminals).await.expect("it listens")))
    }
}

/// A TCP connection that carries lines.
pub(crate) struct Terminal(BufReader<TcpStream>);

impl Terminal {
    pub(crate) async fn say(&mut self, line: &str) {
        self.send(format!("{line}\n").as_bytes()).await;
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).await.expect("written");
    }

    /// The next line; `None` when the server has ended the connection.
    pub(crate) async fn next(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = timeout(PATIENCE, self.0.read_line(&mut line)).await.expect("a line in time");
        // It may also end with a reset, where the server had not read all.
        (read.is_ok_and(|n| n > 0)).then(|| line.trim_end_matches('\n').to_owned())
    }

    /// Waits for a line.
    pub(crate) async fn hears(&mut self, expected: &str) {
        self.hears_what(|line| line == expected).await;
    }

    /// Waits for such a line.
    pub(crate) async fn hears_what(&mut self, is_it: impl Fn(&str) -> bool) {
        let mut heard = Vec::new();
        while let Some(line) = self.next().await {
            if is_it(&line) {
                return;
            }
            heard.push(line);
        }
        panic!("the connection has ended; heard: {heard:#?}");
    }
}
