//! Owns what is measured: values and codecs. How it is measured is for those who run the cases.

mod borrowed;
mod connection;
mod long;
#[expect(dead_code, unused_imports, reason = "what server and client do with the message, and its tests")]
#[path = "../../src/message.rs"]
mod message;
#[cfg(feature = "peer-hessian-rs")]
mod peer;
mod record;
mod user;

use message::BenchmarkMessage;
use record::Record;
use user::{User, Users};

/// Cases that do the same with the same value. The first is what the others are compared with.
pub(crate) struct Group {
    pub(crate) name: String,
    pub(crate) cases: Vec<Named>,
    /// Which codecs take no part, and why.
    pub(crate) remarks: Vec<String>,
}

pub(crate) struct Named {
    pub(crate) name: &'static str,
    /// Bytes that are written or read.
    pub(crate) bytes: usize,
    pub(crate) case: Case,
}

/// One encoding or decoding, with all it needs.
pub(crate) struct Case(Box<dyn FnMut()>);

impl Case {
    fn new(run: impl FnMut() + 'static) -> Self {
        Self(Box::new(run))
    }

    pub(crate) fn run(&mut self) {
        (self.0)();
    }
}

impl Group {
    fn new(name: String) -> Self {
        Self { name, cases: Vec::new(), remarks: Vec::new() }
    }

    fn push(&mut self, name: &'static str, bytes: usize, case: Case) {
        self.cases.push(Named { name, bytes, case });
    }
}

pub(crate) fn groups() -> Vec<Group> {
    let message = BenchmarkMessage::prepare();
    let user = User::numbered(4_242);
    let users: Vec<_> = (0..1_000).map(User::numbered).collect();
    let binary = (0..1 << 20).map(|at: u32| (at * 31 / 8) as u8).collect();
    [
        Record {
            name: "BenchmarkMessage",
            value: message.clone(),
            message,
            read_borrowed: borrowed::read_message,
        }
        .groups(),
        Record {
            name: "user of 20 fields",
            value: user.clone(),
            message: user,
            read_borrowed: borrowed::read_user,
        }
        .groups(),
        Record {
            name: "1,000 users",
            value: users.clone(),
            message: Users::new(users),
            read_borrowed: borrowed::read_users,
        }
        .groups(),
        long::text("64 KiB of ASCII", &"sixteen letters ".repeat(4 << 10)),
        long::text("64 KiB of Chinese", &"许多往事在眼前".repeat(3_121)),
        long::binary("1 MiB of bytes", binary),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// What is to be known of a peer, whatever was measured. A process may end here, so this comes before all else.
pub(crate) fn remarks() -> Vec<String> {
    #[cfg(feature = "peer-hessian-rs")]
    return peer::defects();
    #[cfg(not(feature = "peer-hessian-rs"))]
    Vec::new()
}
