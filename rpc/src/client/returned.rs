//! What a method gives back, as its trait declares it: a value, or a value or an exception.

use std::marker::PhantomData;

use getty_hessian2::{DecodeOwned, Decoder, Encode, Exception};

use crate::{
    error::{Error, ErrorKind, Result},
    serialization::hessian2,
    server::Reply,
};

/// A method that declares this class declares everything.
const ANY: &str = "java.lang.Throwable";

/// The return type of a method.
pub trait Returned: 'static {
    /// What the method gives.
    type Output;

    /// Reads a value.
    ///
    /// # Errors
    /// [`ErrorKind::BadResponse`] when it is none of this type.
    fn value(decoder: &mut Decoder<'_, '_>) -> Result<Self::Output>;

    /// Reads an exception.
    ///
    /// # Errors
    /// [`ErrorKind::Exception`] when the method does not declare this one.
    fn exception(decoder: &mut Decoder<'_, '_>) -> Result<Self::Output>;

    /// Writes the answer of a method that gave this.
    fn reply(output: Self::Output, reply: Reply<'_>);
}

/// A method that gives a `T`.
#[derive(Debug)]
pub struct Plain<T>(PhantomData<fn() -> T>);

/// A method that gives a `T`, or throws an `E`.
#[derive(Debug)]
pub struct Fallible<T, E>(PhantomData<fn() -> (T, E)>);

impl<T: Encode + DecodeOwned + 'static> Returned for Plain<T> {
    type Output = T;

    fn value(decoder: &mut Decoder<'_, '_>) -> Result<T> {
        decoder.read().map_err(bad_response)
    }

    fn exception(decoder: &mut Decoder<'_, '_>) -> Result<T> {
        Err(undeclared(decoder))
    }

    fn reply(output: T, reply: Reply<'_>) {
        reply.value(&output);
    }
}

impl<T: Encode + DecodeOwned + 'static, E: Exception> Returned for Fallible<T, E> {
    type Output = std::result::Result<T, E>;

    fn value(decoder: &mut Decoder<'_, '_>) -> Result<Self::Output> {
        decoder.read().map(Ok).map_err(bad_response)
    }

    fn exception(decoder: &mut Decoder<'_, '_>) -> Result<Self::Output> {
        let class = decoder.peek_class().map_err(bad_response)?;
        if E::CLASS == ANY || class.as_deref() == Some(E::CLASS) {
            decoder.read().map(Err).map_err(bad_response)
        } else {
            Err(undeclared(decoder))
        }
    }

    fn reply(output: Self::Output, reply: Reply<'_>) {
        match output {
            Ok(value) => reply.value(&value),
            Err(exception) => reply.exception(&exception),
        }
    }
}

fn undeclared(decoder: &mut Decoder<'_, '_>) -> Error {
    match hessian2::throwable(decoder) {
        Ok(throwable) => Error::exception(throwable),
        Err(error) => bad_response(error),
    }
}

pub(super) fn bad_response(error: getty_hessian2::Error) -> Error {
    Error::may_have_run(ErrorKind::BadResponse, error.to_string()).caused_by(error)
}
