//! The callbacks of a session.

use std::{fmt, marker::PhantomData, sync::Arc};

use crate::{BoxError, Error, In, Protocol, Session};

/// What a user wants to hear of a session. All callbacks are plain functions: short, never blocking. A future goes to
/// [`Session::run`].
///
/// ```text
/// on_open --+--> on_message | on_cron, any number, one at a time --+--> [on_error] --> on_close
///           +--> Err ---------------------------------------------+
/// ```
///
/// With a [`Pool`](crate::Pool), `on_message` runs beside the session's task: beside `on_cron`, and beside other packets where
/// the pool does not keep order. It still comes after `on_open` and before `on_error` and `on_close`.
///
/// `on_open` comes first, `on_close` exactly once and last, also when `on_open` refused. `on_error` comes at most once,
/// right before `on_close`. A panic in a callback ends its session, and no other. A session whose runtime shuts down before
/// its task ran for the first time gets no callback at all.
pub trait EventListener<P: Protocol>: Send + Sync + 'static {
    /// The session is there. What is written here goes out before anything else.
    ///
    /// # Errors
    /// Refuses the session: it is closed at once.
    fn on_open(&self, session: &Session<P>) -> Result<(), BoxError> {
        let _ = session;
        Ok(())
    }

    /// A packet has come.
    fn on_message(&self, session: &Session<P>, packet: In<P>);

    /// Packets with the same key are handled one at a time and in order by a [`Pool::Keyed`](crate::Pool::Keyed); no other pool
    /// asks. Called in the session's task. The default is the session's id.
    fn key(&self, session: &Session<P>, packet: &In<P>) -> u64 {
        let _ = packet;
        session.id()
    }

    /// The pool had no place for a packet, and the server was told to refuse it then ([`Full::Refuse`](crate::Full::Refuse)). It
    /// is called in the session's task, so it may come while the pool calls [`on_message`](Self::on_message) with earlier
    /// packets. An answer that the server is busy can be written here; the default drops the packet. A panic ends the session.
    fn on_refused(&self, session: &Session<P>, packet: In<P>) {
        let _ = (session, packet);
    }

    /// The period of [`Limits::cron`](crate::Limits::cron), or of [`Session::set_cron`], has passed.
    fn on_cron(&self, session: &Session<P>) {
        let _ = session;
    }

    /// The session ends because of this.
    fn on_error(&self, session: &Session<P>, error: &Error) {
        let _ = (session, error);
    }

    /// The session has ended. Nothing can be written any more, and nothing follows.
    fn on_close(&self, session: &Session<P>) {
        let _ = session;
    }
}

macro_rules! forward {
    ($($pointer:ident),*) => {$(
        impl<P: Protocol, L: EventListener<P> + ?Sized> EventListener<P> for $pointer<L> {
            fn on_open(&self, session: &Session<P>) -> Result<(), BoxError> {
                (**self).on_open(session)
            }
            fn on_message(&self, session: &Session<P>, packet: In<P>) {
                (**self).on_message(session, packet);
            }
            fn key(&self, session: &Session<P>, packet: &In<P>) -> u64 {
                (**self).key(session, packet)
            }
            fn on_refused(&self, session: &Session<P>, packet: In<P>) {
                (**self).on_refused(session, packet);
            }
            fn on_cron(&self, session: &Session<P>) {
                (**self).on_cron(session);
            }
            fn on_error(&self, session: &Session<P>, error: &Error) {
                (**self).on_error(session, error);
            }
            fn on_close(&self, session: &Session<P>) {
                (**self).on_close(session);
            }
        }
    )*};
}

forward!(Arc, Box);

/// A listener of one function. Made by [`on_message`].
pub struct OnMessage<P, F> {
    function: F,
    protocol: PhantomData<fn(P)>,
}

/// Makes a listener of a function that takes each packet.
pub fn on_message<P, F>(function: F) -> OnMessage<P, F>
where
    P: Protocol,
    F: Fn(&Session<P>, In<P>) + Send + Sync + 'static,
{
    OnMessage { function, protocol: PhantomData }
}

impl<P, F> EventListener<P> for OnMessage<P, F>
where
    P: Protocol,
    F: Fn(&Session<P>, In<P>) + Send + Sync + 'static,
{
    fn on_message(&self, session: &Session<P>, packet: In<P>) {
        (self.function)(session, packet);
    }
}

impl<P, F> fmt::Debug for OnMessage<P, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnMessage").finish_non_exhaustive()
    }
}
