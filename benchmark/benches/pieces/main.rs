//! What it costs a session that a packet comes in pieces: `cargo bench -p getty-benchmark --bench pieces [-- --quick]`.
//!
//! The connection is made up and does no system call: what a read costs is not the session's. A piece that comes by itself wakes the
//! session, and so costs what a wake-up costs, whatever it brings. So a packet that comes byte by byte is compared with one that
//! comes whole after as many wake-ups that brought nothing. Large packets in larger pieces are compared with one that comes
//! whole and at once, in the reads of 64 KiB that a session makes. The process ends with 1 if a goal is missed.
#![allow(clippy::unwrap_used, reason = "a case that fails has no time")]

#[path = "../shared/clock.rs"]
mod clock;
mod feed;
#[path = "../shared/rounds.rs"]
mod rounds;

use std::process::ExitCode;

use feed::Feed;
use rounds::{median, ratio, take_turns};
use tokio::runtime::{Builder, Runtime};

const ROUNDS: usize = 31;
const QUICK_ROUNDS: usize = 7;
/// How much more than the whole packet one in pieces may take.
const GOAL: f64 = 1.2;
/// Reads of a session bring no more.
const CHUNK: usize = 64 * 1024;

/// A packet that comes in several ways.
struct Group {
    name: &'static str,
    /// Bytes of a packet.
    length: usize,
    /// Packets in one run.
    packets: usize,
    /// Bytes of a piece.
    piece: usize,
    /// Which of the ways the pieces are compared with.
    base: usize,
}

const GROUPS: [Group; 3] = [
    Group { name: "915 bytes, one by one", length: 915, packets: 40, piece: 1, base: 1 },
    Group { name: "30,000 bytes, one by one", length: 30_000, packets: 2, piece: 1, base: 1 },
    Group { name: "8 MiB by 4 KiB", length: 8 << 20, packets: 4, piece: 4096, base: 0 },
];

const WAYS: [&str; 3] = ["whole, at once", "whole, after wake-ups", "pieces"];

fn main() -> ExitCode {
    let quick = std::env::args().any(|argument| argument == "--quick");
    let runtime = Builder::new_current_thread().enable_time().build().unwrap();
    let mut met = true;
    for group in &GROUPS {
        let times = take_turns(if quick { QUICK_ROUNDS } else { ROUNDS }, WAYS.len(), |way| {
            run(&runtime, group, way)
        });
        println!("\n{:26} {:>12} {:>8}", group.name, "us a packet", "ratio");
        for (name, of_way) in WAYS.iter().zip(&times) {
            println!("{name:26} {:>12.1} {:>8.2}", median(of_way.clone()), ratio(of_way, &times[group.base]));
        }
        met &= rounds::meets("pieces", GOAL, WAYS[group.base], ratio(&times[2], &times[group.base]));
    }
    if met { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Microseconds for each packet.
fn run(runtime: &Runtime, group: &Group, way: usize) -> f64 {
    let pieces = group.length.div_ceil(group.piece);
    let feed = match way {
        0 => Feed::new(group.length, CHUNK, 0),
        1 => Feed::new(group.length, CHUNK, pieces),
        _ => Feed::new(group.length, group.piece, 0),
    };
    let start = clock::thread_time();
    let packets = runtime.block_on(feed.run(group.packets, way == 2));
    let time = clock::thread_time() - start;
    assert_eq!(packets, group.packets, "{}, {}", group.name, WAYS[way]);
    time.as_nanos() as f64 / 1000.0 / packets as f64
}
