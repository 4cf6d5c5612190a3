//! TLS over real sockets: who is believed and who is not, how sessions end, and what hostile peers can and cannot do.

#![cfg(feature = "tls")]
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use std::{fs, net::SocketAddr};

use bytes::Bytes;
use getty::{
    Client, Limits, Session,
    transport::{Identity, Listen, Roots, TlsClient, TlsError, TlsListen, TlsServer, dial_tls},
};
use support::{
    Authority, Events, Frames, Recorder, What, assert_echoes, echo, reset,
    tls::{cause, client, refusals, serve, serve_with},
    within,
};
use tokio::{
    io::{AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
    sync::oneshot,
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
