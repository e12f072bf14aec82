//! Enough of Rust's lexical structure to tell code from comments, strings and tests.

use crate::tree::Tree;
use std::ops::Range;

/// A string literal.
#[derive(Debug, PartialEq, Eq)]
pub struct Literal {
    /// Byte offset of its first character in the file.
    pub start: usize,
    /// Its value; escapes are resolved where they are simple, and line continuations removed.
    pub value: String,
}

/// A Rust source, split into what it says and what it only mentions.
pub struct Source {
    /// The file with comments and the inside of literals blanked; offsets are those of the file.
    pub code: String,
    /// The string literals in order.
    pub literals: Vec<Literal>,
    tests: Vec<Range<usize>>,
}

impl Source {
    /// Splits `text`; broken Rust gives a best effort.
    pub fn new(text: &str) -> Self {
        let (code, literals) = split(text);
        let tests = test_ranges(text, &code);
        Self { code, literals, tests }
    }

    /// Whether the offset lies inside `#[cfg(test)]`.
    pub fn is_test(&self, offset: usize) -> bool {
        self.tests.iter().any(|range| range.contains(&offset))
    }

    /// 1-based line of an offset.
    pub fn line(&self, offset: usize) -> usize {
        1 + self.code.as_bytes()[..offset.min(self.code.len())].iter().filter(|b| **b == b'\n').count()
    }

    /// Offsets where `needle` stands in the code as whole words: `tokio::` is not found in `mytokio::`.
    pub fn find<'a>(&'a self, needle: &'a str) -> impl Iterator<Item = usize> + 'a {
        self.code.match_indices(needle).map(|(at, _)| at).filter(move |at| {
            let before = self.code[..*at].chars().next_back();
            let after = self.code[at + needle.len()..].chars().next();
            let first = needle.chars().next().is_some_and(is_word);
            let last = needle.chars().next_back().is_some_and(is_word);
            !(first && before.is_some_and(is_word) || last && after.is_some_and(is_word))
        })
    }

    /// The range of the block that opens at or after `from`, without its braces.
    pub fn block(&self, from: usize) -> Option<Range<usize>> {
        let open = from + self.code.get(from..)?.find('{')?;
        Some(open + 1..closing(&self.code, open)?)
    }

    /// Lines that hold code.
    pub fn code_lines(&self) -> usize {
        self.code.lines().filter(|line| !line.trim().is_empty()).count()
    }
}

/// The files that are test code as a whole.
pub struct TestFiles(Vec<String>);

impl TestFiles {
    /// Besides those in test folders, the files of modules declared `#[cfg(test)] mod name;`.
    pub fn of(tree: &Tree) -> Self {
        let mut stems = Vec::new();
        for (path, text) in tree.rust() {
            let source = Source::new(text);
            for at in source.find("mod").filter(|at| source.is_test(*at)) {
                let Some((name, _)) = source.code[at + "mod".len()..].split_once(';') else { continue };
                let name = name.trim();
                if !name.is_empty() && name.chars().all(is_word) {
                    stems.push(format!("{}/{name}", module_folder(path)));
                }
            }
        }
        Self(stems)
    }

    /// Whether `path` is one of them.
    pub fn contains(&self, path: &str) -> bool {
        path.contains("/tests/")
            || path.contains("/benches/")
            || self
                .0
                .iter()
                .any(|stem| path.strip_prefix(stem.as_str()).is_some_and(|rest| rest == ".rs" || rest.starts_with('/')))
    }
}

/// Where the submodules of the file lie.
fn module_folder(path: &str) -> &str {
    let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
    if matches!(file, "lib.rs" | "main.rs" | "mod.rs") { folder } else { path.trim_end_matches(".rs") }
}

/// The first-level names of every `use` of `root`: `use std::{fs, net::TcpStream}` uses `fs` and `net`.
pub fn used_names(source: &Source, root: &str) -> Vec<(usize, String)> {
    let mut names = Vec::new();
    for at in source.find(&format!("{root}::{{")) {
        let open = at + root.len() + 2;
        let Some(end) = closing(&source.code, open) else { continue };
        let (mut depth, mut start) = (0_usize, open + 1);
        for (i, c) in source.code[open + 1..end].char_indices().chain([(end - open - 1, ',')]) {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    let item = source.code[start..open + 1 + i].trim();
                    let name: String = item.chars().take_while(|c| is_word(*c)).collect();
                    if !name.is_empty() {
                        names.push((start, name));
                    }
                    start = open + 2 + i;
                }
                _ => {}
            }
        }
    }
    names
}

/// A character of identifiers.
pub fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Offset of the brace that closes the one at `open`.
fn closing(code: &str, open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (i, c) in code[open..].char_indices() {
        match c {
            '{' => depth += 1,
            '}' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(open + i);
                }
            }
            _ => {}
        }
    }
    None
}

/// What marks an item as test code. `testing` is the feature behind which a crate keeps help for other crates' tests;
/// the rule on manifests keeps it out of programs.
const TEST_MARKS: &[&str] = &["#[cfg(test)]", "#[cfg(any(test, feature = \"testing\"))]"];

fn test_ranges(text: &str, code: &str) -> Vec<Range<usize>> {
    if code.contains("#![cfg(test)]") {
        return std::iter::once(0..code.len() + 1).collect();
    }
    let mut ranges = Vec::new();
    let marks = TEST_MARKS.iter().flat_map(|mark| text.match_indices(mark));
    // A mark inside a comment or a string is blanked in the code.
    for (at, mark) in marks.filter(|(at, _)| code[*at..].starts_with("#[cfg(")) {
        // The item ends with its block, or at a semicolon when it has none.
        let rest = &code[at + mark.len()..];
        let end = match rest.find(['{', ';']) {
            Some(i) if rest.as_bytes()[i] == b'{' => closing(code, at + mark.len() + i),
            Some(i) => Some(at + mark.len() + i),
            None => None,
        };
        ranges.push(at..end.map_or(code.len(), |e| e + 1));
    }
    ranges
}

/// The cursor over the bytes; everything that matters to the lexer is ASCII.
struct Lexer<'a> {
    bytes: &'a [u8],
    at: usize,
    code: Vec<u8>,
    literals: Vec<Literal>,
}

fn split(text: &str) -> (String, Vec<Literal>) {
    let mut lexer = Lexer { bytes: text.as_bytes(), at: 0, code: Vec::with_capacity(text.len()), literals: Vec::new() };
    while lexer.at < lexer.bytes.len() {
        lexer.step(text);
    }
    (String::from_utf8_lossy(&lexer.code).into_owned(), lexer.literals)
}

impl Lexer<'_> {
    fn peek(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn keep(&mut self) {
        self.code.push(self.bytes[self.at]);
        self.at += 1;
    }

    fn blank(&mut self, count: usize) {
        for _ in 0..count.min(self.bytes.len() - self.at) {
            self.code.push(if self.bytes[self.at] == b'\n' { b'\n' } else { b' ' });
            self.at += 1;
        }
    }

    fn step(&mut self, text: &str) {
        let inside_word =
            self.at > 0 && (self.bytes[self.at - 1].is_ascii_alphanumeric() || self.bytes[self.at - 1] == b'_');
        match (self.peek(0), self.peek(1)) {
            (b'/', b'/') => {
                let length = self.bytes[self.at..].iter().position(|b| *b == b'\n');
                self.blank(length.unwrap_or(usize::MAX));
            }
            (b'/', b'*') => self.block_comment(),
            (b'"', _) => self.string(text),
            (b'r', b'"' | b'#') if !inside_word => self.raw_string(text, 1),
            (b'b' | b'c', b'r') if !inside_word && matches!(self.peek(2), b'"' | b'#') => self.raw_string(text, 2),
            (b'\'', _) => self.quote(text),
            _ => self.keep(),
        }
    }

    fn block_comment(&mut self) {
        let mut depth = 0_usize;
        while self.at < self.bytes.len() {
            match (self.peek(0), self.peek(1)) {
                (b'/', b'*') => {
                    depth += 1;
                    self.blank(2);
                }
                (b'*', b'/') => {
                    depth -= 1;
                    self.blank(2);
                    if depth == 0 {
                        return;
                    }
                }
                _ => self.blank(1),
            }
        }
    }

    fn string(&mut self, text: &str) {
        self.keep();
        let start = self.at;
        while self.at < self.bytes.len() && self.peek(0) != b'"' {
            self.blank(if self.peek(0) == b'\\' { 2 } else { 1 });
        }
        let value = unescape(&text[start..self.at]);
        self.literals.push(Literal { start, value });
        if self.at < self.bytes.len() {
            self.keep();
        }
    }

    fn raw_string(&mut self, text: &str, prefix: usize) {
        let hashes = self.bytes[self.at + prefix..].iter().take_while(|b| **b == b'#').count();
        if self.peek(prefix + hashes) != b'"' {
            // A raw identifier such as r#type.
            return self.keep();
        }
        for _ in 0..prefix + hashes + 1 {
            self.keep();
        }
        let start = self.at;
        let end_mark = format!("\"{}", "#".repeat(hashes));
        let length = text[start..].find(&end_mark).unwrap_or(text.len() - start);
        self.literals.push(Literal { start, value: text[start..start + length].to_owned() });
        self.blank(length);
        for _ in 0..end_mark.len().min(self.bytes.len() - self.at) {
            self.keep();
        }
    }

    /// A character literal or a lifetime.
    fn quote(&mut self, text: &str) {
        let mut rest = text[self.at + 1..].chars();
        let first = rest.next();
        let literal = first == Some('\\') || rest.next() == Some('\'');
        self.keep();
        if literal {
            if first == Some('\\') {
                self.blank(2);
            }
            while self.at < self.bytes.len() && self.peek(0) != b'\'' {
                self.blank(1);
            }
            if self.at < self.bytes.len() {
                self.keep();
            }
        }
    }
}

fn unescape(inside: &str) -> String {
    let mut out = String::new();
    let mut chars = inside.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('\n') => while chars.next_if(|c| c.is_whitespace()).is_some() {},
            Some(other) => out.push(other),
            None => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_strings_and_characters_are_blanked() {
        let text = "a /* b /* c */ d */ e // f\n\"g \\\" h\" r#\"i \" j\"# 'k' '\\'' b'\"' x<'l> r#type \"Ä\" m";
        let source = Source::new(text);
        assert_eq!(source.code.len(), text.len());
        for word in ["a", "e", "m", "type"] {
            assert_eq!(source.find(word).count(), 1, "{word} in {}", source.code);
        }
        for word in ["b", "c", "d", "f", "g", "h", "i", "j", "k"] {
            let found = source.find(word).filter(|at| !source.code[*at..].starts_with("b'")).count();
            assert_eq!(found, 0, "{word} in {}", source.code);
        }
        let values: Vec<_> = source.literals.iter().map(|l| l.value.as_str()).collect();
        assert_eq!(values, ["g \" h", "i \" j", "Ä"]);
    }

    #[test]
    fn continued_lines_are_joined() {
        let source = Source::new("\"SELECT a \\\n        FROM b\"");
        assert_eq!(source.literals[0].value, "SELECT a FROM b");
    }

    #[test]
    fn test_modules_are_recognised() {
        let text =
            "fn a() { b() }\n#[cfg(test)]\nmod tests { fn c() { \"}\"; } }\nfn d() {}\n#[cfg(test)]\nuse e;\nfn f() {}";
        let source = Source::new(text);
        let inside = |word| source.is_test(source.find(word).next().unwrap());
        assert!(inside("c") && inside("e"));
        assert!(!inside("a") && !inside("d") && !inside("f"));
        assert!(Source::new("#[cfg(any(test, feature = \"testing\"))]\npub mod testing;").is_test(50));
        assert!(!Source::new("#[cfg(feature = \"testing\")]\npub mod testing;").is_test(40));
        assert!(!Source::new("// #[cfg(test)]\npub mod testing;").is_test(25));
        assert!(Source::new("#![cfg(test)]\nfn a() {}").is_test(20));
    }

    #[test]
    fn test_files_are_recognised() {
        let files = TestFiles::of(&Tree::of(&[
            ("a/src/lib.rs", "#[cfg(test)]\nmod testing;\nmod real;\n#[cfg(test)]\nmod tests { fn mod_() {} }"),
            ("a/src/deep.rs", "#[cfg(test)]\n#[allow(dead_code)]\npub(crate) mod samples;"),
        ]));
        for path in ["a/src/testing.rs", "a/src/testing/mod.rs", "a/src/deep/samples.rs", "contexts/a/tests/it/main.rs"]
        {
            assert!(files.contains(path), "{path}");
        }
        for path in ["a/src/real.rs", "a/src/testing_more.rs", "a/src/samples.rs", "testing/harness/src/lib.rs"] {
            assert!(!files.contains(path), "{path}");
        }
    }

    #[test]
    fn whole_words_only() {
        let source = Source::new("mytokio::x tokio::y unsafe_code unsafe");
        assert_eq!(source.find("tokio::").count(), 1);
        assert_eq!(source.find("unsafe").count(), 1);
        assert_eq!(source.line(source.code.len()), 1);
    }

    #[test]
    fn grouped_uses_are_opened() {
        let source = Source::new("use std::{fs, net::{IpAddr, TcpStream}, sync::Arc};\nuse other::{fs};");
        let names: Vec<_> = used_names(&source, "std").into_iter().map(|(_, name)| name).collect();
        assert_eq!(names, ["fs", "net", "sync"]);
    }
}
