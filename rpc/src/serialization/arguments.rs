//! Argument lists as tuples.

use getty_hessian2::{Decode, DecodeOwned, Decoder, Encode, Encoder, Result, Sink};

/// A tuple of arguments that can be written.
pub trait EncodeArguments: Send {
    /// Writes them one after the other.
    ///
    /// # Errors
    /// Of the first that cannot be written.
    fn encode_arguments<S: Sink>(&self, encoder: &mut Encoder<'_, S>) -> Result<()>;
}

/// A tuple of arguments that can be read.
pub trait DecodeArguments: Sized {
    /// Reads them one after the other.
    ///
    /// # Errors
    /// Of the first that cannot be read, and its index.
    fn decode_arguments(
        decoder: &mut Decoder<'_, '_>,
    ) -> std::result::Result<Self, (usize, getty_hessian2::Error)>;
}

macro_rules! tuples {
    ($($($name:ident $index:tt)*;)*) => {$(
        impl<$($name: Encode + Send),*> EncodeArguments for ($($name,)*) {
            #[allow(unused_variables)] // The empty tuple writes nothing.
            fn encode_arguments<S: Sink>(&self, encoder: &mut Encoder<'_, S>) -> Result<()> {
                $(encoder.write(&self.$index)?;)*
                Ok(())
            }
        }

        impl<$($name: DecodeOwned),*> DecodeArguments for ($($name,)*) {
            #[allow(unused_variables)] // The empty tuple reads nothing.
            fn decode_arguments(decoder: &mut Decoder<'_, '_>) -> std::result::Result<Self, (usize, getty_hessian2::Error)> {
                Ok(($(<$name as Decode<'_>>::decode_from(decoder).map_err(|e| ($index, e))?,)*))
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
