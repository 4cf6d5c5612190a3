//! What went wrong with TLS, in words that say what was expected and what to do.

use std::io::{Error, ErrorKind};

use tokio_rustls::rustls::{
    AlertDescription as Alert, CertificateError, Error as RustlsError, InvalidMessage,
};

/// Whose fault it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Peer {
    Client,
    Server,
}

impl Peer {
    fn name(self) -> &'static str {
        match self {
            Self::Client => "the client",
            Self::Server => "the server",
        }
    }
}

/// The same error of a handshake with a text for those who have to mend it.
pub(super) fn handshake(error: Error, peer: Peer) -> Error {
    match error.kind() {
        ErrorKind::UnexpectedEof => Error::new(
            ErrorKind::UnexpectedEof,
            format!("{} closed the connection in the middle of the TLS handshake", peer.name()),
        ),
        _ => established(error, peer),
    }
}

/// As [`handshake`], for a connection that is up: with TLS 1.3 a client hears of what the server thinks of its certificate only
/// then.
pub(super) fn established(error: Error, peer: Peer) -> Error {
    if error.kind() == ErrorKind::UnexpectedEof {
        let text = format!(
            "{} ended the connection without close_notify; something on the way may have cut it",
            peer.name()
        );
        return Error::new(ErrorKind::UnexpectedEof, text);
    }
    let Some(cause) = error.get_ref().and_then(|cause| cause.downcast_ref::<RustlsError>()) else {
        return error;
    };
    let name = peer.name();
    let text = match cause {
        RustlsError::InvalidCertificate(cause) => certificate(cause, peer),
        RustlsError::NoCertificatesPresented => {
            format!("{name} sent no certificate; expected one of an authority in the given Roots")
        }
        RustlsError::InvalidMessage(InvalidMessage::InvalidContentType) => {
            format!("expected a TLS record, {name} sent something else; does it speak plain text?")
        }
        RustlsError::AlertReceived(alert) => received(*alert, peer),
        other => format!("TLS with {name} failed: {other}"),
    };
    Error::new(ErrorKind::InvalidData, text)
}

fn certificate(cause: &CertificateError, peer: Peer) -> String {
    let name = peer.name();
    match cause {
        CertificateError::UnknownIssuer => {
            format!(
                "{name}'s certificate is of an authority that is not trusted here; expected one of an authority in the given Roots"
            )
        }
        CertificateError::BadSignature => {
            format!(
                "{name}'s certificate was not signed with the key of the authority that it names; expected one of an authority in the given \
                 Roots, which may be older or newer than the certificate"
            )
        }
        CertificateError::NotValidForNameContext { expected, presented } => format!(
            "{name}'s certificate is not for {}, which was dialled, but for {}; TlsClient::server_name expects another name",
            expected.to_str(),
            if presented.is_empty() { "no name at all".to_owned() } else { presented.join(", ") },
        ),
        CertificateError::ExpiredContext { time, not_after } => format!(
            "{name}'s certificate expired {} s ago; it has to be renewed, or the clock here is wrong",
            time.as_secs().saturating_sub(not_after.as_secs())
        ),
        CertificateError::NotValidYetContext { time, not_before } => format!(
            "{name}'s certificate is valid only in {} s; it is too new, or the clock here is wrong",
            not_before.as_secs().saturating_sub(time.as_secs())
        ),
        other => format!("{name}'s certificate is refused: {other}"),
    }
}

fn received(alert: Alert, peer: Peer) -> String {
    let name = peer.name();
    match (alert, peer) {
        (Alert::CertificateRequired, Peer::Server) => {
            format!("{name} demands a certificate of its clients; TlsClient::identity gives one")
        }
        (Alert::UnknownCA, _) => {
            format!(
                "{name} refused the certificate of this side: it does not trust its authority (alert UnknownCA)"
            )
        }
        (Alert::CertificateExpired, _) => {
            format!("{name} refused the certificate of this side: it has expired (alert CertificateExpired)")
        }
        (Alert::BadCertificate | Alert::CertificateUnknown | Alert::UnsupportedCertificate, _) => {
            format!("{name} refused the certificate of this side (alert {alert:?})")
        }
        (Alert::NoApplicationProtocol, _) => {
            format!("{name} speaks none of the protocols that this side offers by ALPN")
        }
        (Alert::ProtocolVersion, _) => {
            format!("{name} speaks no version of TLS that this side does (1.2, 1.3)")
        }
        _ => format!("{name} ended TLS with the alert {alert:?}"),
    }
}
