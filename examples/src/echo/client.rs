//! The client's side: sends packets and compares every byte of what comes back.

use std::{fmt, future::Future, io, sync::Arc, time::Duration};

use bytes::Bytes;
use getty::{
    BoxError, Client, ClientBuilder, EventListener, Session, WriteError,
    transport::{Compressed, Compression, Transport as Connected, WsClient, dial_tcp, dial_tls, dial_unix},
};
use tokio::{
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    time::timeout,
};

use super::{Load, Packets, Settings, Transport, limits};

/// How long an echo may take, and how long room for the next packet.
const PATIENCE: Duration = Duration::from_secs(30);
/// Packets on their way at a time.
const WINDOW: usize = 8;

/// How many packets came back as they were sent.
#[derive(Debug, Default)]
pub struct Report {
    passed: usize,
    failed: usize,
}

impl Report {
    /// Whether all did.
    pub fn is_good(&self) -> bool {
        self.failed == 0 && self.passed > 0
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

/// Sends everything. Prints a line for each packet that fails; when the session ends, those that are left have failed too.
///
/// # Errors
/// When it cannot read a certificate, or the settings make no URL.
pub async fn call(settings: &Settings, load: &Load) -> Result<Report, BoxError> {
    let (tell, told) = unbounded_channel();
    let client = connect(settings, Tell(tell))?;
    // What is lost over UDP is lost by too many at a time, as a rule.
    let window = if settings.transport == Transport::Udp { 1 } else { WINDOW };
    let mut calls = Calls { client, told, window, report: Report::default() };
    let sizes = load.sizes(settings.transport);
    if let Err(error) = calls.run(sizes, load.count).await {
        println!("FAIL {error}");
        calls.report.failed = sizes.len() * load.count - calls.report.passed;
    }
    calls.client.close().await;
    Ok(calls.report)
}

struct Calls {
    client: Client<Packets>,
    told: UnboundedReceiver<Told>,
    window: usize,
    report: Report,
}

impl Calls {
    async fn run(&mut self, sizes: &[usize], count: usize) -> Result<(), BoxError> {
        let session = self.client.session().await?;
        for &size in sizes {
            self.echo(&session, size, count).await?;
        }
        Ok(())
    }

    async fn echo(&mut self, session: &Session<Packets>, size: usize, count: usize) -> Result<(), BoxError> {
        let mut sent = 0;
        for number in 0..count {
            while sent < count && sent < number + self.window {
                let sending = session.send(payload(size, sent));
                match timeout(PATIENCE, sending).await {
                    Ok(Err(WriteError::Closed)) => break, // Why is told below.
                    sent => sent.map_err(|_| "the peer takes nothing")?.map(drop)?,
                }
                sent += 1;
            }
            match timeout(PATIENCE, self.told.recv()).await {
                Ok(Some(Told::Echo(echo))) => self.compare(&echo, size, number),
                Ok(Some(Told::End(why))) => return Err(format!("the session has ended: {why}").into()),
                Ok(None) => return Err("the client has ended".into()),
                Err(_) => {
                    let text = format!("packet {number} of {size} bytes: no echo within {PATIENCE:?}");
                    return Err(text.into());
                }
            }
        }
        Ok(())
    }

    fn compare(&mut self, echo: &[u8], size: usize, number: usize) {
        let expected = payload(size, number);
        if echo == expected {
            self.report.passed += 1;
            return;
        }
        self.report.failed += 1;
        match expected.iter().zip(echo).position(|(expected, came)| expected != came) {
            Some(at) => println!("FAIL packet {number} of {size} bytes: another byte at {at}"),
            None => println!("FAIL packet {number} of {size} bytes: {} bytes came back", echo.len()),
        }
    }
}

/// A payload of its own for each packet. One half can be compressed, the other cannot.
fn payload(size: usize, number: usize) -> Bytes {
    let mut state = (size as u64 ^ (number as u64) << 32).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let noise = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    });
    let pattern = (number..).map(|i| (i % 251) as u8);
    pattern.take(size / 2).chain(noise.take(size - size / 2)).collect()
}

fn connect(settings: &Settings, listener: Tell) -> Result<Client<Packets>, BoxError> {
    let builder = ClientBuilder::new(Packets, listener).limits(limits());
    let (addr, path) = (settings.addr.as_str(), &settings.path);
    let by = settings.compression();
    Ok(match settings.transport {
        Transport::Tcp => over_stream(builder, addr, by, |addr| async move { dial_tcp(&addr).await }),
        Transport::Unix => over_stream(builder, addr, by, |path| async move { dial_unix(&*path).await }),
        Transport::Tls => {
            let tls = Arc::new(settings.tls_client()?);
            over_stream(builder, addr, by, move |addr| {
                let tls = Arc::clone(&tls);
                async move { dial_tls(&addr, &tls).await }
            })
        }
        Transport::Ws => builder.ws(WsClient::new(&format!("ws://{addr}{path}"))?),
        Transport::Wss => {
            builder.ws(WsClient::over_tls(&format!("wss://{addr}{path}"), settings.tls_client()?)?)
        }
        Transport::Udp => builder.udp(addr),
    })
}

/// Over what can be compressed.
fn over_stream<C, F>(
    builder: ClientBuilder<Packets>,
    addr: &str,
    by: Option<Compression>,
    dial: impl Fn(Arc<str>) -> F + Send + Sync + 'static,
) -> Client<Packets>
where
    C: Connected,
    F: Future<Output = io::Result<C>> + Send + 'static,
{
    let to: Arc<str> = addr.into();
    match by {
        None => builder.dial(addr, move || dial(Arc::clone(&to))),
        Some(by) => builder.dial(addr, move || {
            let dialled = dial(Arc::clone(&to));
            async move { Ok(Compressed::new(dialled.await?, by)) }
        }),
    }
}

/// What the listener tells of the session.
enum Told {
    Echo(Bytes),
    End(String),
}

struct Tell(UnboundedSender<Told>);

impl EventListener<Packets> for Tell {
    fn on_message(&self, _: &Session<Packets>, payload: Bytes) {
        // Nobody listens any more when all is done.
        let _ = self.0.send(Told::Echo(payload));
    }

    fn on_close(&self, session: &Session<Packets>) {
        let why = session.error().map_or_else(|| "the peer has closed it".to_owned(), ToString::to_string);
        let _ = self.0.send(Told::End(why));
    }
}
