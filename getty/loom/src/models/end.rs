//! The end of a session, whoever wants it and however many do: one `on_close`, after which nothing is accepted, and before which
//! everything that was accepted has left, unless the session was aborted.

use loom::{future::block_on, thread};

use super::{Bench, check, wire::Wire};
use crate::{Limits, Pool, WriteError};

/// `close` beside a writer: what was accepted leaves.
pub fn close_writes_what_was_accepted_and_nothing_is_after_it() {
    check(|| {
        let (bench, task) = Bench::new(Wire::endless());
        let writer = {
            let session = bench.session.clone();
            thread::spawn(move || [(2, session.write(2)), (3, session.write(3))])
        };
        let closer = {
            let session = bench.session.clone();
            thread::spawn(move || session.close())
        };
        block_on(task);
        closer.join().unwrap();
        let written = writer.join().unwrap();
        let accepted = written.iter().filter(|(_, result)| result.is_ok()).count();
        bench.assert_wire_has(&written);
        assert_eq!(bench.session.taken(), 2 * accepted as u64, "what was accepted has left");
        assert!(written[0].1.is_ok() || written[1].1.is_err(), "nothing is accepted after a refusal");
        bench.assert_closed(0, 0);
    });
}

/// `close`, `abort` and a writer at the same time.
pub fn close_and_abort_together_are_one_end() {
    check(|| {
        let (bench, task) = Bench::new(Wire::endless());
        let writer = {
            let session = bench.session.clone();
            thread::spawn(move || (2, session.write(2)))
        };
        let ender = {
            let session = bench.session.clone();
            thread::spawn(move || {
                session.close();
                session.abort();
            })
        };
        block_on(task);
        ender.join().unwrap();
        bench.assert_wire_has(&[writer.join().unwrap()]);
        bench.assert_closed(0, 0);
    });
}

/// `abort` while `close` waits for a socket that takes nothing: it is cut short.
pub fn abort_cuts_a_close_short() {
    check(|| {
        let (bench, task) = Bench::new(Wire::endless().not_direct().full_for_good());
        let written = bench.session.write(2);
        let closer = {
            let session = bench.session.clone();
            thread::spawn(move || session.close())
        };
        let aborter = {
            let session = bench.session.clone();
            thread::spawn(move || session.abort())
        };
        block_on(task);
        closer.join().unwrap();
        aborter.join().unwrap();
        bench.assert_wire_has(&[(2, written)]);
        bench.assert_closed(0, 0);
    });
}

/// The peer finishes while `close` is called and somebody writes.
pub fn the_peers_end_and_close_together_are_one_end() {
    check(|| {
        let (bench, task) = Bench::new(Wire::that_expects(0));
        let closer = {
            let session = bench.session.clone();
            thread::spawn(move || session.close())
        };
        let writer = {
            let session = bench.session.clone();
            thread::spawn(move || (2, session.write(2)))
        };
        block_on(task);
        closer.join().unwrap();
        let written = writer.join().unwrap();
        let accepted = u64::from(written.1.is_ok());
        bench.assert_wire_has(&[written]);
        assert_eq!(bench.session.taken(), 2 * accepted, "what was accepted has left");
        bench.assert_closed(0, 0);
    });
}

/// A future of `run` answers while the session is closing: its answer is accepted and leaves, and the end waits for it.
pub fn a_future_in_flight_answers_before_the_end() {
    check(|| {
        let (bench, task) = Bench::with(
            Wire::endless().with_input(&[1]),
            Limits::default(),
            Pool::Inline,
            |session, packet| {
                session.run(once_pending(), move |session, ()| {
                    let _ = session.write(packet);
                });
            },
        );
        let closer = {
            let session = bench.session.clone();
            thread::spawn(move || session.close())
        };
        block_on(task);
        closer.join().unwrap();
        let messages = bench.calls.lock().unwrap().iter().filter(|call| **call == "handled").count();
        assert_eq!(bench.wire.sent(), [1, 1].repeat(messages), "each packet is answered");
        bench.assert_closed(messages, 0);
    });
}

/// The task is dropped, as at the end of its runtime, while somebody writes.
pub fn a_dropped_task_is_one_end() {
    check(|| {
        let (bench, task) = Bench::new(Wire::endless());
        let writer = {
            let session = bench.session.clone();
            thread::spawn(move || [(2, session.write(2)), (3, session.write(3))])
        };
        let dropper = thread::spawn(move || {
            let mut task = Box::pin(task);
            block_on(std::future::poll_fn(|cx| {
                let _ = task.as_mut().poll(cx);
                std::task::Poll::Ready(())
            }));
        });
        dropper.join().unwrap();
        bench.assert_wire_has(&writer.join().unwrap());
        assert!(matches!(bench.session.write(4), Err(WriteError::Closed)));
        bench.assert_closed(0, 1);
    });
}

/// Pending once, and ready as soon as it is polled again.
async fn once_pending() {
    let mut polled = false;
    std::future::poll_fn(|cx| {
        if std::mem::replace(&mut polled, true) {
            return std::task::Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        std::task::Poll::Pending
    })
    .await;
}
