//! Owns modes `echo` and `idle` of peer getty: frames through sessions, Reader and Writer on both sides, and no RPC.

use super::super::Serving;
use crate::frame;
use crate::latency::Measurement;
use crate::load::echo::{self, Flight};
use crate::load::{BoxError, LoadError, Shape};
use crate::tally;
use crate::window::Budget;
use bytes::{Bytes, BytesMut};
use getty::transport::Listen;
use getty::{
    Client, ConnInfo, Error, EventListener, Flush, Limits, Opened, Out, Protocol, Reader, Server, Session,
    Step, Writer,
};
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;
use tokio::sync::oneshot;

/// Whole frames, not decoded: the server's protocol.
pub(super) struct Frames;

impl Protocol for Frames {
    type Reader = Self;
    type Writer = Self;
    type State = ();

    fn open(&self, _: &ConnInfo) -> Opened<Self, Self, ()> {
        Opened::new(Self, Self, ())
    }
}

/// The same with what is in flight: the client's protocol.
struct Flights;

/// What a client's session has in flight, and who is to have it in the end.
#[derive(Default)]
struct InFlight(Mutex<Option<Run>>);

struct Run {
    flight: Flight,
    done: Done,
    /// Bytes that the session had read at the last reading of the clock, and what it said then.
    clock: (u64, Instant),
}

type Done = oneshot::Sender<Result<Flight, LoadError>>;

impl Protocol for Flights {
    type Reader = Frames;
    type Writer = Frames;
    type State = InFlight;

    fn open(&self, _: &ConnInfo) -> Opened<Frames, Frames, InFlight> {
        Opened::new(Frames, Frames, InFlight::default())
    }
}

impl Reader for Frames {
    type Packet = Bytes;

    fn read(&mut self, buf: &mut BytesMut) -> Result<Step<Bytes>, BoxError> {
        Ok(match frame::length(buf)? {
            Some(length) if length <= buf.len() => Step::Packet(buf.split_to(length).freeze()),
            Some(length) => Step::Need(length - buf.len()),
            None => Step::Need(0),
        })
    }
}

impl Writer for Frames {
    type Packet = Bytes;

    fn write(&mut self, frame: Bytes, out: &mut Out) -> Result<(), BoxError> {
        out.put_bytes(frame);
        Ok(())
    }
}

struct Answer;

impl EventListener<Frames> for Answer {
    fn on_message(&self, session: &Session<Frames>, frame: Bytes) {
        tally::add(1);
        // A client that has gone wants no answer.
        let _ = session.write(frame);
    }
}

struct Flood;

impl EventListener<Flights> for Flood {
    fn on_message(&self, session: &Session<Flights>, frame: Bytes) {
        let mut in_flight = session.state().0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(Run { flight, clock, .. }) = &mut *in_flight else { return };
        // What returns in one read shares one reading of the clock.
        let read = session.stats().read_bytes;
        if clock.0 != read {
            flight.settle(clock.1);
            *clock = (read, Instant::now());
        }
        let (now, size) = (clock.1, flight.size());
        flight.echoed(now, |id| size.is_echo(&frame, id));
        let sent = send(session, flight, now);
        if (sent.is_err() || flight.is_done())
            && let Some(Run { flight, done, .. }) = in_flight.take()
        {
            // Only a run that was given up has nobody waiting.
            let _ = done.send(sent.map(|()| flight));
        }
    }

    fn on_error(&self, session: &Session<Flights>, error: &Error) {
        let in_flight = session.state().0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Run { done, .. }) = in_flight {
            let _ = done.send(Err(LoadError::Broken(error.to_string().into())));
        }
    }
}

fn send(session: &Session<Flights>, flight: &mut Flight, now: Instant) -> Result<(), LoadError> {
    let size = flight.size();
    for id in flight.refill(now) {
        session
            .write_with(Flush::Auto, |out| {
                size.put(out.tail_mut(), id);
                Ok(())
            })
            .map_err(|error| LoadError::Broken(error.into()))?;
    }
    Ok(())
}

pub(in crate::peer) async fn serve(addr: SocketAddr) -> Result<Serving, BoxError> {
    // As many as there are descriptors, for mode idle, and all of one address.
    let limits = Limits::default().sessions(usize::MAX).sessions_per_address(usize::MAX);
    answer(Server::bind(addr).await?.limits(limits))
}

/// Echoes what comes to this server.
pub(super) fn answer<A: Listen>(server: Server<A>) -> Result<Serving, BoxError> {
    let addr = server.local_addr().ok_or("the server has no address")?;
    Ok(Serving::spawn(addr, async move {
        server.serve(Frames, Answer).await?;
        Err("the server ended by itself".into())
    }))
}

pub(in crate::peer) async fn load(
    addr: SocketAddr,
    shape: Shape,
    budget: Budget,
) -> Result<Measurement, LoadError> {
    let client = Client::tcp(addr.to_string(), shape.connections, Flights, Flood);
    client.connect().await.map_err(|error| LoadError::Connect(addr.to_string(), error.into()))?;
    echo::drive(client.sessions(), shape, budget, flood).await
}

async fn flood(session: Session<Flights>, mut flight: Flight) -> Result<Flight, LoadError> {
    let (done, wait) = oneshot::channel();
    {
        let mut in_flight = session.state().0.lock().unwrap_or_else(PoisonError::into_inner);
        let clock = (0, Instant::now());
        send(&session, &mut flight, clock.1)?;
        *in_flight = Some(Run { flight, done, clock });
    }
    wait.await.map_err(|_| LoadError::Broken("the session ended".into()))?
}
