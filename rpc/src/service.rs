//! What a service is: its name, its methods, and how a call to it is carried out. `#[service]` writes the implementations.

use std::{fmt, time::Duration};

use crate::server::Invocation;

/// One method of a service, as peers see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Method {
    /// Java's name, such as `getUser`.
    pub name: &'static str,
    /// Java's parameter descriptor, such as `Ljava/lang/String;I`.
    pub descriptor: &'static str,
    /// How many parameters there are.
    pub parameters: usize,
    /// Whether callers do not wait for an answer.
    pub oneway: bool,
    /// How long callers wait; `None`: the client's default.
    pub timeout: Option<Duration>,
    /// Whether running it twice does what running it once does, so that a call that may have run can be sent again.
    pub idempotent: bool,
}

impl Method {
    /// A method whose callers wait for the client's default time.
    pub const fn new(name: &'static str, descriptor: &'static str, parameters: usize) -> Self {
        Self { name, descriptor, parameters, oneway: false, timeout: None, idempotent: false }
    }

    /// A method whose callers do not wait for an answer.
    #[must_use]
    pub const fn oneway(mut self) -> Self {
        self.oneway = true;
        self
    }

    /// A method whose calls may be sent again even when they may have run.
    #[must_use]
    pub const fn idempotent(mut self) -> Self {
        self.idempotent = true;
        self
    }

    /// With a timeout of its own.
    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({})", self.name, self.descriptor)
    }
}

/// A service as its trait declares it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServiceInfo {
    /// Java's interface name.
    pub interface: &'static str,
    /// Version; empty for none.
    pub version: &'static str,
    /// Group; empty for none.
    pub group: &'static str,
    /// Its methods.
    pub methods: &'static [Method],
}

impl ServiceInfo {
    /// A service.
    pub const fn new(
        interface: &'static str,
        version: &'static str,
        group: &'static str,
        methods: &'static [Method],
    ) -> Self {
        Self { interface, version, group, methods }
    }
}

/// Which service a call is for: interface, version and group, each empty for none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Target {
    /// Java's interface name.
    pub interface: String,
    /// Version. `0.0.0` means none, as Java writes it.
    pub version: String,
    /// Group.
    pub group: String,
}

impl Target {
    /// That of the service as it is declared.
    pub fn of(info: &ServiceInfo) -> Self {
        Self { interface: info.interface.into(), version: info.version.into(), group: info.group.into() }
    }
}

impl Target {
    /// What is asked of a registry.
    pub(crate) fn wanted(&self) -> getty_registry::Target {
        let mut wanted = getty_registry::Target::new(self.interface.as_str());
        if !self.version.is_empty() {
            wanted = wanted.version(self.version.as_str());
        }
        if !self.group.is_empty() {
            wanted = wanted.group(self.group.as_str());
        }
        wanted
    }
}

/// `group/interface:version`, without what is absent.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.group.is_empty() {
            write!(f, "{}/", self.group)?;
        }
        f.write_str(&self.interface)?;
        if !self.version.is_empty() {
            write!(f, ":{}", self.version)?;
        }
        Ok(())
    }
}

/// A version as it is compared: none, `0.0.0` and `*` are the same.
pub(crate) fn version_key(version: &str) -> &str {
    match version {
        "0.0.0" | "*" => "",
        version => version,
    }
}

/// A service that a [`Server`](crate::Server) can serve.
pub trait Service: Send + Sync + 'static {
    /// What it is called and which methods it has.
    fn info(&self) -> &'static ServiceInfo;

    /// Carries out a call to the method with this index of [`ServiceInfo::methods`]. Must not block.
    fn invoke(&self, method: usize, invocation: Invocation<'_>);
}

/// A client stub that `#[service]` makes.
pub trait Stub: Sized {
    /// The service that it calls.
    const INFO: &'static ServiceInfo;

    /// A stub that calls through this reference.
    fn over(reference: crate::Reference) -> Self;
}
