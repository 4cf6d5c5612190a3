//! Messages that are read and written here, beside the same by prost.

use ::prost::{
    DecodeError, Message,
    bytes::Buf,
    encoding::{WireType, encode_key, encode_varint},
};
use proptest::prelude::*;

use super::merge;

macro_rules! message {
    ($(#[$attribute:meta])* $name:ident) => {
        #[derive(Clone, PartialEq, Message)]
        $(#[$attribute])*
        struct $name {
            #[prost(string, tag = "1")]
            text: String,
            #[prost(string, repeated, tag = "2")]
            texts: Vec<String>,
            #[prost(string, optional, tag = "3")]
            maybe: Option<String>,
            #[prost(btree_map = "string, int64", tag = "4")]
            map: std::collections::BTreeMap<String, i64>,
            #[prost(bool, tag = "15")]
            flag: bool,
            #[prost(int32, tag = "16")]
            int32: i32,
            #[prost(int64, optional, tag = "2047")]
            int64: Option<i64>,
            #[prost(uint32, repeated, tag = "2048")]
            uint32: Vec<u32>,
            #[prost(uint64, repeated, packed = "false", tag = "536870911")]
            uint64: Vec<u64>,
        }
    };
}

message!(
    #[prost(prost_path = "crate::prost")]
    Ours
);
message!(Theirs);

impl From<Theirs> for Ours {
    fn from(theirs: Theirs) -> Self {
        let Theirs { text, texts, maybe, map, flag, int32, int64, uint32, uint64 } = theirs;
        Self { text, texts, maybe, map, flag, int32, int64, uint32, uint64 }
    }
}

/// What comes out, as text that can be compared; the names of the two types differ.
fn shown<M: std::fmt::Debug>(read: Result<M, DecodeError>) -> String {
    format!("{read:?}").replace("Theirs", "Ours")
}

fn merged(bytes: &[u8]) -> Result<Ours, DecodeError> {
    let mut message = Ours::default();
    merge(&mut message, bytes).map(|()| message)
}

fn same(bytes: &[u8], cut: usize) {
    let theirs = shown(Theirs::decode(bytes));
    assert_eq!(shown(Ours::decode(bytes)), theirs);
    assert_eq!(shown(merged(bytes)), theirs);
    let (head, tail) = bytes.split_at(cut.min(bytes.len()));
    assert_eq!(shown(Ours::decode(head.chain(tail))), theirs);
}

/// Text of every length around the steps of SIMD, in ASCII, Chinese, emoji, and mixed.
fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z]{0,140}", "[\u{4e00}-\u{9fa5}]{0,50}", "[\u{1f600}-\u{1f64f}]{0,40}", ".{0,80}"]
}

/// Numbers of every length, among them those around a step to the next.
fn number() -> impl Strategy<Value = i64> {
    let around = |bits: u32| (1_i64 << bits) - 2..(1_i64 << bits) + 2;
    prop_oneof![
        any::<i64>(),
        -3_i64..3,
        around(7),
        around(14),
        around(21),
        around(28),
        around(31),
        around(35)
    ]
}

prop_compose! {
    fn message()(
        text in text(),
        texts in prop::collection::vec(text(), 0..4),
        maybe in prop::option::of(text()),
        map in prop::collection::btree_map(text(), number(), 0..3),
        flag: bool,
        int32 in number(),
        int64 in prop::option::of(number()),
        uint32 in prop::collection::vec(number(), 0..4),
        uint64 in prop::collection::vec(number(), 0..4),
    ) -> Theirs {
        Theirs {
            text,
            texts,
            maybe,
            map,
            flag,
            int32: int32 as i32,
            int64,
            uint32: uint32.into_iter().map(|number| number as u32).collect(),
            uint64: uint64.into_iter().map(|number| number as u64).collect(),
        }
    }
}

proptest! {
    #[test]
    fn a_message_is_read_and_written_as_prost_does(message in message(), cut: prop::sample::Index) {
        let bytes = message.encode_to_vec();
        same(&bytes, cut.index(bytes.len() + 1));
        let ours = Ours::from(message);
        prop_assert_eq!(&merged(&bytes).unwrap(), &ours);
        prop_assert_eq!(ours.encoded_len(), bytes.len());
        prop_assert_eq!(ours.encode_to_vec(), bytes);
    }

    #[test]
    fn a_damaged_message_fails_as_in_prost(
        message in message(), at: prop::sample::Index, byte: u8, end: prop::sample::Index, cut: prop::sample::Index,
    ) {
        let mut bytes = message.encode_to_vec();
        if !bytes.is_empty() {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        same(&bytes, cut.index(bytes.len() + 1));
        same(&bytes[..end.index(bytes.len() + 1)], cut.index(bytes.len() + 1));
    }

    #[test]
    fn any_number_is_what_prost_takes_it_for_in_a_field_of_any_type(
        tag in prop_oneof![Just(15), Just(16), Just(2047), Just(2048), Just(536_870_911)],
        number in number(),
    ) {
        let mut bytes = Vec::new();
        encode_key(tag, WireType::Varint, &mut bytes);
        encode_varint(number as u64, &mut bytes);
        // The end of a message is prost's.
        same(&bytes, 1);
        bytes.extend(b"\x0a\x05texts");
        same(&bytes, 1);
    }

    #[test]
    fn any_bytes_are_what_prost_takes_them_for(bytes in prop::collection::vec(any::<u8>(), 0..40), cut in 0..40_usize) {
        same(&bytes, cut);
    }

    #[test]
    fn any_bytes_are_text_where_prost_finds_text(
        bytes in prop::collection::vec(prop_oneof![any::<u8>(), Just(0x80_u8), 0xe4..=0xe9_u8], 0..200),
    ) {
        let length = u8::try_from(bytes.len()).unwrap();
        let head = if length < 128 { vec![10, length] } else { vec![10, length | 128, 1] };
        same(&[head, bytes].concat(), 40);
    }
}

#[test]
fn text_that_ends_in_half_a_character_is_an_error_at_every_length() {
    for characters in 1..60 {
        for cut in [1, 2] {
            let text = "\u{4e2d}".repeat(characters);
            let text = &text.as_bytes()[..text.len() - cut];
            let mut bytes = [&[10, 0][..], text].concat();
            match u8::try_from(text.len()).unwrap() {
                length @ ..128 => bytes[1] = length,
                length => {
                    bytes[1] = length | 128;
                    bytes.insert(2, 1);
                }
            }
            assert!(
                shown(merged(&bytes)).contains("InvalidString"),
                "{characters} characters without {cut} bytes"
            );
            same(&bytes, 3);
        }
    }
}
