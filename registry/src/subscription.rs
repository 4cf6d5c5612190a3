//! Owns [`Subscription`], what a consumer knows of the providers of a service, and how it gets from one list to the next.
//! Must never give a list that the registry did not say, and never an empty one before its time of grace is over.
//!
//! ```text
//!            providers                    none
//! unknown ------------> list <---+     +--------> stale (list kept, until + grace)
//!    |                   |       |     |            |        |
//!    | none              +-------+-----+            |        | grace over
//!    +----------> empty <---------------------------|--------+
//!                   +---> list     (providers)      +---> list  (providers)
//! ```

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::listing::Listing;
use crate::provider::Provider;
use crate::race::{Either, race, sleep_until};
use crate::target::{Mismatch, Target};
use crate::url::Url;

/// Follows the providers of a service. Dropping it ends it.
pub struct Subscription {
    target: Target,
    grace: Duration,
    listing: watch::Receiver<Option<Arc<Listing>>>,
    /// The list that was looked at last, and what was found in it.
    looked: Option<(Arc<Listing>, Arc<[Provider]>)>,
    /// What the last update gave.
    given: Option<Arc<[Provider]>>,
    /// When the time of grace of an empty list ends.
    until: Option<Instant>,
    skipped: Skipped,
    /// Of the list that was looked at last: what is named in the log already.
    named: HashSet<Arc<Url>>,
}

/// What changed, and all there is now.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Update {
    /// All providers, by address.
    pub snapshot: Arc<[Provider]>,
    /// Those that the last snapshot did not have. A provider whose URL has changed is here, and its former self in
    /// `removed`.
    pub added: Vec<Provider>,
    /// Those of the last snapshot that are gone.
    pub removed: Vec<Provider>,
    /// The registry says that there are none, and the snapshot is the last list that had some. When the time of grace is
    /// over an update with an empty snapshot follows.
    pub stale: bool,
}

/// How many entries of the last list were not used, and why. Each is named once in the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Skipped {
    /// They are no URL.
    pub unreadable: usize,
    /// They do not answer the target: another version, say.
    pub not_matching: usize,
    /// Another entry names the same service at the same address, and started later.
    pub repeated: usize,
    /// They are beyond [`MAX_ENTRIES_OF_A_SERVICE`](crate::MAX_ENTRIES_OF_A_SERVICE).
    pub over_limit: usize,
}

impl Subscription {
    pub(crate) fn new(
        target: Target,
        grace: Duration,
        listing: watch::Receiver<Option<Arc<Listing>>>,
    ) -> Self {
        Self {
            target,
            grace,
            listing,
            looked: None,
            given: None,
            until: None,
            skipped: Skipped::default(),
            named: HashSet::new(),
        }
    }

    /// The next update; `None` once the registry is closed. The first one comes as soon as the list is known, also if it
    /// is empty. Whoever comes late gets the newest list and the difference to what he was given last.
    ///
    /// Cancel-safe: an update is either given or kept.
    pub async fn next(&mut self) -> Option<Update> {
        loop {
            if let Some(update) = self.look() {
                return Some(update);
            }
            match race(self.listing.changed(), sleep_until(self.until)).await {
                Either::Left(Err(_)) => return None,
                Either::Left(Ok(())) | Either::Right(()) => {}
            }
        }
    }

    /// What is asked for.
    #[must_use]
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// The snapshot of the last update; `None` before the first.
    #[must_use]
    pub fn current(&self) -> Option<Arc<[Provider]>> {
        self.given.clone()
    }

    /// What was left out of the list that the last update was made of.
    #[must_use]
    pub fn skipped(&self) -> Skipped {
        self.skipped
    }

    /// The update that is due now, if there is one.
    fn look(&mut self) -> Option<Update> {
        let listing = self.listing.borrow_and_update().clone()?;
        let found = match &self.looked {
            Some((looked, found)) if Arc::ptr_eq(looked, &listing) => Arc::clone(found),
            _ => {
                let found = self.select(&listing);
                self.looked = Some((Arc::clone(&listing), Arc::clone(&found)));
                found
            }
        };
        let kept = self.given.as_ref().filter(|given| found.is_empty() && !given.is_empty());
        if let Some(kept) = kept {
            let first = self.until.is_none();
            let until = *self.until.get_or_insert(listing.at + self.grace);
            if Instant::now() < until {
                return first.then(|| Update {
                    snapshot: Arc::clone(kept),
                    added: Vec::new(),
                    removed: Vec::new(),
                    stale: true,
                });
            }
        }
        let was_stale = self.until.take().is_some();
        if !was_stale && self.given.as_ref() == Some(&found) {
            return None;
        }
        let before = self.given.replace(Arc::clone(&found)).unwrap_or_else(|| Arc::from([]));
        Some(Update {
            added: missing_in(&before, &found),
            removed: missing_in(&found, &before),
            snapshot: found,
            stale: false,
        })
    }

    /// The providers of a list that answer the target, one for each address and service, by address.
    fn select(&mut self, listing: &Listing) -> Arc<[Provider]> {
        let mut skipped =
            Skipped { unreadable: listing.unreadable, over_limit: listing.over_limit, ..Skipped::default() };
        let mut named = HashSet::new();
        let mut services: HashMap<Service, Provider> = HashMap::new();
        for url in &listing.urls {
            let matching =
                self.target.matches(url).and_then(|()| Provider::of(Arc::clone(url)).ok_or(Mismatch::NoPort));
            match matching {
                Ok(provider) => {
                    let known = services.remove(&Service::of(&provider));
                    skipped.repeated = skipped.repeated.saturating_add(usize::from(known.is_some()));
                    let newest = match known {
                        Some(known) if known.started() > provider.started() => known,
                        _ => provider,
                    };
                    services.insert(Service::of(&newest), newest);
                }
                Err(mismatch) => {
                    skipped.not_matching = skipped.not_matching.saturating_add(1);
                    if !self.named.contains(url) {
                        tracing::debug!(target = %self.target, provider = %url, reason = %mismatch, "skipped a provider");
                    }
                    named.insert(Arc::clone(url));
                }
            }
        }
        self.skipped = skipped;
        self.named = named;
        let mut providers: Vec<Provider> = services.into_values().collect();
        providers
            .sort_by_cached_key(|provider| (provider.address().clone(), provider.url().to_full_string()));
        providers.into()
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription")
            .field("target", &self.target)
            .field("providers", &self.given.as_ref().map(|given| given.len()))
            .field("stale", &self.until.is_some())
            .field("skipped", &self.skipped)
            .finish_non_exhaustive()
    }
}

/// What two entries of one running provider share. A provider that was restarted at once has two, until the registry
/// forgets the first.
#[derive(PartialEq, Eq, Hash)]
struct Service {
    protocol: String,
    host: String,
    port: u16,
    path: String,
    key: Option<String>,
}

impl Service {
    fn of(provider: &Provider) -> Self {
        let url = provider.url();
        Self {
            protocol: url.protocol().to_owned(),
            host: provider.address().host().to_owned(),
            port: provider.address().port(),
            path: url.path().to_owned(),
            key: url.service_key(),
        }
    }
}

/// Those of `list` that `other` does not have.
fn missing_in(other: &[Provider], list: &[Provider]) -> Vec<Provider> {
    let other: HashSet<&Provider> = other.iter().collect();
    list.iter().filter(|provider| !other.contains(provider)).cloned().collect()
}
