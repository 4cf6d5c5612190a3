//! A listener that tells the test of every callback, and then does what the test wants.

use std::sync::Arc;

use getty::{BoxError, Error, EventListener, In, Protocol, Session};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::within;

type Open<P> = Box<dyn Fn(&Session<P>) -> Result<(), BoxError> + Send + Sync>;
type Message<P> = Box<dyn Fn(&Session<P>, In<P>) + Send + Sync>;
type Plain<P> = Box<dyn Fn(&Session<P>) + Send + Sync>;

/// Records each callback before it runs its hook.
pub(crate) struct Recorder<P: Protocol> {
    events: UnboundedSender<Event<P>>,
    on_open: Open<P>,
    on_message: Message<P>,
    on_cron: Plain<P>,
    on_error: Plain<P>,
    on_close: Plain<P>,
}

/// One callback of one session.
pub(crate) struct Event<P: Protocol> {
    pub(crate) session: Session<P>,
    pub(crate) what: What<In<P>>,
}

#[derive(Debug, Clone)]
pub(crate) enum What<T> {
    Open,
    Message(T),
    Cron,
    Error(Arc<Error>),
    Close,
}

/// The callbacks of all sessions of one listener, in order.
pub(crate) struct Events<P: Protocol>(UnboundedReceiver<Event<P>>);

impl<P: Protocol> Recorder<P>
where
    In<P>: Clone,
{
    pub(crate) fn new() -> (Self, Events<P>) {
        let (events, received) = unbounded_channel();
        let recorder = Self {
            events,
            on_open: Box::new(|_| Ok(())),
            on_message: Box::new(|_, _| {}),
            on_cron: Box::new(|_| {}),
            on_error: Box::new(|_| {}),
            on_close: Box::new(|_| {}),
        };
        (recorder, Events(received))
    }

    pub(crate) fn on_open(
        mut self,
        hook: impl Fn(&Session<P>) -> Result<(), BoxError> + Send + Sync + 'static,
    ) -> Self {
        self.on_open = Box::new(hook);
        self
    }

    pub(crate) fn on_message(mut self, hook: impl Fn(&Session<P>, In<P>) + Send + Sync + 'static) -> Self {
        self.on_message = Box::new(hook);
        self
    }

    pub(crate) fn on_cron(mut self, hook: impl Fn(&Session<P>) + Send + Sync + 'static) -> Self {
        self.on_cron = Box::new(hook);
        self
    }

    pub(crate) fn on_error(mut self, hook: impl Fn(&Session<P>) + Send + Sync + 'static) -> Self {
        self.on_error = Box::new(hook);
        self
    }

    pub(crate) fn on_close(mut self, hook: impl Fn(&Session<P>) + Send + Sync + 'static) -> Self {
        self.on_close = Box::new(hook);
        self
    }

    fn tell(&self, session: &Session<P>, what: What<In<P>>) {
        // A test that has seen enough no longer listens.
        let _ = self.events.send(Event { session: session.clone(), what });
    }
}

impl<P: Protocol> EventListener<P> for Recorder<P>
where
    In<P>: Clone,
{
    fn on_open(&self, session: &Session<P>) -> Result<(), BoxError> {
        self.tell(session, What::Open);
        (self.on_open)(session)
    }

    fn on_message(&self, session: &Session<P>, packet: In<P>) {
        self.tell(session, What::Message(packet.clone()));
        (self.on_message)(session, packet);
    }

    fn on_cron(&self, session: &Session<P>) {
        self.tell(session, What::Cron);
        (self.on_cron)(session);
    }

    fn on_error(&self, session: &Session<P>, _: &Error) {
        let error = session.error().expect("on_error means that the session has an error");
        self.tell(session, What::Error(Arc::clone(error)));
        (self.on_error)(session);
    }

    fn on_close(&self, session: &Session<P>) {
        self.tell(session, What::Close);
        (self.on_close)(session);
    }
}

impl<P: Protocol> Events<P> {
    /// The next callback.
    pub(crate) async fn next(&mut self) -> Event<P> {
        within(self.0.recv()).await.expect("the listener has gone")
    }

    /// The packet of the next callback, which must be `on_message`.
    pub(crate) async fn message(&mut self) -> In<P> {
        let event = self.next().await;
        match event.what {
            What::Message(packet) => packet,
            other => panic!("on_message was expected, {} came", other.name()),
        }
    }

    /// The next callback, which must be `on_open`.
    pub(crate) async fn open(&mut self) -> Session<P> {
        let event = self.next().await;
        assert_eq!(event.what.name(), "open");
        event.session
    }

    /// The error of the next callback, which must be `on_error`.
    pub(crate) async fn error(&mut self) -> Arc<Error> {
        match self.next().await.what {
            What::Error(error) => error,
            other => panic!("on_error was expected, {} came", other.name()),
        }
    }

    /// The next `on_close`, whatever comes before it.
    pub(crate) async fn close(&mut self) -> Session<P> {
        loop {
            let event = self.next().await;
            if let What::Close = event.what {
                return event.session;
            }
        }
    }

    /// The next callback if it has come already.
    pub(crate) fn try_next(&mut self) -> Option<Event<P>> {
        self.0.try_recv().ok()
    }

    /// Names of all callbacks that have not been looked at, until the listener is dropped, so that none can follow.
    pub(crate) async fn names_to_the_end(&mut self) -> Vec<&'static str> {
        let mut names = Vec::new();
        while let Some(event) = within(self.0.recv()).await {
            names.push(event.what.name());
        }
        names
    }

    /// All callbacks that have come so far.
    pub(crate) fn drain(&mut self) -> Vec<Event<P>> {
        std::iter::from_fn(|| self.try_next()).collect()
    }
}

impl<T> What<T> {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Message(_) => "message",
            Self::Cron => "cron",
            Self::Error(_) => "error",
            Self::Close => "close",
        }
    }
}
