//! The crate [`::prost`], as messages of services see it: all of it, with the text of fields checked by SIMD. A message whose
//! `prost_path` is `::getty_rpc::prost`, as `getty-build` writes it, is read through here; its type, its traits and its bytes are
//! prost's own.
//!
//! prost checks text with the standard library, which goes by bytes where there are characters of several: half of the time it takes
//! to read a message of Chinese text.

pub use ::prost::*;

/// prost's `encoding`, for derived code only.
#[doc(hidden)]
pub mod encoding {
    pub use ::prost::encoding::*;

    pub mod string {
        pub use ::prost::encoding::string::{encode, encode_repeated, encoded_len, encoded_len_repeated};

        use ::prost::{
            DecodeError,
            bytes::Buf,
            encoding::{DecodeContext, WireType, decode_varint, string},
        };

        /// As prost's own. All but long text that is in one piece and well-formed is left to that, errors too.
        pub fn merge(
            wire_type: WireType,
            value: &mut String,
            buf: &mut impl Buf,
            ctx: DecodeContext,
        ) -> Result<(), DecodeError> {
            if wire_type == WireType::LengthDelimited
                && let Some(taken) = take(buf.chunk(), value)
            {
                buf.advance(taken);
                return Ok(());
            }
            string::merge(wire_type, value, buf, ctx)
        }

        pub fn merge_repeated(
            wire_type: WireType,
            values: &mut Vec<String>,
            buf: &mut impl Buf,
            ctx: DecodeContext,
        ) -> Result<(), DecodeError> {
            let mut value = String::new();
            merge(wire_type, &mut value, buf, ctx)?;
            values.push(value);
            Ok(())
        }

        /// What SIMD looks at in one step. It does not look at less, so shorter text is filled up with zeros.
        const BLOCK: usize = 64;
        /// Bytes of text from which on that pays. Text that begins in ASCII is taken for ASCII, which the standard library checks by
        /// words.
        const SHORTEST: usize = 15;

        /// Sets `value` to the text that `bytes` begin with, behind its length. Returns how many bytes that took, or none if the text
        /// is for prost to read; `value` is as it was then.
        fn take(bytes: &[u8], value: &mut String) -> Option<usize> {
            let mut rest = bytes;
            let length = usize::try_from(decode_varint(&mut rest).ok()?).ok()?;
            let text = rest.get(..length)?;
            let taken = bytes.len().checked_sub(rest.len())?.checked_add(length)?;
            let mut block;
            let text = if length >= BLOCK {
                simdutf8::basic::from_utf8(text).ok()?
            } else if length >= SHORTEST && !text.first()?.is_ascii() {
                block = [0; BLOCK];
                block.get_mut(..length)?.copy_from_slice(text);
                simdutf8::basic::from_utf8(&block).ok()?.get(..length)?
            } else {
                return None;
            };
            value.clear();
            value.push_str(text);
            Some(taken)
        }
    }
}

#[cfg(test)]
mod tests {
    use ::prost::{Message, bytes::Buf};
    use proptest::prelude::*;

    /// Read here.
    #[derive(Clone, PartialEq, Message)]
    #[prost(prost_path = "crate::prost")]
    struct Ours {
        #[prost(string, tag = "1")]
        text: String,
        #[prost(string, repeated, tag = "2")]
        texts: Vec<String>,
        #[prost(string, optional, tag = "3")]
        maybe: Option<String>,
        #[prost(btree_map = "string, string", tag = "4")]
        map: std::collections::BTreeMap<String, String>,
    }

    /// The same, read by prost.
    #[derive(Clone, PartialEq, Message)]
    struct Theirs {
        #[prost(string, tag = "1")]
        text: String,
        #[prost(string, repeated, tag = "2")]
        texts: Vec<String>,
        #[prost(string, optional, tag = "3")]
        maybe: Option<String>,
        #[prost(btree_map = "string, string", tag = "4")]
        map: std::collections::BTreeMap<String, String>,
    }

    /// What comes out, as text that can be compared; the names of the two types differ.
    fn read<M: Message + Default + std::fmt::Debug>(bytes: impl Buf) -> String {
        format!("{:?}", M::decode(bytes)).replace("Theirs", "Ours")
    }

    fn same(bytes: &[u8], cut: usize) {
        assert_eq!(read::<Ours>(bytes), read::<Theirs>(bytes));
        let (head, tail) = bytes.split_at(cut.min(bytes.len()));
        assert_eq!(read::<Ours>(head.chain(tail)), read::<Theirs>(bytes));
    }

    /// Text of every length around the steps of SIMD, in ASCII, Chinese, emoji, and mixed.
    fn text() -> impl Strategy<Value = String> {
        prop_oneof!["[a-z]{0,140}", "[\u{4e00}-\u{9fa5}]{0,50}", "[\u{1f600}-\u{1f64f}]{0,40}", ".{0,80}"]
    }

    prop_compose! {
        fn message()(
            text in text(),
            texts in prop::collection::vec(text(), 0..4),
            maybe in prop::option::of(text()),
            map in prop::collection::btree_map(text(), text(), 0..3),
        ) -> Theirs {
            Theirs { text, texts, maybe, map }
        }
    }

    proptest! {
        #[test]
        fn text_is_read_as_prost_reads_it(message in message(), cut: prop::sample::Index) {
            let bytes = message.encode_to_vec();
            let ours = Ours::decode(&*bytes).unwrap();
            prop_assert_eq!((&ours.text, &ours.texts, &ours.maybe, &ours.map),
                (&message.text, &message.texts, &message.maybe, &message.map));
            prop_assert_eq!(&ours.encode_to_vec(), &bytes);
            same(&bytes, cut.index(bytes.len() + 1));
        }

        #[test]
        fn damaged_text_fails_as_in_prost(
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
                    read::<Ours>(&*bytes).contains("InvalidString"),
                    "{characters} characters without {cut} bytes"
                );
                same(&bytes, 3);
            }
        }
    }
}
