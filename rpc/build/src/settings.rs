//! Owns what a build script sets for services and rpcs, each under its protobuf name. It knows no file.

use std::collections::BTreeMap;

use crate::Error;

/// Values by the name of a service or rpc, without a leading dot.
#[derive(Debug, Clone, Default)]
pub(crate) struct ByName(BTreeMap<String, String>);

#[derive(Debug, Clone, Default)]
pub(crate) struct Settings {
    pub(crate) interfaces: ByName,
    pub(crate) versions: ByName,
    pub(crate) groups: ByName,
    pub(crate) exceptions: ByName,
}

impl ByName {
    pub(crate) fn set(&mut self, name: impl Into<String>, value: impl Into<String>) {
        let name = name.into();
        self.0.insert(name.strip_prefix('.').unwrap_or(&name).to_owned(), value.into());
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

impl Settings {
    /// Refuses settings for what is not there, and exceptions that are no types.
    pub(crate) fn check(&self, services: &[String], rpcs: &[String]) -> Result<(), Error> {
        for (setting, values, known) in [
            ("interface", &self.interfaces, services),
            ("version", &self.versions, services),
            ("group", &self.groups, services),
            ("exception", &self.exceptions, rpcs),
        ] {
            if let Some(name) = values.0.keys().find(|name| !known.contains(name)) {
                return Err(Error::Unknown { setting, name: name.clone(), known: known.to_vec() });
            }
        }
        match self.exceptions.0.iter().find(|(_, text)| !is_type(text)) {
            Some((rpc, text)) => Err(Error::Exception { rpc: rpc.clone(), text: text.clone() }),
            None => Ok(()),
        }
    }
}

/// Whether a text looks like the path of a Rust type, with generics or without. rustc has the last word; what is refused here would
/// make it complain about code that nobody wrote.
fn is_type(text: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || "_#<>, '".contains(c);
    let starts = text.starts_with(|c: char| c.is_alphabetic() || c == '_' || c == ':');
    let ends = text.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '>');
    starts && ends && text.replace("::", "").chars().all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_types_pass_and_other_text_does_not() {
        for text in ["NotFound", "crate::NotFound", "::other::errors::E<'static, u8>", "r#mod::_E"] {
            assert!(is_type(text), "{text}");
        }
        for text in ["", "crate:NotFound", "crate::", "NotFound;", "a b { }", "\"NotFound\"", "9"] {
            assert!(!is_type(text), "{text}");
        }
    }
}
