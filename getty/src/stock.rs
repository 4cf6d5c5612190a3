//! Buffers that sessions borrow while they work, so that an idle session has none. Process-wide, bounded to 8 MiB for reading
//! and as much for writing.
//!
//! The shelves are many so that threads rarely meet: each thread has a favourite and looks at the others only without waiting.

use std::{
    cell::Cell,
    sync::{
        Mutex, PoisonError, TryLockError,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::BytesMut;

/// Size of a fresh buffer, and of a read, in bytes.
pub(crate) const CHUNK: usize = 64 * 1024;
/// A buffer that grew beyond this is not kept.
const KEEP: usize = 4 * CHUNK;
const SHELVES: usize = 8;
const PER_SHELF: usize = 4;

static CHUNKS: Stock<BytesMut> = Stock::new();
static THREADS: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static SHELF: Cell<usize> = Cell::new(THREADS.fetch_add(1, Ordering::Relaxed) % SHELVES);
}

/// What is borrowed, and given back.
pub(crate) struct Stock<T>([Mutex<Vec<T>>; SHELVES]);

impl<T> Stock<T> {
    pub(crate) const fn new() -> Self {
        Self([const { Mutex::new(Vec::new()) }; SHELVES])
    }

    pub(crate) fn take(&self) -> Option<T> {
        let own = SHELF.get();
        (0..SHELVES).find_map(|i| {
            let shelf = self.0.get((own + i) % SHELVES)?;
            match shelf.try_lock() {
                Ok(mut shelf) => shelf.pop(),
                Err(TryLockError::Poisoned(shelf)) => shelf.into_inner().pop(),
                Err(TryLockError::WouldBlock) => None,
            }
        })
    }

    /// Drops it if the shelf is full.
    pub(crate) fn give(&self, one: T) {
        if let Some(shelf) = self.0.get(SHELF.get()) {
            let mut shelf = shelf.lock().unwrap_or_else(PoisonError::into_inner);
            if shelf.len() < PER_SHELF {
                shelf.push(one);
            }
        }
    }
}

/// An empty buffer with room for at least [`CHUNK`] bytes.
pub(crate) fn take() -> BytesMut {
    match CHUNKS.take() {
        Some(mut buffer) => {
            // Where slices of it are still held elsewhere this makes a new one; else it is the whole old one again.
            buffer.reserve(CHUNK);
            buffer
        }
        None => BytesMut::with_capacity(CHUNK),
    }
}

/// Takes a buffer back. What is in it is dropped.
pub(crate) fn give(mut buffer: BytesMut) {
    freshen(&mut buffer);
    if buffer.capacity() > 0 {
        CHUNKS.give(buffer);
    }
}

/// Empties a buffer, and gives up one that grew too large to be kept.
pub(crate) fn freshen(buffer: &mut BytesMut) {
    buffer.clear();
    if buffer.capacity() > KEEP {
        *buffer = BytesMut::new();
    }
}
