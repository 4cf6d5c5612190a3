//! What threads share, and wait by. Sources whose protocol between threads is checked take these types from here and not from std
//! and tokio: `getty/loom` compiles the very same sources with loom's types in their place.

pub(crate) use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError, atomic};

pub(crate) use tokio::{runtime::Handle, sync::Notify};
