//! Codecs of `tokio_util` as protocols. It knows no socket, and trusts no length.

use std::{fmt, marker::PhantomData, sync::Arc};

use bytes::BytesMut;
use tokio_util::codec::{Decoder, Encoder};

use super::{ConnInfo, Opened, Protocol, Reader, Step, Writer};
use crate::{BoxError, Out, stock::CHUNK};

/// A buffer of up to this many bytes is left as a decoder leaves it.
const SPARE: usize = 4 * CHUNK;

type Make<C> = Arc<dyn Fn() -> C + Send + Sync>;

/// A protocol made of a codec of [`tokio_util`]: `on_message` gets what its [`Decoder`] gives, and what is written is a `T` for
/// its [`Encoder`].
///
/// ```no_run
/// use bytes::{Bytes, BytesMut};
/// use getty::{Codec, Server, Session, on_message};
/// use tokio_util::codec::LengthDelimitedCodec;
///
/// type Frames = Codec<LengthDelimitedCodec, Bytes>;
///
/// # async fn run() -> std::io::Result<()> {
/// let echo = on_message(|session: &Session<Frames>, frame: BytesMut| {
///     let _ = session.write(frame.freeze());
/// });
/// Server::bind("127.0.0.1:7001").await?.serve(Codec::new(LengthDelimitedCodec::new), echo).await
/// # }
/// ```
///
/// * Every session has two codecs of its own, one that decodes and one that encodes; so nothing that decoding learns is known to
///   the encoding.
/// * An error of the decoder ends the session with [`Error::Read`](crate::Error::Read), one of the encoder is
///   [`WriteError::Encode`](crate::WriteError::Encode).
/// * [`Limits::max_packet`](field@crate::Limits::max_packet) bounds each packet, with what the decoder has taken of it already, also
///   where the codec has no limit. What a decoder reserves for a length that was only claimed is given back.
/// * When the peer finishes, [`Decoder::decode_eof`] says what the rest is. Rests that it knows nothing of end the session with
///   [`Error::Truncated`](crate::Error::Truncated).
/// * Each packet must take bytes of its own. A decoder that makes several packets of one piece of input, and gives them one by one,
///   has to give them as one.
pub struct Codec<C, T> {
    make: Make<C>,
    written: PhantomData<fn(T)>,
}

impl<C, T> Codec<C, T> {
    /// Of a function that makes codecs, such as `LinesCodec::new`. It is called twice for every session, and once more where a
    /// message of a transport of messages was no whole packet.
    pub fn new(make: impl Fn() -> C + Send + Sync + 'static) -> Self {
        Self { make: Arc::new(make), written: PhantomData }
    }
}

impl<C, T> Protocol for Codec<C, T>
where
    C: Decoder<Item: Send + 'static, Error: Into<BoxError>>
        + Encoder<T, Error: Into<BoxError>>
        + Send
        + 'static,
    T: 'static,
{
    type Reader = Decoding<C>;
    type Writer = Encoding<C, T>;
    type State = ();

    fn open(&self, _: &ConnInfo) -> Opened<Decoding<C>, Encoding<C, T>, ()> {
        let make = Arc::clone(&self.make);
        let reader = Decoding { decoder: make(), make, held: 0 };
        Opened::new(reader, Encoding { encoder: (self.make)(), written: PhantomData }, ())
    }
}

impl<C, T> Clone for Codec<C, T> {
    fn clone(&self) -> Self {
        Self { make: Arc::clone(&self.make), written: PhantomData }
    }
}

impl<C, T> fmt::Debug for Codec<C, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Codec").finish_non_exhaustive()
    }
}

/// The Reader of a [`Codec`].
pub struct Decoding<C> {
    decoder: C,
    make: Make<C>,
    /// What the decoder has taken since its last packet.
    held: usize,
}

/// Nothing in it is ever pinned.
impl<C> Unpin for Decoding<C> {}

impl<C: Decoder<Error: Into<BoxError>>> Decoding<C> {
    fn step(
        &mut self,
        buf: &mut BytesMut,
        decode: impl FnOnce(&mut C, &mut BytesMut) -> Result<Option<C::Item>, C::Error>,
    ) -> Result<Step<C::Item>, BoxError> {
        let before = buf.len();
        match decode(&mut self.decoder, buf).map_err(Into::<BoxError>::into)? {
            Some(packet) => {
                self.held = 0;
                Ok(Step::Packet(packet))
            }
            None => {
                self.held = self.held.saturating_add(before.saturating_sub(buf.len()));
                give_back(buf);
                Ok(Step::Need(0))
            }
        }
    }
}

impl<C> Reader for Decoding<C>
where
    C: Decoder<Item: Send + 'static, Error: Into<BoxError>> + Send + 'static,
{
    type Packet = C::Item;

    fn read(&mut self, buf: &mut BytesMut) -> Result<Step<C::Item>, BoxError> {
        self.step(buf, C::decode)
    }

    fn held(&self) -> usize {
        self.held
    }

    fn read_end(&mut self, buf: &mut BytesMut) -> Result<Step<C::Item>, BoxError> {
        self.step(buf, C::decode_eof)
    }

    fn reset(&mut self) {
        self.decoder = (self.make)();
        self.held = 0;
    }
}

impl<C> fmt::Debug for Decoding<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decoding").field("held", &self.held).finish_non_exhaustive()
    }
}

/// A length in the input is only a claim, so no more room is kept than twice what has come.
fn give_back(buf: &mut BytesMut) {
    if buf.capacity() > SPARE.max(buf.len().saturating_mul(2)) {
        let mut fitting = BytesMut::with_capacity(buf.len().saturating_add(CHUNK));
        fitting.extend_from_slice(buf);
        *buf = fitting;
    }
}

/// The Writer of a [`Codec`].
pub struct Encoding<C, T> {
    encoder: C,
    written: PhantomData<fn(T)>,
}

impl<C, T> Writer for Encoding<C, T>
where
    C: Encoder<T, Error: Into<BoxError>> + Send + 'static,
    T: 'static,
{
    type Packet = T;

    fn write(&mut self, packet: T, out: &mut Out) -> Result<(), BoxError> {
        self.encoder.encode(packet, out.tail_mut()).map_err(Into::into)
    }
}

impl<C, T> fmt::Debug for Encoding<C, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encoding").finish_non_exhaustive()
    }
}
