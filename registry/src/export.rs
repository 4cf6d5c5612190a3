//! Owns what a provider says of itself: the URL that it registers and the address in it. Must never open a connection.

mod address;

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

pub use self::address::{
    AdvertiseError, IP_VARIABLE, PORT_VARIABLE, advertised_address, advertised_address_from, own_address,
};
use crate::address::Address;
use crate::url::{Url, UrlError};

/// The version of Dubbo's protocol, the parameter `dubbo`, that Java and Go peers expect.
pub const PROTOCOL_VERSION: &str = "2.0.2";

/// The release of Dubbo whose peers this one is like, the parameter `release`. Java reads it as a version number.
pub const COMPATIBLE_RELEASE: &str = "3.3.2";

/// Makes the URL of a provider with all parameters that Dubbo Java 2.7 and 3.3 and dubbo-go 3.3 look for in a registry at
/// interface level.
///
/// ```
/// use getty_registry::{Address, ProviderUrl};
///
/// let url = ProviderUrl::new(&Address::new("10.0.0.5", 20880)?, "com.x.Greeter")
///     .application("shop")
///     .version("1.0.0")
///     .methods(["greet", "wave"])
///     .build()?;
/// assert_eq!(url.service_key().as_deref(), Some("com.x.Greeter:1.0.0"));
/// assert_eq!(url.parameter("methods"), Some("greet,wave"));
/// assert_eq!(url.parameter("side"), Some("provider"));
/// # Ok::<(), getty_registry::UrlError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder makes nothing until `build`"]
pub struct ProviderUrl {
    protocol: String,
    address: Address,
    interface: String,
    /// By name, as Java orders them.
    parameters: BTreeMap<String, String>,
}

impl ProviderUrl {
    /// A provider of an interface at an address, by the protocol `dubbo` and in hessian2, started now.
    pub fn new(address: &Address, interface: impl Into<String>) -> Self {
        let interface = interface.into();
        let fixed = [
            ("category", "providers"),
            ("deprecated", "false"),
            ("dubbo", PROTOCOL_VERSION),
            ("dynamic", "true"),
            ("generic", "false"),
            ("interface", &interface),
            ("release", COMPATIBLE_RELEASE),
            ("side", "provider"),
        ];
        let parameters = fixed.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Self { protocol: "dubbo".to_owned(), address: address.clone(), interface, parameters }
            .serialization("hessian2")
            .weight(crate::DEFAULT_WEIGHT)
            .timestamp(SystemTime::now())
    }

    /// The protocol. Default: `dubbo`.
    pub fn protocol(mut self, protocol: impl Into<String>) -> Self {
        self.protocol = protocol.into();
        self
    }

    /// The name of the application that provides it: Java's routers and logs show it. Default: none.
    pub fn application(self, name: impl Into<String>) -> Self {
        self.parameter("application", name)
    }

    /// The version of the service; empty for none. Default: none.
    pub fn version(self, version: impl Into<String>) -> Self {
        self.set_or_remove("version", version.into())
    }

    /// The group of the service; empty for none. Default: none.
    pub fn group(self, group: impl Into<String>) -> Self {
        self.set_or_remove("group", group.into())
    }

    /// The names of the methods, as callers write them. Sorted and without repetitions. Default: none.
    pub fn methods<M: Into<String>>(self, methods: impl IntoIterator<Item = M>) -> Self {
        let mut names: Vec<String> = methods.into_iter().map(Into::into).collect();
        names.sort_unstable();
        names.dedup();
        self.set_or_remove("methods", names.join(","))
    }

    /// The share of calls that it wants, beside others. Default: [`crate::DEFAULT_WEIGHT`]; 0 for none.
    pub fn weight(self, weight: u32) -> Self {
        self.parameter("weight", weight.to_string())
    }

    /// The serialization that consumers should choose: `serialization` for dubbo-go, `prefer.serialization` for Java.
    /// Default: `hessian2`.
    pub fn serialization(self, name: impl Into<String>) -> Self {
        let name = name.into();
        self.parameter("prefer.serialization", name.clone()).parameter("serialization", name)
    }

    /// When it was started, in milliseconds as Java writes it: consumers warm it up from then on. Default: when the
    /// builder was made.
    pub fn timestamp(self, time: SystemTime) -> Self {
        let milliseconds = time.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        self.parameter("timestamp", milliseconds.to_string())
    }

    /// Any other parameter, or another value for one of these.
    pub fn parameter(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.parameters.insert(name.into(), value.into());
        self
    }

    /// The URL, its parameters sorted by name.
    ///
    /// # Errors
    /// [`UrlError`] if a part cannot stand in a URL, or the whole is too long.
    pub fn build(self) -> Result<Url, UrlError> {
        let builder =
            Url::builder(self.protocol, self.address.host()).port(self.address.port()).path(self.interface);
        self.parameters
            .into_iter()
            .fold(builder, |builder, (name, value)| builder.parameter(name, value))
            .build()
    }

    fn set_or_remove(mut self, name: &str, value: String) -> Self {
        if value.is_empty() {
            self.parameters.remove(name);
            return self;
        }
        self.parameter(name, value)
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::ProviderUrl;
    use crate::address::Address;

    fn address() -> Address {
        Address::new("10.0.0.5", 20880).unwrap()
    }

    #[test]
    fn a_url_has_every_parameter_that_java_and_go_consumers_look_for() {
        let url = ProviderUrl::new(&address(), "com.x.Greeter")
            .application("rs")
            .methods(["greet"])
            .timestamp(UNIX_EPOCH + Duration::from_millis(1_700_000_000_000))
            .build()
            .unwrap();
        assert_eq!(
            url.to_string(),
            "dubbo://10.0.0.5:20880/com.x.Greeter?application=rs&category=providers&deprecated=false&dubbo=2.0.2\
             &dynamic=true&generic=false&interface=com.x.Greeter&methods=greet&prefer.serialization=hessian2\
             &release=3.3.2&serialization=hessian2&side=provider&timestamp=1700000000000&weight=100"
        );
    }

    #[test]
    fn what_is_not_set_is_not_written() {
        let url = ProviderUrl::new(&address(), "x")
            .version("")
            .group("")
            .methods(Vec::<String>::new())
            .build()
            .unwrap();
        for name in ["version", "group", "methods", "application"] {
            assert_eq!(url.parameter(name), None, "{name}");
        }
    }

    #[test]
    fn a_parameter_may_be_replaced() {
        let url = ProviderUrl::new(&address(), "x")
            .protocol("tri")
            .methods(["b", "a", "b"])
            .serialization("protobuf")
            .parameter("timeout", "1000")
            .parameter("side", "elsewhere")
            .build()
            .unwrap();
        assert_eq!(url.protocol(), "tri");
        assert_eq!(url.parameter("methods"), Some("a,b"));
        assert_eq!(url.parameter("prefer.serialization"), Some("protobuf"));
        assert_eq!(url.parameter("timeout"), Some("1000"));
        assert_eq!(url.parameter("side"), Some("elsewhere"));
    }
}
