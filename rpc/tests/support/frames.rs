//! Dubbo frames, put together by hand.

use getty_rpc::{
    hessian2::{EncodeState, Encoder, Value},
    protocol::{HEADER, Header, Kind, Status},
};

/// Serialization id of hessian2.
const HESSIAN2: u8 = 2;

/// A frame: the header's length is made right.
pub(crate) fn frame(header: Header, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap();
    [&Header { length, ..header }.to_bytes()[..], body].concat()
}

/// A body, written by hand.
pub(crate) fn body(write: impl FnOnce(&mut Encoder<'_, Vec<u8>>)) -> Vec<u8> {
    let mut out = Vec::new();
    let mut state = EncodeState::new();
    state.begin(&out);
    write(&mut Encoder::new(&mut out, &mut state));
    out
}

/// An answer.
pub(crate) fn response(id: i64, status: Status, body: &[u8]) -> Vec<u8> {
    let kind = Kind::Response { status };
    frame(Header { kind, event: false, serialization: HESSIAN2, id, length: 0 }, body)
}

/// An event, which asks for an answer or not.
pub(crate) fn event(id: i64, two_way: bool, body: &[u8]) -> Vec<u8> {
    let kind = Kind::Request { two_way };
    frame(Header { kind, event: true, serialization: HESSIAN2, id, length: 0 }, body)
}

/// A heartbeat as Java and Go send it.
pub(crate) fn heartbeat(id: i64) -> Vec<u8> {
    event(id, true, b"N")
}

/// What a provider says when it is shutting down.
pub(crate) fn read_only() -> Vec<u8> {
    event(0, false, b"\x01R")
}

/// The body of an answer that holds a value, with the attachments that Java sends.
pub(crate) fn value_body(value: impl Into<Value>) -> Vec<u8> {
    let value = value.into();
    body(|e| {
        e.i32(4);
        e.write(&value).unwrap();
        e.write(&Value::map([("dubbo", "2.0.2")])).unwrap();
    })
}

/// The body of an answer that holds null.
pub(crate) fn null_body() -> Vec<u8> {
    b"\x95HZ".to_vec()
}

/// The body of an answer that holds an exception of this class.
pub(crate) fn exception_body(class: &str, message: &str) -> Vec<u8> {
    let fields = [
        ("suppressedExceptions", Value::NULL),
        ("stackTrace", Value::NULL),
        ("cause", Value::NULL),
        ("detailMessage", message.into()),
    ];
    let exception = Value::object(class, fields);
    body(|e| {
        e.i32(3);
        e.write(&exception).unwrap();
        e.write(&Value::map([("dubbo", "2.0.2")])).unwrap();
    })
}

/// The body of an answer whose status is not OK.
pub(crate) fn error_body(text: &str) -> Vec<u8> {
    body(|e| e.str(text))
}

/// A request, as Java would send it.
#[derive(Clone)]
pub(crate) struct Request {
    head: [Value; 5],
    arguments: Vec<Value>,
    attachments: Vec<(String, Value)>,
    tail: Option<Vec<u8>>,
}

impl Request {
    pub(crate) fn new(interface: &str, method: &str, descriptor: &str) -> Self {
        let head = ["2.0.2", interface, "0.0.0", method, descriptor].map(Value::from);
        let attachments = ["path", "interface"].map(|name| (name.to_owned(), interface.into()));
        Self { head, arguments: Vec::new(), attachments: attachments.into(), tail: None }
    }

    /// To a method of the service that most tests use.
    pub(crate) fn probe(method: &str, descriptor: &str) -> Self {
        Self::new("com.example.Probe", method, descriptor)
    }

    /// A call that any server of the probe service answers with `hello NAME`.
    pub(crate) fn hello(name: &str) -> Self {
        Self::probe("hello", "Ljava/lang/String;").argument(name)
    }

    /// Another value at the head: protocol version, path, service version, method, descriptor.
    pub(crate) fn head(mut self, index: usize, value: impl Into<Value>) -> Self {
        self.head[index] = value.into();
        self
    }

    pub(crate) fn protocol(self, version: &str) -> Self {
        self.head(0, version)
    }

    pub(crate) fn version(self, version: &str) -> Self {
        self.head(2, version).attach("version", version)
    }

    pub(crate) fn argument(mut self, value: impl Into<Value>) -> Self {
        self.arguments.push(value.into());
        self
    }

    pub(crate) fn attach(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.attachments.push((name.to_owned(), value.into()));
        self
    }

    /// These bytes in place of the attachments.
    pub(crate) fn tail(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.tail = Some(bytes.into());
        self
    }

    pub(crate) fn body(&self) -> Vec<u8> {
        let mut bytes = body(|e| {
            for value in self.head.iter().chain(&self.arguments) {
                e.write(value).unwrap();
            }
            if self.tail.is_none() {
                e.write(&Value::map(self.attachments.clone())).unwrap();
            }
        });
        bytes.extend_from_slice(self.tail.as_deref().unwrap_or_default());
        bytes
    }

    /// The frame of a call that wants an answer.
    pub(crate) fn call(&self, id: i64) -> Vec<u8> {
        self.framed(id, true)
    }

    /// The frame of a call that wants none.
    pub(crate) fn oneway(&self, id: i64) -> Vec<u8> {
        self.framed(id, false)
    }

    fn framed(&self, id: i64, two_way: bool) -> Vec<u8> {
        let kind = Kind::Request { two_way };
        let header = Header { kind, event: false, serialization: HESSIAN2, id, length: 0 };
        frame(header, &self.body())
    }
}

const _: () = assert!(HEADER == 16);
