//! Frames in protobuf, put together and taken apart by hand.

#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::collections::BTreeMap;

use bytes::Bytes;
use getty_rpc::{
    prost::{Message, decode_length_delimiter},
    protocol::{Header, Kind, Status},
};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::support::{Peer, frame};

pub(crate) const PROTOBUF: u8 = 22;

#[derive(Clone, PartialEq, Message)]
#[prost(prost_path = "::getty_rpc::prost")]
pub(crate) struct Map {
    #[prost(btree_map = "string, string", tag = "1")]
    pub(crate) texts: BTreeMap<String, String>,
    #[prost(btree_map = "string, message", tag = "2")]
    pub(crate) values: BTreeMap<String, getty_rpc::prost_types::Any>,
}

/// What Java wraps a value of the second map in.
#[derive(Clone, PartialEq, Message)]
#[prost(prost_path = "::getty_rpc::prost")]
pub(crate) struct Attachment {
    #[prost(string, tag = "1")]
    pub(crate) class: String,
    #[prost(message, optional, tag = "2")]
    pub(crate) data: Option<getty_rpc::prost_types::Any>,
}

#[derive(Clone, PartialEq, Message)]
#[prost(prost_path = "::getty_rpc::prost")]
pub(crate) struct ThrowableProto {
    #[prost(string, tag = "1")]
    pub(crate) class: String,
    #[prost(string, tag = "2")]
    pub(crate) message: String,
    #[prost(message, repeated, tag = "3")]
    pub(crate) stack: Vec<StackFrame>,
    #[prost(message, optional, boxed, tag = "4")]
    pub(crate) cause: Option<Box<Self>>,
}

#[derive(Clone, PartialEq, Message)]
#[prost(prost_path = "::getty_rpc::prost")]
pub(crate) struct StackFrame {
    #[prost(string, tag = "1")]
    pub(crate) class: String,
    #[prost(string, tag = "2")]
    pub(crate) method: String,
    #[prost(string, tag = "3")]
    pub(crate) file: String,
    #[prost(int32, tag = "4")]
    pub(crate) line: i32,
}

pub(crate) fn item(message: &impl Message) -> Vec<u8> {
    message.encode_length_delimited_to_vec()
}

pub(crate) fn text(text: &str) -> Vec<u8> {
    item(&text.to_owned())
}

pub(crate) fn map(entries: &[(&str, &str)]) -> Vec<u8> {
    let texts = entries.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    item(&Map { texts, values: BTreeMap::new() })
}

/// The items of a body.
pub(crate) fn items(mut body: &[u8]) -> Vec<Bytes> {
    let mut items = Vec::new();
    while !body.is_empty() {
        let length = decode_length_delimiter(&mut body).unwrap();
        items.push(Bytes::copy_from_slice(&body[..length]));
        body = &body[length..];
    }
    items
}

/// The parts of a request's body, which a test may change.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) head: [String; 5],
    pub(crate) arguments: Vec<Vec<u8>>,
    pub(crate) tail: Vec<u8>,
}

impl Request {
    pub(crate) fn new(interface: &str, method: &str, descriptor: &str) -> Self {
        let head = ["2.0.2", interface, "", method, descriptor].map(str::to_owned);
        Self { head, arguments: Vec::new(), tail: map(&[("path", interface), ("interface", interface)]) }
    }

    pub(crate) fn names(method: &str, descriptor: &str) -> Self {
        Self::new("com.example.Names", method, descriptor)
    }

    /// A call that is answered with this text.
    pub(crate) fn echo(value: &str) -> Self {
        Self::names("text", "Ljava/lang/String;").argument(text(value))
    }

    pub(crate) fn argument(mut self, item: Vec<u8>) -> Self {
        self.arguments.push(item);
        self
    }

    /// These attachments, in place of those.
    pub(crate) fn attachments(self, entries: &[(&str, &str)]) -> Self {
        self.tail(map(entries))
    }

    pub(crate) fn tail(mut self, tail: Vec<u8>) -> Self {
        self.tail = tail;
        self
    }

    pub(crate) fn body(&self) -> Vec<u8> {
        let head = self.head.iter().flat_map(|value| text(value));
        head.chain(self.arguments.concat()).chain(self.tail.clone()).collect()
    }
}

pub(crate) fn header(kind: Kind, event: bool, id: i64) -> Header {
    Header { kind, event, serialization: PROTOBUF, id, length: 0 }
}

pub(crate) fn request(id: i64, body: &[u8]) -> Vec<u8> {
    frame(header(Kind::Request { two_way: true }, false, id), body)
}

pub(crate) fn response(id: i64, status: Status, body: &[u8]) -> Vec<u8> {
    frame(header(Kind::Response { status }, false, id), body)
}

/// The body of an answer that holds a message.
pub(crate) fn value_body(message: &impl Message) -> Vec<u8> {
    [item(&4_i32), item(message), map(&[("dubbo", "2.0.2")])].concat()
}

/// The answer to this request, which must be in protobuf.
pub(crate) async fn ask<S>(peer: &mut Peer<S>, request_body: &[u8]) -> (Status, Vec<Bytes>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    peer.send(&request(7, request_body)).await;
    answer(peer, 7).await
}

pub(crate) async fn answer<S>(peer: &mut Peer<S>, id: i64) -> (Status, Vec<Bytes>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (header, body) = peer.next().await.expect("an answer was expected, the connection was closed");
    assert_eq!((header.serialization, header.id, header.event), (PROTOBUF, id, false));
    match header.kind {
        Kind::Response { status } => (status, items(&body)),
        Kind::Request { .. } => panic!("an answer was expected, {header:?} came"),
    }
}

/// The text of an answer whose status is not OK.
pub(crate) fn error_text(items: &[Bytes]) -> String {
    assert_eq!(items.len(), 1);
    String::decode(items[0].clone()).unwrap()
}
