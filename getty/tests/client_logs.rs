//! What a client writes to the log while its peer is away.
//!
//! One test alone: see `Logs`.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use std::time::Duration;

use getty::on_message;
use support::{Found, Logs, Place, frame};
use tokio::time::sleep;
use tracing::Level;

const SECOND: Duration = Duration::from_secs(1);
const MILLI: Duration = Duration::from_millis(1);

#[tokio::test(start_paused = true)]
async fn there_is_one_log_line_when_a_client_begins_to_fail_and_one_when_it_is_well_again() {
    let logs = Logs::here();
    let place = Place::new(Place::echo());
    let client = place.client(4, on_message(|_, _| {}));
    client.connect().await.unwrap();
    assert!(logs.of("the place").is_empty());
    for found in [
        Found::Refusal,
        Found::Brief { sends: vec![], after: Duration::ZERO },
        Found::Brief { sends: frame(b"heartbeat"), after: 50 * MILLI },
    ] {
        sleep(10 * SECOND).await;
        place.put(found);
        place.close_all();
        for _ in 0..600 {
            drop(client.session().await);
            sleep(100 * MILLI).await;
        }
        assert_eq!(logs.take("the place"), [Level::WARN]);
        place.put(Place::echo());
        sleep(60 * SECOND).await;
        assert_eq!(client.sessions().len(), 4);
        assert_eq!(logs.take("the place"), [Level::INFO]);
    }
}
