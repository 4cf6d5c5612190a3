//! As many connections at once as a machine has descriptors for, up to 8,000: honest sessions go on, and nobody takes all places.

#![cfg(target_os = "linux")]
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use std::fs;

use getty::{Error, Limits};
use support::{
    child::{Child, is_child},
    hostile::{Honest, Target, connect, connect_from},
    read_to_end, until, within,
};

const CONNECTIONS: usize = 8_000;
const ADDRESSES: usize = 10;

#[tokio::test]
async fn eight_thousand_connections_at_once_leave_honest_sessions_alone() {
    if !is_child() {
        // Both ends of all of them need descriptors, more than a process gets unless it asks.
        let child =
            Child::run("eight_thousand_connections_at_once_leave_honest_sessions_alone", "-n $(ulimit -Hn)");
        println!("{}", child.told("crowd: "));
        return assert!(child.end().success());
    }
    let descriptors = number("/proc/self/limits", "Max open files");
    let count = CONNECTIONS.min(descriptors.saturating_sub(1_000) / 2);
    let each = count / ADDRESSES;
    let limits = Limits::default().sessions_per_address(each);
    let target = Target::serve(limits).await;
    let honest = Honest::tcp(target.addr).await;
    let before = number("/proc/self/status", "VmRSS:");
    let crowd: Vec<_> = (0..ADDRESSES)
        .map(|last| {
            let addr = target.addr;
            tokio::spawn(async move {
                let mut streams = Vec::new();
                for _ in 0..each {
                    streams.push(within(connect_from(last as u8 + 2, addr)).await.unwrap());
                }
                streams
            })
        })
        .collect();
    honest.goes_on().await;
    let mut streams = Vec::new();
    for connecting in crowd {
        streams.extend(connecting.await.unwrap());
    }
    let all = each * ADDRESSES;
    until(|| target.live() == all + 1).await;
    honest.goes_on().await;
    let rss = number("/proc/self/status", "VmRSS:").saturating_sub(before) * 1_024 / all;

    // One address gets no more than its part, and leaves the others theirs.
    for _ in 0..50 {
        let mut refused = within(connect_from(2, target.addr)).await.unwrap();
        assert_eq!(read_to_end(&mut refused).await, b"");
    }
    assert_eq!((target.counts.refused_by_address(), target.counts.refused()), (50, 0));
    assert_eq!(target.live(), all + 1);
    let other = Honest::tcp(target.addr).await;
    drop(streams);
    until(|| target.live() == 2).await;
    honest.goes_on().await;
    other.goes_on().await;
    println!(
        "crowd: {all} connections of {CONNECTIONS} wanted, {descriptors} descriptors; {rss} bytes for both ends of one"
    );
}

#[tokio::test]
async fn a_server_that_is_full_closes_what_comes_and_goes_on_with_those_it_has() {
    let mut target = Target::serve(Limits::default().sessions(10)).await;
    let honest = Honest::tcp(target.addr).await;
    let nine = connect(9, target.addr).await;
    until(|| target.live() == 10).await;
    for _ in 0..5 {
        let crowd = connect(100, target.addr).await;
        honest.goes_on().await;
        for mut refused in crowd {
            assert_eq!(read_to_end(&mut refused).await, b"");
        }
    }
    assert_eq!((target.counts.refused(), target.counts.accepted()), (500, 10));
    honest.goes_on().await;
    drop(nine);
    for _ in 0..9 {
        let (_, error) = target.next_end().await;
        assert!(matches!(error.as_deref(), None | Some(Error::Io(_))), "{error:?}");
    }
    until(|| target.live() == 1).await;
    Honest::tcp(target.addr).await.goes_on().await;
}

/// The first number behind a name in a file of the system.
fn number(file: &str, name: &str) -> usize {
    let text = fs::read_to_string(file).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.split_whitespace().find_map(|word| word.parse().ok()).unwrap_or(usize::MAX)
}
