//! Owns what is done in one ZooKeeper session: nodes that belong to it, and lists with one-shot watches. Must never take a
//! node of another session for its own: that one goes when its session ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::time::{sleep, timeout};
use zookeeper_client::{Acls, Client, CreateMode, CreateOptions, Error, EventType, OneshotWatcher};

use super::{acls, fault};
use crate::keeper::backend::{Fault, FaultKind, Session};
use crate::layout::{self, Node};
use crate::listing::Publisher;
use crate::settings::Settings;

/// Most bytes of paths that are watched at a time. Above 128 KiB the crate asks for its watches in two requests of one
/// number at a reconnect, and takes the second answer for an error.
pub(crate) const WATCHED_BYTES: usize = 100 * 1024;

/// How often a list is read that is beyond [`WATCHED_BYTES`].
const UNWATCHED: Duration = Duration::from_secs(5);

/// How often a node is looked at again that others change meanwhile.
const ROUNDS: usize = 4;

pub(crate) struct ZooKeeperSession {
    client: Client,
    root: String,
    limit: Duration,
    acls: Acls<'static>,
    watched: AtomicUsize,
}

impl ZooKeeperSession {
    pub(super) fn new(client: Client, settings: &Settings) -> Self {
        Self {
            client,
            root: settings.root.clone(),
            limit: settings.timeout,
            acls: acls(settings),
            watched: AtomicUsize::new(0),
        }
    }

    fn options(&self, mode: CreateMode) -> CreateOptions<'static> {
        mode.with_acls(self.acls)
    }

    /// One look at a node, and what is to be done about it. `Ok(false)`: somebody else was faster.
    async fn ensure_once(&self, node: &Node, path: &str) -> Result<bool, Fault> {
        let own = self.client.session_id().0;
        let ephemeral = self.options(CreateMode::Ephemeral);
        let done = match self.client.check_stat(path).await.map_err(fault)? {
            Some(stat) if stat.ephemeral_owner == own => Ok(()),
            // Left by a session that has not ended yet. In one step, so that no consumer sees the provider vanish.
            Some(_) => {
                let mut exchange = self.client.new_multi_writer();
                exchange.add_delete(path, None).map_err(fault)?;
                exchange.add_create(path, b"", &ephemeral).map_err(fault)?;
                exchange.commit().await.map(drop).map_err(Error::from)
            }
            None => match self.client.create(path, b"", &ephemeral).await {
                Err(Error::NoNode) => {
                    let persistent = self.options(CreateMode::Persistent);
                    self.client.mkdir(&node.directory, &persistent).await.map_err(fault)?;
                    Err(Error::NoNode)
                }
                created => created.map(drop),
            },
        };
        match done {
            Ok(()) => Ok(true),
            Err(Error::NoNode | Error::NodeExists) => Ok(false),
            Err(error) => Err(fault(error)),
        }
    }

    async fn answer<T>(
        &self,
        request: impl Future<Output = Result<T, Error>>,
    ) -> Result<Result<T, Error>, Fault> {
        timeout(self.limit, request).await.map_err(|_| fault(Error::Timeout))
    }

    /// The children of a directory, or `None` if it is not there, and a watch for either.
    async fn list(&self, path: &str) -> Result<(Option<Vec<String>>, OneshotWatcher), Fault> {
        for _ in 0..ROUNDS {
            match self.answer(self.client.list_and_watch_children(path)).await? {
                Ok((names, watch)) => return Ok((Some(names), watch)),
                Err(Error::NoNode) => {}
                Err(error) => return Err(fault(error)),
            }
            let (stat, watch) = self.answer(self.client.check_and_watch_stat(path)).await?.map_err(fault)?;
            if stat.is_none() {
                return Ok((None, watch));
            }
        }
        Err(Fault::new(FaultKind::Refused, "the directory comes and goes"))
    }

    async fn list_unwatched(&self, path: &str) -> Result<Option<Vec<String>>, Fault> {
        match self.answer(self.client.list_children(path)).await? {
            Ok(names) => Ok(Some(names)),
            Err(Error::NoNode) => Ok(None),
            Err(error) => Err(fault(error)),
        }
    }
}

impl Session for ZooKeeperSession {
    async fn ensure(&self, node: &Node) -> Result<(), Fault> {
        let path = node.path();
        for _ in 0..ROUNDS {
            if self.ensure_once(node, &path).await? {
                return Ok(());
            }
        }
        Err(Fault::new(FaultKind::Refused, "somebody else creates and deletes the node at the same time"))
    }

    async fn remove(&self, node: &Node) -> Result<(), Fault> {
        match self.client.delete(&node.path(), None).await {
            Ok(()) | Err(Error::NoNode) => Ok(()),
            Err(error) => Err(fault(error)),
        }
    }

    async fn follow(&self, interface: &str, list: &Publisher) -> Result<(), Fault> {
        let path = layout::providers(&self.root, interface);
        let Some(_watching) = Watching::reserve(&self.watched, path.len()) else {
            list.publish_nodes(self.list_unwatched(&path).await?.unwrap_or_default());
            sleep(UNWATCHED).await;
            return Ok(());
        };
        let (names, watch) = self.list(&path).await?;
        list.publish_nodes(names.unwrap_or_default());
        let event = watch.changed().await;
        if event.event_type == EventType::Session {
            return Err(Fault::new(
                FaultKind::Link,
                format_args!("the watch ended: {}", event.session_state),
            ));
        }
        Ok(())
    }

    async fn close(self: Arc<Self>) {
        let mut state = self.client.state_watcher();
        // The crate closes the session once nobody holds a client.
        drop(self);
        while !state.peek_state().is_terminated() {
            state.changed().await;
        }
    }
}

/// A share of what may be watched, given back when it is dropped.
struct Watching<'a> {
    watched: &'a AtomicUsize,
    bytes: usize,
}

impl<'a> Watching<'a> {
    fn reserve(watched: &'a AtomicUsize, bytes: usize) -> Option<Self> {
        let with = |now: usize| now.checked_add(bytes).filter(|total| *total <= WATCHED_BYTES);
        watched.fetch_update(Ordering::Relaxed, Ordering::Relaxed, with).ok()?;
        Some(Self { watched, bytes })
    }
}

impl Drop for Watching<'_> {
    fn drop(&mut self) {
        self.watched.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::{WATCHED_BYTES, Watching};

    #[test]
    fn no_more_is_watched_than_may_be_and_what_is_given_back_may_be_watched_again() {
        let watched = AtomicUsize::new(0);
        let path = WATCHED_BYTES / 10;
        let mut all: Vec<_> = (0..10).map(|_| Watching::reserve(&watched, path).unwrap()).collect();
        assert!(Watching::reserve(&watched, 1).is_none());
        assert!(Watching::reserve(&watched, usize::MAX).is_none());
        for _ in 0..100 {
            all.pop();
            assert!(Watching::reserve(&watched, path + 1).is_none());
            all.push(Watching::reserve(&watched, path).unwrap());
            assert!(Watching::reserve(&watched, 1).is_none());
        }
    }
}
