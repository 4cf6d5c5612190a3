//! Owns the cases of objects: each codec writes and reads the same value, in its own form.

use std::hint::black_box;

use getty_hessian2::serde::Serde;
use getty_hessian2::{DecodeOwned, DecodeState, Encode, EncodeState, Value, from_slice, to_vec};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Case, Group, connection};

/// A value as each codec wants it.
pub(crate) struct Record<T, P> {
    pub(crate) name: &'static str,
    pub(crate) value: T,
    /// The same for prost.
    pub(crate) message: P,
    /// Reads a body into a type that borrows its text.
    pub(crate) read_borrowed: fn(&[u8], &mut DecodeState),
}

impl<T, P> Record<T, P>
where
    T: Encode + DecodeOwned + Serialize + DeserializeOwned + Clone + PartialEq + 'static,
    P: prost::Message + Default + Clone + PartialEq + 'static,
{
    pub(crate) fn groups(&self) -> [Group; 2] {
        [self.encode(), self.decode()]
    }

    fn encode(&self) -> Group {
        let mut group = Group::new(format!("{}: encode", self.name));
        let (message, mut out) = (self.message.clone(), Vec::new());
        group.push(
            "prost",
            message.encoded_len(),
            Case::new(move || {
                out.clear();
                black_box(&message).encode(&mut out).unwrap();
                black_box(&out);
            }),
        );
        let body = to_vec(&self.value).unwrap();
        let (value, mut out, mut state) = (self.value.clone(), Vec::new(), EncodeState::new());
        group.push(
            "own",
            body.len(),
            Case::new(move || {
                connection::write(black_box(&value), &mut out, &mut state);
                black_box(&out);
            }),
        );
        let value = self.value.clone();
        group.push(
            "own, nothing cached",
            body.len(),
            Case::new(move || {
                black_box(to_vec(black_box(&value)).unwrap());
            }),
        );
        let (value, mut out, mut state) = (Serde(self.value.clone()), Vec::new(), EncodeState::new());
        group.push(
            "own, serde bridge",
            to_vec(&value).unwrap().len(),
            Case::new(move || {
                connection::write(black_box(&value), &mut out, &mut state);
                black_box(&out);
            }),
        );
        let (value, mut out, mut state) = (Value::parse(&body).unwrap(), Vec::new(), EncodeState::new());
        group.push(
            "Value",
            body.len(),
            Case::new(move || {
                connection::write(black_box(&value), &mut out, &mut state);
                black_box(&out);
            }),
        );
        let (value, mut out) = (self.value.clone(), Vec::new());
        group.push(
            "serde_json",
            serde_json::to_vec(&self.value).unwrap().len(),
            Case::new(move || {
                out.clear();
                serde_json::to_writer(&mut out, black_box(&value)).unwrap();
                black_box(&out);
            }),
        );
        let (value, mut out) = (self.value.clone(), Vec::new());
        group.push(
            "bincode 2",
            bincode_bytes(&self.value).len(),
            Case::new(move || {
                out.clear();
                bincode::serde::encode_into_std_write(
                    black_box(&value),
                    &mut out,
                    bincode::config::standard(),
                )
                .unwrap();
                black_box(&out);
            }),
        );
        #[cfg(feature = "peer-hessian-rs")]
        super::peer::push_encode(&mut group, &body);
        group
    }

    fn decode(&self) -> Group {
        let mut group = Group::new(format!("{}: decode", self.name));
        let bytes = self.message.encode_to_vec();
        assert!(P::decode(&*bytes).unwrap() == self.message);
        group.push(
            "prost",
            bytes.len(),
            Case::new(move || {
                black_box(P::decode(black_box(&*bytes)).unwrap());
            }),
        );
        let body = to_vec(&self.value).unwrap();
        assert!(from_slice::<T>(&body).unwrap() == self.value);
        let (bytes, mut state) = (body.clone(), DecodeState::new());
        group.push(
            "own",
            body.len(),
            Case::new(move || {
                black_box(connection::read::<T>(black_box(&bytes), &mut state));
            }),
        );
        let bytes = body.clone();
        group.push(
            "own, nothing cached",
            body.len(),
            Case::new(move || {
                black_box(from_slice::<T>(black_box(&bytes)).unwrap());
            }),
        );
        let (bytes, mut state, read) = (body.clone(), DecodeState::new(), self.read_borrowed);
        group.push(
            "own, borrowed fields",
            body.len(),
            Case::new(move || read(black_box(&bytes), &mut state)),
        );
        let (bytes, mut state) = (body.clone(), DecodeState::new());
        group.push(
            "own, serde bridge",
            body.len(),
            Case::new(move || {
                black_box(connection::read::<Serde<T>>(black_box(&bytes), &mut state));
            }),
        );
        let (bytes, mut state) = (body.clone(), DecodeState::new());
        group.push(
            "Value",
            body.len(),
            Case::new(move || {
                black_box(connection::read::<Value>(black_box(&bytes), &mut state));
            }),
        );
        let (bytes, mut state) = (body.clone(), DecodeState::new());
        group.push("skip", body.len(), Case::new(move || connection::skip(black_box(&bytes), &mut state)));
        let bytes = serde_json::to_vec(&self.value).unwrap();
        group.push(
            "serde_json",
            bytes.len(),
            Case::new(move || {
                black_box(serde_json::from_slice::<T>(black_box(&bytes)).unwrap());
            }),
        );
        let bytes = bincode_bytes(&self.value);
        group.push(
            "bincode 2",
            bytes.len(),
            Case::new(move || {
                let config = bincode::config::standard();
                black_box(bincode::serde::decode_from_slice::<T, _>(black_box(&bytes), config).unwrap());
            }),
        );
        #[cfg(feature = "peer-hessian-rs")]
        super::peer::push_decode(&mut group, &body);
        group
    }
}

fn bincode_bytes<T: Serialize>(value: &T) -> Vec<u8> {
    bincode::serde::encode_to_vec(value, bincode::config::standard()).unwrap()
}
