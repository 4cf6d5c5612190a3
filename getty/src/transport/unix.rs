//! Unix sockets: accepting and dialling at a path of the file system.

use std::{
    fs,
    io::{Error, ErrorKind, Result},
    net::SocketAddr,
    os::unix::fs::{FileTypeExt, MetadataExt},
    path::{Path, PathBuf},
};

use tokio::net::{
    UnixListener, UnixStream,
    unix::{OwnedReadHalf, OwnedWriteHalf},
};

use super::{Direct, Listen, Transport, halves::Halves, socket::configure_buffers};
use crate::{ConnInfo, Limits};

/// A Unix connection. Who may connect is a matter of the rights of the socket's file and its folders.
#[derive(Debug)]
pub struct Unix(UnixStream);

impl Unix {
    /// Over a connected socket, which the user may have configured.
    pub fn new(stream: UnixStream) -> Self {
        Self(stream)
    }
}

impl Transport for Unix {
    type Task = Halves<OwnedReadHalf, OwnedWriteHalf>;

    fn info(&self) -> ConnInfo {
        ConnInfo::accepted("unix", None, None)
    }

    fn configure(&self, limits: &Limits) {
        configure_buffers(&(&self.0).into(), limits);
    }

    fn split(self) -> (Self::Task, Option<Direct>) {
        let (read, write) = self.0.into_split();
        Halves::new(read, write)
    }
}

/// Accepts Unix connections. Dropped, it removes the file of its socket.
///
/// ```no_run
/// use getty::{ClientBuilder, Lines, Server, on_message, transport::UnixListen};
///
/// # fn run() -> std::io::Result<()> {
/// let listen = UnixListen::bind("/run/lines.sock")?;
/// tokio::spawn(Server::over(listen).serve(Lines::default(), on_message(|_, line: String| println!("{line}"))));
/// let client = ClientBuilder::new(Lines::default(), on_message(|_, _| {})).unix("/run/lines.sock");
/// # drop(client);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct UnixListen {
    listener: UnixListener,
    file: SocketFile,
}

/// The file of a socket, as it was made.
#[derive(Debug)]
struct SocketFile {
    path: PathBuf,
    /// Device and number, so that the file of another is never removed.
    id: Option<(u64, u64)>,
}

impl SocketFile {
    fn id(path: &Path) -> Option<(u64, u64)> {
        let file = fs::symlink_metadata(path).ok()?;
        file.file_type().is_socket().then(|| (file.dev(), file.ino()))
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if self.id.is_some() && Self::id(&self.path) == self.id {
            // If it cannot be removed, the next bind finds it stale.
            let _ = fs::remove_file(&self.path);
        }
    }
}

impl UnixListen {
    /// Binds to a path. A socket that is there already, and that nobody listens on (its program was killed), is replaced. Must be called
    /// in a tokio runtime.
    ///
    /// # Errors
    /// `AddrInUse` when somebody listens there, or there is a file that is no socket; those of the system.
    pub fn bind(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let listener = match UnixListener::bind(path) {
            Err(error) if error.kind() == ErrorKind::AddrInUse && is_stale(path) => {
                fs::remove_file(path)?;
                UnixListener::bind(path)
            }
            bound => bound,
        }
        .map_err(|error| Error::new(error.kind(), format!("cannot listen at {}: {error}", path.display())))?;
        // Absolute, as the program may change its folder.
        let path = std::path::absolute(path)?;
        let id = SocketFile::id(&path);
        Ok(Self { listener, file: SocketFile { path, id } })
    }

    /// The path of its socket.
    pub fn path(&self) -> &Path {
        &self.file.path
    }
}

fn is_stale(path: &Path) -> bool {
    let refuses = std::os::unix::net::UnixStream::connect(path)
        .is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused);
    SocketFile::id(path).is_some() && refuses
}

impl Listen for UnixListen {
    type Conn = Unix;

    async fn accept(&mut self) -> Result<Unix> {
        let (stream, _) = self.listener.accept().await?;
        Ok(Unix(stream))
    }

    fn local_addr(&self) -> Option<SocketAddr> {
        None
    }
}

/// Dials the socket at a path. Cancel-safe.
///
/// # Errors
/// Those of the system: `NotFound`, `ConnectionRefused` when nobody listens there, `PermissionDenied`.
pub async fn dial_unix(path: impl AsRef<Path>) -> Result<Unix> {
    UnixStream::connect(path).await.map(Unix)
}
