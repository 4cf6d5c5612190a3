//! The decoding states of one connection, lent to one body after the other. They keep the class definitions of this peer, and of no
//! other.

use std::sync::{Mutex, MutexGuard, PoisonError};

use getty_hessian2::DecodeState;

use crate::serialization::Serialization;

/// States that a connection keeps: as many as bodies are decoded at a time, within reason.
const KEPT: usize = 16;

/// States that nobody uses at present.
#[derive(Default)]
pub(crate) struct DecodeStates(Mutex<Vec<DecodeState>>);

impl DecodeStates {
    /// Lends a state for a body whose header has this serialization. Only hessian2 learns anything, so others get an empty one.
    pub(crate) fn lend<T>(&self, serialization: u8, decode: impl FnOnce(&mut DecodeState) -> T) -> T {
        if serialization != Serialization::Hessian2.id() {
            return decode(&mut DecodeState::new());
        }
        let mut state = self.lock().pop().unwrap_or_default();
        let decoded = decode(&mut state);
        state.reset();
        let mut states = self.lock();
        if states.len() < KEPT {
            states.push(state);
        }
        decoded
    }

    fn lock(&self) -> MutexGuard<'_, Vec<DecodeState>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
