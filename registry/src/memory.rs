//! Owns the registry inside one process, `memory://name`: for tests, and for programs whose services call each other. The
//! same name is the same registry, as long as anybody uses it.

use std::collections::{BTreeMap, HashMap};
use std::future::pending;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, Weak};

use tokio::sync::watch;

use crate::keeper::backend::{Backend, Fault, Life, News, Opened, Session};
use crate::layout::{self, Node};
use crate::listing::Publisher;

/// By name. An entry whose registry nobody uses is replaced by the next of its name.
static STORES: LazyLock<Mutex<HashMap<String, Weak<Store>>>> = LazyLock::new(Mutex::default);

/// Names the sessions of a process.
static SESSIONS: AtomicU64 = AtomicU64::new(0);

/// One user's way into the registry of a name.
pub(crate) struct Memory {
    store: Arc<Store>,
    root: String,
}

/// Nodes by directory and name, each with the session that owns it.
struct Store {
    directories: Mutex<HashMap<String, BTreeMap<String, u64>>>,
    changes: watch::Sender<u64>,
}

pub(crate) struct MemorySession {
    store: Arc<Store>,
    root: String,
    id: u64,
}

/// A process does not lose its own memory.
pub(crate) struct Forever;

impl Memory {
    pub(crate) fn of(name: &str, root: &str) -> Self {
        let mut stores = STORES.lock().unwrap_or_else(PoisonError::into_inner);
        stores.retain(|_, store| store.strong_count() > 0);
        let store = stores.get(name).and_then(Weak::upgrade).unwrap_or_else(|| {
            let store = Arc::new(Store { directories: Mutex::default(), changes: watch::Sender::new(0) });
            stores.insert(name.to_owned(), Arc::downgrade(&store));
            store
        });
        Self { store, root: root.to_owned() }
    }
}

impl Backend for Memory {
    type Session = MemorySession;
    type Life = Forever;

    async fn open(&mut self) -> Result<Opened<Self>, Fault> {
        let id = SESSIONS.fetch_add(1, Ordering::Relaxed);
        let session = MemorySession { store: Arc::clone(&self.store), root: self.root.clone(), id };
        Ok(Opened { session: Arc::new(session), life: Forever })
    }
}

impl Session for MemorySession {
    async fn ensure(&self, node: &Node) -> Result<(), Fault> {
        let mut directories = self.store.lock();
        let before =
            directories.entry(node.directory.clone()).or_default().insert(node.name.clone(), self.id);
        drop(directories);
        if before.is_none() {
            self.store.changed();
        }
        Ok(())
    }

    async fn remove(&self, node: &Node) -> Result<(), Fault> {
        let mut directories = self.store.lock();
        let before = directories.get_mut(&node.directory).and_then(|directory| directory.remove(&node.name));
        drop(directories);
        if before.is_some() {
            self.store.changed();
        }
        Ok(())
    }

    async fn follow(&self, interface: &str, list: &Publisher) -> Result<(), Fault> {
        let mut changes = self.store.changes.subscribe();
        let directory = layout::providers(&self.root, interface);
        let names: Vec<String> = self
            .store
            .lock()
            .get(&directory)
            .map(|names| names.keys().cloned().collect())
            .unwrap_or_default();
        list.publish_nodes(names);
        // The sender lives as long as `self`.
        let _ = changes.changed().await;
        Ok(())
    }

    async fn close(self: Arc<Self>) {}
}

/// As a server does with the nodes of a session that ends.
impl Drop for MemorySession {
    fn drop(&mut self) {
        let mut directories = self.store.lock();
        directories.retain(|_, names| {
            names.retain(|_, owner| *owner != self.id);
            !names.is_empty()
        });
        drop(directories);
        self.store.changed();
    }
}

impl Life for Forever {
    async fn news(&mut self) -> News {
        pending().await
    }
}

impl Store {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, BTreeMap<String, u64>>> {
        self.directories.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn changed(&self) {
        self.changes.send_modify(|count| *count = count.wrapping_add(1));
    }
}
