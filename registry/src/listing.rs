//! Owns [`Publisher`], which turns the names of a registry's nodes into a list of URLs and hands it to subscriptions.
//! Must never let one bad name cost the good ones, nor publish a list because of an error: whoever could not read the list
//! publishes nothing.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::subscription::Subscription;
use crate::target::Target;
use crate::url::Url;

/// Most entries of one service that are looked at; the rest is counted.
pub const MAX_ENTRIES_OF_A_SERVICE: usize = 10_000;

/// Longest piece of a node's name in a log line, in characters.
const SHOWN_CHARACTERS: usize = 120;

/// What a registry says of one service, all versions and groups together.
pub(crate) struct Listing {
    pub(crate) urls: Vec<Arc<Url>>,
    /// Names that are no URL.
    pub(crate) unreadable: usize,
    /// Entries beyond [`MAX_ENTRIES_OF_A_SERVICE`].
    pub(crate) over_limit: usize,
    /// When it was published.
    pub(crate) at: Instant,
}

/// The side of a [`Subscription`] that knows the list: for a [`Registry`](crate::Registry) of your own.
///
/// Every list is the whole list of one interface; subscriptions pick what answers their target. Dropping the publisher
/// ends them.
pub struct Publisher {
    listing: watch::Sender<Option<Arc<Listing>>>,
    /// What the names of the last list were read as, so that a change costs the reading of one name, not of all.
    read: Mutex<HashMap<String, Read>>,
}

#[derive(Clone)]
enum Read {
    Url(Arc<Url>),
    Unreadable,
}

impl Default for Publisher {
    fn default() -> Self {
        Self::new()
    }
}

impl Publisher {
    /// A publisher that has said nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self { listing: watch::Sender::new(None), read: Mutex::default() }
    }

    /// Publishes the list as names of nodes ([`Url::encode`]). Names that are no URL are counted, and each is named once
    /// in the log. A list that is the same as the last is not published again.
    pub fn publish_nodes(&self, names: impl IntoIterator<Item = String>) {
        let mut names: Vec<String> = names.into_iter().collect();
        names.sort_unstable();
        names.dedup();
        let over_limit = names.len().saturating_sub(MAX_ENTRIES_OF_A_SERVICE);
        names.truncate(MAX_ENTRIES_OF_A_SERVICE);

        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let unchanged = names.len() == read.len() && names.iter().all(|name| read.contains_key(name));
        if unchanged && self.listing.borrow().as_ref().is_some_and(|last| last.over_limit == over_limit) {
            return;
        }
        let (mut urls, mut unreadable, mut now) = (Vec::new(), 0_usize, HashMap::new());
        for name in names {
            let entry = read.remove(&name).unwrap_or_else(|| first_read(&name));
            match &entry {
                Read::Url(url) => urls.push(Arc::clone(url)),
                Read::Unreadable => unreadable = unreadable.saturating_add(1),
            }
            now.insert(name, entry);
        }
        *read = now;
        drop(read);
        self.send(Listing { urls, unreadable, over_limit, at: Instant::now() });
    }

    /// Publishes the list as URLs. A list that is the same as the last is not published again.
    pub fn publish(&self, urls: impl IntoIterator<Item = Url>) {
        self.publish_nodes(urls.into_iter().map(|url| url.encode()));
    }

    /// A subscription to what is published, now and later.
    ///
    /// `grace`: how long the last list is kept when an empty one is published; zero switches that off.
    #[must_use]
    pub fn subscribe(&self, target: Target, grace: Duration) -> Subscription {
        Subscription::new(target, grace, self.listing.subscribe())
    }

    /// Whether anybody listens.
    pub(crate) fn is_wanted(&self) -> bool {
        self.listing.receiver_count() > 0
    }

    /// Waits until nobody listens any more.
    pub(crate) async fn unwanted(&self) {
        self.listing.closed().await;
    }

    fn send(&self, listing: Listing) {
        self.listing.send_replace(Some(Arc::new(listing)));
    }
}

impl fmt::Debug for Publisher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let listing = self.listing.borrow();
        f.debug_struct("Publisher")
            .field("published", &listing.as_ref().map(|listing| listing.urls.len()))
            .field("subscriptions", &self.listing.receiver_count())
            .finish()
    }
}

fn first_read(name: &str) -> Read {
    match Url::decode(name) {
        Ok(url) => Read::Url(Arc::new(url)),
        Err(error) => {
            tracing::warn!(node = %shown(name), %error, "skipped an entry of the registry that is no URL");
            Read::Unreadable
        }
    }
}

/// Enough of a name to find it, without user and parameters, which may be secret: the name is no URL, so nobody knows what is
/// what in it.
fn shown(name: &str) -> String {
    let lower = name.to_ascii_lowercase();
    let first_of = |marks: &[&str]| marks.iter().filter_map(|mark| lower.find(mark)).min();
    let end = match first_of(&["@", "%40", "%2540"]) {
        Some(_) => first_of(&[":", "%"]).unwrap_or(0),
        None => first_of(&["?", "%3f", "%253f"]).unwrap_or(name.len()),
    };
    // Lower case keeps every byte in its place.
    let head = name.get(..end).unwrap_or_default();
    let mut shown: String = head.escape_debug().take(SHOWN_CHARACTERS).collect();
    if head.len() < name.len() || head.chars().nth(SHOWN_CHARACTERS).is_some() {
        shown.push_str("...");
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn a_log_line_holds_neither_user_nor_parameters() {
        for (name, line) in [
            ("127.0.0.1", "127.0.0.1"),
            ("dubbo%253A%252F%252Fh%253A1%252Fx%253Ftoken%253Ds", "dubbo%253A%252F%252Fh%253A1%252Fx..."),
            ("dubbo://h:1/x?token=secret", "dubbo://h:1/x..."),
            ("dubbo%3A%2F%2Fme%3Asecret%40h%3A1", "dubbo..."),
            ("dubbo://me:secret@h:1", "dubbo..."),
            ("a\nb", "a\\nb"),
        ] {
            assert_eq!(shown(name), line);
        }
        assert_eq!(shown(&"中".repeat(500)).chars().count(), 123);
    }
}
