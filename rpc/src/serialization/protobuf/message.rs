//! Owns what a result is: a message, or a message or null.

use std::marker::PhantomData;

use prost::Message;

/// A kind of result.
pub trait MessageResult: 'static {
    /// What the method gives.
    type Value;
    /// What travels.
    type Message: Message + Default;

    /// The result that a message stands for, or null.
    fn from_message(message: Option<Self::Message>) -> Option<Self::Value>;

    /// The message that stands for a result, or null.
    fn message(value: &Self::Value) -> Option<&Self::Message>;
}

/// A message.
#[derive(Debug)]
pub struct One<M>(PhantomData<fn() -> M>);

/// A message or null.
#[derive(Debug)]
pub struct Nullable<M>(PhantomData<fn() -> M>);

impl<M: Message + Default + 'static> MessageResult for One<M> {
    type Value = M;
    type Message = M;

    fn from_message(message: Option<M>) -> Option<M> {
        // What has no fields says nothing that null does not: Java's `void` gives null.
        message.or_else(|| (size_of::<M>() == 0).then(M::default))
    }

    fn message(value: &M) -> Option<&M> {
        Some(value)
    }
}

impl<M: Message + Default + 'static> MessageResult for Nullable<M> {
    type Value = Option<M>;
    type Message = M;

    fn from_message(message: Option<M>) -> Option<Option<M>> {
        Some(message)
    }

    fn message(value: &Option<M>) -> Option<&M> {
        value.as_ref()
    }
}
