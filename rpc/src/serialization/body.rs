//! The body of a request, read from front to back in whatever serialization it is.

use getty::BoxError;
use getty_hessian2::{DecodeState, Decoder};

#[cfg(feature = "protobuf")]
use super::protobuf::{self, Items};
use super::{Head, RequestAttachments, Serialization, hessian2};

/// The body of a request.
#[derive(Debug)]
pub enum BodyReader<'a> {
    /// In hessian2.
    Hessian2(&'a [u8], Decoder<'a, 'a>),
    /// In protobuf.
    #[cfg(feature = "protobuf")]
    Protobuf(Items<'a>),
}

impl<'a> BodyReader<'a> {
    pub(crate) fn new(serialization: Serialization, body: &'a [u8], state: &'a mut DecodeState) -> Self {
        match serialization {
            Serialization::Hessian2 => Self::Hessian2(body, Decoder::new(body, state)),
            #[cfg(feature = "protobuf")]
            Serialization::Protobuf => Self::Protobuf(Items::new(body)),
        }
    }

    pub(crate) fn serialization(&self) -> Serialization {
        match self {
            Self::Hessian2(..) => Serialization::Hessian2,
            #[cfg(feature = "protobuf")]
            Self::Protobuf(_) => Serialization::Protobuf,
        }
    }

    /// Goes on behind a head of so many bytes, which is known already.
    pub(crate) fn skip_head(&mut self, length: usize) {
        match self {
            Self::Hessian2(_, decoder) => decoder.advance(length),
            #[cfg(feature = "protobuf")]
            Self::Protobuf(items) => items.advance(length),
        }
    }

    /// What is not read yet.
    pub(crate) fn rest(&self) -> &'a [u8] {
        match self {
            Self::Hessian2(body, decoder) => body.get(decoder.position()..).unwrap_or_default(),
            #[cfg(feature = "protobuf")]
            Self::Protobuf(items) => items.rest(),
        }
    }

    /// Reads what stands at the front.
    pub(crate) fn head(&mut self) -> Result<Head<'a>, BoxError> {
        match self {
            Self::Hessian2(_, decoder) => Ok(hessian2::head(decoder)?),
            #[cfg(feature = "protobuf")]
            Self::Protobuf(items) => Ok(protobuf::head(items)?),
        }
    }

    /// The bytes of the next value. Those of a request's first argument stand for themselves: the values before it are text, and
    /// neither define classes nor can be referred to.
    pub(crate) fn skipped(&mut self) -> Result<&'a [u8], BoxError> {
        match self {
            Self::Hessian2(body, decoder) => Ok(hessian2::skipped(body, decoder)?),
            #[cfg(feature = "protobuf")]
            Self::Protobuf(items) => Ok(items.skipped()?),
        }
    }

    /// The group that the attachments behind so many arguments name. Nothing is taken off the body.
    pub(crate) fn group_behind(&mut self, arguments: usize) -> Result<Option<String>, BoxError> {
        match self {
            Self::Hessian2(_, decoder) => {
                let here = decoder.mark();
                let group = (0..arguments)
                    .try_for_each(|_| decoder.skip())
                    .and_then(|()| hessian2::request_attachments(decoder))
                    .map(|attachments| attachments.group);
                decoder.rewind(here);
                Ok(group?)
            }
            #[cfg(feature = "protobuf")]
            Self::Protobuf(items) => {
                let mut items = items.clone();
                for _ in 0..arguments {
                    items.skipped()?;
                }
                Ok(protobuf::request_attachments(&mut items)?.group)
            }
        }
    }

    /// Reads the attachments behind the arguments; where the body ends before them there are none.
    pub(crate) fn attachments(&mut self) -> Result<RequestAttachments, BoxError> {
        match self {
            Self::Hessian2(body, decoder) => {
                let is_plain_map = body.get(decoder.position()) == Some(&hessian2::MAP);
                let mut read = hessian2::request_attachments(decoder)?;
                read.varies |= !is_plain_map;
                Ok(read)
            }
            #[cfg(feature = "protobuf")]
            Self::Protobuf(items) => Ok(protobuf::request_attachments(items)?),
        }
    }
}
