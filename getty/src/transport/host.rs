//! A host and port that is dialled: looked up at every dial, so that the client finds a peer which has moved.

use std::{
    fmt,
    future::Future,
    io::{Error, ErrorKind, Result},
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{net::lookup_host, time::timeout};

/// How long a look-up may take where addresses are known from an earlier one.
const LOOK_UP: Duration = Duration::from_secs(1);
/// How long an address may take to answer where another one is left to be tried.
const ANSWER: Duration = Duration::from_secs(1);

/// Where a client dials: a host and port, such as `localhost:20880`, `10.0.0.1:20880` or `[::1]:20880`. Made of text by `into`.
///
/// The name is looked up at every dial. Each dial tries all its addresses until one answers, and begins behind the one that was
/// tried last: so an address that answers and is of no use does not keep a client from the others. One that has not answered
/// within a second is left for the next, the last one has all the time of the dial. While the look-up fails, or takes longer
/// than a second, the addresses stay in use that it gave last. Clones share what is known.
///
/// With a look-up of one's own it is a client of whatever that finds:
///
/// ```
/// use getty::{Client, Lines, on_message, transport::Host};
///
/// let host = Host::resolved_by("greetings:7001", |_name| async {
///     Ok(vec![([127, 0, 0, 1], 7001).into()])
/// });
/// let client = Client::tcp(host, 1, Lines::default(), on_message(|_, line: String| println!("{line}")));
/// # drop(client);
/// ```
#[derive(Clone)]
pub struct Host {
    name: Arc<str>,
    look_up: LookUp,
    known: Arc<Mutex<Known>>,
}

type Found = Pin<Box<dyn Future<Output = Result<Vec<SocketAddr>>> + Send>>;
type LookUp = Arc<dyn Fn(Arc<str>) -> Found + Send + Sync>;

#[derive(Default)]
struct Known {
    addresses: Vec<SocketAddr>,
    /// The one that was tried last.
    tried: Option<SocketAddr>,
}

impl Host {
    /// Looked up by `look_up`, which is called with the name at every dial, instead of by the system. An answer without any
    /// address is a failure.
    pub fn resolved_by<F, R>(name: impl Into<Arc<str>>, look_up: F) -> Self
    where
        F: Fn(Arc<str>) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Vec<SocketAddr>>> + Send + 'static,
    {
        let look_up: LookUp = Arc::new(move |name| Box::pin(look_up(name)));
        Self { name: name.into(), look_up, known: Arc::default() }
    }

    /// The host and port as they were given.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Looks the name up, then has `connect` try its addresses in turn until one succeeds. Cancel-safe: the next dial begins behind
    /// the address that was being tried.
    ///
    /// # Errors
    /// That of the look-up where no address is known, else that of the address tried last.
    pub async fn dial<C, F>(&self, connect: impl Fn(SocketAddr) -> F) -> Result<C>
    where
        F: Future<Output = Result<C>>,
    {
        let addresses = self.addresses().await?;
        let mut last = None;
        for (i, &address) in addresses.iter().enumerate() {
            self.known().tried = Some(address);
            let connecting = connect(address);
            let connected = if i + 1 == addresses.len() {
                connecting.await
            } else {
                timeout(ANSWER, connecting).await.unwrap_or_else(|_| {
                    let text = format!(
                        "no answer from {address} within {ANSWER:?}, and others were left to be tried"
                    );
                    Err(Error::new(ErrorKind::TimedOut, text))
                })
            };
            match connected {
                Ok(connection) => return Ok(connection),
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(|| self.no_address()))
    }

    /// The addresses in the order in which they are to be tried.
    async fn addresses(&self) -> Result<Vec<SocketAddr>> {
        let looking = (self.look_up)(Arc::clone(&self.name));
        let none_known = self.known().addresses.is_empty();
        let found = if none_known {
            looking.await
        } else {
            timeout(LOOK_UP, looking).await.unwrap_or_else(|_| Err(ErrorKind::TimedOut.into()))
        };
        let found = found.and_then(|found| if found.is_empty() { Err(self.no_address()) } else { Ok(found) });
        let mut known = self.known();
        match found {
            Ok(found) => known.addresses = found,
            Err(error) if known.addresses.is_empty() => return Err(error),
            Err(error) => {
                tracing::debug!(host = &*self.name, %error, "cannot look up, dialling the addresses of before");
            }
        }
        let mut addresses = known.addresses.clone();
        let behind = known.tried.and_then(|tried| addresses.iter().position(|address| *address == tried));
        let first = behind.map_or(0, |at| (at + 1) % addresses.len());
        addresses.rotate_left(first);
        Ok(addresses)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn no_address(&self) -> Error {
        Error::new(ErrorKind::NotFound, format!("{} resolves to no address", self.name))
    }
}

impl From<String> for Host {
    /// Looked up by the system.
    fn from(name: String) -> Self {
        Self::resolved_by(name, |name| async move { Ok(lookup_host(&*name).await?.collect()) })
    }
}

impl From<&str> for Host {
    fn from(name: &str) -> Self {
        name.to_owned().into()
    }
}

impl From<&String> for Host {
    fn from(name: &String) -> Self {
        name.clone().into()
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Host").field(&self.name).finish()
    }
}
