//! What a client or a server is called, and who is told of its connections: handed on to getty, which knows both.

use std::{fmt, sync::Arc};

use getty::{Observer, Protocol};

/// What is not set is as getty has it: `client` or `server`, and nobody.
#[derive(Clone, Default)]
pub(crate) struct Observing {
    pub(crate) name: Option<Arc<str>>,
    pub(crate) observer: Option<Arc<dyn Observer>>,
}

impl Observing {
    pub(crate) fn of_client<P: Protocol>(
        &self,
        mut client: getty::ClientBuilder<P>,
    ) -> getty::ClientBuilder<P> {
        if let Some(name) = &self.name {
            client = client.name(Arc::clone(name));
        }
        if let Some(observer) = &self.observer {
            client = client.observer(Arc::clone(observer));
        }
        client
    }

    pub(crate) fn of_server<A: getty::transport::Listen>(
        &self,
        mut server: getty::Server<A>,
    ) -> getty::Server<A> {
        if let Some(name) = &self.name {
            server = server.name(Arc::clone(name));
        }
        if let Some(observer) = &self.observer {
            server = server.observer(Arc::clone(observer));
        }
        server
    }
}

impl fmt::Debug for Observing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observing")
            .field("name", &self.name)
            .field("observed", &self.observer.is_some())
            .finish()
    }
}
