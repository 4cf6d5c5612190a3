//! What the last request of a connection began and ended with, and what that meant. Callers send the same head and the same
//! attachments with every call of a method, so most requests need a comparison where they would need reading: five texts and a
//! search in front of the arguments, and some eight texts behind them.
//!
//! ```text
//!   request:  head (protocol, path, version, method, descriptor) | arguments | attachments
//!             same bytes as before: same Route                     always read  same bytes: same timeout
//! ```

use std::{
    sync::{Mutex, TryLockError},
    time::Duration,
};

use crate::serialization::Serialization;

/// Longest head, and longest attachments, that are kept, in bytes.
const KEPT: usize = 1024;

/// Where a request goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Route {
    /// Index among the server's services.
    pub(super) service: usize,
    /// Index among the methods of the service.
    pub(super) method: usize,
    /// Whether the caller understands attachments of an answer.
    pub(super) attachments: bool,
}

/// The memory of one connection. It never waits: where another thread is at it, nothing is known.
#[derive(Debug, Default)]
pub(super) struct Recent(Mutex<Memory>);

#[derive(Debug, Default)]
struct Memory {
    head: Known<Route>,
    attachments: Known<Option<Duration>>,
}

/// Bytes, and what they mean in one serialization.
#[derive(Debug)]
struct Known<T>(Option<(Serialization, Box<[u8]>, T)>);

impl<T> Default for Known<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T: Copy> Known<T> {
    fn learn(&mut self, serialization: Serialization, bytes: &[u8], meaning: T) {
        if (1..=KEPT).contains(&bytes.len()) {
            self.0 = Some((serialization, bytes.into(), meaning));
        }
    }
}

impl Recent {
    /// Where a request with this body goes, and the length of its head, if the last one began like it.
    pub(super) fn route(&self, serialization: Serialization, body: &[u8]) -> Option<(usize, Route)> {
        self.with(|memory| match &memory.head.0 {
            Some((of, head, route)) if *of == serialization && body.starts_with(head) => {
                Some((head.len(), *route))
            }
            _ => None,
        })?
    }

    pub(super) fn learn_route(&self, serialization: Serialization, head: &[u8], route: Route) {
        self.with(|memory| memory.head.learn(serialization, head, route));
    }

    /// The timeout in these attachments, if the last request ended with the same. They name no group and hold nothing for the
    /// service.
    pub(super) fn timeout(
        &self,
        serialization: Serialization,
        attachments: &[u8],
    ) -> Option<Option<Duration>> {
        self.with(|memory| match &memory.attachments.0 {
            Some((of, known, timeout)) if *of == serialization && **known == *attachments => Some(*timeout),
            _ => None,
        })?
    }

    pub(super) fn learn_timeout(
        &self,
        serialization: Serialization,
        attachments: &[u8],
        timeout: Option<Duration>,
    ) {
        self.with(|memory| memory.attachments.learn(serialization, attachments, timeout));
    }

    fn with<T>(&self, what: impl FnOnce(&mut Memory) -> T) -> Option<T> {
        match self.0.try_lock() {
            Ok(mut memory) => Some(what(&mut memory)),
            Err(TryLockError::Poisoned(memory)) => Some(what(&mut memory.into_inner())),
            Err(TryLockError::WouldBlock) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HESSIAN2: Serialization = Serialization::Hessian2;

    #[test]
    fn a_request_that_begins_with_the_whole_head_goes_the_same_way_and_no_other() {
        let recent = Recent::default();
        let route = Route { service: 1, method: 2, attachments: true };
        assert_eq!(recent.route(HESSIAN2, b"head and more"), None);
        recent.learn_route(HESSIAN2, b"head", route);
        assert_eq!(recent.route(HESSIAN2, b"head and more"), Some((4, route)));
        for other in [&b"hea"[..], b"", b"heads"[1..].as_ref(), b"Head and more"] {
            assert_eq!(recent.route(HESSIAN2, other), None, "{other:?}");
        }
    }

    #[test]
    fn attachments_are_known_only_as_a_whole() {
        let recent = Recent::default();
        let timeout = Some(Duration::from_secs(3));
        recent.learn_timeout(HESSIAN2, b"timeout=3", timeout);
        assert_eq!(recent.timeout(HESSIAN2, b"timeout=3"), Some(timeout));
        for other in [&b"timeout="[..], b"timeout=30", b""] {
            assert_eq!(recent.timeout(HESSIAN2, other), None, "{other:?}");
        }
    }

    #[test]
    fn what_is_empty_or_long_is_not_kept() {
        let recent = Recent::default();
        let route = Route { service: 0, method: 0, attachments: false };
        recent.learn_route(HESSIAN2, b"", route);
        assert_eq!(recent.route(HESSIAN2, b"head"), None);
        recent.learn_route(HESSIAN2, &[b'x'; KEPT + 1], route);
        assert_eq!(recent.route(HESSIAN2, &[b'x'; KEPT + 1]), None);
    }

    #[cfg(feature = "protobuf")]
    #[test]
    fn the_same_bytes_in_another_serialization_mean_something_else() {
        let recent = Recent::default();
        recent.learn_route(HESSIAN2, b"head", Route { service: 0, method: 0, attachments: false });
        recent.learn_timeout(HESSIAN2, b"tail", None);
        assert_eq!(recent.route(Serialization::Protobuf, b"head"), None);
        assert_eq!(recent.timeout(Serialization::Protobuf, b"tail"), None);
    }
}
