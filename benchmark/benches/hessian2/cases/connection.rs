//! Owns bodies of one value, written and read as a connection does it: buffer and tables stay from body to body.

use getty_hessian2::{Decode, DecodeState, Decoder, Encode, EncodeState, Encoder};

/// Replaces what `out` holds by the value.
pub(crate) fn write<T: Encode + ?Sized>(value: &T, out: &mut Vec<u8>, state: &mut EncodeState) {
    out.clear();
    state.begin(out);
    Encoder::new(out, state).write(value).unwrap();
}

/// Reads the value that is all of `body`.
pub(crate) fn read<'de, T: Decode<'de>>(body: &'de [u8], state: &mut DecodeState) -> T {
    state.reset();
    let mut decoder = Decoder::new(body, state);
    let value = decoder.read().unwrap();
    decoder.end().unwrap();
    value
}

/// Goes over the value that is all of `body`.
pub(crate) fn skip(body: &[u8], state: &mut DecodeState) {
    state.reset();
    let mut decoder = Decoder::new(body, state);
    decoder.skip().unwrap();
    decoder.end().unwrap();
}
