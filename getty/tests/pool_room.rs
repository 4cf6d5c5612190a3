//! Places come back whatever becomes of what took them: packets in a pool, and futures that a session runs. Their handlers
//! return, wait, panic, are aborted, or are never done.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use std::{
    collections::BTreeSet,
    future::pending,
    panic::resume_unwind,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use getty::{BoxError, EventListener, Full, Limits, Pool, Session};
use support::{Frames, Recorder, frame, over_memory, read_frames, read_to_end, serve, until, within};
use tokio::{
    io::AsyncWriteExt,
    net::TcpStream,
    runtime::Handle,
    sync::RwLock,
    task::{block_in_place, yield_now},
    time::{Instant, sleep, timeout},
};

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);
const ALL: usize = 10_000;

/// What becomes of what a packet sets off. The last one ends its session.
const FATES: [&str; 7] = ["return", "wait", "late", "abort", "panic later", "panic then", "panic"];

/// Without the panic hook, which would print thousands of lines.
fn panic_silently() -> ! {
    resume_unwind(Box::new("on purpose"))
}

/// Does with a packet of `FATE NUMBER` what it says, and answers with the number where that comes to an end.
fn meet(session: &Session<Frames>, packet: &Bytes) {
    let packet = std::str::from_utf8(packet).unwrap();
    let (fate, number) = packet.rsplit_once(' ').unwrap();
    let number = Bytes::from(number.to_owned());
    let answer = move |session: &Session<Frames>| {
        session.write(number).unwrap();
    };
    match fate {
        "return" => answer(session),
        "wait" => session.run(yield_now(), |session, ()| answer(session)),
        // Nobody waits for it any more.
        "late" => session.run(timeout(Duration::from_millis(1), pending::<()>()), |session, done| {
            assert!(done.is_err());
            answer(session);
        }),
        "abort" => {
            let task = tokio::spawn(pending::<()>());
            task.abort();
            session.run(task, |session, done| {
                assert!(done.unwrap_err().is_cancelled());
                answer(session);
            });
        }
        "panic later" => session.run(
            async {
                yield_now().await;
                panic_silently()
            },
            |_, ()| {},
        ),
        "panic then" => session.run(yield_now(), |_, ()| panic_silently()),
        _ => panic_silently(),
    }
}

fn answers(fate: &str) -> bool {
    !fate.starts_with("panic")
}

#[tokio::test(start_paused = true)]
async fn futures_of_every_fate_are_counted_out_so_the_end_of_their_session_waits_for_none() {
    let (recorder, mut events) = Recorder::new();
    let limits = Limits::default().close_wait(HOUR).out_hard(usize::MAX);
    let (mut peer, session) = over_memory(Frames, recorder, limits);
    events.open().await;
    let tasks = Handle::current().metrics().num_alive_tasks();
    let lasting = &FATES[..FATES.len() - 1];
    let reading = tokio::spawn(async move { read_to_end(&mut peer).await });
    for number in 0..ALL {
        meet(&session, &format!("{} {number}", lasting[number % lasting.len()]).into());
    }
    sleep(SECOND).await;
    assert_eq!(
        Handle::current().metrics().num_alive_tasks(),
        tasks + 1,
        "that of the session, and the reader's"
    );
    let start = Instant::now();
    session.close();
    events.close().await;
    assert_eq!(start.elapsed(), Duration::ZERO, "nothing is in flight any more");
    let (answers, rest) = read_frames(&within(reading).await.unwrap());
    assert_eq!(rest, 0);
    let expected = (0..ALL).filter(|number| self::answers(lasting[number % lasting.len()]));
    assert_each_once(answers, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_pool_has_all_its_places_after_packets_of_every_fate_and_each_is_answered_once_at_most() {
    const DEPTH: usize = 64;
    // With the packets that a session can have in each: those that wait, those that are handled, and one with its key.
    for (pool, places) in [
        (Pool::Fixed { queues: 1, workers: 4, depth: DEPTH }, DEPTH + 4),
        (Pool::Elastic { min: 0, max: 4, idle: HOUR, depth: DEPTH }, DEPTH + 4),
        (Pool::Ordered { workers: 4, depth: DEPTH }, DEPTH + 1),
        (Pool::Keyed { queues: 1, depth: DEPTH }, DEPTH + 1 + 1),
    ] {
        let gate = Arc::new(RwLock::new(()));
        let meeting =
            Arc::new(Meeting { gate: Arc::clone(&gate), held: AtomicUsize::new(0), last: Mutex::default() });
        let (address, _stop, _serving) = serve(Frames, pool, Full::Wait, Arc::clone(&meeting)).await;
        // A panic in a handler ends its session, and no other; so there are many.
        let per_session = 10 * FATES.len();
        for _ in 0..ALL / per_session {
            let mut peer = TcpStream::connect(address).await.unwrap();
            let fates = (0..per_session - 1).map(|number| FATES[number % (FATES.len() - 1)]).chain(["panic"]);
            let packets = fates.clone().enumerate().map(|(number, fate)| format!("{fate} {number}"));
            let bytes: Vec<_> = packets.flat_map(|packet| frame(packet.as_bytes())).collect();
            peer.write_all(&bytes).await.unwrap();
            let (answers, rest) = read_frames(&read_to_end(&mut peer).await);
            assert_eq!(rest, 0);
            let expected =
                fates.enumerate().filter(|(_, fate)| self::answers(fate)).map(|(number, _)| number);
            assert_each_once(answers, expected);
        }

        let shut = gate.write_owned().await;
        let mut peer = TcpStream::connect(address).await.unwrap();
        peer.write_all(&frame(b"hold 0").repeat(2 * places)).await.unwrap();
        // Not one less: none was lost.
        until(|| meeting.read() == places as u64).await;
        for _ in 0..1_000 {
            yield_now().await;
        }
        assert_eq!(meeting.read(), places as u64, "{pool:?}: nor one more");
        drop(shut);
        until(|| meeting.held.load(Ordering::SeqCst) == 2 * places).await;
    }
}

/// Has packets meet their fate; holds some until the gate is open.
struct Meeting {
    gate: Arc<RwLock<()>>,
    held: AtomicUsize,
    /// The session that was opened last.
    last: Mutex<Option<Session<Frames>>>,
}

impl Meeting {
    /// Packets that this session has read.
    fn read(&self) -> u64 {
        self.last.lock().unwrap().as_ref().unwrap().stats().read_packets
    }
}

impl EventListener<Frames> for Meeting {
    fn on_open(&self, session: &Session<Frames>) -> Result<(), BoxError> {
        *self.last.lock().unwrap() = Some(session.clone());
        Ok(())
    }

    fn on_message(&self, session: &Session<Frames>, packet: Bytes) {
        if packet.starts_with(b"hold") {
            block_in_place(|| drop(self.gate.blocking_read()));
            self.held.fetch_add(1, Ordering::SeqCst);
        } else {
            meet(session, &packet);
        }
    }
}

/// Each number is there once, and nothing else.
fn assert_each_once(answers: Vec<Vec<u8>>, expected: impl Iterator<Item = usize>) {
    let count = answers.len();
    let numbers: BTreeSet<usize> =
        answers.into_iter().map(|answer| String::from_utf8(answer).unwrap().parse().unwrap()).collect();
    assert_eq!(numbers.len(), count, "an answer came twice");
    assert!(numbers.into_iter().eq(expected), "other answers came than were expected");
}
