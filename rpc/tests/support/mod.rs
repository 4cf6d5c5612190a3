//! What several test files share: raw frames, peers that are no sessions, a service, and running servers. It decides no test.

#![allow(dead_code, unused_imports, reason = "each test binary uses a part of it")]

mod answers;
mod anything;
mod asking;
mod frames;
mod network;
mod panics;
mod peer;
mod probe;
mod serving;
mod vectors;

use std::{future::IntoFuture, time::Duration};

pub(crate) use answers::{INT, STRING, assert_serves, probe, text, value, values};
pub(crate) use anything::{Seen, everything};
pub(crate) use asking::{Any, AnyClient, Outcome, asked, connected};
pub(crate) use frames::{
    Request, body, error_body, event, exception_body, frame, heartbeat, null_body, read_only, response,
    value_body,
};
pub(crate) use network::{Behaviour, Network};
pub(crate) use panics::count_panics;
pub(crate) use peer::{Fake, FakePipe, Peer, PipeEnd, Pipes};
pub(crate) use probe::{NotFound, Probe, ProbeClient, ProbeServer, Probing};
pub(crate) use serving::{Counted, Provider, Serving, called, over_pipes, patient, serve};
pub(crate) use vectors::{Asked, Row, parameters, request_attachments, rows};

/// Far more than anything here takes. What has not come by then will never come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Waits for what must come.
pub(crate) async fn within<T>(future: impl IntoFuture<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.expect("what the test waits for does not come")
}
