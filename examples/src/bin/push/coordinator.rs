//! The server: knows the sessions of all participants by what they have registered, and pushes to those that it picks.

use std::{
    collections::HashMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use getty::{EventListener, Lines, Session};
use tokio::{
    sync::{mpsc, oneshot},
    time::timeout,
};

/// How long a participant may take for one commit.
const PATIENCE: Duration = Duration::from_secs(10);

/// A part of a transaction: what it changed, and whose.
pub(crate) struct Branch<'a> {
    pub(crate) resource: &'a str,
    pub(crate) application: &'a str,
    /// Who has done it.
    pub(crate) instance: &'a str,
}

pub(crate) struct Coordinator {
    /// Sessions that have registered and live. What they have registered is an attribute of each.
    sessions: Mutex<Vec<Session<Lines>>>,
    commits: AtomicU64,
    registered: mpsc::UnboundedSender<()>,
}

/// What a participant has told of itself. An attribute of its session.
struct Registration {
    instance: String,
    application: String,
    resources: Vec<String>,
}

/// Who waits for an answer to a push. An attribute of the session too, so that nobody waits for one that has ended.
#[derive(Default)]
struct Waiting(Mutex<HashMap<u64, oneshot::Sender<()>>>);

impl Coordinator {
    /// And what tells of each registration.
    pub(crate) fn new() -> (Self, mpsc::UnboundedReceiver<()>) {
        let (registered, receiver) = mpsc::unbounded_channel();
        (Self { sessions: Mutex::default(), commits: AtomicU64::new(0), registered }, receiver)
    }

    /// Commits a branch by whoever did it, else by another of its application. Gives the commit's number, and who has done it.
    ///
    /// One that got the commit and then fell silent may have done it, so a participant has to take the same commit twice.
    pub(crate) async fn commit(&self, branch: &Branch<'_>) -> (u64, Option<String>) {
        let number = self.commits.fetch_add(1, Ordering::Relaxed) + 1;
        for session in self.candidates(branch) {
            if let Some(registration) = session.get::<Registration>()
                && push(&session, number, branch.resource).await
            {
                return (number, Some(registration.instance.clone()));
            }
        }
        (number, None)
    }

    /// Breaks the connection of a participant.
    pub(crate) fn disconnect(&self, instance: &str) {
        for session in lock(&self.sessions).iter() {
            if session.get::<Registration>().is_some_and(|registration| registration.instance == instance) {
                session.abort();
            }
        }
    }

    /// Who can commit a branch, the best first.
    fn candidates(&self, branch: &Branch<'_>) -> Vec<Session<Lines>> {
        let mut found: Vec<_> = lock(&self.sessions)
            .iter()
            .filter_map(|session| Some((session.get::<Registration>()?, session.clone())))
            .filter(|(registration, _)| {
                registration.application == branch.application
                    && registration.resources.iter().any(|resource| resource == branch.resource)
            })
            .collect();
        found.sort_by_key(|(registration, _)| registration.instance != branch.instance);
        found.into_iter().map(|(_, session)| session).collect()
    }

    fn register(&self, session: &Session<Lines>, registration: Registration) {
        let Registration { instance, application, resources } = &registration;
        println!("{instance} of {application} has registered: {}", resources.join(", "));
        session.set(registration);
        session.set(Waiting::default());
        lock(&self.sessions).push(session.clone());
        let _ = self.registered.send(());
    }
}

impl EventListener<Lines> for Coordinator {
    fn on_message(&self, session: &Session<Lines>, line: String) {
        match line.split(' ').collect::<Vec<_>>()[..] {
            ["REGISTER", instance, application, ref resources @ ..]
                if session.get::<Registration>().is_none() =>
            {
                let resources = resources.iter().map(|&resource| resource.to_owned()).collect();
                let registration = Registration {
                    instance: instance.to_owned(),
                    application: application.to_owned(),
                    resources,
                };
                self.register(session, registration);
            }
            ["DONE", number] => {
                if let (Ok(number), Some(waiting)) = (number.parse(), session.get::<Waiting>())
                    && let Some(waiting) = lock(&waiting.0).remove(&number)
                {
                    let _ = waiting.send(());
                }
            }
            // Whoever says anything else is no participant.
            _ => session.close(),
        }
    }

    fn on_close(&self, session: &Session<Lines>) {
        lock(&self.sessions).retain(|other| other != session);
        if let Some(waiting) = session.get::<Waiting>() {
            // Whoever waits for an answer learns at once that there will be none.
            lock(&waiting.0).clear();
        }
    }
}

/// Tells a participant to commit. Whether it has answered.
async fn push(session: &Session<Lines>, number: u64, resource: &str) -> bool {
    let Some(waiting) = session.get::<Waiting>() else { return false };
    let (answer, answered) = oneshot::channel();
    lock(&waiting.0).insert(number, answer);
    let pushed = session.write(format!("COMMIT {number} {resource}")).is_ok();
    let done = pushed && matches!(timeout(PATIENCE, answered).await, Ok(Ok(())));
    lock(&waiting.0).remove(&number);
    done
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
