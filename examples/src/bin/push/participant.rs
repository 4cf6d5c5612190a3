//! The client: says at the beginning of each connection who it is and what it works on, and does what it is told.

use getty::{BoxError, Client, EventListener, Lines, Session};

struct Participant {
    /// What it says first.
    registration: String,
}

/// A client that dials at the first need, and again whenever its connection ends.
pub(crate) fn start(address: &str, instance: &str, application: &str, resources: &[&str]) -> Client<Lines> {
    let registration = format!("REGISTER {instance} {application} {}", resources.join(" "));
    Client::tcp(address, 1, Lines::default(), Participant { registration })
}

impl EventListener<Lines> for Participant {
    /// What is written here goes out before anything else on the new connection.
    fn on_open(&self, session: &Session<Lines>) -> Result<(), BoxError> {
        session.write(self.registration.clone())?;
        Ok(())
    }

    fn on_message(&self, session: &Session<Lines>, line: String) {
        if let ["COMMIT", number, _resource] = line.split(' ').collect::<Vec<_>>()[..] {
            // Here the transaction would be ended in the database, in a future given to `session.run`.
            let _ = session.write(format!("DONE {number}"));
        }
    }
}
