//! The log of getty, for tests that look at it.

use std::{
    fmt,
    sync::{Arc, Mutex},
};

use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
    subscriber::{DefaultGuard, set_default, set_global_default},
};

/// The text of a line that stands for a span.
pub(crate) const SPAN: &str = "a span";

pub(crate) struct Line {
    pub(crate) level: Level,
    /// Its fields as `name=value`, each with a blank behind it.
    pub(crate) text: String,
}

type Lines = Arc<Mutex<Vec<Line>>>;

/// Lines of this thread alone, as long as it lives. A place in the code whose first line is logged on a thread where nobody listens
/// stays mute for all: so either the binary has one test, or all of its tests listen.
pub(crate) struct Logs {
    lines: Lines,
    _guard: DefaultGuard,
}

impl Logs {
    /// Lines of level info and above.
    pub(crate) fn here() -> Self {
        Self::down_to(Level::INFO)
    }

    /// Lines of this level and above.
    pub(crate) fn down_to(least: Level) -> Self {
        let lines = Lines::default();
        let heard = Arc::clone(&lines);
        let hearing = Hearing { least, hear: move |line| heard.lock().unwrap().push(line) };
        Self { _guard: set_default(hearing), lines }
    }

    /// Levels of the lines whose `address` is this one.
    pub(crate) fn of(&self, address: &str) -> Vec<Level> {
        let is_of = about(address);
        self.lines.lock().unwrap().iter().filter(|line| is_of(line)).map(|line| line.level).collect()
    }

    /// As [`of`](Self::of), and forgets them.
    pub(crate) fn take(&self, address: &str) -> Vec<Level> {
        let levels = self.of(address);
        let is_of = about(address);
        self.lines.lock().unwrap().retain(|line| !is_of(line));
        levels
    }

    /// All lines that have come since, which it forgets.
    pub(crate) fn take_all(&self) -> Vec<Line> {
        std::mem::take(&mut self.lines.lock().unwrap())
    }

    /// Whether a line has this in its text.
    pub(crate) fn has(&self, text: &str) -> bool {
        self.lines.lock().unwrap().iter().any(|line| line.text.contains(text))
    }
}

fn about(address: &str) -> impl Fn(&Line) -> bool {
    let field = format!(" address={address:?} ");
    move |line| format!(" {}", line.text).contains(&field)
}

/// Prints the warnings of all threads from now on, one a line. Once in a process.
pub(crate) fn print_warnings() {
    let hearing = Hearing { least: Level::WARN, hear: |line: Line| println!("{}", line.text) };
    set_global_default(hearing).unwrap();
}

/// Hears lines of this level and above, and spans.
struct Hearing<F> {
    least: Level,
    hear: F,
}

impl<F: Fn(Line) + Send + Sync + 'static> Subscriber for Hearing<F> {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= self.least && metadata.target().starts_with("getty")
    }

    fn event(&self, event: &Event<'_>) {
        let mut text = Text::default();
        event.record(&mut text);
        (self.hear)(Line { level: *event.metadata().level(), text: text.0 });
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        (self.hear)(Line { level: *span.metadata().level(), text: SPAN.to_owned() });
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[derive(Default)]
struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0 += &format!("{field}={value:?} ");
    }
}
