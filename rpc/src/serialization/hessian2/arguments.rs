//! Argument lists as tuples.

use bytes::BytesMut;
use getty::BoxError;
use getty_hessian2::{Decode, DecodeOwned, Encode, Encoder, Result, Sink};

use crate::serialization::{
    ArgumentsError, BodyReader, DecodeArguments, EncodeArguments, Request, Serialization, hessian2::request,
};

/// A tuple of arguments that can be written.
pub(super) trait WriteArguments {
    /// Writes them one after the other.
    fn write<S: Sink>(&self, encoder: &mut Encoder<'_, S>) -> Result<()>;
}

macro_rules! tuples {
    ($($($name:ident $index:tt)*;)*) => {$(
        impl<$($name: Encode),*> WriteArguments for ($($name,)*) {
            #[allow(unused_variables)] // The empty tuple writes nothing.
            fn write<S: Sink>(&self, encoder: &mut Encoder<'_, S>) -> Result<()> {
                $(encoder.write(&self.$index)?;)*
                Ok(())
            }
        }

        impl<$($name: Encode + Send),*> EncodeArguments for ($($name,)*) {
            const SERIALIZATION: Serialization = Serialization::Hessian2;

            fn write_request(&self, out: &mut BytesMut, parts: &Request<'_>) -> Result<usize, BoxError> {
                Ok(request(out, parts, self)?)
            }
        }

        impl<$($name: DecodeOwned),*> DecodeArguments for ($($name,)*) {
            #[allow(unused_variables)] // The empty tuple reads nothing.
            fn decode_arguments(
                body: &mut BodyReader<'_>,
                arguments: &mut Option<Self>,
            ) -> Result<(), ArgumentsError> {
                match body {
                    BodyReader::Hessian2(_, decoder) => {
                        *arguments = Some((
                            $(<$name as Decode<'_>>::decode_from(decoder)
                                .map_err(|error| ArgumentsError::Argument($index, error.into()))?,)*
                        ));
                        Ok(())
                    }
                    #[cfg(feature = "protobuf")]
                    _ => Err(ArgumentsError::Serialization {
                        speaks: Serialization::Hessian2,
                        request: body.serialization(),
                    }),
                }
            }
        }
    )*};
}

tuples! {
    ;
    A 0;
    A 0 B 1;
    A 0 B 1 C 2;
    A 0 B 1 C 2 D 3;
    A 0 B 1 C 2 D 3 E 4;
    A 0 B 1 C 2 D 3 E 4 F 5;
    A 0 B 1 C 2 D 3 E 4 F 5 G 6;
    A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7;
    A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8;
    A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9;
    A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10;
    A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10 L 11;
}
