//! What a method gives, as its trait declares it: a message, or a message or an exception.

use std::marker::PhantomData;

use bytes::BytesMut;
use getty::BoxError;
use getty_hessian2::Throwable;

use super::{Items, MessageResult, ProtobufException, exception, exception_answer, message_answer, name_of};
use crate::{
    error::{Error, Result},
    prost,
    protocol::Header,
    serialization::{
        AnswerBody, Outcome, Returned, Serialization, Trailer,
        answer::{self, ANY, bad_response},
    },
};

/// A method that gives an `R`.
#[derive(Debug)]
pub struct PlainMessage<R>(PhantomData<fn() -> R>);

/// A method that gives an `R`, or throws an `E`.
#[derive(Debug)]
pub struct FallibleMessage<R, E>(PhantomData<fn() -> (R, E)>);

impl<R: MessageResult> Returned for PlainMessage<R> {
    type Output = R::Value;

    const SERIALIZATION: Serialization = Serialization::Protobuf;

    fn read(answer: &mut AnswerBody<'_>) -> Result<R::Value> {
        read::<R, _>(answer, Ok, |throwable| Err(Error::exception(throwable)))
    }

    fn nothing() -> Result<R::Value> {
        value::<R>(None)
    }

    fn write(
        output: &R::Value,
        out: &mut BytesMut,
        header: Header,
        trailer: Trailer,
    ) -> Result<usize, BoxError> {
        Ok(message_answer(out, header, trailer, R::message(output)))
    }
}

impl<R: MessageResult, E: ProtobufException> Returned for FallibleMessage<R, E> {
    type Output = Result<R::Value, E>;

    const SERIALIZATION: Serialization = Serialization::Protobuf;

    fn read(answer: &mut AnswerBody<'_>) -> Result<Self::Output> {
        let value = |value| Ok(Ok(value));
        read::<R, _>(answer, value, |throwable| match throwable.class() {
            class if E::CLASS == ANY || class == E::CLASS => Ok(Err(E::from_throwable(throwable))),
            _ => Err(Error::exception(throwable)),
        })
    }

    fn nothing() -> Result<Self::Output> {
        value::<R>(None).map(Ok)
    }

    fn write(
        output: &Self::Output,
        out: &mut BytesMut,
        header: Header,
        trailer: Trailer,
    ) -> Result<usize, BoxError> {
        Ok(match output {
            Ok(value) => message_answer(out, header, trailer, R::message(value)),
            Err(exception) => exception_answer(out, header, trailer, exception),
        })
    }
}

fn read<R: MessageResult, O>(
    answer: &mut AnswerBody<'_>,
    output: impl FnOnce(R::Value) -> Result<O>,
    exception: impl FnOnce(Throwable) -> Result<O>,
) -> Result<O> {
    answer::read(Items::new(answer.body), &mut answer.closing, |items, outcome| match outcome {
        Outcome::Null => value::<R>(None).and_then(output),
        Outcome::Value => {
            let item = items.next_of::<R::Message>().map_err(bad_response)?;
            value::<R>(Some(item)).and_then(output)
        }
        Outcome::Exception => {
            let item = items.next("an exception").map_err(bad_response)?;
            exception::read(item).map_err(bad_response).and_then(exception)
        }
    })
}

/// The value in an item, or null.
fn value<R: MessageResult>(item: Option<&[u8]>) -> Result<R::Value> {
    let name = name_of::<R::Message>;
    let mut message = None;
    if let Some(item) = item
        && let Err(error) = prost::merge(message.insert(R::Message::default()), item)
    {
        let text = format!("the result, which is a {}: {error}", name());
        return Err(bad_response(text).caused_by(error));
    }
    let null =
        || format!("null came, and the method gives a {}; one that may give null gives an Option", name());
    R::from_message(message).ok_or_else(|| bad_response(null()))
}
