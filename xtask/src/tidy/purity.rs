//! Pure code takes time and randomness as arguments and touches neither network nor disk.

use super::Finding;
use super::source::{Source, TestFiles, is_word, used_names};
use crate::tree::Tree;

/// What pure code may not say.
const BANNED: &[&str] = &[
    "SystemTime::now",
    "Instant::now",
    "thread_rng",
    "OsRng",
    "getrandom",
    "tokio::",
    "sqlx::",
    "axum::",
    "std::net",
    "std::fs",
    "std::process",
    "std::thread",
];

/// Addresses are values; only sockets and name look-ups reach out.
const PURE_NET: &[&str] = &["IpAddr", "Ipv4Addr", "Ipv6Addr", "SocketAddr", "SocketAddrV4", "SocketAddrV6"];

/// Modules of std that pure code may not import in a group either.
const BANNED_STD: &[&str] = &["fs", "net", "process", "thread"];

/// Whether the file belongs to the pure part.
fn is_pure(path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').collect();
    matches!(
        parts.as_slice(),
        ["protocol", _, "src", ..]
            | ["client", "core", "src", ..]
            | ["contract", "src", ..]
            | ["contexts", _, "src", "model" | "model.rs", ..]
    )
}

/// The rule.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let tests = TestFiles::of(tree);
    for (path, text) in tree.rust().filter(|(path, _)| is_pure(path) && !tests.contains(path)) {
        let source = Source::new(text);
        let words = BANNED.iter().flat_map(|word| source.find(word).map(move |at| (at, (*word).to_owned())));
        let groups = used_names(&source, "std")
            .into_iter()
            .filter(|(_, name)| BANNED_STD.contains(&name.as_str()))
            .map(|(at, name)| (at, format!("std::{name}")));
        let found = words
            .chain(groups)
            .filter(|(at, word)| !(source.is_test(*at) || word == "std::net" && only_addresses(&source, *at)));
        for (at, word) in found {
            findings.push(Finding::new(
                path,
                source.line(at),
                format!("{word} in pure code: take time, randomness and data as arguments"),
            ));
        }
    }
    findings
}

/// Whether the `std::net` at this offset goes on with nothing but names of addresses.
fn only_addresses(source: &Source, at: usize) -> bool {
    let Some(rest) = source.code[at..].strip_prefix("std::net::") else { return false };
    let names = match rest.strip_prefix('{') {
        Some(group) => group.split('}').next().unwrap_or_default(),
        None => rest.split(|c: char| !is_word(c)).next().unwrap_or_default(),
    };
    names.split(',').map(str::trim).filter(|name| !name.is_empty()).all(|name| PURE_NET.contains(&name))
}

#[cfg(test)]
mod tests {
    use super::super::found;
    use super::*;

    #[test]
    fn impure_words_are_found_in_every_pure_place() {
        for path in [
            "protocol/aka/src/lib.rs",
            "contexts/a/src/model/group.rs",
            "contexts/a/src/model.rs",
            "client/core/src/x.rs",
        ] {
            for word in BANNED {
                let text = format!("fn a() {{\n    let x = {word};\n}}\n");
                let lines = found(check, &[(path, &text)]);
                assert_eq!(lines.len(), 1, "{word} in {path}: {lines:?}");
                assert!(lines[0].starts_with(&format!("{path}:2: ")));
            }
            assert_eq!(found(check, &[(path, "use std::{collections::BTreeMap, fs};")]).len(), 1);
        }
    }

    #[test]
    fn addresses_are_values() {
        let path = "protocol/trust/src/x.rs";
        assert!(found(check, &[(path, "use std::net::IpAddr;\nfn a(x: std::net::Ipv4Addr) {}")]).is_empty());
        assert!(found(check, &[(path, "use std::net::{IpAddr, Ipv4Addr};")]).is_empty());
        assert_eq!(found(check, &[(path, "use std::net::{IpAddr, TcpStream};")]).len(), 1);
        assert_eq!(found(check, &[(path, "use std::net::UdpSocket;")]).len(), 1);
    }

    #[test]
    fn tests_comments_and_impure_places_are_free() {
        let word = "std::fs::read(x)";
        let in_test = format!("#[cfg(test)]\nmod tests {{ fn a() {{ {word}; }} }}");
        assert!(found(check, &[("protocol/aka/src/lib.rs", &in_test)]).is_empty());
        assert!(found(check, &[("protocol/aka/src/lib.rs", "// never std::fs\nfn a() { b(\"std::fs\") }")]).is_empty());
        let plain = format!("fn a() {{ {word}; }}");
        for path in ["protocol/aka/tests/it/main.rs", "contexts/a/src/service/x.rs", "client/native/src/x.rs"] {
            assert!(found(check, &[(path, &plain)]).is_empty(), "{path}");
        }
    }
}
