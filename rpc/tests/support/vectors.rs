//! The frames of real peers, and what stands in them.

use bytes::Bytes;
use getty_rpc::{
    hessian2::{DecodeState, Decoder, Value},
    protocol::{HEADER, Header, Kind, Status},
};

use super::frame;

/// One row of the vectors.
#[derive(Clone)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) hand_made: bool,
    pub(crate) header: Header,
    pub(crate) body: Bytes,
}

const GO: &str = include_str!("../vectors/dubbo_frames_go.jsonl");
const JAVA: &str = include_str!("../vectors/dubbo_frames_java.jsonl");
/// Serialization id of hessian2.
const HESSIAN2: u8 = 2;

pub(crate) fn rows() -> Vec<Row> {
    let lines = GO.lines().chain(JAVA.lines());
    lines.enumerate().map(|(line, text)| row(line + 1, &serde_json::from_str(text).unwrap())).collect()
}

fn row(line: usize, json: &serde_json::Value) -> Row {
    let text = |name: &str| json[name].as_str().unwrap_or_default().to_owned();
    let bytes = unhex(json["hex"].as_str().unwrap());
    let (head, body) = bytes.split_first_chunk::<HEADER>().unwrap();
    let header = Header::parse(head).unwrap();
    assert_eq!(header.to_bytes(), *head, "line {line}: the header is written as it was read");
    assert_eq!(header.length as usize, body.len(), "line {line}");
    assert_eq!(header.id, json["id"].as_i64().unwrap(), "line {line}");
    assert_eq!(matches!(header.kind, Kind::Request { .. }), json["dir"] == "req", "line {line}");
    if let Kind::Response { status } = header.kind {
        assert_eq!(i64::from(status.0), json["status"].as_i64().unwrap(), "line {line}");
    }
    let name = format!("line {line}: {} {} {}", text("from"), text("kind"), text("note"));
    let hand_made = json["from"] == "hand-made client";
    Row { name, hand_made, header, body: Bytes::copy_from_slice(body) }
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

impl Row {
    pub(crate) fn bytes(&self) -> Vec<u8> {
        frame(self.header, &self.body)
    }

    pub(crate) fn is_request(&self) -> bool {
        matches!(self.header.kind, Kind::Request { .. })
    }

    pub(crate) fn is_call(&self) -> bool {
        self.is_request() && !self.header.event
    }

    /// The request that a row holds, unless it is one of those that hold none.
    pub(crate) fn call(&self) -> Option<Asked> {
        (self.is_call() && self.header.serialization == HESSIAN2).then(|| Asked::read(&self.body))?
    }
}

/// A request, taken apart by hand.
#[derive(Clone, PartialEq)]
pub(crate) struct Asked {
    pub(crate) interface: String,
    pub(crate) version: String,
    pub(crate) group: String,
    pub(crate) method: String,
    pub(crate) descriptor: String,
    pub(crate) arguments: Vec<Value>,
    /// Those that are the service's.
    pub(crate) attachments: Vec<(String, String)>,
    /// Where the arguments end, and the attachments.
    pub(crate) ends: (usize, usize),
}

impl Asked {
    pub(crate) fn read(body: &[u8]) -> Option<Self> {
        let mut state = DecodeState::new();
        let mut d = Decoder::new(body, &mut state);
        let mut head = || d.opt_str().ok().map(|text| text.unwrap_or_default().into_owned());
        let [_, interface, version, method, descriptor] = [head()?, head()?, head()?, head()?, head()?];
        let arguments = (0..parameters(&descriptor)).map(|_| d.read().unwrap()).collect();
        let end = d.position();
        let map: Value = if d.remaining() > 0 { d.read().unwrap() } else { Value::NULL };
        let mut asked = Self {
            interface,
            version: version.replace("0.0.0", ""),
            group: String::new(),
            method,
            descriptor,
            arguments,
            attachments: Vec::new(),
            ends: (end, d.position()),
        };
        for (name, value) in map.root().entries() {
            let text = match (value.as_str(), value.as_i64(), value.as_bool()) {
                (Some(text), _, _) => text.to_owned(),
                (_, Some(number), _) => number.to_string(),
                (_, _, Some(flag)) => flag.to_string(),
                _ => continue,
            };
            match name.as_str().unwrap() {
                "group" => asked.group = text,
                "path" | "interface" | "version" | "dubbo" | "async" | "timeout" => {}
                other => asked.attachments.push((other.to_owned(), text)),
            }
        }
        Some(asked)
    }
}

/// How many parameters a descriptor has.
pub(crate) fn parameters(descriptor: &str) -> usize {
    let mut rest = descriptor.trim_start_matches('[');
    let mut count = 0;
    while !rest.is_empty() {
        let end = if rest.starts_with('L') { rest.find(';').unwrap() + 1 } else { 1 };
        rest = rest[end..].trim_start_matches('[');
        count += 1;
    }
    count
}

/// The attachments of a request, all of which must be text.
pub(crate) fn request_attachments(body: &[u8]) -> String {
    let (start, end) = Asked::read(body).unwrap().ends;
    assert_eq!(end, body.len());
    let mut state = DecodeState::new();
    let mut d = Decoder::new(body, &mut state);
    while d.position() < start {
        d.skip().unwrap();
    }
    let map: Value = d.read().unwrap();
    let texts = map.root().entries();
    let texts =
        texts.map(|(name, value)| format!("{}={}", name.as_str().unwrap(), value.as_str().expect("a text")));
    texts.collect::<Vec<_>>().join(" ")
}
