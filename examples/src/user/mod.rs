//! The service `com.example.user.UserService`: its trait, as callers and providers see it.

pub mod checks;
mod provider;
mod types;

use std::collections::HashMap;

use getty_rpc::{Date, service};

pub use provider::Users;
pub use types::{Address, Level, User, UserNotFound};

/// A small user directory, with a method for every kind of value.
#[service(interface = "com.example.user.UserService", version = "1.0.0", group = "demo")]
pub trait UserService {
    /// "Hello, {name}!"; nobody is greeted as "nobody".
    async fn greet(&self, name: Option<String>) -> Option<String>;
    /// The number after `n`; after the largest comes the smallest.
    async fn next(&self, n: i32) -> i32;
    /// `-n`; the smallest number stays as it is.
    async fn negate(&self, n: i64) -> i64;
    /// Half of `x`.
    async fn half(&self, x: f64) -> f64;
    /// The opposite.
    async fn not(&self, b: bool) -> bool;
    /// The bytes from the last to the first.
    async fn reverse_bytes(&self, data: Option<Vec<u8>>) -> Option<Vec<u8>>;
    /// The same time a day later.
    async fn next_day(&self, at: Option<Date>) -> Option<Date>;
    /// The words from the last to the first.
    async fn reverse(&self, words: Option<Vec<String>>) -> Option<Vec<String>>;
    /// A year older, and a level up.
    async fn birthday(&self, user: Option<User>) -> Option<User>;
    /// The youngest first.
    async fn sort_by_age(&self, users: Vec<User>) -> Vec<User>;
    /// Those older than `age`, under their names.
    async fn older_than(&self, users: HashMap<String, User>, age: i32) -> HashMap<String, User>;
    /// The version of this service.
    async fn version(&self) -> String;
    /// Keeps a note.
    async fn remember(&self, note: String);
    /// All notes, in order.
    async fn notes(&self) -> Vec<String>;
    /// Keeps a note; nobody waits for it.
    #[method(oneway)]
    async fn log(&self, note: String);
    /// The user with this id.
    async fn find(&self, id: i64) -> Result<User, UserNotFound>;
    /// Takes its time.
    #[method(timeout_ms = 5000)]
    async fn slow(&self, millis: i32) -> String;
    /// So many letters x.
    #[method(timeout_ms = 5000)]
    async fn large(&self, size: i32) -> String;
}
