//! Owns the processes of the libraries: starting them, asking and answers. `scripts/build-peers` builds them.

use std::collections::BTreeMap;
use std::io::{self, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{LockResult, Mutex, MutexGuard, PoisonError};

/// A library that decodes values and encodes them again, in a process of its own. It ends when its input does, which is
/// when the tests end.
pub(crate) struct Peer {
    child: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
}

/// What a library makes of a value.
pub(crate) enum Answer {
    /// What it decoded, as JSON, and its own encoding of that.
    Value(Vec<u8>, Vec<u8>),
    /// Why it could not.
    Error(String),
}

/// The processes that run, by the variables that name their programs.
static PEERS: Mutex<BTreeMap<&str, &Mutex<Peer>>> = Mutex::new(BTreeMap::new());

impl Peer {
    /// The process of the program that an environment variable names, for one test at a time.
    pub(crate) fn of(variable: &'static str) -> MutexGuard<'static, Self> {
        let mut peers = unpoisoned(PEERS.lock());
        let peer =
            *peers.entry(variable).or_insert_with(|| Box::leak(Box::new(Mutex::new(Self::start(variable)))));
        drop(peers);
        unpoisoned(peer.lock())
    }

    fn start(variable: &str) -> Self {
        let program = std::env::var(variable)
            .unwrap_or_else(|_| panic!("{variable} names the peer; scripts/build-peers builds it"));
        let mut child = Command::new(&program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{program}: {error}"));
        let requests = child.stdin.take().unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap());
        Self { child, requests, answers }
    }

    /// Answers to all requests. A peer answers while it is still asked, or both would wait for each other.
    pub(crate) fn ask(&mut self, requests: &[Vec<u8>]) -> Vec<Answer> {
        let Self { child, requests: to, answers } = self;
        std::thread::scope(|scope| {
            let asking = scope.spawn(|| requests.iter().try_for_each(|request| ask(to, request)));
            let answers: io::Result<Vec<_>> = requests.iter().map(|_| answer(answers)).collect();
            match (asking.join().unwrap(), answers) {
                (Ok(()), Ok(answers)) => answers,
                _ => panic!("the peer ended before it had answered: {:?}", child.wait()),
            }
        })
    }
}

/// A test that fails has taken all answers to what it asked, so the next one can ask on.
fn unpoisoned<T>(lock: LockResult<T>) -> T {
    lock.unwrap_or_else(PoisonError::into_inner)
}

fn ask(to: &mut impl Write, request: &[u8]) -> io::Result<()> {
    to.write_all(&(request.len() as u32).to_be_bytes())?;
    to.write_all(request)
}

fn answer(from: &mut impl Read) -> io::Result<Answer> {
    let len = length(from)?;
    let mut answer = vec![0; len];
    from.read_exact(&mut answer)?;
    let mut rest = &answer[1..];
    if answer[0] != 0 {
        return Ok(Answer::Error(String::from_utf8_lossy(rest).into_owned()));
    }
    let len = length(&mut rest)?;
    let (tree, again) = rest.split_at(len);
    Ok(Answer::Value(tree.to_vec(), again.to_vec()))
}

fn length(from: &mut impl Read) -> io::Result<usize> {
    let mut bytes = [0; 4];
    from.read_exact(&mut bytes)?;
    Ok(u32::from_be_bytes(bytes) as usize)
}
