//! The Dubbo protocol as bytes: headers, frames, statuses, events. No socket, no clock, no serialization.
//!
//! ```text
//!    0        2      3        4                    12            16
//!   +--------+------+--------+--------------------+-------------+----------------
//!   | da  bb | flag | status | request id (8)     | length (4)  | body ...
//!   +--------+------+--------+--------------------+-------------+----------------
//!             |
//!             +- 80 request | 40 two-way | 20 event | serialization id (1f)
//! ```

mod frame;
mod header;
mod status;

pub use frame::{Frame, FrameError, FrameReader};
pub use header::{HEADER, Header, HeaderError, Kind};
pub use status::Status;

/// What the event body says that tells a client to send no further calls; sent at a provider's shutdown.
pub const READ_ONLY: &str = "R";
/// What the event body says that takes [`READ_ONLY`] back.
pub const WRITEABLE: &str = "W";
/// Dubbo's default for the longest body, in bytes, in either direction (`payload`).
pub const PAYLOAD: usize = 8 * 1024 * 1024;
/// The protocol version that both Java and Go send in a request.
pub const DUBBO_VERSION: &str = "2.0.2";

/// Whether a caller that sent this protocol version understands attachments in answers (result types 3 to 5): 2.0.2 up to
/// 2.0.99, as Java's provider decides it. Callers before 2.6.3 send their release there and know only types 0 to 2.
pub fn takes_attachments(version: &str) -> bool {
    if version == DUBBO_VERSION {
        // Nearly all peers of today say so.
        return true;
    }
    let mut parts = version.split('.').map(|part| part.parse::<u32>().ok());
    let numbers = (parts.next().flatten(), parts.next().flatten(), parts.next().flatten(), parts.next());
    matches!(numbers, (Some(2), Some(0), Some(2..=99), None))
}

#[cfg(test)]
mod tests {
    use super::takes_attachments;

    #[test]
    fn attachments_go_to_the_versions_that_java_sends_them_to() {
        for version in ["2.0.2", "2.0.10", "2.0.99"] {
            assert!(takes_attachments(version), "{version}");
        }
        for version in
            ["", "2", "2.0.1", "2.5.3", "2.6.2", "2.6.3", "2.7.0", "3.3.2", "2.0.100", "2.0.2.1", "x"]
        {
            assert!(!takes_attachments(version), "{version}");
        }
    }
}
