//! What the sessions of one server or one client share: the listener, the default limits, the wheel, the pool and the runtime.

use std::sync::Arc;

use tokio::runtime::Handle;

use crate::{
    EventListener, Limits, Protocol,
    pool::{Full, Pool, Workers},
    wheel::Wheel,
};

pub(crate) struct Endpoint<P: Protocol> {
    pub(crate) protocol: P,
    pub(crate) listener: Box<dyn EventListener<P>>,
    pub(crate) limits: Limits,
    pub(crate) wheel: Wheel,
    pub(crate) runtime: Handle,
    /// Where `on_message` runs, if not in the sessions' tasks.
    pub(crate) pool: Option<Workers>,
}

impl<P: Protocol> Endpoint<P> {
    /// Must be called in a tokio runtime, which then runs the sessions.
    pub(crate) fn new(
        protocol: P,
        listener: impl EventListener<P>,
        limits: Limits,
        pool: Pool,
        full: Full,
    ) -> Arc<Self> {
        let runtime = Handle::current();
        let wheel = Wheel::new(runtime.clone());
        let pool = Workers::start(pool, full, &runtime);
        Arc::new(Self { protocol, listener: Box::new(listener), limits, wheel, runtime, pool })
    }
}
