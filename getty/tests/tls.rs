//! TLS over real sockets: who is believed and who is not, how sessions end, and what hostile peers can and cannot do.

#![cfg(feature = "tls")]
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use std::{fs, io, net::SocketAddr, time::Duration};

use bytes::Bytes;
use getty::{
    Client, ClientBuilder, Limits, Server, Session, SessionError,
    transport::{Identity, Listen, Roots, TlsClient, TlsError, TlsListen, TlsServer, dial_tls},
};
use support::{Authority, Events, Frames, Recorder, What, assert_echoes, echo, read_to_end, reset, within};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
    sync::{mpsc, oneshot},
};

const ANY: &str = "127.0.0.1:0";
const LOCAL: &str = "127.0.0.1";

// Echoes, and what is known of a connection.

#[tokio::test]
async fn packets_of_every_size_go_there_and_back() {
    let authority = Authority::new();
    let addr = serve(TlsServer::new(authority.certify("localhost").identity())).await;
    // By name, so that it is looked up and asked for.
    let (client, mut events) =
        client(&format!("localhost:{}", addr.port()), TlsClient::new(authority.roots()));
    assert_echoes(&client, &mut events).await;
    within(client.close()).await;
}

#[tokio::test]
async fn both_sides_know_what_the_handshake_came_to() {
    let authority = Authority::new();
    let (own, theirs) = (authority.certify("localhost"), authority.certify("the client"));
    let tls = TlsServer::new(own.identity()).demand_clients_of(authority.roots()).alpn(["old", "new"]);
    let (recorder, mut accepted) = Recorder::new();
    let addr = serve_with(tls, |listen| listen, recorder).await;
    let tls = TlsClient::new(authority.roots()).identity(theirs.identity()).alpn(["new"]);
    let (client, mut dialled) = client(&format!("localhost:{}", addr.port()), tls);
    within(client.connect()).await.unwrap();
    let (client_side, server_side) = (dialled.open().await, accepted.open().await);
    assert_eq!(client_side.info().transport, "tls");
    assert_eq!(client_side.peer(), Some(addr));
    assert_eq!(server_side.peer(), client_side.info().local);
    let (client_side, server_side) =
        (client_side.info().tls.clone().unwrap(), server_side.info().tls.clone().unwrap());
    for side in [&client_side, &server_side] {
        assert_eq!(side.version, "TLSv1_3");
        assert!(side.cipher_suite.starts_with("TLS13_"), "{}", side.cipher_suite);
        assert_eq!(side.alpn.as_deref(), Some(&b"new"[..]));
    }
    assert_eq!(client_side.peer_certificates, [own.der]);
    assert_eq!(server_side.peer_certificates, [theirs.der]);
    assert_eq!(
        (client_side.server_name.clone(), server_side.server_name.as_deref()),
        (None, Some("localhost"))
    );
    let subject = server_side.peer_subject.clone().unwrap();
    assert!(subject.windows(10).any(|bytes| bytes == b"the client"), "{subject:?}");
}

// Who is believed.

#[tokio::test]
async fn a_server_of_another_authority_is_refused() {
    let addr = serve(TlsServer::new(Authority::new().certify(LOCAL).identity())).await;
    let namesake = cause(addr, TlsClient::new(Authority::new().roots())).await;
    assert!(namesake.contains("was not signed with the key of the authority that it names"), "{namesake}");
    let cause = cause(addr, TlsClient::new(Authority::named("another").roots())).await;
    assert!(
        cause.contains("the server's certificate is of an authority that is not trusted here"),
        "{cause}"
    );
}

#[tokio::test]
async fn a_server_with_a_certificate_for_another_name_is_refused() {
    let authority = Authority::new();
    let addr = serve(TlsServer::new(authority.certify("other.example").identity())).await;
    let wrong = cause(addr, TlsClient::new(authority.roots())).await;
    assert!(
        wrong.contains(r#"not for 127.0.0.1, which was dialled, but for DnsName("other.example")"#),
        "{wrong}"
    );
    // Unless that is the name which was asked for.
    let (client, mut events) =
        client(&addr.to_string(), TlsClient::new(authority.roots()).server_name("other.example"));
    assert_echoes(&client, &mut events).await;
    let bad = cause(addr, TlsClient::new(authority.roots()).server_name("no name")).await;
    assert!(
        bad.contains(
            r#"expected the name of a host or an IP address that a certificate can have, not "no name""#
        ),
        "{bad}"
    );
}

#[tokio::test]
async fn a_server_whose_certificate_has_expired_is_refused() {
    let authority = Authority::new();
    let addr = serve(TlsServer::new(authority.expired(LOCAL).identity())).await;
    let cause = cause(addr, TlsClient::new(authority.roots())).await;
    assert!(
        cause.contains("the server's certificate expired ") && cause.contains("it has to be renewed"),
        "{cause}"
    );
}

#[tokio::test]
async fn any_server_is_believed_where_the_dangerous_name_is_written() {
    let addr = serve(TlsServer::new(Authority::new().expired("other.example").identity())).await;
    let (client, mut events) = client(&addr.to_string(), TlsClient::dangerous_trust_anyone());
    assert_echoes(&client, &mut events).await;
}

#[tokio::test]
async fn a_server_that_demands_certificates_lets_only_its_own_clients_in() {
    let authority = Authority::new();
    let tls = TlsServer::new(authority.certify(LOCAL).identity()).demand_clients_of(authority.roots());
    let (recorder, mut accepted) = Recorder::new();
    let (refusals, mut refused) = refusals();
    let addr = serve_with(tls, refusals, recorder).await;
    let trusting = TlsClient::new(authority.roots());

    // The handshake of TLS 1.3 is over for a client before the server has seen its certificate: the session hears of it.
    let (none, mut events) = client(&addr.to_string(), trusting.clone());
    assert_eq!(
        first_error(&none, &mut events).await,
        "the connection failed: the server demands a certificate of its clients; TlsClient::identity gives one"
    );
    within(none.close()).await;
    let (_, error) = within(refused.recv()).await.unwrap();
    assert_eq!(error, "the client sent no certificate; expected one of an authority in the given Roots");

    let stranger = trusting.clone().identity(Authority::named("another").certify("a client").identity());
    let (stranger, mut events) = client(&addr.to_string(), stranger);
    let error = first_error(&stranger, &mut events).await;
    assert!(
        error.contains("the server refused the certificate of this side: it does not trust its authority"),
        "{error}"
    );
    within(stranger.close()).await;
    let (_, error) = within(refused.recv()).await.unwrap();
    assert!(
        error.starts_with("the client's certificate is of an authority that is not trusted here"),
        "{error}"
    );

    assert!(accepted.try_next().is_none(), "no session was made for those who were refused");
    let known = trusting.identity(authority.certify("a client").identity());
    let (known, _events) = client(&addr.to_string(), known);
    within(known.connect()).await.unwrap();
    accepted.open().await;
}

#[tokio::test]
async fn a_client_that_speaks_none_of_the_servers_protocols_is_refused() {
    let authority = Authority::new();
    let addr = serve(TlsServer::new(authority.certify(LOCAL).identity()).alpn(["lines"])).await;
    let cause = cause(addr, TlsClient::new(authority.roots()).alpn(["frames"])).await;
    assert!(
        cause.contains("the server speaks none of the protocols that this side offers by ALPN"),
        "{cause}"
    );
}

// Peers that speak no TLS.

#[tokio::test]
async fn a_plain_peer_on_a_tls_port_is_told_apart_and_harms_nobody() {
    let authority = Authority::new();
    let (refusals, mut refused) = refusals();
    let addr = serve_with(TlsServer::new(authority.certify(LOCAL).identity()), refusals, echo()).await;
    let mut plain = TcpStream::connect(addr).await.unwrap();
    plain.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let (peer, error) = within(refused.recv()).await.unwrap();
    assert_eq!(peer, plain.local_addr().unwrap());
    assert_eq!(error, "expected a TLS record, the client sent something else; does it speak plain text?");
    let (client, mut events) = client(&addr.to_string(), TlsClient::new(authority.roots()));
    assert_echoes(&client, &mut events).await;
}

#[tokio::test]
async fn a_tls_client_of_a_plain_server_says_what_it_met() {
    let listener = TcpListener::bind(ANY).await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.write_all(b"220 ready\r\n").await;
            let _ = stream.read_to_end(&mut Vec::new()).await;
        }
    });
    let cause = cause(addr, TlsClient::new(Authority::new().roots())).await;
    assert!(
        cause.contains("expected a TLS record, the server sent something else; does it speak plain text?"),
        "{cause}"
    );
}

#[tokio::test]
async fn a_server_that_hangs_up_or_keeps_silent_is_a_failed_dial() {
    let listener = TcpListener::bind(ANY).await.unwrap();
    let addr = listener.local_addr().unwrap();
    let hangs_up = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        // All of the hello is taken, so that what follows is a FIN and no reset.
        let _ = stream.read(&mut [0; 4096]).await;
        stream.shutdown().await.unwrap();
        (stream, listener)
    });
    let tls = TlsClient::new(Authority::new().roots());
    let cause_of_end = cause(addr, tls.clone()).await;
    assert!(
        cause_of_end.contains("the server closed the connection in the middle of the TLS handshake"),
        "{cause_of_end}"
    );
    let _silent = hangs_up.await.unwrap();
    let cause_of_silence = cause_within(addr, tls, Duration::from_millis(50)).await;
    assert!(cause_of_silence.contains("no connection within 50ms"), "{cause_of_silence}");
}

#[tokio::test]
async fn a_panic_of_on_refused_does_not_end_the_server() {
    let authority = Authority::new();
    let panics = |listen: TlsListen| listen.on_refused(|_, _| panic!("on purpose"));
    let addr = serve_with(TlsServer::new(authority.certify(LOCAL).identity()), panics, echo()).await;
    let mut plain = TcpStream::connect(addr).await.unwrap();
    plain.write_all(b"no TLS at all").await.unwrap();
    read_to_end(&mut plain).await;
    let (client, mut events) = client(&addr.to_string(), TlsClient::new(authority.roots()));
    assert_echoes(&client, &mut events).await;
}

// Stalled handshakes.

#[tokio::test]
async fn two_hundred_stalled_handshakes_hold_nobody_up() {
    let authority = Authority::new();
    let (refusals, mut refused) = refusals();
    let addr = serve_with(TlsServer::new(authority.certify(LOCAL).identity()), refusals, echo()).await;
    let mut stalled = stall(addr, 200).await;
    for _ in 0..10 {
        let (client, mut events) = client(&addr.to_string(), TlsClient::new(authority.roots()));
        assert_echoes(&client, &mut events).await;
        within(client.close()).await;
    }
    assert!(refused.try_recv().is_err(), "none of them has been given up yet");
    // They are still being listened to.
    stalled[0].write_all(b"no TLS at all").await.unwrap();
    let (peer, _) = within(refused.recv()).await.unwrap();
    assert_eq!(peer, stalled[0].local_addr().unwrap());
}

#[tokio::test]
async fn more_stalled_handshakes_than_there_is_room_for_give_way_to_others() {
    let authority = Authority::new();
    let (told, mut refused) = refusals();
    let few = |listen: TlsListen| told(listen).handshakes(4);
    let addr = serve_with(TlsServer::new(authority.certify(LOCAL).identity()), few, echo()).await;
    let mut stalled = stall(addr, 6).await;
    let (client, mut events) = self::client(&addr.to_string(), TlsClient::new(authority.roots()));
    assert_echoes(&client, &mut events).await;
    // The oldest ones, and no more than had to.
    for stalled in &mut stalled[..3] {
        let (peer, error) = within(refused.recv()).await.unwrap();
        assert_eq!(peer, stalled.local_addr().unwrap());
        assert!(error.contains("gave way to others after 1s: 4 are under way"), "{error}");
        read_to_end(stalled).await;
    }
    assert!(refused.try_recv().is_err(), "nobody else waited");
}

#[tokio::test]
async fn a_handshake_that_takes_too_long_is_given_up() {
    let authority = Authority::new();
    let (told, mut refused) = refusals();
    let brief = |listen: TlsListen| told(listen).handshake_within(Duration::from_millis(20));
    let addr = serve_with(TlsServer::new(authority.certify(LOCAL).identity()), brief, echo()).await;
    let mut stalled = stall(addr, 3).await;
    for _ in &stalled {
        let (_, error) = within(refused.recv()).await.unwrap();
        assert!(error.contains("the handshake was not done within 20ms"), "{error}");
    }
    for stalled in &mut stalled {
        assert_eq!(within(stalled.read_to_end(&mut Vec::new())).await.unwrap(), 0);
    }
}

// Ends.

#[tokio::test]
async fn an_end_that_is_said_is_no_error_on_either_side() {
    for by_the_server in [true, false] {
        let authority = Authority::new();
        let (recorder, mut accepted) = Recorder::new();
        let addr = serve_once(TlsServer::new(authority.certify(LOCAL).identity()), recorder).await;
        let (client, mut dialled) = client(&addr.to_string(), TlsClient::new(authority.roots()));
        let session = within(client.session()).await.unwrap();
        let server_side = accepted.open().await;
        let (closes, hears) = if by_the_server { (server_side, session) } else { (session, server_side) };
        hears.write("one".into()).unwrap();
        closes.write("last words".into()).unwrap();
        closes.close();
        client.leave();
        drop((closes, hears, client));
        let mut names = dialled.names_to_the_end().await;
        assert_eq!(names.remove(0), "open");
        for mut names in [names, accepted.names_to_the_end().await] {
            // What comes after the own close is not delivered.
            names.retain(|name| *name != "message");
            assert_eq!(names, ["close"]);
        }
    }
}

#[tokio::test]
async fn an_end_that_is_not_said_is_an_error() {
    let (session, cut) = through_a_cut().await;
    cut.send(Cut::Fin).unwrap();
    let (names, error) = the_end_of(session).await;
    assert_eq!(names, ["error", "close"]);
    assert_eq!(
        error,
        "the connection failed: the client ended the connection without close_notify; something on the way may have cut it"
    );
}

#[tokio::test]
async fn a_reset_is_an_error() {
    let (session, cut) = through_a_cut().await;
    cut.send(Cut::Reset).unwrap();
    let (names, error) = the_end_of(session).await;
    assert_eq!(names, ["error", "close"]);
    assert!(
        error.starts_with("the connection failed: ") && error.to_lowercase().contains("reset"),
        "{error}"
    );
}

// Certificates.

#[tokio::test]
async fn a_certificate_is_replaced_without_dropping_a_session() {
    let authority = Authority::new();
    let (first, second) = (authority.certify(LOCAL), authority.certify(LOCAL));
    let tls = TlsServer::new(first.identity());
    let addr = serve(tls.clone()).await;
    let shown = |session: &Session<Frames>| session.info().tls.clone().unwrap().peer_certificates.clone();
    let (before, mut events) = client(&addr.to_string(), TlsClient::new(authority.roots()));
    let session = within(before.session()).await.unwrap();
    events.open().await;
    assert_eq!(shown(&session), std::slice::from_ref(&first.der));
    tls.reload(second.identity());
    let (after, _events) = client(&addr.to_string(), TlsClient::new(authority.roots()));
    assert_eq!(shown(&within(after.session()).await.unwrap()), [second.der]);
    session.write("still here".into()).unwrap();
    assert_eq!(events.message().await, "still here");
}

#[test]
fn certificates_and_keys_that_are_missing_or_wrong_are_named() {
    let authority = Authority::new();
    let (own, other) = (authority.certify(LOCAL), authority.certify(LOCAL));
    let text = |result: Result<Identity, TlsError>| result.unwrap_err().to_string();
    assert!(
        text(Identity::from_pem("", &own.key))
            .starts_with("no certificate in the PEM text of the chain; expected")
    );
    assert!(
        text(Identity::from_pem(&own.key, &own.key))
            .starts_with("no certificate in the PEM text of the chain")
    );
    assert!(
        text(Identity::from_pem(&own.chain, &own.chain))
            .starts_with("no private key in the PEM text of the key; expected")
    );
    let encrypted = own.key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    assert!(text(Identity::from_pem(&own.chain, encrypted)).contains("that is not encrypted"));
    assert_eq!(
        text(Identity::from_pem(&own.chain, &other.key)),
        "the private key in the PEM text of the key does not belong to the first certificate of the PEM text of the chain"
    );
    let cut = own.chain.replace("END CERTIFICATE", "END");
    assert!(
        text(Identity::from_pem(cut, &own.key)).starts_with("bad certificate in the PEM text of the chain: ")
    );
    let garbage = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    assert!(
        text(Identity::from_pem(garbage, &own.key))
            .starts_with("bad certificate in the PEM text of the chain: ")
    );
    let garbage_key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    assert!(
        text(Identity::from_pem(&own.chain, garbage_key))
            .starts_with("bad private key in the PEM text of the key: ")
    );
    assert!(Roots::from_pem(garbage).unwrap_err().to_string().starts_with("bad certificate in "));
    assert!(Roots::from_pem("").unwrap_err().to_string().starts_with("no certificate in "));
    let missing = Roots::from_pem_file("/no/such/file").unwrap_err();
    assert!(
        missing
            .to_string()
            .starts_with("cannot read /no/such/file, which should hold certificates of authorities in PEM: ")
    );
    // A key in a log would be a key that others have.
    let server = TlsServer::new(own.identity());
    let client = TlsClient::new(authority.roots()).identity(own.identity());
    let shown = format!("{:?} {server:?} {client:?}", own.identity());
    assert!(!shown.to_lowercase().contains("key"), "{shown}");
}

#[test]
fn certificates_and_keys_are_read_from_files() {
    let authority = Authority::new();
    let own = authority.certify(LOCAL);
    let folder = std::env::temp_dir().join(format!("getty-tls-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let both = folder.join("both.pem");
    fs::write(&both, format!("{}{}", own.chain, own.key)).unwrap();
    let read = (Identity::from_pem_files(&both, &both), Roots::from_pem_file(&both));
    let missing = Identity::from_pem_files(&both, folder.join("none.key"));
    fs::remove_dir_all(&folder).unwrap();
    read.0.unwrap();
    read.1.unwrap();
    let missing = missing.unwrap_err().to_string();
    assert!(missing.contains("none.key, which should hold a private key in PEM"), "{missing}");
}

async fn serve(tls: TlsServer) -> SocketAddr {
    serve_with(tls, |listen| listen, echo()).await
}

async fn serve_with(
    tls: TlsServer,
    settings: impl FnOnce(TlsListen) -> TlsListen,
    listener: impl getty::EventListener<Frames>,
) -> SocketAddr {
    let server = Server::over(settings(TlsListen::bind(ANY, tls).await.unwrap()));
    let addr = server.local_addr().unwrap();
    tokio::spawn(server.serve(Frames, listener));
    addr
}

/// Accepts one connection only, so that the listener is dropped with its session.
async fn serve_once(tls: TlsServer, listener: impl getty::EventListener<Frames>) -> SocketAddr {
    let mut listen = TlsListen::bind(ANY, tls).await.unwrap();
    let addr = listen.local_addr().unwrap();
    tokio::spawn(async move {
        let conn = listen.accept().await.unwrap();
        getty::accept(conn, Frames, listener, Limits::default());
    });
    addr
}

fn client(addr: &str, tls: TlsClient) -> (Client<Frames>, Events<Frames>) {
    let (recorder, events) = Recorder::new();
    // Longer than by default: the machine may be busy with the other tests.
    let limits = Limits::default().dial(Duration::from_secs(20));
    (ClientBuilder::new(Frames, recorder).limits(limits).tls(addr, tls), events)
}

/// Why the first dial fails.
async fn cause(addr: SocketAddr, tls: TlsClient) -> String {
    cause_within(addr, tls, Duration::from_secs(20)).await
}

async fn cause_within(addr: SocketAddr, tls: TlsClient, dial: Duration) -> String {
    let client =
        ClientBuilder::new(Frames, echo()).limits(Limits::default().dial(dial)).tls(addr.to_string(), tls);
    match within(client.session()).await {
        Err(SessionError::Unreachable { cause, .. }) => cause,
        other => panic!("the dial should have failed, it came to {other:?}"),
    }
}

/// How the first session ends, which opens and is refused.
async fn first_error(client: &Client<Frames>, events: &mut Events<Frames>) -> String {
    // It may come up and be gone again before it can be given.
    let _ = within(client.connect()).await;
    events.open().await;
    match events.next().await.what {
        What::Error(error) => error.to_string(),
        other => panic!("on_error was expected, {} came", other.name()),
    }
}

type Refused = mpsc::UnboundedReceiver<(SocketAddr, String)>;

/// What a server says of the handshakes that fail.
fn refusals() -> (impl FnOnce(TlsListen) -> TlsListen, Refused) {
    let (told, refused) = mpsc::unbounded_channel();
    let setting = |listen: TlsListen| {
        listen.on_refused(move |peer, error: &io::Error| drop(told.send((peer, error.to_string()))))
    };
    (setting, refused)
}

/// Connections that send the beginning of a handshake, and no more.
async fn stall(addr: SocketAddr, count: usize) -> Vec<TcpStream> {
    let mut stalled = Vec::new();
    for _ in 0..count {
        let mut stream = TcpStream::connect(addr).await.unwrap();
        stream.write_all(&[22, 3, 1]).await.unwrap();
        stalled.push(stream);
    }
    stalled
}

#[derive(Debug)]
enum Cut {
    Fin,
    Reset,
}

/// The events of a server's session, which is open, and what ends the connection on the way to it.
async fn through_a_cut() -> (Events<Frames>, oneshot::Sender<Cut>) {
    let authority = Authority::new();
    let (recorder, mut events) = Recorder::new();
    let addr = serve_once(TlsServer::new(authority.certify(LOCAL).identity()), recorder).await;
    let between = TcpListener::bind(ANY).await.unwrap();
    let between_addr = between.local_addr().unwrap();
    let (cut, is_cut) = oneshot::channel();
    tokio::spawn(async move {
        let (mut near, _) = between.accept().await.unwrap();
        let mut far = TcpStream::connect(addr).await.unwrap();
        tokio::select! {
            copied = copy_bidirectional(&mut near, &mut far) => panic!("it ended by itself: {copied:?}"),
            cut = is_cut => match cut.unwrap() {
                Cut::Fin => far.shutdown().await.unwrap(),
                Cut::Reset => reset(far),
            },
        }
    });
    let conn = within(dial_tls(&between_addr.to_string(), &TlsClient::new(authority.roots()))).await.unwrap();
    let session = getty::accept(conn, Frames, echo(), Limits::default());
    session.write(Bytes::from_static(b"hello")).unwrap();
    events.open().await;
    assert_eq!(events.message().await, "hello");
    (events, cut)
}

async fn the_end_of(mut events: Events<Frames>) -> (Vec<&'static str>, String) {
    let event = events.next().await;
    let error = match &event.what {
        What::Error(error) => error.to_string(),
        other => panic!("on_error was expected, {} came", other.name()),
    };
    drop(event.session);
    let mut names = vec!["error"];
    names.extend(events.names_to_the_end().await);
    (names, error)
}
