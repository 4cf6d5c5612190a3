//! What a service is: its name, its methods, and how a call to it is carried out. `#[service]` writes the implementations.

use std::{fmt, time::Duration};

use crate::{serialization::Serialization, server::Invocation};

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

/// Whether callers can tell these methods apart: no two have the same name and the same parameters. `#[service]` asks this at
/// compile time.
///
/// ```compile_fail
/// #[getty_rpc::service(interface = "com.example.Greeter")]
/// trait Greeter {
///     async fn greet(&self, name: String) -> String;
///     #[method(name = "greet")]
///     async fn greet_politely(&self, name: String) -> String;
/// }
/// ```
pub const fn are_distinct(methods: &[Method]) -> bool {
    let mut i = 0;
    while i < methods.len() {
        let mut j = i + 1;
        while j < methods.len() {
            let (one, other) = (&methods[i], &methods[j]);
            if is_same(one.name, other.name) && is_same(one.descriptor, other.descriptor) {
                return false;
            }
            j += 1;
        }
        i += 1;
    }
    true
}

/// `==`, which is not const.
const fn is_same(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let mut i = 0;
    while i < one.len() && i < other.len() && one[i] == other[i] {
        i += 1;
    }
    i == one.len() && i == other.len()
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
    /// How its arguments and results may be written, the preferred way first: a stub uses that one, a server all of them.
    pub serializations: &'static [Serialization],
}

impl ServiceInfo {
    /// A service in hessian2.
    pub const fn new(
        interface: &'static str,
        version: &'static str,
        group: &'static str,
        methods: &'static [Method],
    ) -> Self {
        Self { interface, version, group, methods, serializations: &[Serialization::Hessian2] }
    }

    /// With other serializations, the preferred one first.
    #[must_use]
    pub const fn serializations(mut self, serializations: &'static [Serialization]) -> Self {
        self.serializations = serializations;
        self
    }

    /// The preferred serialization.
    pub(crate) fn serialization(&self) -> Serialization {
        self.serializations.first().copied().unwrap_or(Serialization::Hessian2)
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

/// Whether two texts are equal that are most often both empty. Empty strings own no memory, and glibc's `memcmp` for AVX-512 takes
/// over 100 ns to find out that the address which stands for none cannot be read: a tenth of a call.
pub(crate) fn is_same_or_both_empty(one: &str, other: &str) -> bool {
    one.len() == other.len() && (one.is_empty() || one == other)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overloads_are_distinct_and_two_methods_alike_are_not() {
        let [text, number] = [Method::new("get", "Ljava/lang/String;", 1), Method::new("get", "I", 1)];
        let other = Method::new("gets", "I", 1);
        assert!(are_distinct(&[text, number, other]) && are_distinct(&[]));
        assert!(!are_distinct(&[text, number, other, number.oneway()]));
    }
}
