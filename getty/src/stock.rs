//! Buffers that sessions borrow while they work, so that an idle session has none. Process-wide, bounded to 8 MiB.
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

static STOCK: [Mutex<Vec<BytesMut>>; SHELVES] = [const { Mutex::new(Vec::new()) }; SHELVES];
static THREADS: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static SHELF: Cell<usize> = Cell::new(THREADS.fetch_add(1, Ordering::Relaxed) % SHELVES);
}

/// An empty buffer with room for at least [`CHUNK`] bytes.
pub(crate) fn take() -> BytesMut {
    let own = SHELF.get();
    let found = (0..SHELVES).find_map(|i| {
        let shelf = STOCK.get((own + i) % SHELVES)?;
        match shelf.try_lock() {
            Ok(mut buffers) => buffers.pop(),
            Err(TryLockError::Poisoned(buffers)) => buffers.into_inner().pop(),
            Err(TryLockError::WouldBlock) => None,
        }
    });
    match found {
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
    buffer.clear();
    if buffer.capacity() == 0 || buffer.capacity() > KEEP {
        return;
    }
    if let Some(shelf) = STOCK.get(SHELF.get()) {
        let mut buffers = shelf.lock().unwrap_or_else(PoisonError::into_inner);
        if buffers.len() < PER_SHELF {
            buffers.push(buffer);
        }
    }
}
