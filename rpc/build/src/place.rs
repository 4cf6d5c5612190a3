//! Owns how a place in a `.proto` file is shown: its name, and the line with a mark under it. It opens no file.

use std::{
    fmt,
    path::{Path, PathBuf},
};

/// A place in a `.proto` file. Shown as `proto/greeter.proto:7:3`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    file: PathBuf,
    line: usize,
    column: usize,
    mark: Box<Mark>,
}

/// The line, and what is marked in it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Mark {
    text: String,
    width: usize,
    label: String,
}

impl Place {
    /// The file, as it was found from the directory of the build script.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// The line; the first is 1.
    pub fn line(&self) -> usize {
        self.line
    }

    /// The column in characters; the first is 1.
    pub fn column(&self) -> usize {
        self.column
    }

    /// That many bytes from this byte of the source. What lies beyond its end is taken as its end.
    pub(crate) fn at_offset(file: PathBuf, source: &str, offset: usize, length: usize) -> Self {
        let before = source.get(..offset).unwrap_or(source);
        let marked = source.get(offset..).and_then(|rest| rest.get(..length)).unwrap_or_default();
        let line = before.matches('\n').count();
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count();
        Self::at_line(file, source, line, column, marked.chars().count())
    }

    /// That many characters from this line and column of the source, which count from 0.
    pub(crate) fn at_line(file: PathBuf, source: &str, line: usize, column: usize, width: usize) -> Self {
        let text = source.lines().nth(line).unwrap_or_default().to_owned();
        let mark = Mark { text, width, label: String::new() };
        Self { file, line: line + 1, column: column + 1, mark: Box::new(mark) }
    }

    /// What stands beside the mark.
    pub(crate) fn labelled(mut self, label: &str) -> Self {
        self.mark.label = label.to_owned();
        self
    }

    /// The line as it stands in the file.
    pub(crate) fn text(&self) -> &str {
        &self.mark.text
    }

    /// The line, and under it the mark.
    pub(crate) fn excerpt(&self) -> impl fmt::Display {
        let Mark { text, width, label } = &*self.mark;
        fmt::from_fn(move |f| {
            if text.trim().is_empty() {
                return Ok(());
            }
            let margin = self.line.to_string().len();
            let lead: String = text.chars().take(self.column - 1).map(blank).collect();
            let rest = text.chars().count().saturating_sub(self.column - 1);
            let mark = "^".repeat((*width).min(rest).max(1));
            write!(f, "\n{:margin$} |\n{} | {text}\n{:margin$} | {lead}{mark}", "", self.line, "")?;
            if label.is_empty() { Ok(()) } else { write!(f, " {label}") }
        })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file.display(), self.line, self.column)
    }
}

/// As wide as that character: a tab stays a tab, so that the mark stands under what it marks.
fn blank(character: char) -> char {
    if character == '\t' { '\t' } else { ' ' }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "syntax = \"proto3\";\n\tBär bar = 1;\n";

    #[test]
    fn an_offset_becomes_a_line_and_a_column_in_characters() {
        let offset = SOURCE.find("bar").unwrap();
        let place = Place::at_offset("a.proto".into(), SOURCE, offset, 3);
        assert_eq!(place.to_string(), "a.proto:2:6");
        assert_eq!(place.excerpt().to_string(), "\n  |\n2 | \tBär bar = 1;\n  | \t    ^^^");
    }

    #[test]
    fn a_mark_ends_with_its_line_and_a_place_past_the_end_has_none() {
        let place = Place::at_line("a.proto".into(), SOURCE, 1, 9, 100);
        assert_eq!(place.excerpt().to_string(), "\n  |\n2 | \tBär bar = 1;\n  | \t        ^^^^");
        for place in [
            Place::at_offset("a.proto".into(), SOURCE, 1000, 5),
            Place::at_line("a.proto".into(), SOURCE, 9, 0, 1),
        ] {
            assert_eq!(place.excerpt().to_string(), "");
        }
    }
}
