//! Owns the cases of long text and long binaries: beside the other codecs, what copying alone takes.

use std::borrow::Cow;
use std::hint::black_box;

use bincode::config::standard;
use getty_hessian2::{DecodeOwned, DecodeState, Encode, EncodeState, to_vec};
use prost::Message;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Case, Group, connection};

pub(crate) fn text(name: &'static str, text: &str) -> [Group; 2] {
    let value = text.to_owned();
    let mut decode = Group::new(format!("{name}: decode"));
    let bytes = text.as_bytes().to_vec();
    decode.push(
        "from_utf8 + to_owned",
        bytes.len(),
        Case::new(move || {
            black_box(str::from_utf8(black_box(&bytes)).unwrap().to_owned());
        }),
    );
    decode_cases(&mut decode, &value);
    let (body, mut state) = (to_vec(&value).unwrap(), DecodeState::new());
    decode.push(
        "own, Cow",
        body.len(),
        Case::new(move || {
            black_box(connection::read::<Cow<'_, str>>(black_box(&body), &mut state));
        }),
    );
    [encode(name, &value, text.as_bytes()), decode]
}

pub(crate) fn binary(name: &'static str, bytes: Vec<u8>) -> [Group; 2] {
    let mut decode = Group::new(format!("{name}: decode"));
    let source = bytes.clone();
    decode.push(
        "memcpy",
        source.len(),
        Case::new(move || {
            black_box(black_box(&source).clone());
        }),
    );
    decode_cases(&mut decode, &bytes);
    [encode(name, &bytes, &bytes), decode]
}

/// What a codec must be able to do with such a value.
trait Long: Encode + DecodeOwned + Message + Default + Serialize + DeserializeOwned
where
    Self: bincode::Encode + bincode::Decode<()> + Clone + 'static,
{
}

impl Long for String {}
impl Long for Vec<u8> {}

fn encode<T: Long>(name: &'static str, value: &T, raw: &[u8]) -> Group {
    let mut group = Group::new(format!("{name}: encode"));
    let (source, mut out) = (raw.to_vec(), Vec::new());
    group.push(
        "memcpy",
        raw.len(),
        Case::new(move || {
            out.clear();
            out.extend_from_slice(black_box(&source));
            black_box(&out);
        }),
    );
    let (source, mut out, mut state) = (value.clone(), Vec::new(), EncodeState::new());
    group.push(
        "own",
        to_vec(value).unwrap().len(),
        Case::new(move || {
            connection::write(black_box(&source), &mut out, &mut state);
            black_box(&out);
        }),
    );
    let (source, mut out) = (value.clone(), Vec::new());
    group.push(
        "prost",
        value.encoded_len(),
        Case::new(move || {
            out.clear();
            Message::encode(black_box(&source), &mut out).unwrap();
            black_box(&out);
        }),
    );
    let (source, mut out) = (value.clone(), Vec::new());
    group.push(
        "serde_json",
        serde_json::to_vec(value).unwrap().len(),
        Case::new(move || {
            out.clear();
            serde_json::to_writer(&mut out, black_box(&source)).unwrap();
            black_box(&out);
        }),
    );
    let (source, mut out) = (value.clone(), Vec::new());
    group.push(
        "bincode 2",
        bincode::encode_to_vec(value, standard()).unwrap().len(),
        Case::new(move || {
            out.clear();
            bincode::encode_into_std_write(black_box(&source), &mut out, standard()).unwrap();
            black_box(&out);
        }),
    );
    #[cfg(feature = "peer-hessian-rs")]
    super::peer::push_encode(&mut group, &to_vec(value).unwrap());
    group
}

fn decode_cases<T: Long>(group: &mut Group, value: &T) {
    let (body, mut state) = (to_vec(value).unwrap(), DecodeState::new());
    group.push(
        "own",
        body.len(),
        Case::new(move || {
            black_box(connection::read::<T>(black_box(&body), &mut state));
        }),
    );
    let bytes = value.encode_to_vec();
    group.push(
        "prost",
        bytes.len(),
        Case::new(move || {
            black_box(<T as Message>::decode(black_box(&*bytes)).unwrap());
        }),
    );
    let bytes = serde_json::to_vec(value).unwrap();
    group.push(
        "serde_json",
        bytes.len(),
        Case::new(move || {
            black_box(serde_json::from_slice::<T>(black_box(&bytes)).unwrap());
        }),
    );
    let bytes = bincode::encode_to_vec(value, standard()).unwrap();
    group.push(
        "bincode 2",
        bytes.len(),
        Case::new(move || {
            black_box(bincode::decode_from_slice::<T, _>(black_box(&bytes), standard()).unwrap());
        }),
    );
    #[cfg(feature = "peer-hessian-rs")]
    super::peer::push_decode(group, &to_vec(value).unwrap());
}
