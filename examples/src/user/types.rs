//! The types that travel. Class and field names are Java's; Go knows the same ones.

use std::{collections::HashMap, fmt};

use getty_rpc::{Date, Hessian};

/// `com.example.user.User`
#[derive(Debug, Clone, PartialEq, Hessian)]
#[hessian(class = "com.example.user.User")]
pub struct User {
    /// Number.
    pub id: i64,
    /// Name.
    pub name: String,
    /// Age in years.
    pub age: i32,
    /// How much of a customer.
    pub level: Level,
    /// Where to send things.
    pub address: Option<Address>,
    /// Where to write to.
    pub email: Option<String>,
    /// Day of birth.
    pub born: Option<Date>,
    /// Words about the user.
    pub tags: Option<Vec<String>>,
    /// Other users.
    pub friends: Option<Vec<Self>>,
    /// Money by currency.
    pub accounts: Option<HashMap<String, f64>>,
    /// A picture.
    pub photo: Option<Vec<u8>>,
}

/// `com.example.user.Address`
#[derive(Debug, Clone, PartialEq, Eq, Hessian)]
#[hessian(class = "com.example.user.Address")]
pub struct Address {
    /// Street and number.
    pub street: String,
    /// City.
    pub city: String,
    /// Postal code, where there are any.
    pub zip: Option<String>,
}

/// `com.example.user.Level`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hessian)]
#[hessian(class = "com.example.user.Level")]
pub enum Level {
    /// Where all begin.
    Bronze,
    /// Better.
    Silver,
    /// Best.
    Gold,
}

impl Level {
    /// One step up; there is nothing above gold.
    #[must_use]
    pub fn up(self) -> Self {
        match self {
            Self::Bronze => Self::Silver,
            Self::Silver | Self::Gold => Self::Gold,
        }
    }
}

/// `com.example.user.UserNotFoundException`
#[derive(Debug, Clone, PartialEq, Eq, Hessian)]
#[hessian(class = "com.example.user.UserNotFoundException", exception)]
pub struct UserNotFound {
    /// What Java's `getMessage()` gives.
    pub message: String,
    /// Who was looked for.
    pub id: i64,
}

impl fmt::Display for UserNotFound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for UserNotFound {}

impl User {
    /// A user of whom little is known.
    pub fn new(id: i64, name: impl Into<String>, age: i32) -> Self {
        Self {
            id,
            name: name.into(),
            age,
            level: Level::Bronze,
            address: None,
            email: None,
            born: None,
            tags: None,
            friends: None,
            accounts: None,
            photo: None,
        }
    }
}
