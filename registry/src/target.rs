//! Owns [`Target`], what a consumer asks a registry for, and the rule by which a provider's URL answers it. Must never
//! look at more than one URL: which of several to take is for others.

use std::fmt;

use crate::url::Url;

/// Any version, or any group.
const ANY: &str = "*";

/// The protocol of a target that names none.
const DEFAULT_PROTOCOL: &str = "dubbo";

/// The category that holds providers.
pub(crate) const PROVIDERS: &str = "providers";

/// A service as a consumer asks for it: interface, version, group and protocol.
///
/// Version and group match as in Dubbo: one that is absent matches only providers without one, `*` matches all, and a
/// group may be several, separated by commas.
///
/// ```
/// use getty_registry::{Target, Url};
///
/// let target = Target::new("com.x.Greeter").version("1.0.0").group("eu,us");
/// let url = Url::parse("dubbo://10.0.0.5:20880/com.x.Greeter?version=1.0.0&group=us")?;
/// assert_eq!(target.matches(&url), Ok(()));
/// assert_eq!(target.to_string(), "eu,us/com.x.Greeter:1.0.0");
/// # Ok::<(), getty_registry::UrlError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Target {
    interface: String,
    version: Option<String>,
    group: Option<String>,
    protocol: String,
}

/// Why a URL does not answer a [`Target`]. No message holds a value of the URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Mismatch {
    /// Its protocol is another one.
    #[error("its protocol is another one")]
    Protocol,
    /// Its interface is another one, or it has none.
    #[error("its interface is another one")]
    Interface,
    /// It is no provider: its `category` says so.
    #[error("its category is not `providers`")]
    Category,
    /// An operator switched it off by `enabled=false` or `disabled=true`.
    #[error("it is switched off (enabled=false or disabled=true)")]
    Disabled,
    /// Its group is another one.
    #[error("its group is another one")]
    Group,
    /// Its version is another one.
    #[error("its version is another one")]
    Version,
    /// It cannot be dialled.
    #[error("it has no port")]
    NoPort,
}

impl Target {
    /// An interface without version and group, provided by the protocol `dubbo`.
    pub fn new(interface: impl Into<String>) -> Self {
        Self {
            interface: interface.into(),
            version: None,
            group: None,
            protocol: DEFAULT_PROTOCOL.to_owned(),
        }
    }

    /// The version; `*` for any. Empty or `0.0.0`: none, as Dubbo's peers write it. Default: none.
    #[must_use]
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.version = Some(version.into()).filter(|version| !matches!(version.as_str(), "" | "0.0.0"));
        self
    }

    /// The group; `*` for any, `a,b` for one of several. Empty: none. Default: none.
    #[must_use]
    pub fn group(mut self, group: impl Into<String>) -> Self {
        self.group = Some(group.into()).filter(|group| !group.is_empty());
        self
    }

    /// The protocol that providers must have. Default: `dubbo`.
    #[must_use]
    pub fn protocol(mut self, protocol: impl Into<String>) -> Self {
        self.protocol = protocol.into().to_ascii_lowercase();
        self
    }

    /// The interface.
    #[must_use]
    pub fn interface(&self) -> &str {
        &self.interface
    }

    /// The version asked for, `*` for any; `None` for providers without a version.
    #[must_use]
    pub fn version_asked(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// The group asked for, `*` for any, several with commas; `None` for providers without a group.
    #[must_use]
    pub fn group_asked(&self) -> Option<&str> {
        self.group.as_deref()
    }

    /// The protocol asked for.
    #[must_use]
    pub fn protocol_asked(&self) -> &str {
        &self.protocol
    }

    /// Whether a provider's URL answers this target.
    ///
    /// # Errors
    /// The first [`Mismatch`].
    pub fn matches(&self, url: &Url) -> Result<(), Mismatch> {
        let must = |holds: bool, mismatch| if holds { Ok(()) } else { Err(mismatch) };
        must(url.protocol() == self.protocol, Mismatch::Protocol)?;
        must(url.interface() == Some(self.interface.as_str()), Mismatch::Interface)?;
        must(matches!(url.parameter("category"), None | Some("" | PROVIDERS)), Mismatch::Category)?;
        must(is_enabled(url), Mismatch::Disabled)?;
        must(self.group_matches(url.group()), Mismatch::Group)?;
        must(
            self.version.as_deref() == Some(ANY) || self.version.as_deref() == url.version(),
            Mismatch::Version,
        )?;
        must(url.port().is_some(), Mismatch::NoPort)
    }

    fn group_matches(&self, found: Option<&str>) -> bool {
        match (self.group.as_deref(), found) {
            (None, None) => true,
            (Some(ANY), _) => true,
            (Some(asked), Some(found)) => asked == found || asked.split(',').any(|one| one.trim() == found),
            _ => false,
        }
    }

    /// The parts that name one service, for a URL that leaves them open. `*` and a list of groups name none.
    pub(crate) fn single_version(&self) -> Option<&str> {
        self.version.as_deref().filter(|version| *version != ANY)
    }

    pub(crate) fn single_group(&self) -> Option<&str> {
        self.group.as_deref().filter(|group| *group != ANY && !group.contains(','))
    }
}

/// As Dubbo writes a service: `group/interface:version`, absent parts left out.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(group) = &self.group {
            write!(f, "{group}/")?;
        }
        f.write_str(&self.interface)?;
        match &self.version {
            Some(version) => write!(f, ":{version}"),
            None => Ok(()),
        }
    }
}

/// Dubbo's rule: `disabled` decides if it is there, else `enabled`.
fn is_enabled(url: &Url) -> bool {
    match url.parameter("disabled") {
        Some(disabled) if !disabled.is_empty() => disabled != "true",
        _ => url.parameter("enabled") != Some("false"),
    }
}
