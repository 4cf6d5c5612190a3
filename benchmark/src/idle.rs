//! Owns the subcommand `idle`: what a connection costs a server that has nothing to do for it, in memory and in CPU. The servers
//! are other processes and know nothing of it; the kernel says what they use.
//!
//! ```text
//! the first of the connections -> memory -> the others -> memory, CPU -> a packet on each -> memory, CPU
//! ```
//!
//! The first connections stay, so what they take is not mistaken for free room, and what a server takes once is no part of it.

mod table;

use crate::child::{ChildError, Server};
use crate::cli::IdleArgs;
use crate::frame::Size;
use crate::peer::{Mode, Peer};
use crate::usage;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::time::Duration;
use table::Goals;
use thiserror::Error;
use tokio::time::sleep;

/// Of so many connections one is opened before memory is looked at.
const FIRST: usize = 20;
/// Descriptors that a process needs for other things.
const OTHERS: u64 = 100;
/// A server that uses no CPU for so long has done what there was to do.
const QUIET: Duration = Duration::from_millis(200);
/// What counts as none in that time: Go's getty wakes for each connection once a second.
const NEXT_TO_NOTHING: Duration = Duration::from_millis(50);
/// How often that is waited for.
const PATIENCE: usize = 100;
/// A connection that gives no echo within this is broken.
const ECHO: Duration = Duration::from_secs(10);

/// There is nothing to report.
#[derive(Debug, Error)]
#[non_exhaustive]
pub(crate) enum IdleError {
    /// No threads.
    #[error("the runtime cannot start")]
    Runtime(#[source] io::Error),
    /// No peer is there.
    #[error("nothing to run: none of the peers is here")]
    Nothing,
    /// The limit of descriptors leaves no room.
    #[error("the system allows {0} open files, which is too few for a connection")]
    Descriptors(u64),
    /// The server failed.
    #[error("{0}: the server failed")]
    Server(Peer, #[source] ChildError),
    /// A connection could not be made, or did not bring its packet back.
    #[error("{0}: connection {1} failed")]
    Connection(Peer, usize, #[source] io::Error),
    /// What the kernel says cannot be read.
    #[error("{0}: cannot read what its process uses; the benchmark needs Linux and /proc")]
    Usage(Peer, #[source] io::Error),
    /// It never came to rest.
    #[error("{0}: its server is still busy long after the last connection was made")]
    Busy(Peer),
}

/// What a connection costs a server.
#[derive(Debug, Clone, Copy)]
struct Cost {
    /// Bytes for each connection.
    memory: f64,
    /// Part of a core, for all of them.
    cpu: f64,
}

/// A peer's costs.
#[derive(Debug, Clone, Copy)]
struct Idle {
    peer: Peer,
    /// Nothing was ever sent.
    silent: Cost,
    /// A packet has gone there and back on each.
    used: Cost,
}

/// Measures each peer in turn and prints the table. Failure if getty misses a goal.
pub(crate) fn run(args: &IdleArgs) -> Result<ExitCode, IdleError> {
    args.peers.iter().filter_map(|peer| peer.absence()).for_each(|why| eprintln!("{why}"));
    let sessions = allowed(args.sessions.get())?;
    if sessions < args.sessions.get() {
        eprintln!(
            "{sessions} connections in the place of {}: the system allows no more open files",
            args.sessions
        );
    }
    let seconds = Duration::from_secs(args.seconds.get());
    let runtime = crate::runtime(1).map_err(IdleError::Runtime)?;
    let mut rows = Vec::new();
    let is_here = |peer: &&Peer| peer.modes().contains(&Mode::Idle) && peer.absence().is_none();
    for &peer in args.peers.iter().filter(is_here) {
        rows.push(runtime.block_on(measure(peer, sessions, seconds, args.workers))?);
    }
    if rows.is_empty() {
        return Err(IdleError::Nothing);
    }
    print!("{}", table::render(&rows, sessions, seconds));
    let missed = rows.iter().filter(|row| row.peer == Peer::Getty).any(|row| !Goals::of(row).are_met());
    Ok(if missed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// How many connections descriptors allow, here and in the server. Raises the limit as far as it may be.
fn allowed(wanted: usize) -> Result<usize, IdleError> {
    // Children inherit it.
    let files = usage::raise_open_files(wanted as u64 + OTHERS);
    match usize::try_from(files.saturating_sub(OTHERS)).unwrap_or(usize::MAX).min(wanted) {
        0 => Err(IdleError::Descriptors(files)),
        sessions => Ok(sessions),
    }
}

async fn measure(
    peer: Peer,
    sessions: usize,
    seconds: Duration,
    workers: NonZeroUsize,
) -> Result<Idle, IdleError> {
    let failed = |error| IdleError::Server(peer, error);
    let server = Server::start(peer, Mode::Idle, 1, workers).await.map_err(failed)?;
    let (Some(id), [addr]) = (server.id(), server.addrs()) else { return Err(IdleError::Busy(peer)) };
    let process = Process { peer, id };
    let mut connections = Connections { peer, addr: *addr, open: Vec::with_capacity(sessions) };

    let first = sessions.div_ceil(FIRST);
    connections.open(first)?;
    connections.echo(0)?;
    let memory = process.memory_at_rest(first).await?;
    connections.open(sessions)?;
    let before = Before { sessions: first, memory };
    let silent = process.cost(before, sessions, seconds).await?;
    connections.echo(first)?;
    let used = process.cost(before, sessions, seconds).await?;

    drop(connections);
    server.stop().await.map_err(failed)?;
    Ok(Idle { peer, silent, used })
}

/// What is asked for is done at once and not by tasks: this side is not measured.
struct Connections {
    peer: Peer,
    addr: SocketAddr,
    open: Vec<TcpStream>,
}

impl Connections {
    /// Until there are so many.
    fn open(&mut self, count: usize) -> Result<(), IdleError> {
        for number in self.open.len()..count {
            let connect = || {
                let stream = TcpStream::connect(self.addr)?;
                stream.set_nodelay(true)?;
                stream.set_read_timeout(Some(ECHO))?;
                Ok(stream)
            };
            self.open.push(connect().map_err(|error| IdleError::Connection(self.peer, number, error))?);
        }
        Ok(())
    }

    /// A packet there and back on each, from this one on.
    fn echo(&mut self, first: usize) -> Result<(), IdleError> {
        for (number, stream) in self.open.iter_mut().enumerate().skip(first) {
            echo(stream, number as u64).map_err(|error| IdleError::Connection(self.peer, number, error))?;
        }
        Ok(())
    }
}

fn echo(stream: &mut TcpStream, id: u64) -> io::Result<()> {
    let mut packet = Vec::new();
    Size::USUAL.put(&mut packet, id);
    stream.write_all(&packet)?;
    stream.read_exact(&mut packet)?;
    if Size::USUAL.is_echo(&packet, id) {
        return Ok(());
    }
    Err(io::Error::new(io::ErrorKind::InvalidData, "what came back is not what was sent"))
}

/// What there was already.
#[derive(Clone, Copy)]
struct Before {
    sessions: usize,
    memory: u64,
}

/// A server's process.
struct Process {
    peer: Peer,
    id: u32,
}

impl Process {
    async fn cost(&self, before: Before, sessions: usize, seconds: Duration) -> Result<Cost, IdleError> {
        let memory = self.memory_at_rest(sessions).await?.saturating_sub(before.memory);
        let cpu = self.cpu_in(seconds).await?;
        Ok(Cost {
            memory: memory as f64 / (sessions - before.sessions).max(1) as f64,
            cpu: cpu.as_secs_f64() / seconds.as_secs_f64(),
        })
    }

    /// Once it has so many sessions and nothing more to do for them.
    async fn memory_at_rest(&self, sessions: usize) -> Result<u64, IdleError> {
        let usage = |error| IdleError::Usage(self.peer, error);
        for _ in 0..PATIENCE {
            let quiet = self.cpu_in(QUIET).await? <= NEXT_TO_NOTHING;
            if quiet && usage::open_files_of(self.id).map_err(usage)? >= sessions {
                return usage::memory_of(self.id).map_err(usage);
            }
        }
        Err(IdleError::Busy(self.peer))
    }

    /// CPU time that it uses from now on for so long.
    async fn cpu_in(&self, time: Duration) -> Result<Duration, IdleError> {
        let used = || usage::cpu_time_of(self.id).map_err(|error| IdleError::Usage(self.peer, error));
        let before = used()?;
        sleep(time).await;
        Ok(used()?.saturating_sub(before))
    }
}
