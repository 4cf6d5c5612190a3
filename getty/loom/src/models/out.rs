//! The way from writers into the connection. Each model ends only when the wire has got every byte: a wake-up that is lost is a
//! model in which all threads wait, and loom says so.

use loom::{future::block_on, thread};

use super::{Bench, check, check_with, wire::Wire};
use crate::{Limits, Pool};

/// Two writers and the task, which sleeps and wakes: who writes directly, who wakes, who only appends.
pub fn two_writers_and_the_task_lose_no_byte() {
    check(|| two_writers(Wire::that_expects(4)));
}

/// As before, where writers cannot write by themselves.
pub fn two_writers_lose_no_byte_without_a_direct_half() {
    check(|| two_writers(Wire::that_expects(4).not_direct()));
}

/// As before, and the first write finds the socket full: what a writer could not write is left to the task.
pub fn two_writers_lose_no_byte_when_the_socket_is_full() {
    check(|| two_writers(Wire::that_expects(4).full_at_first(1)));
}

fn two_writers(wire: Wire) {
    let (bench, task) = Bench::new(wire);
    let other = {
        let session = bench.session.clone();
        thread::spawn(move || session.write(2))
    };
    let third = {
        let session = bench.session.clone();
        thread::spawn(move || session.write(3))
    };
    block_on(task);
    let written = [(2, other), (3, third)].map(|(packet, thread)| (packet, thread.join().unwrap()));
    assert!(written.iter().all(|(_, result)| result.is_ok()), "{written:?}");
    bench.assert_wire_has(&written);
    bench.assert_closed(0, 0);
}

/// One writer writes twice while the task answers a packet: the credit that a read gives, and the one that a flush gives.
pub fn a_writer_and_an_answer_lose_no_byte() {
    check(|| {
        let wire = Wire::that_expects(6).with_input(&[1]);
        let (bench, task) = Bench::with(wire, Limits::default(), Pool::Inline, |session, packet| {
            let _ = session.write(packet);
        });
        let writer = {
            let session = bench.session.clone();
            thread::spawn(move || [(2, session.write(2)), (3, session.write(3))])
        };
        block_on(task);
        let written = writer.join().unwrap();
        assert!(written.iter().all(|(_, result)| result.is_ok()), "{written:?}");
        let sent = bench.wire.sent();
        assert_eq!(sent.len(), 6, "{sent:?}");
        let mut rest = sent.clone();
        for (packet, span) in &written {
            let at = span.as_ref().unwrap().start as usize;
            assert_eq!(sent[at..at + 2], [*packet; 2], "{sent:?}");
            rest.retain(|byte| byte != packet);
        }
        assert_eq!(rest, [1, 1], "{sent:?}");
        bench.assert_closed(1, 0);
    });
}

/// A sender waits for room while the task makes some.
pub fn a_sender_that_waits_is_told_of_room() {
    check(|| {
        let limits = Limits::default().out_high(2);
        let wire = Wire::that_expects(4).not_direct();
        let (bench, task) = Bench::with(wire, limits, Pool::Inline, |_, _| {});
        let sender = {
            let session = bench.session.clone();
            thread::spawn(move || {
                block_on(async { [(2, session.send(2).await), (3, session.send(3).await)] })
            })
        };
        block_on(task);
        let written = sender.join().unwrap();
        assert!(written.iter().all(|(_, result)| result.is_ok()), "{written:?}");
        bench.assert_wire_has(&written);
        bench.assert_closed(0, 0);
    });
}

/// A sender waits for room that never comes, and somebody ends the session: the sender hears of that.
pub fn a_sender_that_waits_is_told_of_the_end() {
    // One preemption: the endless wire makes many orders already, a hundred times as many with two.
    check_with(1, || {
        let limits = Limits::default().out_high(2);
        let wire = Wire::endless().not_direct().full_for_good();
        let (bench, task) = Bench::with(wire, limits, Pool::Inline, |_, _| {});
        let sender = {
            let session = bench.session.clone();
            thread::spawn(move || {
                block_on(async { [(2, session.send(2).await), (3, session.send(3).await)] })
            })
        };
        let closer = {
            let session = bench.session.clone();
            thread::spawn(move || session.abort())
        };
        block_on(task);
        let written = sender.join().unwrap();
        closer.join().unwrap();
        bench.assert_wire_has(&written);
        bench.assert_closed(0, 0);
    });
}
