//! Owns what is done under one lease: keys that belong to it, and lists with a watch behind them. Must never take a key of
//! another lease for its own.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use etcd_client::{
    Client, Compare, CompareOp, Error, EventType, GetOptions, PutOptions, Txn, TxnOp, WatchOptions,
    WatchResponse,
};
use tokio::time::timeout;

use super::fault;
use crate::keeper::backend::{Fault, FaultKind, Session};
use crate::layout::{self, Node};
use crate::listing::{MAX_ENTRIES_OF_A_SERVICE, Publisher};
use crate::settings::Settings;

/// Longest answer that is read. A list of [`MAX_ENTRIES_OF_A_SERVICE`] has room.
const MAX_ANSWER_BYTES: usize = 64 * 1024 * 1024;

pub(crate) struct EtcdSession {
    client: Client,
    lease: i64,
    root: String,
    limit: Duration,
}

impl EtcdSession {
    pub(super) fn new(client: Client, lease: i64, settings: &Settings) -> Self {
        Self { client, lease, root: settings.root.clone(), limit: settings.timeout }
    }

    async fn answer<T>(&self, request: impl Future<Output = Result<T, Error>>) -> Result<T, Fault> {
        match timeout(self.limit, request).await {
            Ok(answer) => answer.map_err(|error| fault(&error)),
            Err(_) => Err(Fault::link("no answer in time")),
        }
    }

    /// The names below a prefix, and the revision of the store that they are of.
    async fn list(&self, prefix: &str) -> Result<(BTreeSet<String>, i64), Fault> {
        let most = i64::try_from(MAX_ENTRIES_OF_A_SERVICE).unwrap_or(i64::MAX).saturating_add(1);
        let options = GetOptions::new().with_prefix().with_keys_only().with_limit(most);
        let mut client = self.client.kv_client().max_decoding_message_size(MAX_ANSWER_BYTES);
        let answer = self.answer(client.get(prefix, Some(options))).await?;
        let revision = answer.header().map_or(0, etcd_client::ResponseHeader::revision);
        let names = answer.kvs().iter().filter_map(|pair| name_below(prefix, pair.key())).collect();
        Ok((names, revision))
    }
}

impl Session for EtcdSession {
    async fn ensure(&self, node: &Node) -> Result<(), Fault> {
        let path = node.path();
        // In one step, so that no consumer sees a provider vanish whose key hung on another lease. A key that is not there
        // has lease 0.
        let ours = Compare::lease(path.clone(), CompareOp::Equal, self.lease);
        let put = TxnOp::put(path, "", Some(PutOptions::new().with_lease(self.lease)));
        let exchange = Txn::new().when([ours]).or_else([put]);
        self.answer(self.client.kv_client().txn(exchange)).await.map(drop)
    }

    async fn remove(&self, node: &Node) -> Result<(), Fault> {
        self.answer(self.client.kv_client().delete(node.path(), None)).await.map(drop)
    }

    async fn follow(&self, interface: &str, list: &Publisher) -> Result<(), Fault> {
        let prefix = format!("{}/", layout::providers(&self.root, interface));
        let (mut names, revision) = self.list(&prefix).await?;
        list.publish_nodes(names.iter().cloned());
        let options = WatchOptions::new().with_prefix().with_start_revision(revision.saturating_add(1));
        let mut client = self.client.watch_client().max_decoding_message_size(MAX_ANSWER_BYTES);
        let mut watch = self.answer(client.watch(prefix.as_str(), Some(options))).await?;
        loop {
            let Some(news) = watch.message().await.map_err(|error| fault(&error))? else {
                return Err(Fault::link("the server ended the watch"));
            };
            if news.canceled() {
                return Err(canceled(&news));
            }
            for event in news.events() {
                let Some(name) = event.kv().and_then(|pair| name_below(&prefix, pair.key())) else {
                    continue;
                };
                match event.event_type() {
                    EventType::Put => names.insert(name),
                    EventType::Delete => names.remove(&name),
                };
            }
            if names.len() > MAX_ENTRIES_OF_A_SERVICE.saturating_mul(2) {
                return Ok(());
            }
            list.publish_nodes(names.iter().cloned());
        }
    }

    async fn close(self: Arc<Self>) {
        if let Err(fault) = self.answer(self.client.lease_client().revoke(self.lease)).await {
            tracing::debug!(%fault, "the lease could not be revoked; it runs out by itself");
        }
    }
}

/// The name of a key directly below a prefix; `None` for the bare parents that other implementations write, and for what
/// lies deeper.
fn name_below(prefix: &str, key: &[u8]) -> Option<String> {
    let name =
        key.strip_prefix(prefix.as_bytes()).filter(|name| !name.is_empty() && !name.contains(&b'/'))?;
    // What is no UTF-8 is no URL either, and is counted as such.
    Some(String::from_utf8_lossy(name).into_owned())
}

/// Why a watch was ended by the server: the list is read anew.
fn canceled(news: &WatchResponse) -> Fault {
    let text = match news.compact_revision() {
        0 => format!("the server canceled the watch: {}", news.cancel_reason()),
        revision => format!("the watch fell behind what the server keeps (revision {revision})"),
    };
    Fault::new(FaultKind::Link, text)
}
