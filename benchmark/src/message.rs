//! Owns the benchmark message: its fields, the filled request, and what a right answer looks like. Knows no peer.
//!
//! The definition is that of rpcx's benchmark (proto2, 40 fields). A filled request takes 581 bytes in protobuf
//! and 882 in Hessian 2.

use getty_hessian2::Hessian;
use serde::{Deserialize, Serialize};

/// Every string of the request: 18 characters, 54 bytes of UTF-8.
const TEXT: &str = "许多往事在眼前一幕一幕，变的那麼模糊";
/// Every number of the request: three bytes as a varint.
const NUMBER: i32 = 100_000;

/// `BenchmarkMessage` of rpcx's benchmark. Numbers in the names are the protobuf tags.
///
/// Its protobuf is prost's as getty-rpc hands it out, which is faster. tonic is measured with the same, so it gains too.
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize, Hessian)]
#[prost(prost_path = "::getty_rpc::prost")]
#[hessian(class = "com.example.benchmark.BenchmarkMessage")]
#[serde(rename = "com.example.benchmark.BenchmarkMessage")]
pub(crate) struct BenchmarkMessage {
    #[prost(string, required, tag = "1")]
    pub(crate) field1: String,
    #[prost(int32, required, tag = "2")]
    pub(crate) field2: i32,
    #[prost(int32, required, tag = "3")]
    pub(crate) field3: i32,
    #[prost(string, optional, tag = "4")]
    pub(crate) field4: Option<String>,
    /// `fixed64` in rpcx's definition: the same bytes on the wire, but Hessian has no unsigned numbers.
    #[prost(sfixed64, repeated, packed = "false", tag = "5")]
    pub(crate) field5: Vec<i64>,
    #[prost(int32, optional, tag = "6")]
    pub(crate) field6: Option<i32>,
    #[prost(string, optional, tag = "7")]
    pub(crate) field7: Option<String>,
    #[prost(string, optional, tag = "9")]
    pub(crate) field9: Option<String>,
    #[prost(bool, optional, tag = "12")]
    pub(crate) field12: Option<bool>,
    #[prost(bool, optional, tag = "13")]
    pub(crate) field13: Option<bool>,
    #[prost(bool, optional, tag = "14")]
    pub(crate) field14: Option<bool>,
    #[prost(int32, optional, tag = "16")]
    pub(crate) field16: Option<i32>,
    #[prost(bool, optional, tag = "17")]
    pub(crate) field17: Option<bool>,
    #[prost(string, optional, tag = "18")]
    pub(crate) field18: Option<String>,
    #[prost(int64, optional, tag = "22")]
    pub(crate) field22: Option<i64>,
    #[prost(int32, optional, tag = "23")]
    pub(crate) field23: Option<i32>,
    #[prost(bool, optional, tag = "24")]
    pub(crate) field24: Option<bool>,
    #[prost(int32, optional, tag = "25")]
    pub(crate) field25: Option<i32>,
    #[prost(int32, optional, tag = "29")]
    pub(crate) field29: Option<i32>,
    #[prost(bool, optional, tag = "30")]
    pub(crate) field30: Option<bool>,
    #[prost(bool, optional, tag = "59")]
    pub(crate) field59: Option<bool>,
    #[prost(int32, optional, tag = "60")]
    pub(crate) field60: Option<i32>,
    #[prost(int32, optional, tag = "67")]
    pub(crate) field67: Option<i32>,
    #[prost(int32, optional, tag = "68")]
    pub(crate) field68: Option<i32>,
    #[prost(bool, optional, tag = "78")]
    pub(crate) field78: Option<bool>,
    #[prost(bool, optional, tag = "80")]
    pub(crate) field80: Option<bool>,
    #[prost(bool, optional, tag = "81")]
    pub(crate) field81: Option<bool>,
    #[prost(int32, optional, tag = "100")]
    pub(crate) field100: Option<i32>,
    #[prost(int32, optional, tag = "101")]
    pub(crate) field101: Option<i32>,
    #[prost(string, optional, tag = "102")]
    pub(crate) field102: Option<String>,
    #[prost(string, optional, tag = "103")]
    pub(crate) field103: Option<String>,
    #[prost(int32, optional, tag = "104")]
    pub(crate) field104: Option<i32>,
    #[prost(int32, optional, tag = "128")]
    pub(crate) field128: Option<i32>,
    #[prost(string, optional, tag = "129")]
    pub(crate) field129: Option<String>,
    #[prost(int32, optional, tag = "130")]
    pub(crate) field130: Option<i32>,
    #[prost(int32, optional, tag = "131")]
    pub(crate) field131: Option<i32>,
    #[prost(int32, optional, tag = "150")]
    pub(crate) field150: Option<i32>,
    #[prost(int32, optional, tag = "271")]
    pub(crate) field271: Option<i32>,
    #[prost(int32, optional, tag = "272")]
    pub(crate) field272: Option<i32>,
    #[prost(int32, optional, tag = "280")]
    pub(crate) field280: Option<i32>,
}

impl BenchmarkMessage {
    /// The request: every field set, but for the list `field5`, which rpcx leaves empty too.
    pub(crate) fn prepare() -> Self {
        Self {
            field1: TEXT.to_owned(),
            field2: NUMBER,
            field3: NUMBER,
            field4: text(),
            field5: Vec::new(),
            field6: number(),
            field7: text(),
            field9: text(),
            field12: Some(true),
            field13: Some(true),
            field14: Some(true),
            field16: number(),
            field17: Some(true),
            field18: text(),
            field22: Some(i64::from(NUMBER)),
            field23: number(),
            field24: Some(true),
            field25: number(),
            field29: number(),
            field30: Some(true),
            field59: Some(true),
            field60: number(),
            field67: number(),
            field68: number(),
            field78: Some(true),
            field80: Some(true),
            field81: Some(true),
            field100: number(),
            field101: number(),
            field102: text(),
            field103: text(),
            field104: number(),
            field128: number(),
            field129: text(),
            field130: number(),
            field131: number(),
            field150: number(),
            field271: number(),
            field272: number(),
            field280: number(),
        }
    }

    /// What the handler of every peer does with a request.
    pub(crate) fn into_answer(mut self) -> Self {
        self.field1 = "OK".to_owned();
        self.field2 = 100;
        self
    }

    /// Whether this is what [`into_answer`](Self::into_answer) gives. Cheap, as it runs for every call.
    pub(crate) fn is_answer(&self) -> bool {
        self.field1 == "OK" && self.field2 == 100
    }
}

#[expect(clippy::unnecessary_wraps, reason = "spells an optional field")]
fn text() -> Option<String> {
    Some(TEXT.to_owned())
}

#[expect(clippy::unnecessary_wraps, reason = "spells an optional field")]
fn number() -> Option<i32> {
    Some(NUMBER)
}

#[cfg(test)]
mod tests {
    use super::*;
    use prost::Message;

    #[test]
    fn a_filled_request_takes_581_bytes_in_protobuf() {
        assert_eq!(BenchmarkMessage::prepare().encoded_len(), 581);
    }

    #[test]
    fn a_request_survives_protobuf() {
        let request = BenchmarkMessage::prepare();
        let bytes = request.encode_to_vec();
        assert_eq!(BenchmarkMessage::decode(&*bytes).unwrap(), request);
    }

    #[test]
    fn a_filled_request_takes_882_bytes_in_hessian2_and_survives() {
        let request = BenchmarkMessage::prepare();
        let bytes = getty_hessian2::to_vec(&request).unwrap();
        assert_eq!(bytes.len(), 882);
        assert_eq!(getty_hessian2::from_slice::<BenchmarkMessage>(&bytes).unwrap(), request);
    }

    #[test]
    fn only_the_handled_message_is_an_answer() {
        let request = BenchmarkMessage::prepare();
        assert!(!request.is_answer());
        assert!(request.clone().into_answer().is_answer());
        assert_eq!(request.clone().into_answer().field3, request.field3);
    }
}
