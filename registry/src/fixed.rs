//! Owns [`FixedList`], the providers that a user writes down himself, so that no registry has to run. Must never resolve
//! a name: hosts stay as they were written and are resolved at every dial.
//!
//! | text | meaning |
//! |---|---|
//! | `127.0.0.1:20000` | one provider, protocol `dubbo` |
//! | `dubbo://a:20880,b:20880/com.x.Greeter?version=1.0.0` | two that share protocol, path and parameters |
//! | `dubbo://a:20880?weight=200;dubbo://b:20880` | two with their own parameters, as in Dubbo's `url` |
//!
//! The whole is in the text form of [`crate::Url`], and a `;` that separates nothing is written `%3B`, a `,` in a password
//! `%2C`. A list is typed by a person: its first mistake is an error, nothing is skipped.

mod registry;

use std::str::FromStr;

pub use self::registry::FixedRegistry;
use crate::address::Address;
use crate::url::{Part, Split, Url, UrlError};

/// Most providers of a list.
pub const MAX_ENTRIES: usize = 1024;

/// The protocol of an entry that names none.
const DEFAULT_PROTOCOL: &str = "dubbo";

/// Providers written down by a user: at least one, each with a host, a port, a path and parameters.
///
/// ```
/// use getty_registry::FixedList;
///
/// let list = FixedList::parse("dubbo://a.example:20880,[::1]:20880/com.x.Greeter?version=1.0.0")?;
/// let addresses: Vec<String> = list.addresses().map(|address| address.to_string()).collect();
/// assert_eq!(addresses, ["a.example:20880", "[::1]:20880"]);
/// assert!(list.urls().iter().all(|url| url.version() == Some("1.0.0")));
/// # Ok::<(), getty_registry::FixedListError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FixedList {
    urls: Vec<Url>,
}

/// Why a text is no fixed list. Entries count from 1, over the whole list. No message holds a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FixedListError {
    /// The text is empty.
    #[error("expected at least one provider such as dubbo://host:20880, found an empty list")]
    Empty,
    /// Nothing stands before, between or behind the separators.
    #[error("provider {number}: expected host:port, found nothing between two separators")]
    EmptyEntry {
        /// Which entry.
        number: usize,
    },
    /// An entry, or what it shares with its neighbours, is no URL.
    #[error("provider {number}: {error}")]
    Entry {
        /// Which entry.
        number: usize,
        /// What is wrong with it.
        error: UrlError,
    },
    /// An `@` beside a `;`. Taken as it stands, a `;` in a password would make a provider of the user name.
    #[error(
        "found `@` in a list with `;`; only a list without `;` may have a user name; write a `;` that belongs to a \
         password as %3B, and an `@` that belongs to a parameter as %40"
    )]
    UserInList,
    /// A second `://` before the parameters.
    #[error(
        "provider {number}: found a second `://`; write dubbo://a:20880,b:20880 or dubbo://a:20880;dubbo://b:20880"
    )]
    SecondProtocol {
        /// Which entry.
        number: usize,
    },
    /// The same provider stands in the list twice, with the same path and parameters.
    #[error("provider {number} is the same as provider {first}; leave one of them out")]
    Repeated {
        /// Which entry.
        number: usize,
        /// The entry that it repeats.
        first: usize,
    },
    /// Over [`MAX_ENTRIES`].
    #[error("expected at most {MAX_ENTRIES} providers, found more")]
    TooMany,
}

impl FixedList {
    /// Reads a list; white space around an entry is ignored. No name is resolved.
    ///
    /// # Errors
    /// [`FixedListError`], which says which entry is wrong and what to write instead.
    pub fn parse(text: &str) -> Result<Self, FixedListError> {
        if text.trim().is_empty() {
            return Err(FixedListError::Empty);
        }
        if text.contains(';') && text.contains('@') {
            return Err(FixedListError::UserInList);
        }
        let mut urls = Vec::new();
        for group in text.split(';') {
            parse_group(group.trim(), &mut urls)?;
        }
        Ok(Self { urls })
    }

    /// A list of URLs.
    ///
    /// # Errors
    /// [`FixedListError`] if there is none, if one has no port or stands there twice, or if there are too many.
    pub fn from_urls(urls: impl IntoIterator<Item = Url>) -> Result<Self, FixedListError> {
        let mut list = Vec::new();
        urls.into_iter().try_for_each(|url| push(url, &mut list))?;
        if list.is_empty() {
            return Err(FixedListError::Empty);
        }
        Ok(Self { urls: list })
    }

    /// The providers in the order of the list. Every one has a port.
    #[must_use]
    pub fn urls(&self) -> &[Url] {
        &self.urls
    }

    /// The addresses in the order of the list.
    pub fn addresses(&self) -> impl Iterator<Item = Address> {
        self.urls.iter().filter_map(Url::address)
    }
}

impl FromStr for FixedList {
    type Err = FixedListError;

    fn from_str(text: &str) -> Result<Self, FixedListError> {
        Self::parse(text)
    }
}

/// Reads the providers that share protocol, user, path and parameters.
fn parse_group(group: &str, urls: &mut Vec<Url>) -> Result<(), FixedListError> {
    let first = urls.len().saturating_add(1);
    let wrong = |error| FixedListError::Entry { number: first, error };
    if group.is_empty() {
        return Err(FixedListError::EmptyEntry { number: first });
    }
    let before_parameters = group.split('?').next().unwrap_or(group);
    if before_parameters.matches("://").nth(1).is_some() {
        return Err(FixedListError::SecondProtocol { number: first });
    }
    let named;
    let text = if before_parameters.contains("://") {
        group
    } else {
        named = format!("{DEFAULT_PROTOCOL}://{group}");
        &named
    };
    let split = Split::text(text).map_err(wrong)?;
    // `a:1,me@b:2`: a password with a comma, or a user of the second host?
    if split.user.is_some_and(|user| user.contains(',')) {
        return Err(wrong(UrlError::Character { part: Part::Password, character: ',' }));
    }
    for host in split.hosts.split(',').map(str::trim) {
        let number = urls.len().saturating_add(1);
        if host.is_empty() {
            return Err(FixedListError::EmptyEntry { number });
        }
        push(split.with_host(host).map_err(|error| FixedListError::Entry { number, error })?, urls)?;
    }
    Ok(())
}

/// Takes in one provider, with every rule that holds for a list.
fn push(url: Url, urls: &mut Vec<Url>) -> Result<(), FixedListError> {
    let number = urls.len().saturating_add(1);
    if number > MAX_ENTRIES {
        return Err(FixedListError::TooMany);
    }
    if url.port().is_none() {
        return Err(FixedListError::Entry { number, error: UrlError::NoPort });
    }
    if let Some(at) = urls.iter().position(|known| *known == url) {
        return Err(FixedListError::Repeated { number, first: at.saturating_add(1) });
    }
    urls.push(url);
    Ok(())
}
