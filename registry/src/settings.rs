//! Owns [`Settings`], what the URL of a registry says about it. Must never show a password.

use std::fmt;
use std::time::Duration;

use crate::address::{split_host_port, write_host};
use crate::error::RegistryError;
use crate::url::{ParameterError, Url};

/// The root node of a URL that names none in its parameter `group`: Dubbo's.
const DEFAULT_ROOT: &str = "dubbo";

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);
const DEFAULT_AUDIT: Duration = Duration::from_secs(30);
const DEFAULT_GRACE: Duration = Duration::from_secs(60);

/// What the backends and the keeper need to know.
#[derive(Clone)]
pub(crate) struct Settings {
    /// The URL as it may be shown.
    pub(crate) shown: String,
    /// `host:port` of every server, an IPv6 host in brackets.
    pub(crate) servers: Vec<String>,
    pub(crate) login: Option<Login>,
    /// The root node, without slashes around it.
    pub(crate) root: String,
    /// Whether a registry that is away at start is an error.
    pub(crate) check: bool,
    /// Longest wait for one answer of a server, and for the user's own waits.
    pub(crate) timeout: Duration,
    /// How long the registry keeps what is registered without a sign of life.
    pub(crate) session: Duration,
    /// How often all that is declared is compared with the registry.
    pub(crate) audit: Duration,
    /// How long the last list is kept when an empty one comes.
    pub(crate) grace: Duration,
}

#[derive(Clone)]
pub(crate) struct Login {
    pub(crate) user: String,
    pub(crate) password: String,
}

impl Settings {
    /// Reads a URL. `port` and `session` are what the kind of registry takes if the URL does not say.
    pub(crate) fn of(url: &Url, port: u16, session: Duration) -> Result<Self, RegistryError> {
        let duration = |name, default, least: u64, most: u64| -> Result<Duration, RegistryError> {
            let found = duration(url, name)?.unwrap_or(default);
            Ok(found.clamp(Duration::from_millis(least), Duration::from_millis(most)))
        };
        let user = url.username().map(|user| Login {
            user: user.to_owned(),
            password: url.password().unwrap_or_default().to_owned(),
        });
        Ok(Self {
            shown: url.to_string(),
            servers: servers(url, port)?,
            login: user,
            root: url.group().unwrap_or(DEFAULT_ROOT).trim_matches('/').to_owned(),
            check: url.parameter_as("check")?.unwrap_or(true),
            timeout: duration("timeout", DEFAULT_TIMEOUT, 10, 600_000)?,
            session: duration("session", session, 1_000, 600_000)?,
            audit: duration("audit", DEFAULT_AUDIT, 50, 50_000)?,
            grace: duration("empty-grace", DEFAULT_GRACE, 0, 86_400_000)?,
        })
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Login({}:***)", self.user)
    }
}

/// The host of the URL and those of its parameter `backup`.
fn servers(url: &Url, default_port: u16) -> Result<Vec<String>, RegistryError> {
    let mut servers = vec![server(url.host(), url.port().unwrap_or(default_port))];
    let backup = url.parameter("backup").unwrap_or_default();
    for text in backup.split(',').map(str::trim).filter(|text| !text.is_empty()) {
        let (host, port) = split_host_port(text).map_err(RegistryError::Backup)?;
        servers.push(server(&host, port.unwrap_or(default_port)));
    }
    Ok(servers)
}

fn server(host: &str, port: u16) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write_host(&mut text, host);
    format!("{text}:{port}")
}

/// A parameter in milliseconds, as Java writes it, or with a unit, as Go does: `5000`, `5s`, `500ms`, `1m`.
fn duration(url: &Url, name: &str) -> Result<Option<Duration>, ParameterError> {
    let Some(text) = url.parameter(name).filter(|text| !text.is_empty()) else { return Ok(None) };
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let milliseconds = match unit {
        "" | "ms" => Some(1),
        "s" => Some(1_000),
        "m" => Some(60_000),
        _ => None,
    };
    let total =
        number.parse::<u64>().ok().zip(milliseconds).and_then(|(number, unit)| number.checked_mul(unit));
    match total {
        Some(total) => Ok(Some(Duration::from_millis(total))),
        None => Err(ParameterError {
            name: name.to_owned(),
            expected: "duration such as 5000 (milliseconds), 500ms, 5s or 1m",
            found: text.escape_debug().take(40).collect(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Settings;
    use crate::error::RegistryError;
    use crate::url::Url;

    fn settings(text: &str) -> Result<Settings, RegistryError> {
        Settings::of(&Url::parse(text).unwrap(), 2181, Duration::from_secs(15))
    }

    #[test]
    fn a_bare_url_has_dubbos_defaults() {
        let settings = settings("zookeeper://zk.example").unwrap();
        assert_eq!(settings.servers, ["zk.example:2181"]);
        assert_eq!(settings.root, "dubbo");
        assert!(settings.check && settings.login.is_none());
        assert_eq!(settings.timeout, Duration::from_secs(5));
        assert_eq!(settings.session, Duration::from_secs(15));
        assert_eq!(settings.grace, Duration::from_secs(60));
        assert!(settings.audit <= Duration::from_secs(60));
    }

    #[test]
    fn all_that_a_url_says_is_taken() {
        let settings = settings(
            "zookeeper://me:p%23w@[::1]:1?backup=b:2,%20c&group=/a/b/&check=false&timeout=500ms&session=2s&audit=1m&empty-grace=0",
        )
        .unwrap();
        assert_eq!(settings.servers, ["[::1]:1", "b:2", "c:2181"]);
        assert_eq!(settings.root, "a/b");
        assert!(!settings.check);
        let login = settings.login.unwrap();
        assert_eq!((login.user.as_str(), login.password.as_str()), ("me", "p#w"));
        assert!(!format!("{login:?} {}", settings.shown).contains("p#w"));
        assert_eq!(settings.timeout, Duration::from_millis(500));
        assert_eq!(settings.session, Duration::from_secs(2));
        assert_eq!(
            settings.audit,
            Duration::from_secs(50),
            "an audit comes at least once a minute, jitter included"
        );
        assert_eq!(settings.grace, Duration::ZERO);
    }

    #[test]
    fn a_wrong_parameter_is_named() {
        for (query, message) in [
            ("timeout=soon", "parameter `timeout`"),
            ("session=5h", "parameter `session`"),
            ("audit=99999999999999999999", "parameter `audit`"),
            ("check=maybe", "parameter `check`"),
            ("backup=a:b:c", "parameter `backup`"),
            ("backup=a%20b", "parameter `backup`"),
        ] {
            let error = settings(&format!("zookeeper://zk?{query}")).err().expect(query).to_string();
            assert!(error.contains(message), "{query}: {error}");
        }
    }
}
