//! Owns the parameters of a URL: names and values in the order in which they came, each name once. Knows no percent
//! forms.

/// Lists of parameters are short (dozens), so a search from the front is quicker than a hash and keeps the order.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Parameters(Vec<(String, String)>);

impl Parameters {
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// A name that is there keeps its place.
    pub(super) fn set(&mut self, name: String, value: String) {
        match self.0.iter_mut().find(|(key, _)| *key == name) {
            Some((_, old)) => *old = value,
            None => self.0.push((name, value)),
        }
    }

    pub(super) fn remove(&mut self, name: &str) {
        self.0.retain(|(key, _)| key != name);
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

/// Whether the value of a parameter must not be shown.
pub(super) fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["password", "secret", "token"].iter().any(|end| name.ends_with(end))
}
