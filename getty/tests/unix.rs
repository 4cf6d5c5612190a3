//! Unix sockets: packets there and back, ends, and the files that sockets are.

#![cfg(unix)]
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use std::{fs, io, os::unix::fs::FileTypeExt, path::Path};

use bytes::Bytes;
use getty::{
    ClientBuilder, Flush, Limits, Server, Session, SessionError,
    transport::{Listen, Unix, UnixListen, dial_unix},
};
use support::{
    Events, Folder, Frames, Recorder, assert_echoes, echo, frame, read_frame, read_to_end, until, within,
};
use tokio::{io::AsyncWriteExt, net::UnixStream, sync::oneshot};

#[tokio::test]
async fn packets_of_every_size_go_there_and_back() {
    let folder = Folder::new();
    let path = folder.socket();
    let (recorder, mut accepted) = Recorder::new();
    let recorder = recorder.on_message(|session: &Session<Frames>, packet| drop(session.write(packet)));
    tokio::spawn(Server::over(UnixListen::bind(&path).unwrap()).serve(Frames, recorder));
    let (recorder, mut events) = Recorder::new();
    let client = ClientBuilder::new(Frames, recorder).unix(&path);
    assert_echoes(&client, &mut events).await;
    let session = accepted.open().await;
    assert_eq!((session.info().transport, session.peer(), session.info().local), ("unix", None, None));
    within(client.close()).await;
}

#[tokio::test]
async fn an_idle_session_writes_without_a_hop_to_its_task() {
    let (mut peer, own) = UnixStream::pair().unwrap();
    let (recorder, mut events) = Recorder::new();
    let session = getty::accept(Unix::new(own), Frames, recorder, Limits::default());
    events.open().await;
    tokio::task::yield_now().await;
    let (span, ()) = session
        .write_with(Flush::Now, |out| {
            out.extend_from_slice(&frame(b"now"));
            Ok(())
        })
        .unwrap();
    // Nothing else has run since on this one thread.
    assert_eq!(session.stats().queued_bytes, 0, "{span:?} has not left");
    assert_eq!(read_frame(&mut peer).await, b"now");
}

#[tokio::test]
async fn ends_are_those_of_tcp() {
    for (end, expected) in [
        ("finish", &["message", "close"][..]),
        ("cut short", &["message", "error", "close"]),
        ("unread", &["message", "error", "close"]),
        ("close", &["message", "close"]),
    ] {
        let (mut peer, own) = UnixStream::pair().unwrap();
        let (recorder, mut events) = Recorder::new();
        let session = getty::accept(Unix::new(own), Frames, recorder, Limits::default());
        events.open().await;
        peer.write_all(&frame(b"packet")).await.unwrap();
        until(|| session.stats().read_packets == 1).await;
        match end {
            "finish" => drop(peer),
            "cut short" => {
                peer.write_all(&frame(b"half")[..6]).await.unwrap();
                drop(peer);
            }
            "unread" => {
                // To close a socket with something unread in it is a reset.
                session.write("nobody reads this".into()).unwrap();
                until(|| session.stats().queued_bytes == 0).await;
                peer.readable().await.unwrap();
                drop(peer);
            }
            _ => {
                session.write("last words".into()).unwrap();
                session.close();
                assert_eq!(read_to_end(&mut peer).await, frame(b"last words"));
            }
        }
        drop(session);
        assert_eq!(events.names_to_the_end().await, expected, "{end}");
    }
}

#[tokio::test]
async fn a_socket_is_removed_with_its_server_and_only_its_own() {
    let folder = Folder::new();
    let path = folder.socket();
    let (stop, stopped) = oneshot::channel::<()>();
    let server = Server::over(UnixListen::bind(&path).unwrap());
    let serving = tokio::spawn(server.serve_until(Frames, echo(), async { drop(stopped.await) }));
    assert!(is_socket(&path));
    stop.send(()).unwrap();
    within(serving).await.unwrap().unwrap();
    assert!(!path.exists());

    let first = UnixListen::bind(&path).unwrap();
    assert_eq!(first.path(), path);
    fs::rename(&path, folder.path().join("moved")).unwrap();
    let mut second = UnixListen::bind(&path).unwrap();
    drop(first);
    assert!(is_socket(&path), "it belongs to the second one");
    let (dialled, accepted) = tokio::join!(dial_unix(&path), second.accept());
    dialled.unwrap();
    accepted.unwrap();
}

#[tokio::test]
async fn a_socket_that_a_dead_program_has_left_is_replaced_and_one_that_lives_is_not() {
    let folder = Folder::new();
    let path = folder.socket();
    // The standard library's leaves its file, as a program does that is killed.
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    assert!(is_socket(&path));
    let listen = UnixListen::bind(&path).unwrap();
    let error = UnixListen::bind(&path).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
    assert!(error.to_string().starts_with(&format!("cannot listen at {}: ", path.display())), "{error}");
    dial_unix(&path).await.unwrap();
    drop(listen);

    fs::write(&path, "precious").unwrap();
    assert_eq!(UnixListen::bind(&path).unwrap_err().kind(), io::ErrorKind::AddrInUse);
    assert_eq!(fs::read(&path).unwrap(), b"precious");
}

#[tokio::test]
async fn a_client_says_where_it_found_nobody_and_comes_back_when_there_is_somebody() {
    let folder = Folder::new();
    let path = folder.socket();
    let (recorder, mut events) = Recorder::new();
    let client = ClientBuilder::new(Frames, recorder).unix(&path);
    match within(client.session()).await {
        Err(SessionError::Unreachable { address, .. }) => assert_eq!(address, path.display().to_string()),
        other => panic!("nobody listens there, yet it came to {other:?}"),
    }
    tokio::spawn(Server::over(UnixListen::bind(&path).unwrap()).serve(Frames, echo()));
    let session = within(async {
        loop {
            if let Ok(session) = client.session().await {
                return session;
            }
            tokio::task::yield_now().await;
        }
    })
    .await;
    session.write(Bytes::from_static(b"hello")).unwrap();
    assert_hello(&mut events).await;
}

async fn assert_hello(events: &mut Events<Frames>) {
    events.open().await;
    assert_eq!(events.message().await, "hello");
}

fn is_socket(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|file| file.file_type().is_socket())
}
