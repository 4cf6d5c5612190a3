//! Owns the way from Rust names to Java names.

use syn::{Error, Ident, LitStr, Result};

/// A convention for names.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Case {
    Camel,
    Pascal,
    Snake,
    ScreamingSnake,
    Lower,
    Upper,
}

impl Case {
    pub(super) fn parse(name: &LitStr) -> Result<Self> {
        match name.value().as_str() {
            "camelCase" => Ok(Self::Camel),
            "PascalCase" => Ok(Self::Pascal),
            "snake_case" => Ok(Self::Snake),
            "SCREAMING_SNAKE_CASE" => Ok(Self::ScreamingSnake),
            "lowercase" => Ok(Self::Lower),
            "UPPERCASE" => Ok(Self::Upper),
            _ => Err(Error::new_spanned(
                name,
                "unknown convention: expected `camelCase`, `PascalCase`, `snake_case`, `SCREAMING_SNAKE_CASE`, \
                 `lowercase` or `UPPERCASE`",
            )),
        }
    }

    /// The identifier in this convention.
    pub(super) fn apply(self, ident: &Ident) -> String {
        let ident = ident.to_string();
        let words = words(ident.trim_start_matches("r#"));
        match self {
            Self::Snake => words.join("_"),
            Self::ScreamingSnake => words.join("_").to_uppercase(),
            Self::Lower => words.concat(),
            Self::Upper => words.concat().to_uppercase(),
            Self::Pascal => words.iter().map(|word| capitalized(word)).collect(),
            Self::Camel => {
                let mut words = words.iter();
                let first = words.next().cloned().unwrap_or_default();
                words.fold(first, |name, word| name + &capitalized(word))
            }
        }
    }
}

/// Words in lower case: split at underscores, before a capital that follows a small letter or digit, and before the
/// last capital of several that a small letter follows.
fn words(ident: &str) -> Vec<String> {
    let chars: Vec<char> = ident.chars().collect();
    let mut words = vec![String::new()];
    for (at, &char) in chars.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| chars.get(at)).copied().unwrap_or('_');
        let after = chars.get(at + 1).copied().unwrap_or('_');
        let begins = char.is_uppercase() && (!before.is_uppercase() || after.is_lowercase());
        if (char == '_' || begins) && words.last().is_some_and(|word| !word.is_empty()) {
            words.push(String::new());
        }
        if char != '_'
            && let Some(word) = words.last_mut()
        {
            word.extend(char.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

fn capitalized(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().into_iter().flat_map(char::to_uppercase).chain(chars).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proc_macro2::Span;

    fn apply(case: Case, name: &str) -> String {
        case.apply(&Ident::new_raw(name, Span::call_site()))
    }

    #[test]
    fn names_follow_their_convention() {
        for (case, rust, java) in [
            (Case::Camel, "user_name", "userName"),
            (Case::Camel, "id", "id"),
            (Case::Camel, "type", "type"),
            (Case::Camel, "url2_path", "url2Path"),
            (Case::Camel, "_private", "private"),
            (Case::Pascal, "user_name", "UserName"),
            (Case::Snake, "userName", "user_name"),
            (Case::ScreamingSnake, "Red", "RED"),
            (Case::ScreamingSnake, "DarkRed", "DARK_RED"),
            (Case::ScreamingSnake, "HTTPServer", "HTTP_SERVER"),
            (Case::ScreamingSnake, "Sha256Hmac", "SHA256_HMAC"),
            (Case::ScreamingSnake, "A", "A"),
            (Case::Lower, "UserName", "username"),
            (Case::Upper, "user_name", "USERNAME"),
        ] {
            assert_eq!(apply(case, rust), java, "{rust}");
        }
    }
}
