//! Attachments: names and values that travel beside the arguments and beside the result.

use std::fmt;

/// Attachments of one call, in order. Names are unique. Values are text, as peers before Dubbo 2.7 know no others; of other
/// kinds that come from a peer, numbers and booleans are kept as their text.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Attachments(Vec<(String, String)>);

impl Attachments {
    /// None.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// The value under this name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Adds a value, or replaces the one under the same name.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<String>) {
        let (name, value) = (name.into(), value.into());
        match self.0.iter_mut().find(|(key, _)| *key == name) {
            Some((_, old)) => *old = value,
            None => self.0.push((name, value)),
        }
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Attachments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Attachments {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let mut attachments = Self::new();
        for (name, value) in entries {
            attachments.set(name, value);
        }
        attachments
    }
}
