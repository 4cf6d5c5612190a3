//! Owns many hostile connections at once, none of which does much: each has its turn once a second, and one that the server has
//! closed comes back then.

use super::beside::Place;
use crate::frame::Size;
use std::io;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

/// In which everyone has a turn.
const ROUND: Duration = Duration::from_secs(1);
/// In how many parts at most turns are spread over it: few at a time, so that none waits for many others.
const PARTS: usize = 1_000;
/// The same where nobody says anything, as the looking itself should not cost the others.
const SILENT_PARTS: usize = 10;
/// Turns after which the server has taken what it takes, and the pause between them.
const FILLING: usize = 30;
const PAUSE: Duration = Duration::from_millis(20);
/// What the system buffers for one in each direction: an attacker spares its own memory.
const BUFFERS: u32 = 64 * 1024;
/// Bytes of a hello that are sent before the server gives up: one a second.
const HELLO: [u8; 16] = [1, 0, 1, 0xfc, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

/// What one does in its turn.
pub(super) struct Habit {
    /// What it says, over and over.
    says: Vec<u8>,
    /// Bytes of that in a turn, if the server takes them.
    at_once: usize,
}

pub(super) struct Crowd {
    place: Place,
    habits: Vec<Habit>,
    peers: Vec<Peer>,
    read: Vec<u8>,
}

struct Peer {
    number: usize,
    /// `None`: closed.
    stream: Option<TcpStream>,
    /// Bytes it has said.
    said: usize,
}

impl Habit {
    /// Says nothing.
    pub(super) fn silent() -> Self {
        Self { says: Vec::new(), at_once: 0 }
    }

    /// Sends a frame.
    pub(super) fn frame(size: Size) -> Self {
        Self { says: size.frames(1), at_once: size.bytes() }
    }

    /// Sends a byte of a frame that it never ends.
    pub(super) fn bytewise() -> Self {
        Self { says: Size::LONGEST.frames(1), at_once: 1 }
    }

    /// Sends all that the server takes, far more than it reads.
    pub(super) fn greedy() -> Self {
        Self { says: Size::LONGEST.frames(1), at_once: usize::MAX }
    }

    /// Sends a ClientHello of TLS in fragments of one byte, each a record (RFC 8446, section 5.1).
    pub(super) fn hello() -> Self {
        let record = |byte| [22, 3, 1, 0, 1, byte];
        Self { says: HELLO.into_iter().flat_map(record).collect(), at_once: record(0).len() }
    }
}

impl Crowd {
    /// So many, with these habits in turn. When this returns all have come, and the server has taken of the greedy what it takes.
    pub(super) async fn gather(place: Place, habits: Vec<Habit>, count: usize) -> Self {
        let peers = (0..count).map(|number| Peer { number, stream: None, said: 0 }).collect();
        let mut crowd = Self { place, habits, peers, read: vec![0; Size::PAGE.bytes()] };
        crowd.turns(0..count).await;
        if crowd.habits.iter().any(|habit| habit.at_once == usize::MAX) {
            for _ in 0..FILLING {
                sleep(PAUSE).await;
                crowd.turns(0..count).await;
            }
        }
        crowd
    }

    /// Has them go on for ever.
    pub(super) async fn go_on(mut self) {
        let is_silent = self.habits.iter().all(|habit| habit.at_once == 0);
        let parts = self.peers.len().clamp(1, if is_silent { SILENT_PARTS } else { PARTS });
        let mut ticks = interval(ROUND / u32::try_from(parts).unwrap_or(1));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        for part in (0..parts).cycle() {
            ticks.tick().await;
            let start = |part: usize| self.peers.len() * part / parts;
            self.turns(start(part)..start(part + 1)).await;
        }
    }

    async fn turns(&mut self, whose: std::ops::Range<usize>) {
        let Self { place, habits, peers, read } = self;
        for peer in peers.iter_mut().skip(whose.start).take(whose.len()) {
            let Some(habit) = habits.get(peer.number % habits.len()) else { continue };
            if peer.stream.is_none() {
                // The server may have no place for it; it tries again in its next turn.
                let come = timeout(ROUND, place.connect(peer.number, Some(BUFFERS))).await;
                (peer.stream, peer.said) = (come.ok().flatten(), 0);
            }
            let Some(stream) = &peer.stream else { continue };
            if take(stream, read).is_err() || say(stream, habit, &mut peer.said).is_err() {
                peer.stream = None;
                place.closed();
            }
        }
    }
}

/// Reads what is there, up to the length of `read`.
fn take(stream: &TcpStream, read: &mut [u8]) -> io::Result<()> {
    match stream.try_read(read) {
        Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
        result => unless_blocked(result).map(drop),
    }
}

fn say(stream: &TcpStream, habit: &Habit, said: &mut usize) -> io::Result<()> {
    let mut left = habit.at_once;
    while left > 0 && !habit.says.is_empty() {
        let (_, next) = habit.says.split_at(*said % habit.says.len());
        let (next, _) = next.split_at(next.len().min(left));
        let written = unless_blocked(stream.try_write(next))?;
        if written == 0 {
            break;
        }
        *said += written;
        left -= written;
    }
    Ok(())
}

/// Nothing, if it would have to wait.
fn unless_blocked(result: io::Result<usize>) -> io::Result<usize> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncReadExt;
    use tokio::net::TcpListener;

    /// So much of what it says.
    async fn received(stream: &mut TcpStream, bytes: usize) -> Vec<u8> {
        let mut got = vec![0; bytes];
        timeout(Duration::from_secs(30), stream.read_exact(&mut got))
            .await
            .expect("it said so much")
            .unwrap();
        got
    }

    #[tokio::test]
    async fn they_take_turns_as_their_habits_say_and_come_back_when_they_were_closed() {
        let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let place = Place::new(server.local_addr().unwrap());
        let counts = place.counts();
        let habits = vec![Habit::silent(), Habit::bytewise(), Habit::hello(), Habit::frame(Size::SMALLEST)];
        let mut crowd = Crowd::gather(place, habits, 4).await;
        let mut accepted = Vec::new();
        for _ in 0..4 {
            let (stream, from) = server.accept().await.unwrap();
            assert_eq!(from.ip().to_string(), "127.0.0.2");
            accepted.push(stream);
        }
        assert_eq!(counts.read(), (4, 0));
        crowd.turns(0..4).await;
        assert_eq!(received(&mut accepted[1], 2).await, [0xda, 0xbb], "a byte in each turn");
        assert_eq!(received(&mut accepted[2], 12).await, [22, 3, 1, 0, 1, 1, 22, 3, 1, 0, 1, 0]);
        assert_eq!(received(&mut accepted[3], 32).await[..2], [0xda, 0xbb]);
        let silent = accepted.remove(0);
        assert!(silent.try_read(&mut [0]).is_err(), "it says nothing");

        drop(silent);
        let again = async {
            while counts.read() != (5, 1) {
                tokio::task::yield_now().await;
                crowd.turns(0..1).await;
            }
            server.accept().await.unwrap();
        };
        timeout(Duration::from_secs(30), again).await.unwrap();
    }
}
