//! A descriptor that is kept for the time when there are no others. Given up, it lets a server accept those who wait, so as to close
//! their connections: they learn at once that nobody serves them. Nothing is ever sent or received by it.

use socket2::{Domain, Socket, Type};

#[derive(Default)]
pub(super) struct Reserve(Option<Socket>);

impl Reserve {
    /// Takes a descriptor, unless there is one already or none is left.
    pub(super) fn refill(&mut self) {
        if self.0.is_none() {
            self.0 = descriptor();
        }
    }

    /// Whether there is one, and it is the last that the process can have.
    pub(super) fn is_last(&self) -> bool {
        self.0.is_some() && descriptor().is_none()
    }

    /// Gives it to whoever is next to ask the system for one.
    pub(super) fn give_up(&mut self) {
        self.0 = None;
    }
}

/// A socket that is bound to nothing and connected to nothing: for a file, there would have to be one.
fn descriptor() -> Option<Socket> {
    Socket::new(Domain::IPV4, Type::STREAM, None).ok()
}
