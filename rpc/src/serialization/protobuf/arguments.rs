//! Argument lists as tuples of messages.

use std::marker::PhantomData;

use bytes::BytesMut;
use getty::BoxError;
use prost::Message;

use super::{
    name_of, put_message, request,
    wire::{put_bytes_value, put_string_value},
};
use crate::serialization::{
    ArgumentsError, BodyReader, DecodeArguments, EncodeArguments, Request, Serialization,
};

/// What may stand for an argument of type `M` in a call: an `M`, a `&M`, and for text and bytes also `&str` and `&[u8]`.
///
/// Client stubs take `impl MessageAs<M>`.
pub trait MessageAs<M> {
    /// Writes it as an item of a body.
    fn put(&self, out: &mut BytesMut);
}

impl<M: Message> MessageAs<M> for M {
    fn put(&self, out: &mut BytesMut) {
        put_message(out, self);
    }
}

impl<M: Message> MessageAs<M> for &M {
    fn put(&self, out: &mut BytesMut) {
        put_message(out, *self);
    }
}

impl MessageAs<String> for &str {
    fn put(&self, out: &mut BytesMut) {
        put_string_value(out, self);
    }
}

impl MessageAs<Vec<u8>> for &[u8] {
    fn put(&self, out: &mut BytesMut) {
        put_bytes_value(out, self);
    }
}

/// Arguments: the messages `M`, or what stands for them.
#[derive(Debug)]
pub struct MessageArguments<M, A = M> {
    arguments: A,
    messages: PhantomData<fn() -> M>,
}

impl<M, A> MessageArguments<M, A> {
    /// These arguments.
    pub fn new(arguments: A) -> Self {
        Self { arguments, messages: PhantomData }
    }

    /// The arguments.
    pub fn into_inner(self) -> A {
        self.arguments
    }
}

macro_rules! tuples {
    ($($($message:ident $argument:ident $index:tt)*;)*) => {$(
        impl<$($message, $argument: MessageAs<$message> + Send),*> EncodeArguments
            for MessageArguments<($($message,)*), ($($argument,)*)>
        {
            const SERIALIZATION: Serialization = Serialization::Protobuf;

            #[allow(unused_variables)] // The empty tuple writes nothing.
            fn write_request(&self, out: &mut BytesMut, parts: &Request<'_>) -> Result<usize, BoxError> {
                Ok(request(out, parts, |out| {
                    $(self.arguments.$index.put(out);)*
                }))
            }
        }

        impl<$($message: Message + Default),*> DecodeArguments for MessageArguments<($($message,)*)> {
            #[allow(unused_variables)] // The empty tuple reads nothing.
            fn decode_arguments(
                body: &mut BodyReader<'_>,
                arguments: &mut Option<Self>,
            ) -> Result<(), ArgumentsError> {
                let BodyReader::Protobuf(items) = body else {
                    return Err(ArgumentsError::Serialization {
                        speaks: Serialization::Protobuf,
                        request: body.serialization(),
                    });
                };
                let arguments = arguments.insert(Self::new(($($message::default(),)*)));
                $(
                    items
                        .next_of::<$message>()
                        .map_err(BoxError::from)
                        .and_then(|item| merge(&mut arguments.arguments.$index, item))
                        .map_err(|error| ArgumentsError::Argument($index, error))?;
                )*
                Ok(())
            }
        }
    )*};
}

tuples! {
    ;
    M0 A0 0;
    M0 A0 0 M1 A1 1;
    M0 A0 0 M1 A1 1 M2 A2 2;
    M0 A0 0 M1 A1 1 M2 A2 2 M3 A3 3;
    M0 A0 0 M1 A1 1 M2 A2 2 M3 A3 3 M4 A4 4;
    M0 A0 0 M1 A1 1 M2 A2 2 M3 A3 3 M4 A4 4 M5 A5 5;
    M0 A0 0 M1 A1 1 M2 A2 2 M3 A3 3 M4 A4 4 M5 A5 5 M6 A6 6;
    M0 A0 0 M1 A1 1 M2 A2 2 M3 A3 3 M4 A4 4 M5 A5 5 M6 A6 6 M7 A7 7;
    M0 A0 0 M1 A1 1 M2 A2 2 M3 A3 3 M4 A4 4 M5 A5 5 M6 A6 6 M7 A7 7 M8 A8 8;
    M0 A0 0 M1 A1 1 M2 A2 2 M3 A3 3 M4 A4 4 M5 A5 5 M6 A6 6 M7 A7 7 M8 A8 8 M9 A9 9;
    M0 A0 0 M1 A1 1 M2 A2 2 M3 A3 3 M4 A4 4 M5 A5 5 M6 A6 6 M7 A7 7 M8 A8 8 M9 A9 9 M10 A10 10;
    M0 A0 0 M1 A1 1 M2 A2 2 M3 A3 3 M4 A4 4 M5 A5 5 M6 A6 6 M7 A7 7 M8 A8 8 M9 A9 9 M10 A10 10 M11 A11 11;
}

fn merge<M: Message>(message: &mut M, item: &[u8]) -> Result<(), BoxError> {
    crate::prost::merge(message, item).map_err(|error| format!("it is no {}: {error}", name_of::<M>()).into())
}
