//! What the user sees: plain lines for people, JSON for programs.

use serde::Serialize;
use std::io::{self, Write as _};

/// Where results go.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    json: bool,
}

impl Output {
    /// JSON or people's lines.
    pub fn new(json: bool) -> Self {
        Self { json }
    }

    /// Whether JSON was asked for.
    pub fn is_json(self) -> bool {
        self.json
    }

    /// Prints `value` as one line of JSON, or the lines that `human` makes of it.
    pub fn show<T: Serialize + ?Sized>(self, value: &T, human: impl FnOnce(&T) -> Vec<String>) {
        if self.json {
            match serde_json::to_string(value) {
                Ok(text) => line(&text),
                Err(_) => note("the result cannot be written as JSON"),
            }
        } else {
            human(value).iter().for_each(|text| line(text));
        }
    }

    /// A confirmation: people read `words`, programs get `{"done": …}`.
    pub fn done(self, what: &str, words: &str) {
        self.show(&serde_json::json!({ "done": what }), |_| vec![words.to_owned()]);
    }
}

/// One line on standard output. A closed pipe ends the program quietly, as people expect of `| head`.
pub fn line(text: &str) {
    let mut out = io::stdout().lock();
    if writeln!(out, "{}", printable(text)).and_then(|()| out.flush()).is_err() {
        std::process::exit(0);
    }
}

/// One line on standard error: progress and hints, never results.
pub fn note(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", printable(text));
}

/// Removes control characters and bidirectional overrides: a message must not move the reader's cursor, colour the
/// terminal or disguise who wrote it.
pub fn printable(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\n' | '\t' => c,
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
            c if c.is_control() => '\u{fffd}',
            c => c,
        })
        .collect()
}

/// The same without line breaks, for names and titles: they must not begin a line of their own.
pub fn one_line(text: &str) -> String {
    printable(text).replace(['\n', '\t'], " ")
}

/// Rows as columns, padded by characters.
pub fn table(header: &[&str], rows: &[Vec<String>]) -> Vec<String> {
    let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(|cell| one_line(cell)).collect()).collect();
    let mut widths: Vec<usize> = header.iter().map(|h| h.chars().count()).collect();
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let write = |cells: Vec<&str>| {
        let mut text = String::new();
        for (i, (cell, width)) in cells.iter().zip(&widths).enumerate() {
            text.push_str(cell);
            if i + 1 < cells.len() {
                text.push_str(&" ".repeat(width.saturating_sub(cell.chars().count()) + 2));
            }
        }
        text.trim_end().to_owned()
    };
    let mut out = vec![write(header.to_vec())];
    out.extend(rows.iter().map(|row| write(row.iter().map(String::as_str).collect())));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_cannot_steer_the_terminal() {
        assert_eq!(printable("a\u{1b}[2Jb"), "a\u{fffd}[2Jb");
        assert_eq!(printable("x\u{202e}y"), "x\u{fffd}y");
        assert_eq!(printable("سلام\nworld"), "سلام\nworld");
    }

    #[test]
    fn a_title_cannot_make_a_row_of_its_own() {
        let lines = table(&["NAME", "N"], &[vec!["a\nADMIN  1".into(), "1".into()]]);
        assert_eq!(lines, ["NAME        N", "a ADMIN  1  1"]);
    }

    #[test]
    fn columns_line_up() {
        let lines = table(&["NAME", "N"], &[vec!["a".into(), "1".into()], vec!["bilal".into(), "22".into()]]);
        assert_eq!(lines, ["NAME   N", "a      1", "bilal  22"]);
    }
}
