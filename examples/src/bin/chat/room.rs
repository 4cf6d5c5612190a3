//! The room: who is in it, and what everybody hears. It does not know what a session runs over.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use getty::{BoxError, EventListener, Lines, Session, WriteError};

/// Characters that a name may have.
const NAME: usize = 20;

/// Everybody who has said a name.
#[derive(Default)]
pub(crate) struct Room {
    people: Mutex<BTreeMap<String, Session<Lines>>>,
}

/// Who somebody is. An attribute of the session, from the first line on.
struct Name(String);

impl Room {
    /// The first line is the name.
    fn enter(&self, session: &Session<Lines>, name: &str) {
        let name = name.trim();
        if name.is_empty() || name.chars().count() > NAME || !name.chars().all(char::is_alphanumeric) {
            return answer(session, &format!("* A name has 1 to {NAME} letters and digits. Which is yours?"));
        }
        let mut people = self.lock();
        if people.contains_key(name) {
            return answer(session, "* Somebody has this name already. Which is yours?");
        }
        tell(&people, &format!("* {name} has joined"));
        let others: Vec<_> = people.keys().map(String::as_str).collect();
        answer(
            session,
            &match others[..] {
                [] => format!("* Welcome, {name}. Nobody else is here."),
                _ => format!("* Welcome, {name}. Here are: {}", others.join(", ")),
            },
        );
        session.set(Name(name.to_owned()));
        people.insert(name.to_owned(), session.clone());
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Session<Lines>>> {
        self.people.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl EventListener<Lines> for Room {
    fn on_open(&self, session: &Session<Lines>) -> Result<(), BoxError> {
        session.write("* What is your name?".to_owned())?;
        Ok(())
    }

    fn on_message(&self, session: &Session<Lines>, line: String) {
        // Control characters would let one person rewrite the terminals of the others.
        let line: String = line.chars().filter(|c| !c.is_control()).collect();
        match session.get::<Name>() {
            None => self.enter(session, &line),
            Some(_) if line.trim().is_empty() => {}
            // Told under the lock, so everybody hears everything in the same order.
            Some(name) => tell(&self.lock(), &format!("{}: {line}", name.0)),
        }
    }

    fn on_close(&self, session: &Session<Lines>) {
        if let Some(name) = session.get::<Name>() {
            let mut people = self.lock();
            people.remove(&name.0);
            tell(&people, &format!("* {} has left", name.0));
        }
    }
}

fn tell(people: &BTreeMap<String, Session<Lines>>, line: &str) {
    for session in people.values() {
        answer(session, line);
    }
}

fn answer(session: &Session<Lines>, line: &str) {
    if let Err(WriteError::Full { .. }) = session.write(line.to_owned()) {
        // Somebody who does not read is put out: nobody waits for them, and what waits for them is bounded.
        session.abort();
    }
}
