//! Frames that were cut or changed on their way: a clear error or nothing, never a panic, never a call that waits for ever.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use std::future::IntoFuture;

use bytes::BytesMut;
use getty_rpc::{
    ErrorKind,
    getty::Step,
    hessian2::{DecodeState, Decoder},
    protocol::{Frame, FrameError, FrameReader, HEADER, Header, Kind, Status},
};
use proptest::prelude::*;
use support::{
    Asked, Outcome, Probing, Request, Row, asked, connected, count_panics, everything, frame, over_pipes,
    response, rows, value_body, within,
};
use tokio::io::AsyncWriteExt;

/// Payload limit where headers are changed: short, so that changed lengths fall on all sides of it.
const PAYLOAD: usize = 1_024;
/// Bodies of up to so many times the limit are skipped.
const SKIPPED: usize = 16 * PAYLOAD;

/// Where a body of this length is cut: everywhere at its ends, and in a good many places between them.
fn cuts(length: usize) -> impl Iterator<Item = usize> {
    (0..length)
        .filter(move |at| *at < 90 || *at + 40 > length || at % if length < 1_000 { 7 } else { 61 } == 0)
}

#[test]
fn a_frame_that_comes_byte_by_byte_is_the_frame_that_came_whole() {
    for row in rows() {
        let bytes = row.bytes();
        let mut reader = FrameReader::new(bytes.len());
        let mut buf = BytesMut::new();
        for (at, byte) in bytes.iter().enumerate() {
            buf.extend_from_slice(&[*byte]);
            match reader.next(&mut buf).unwrap() {
                Step::Need(missing) if at + 1 < HEADER => {
                    assert_eq!(missing, HEADER - at - 1, "{}", row.name)
                }
                Step::Need(missing) => assert_eq!(missing, bytes.len() - at - 1, "{}", row.name),
                Step::Packet(frame) => {
                    assert_eq!(at + 1, bytes.len(), "{}", row.name);
                    assert_eq!(frame, Frame::Whole(row.header, row.body.clone()));
                }
            }
        }
        assert!(buf.is_empty());
    }
}

#[tokio::test]
async fn a_request_whose_body_is_cut_anywhere_is_refused_and_the_connection_lives() {
    let panics = count_panics();
    let rows = rows();
    let (_serving, connector, seen) = everything(&rows, |server| server);
    let mut peer = connector.connect();
    let mut refused = 0;
    for row in &rows {
        let Some(Asked { ends: (arguments, attachments), method, group, .. }) = row.call() else { continue };
        if method == "$echo" {
            // It looks at its argument only.
            continue;
        }
        for at in cuts(row.body.len()) {
            if at == arguments && !group.is_empty() {
                // The same service may be there without a group.
                continue;
            }
            let name = format!("{}, cut at {at}", row.name);
            let header = Header { kind: Kind::Request { two_way: true }, ..row.header };
            let (status, body) = peer.ask(row.header.id, &frame(header, &row.body[..at])).await;
            // Attachments may be missing, and what follows them means nothing.
            let whole = at == arguments || at >= attachments;
            assert_eq!(status == Status::OK, whole, "{name}");
            if !whole {
                assert_eq!(status, Status::BAD_REQUEST, "{name}");
                refused += 1;
            } else {
                seen.try_recv().expect(&name);
            }
            let mut state = DecodeState::new();
            assert!(whole || !Decoder::new(&body, &mut state).str().unwrap().is_empty(), "{name}");
        }
    }
    assert!(seen.try_recv().is_err(), "a refused request has reached its method");
    assert!(refused > 5_000, "{refused}");
    assert_eq!(count_panics(), panics);
}

#[tokio::test]
async fn an_answer_whose_body_is_cut_anywhere_is_an_error_and_the_connection_lives() {
    let panics = count_panics();
    let (any, mut provider) = connected(|builder| builder).await;
    let mut failed = 0;
    for row in rows().iter().filter(|row| !row.is_request() && !row.header.event) {
        let Kind::Response { status } = row.header.kind else { unreachable!() };
        let whole = (status == Status::OK).then(|| end_of_answer(&row.body));
        for at in cuts(row.body.len()) {
            let outcome = asked(&any, &mut provider, status, &row.body[..at]).await;
            let name = format!("{}, cut at {at}: {outcome:?}", row.name);
            match (whole, outcome) {
                (Some(end), Ok(_)) => {
                    assert!(at >= end, "{name}");
                    provider
                        .send(&[support::event(0, false, b"\x01W"), support::heartbeat(1)].concat())
                        .await;
                    assert_eq!(provider.next().await.unwrap().0.id, 1);
                }
                (Some(end), Err(error)) => {
                    assert!(at < end && matches!(error.kind(), ErrorKind::BadResponse), "{name}");
                    assert!(!error.surely_not_run() && !error.message().is_empty(), "{name}");
                    failed += 1;
                }
                (None, outcome) => {
                    let error = outcome.unwrap_err();
                    assert!(matches!(error.kind(), ErrorKind::Status(came) if *came == status), "{name}");
                }
            }
        }
    }
    assert!(failed > 3_000, "{failed}");
    assert_eq!(count_panics(), panics);
}

/// Where an answer with status OK ends; bytes behind that mean nothing.
fn end_of_answer(body: &[u8]) -> usize {
    let mut state = DecodeState::new();
    let mut d = Decoder::new(body, &mut state);
    let code = d.i32().unwrap();
    let values = usize::from(code % 3 != 2) + usize::from(code >= 3);
    for _ in 0..values {
        d.skip().unwrap();
    }
    d.position()
}

/// What a server is to do with some input: the ids and statuses of its answers, in order. None: any status.
fn expected_of_server(mut input: &[u8]) -> Vec<(i64, bool, Option<Status>)> {
    let mut answers = Vec::new();
    while let Some((head, rest)) = input.split_first_chunk::<HEADER>() {
        let flags = head[2];
        let (is_request, two_way, event) = (flags & 0x80 != 0, flags & 0x40 != 0, flags & 0x20 != 0);
        let id = i64::from_be_bytes(head[4..12].try_into().unwrap());
        let length = i32::from_be_bytes(head[12..].try_into().unwrap());
        if head[..2] != [0xda, 0xbb] || length < 0 {
            break;
        }
        let length = length as usize;
        if length > PAYLOAD {
            if is_request && two_way {
                answers.push((id, false, Some(Status::BAD_REQUEST)));
            }
            if length > SKIPPED {
                break;
            }
        } else if length > rest.len() {
            break;
        } else if is_request && two_way {
            let status = match (event, flags & 0x1f) {
                (true, _) => Some(Status::OK),
                (false, 2) => None,
                (false, _) => Some(Status::BAD_REQUEST),
            };
            answers.push((id, event, status));
        }
        input = &rest[length.min(rest.len())..];
    }
    answers
}

/// The values that a byte of a header is given: all of them, or some where a byte like any other is.
fn values(at: usize) -> impl Iterator<Item = u8> {
    let step = if matches!(at, 2 | 3 | 12..) { 1 } else { 9 };
    (0..=255).step_by(step).chain([0xda, 0xbb])
}

#[tokio::test]
async fn a_server_does_the_right_thing_with_each_value_of_each_byte_of_a_header() {
    let panics = count_panics();
    let probing = Probing::new();
    let (_serving, connector) = over_pipes(|server| server.service(probing.server()).payload(PAYLOAD));
    let good = Request::hello("a").call(0x0102_0304_0506_0708);
    let after = Request::hello("after").call(-2);
    for at in 0..HEADER {
        for value in values(at) {
            let mut input = good.clone();
            input[at] = value;
            input.extend_from_slice(&after);
            let mut peer = connector.connect();
            peer.send(&input).await;
            let answers: Vec<_> = peer.finish().await.into_iter().map(|(header, _)| header).collect();
            let expected = expected_of_server(&input);
            let name = format!("byte {at} is {value:#04x}: {answers:?}, expected {expected:?}");
            assert_eq!(answers.len(), expected.len(), "{name}");
            for (header, (id, event, status)) in answers.iter().zip(expected) {
                assert_eq!((header.id, header.event), (id, event), "{name}");
                let Kind::Response { status: came } = header.kind else { panic!("{name}") };
                assert!(status.is_none_or(|status| status == came), "{name}");
            }
        }
    }
    assert_eq!(count_panics(), panics);
    let mut peer = connector.connect();
    assert_eq!(peer.ask(1, &Request::hello("a").call(1)).await.0, Status::OK);
}

#[tokio::test]
async fn a_client_does_the_right_thing_with_each_value_of_each_byte_of_a_header() {
    let panics = count_panics();
    for at in 0..HEADER {
        for value in values(at) {
            let (outcome, status, flags, length) = answered_with(at, value).await;
            let name = format!("byte {at} is {value:#04x}: {outcome:?}");
            let bad_frame = |outcome: Outcome| {
                let error = outcome.expect_err(&name);
                assert!(matches!(error.kind(), ErrorKind::BadFrame), "{name}");
                assert!(!error.surely_not_run(), "{name}");
            };
            match at {
                0 | 1 if [0xda, 0xbb][at] != value => bad_frame(outcome),
                // A request, or an event: none of the call's business. The good answer comes behind it.
                2 if flags & 0xa0 != 0 => assert_eq!(outcome.expect(&name), Ok(2.into()), "{name}"),
                2 if flags & 0x1f != 2 => {
                    let error = outcome.expect_err(&name);
                    assert!(matches!(error.kind(), ErrorKind::BadResponse), "{name}");
                    assert!(error.message().contains(&format!("serialization {}", flags & 0x1f)), "{name}");
                }
                3 if status != Status::OK.0 => {
                    let error = outcome.expect_err(&name);
                    assert!(matches!(error.kind(), ErrorKind::Status(came) if came.0 == status), "{name}");
                }
                4..12 if outcome.is_ok() => {
                    // Another id: the good answer comes behind it.
                    let value = outcome.unwrap().unwrap();
                    assert!(value == 1.into() || value == 2.into(), "{name}");
                }
                12.. if length < 0 || length as usize > SKIPPED => bad_frame(outcome),
                12.. if length as usize > PAYLOAD => {
                    let error = outcome.expect_err(&name);
                    assert!(matches!(error.kind(), ErrorKind::BadResponse), "{name}");
                    assert!(error.message().contains("payload"), "{name}");
                }
                12.. => match outcome {
                    Ok(value) => assert_eq!(value, Ok(1.into()), "{name}"),
                    // Too short: what is there cannot be read. Too long: it takes the next frame for its body, and then has an end
                    // where none should be.
                    Err(error) => {
                        let kinds =
                            matches!(error.kind(), ErrorKind::BadResponse | ErrorKind::ConnectionLost);
                        assert!(kinds && !error.surely_not_run(), "{name}");
                    }
                },
                _ => assert_eq!(outcome.expect(&name), Ok(1.into()), "{name}"),
            }
        }
    }
    assert_eq!(count_panics(), panics);
}

/// What a call comes to whose answer has another value in this byte of its header, with a good answer behind it and then the end.
/// Also status, flags and length as they were sent.
async fn answered_with(at: usize, value: u8) -> (Outcome, u8, u8, i32) {
    let (any, mut provider) = connected(|builder| builder.payload(PAYLOAD)).await;
    let answering = async {
        let (header, _) = provider.next_call().await.unwrap();
        let mut answer = response(header.id, Status::OK, &value_body(1));
        answer[at] = value;
        let (status, flags) = (answer[3], answer[2]);
        let length = i32::from_be_bytes(answer[12..HEADER].try_into().unwrap());
        answer.extend(response(header.id, Status::OK, &value_body(2)));
        // The client may have closed already.
        let _ = provider.stream.write_all(&answer).await;
        let _ = provider.stream.shutdown().await;
        (status, flags, length)
    };
    let (outcome, (status, flags, length)) =
        within(async { tokio::join!(any.call().into_future(), answering) }).await;
    (outcome, status, flags, length)
}

/// Numbers that look random and are the same in every run.
struct Noise(u64);

impl Noise {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % below.max(1)
    }

    fn change(&mut self, body: &[u8]) -> Vec<u8> {
        let mut changed = body.to_vec();
        for _ in 0..=self.next(3) {
            let at = self.next(changed.len() + 1);
            match self.next(4) {
                0 if at < changed.len() => drop(changed.remove(at)),
                1 => changed.insert(at, self.next(256) as u8),
                2 => changed.truncate(at),
                _ if at < changed.len() => changed[at] = self.next(256) as u8,
                _ => {}
            }
        }
        changed
    }
}

#[tokio::test]
async fn a_server_answers_every_request_with_a_changed_body_once() {
    let panics = count_panics();
    let rows = rows();
    let (_serving, connector, _seen) = everything(&rows, |server| server);
    let mut peer = connector.connect();
    let mut noise = Noise(1);
    let calls: Vec<&Row> = rows.iter().filter(|row| row.call().is_some() && row.body.len() < 2_000).collect();
    for id in 0..5_000 {
        let row = calls[noise.next(calls.len())];
        let body = match noise.next(10) {
            0 => (0..noise.next(60)).map(|_| noise.next(256) as u8).collect(),
            _ => noise.change(&row.body),
        };
        let header = Header { kind: Kind::Request { two_way: true }, id, ..row.header };
        let (status, _) = peer.ask(id, &frame(header, &body)).await;
        assert!(
            matches!(status, Status::OK | Status::BAD_REQUEST | Status::SERVICE_ERROR),
            "{body:02x?}: {status}"
        );
    }
    assert_eq!(count_panics(), panics);
}

#[tokio::test]
async fn a_client_ends_every_call_whose_answer_has_a_changed_body() {
    let panics = count_panics();
    let (any, mut provider) = connected(|builder| builder).await;
    let rows = rows();
    let answers: Vec<&Row> = rows
        .iter()
        .filter(|row| !row.is_request() && !row.header.event && row.body.len() < 2_000)
        // One that says that the provider is about to close would end the test.
        .filter(|row| !row.body.windows(7).any(|bytes| bytes == b"closing"))
        .collect();
    let mut noise = Noise(2);
    for _ in 0..5_000 {
        let row = answers[noise.next(answers.len())];
        let Kind::Response { status } = row.header.kind else { unreachable!() };
        let body = match noise.next(10) {
            0 => (0..noise.next(60)).map(|_| noise.next(256) as u8).collect(),
            _ => noise.change(&row.body),
        };
        if let Err(error) = asked(&any, &mut provider, status, &body).await {
            let kinds = matches!(error.kind(), ErrorKind::BadResponse | ErrorKind::Status(_));
            assert!(kinds, "{body:02x?}: {error}");
        }
    }
    assert_eq!(count_panics(), panics);
}

/// All frames of some input that comes in these pieces, until its end or an error.
fn frames(payload: usize, pieces: &[&[u8]]) -> (Vec<Frame>, Option<FrameError>) {
    let mut reader = FrameReader::new(payload);
    let (mut buf, mut frames) = (BytesMut::new(), Vec::new());
    for piece in pieces {
        buf.extend_from_slice(piece);
        while !buf.is_empty() {
            let before = buf.len();
            match reader.next(&mut buf) {
                Ok(Step::Packet(Frame::Skipped)) => assert!(buf.len() < before),
                Ok(Step::Packet(frame)) => {
                    assert!(before - buf.len() <= payload + HEADER);
                    frames.push(frame);
                }
                Ok(Step::Need(missing)) => {
                    assert_eq!(buf.len(), before, "it took bytes and gave nothing");
                    assert!(missing > 0 && before + missing <= payload + HEADER);
                    break;
                }
                Err(error) => return (frames, Some(error)),
            }
        }
    }
    (frames, None)
}

/// Frames one after the other, some changed, some too long, some no frames at all.
fn inputs() -> impl Strategy<Value = Vec<u8>> {
    let header =
        (any::<u8>(), any::<u8>(), any::<i64>(), 0_usize..200).prop_map(|(flags, status, id, length)| {
            let id = id.to_be_bytes();
            let mut bytes = vec![0xda, 0xbb, flags, status];
            bytes.extend(id);
            bytes.extend((length as u32).to_be_bytes());
            bytes.resize(HEADER + length, flags);
            bytes
        });
    let piece = prop_oneof![
        8 => header,
        1 => prop::collection::vec(any::<u8>(), 0..40),
        1 => Just(vec![0xda, 0xbb, 0xc2, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 0xff, 0xff, 0xff]),
    ];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn frames_are_the_same_however_the_input_comes(
        input in inputs(),
        payload in 0_usize..150,
        mut splits in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
    ) {
        let mut at: Vec<_> = splits.drain(..).map(|index| index.index(input.len() + 1)).collect();
        at.extend([0, input.len()]);
        at.sort_unstable();
        let pieces: Vec<&[u8]> = at.windows(2).map(|ends| &input[ends[0]..ends[1]]).collect();
        prop_assert_eq!(frames(payload, &pieces), frames(payload, &[&input]));
    }

    #[test]
    fn any_sixteen_bytes_are_a_header_or_an_error_and_a_header_is_written_as_it_was_read(bytes in any::<[u8; HEADER]>()) {
        let mut bytes = bytes;
        for (at, magic) in [0xda, 0xbb].into_iter().enumerate() {
            if bytes[12] & 0x40 == 0 {
                bytes[at] = magic;
            }
        }
        if let Ok(header) = Header::parse(&bytes) {
            // Requests have no status, and answers do not say whether they are awaited.
            let again = Header::parse(&header.to_bytes()).unwrap();
            prop_assert_eq!(again, header);
            prop_assert_eq!(&again.to_bytes()[4..], &bytes[4..]);
        }
    }
}
