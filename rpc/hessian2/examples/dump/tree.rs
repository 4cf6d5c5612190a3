//! Owns the annotated tree. It goes over the bytes itself, since the codec hides what is printed here: tags, tables and
//! offsets. Scalars are read by the codec. It never recurses.

use std::io::{Result, Write};
use std::ops::Range;

use getty_hessian2::{DecodeState, Decoder, Kind, Value};

/// Prints a body. Gives whether all of it was understood.
pub(crate) fn print(bytes: &[u8], out: &mut impl Write) -> Result<bool> {
    let mut dump = Dump { bytes, pos: 0, frames: vec![], slots: vec![], types: vec![], classes: vec![] };
    let mut understood = true;
    while dump.pos < bytes.len() || !dump.frames.is_empty() {
        let at = dump.pos;
        match dump.step() {
            Ok((level, line)) => print_line(bytes, at..dump.pos, level, &line, out)?,
            Err(why) => {
                writeln!(out, "{at:04x} error: {why}")?;
                understood = false;
                break;
            }
        }
    }
    dump.print_tables(out)?;
    Ok(understood)
}

/// Hexadecimal text with any white space.
pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text
        .chars()
        .filter(|char| !char.is_whitespace())
        .map(|char| Some(char.to_digit(16)? as u8))
        .collect();
    let digits = digits?;
    let (pairs, rest) = digits.as_chunks::<2>();
    rest.is_empty().then(|| pairs.iter().map(|[high, low]| high << 4 | low).collect())
}

/// Bytes that are shown of a value.
const SHOWN: usize = 6;
/// Levels that are indented, so that deep bodies have short lines.
const INDENTED: usize = 30;
/// Lines of each table.
const LINES: usize = 1_000;

fn print_line(
    bytes: &[u8],
    range: Range<usize>,
    level: usize,
    line: &str,
    out: &mut impl Write,
) -> Result<()> {
    let (at, len) = (range.start, range.len());
    let shown = bytes.get(range).unwrap_or_default().iter().take(SHOWN);
    let mut hex: String = shown.map(|byte| format!("{byte:02x}")).collect();
    if len > SHOWN {
        hex.push_str("..");
    }
    let indent = 2 * level.min(INDENTED);
    writeln!(out, "{at:04x} {hex:<14} {:indent$}{line}", "")
}

struct Dump<'b> {
    bytes: &'b [u8],
    pos: usize,
    frames: Vec<Frame>,
    slots: Vec<Slot>,
    types: Vec<String>,
    classes: Vec<Class>,
}

/// A container that is open.
struct Frame {
    left: Left,
    /// Values so far.
    taken: usize,
}

#[derive(Clone, Copy)]
enum Left {
    Items(usize),
    ToMark,
    Entries,
    Fields { class: usize, left: usize },
}

/// A container that references can lead to.
struct Slot {
    at: usize,
    what: String,
}

struct Class {
    name: String,
    fields: Vec<String>,
    /// Objects have a long behind them: hessian-lite's compact form of dates and times.
    hidden: Option<&'static str>,
}

type Step<T> = std::result::Result<T, String>;

impl Dump<'_> {
    /// Takes a value, a definition or an end mark, and gives its level and line.
    fn step(&mut self) -> Step<(usize, String)> {
        let tag = self.peek()?;
        let level = self.frames.len();
        if tag == b'C' {
            self.pos += 1;
            return Ok((level, self.definition()?));
        }
        if tag == b'Z' && self.at_end_mark() {
            self.pos += 1;
            self.frames.pop();
            self.leave();
            return Ok((level.saturating_sub(1), "end".to_owned()));
        }
        let place = self.place();
        let what = self.value(tag)?;
        Ok((level, if place.is_empty() { what } else { format!("{place}: {what}") }))
    }

    fn peek(&self) -> Step<u8> {
        self.bytes.get(self.pos).copied().ok_or_else(|| "the bytes end inside a value".to_owned())
    }

    fn at_end_mark(&self) -> bool {
        match self.frames.last() {
            Some(Frame { left: Left::ToMark, .. }) => true,
            Some(Frame { left: Left::Entries, taken }) => taken % 2 == 0,
            _ => false,
        }
    }

    /// Where the next value stands in its container.
    fn place(&self) -> String {
        let Some(frame) = self.frames.last() else { return String::new() };
        match frame.left {
            Left::Items(_) | Left::ToMark => format!("[{}]", frame.taken),
            Left::Entries => if frame.taken % 2 == 0 { "key" } else { "value" }.to_owned(),
            Left::Fields { class, .. } => {
                let class = self.classes.get(class);
                let field = class
                    .and_then(|class| class.fields.get(frame.taken).map(String::as_str).or(class.hidden));
                cut(field.unwrap_or_default())
            }
        }
    }

    fn value(&mut self, tag: u8) -> Step<String> {
        if let Some(frame) = self.frames.last_mut() {
            frame.taken += 1;
        }
        let at = self.pos;
        let (what, left) = match tag {
            b'Q' => {
                self.pos += 1;
                let line = self.reference()?;
                self.leave();
                return Ok(line);
            }
            b'H' => {
                self.pos += 1;
                ("map".to_owned(), Left::Entries)
            }
            b'M' => {
                self.pos += 1;
                (format!("map {}", self.type_name()?), Left::Entries)
            }
            b'O' | 0x60..=0x6f => {
                self.pos += 1;
                let index = if tag == b'O' { self.int("a class")? } else { i64::from(tag - 0x60) };
                let known = self.classes.len();
                let index = usize::try_from(index).ok().filter(|index| *index < known);
                let class = index.ok_or_else(|| format!("no such class: {known} are known"))?;
                let fields = self
                    .classes
                    .get(class)
                    .map_or(0, |class| if class.hidden.is_some() { 1 } else { class.fields.len() });
                let name = self.classes.get(class).map(|class| cut(&class.name)).unwrap_or_default();
                (format!("object {name}"), Left::Fields { class, left: fields })
            }
            0x55..=0x58 | 0x70..=0x7f => {
                self.pos += 1;
                self.list(tag)?
            }
            _ => {
                let (value, kind) = self.scalar()?;
                self.leave();
                return Ok(match kind {
                    Kind::Null | Kind::Date => format!("{value:?}"),
                    _ => format!("{kind} {value:?}"),
                });
            }
        };
        let number = self.slots.len();
        let line = format!("{what}, #{number}");
        self.slots.push(Slot { at, what });
        self.frames.push(Frame { left, taken: 0 });
        self.leave();
        Ok(line)
    }

    /// Closes the containers that are full.
    fn leave(&mut self) {
        while let Some(frame) = self.frames.last() {
            match frame.left {
                Left::Items(len) | Left::Fields { left: len, .. } if frame.taken >= len => self.frames.pop(),
                _ => return,
            };
        }
    }

    fn list(&mut self, tag: u8) -> Step<(String, Left)> {
        let typed = matches!(tag, 0x55 | 0x56 | 0x70..=0x77);
        let name = if typed { format!(" {}", self.type_name()?) } else { String::new() };
        Ok(match tag {
            0x55 | 0x57 => (format!("list{name} up to a mark"), Left::ToMark),
            _ => {
                let len = if tag >= 0x70 { i64::from(tag & 7) } else { self.int("a length")? };
                let len = self.count(len, "items")?;
                (format!("list{name} of {len}"), Left::Items(len))
            }
        })
    }

    fn reference(&mut self) -> Step<String> {
        let index = self.int("the number of a reference")?;
        let target = usize::try_from(index).ok().and_then(|index| self.slots.get(index));
        match target {
            Some(slot) => Ok(format!("reference to #{index}: {} at {:04x}", slot.what, slot.at)),
            None => Err(format!("reference to #{index}: {} are known", self.slots.len())),
        }
    }

    fn definition(&mut self) -> Step<String> {
        let name = self.text("a class name")?;
        let count = self.int("the number of fields")?;
        let count = self.count(count, "fields")?;
        let fields = (0..count).map(|_| self.text("a field name")).collect::<Step<Vec<_>>>()?;
        let hidden = match (&*name, &*fields) {
            ("java.time.LocalDate", []) => Some("epochDay, in no definition"),
            ("java.time.LocalTime", []) => Some("nanoOfDay, in no definition"),
            _ => None,
        };
        let class = Class { name, fields, hidden };
        let line = format!("class {}: {}", self.classes.len(), class.line());
        self.classes.push(class);
        Ok(line)
    }

    fn type_name(&mut self) -> Step<String> {
        if Kind::String == self.kind()? {
            let name = self.text("a type name")?;
            let line = format!("{} (type {})", cut(&name), self.types.len());
            self.types.push(name);
            return Ok(line);
        }
        let index = self.int("a type name or its number")?;
        let known = usize::try_from(index).ok().and_then(|index| self.types.get(index));
        match known {
            Some(name) => Ok(format!("{} (type {index} again)", cut(name))),
            None => Err(format!("type {index}: {} are known", self.types.len())),
        }
    }

    fn kind(&self) -> Step<Kind> {
        let rest = self.bytes.get(self.pos..).unwrap_or_default();
        let kind = Decoder::new(rest, &mut DecodeState::new()).peek();
        let tag = self.peek()?;
        kind.ok_or_else(|| format!("no value begins with {tag:02x}"))
    }

    /// Reads a value that is no container.
    fn scalar(&mut self) -> Step<(Value, Kind)> {
        let kind = self.kind()?;
        let rest = self.bytes.get(self.pos..).unwrap_or_default();
        let mut state = DecodeState::new();
        let mut d = Decoder::new(rest, &mut state);
        let value = d.read::<Value>().map_err(|error| error.kind().to_string())?;
        self.pos += d.position();
        Ok((value, kind))
    }

    fn int(&mut self, what: &str) -> Step<i64> {
        match self.kind()? {
            Kind::Int | Kind::Long => {
                let (value, _) = self.scalar()?;
                value.root().as_i64().ok_or_else(|| format!("expected {what}"))
            }
            kind => Err(format!("expected {what}, found {kind}")),
        }
    }

    fn text(&mut self, what: &str) -> Step<String> {
        match self.kind()? {
            Kind::String => Ok(self.scalar()?.0.root().to_text_lossy().unwrap_or_default()),
            kind => Err(format!("expected {what}, found {kind}")),
        }
    }

    /// A number of things that take a byte each at least.
    fn count(&self, count: i64, what: &str) -> Step<usize> {
        let left = self.bytes.len() - self.pos;
        let possible = usize::try_from(count).ok().filter(|count| *count <= left);
        possible.ok_or_else(|| format!("{count} {what}, but {left} bytes are left"))
    }

    fn print_tables(&self, out: &mut impl Write) -> Result<()> {
        let line = |Slot { at, what }: &Slot| format!("at {at:04x}: {what}");
        table("containers", "#", self.slots.iter().map(line), out)?;
        table("types", "", self.types.iter().map(|name| cut(name)), out)?;
        table("classes", "", self.classes.iter().map(Class::line), out)
    }
}

impl Class {
    fn line(&self) -> String {
        format!("{} {{{}}}", cut(&self.name), cut(&self.fields.join(", ")))
    }
}

fn table(
    what: &str,
    mark: &str,
    lines: impl ExactSizeIterator<Item = String>,
    out: &mut impl Write,
) -> Result<()> {
    let count = lines.len();
    writeln!(out, "{count} {what}")?;
    for (index, line) in lines.take(LINES).enumerate() {
        writeln!(out, "  {mark}{index} {line}")?;
    }
    if count > LINES { writeln!(out, "  ...") } else { Ok(()) }
}

/// A name in a line: control characters are shown, and what is long is cut.
fn cut(name: &str) -> String {
    let short: String = name.chars().take(120).flat_map(char::escape_debug).collect();
    if name.chars().nth(120).is_some() { short + "..." } else { short }
}
