//! The provider: what the service does.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use getty_rpc::Date;

use super::{Level, User, UserNotFound, UserService};

const DAY: i64 = 24 * 60 * 60 * 1000;

/// Serves users, and keeps notes in memory.
#[derive(Debug, Default)]
pub struct Users {
    notes: Mutex<Vec<String>>,
}

impl Users {
    fn lock(&self) -> MutexGuard<'_, Vec<String>> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl UserService for Users {
    async fn greet(&self, name: Option<String>) -> Option<String> {
        Some(format!("Hello, {}!", name.as_deref().unwrap_or("nobody")))
    }

    async fn next(&self, n: i32) -> i32 {
        n.wrapping_add(1)
    }

    async fn negate(&self, n: i64) -> i64 {
        n.wrapping_neg()
    }

    async fn half(&self, x: f64) -> f64 {
        x / 2.0
    }

    async fn not(&self, b: bool) -> bool {
        !b
    }

    async fn reverse_bytes(&self, data: Option<Vec<u8>>) -> Option<Vec<u8>> {
        data.map(|data| data.into_iter().rev().collect())
    }

    async fn next_day(&self, at: Option<Date>) -> Option<Date> {
        at.map(|at| Date::from_millis(at.as_millis().saturating_add(DAY)))
    }

    async fn reverse(&self, words: Option<Vec<String>>) -> Option<Vec<String>> {
        words.map(|words| words.into_iter().rev().collect())
    }

    async fn birthday(&self, user: Option<User>) -> Option<User> {
        user.map(|user| User { age: user.age.saturating_add(1), level: user.level.up(), ..user })
    }

    async fn sort_by_age(&self, mut users: Vec<User>) -> Vec<User> {
        users.sort_by_key(|user| user.age);
        users
    }

    async fn older_than(&self, mut users: HashMap<String, User>, age: i32) -> HashMap<String, User> {
        users.retain(|_, user| user.age > age);
        users
    }

    async fn version(&self) -> String {
        "1.0.0".to_owned()
    }

    async fn remember(&self, note: String) {
        self.lock().push(note);
    }

    async fn notes(&self) -> Vec<String> {
        self.lock().clone()
    }

    async fn log(&self, note: String) {
        self.lock().push(note);
    }

    async fn find(&self, id: i64) -> Result<User, UserNotFound> {
        if id <= 0 {
            return Err(UserNotFound { message: format!("no user {id}"), id });
        }
        Ok(User { level: Level::Silver, ..User::new(id, format!("user-{id}"), 30) })
    }

    async fn slow(&self, millis: i32) -> String {
        tokio::time::sleep(Duration::from_millis(millis.max(0).unsigned_abs().into())).await;
        format!("slept {millis} ms")
    }

    async fn large(&self, size: i32) -> String {
        "x".repeat(usize::try_from(size).unwrap_or(0))
    }
}
