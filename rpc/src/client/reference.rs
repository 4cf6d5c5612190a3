//! A reference: which service a stub calls, and what is prepared once for all of its calls.

use std::{fmt, sync::Arc, time::Duration};

use super::{Call, Client};
use crate::{
    cluster::{Cluster, Directory},
    serialization::{EncodeArguments, Plan, Returned, Serialization},
    service::{Method, ServiceInfo, Stub, Target},
};

/// What a stub calls through. Clones are cheap.
#[derive(Clone)]
pub struct Reference(Arc<Inner>);

struct Inner {
    client: Client,
    directory: Arc<Directory>,
    target: Target,
    methods: &'static [Method],
    plans: Vec<Plan>,
    timeout: Option<Duration>,
    cluster: Cluster,
}

impl Reference {
    /// A call to the method with this index. Nothing is sent before it is awaited.
    #[doc(hidden)]
    pub fn call<A: EncodeArguments, R: Returned>(&self, method: usize, arguments: A) -> Call<'_, A, R> {
        Call::new(self, method, arguments)
    }

    /// The service that it calls.
    pub fn target(&self) -> &Target {
        &self.0.target
    }

    pub(super) fn client(&self) -> &Client {
        &self.0.client
    }

    pub(super) fn directory(&self) -> &Arc<Directory> {
        &self.0.directory
    }

    pub(super) fn cluster(&self) -> Cluster {
        self.0.cluster
    }

    pub(super) fn method(&self, index: usize) -> Option<(&Method, &Plan)> {
        Some((self.0.methods.get(index)?, self.0.plans.get(index)?))
    }

    /// The timeout of a call that names none: the reference's, the method's, or the client's.
    pub(super) fn timeout(&self, method: &Method) -> Duration {
        self.0.timeout.or(method.timeout).unwrap_or(self.0.client.0.timeout)
    }
}

impl fmt::Debug for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Reference").field(&self.0.target.to_string()).finish()
    }
}

/// Makes a stub with another version, group or timeout than its trait declares.
#[derive(Debug, Clone)]
#[must_use = "a builder makes nothing until `refer`"]
pub struct ReferenceBuilder {
    client: Client,
    target: Target,
    methods: &'static [Method],
    serialization: Serialization,
    timeout: Option<Duration>,
    cluster: Option<Cluster>,
}

impl ReferenceBuilder {
    pub(super) fn new(client: &Client, info: &'static ServiceInfo) -> Self {
        Self {
            client: client.clone(),
            target: Target::of(info),
            methods: info.methods,
            serialization: info.serialization(),
            timeout: None,
            cluster: None,
        }
    }

    /// Another version; empty for none.
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.target.version = version.into();
        self
    }

    /// Another group; empty for none.
    pub fn group(mut self, group: impl Into<String>) -> Self {
        self.target.group = group.into();
        self
    }

    /// How long its calls wait, unless a call says otherwise.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// What happens when one of its calls fails.
    pub fn cluster(mut self, cluster: Cluster) -> Self {
        self.cluster = Some(cluster);
        self
    }

    /// The stub. With a registry it must be made in a tokio runtime, in which the list of providers is then kept.
    pub fn refer<S: Stub>(self) -> S {
        let Self { client, target, methods, serialization, timeout, cluster } = self;
        let plans = methods.iter().map(|method| Plan::new(serialization, &target, method)).collect();
        let directory = client.0.directory(&target);
        let cluster = cluster.unwrap_or(client.0.cluster);
        S::over(Reference(Arc::new(Inner { client, directory, target, methods, plans, timeout, cluster })))
    }
}
