//! Many writers on many connections, and packets as long as the limits allow: nothing is lost, and no session ends.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use std::collections::BTreeSet;

use bytes::Bytes;
use getty::{Client, Limits, Server};
use support::{Frames, Recorder, What, echo, frame, over_tcp, read_frame, within};
use tokio::io::AsyncWriteExt;

const PACKETS: usize = 20_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_writers_on_many_connections_lose_nothing_and_no_session_ends() {
    for (connections, writers) in [(20, 20), (2, 200)] {
        let server = Server::bind("127.0.0.1:0").await.unwrap();
        let address = server.local_addr().unwrap().to_string();
        let serving = tokio::spawn(server.serve(Frames, echo()));
        let (recorder, mut events) = Recorder::new();
        let client = Client::tcp(address, connections, Frames, recorder);
        within(client.connect()).await.unwrap();
        let tasks: Vec<_> = (0..writers)
            .map(|writer| {
                let client = client.clone();
                tokio::spawn(async move {
                    for number in (writer..PACKETS).step_by(writers) {
                        let packet = Bytes::copy_from_slice(&number.to_be_bytes());
                        client.session().await.unwrap().send(packet).await.unwrap();
                    }
                })
            })
            .collect();
        let mut answers = BTreeSet::new();
        let mut opened = 0;
        while answers.len() < PACKETS {
            match events.next().await.what {
                What::Open => opened += 1,
                What::Message(packet) => assert!(answers.insert(packet), "an answer came twice"),
                other => panic!("{} came under load", other.name()),
            }
        }
        assert_eq!(opened, connections);
        for task in tasks {
            within(task).await.unwrap();
        }
        assert!(answers.iter().map(|answer| &answer[..]).eq((0..PACKETS).map(usize::to_be_bytes)));
        within(client.close()).await;
        serving.abort();
    }
}

#[tokio::test]
async fn a_packet_as_long_as_its_limits_allow_goes_there_and_back() {
    const LENGTH: usize = 24 * 1024 * 1024;
    let limits = Limits::default().max_packet(LENGTH + 1024);
    let (peer, _session) = over_tcp(Frames, echo(), limits).await;
    let (mut input, mut output) = peer.into_split();
    let body: Vec<u8> = (0..LENGTH).map(|i| (i % 251) as u8).collect();
    let sent = frame(&body);
    let sender = tokio::spawn(async move { output.write_all(&sent).await.map(|()| output) });
    assert!(read_frame(&mut input).await == body);
    within(sender).await.unwrap().unwrap();
}
