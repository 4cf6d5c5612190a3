//! Owns what becomes of comments before they are documentation: text that rustdoc shows as it was meant, warns of nothing in, and
//! never compiles as an example. It changes no comment in a `.proto` file.

use prost_types::FileDescriptorProto;

/// A line that begins with more spaces than this is code to Markdown.
const TEXT_INDENT: usize = 3;
const FENCE: &str = "```";

/// Makes Markdown for rustdoc of all comments of a file.
pub(crate) fn clean(file: &mut FileDescriptorProto) {
    for location in file.source_code_info.iter_mut().flat_map(|info| &mut info.location) {
        let around = location.leading_comments.iter_mut().chain(&mut location.trailing_comments);
        for comment in around.chain(&mut location.leading_detached_comments) {
            *comment = Cleaner::default().clean(comment);
        }
    }
}

/// Text, line by line:
///
/// ```text
///             a fence                        the same fence, or the end
///   text ------------------------> fenced ---------------------------------> text
///        ------------------------> indented -------------------------------> text
///   four spaces, after a blank line,         a line with fewer
///   in no list
/// ```
#[derive(Default)]
struct Cleaner {
    lines: Vec<String>,
    paragraph: Vec<String>,
    block: Option<Block>,
    in_list: bool,
}

enum Block {
    /// Ends with a run of that mark which is at least that long; its lines lose so many spaces.
    Fenced { mark: char, length: usize, indent: usize },
    /// Ends with a line that is not indented; so many blank lines may be part of it or follow it.
    Indented { blank: usize },
}

impl Cleaner {
    fn clean(mut self, comment: &str) -> String {
        let comment = comment.replace("\r\n", "\n").replace(is_line_end, "\n").replace('\t', "    ");
        let comment: String = comment.chars().filter(|c| *c == '\n' || !is_invisible(*c)).collect();
        for line in comment.trim_end().lines() {
            let line = line.strip_prefix(' ').unwrap_or(line).trim_end();
            match &self.block {
                Some(Block::Fenced { mark, length, indent }) => {
                    let (mark, length, indent) = (*mark, *length, *indent);
                    self.fenced(line, mark, length, indent);
                }
                Some(Block::Indented { blank }) => {
                    let blank = *blank;
                    self.indented(line, blank);
                }
                None => self.text(line),
            }
        }
        if self.block.is_some() {
            self.lines.push(FENCE.into());
        }
        self.end_paragraph();
        self.lines.join("\n")
    }

    fn fenced(&mut self, line: &str, mark: char, length: usize, indent: usize) {
        let bare = line.trim_start();
        if bare.chars().count() >= length && bare.chars().all(|c| c == mark) {
            self.block = None;
            self.lines.push(FENCE.into());
        } else {
            self.code(&line[indent.min(line.len() - bare.len())..]);
        }
    }

    fn indented(&mut self, line: &str, blank: usize) {
        if line.is_empty() {
            self.block = Some(Block::Indented { blank: blank + 1 });
        } else if let Some(code) = line.strip_prefix("    ") {
            self.lines.extend(std::iter::repeat_n(String::new(), blank));
            self.block = Some(Block::Indented { blank: 0 });
            self.code(code);
        } else {
            self.lines.extend([FENCE.into(), String::new()]);
            self.block = None;
            self.text(line);
        }
    }

    /// A line of code; none may end the fence that it now lies in.
    fn code(&mut self, line: &str) {
        let breaks = line.trim_start().starts_with(FENCE);
        self.lines.push(if breaks { line.replacen(FENCE, "'''", 1) } else { line.into() });
    }

    fn text(&mut self, line: &str) {
        let bare = line.trim_start();
        let indent = line.len() - bare.len();
        if bare.is_empty() {
            self.end_paragraph();
            return self.lines.push(String::new());
        }
        let (marker, content) = split_markers(bare);
        if let Some((mark, length)) = opens_fence(content) {
            self.end_paragraph();
            self.lines.push(format!("{FENCE}text"));
            self.block = Some(Block::Fenced { mark, length, indent });
        } else if indent > TEXT_INDENT && self.paragraph.is_empty() && !self.in_list {
            self.lines.push(format!("{FENCE}text"));
            self.block = Some(Block::Indented { blank: 0 });
            self.code(&line[TEXT_INDENT + 1..]);
        } else {
            self.in_list = !marker.is_empty() || self.in_list && (indent > 0 || !self.paragraph.is_empty());
            // A quote would make a container of its own; its mark is shown instead.
            let quote = if content.starts_with('>') { "\\" } else { "" };
            self.paragraph.push(format!("{:1$}{marker}{quote}{content}", "", indent.min(TEXT_INDENT)));
        }
    }

    fn end_paragraph(&mut self) {
        let paragraph = std::mem::take(&mut self.paragraph).join("\n");
        self.lines.extend(escape(&paragraph).lines().map(str::to_owned));
    }
}

/// The marks of list items that a line begins with, each with one space, and the rest.
fn split_markers(mut line: &str) -> (String, &str) {
    let mut markers = String::new();
    loop {
        let digits = line.bytes().take_while(u8::is_ascii_digit).count();
        let mark = match line.as_bytes().get(digits) {
            Some(b'.' | b')') if (1..=9).contains(&digits) => digits + 1,
            Some(b'-' | b'*' | b'+') if digits == 0 => 1,
            _ => return (markers, line),
        };
        let (mark, rest) = line.split_at(mark);
        if !rest.starts_with(' ') {
            return (markers, line);
        }
        markers.push_str(mark);
        markers.push(' ');
        line = rest.trim_start();
    }
}

/// The mark of a fence and its length, if this opens one.
fn opens_fence(line: &str) -> Option<(char, usize)> {
    let mark = line.chars().next().filter(|mark| matches!(mark, '`' | '~'))?;
    let info = line.trim_start_matches(mark);
    let length = line.len() - info.len();
    let inline = mark == '`' && info.contains('`');
    (length >= FENCE.len() && !inline).then_some((mark, length))
}

/// Escapes what rustdoc would take for a link or for HTML. Spans of code, URLs and links to URLs stay as they are; prost-build makes a
/// link of each URL, which goes wrong where one is code, or has no end that it knows: that one gets a space. An escaped colon would
/// not do, as prost-build takes it for a plain one where its feature `cleanup-markdown` is on, for whatever reason.
fn escape(paragraph: &str) -> String {
    let mut escaped = String::with_capacity(paragraph.len());
    let mut rest = paragraph;
    while let Some(next) = rest.chars().next() {
        let taken = match next {
            '\\' if rest[1..].starts_with(|c: char| c.is_ascii_punctuation()) => 2,
            '`' => code_span(rest),
            'h' => url(rest),
            '[' => link(rest),
            _ => 0,
        };
        let (piece, after) = rest.split_at(if taken > 0 { taken } else { next.len_utf8() });
        rest = after;
        match next {
            '`' if piece.contains("://") => {
                let code = piece.trim_matches('`');
                let literal: String = code.chars().map(literally).collect();
                escaped.push_str(&format!("<code>{literal}</code>"));
            }
            'h' if taken > 0 && !ends_url(after) => escaped.extend([piece, " "]),
            // prost-build puts the brackets back.
            '<' if url(after) > 0 && after[url(after)..].starts_with('>') => {
                let (url, after) = after.split_at(url(after));
                escaped.push_str(url);
                rest = &after[1..];
            }
            '`' | '[' | ']' | '<' if taken == 0 => escaped.extend(['\\', next]),
            _ => escaped.push_str(piece),
        }
    }
    escaped
}

/// A character as Markdown takes it for itself.
fn literally(c: char) -> String {
    if c.is_ascii_punctuation() { format!("\\{c}") } else { c.into() }
}

/// The length of the span of code that this begins with; 0 if it has no end.
fn code_span(text: &str) -> usize {
    let run = |text: &str| text.len() - text.trim_start_matches('`').len();
    let opening = run(text);
    let mut at = opening;
    while let Some(found) = text[at..].find('`') {
        at += found;
        let closing = run(&text[at..]);
        at += closing;
        if closing == opening {
            return at;
        }
    }
    0
}

/// The length of the URL that this begins with; 0 if there is none.
fn url(text: &str) -> usize {
    let Some(scheme) = ["http://", "https://"].into_iter().find(|scheme| text.starts_with(scheme)) else {
        return 0;
    };
    let end = text.find(|c: char| c.is_whitespace() || "()<>[]`".contains(c)).unwrap_or(text.len());
    if end > scheme.len() { end } else { 0 }
}

/// Whether prost-build ends a URL where this text begins.
fn ends_url(text: &str) -> bool {
    text.chars().next().is_none_or(|c| c.is_whitespace() || c == ')')
}

/// The length of the link to a URL, `[text](https://..)`, that this begins with; 0 if there is none.
fn link(text: &str) -> usize {
    let Some(end) = text[1..].find(|c: char| "[]<`\\\n".contains(c)).map(|end| end + 1) else { return 0 };
    let Some(target) = text[end..].strip_prefix("](") else { return 0 };
    let length = url(target);
    if length > 0 && target[length..].starts_with(')') { end + 2 + length + 1 } else { 0 }
}

/// What ends a line to a terminal or to the standard of Unicode, but not to rustdoc, or is not allowed in comments.
fn is_line_end(c: char) -> bool {
    matches!(c, '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Control characters, and marks that change the direction of text, which rustc refuses in comments.
fn is_invisible(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clean(comment: &str) -> String {
        Cleaner::default().clean(comment)
    }

    #[test]
    fn plain_text_loses_the_space_after_the_slashes_alone() {
        assert_eq!(
            clean(" Says hello.\n\n Twice: *now* and `later`.\n"),
            "Says hello.\n\nTwice: *now* and `later`."
        );
        assert_eq!(clean(" - one\n   more\n - two\n"), "- one\n  more\n- two");
        assert_eq!(clean("\n"), "");
        assert_eq!(clean(""), "");
    }

    #[test]
    fn brackets_and_angles_are_text_outside_of_code() {
        for (comment, shown) in [
            (" a list<string> [see b]", "a list\\<string> \\[see b\\]"),
            (" `list<string> [x]` and <b>", "`list<string> [x]` and \\<b>"),
            (" ``a ` [b]`` [c]", "``a ` [b]`` \\[c\\]"),
            (" a ` alone [b]", "a \\` alone \\[b\\]"),
            (" \\[done\\] \\", "\\[done\\] \\"),
            (" [text](target) [a][b]", "\\[text\\](target) \\[a\\]\\[b\\]"),
            (" [text](https://x.y/z)", "[text](https://x.y/z)"),
            (" see <https://x.y/z> or https://x.y", "see https://x.y/z or https://x.y"),
            (" (https://x.y) https://x.y<z>", "(https://x.y) https://x.y \\<z>"),
            (" `get https://x.y`", "<code>get https\\:\\/\\/x\\.y</code>"),
            (" <https://x.y", "\\<https://x.y"),
            (" ends with */ here", "ends with */ here"),
            (" a\n `b\n c[0]` d[0]", "a\n`b\nc[0]` d\\[0\\]"),
            (" [", "\\["),
            (" <", "\\<"),
            (" https://", "https://"),
        ] {
            assert_eq!(clean(comment), shown, "{comment}");
        }
    }

    #[test]
    fn code_is_never_an_example_that_rustdoc_runs() {
        for (comment, shown) in [
            (" ```\n let x = 1;\n ```\n after [x]", "```text\nlet x = 1;\n```\nafter \\[x\\]"),
            (" ```rust,no_run\n x\n ```", "```text\nx\n```"),
            (" ~~~~ json\n ~~~\n ```\n ~~~~\n", "```text\n~~~\n'''\n```"),
            (" ```\n never closed", "```text\nnever closed\n```"),
            (
                " before\n\n     code\n\n       more\n\n after",
                "before\n\n```text\ncode\n\n  more\n```\n\nafter",
            ),
            (" \tcode", "```text\ncode\n```"),
            (" a paragraph\n     goes on", "a paragraph\n   goes on"),
            (" - item\n\n       its paragraph", "- item\n\n   its paragraph"),
            (" -      item that would be code", "- item that would be code"),
            (" 1. ```\n    x\n    ```", "```text\n   x\n```"),
            (" -\n\n   ```rust\n   x\n   ```", "-\n\n```text\nx\n```"),
            (" > ```\n > x", "\\> \\`\\`\\`\n\\> x"),
            (" ```inline``` stays", "```inline``` stays"),
        ] {
            assert_eq!(clean(comment), shown, "{comment}");
        }
    }

    #[test]
    fn what_rustc_refuses_in_comments_is_taken_out() {
        assert_eq!(clean(" a\r\n b\rc\u{202e}d\u{0}"), "a\nb\ncd");
    }
}
