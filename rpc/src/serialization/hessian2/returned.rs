//! What a method gives, as its trait declares it: a value, or a value or an exception.

use std::marker::PhantomData;

use bytes::BytesMut;
use getty::BoxError;
use getty_hessian2::{DecodeOwned, DecodeState, Decoder, Encode, Exception, Throwable};

use super::{exception_answer, value_answer};
use crate::{
    error::{Error, Result},
    protocol::Header,
    serialization::{
        AnswerBody, Outcome, Returned, Serialization, Trailer,
        answer::{self, ANY, bad_response},
    },
};

/// A method that gives a `T`.
#[derive(Debug)]
pub struct Plain<T>(PhantomData<fn() -> T>);

/// A method that gives a `T`, or throws an `E`.
#[derive(Debug)]
pub struct Fallible<T, E>(PhantomData<fn() -> (T, E)>);

impl<T: Encode + DecodeOwned + 'static> Returned for Plain<T> {
    type Output = T;

    const SERIALIZATION: Serialization = Serialization::Hessian2;

    fn read(answer: &mut AnswerBody<'_>) -> Result<T> {
        read(answer, value, |d| Err(undeclared(d)))
    }

    fn nothing() -> Result<T> {
        null(value)
    }

    fn write(output: &T, out: &mut BytesMut, header: Header, trailer: Trailer) -> Result<usize, BoxError> {
        Ok(value_answer(out, header, trailer, output)?)
    }
}

impl<T: Encode + DecodeOwned + 'static, E: Exception> Returned for Fallible<T, E> {
    type Output = Result<T, E>;

    const SERIALIZATION: Serialization = Serialization::Hessian2;

    fn read(answer: &mut AnswerBody<'_>) -> Result<Self::Output> {
        read(
            answer,
            |d| value(d).map(Ok),
            |d| {
                let class = d.peek_class().map_err(bad_response)?;
                if E::CLASS == ANY || class.as_deref() == Some(E::CLASS) {
                    d.read().map(Err).map_err(bad_response)
                } else {
                    Err(undeclared(d))
                }
            },
        )
    }

    fn nothing() -> Result<Self::Output> {
        null(|d| value(d).map(Ok))
    }

    fn write(
        output: &Self::Output,
        out: &mut BytesMut,
        header: Header,
        trailer: Trailer,
    ) -> Result<usize, BoxError> {
        Ok(match output {
            Ok(value) => value_answer(out, header, trailer, value)?,
            Err(exception) => exception_answer(out, header, trailer, exception)?,
        })
    }
}

fn read<O>(
    answer: &mut AnswerBody<'_>,
    value: impl FnOnce(&mut Decoder<'_, '_>) -> Result<O>,
    exception: impl FnOnce(&mut Decoder<'_, '_>) -> Result<O>,
) -> Result<O> {
    let AnswerBody { body, state, closing } = answer;
    answer::read(Decoder::new(body, state), closing, |d, outcome| match outcome {
        Outcome::Null => null(value),
        Outcome::Value => value(d),
        Outcome::Exception => exception(d),
    })
}

fn value<T: DecodeOwned>(d: &mut Decoder<'_, '_>) -> Result<T> {
    d.read().map_err(bad_response)
}

fn null<O>(value: impl FnOnce(&mut Decoder<'_, '_>) -> Result<O>) -> Result<O> {
    let mut state = DecodeState::new();
    value(&mut Decoder::new(b"N", &mut state))
}

fn undeclared(d: &mut Decoder<'_, '_>) -> Error {
    match d.read::<Throwable>() {
        Ok(throwable) => Error::exception(throwable),
        Err(error) => bad_response(error),
    }
}
