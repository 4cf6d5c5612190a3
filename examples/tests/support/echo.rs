//! The programs that echo, ours and that of `examples/getty-go`, and what they are told.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Output,
    sync::atomic::{AtomicUsize, Ordering},
};

use super::{Program, authority::Authority, printed, run};

/// Our program.
pub(crate) const OURS: &str = env!("CARGO_BIN_EXE_echo");

/// An empty folder, which goes with this.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        // In a short place: the path of a Unix socket has room for a hundred bytes.
        let name = format!("getty-echo-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).expect("a folder for temporary files");
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// The path of a file in it, as text.
    pub(crate) fn file(&self, name: &str) -> String {
        self.0.join(name).to_str().expect("text").to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Certificates of one authority for 127.0.0.1, in files.
pub(crate) struct Certificates(pub(crate) Folder);

impl Certificates {
    pub(crate) fn new() -> Self {
        Self::of("the test's authority")
    }

    /// Of an authority with this name.
    pub(crate) fn of(name: &str) -> Self {
        let folder = Folder::new();
        let authority = Authority::named(name);
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("written");
        write("ca.pem", &authority.pem());
        for (side, name) in [("server", "127.0.0.1"), ("client", "a client")] {
            let own = authority.certify(name);
            write(&format!("{side}.pem"), &own.chain);
            write(&format!("{side}.key"), &own.key);
        }
        Self(folder)
    }

    /// The arguments with which a side (`server` or `client`) shows its certificate.
    pub(crate) fn shown(&self, side: &str) -> Vec<String> {
        let (cert, key) = (self.0.file(&format!("{side}.pem")), self.0.file(&format!("{side}.key")));
        ["--cert".to_owned(), cert, "--key".to_owned(), key].into()
    }

    /// The arguments by which a side believes only what the authority certifies.
    pub(crate) fn believed(&self) -> Vec<String> {
        ["--ca".to_owned(), self.0.file("ca.pem")].into()
    }
}

/// A server of the program that echoes, on a free port of 127.0.0.1 unless another place is named.
pub(crate) async fn server(
    program: &str,
    transport: &str,
    place: Option<&str>,
    further: &[String],
) -> Program {
    let mut arguments = vec!["server", "--transport", transport, "--addr", place.unwrap_or("127.0.0.1:0")];
    arguments.extend(further.iter().map(String::as_str));
    Program::start(program, &arguments, 0).await
}

/// How a client of the program ends.
pub(crate) async fn client(program: &str, transport: &str, address: &str, further: &[String]) -> Output {
    let mut arguments = vec!["client", "--transport", transport, "--addr", address];
    arguments.extend(further.iter().map(String::as_str));
    run(program, &arguments).await
}

/// So many packets went out, and all of them came back as they were.
pub(crate) fn assert_passed(output: &Output, packets: usize, what: &str) {
    let text = printed(output);
    let last = text.lines().last().unwrap_or_default();
    assert_eq!(last, format!("{packets} passed, 0 failed"), "{what}: {text}");
}

/// `--sizes` and `--count`.
pub(crate) fn load(sizes: &[usize], count: usize) -> Vec<String> {
    let sizes: Vec<_> = sizes.iter().map(ToString::to_string).collect();
    ["--sizes".to_owned(), sizes.join(","), "--count".to_owned(), count.to_string()].into()
}
