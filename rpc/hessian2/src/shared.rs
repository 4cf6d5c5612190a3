//! Owns `Shared`, which keeps the identity of an object that several places hold. It never makes cycles.

use std::any::Any;
use std::collections::HashMap;
use std::ops::Deref;
use std::sync::Arc;

use crate::decode::{Decode, Decoder, table_growth};
use crate::encode::{Encode, Encoder};
use crate::error::Result;
use crate::java::JavaType;
use crate::sink::Sink;

/// A list, map or object that several places of a body may hold.
///
/// Written once and then referred to; read back, all places hold the same [`Arc`]. Without it, each place has a copy
/// of its own, on the wire and in Rust. The states keep a handle to each shared value until the next body begins.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Shared<T>(pub Arc<T>);

/// Numbers of the shared values that a body holds already, by address. The handle keeps the address taken.
pub(crate) type Written = HashMap<usize, (u32, Arc<dyn Any + Send + Sync>)>;

/// Shared values that were read from a body, by number.
pub(crate) type Read = HashMap<u32, Arc<dyn Any + Send + Sync>>;

/// Bytes of an entry of [`Read`].
const ENTRY: usize = size_of::<(u32, Arc<dyn Any + Send + Sync>)>();

impl<T> Shared<T> {
    /// A value that is shared by cloning the handle.
    pub fn new(value: T) -> Self {
        Self(Arc::new(value))
    }

    /// Whether both are the same value, and not just equal ones.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> From<T> for Shared<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: JavaType> JavaType for Shared<T> {
    const DESCRIPTOR: &'static str = T::DESCRIPTOR;
    const BOXED: &'static str = T::BOXED;
    const SLICE: &'static str = T::SLICE;
}

impl<T: Encode + Send + Sync + 'static> Encode for Shared<T> {
    fn encode_to<S: Sink>(&self, e: &mut Encoder<'_, S>) -> Result<()> {
        let address = Arc::as_ptr(&self.0).addr();
        if let Some(&(slot, _)) = e.shared().get(&address) {
            e.reference(slot);
            return Ok(());
        }
        let slot = e.next_slot();
        self.0.encode_to(e)?;
        // Text and numbers have no number of their own: they are written anew each time.
        if e.next_slot() != slot {
            e.shared().insert(address, (slot, Arc::clone(&self.0) as _));
        }
        Ok(())
    }
}

impl<'de, T: Decode<'de> + Send + Sync + 'static> Decode<'de> for Shared<T> {
    fn decode_from(d: &mut Decoder<'de, '_>) -> Result<Self> {
        let target = d.peek_reference()?;
        if let Some(slot) = target
            && let Some(shared) = d.shared().get(&slot)
            && let Ok(shared) = Arc::clone(shared).downcast()
        {
            d.skip()?;
            return Ok(Self(shared));
        }
        let slot = target.unwrap_or_else(|| d.next_slot());
        let shared: Arc<T> = d.read()?;
        if target.is_some() || d.next_slot() != slot {
            let growth = table_growth(d.shared().len(), ENTRY);
            d.charge(growth)?;
            d.shared().insert(slot, Arc::clone(&shared) as _);
        }
        Ok(Self(shared))
    }

    fn absent(field: &'static str) -> Result<Self> {
        T::absent(field).map(Self::new)
    }
}
