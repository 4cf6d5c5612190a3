//! A server whose process has no descriptors left: it costs no processor, says so once a second, serves those that it has, and
//! accepts again at once when there are some.

#![cfg(target_os = "linux")]
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use std::time::{Duration, Instant};

use getty::Limits;
use support::{
    child::{Child, is_child, let_go},
    frame,
    hostile::{Honest, Target, connect},
    logs::print_warnings,
    read_frame,
};
use tokio::{io::AsyncWriteExt, time::sleep};

const WINDOW: Duration = Duration::from_secs(3);

#[tokio::test]
async fn without_descriptors_a_server_rests_serves_on_and_accepts_again_when_it_has_some() {
    if is_child() {
        return serve().await;
    }
    let mut child = Child::run(
        "without_descriptors_a_server_rests_serves_on_and_accepts_again_when_it_has_some",
        "-n 256",
    );
    let addr = child.told("listens at ").parse().unwrap();
    let honest = Honest::tcp(addr).await;
    // The system has a place for those that the process cannot accept, up to its backlog.
    let crowd = connect(300, addr).await;
    child.told("cannot accept");
    honest.goes_on().await;
    // Nobody asks for anything meanwhile, so what is used is used for the accepting alone.
    drop(honest);
    let rests = connect(20, addr).await;
    child.lines();
    let (cpu, began) = (child.cpu(), Instant::now());
    sleep(WINDOW).await;
    let (cpu, time) = (child.cpu() - cpu, began.elapsed());
    let lines = child.lines().iter().filter(|line| line.contains("cannot accept")).count();
    println!("{cpu:?} of processor time in {time:?} without descriptors, {lines} lines in the log");
    assert!(cpu < time / 10, "{cpu:?} of processor time in {time:?}");
    assert!((1..=time.as_secs() as usize + 1).contains(&lines), "{lines} lines in {time:?}");
    assert!(child.is_running());

    let mut last = rests;
    let began = Instant::now();
    drop(crowd);
    // It came last, so all others were accepted, or had gone, before.
    let mut peer = last.pop().unwrap();
    peer.write_all(&frame(b"at last")).await.unwrap();
    assert_eq!(read_frame(&mut peer).await, b"at last");
    let again = began.elapsed();
    println!("accepted again after {again:?}");
    // The longest pause is a second; the rest is for a busy machine.
    assert!(again < Duration::from_secs(10), "accepted again after {again:?}");
    Honest::tcp(addr).await.goes_on().await;
    assert!(child.end().success());
}

async fn serve() {
    print_warnings();
    let target = Target::serve(Limits::default()).await;
    println!("listens at {}", target.addr);
    let_go().await;
    assert!(target.counts.failed() > 0);
}
