//! The authorities that the operating system trusts: they, and no others, vouch for servers. What the system trusts is said by a
//! variable of the environment, so clients run in processes of their own.

#![cfg(all(target_os = "linux", feature = "tls-native-roots"))]
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod support;

use std::{env, fs, path::PathBuf, process};

use getty::transport::{Roots, TlsClient, TlsServer};
use support::{
    Authority, assert_echoes,
    child::{Child, is_child},
    tls::{cause, client, serve},
};

const LOCAL: &str = "127.0.0.1";
/// Where the system's authorities are, for OpenSSL and those that follow it: in this file,
const FILE: &str = "SSL_CERT_FILE";
/// and in none of these folders.
const NO_FOLDERS: (&str, &str) = ("SSL_CERT_DIR", "");
const KNOWN: &str = "GETTY_TEST_KNOWN";
const UNKNOWN: &str = "GETTY_TEST_UNKNOWN";

/// A file for as long as it lives.
struct File(PathBuf);

impl File {
    fn new(name: &str, text: &str) -> Self {
        let path = env::temp_dir().join(format!("getty-{name}-{}.pem", process::id()));
        fs::write(&path, text).unwrap();
        Self(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

// Servers go on while the test waits for its child.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_server_is_believed_whose_authority_the_system_trusts_and_no_other() {
    if is_child() {
        return dial_both().await;
    }
    let (trusted, stranger) = (Authority::new(), Authority::named("another"));
    let known = serve(TlsServer::new(trusted.certify(LOCAL).identity())).await.to_string();
    let unknown = serve(TlsServer::new(stranger.certify(LOCAL).identity())).await.to_string();
    let system = File::new("trusted", &trusted.pem());
    let child = Child::with(
        "a_server_is_believed_whose_authority_the_system_trusts_and_no_other",
        &[(FILE, system.path()), NO_FOLDERS, (KNOWN, &known), (UNKNOWN, &unknown)],
    );
    assert_eq!(child.told("known: "), "echoes");
    let cause = child.told("unknown: ");
    assert!(
        cause.contains("the server's certificate is of an authority that is not trusted here"),
        "{cause}"
    );
    assert!(child.end().success());
}

async fn dial_both() {
    let trusting = TlsClient::new(Roots::native().unwrap());
    let (known, mut events) = client(&env::var(KNOWN).unwrap(), trusting.clone());
    assert_echoes(&known, &mut events).await;
    println!("known: echoes");
    println!("unknown: {}", cause(env::var(UNKNOWN).unwrap().parse().unwrap(), trusting).await);
}

#[test]
fn a_system_that_trusts_nobody_is_an_error_that_says_so() {
    if is_child() {
        return println!("native: {}", Roots::native().unwrap_err());
    }
    let system = File::new("nobody", "no certificate\n");
    let child = Child::with(
        "a_system_that_trusts_nobody_is_an_error_that_says_so",
        &[(FILE, system.path()), NO_FOLDERS],
    );
    let error = child.told("native: ");
    assert!(error.starts_with("bad authorities in the operating system: none could be used"), "{error}");
    assert!(child.end().success());
}
