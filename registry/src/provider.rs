//! Owns [`Provider`], one entry of a list of providers, with what its URL says about it. Must never merge parameters of
//! a consumer into it.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::address::Address;
use crate::url::Url;

/// The weight of a provider that sets none: Dubbo's.
pub const DEFAULT_WEIGHT: u32 = 100;

/// Before this many milliseconds (March 1973) a `timestamp` is taken for seconds.
const FIRST_MILLISECOND_TIMESTAMP: u64 = 100_000_000_000;

/// A provider of a service. Clones share one allocation. Two are equal if their URLs are.
#[derive(Clone)]
pub struct Provider(Arc<Parts>);

struct Parts {
    url: Arc<Url>,
    address: Address,
    weight: u32,
    started: Option<SystemTime>,
}

impl Provider {
    /// A provider of a URL; `None` if the URL has no port.
    #[must_use]
    pub fn new(url: Url) -> Option<Self> {
        Self::of(Arc::new(url))
    }

    pub(crate) fn of(url: Arc<Url>) -> Option<Self> {
        let address = url.address()?;
        let weight = weight(&url);
        let started = started(&url);
        Some(Self(Arc::new(Parts { url, address, weight, started })))
    }

    /// The whole URL, with every parameter that the provider wrote.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.0.url
    }

    /// Where to dial. A name is not resolved.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.0.address
    }

    /// The share of calls that it wants, [`DEFAULT_WEIGHT`] if it says nothing or no number; 0 for none. A negative
    /// weight is 0. dubbo-go writes `weight=0` when its user sets none, so 0 in a release of `dubbo-golang` is the
    /// default too. Warm-up is not taken into account; see [`Provider::started`].
    #[must_use]
    pub fn weight(&self) -> u32 {
        self.0.weight
    }

    /// When it was started: the parameter `timestamp`, which Java writes in milliseconds and dubbo-go in seconds.
    #[must_use]
    pub fn started(&self) -> Option<SystemTime> {
        self.0.started
    }

    /// The value of a parameter of its URL.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.0.url.parameter(name)
    }
}

impl PartialEq for Provider {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.url == other.0.url
    }
}

impl Eq for Provider {}

impl Hash for Provider {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.url.hash(state);
    }
}

/// The URL, with `***` in place of secrets.
impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Provider({})", self.0.url)
    }
}

/// The address.
impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.address.fmt(f)
    }
}

fn weight(url: &Url) -> u32 {
    let Ok(Some(weight)) = url.parameter_as::<i64>("weight") else { return DEFAULT_WEIGHT };
    let from_go = url.parameter("release").is_some_and(|release| release.starts_with("dubbo-golang"));
    if weight == 0 && from_go {
        return DEFAULT_WEIGHT;
    }
    u32::try_from(weight.max(0)).unwrap_or(u32::MAX)
}

fn started(url: &Url) -> Option<SystemTime> {
    let number = url.parameter_as::<u64>("timestamp").ok().flatten()?;
    let since_epoch = if number < FIRST_MILLISECOND_TIMESTAMP {
        Duration::from_secs(number)
    } else {
        Duration::from_millis(number)
    };
    UNIX_EPOCH.checked_add(since_epoch)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::Provider;
    use crate::url::Url;

    fn provider(parameters: &str) -> Provider {
        Provider::new(Url::parse(&format!("dubbo://h:1/x?{parameters}")).unwrap()).unwrap()
    }

    #[test]
    fn a_weight_is_read_as_dubbo_reads_it() {
        for (parameters, weight) in [
            ("", 100),
            ("weight=", 100),
            ("weight=abc", 100),
            ("weight=0", 0),
            ("weight=-1", 0),
            ("weight=1", 1),
            ("weight=2147483647", 2_147_483_647),
            ("weight=99999999999", u32::MAX),
            ("weight=0&release=dubbo-golang-3.3.2", 100),
            ("weight=7&release=dubbo-golang-3.3.2", 7),
            ("weight=0&release=3.3.6", 0),
        ] {
            assert_eq!(provider(parameters).weight(), weight, "{parameters}");
        }
    }

    #[test]
    fn a_timestamp_in_seconds_and_one_in_milliseconds_are_the_same_time() {
        let time = UNIX_EPOCH.checked_add(Duration::from_secs(1_795_601_762));
        assert_eq!(provider("timestamp=1795601762").started(), time);
        assert_eq!(provider("timestamp=1795601762000").started(), time);
        assert_eq!(provider("timestamp=soon").started(), None);
        assert_eq!(
            provider("timestamp=18446744073709551615").started(),
            UNIX_EPOCH.checked_add(Duration::from_millis(u64::MAX))
        );
    }
}
