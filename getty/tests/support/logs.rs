//! Hears log lines of getty, of this thread alone. Only for binaries of one test: a place in the code whose first line is logged
//! on a thread where nobody listens stays mute for all.

use std::{
    fmt,
    sync::{Arc, Mutex},
};

use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
    subscriber::{DefaultGuard, set_default},
};

/// Lines of level info and above, as long as it lives.
pub(crate) struct Logs {
    lines: Lines,
    _guard: DefaultGuard,
}

type Lines = Arc<Mutex<Vec<(Level, String)>>>;

impl Logs {
    pub(crate) fn here() -> Self {
        let lines = Lines::default();
        Self { _guard: set_default(Hearing(Arc::clone(&lines))), lines }
    }

    /// Levels of the lines whose `address` is this one.
    pub(crate) fn of(&self, address: &str) -> Vec<Level> {
        let lines = self.lines.lock().unwrap();
        lines.iter().filter(|(_, of)| of == address).map(|(level, _)| *level).collect()
    }

    /// As [`of`](Self::of), and forgets them.
    pub(crate) fn take(&self, address: &str) -> Vec<Level> {
        let levels = self.of(address);
        self.lines.lock().unwrap().retain(|(_, of)| of != address);
        levels
    }
}

struct Hearing(Lines);

impl Subscriber for Hearing {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::INFO && metadata.target().starts_with("getty")
    }

    fn event(&self, event: &Event<'_>) {
        let mut address = Address::default();
        event.record(&mut address);
        self.0.lock().unwrap().push((*event.metadata().level(), address.0));
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[derive(Default)]
struct Address(String);

impl Visit for Address {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "address" {
            value.clone_into(&mut self.0);
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}
