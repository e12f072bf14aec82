//! A context reads and writes its own tables only, and every write transaction comes from `platform/storage`.

use super::Finding;
use super::source::{Source, TestFiles, is_word};
use crate::tree::Tree;
use std::collections::{BTreeMap, BTreeSet};

/// Ways around `Db::begin`, which alone opens a transaction that is safe on SQLite (`BEGIN IMMEDIATE`).
const RAW_TRANSACTIONS: &[&str] =
    &["begin_with(", "AnyPool", "SqlitePool", "PgPool", "AnyPoolOptions", "SqlitePoolOptions", "PgPoolOptions"];

/// Who may hold connections of their own: the storage crate, the tests that exercise it, and the client's own file.
const OWN_CONNECTIONS: &[&str] = &["platform/storage/", "testing/storesuite/", "client/store-sqlite/"];

/// Words before a table's name.
const BEFORE_TABLE: &[&str] = &["FROM", "JOIN", "INTO", "UPDATE", "TABLE", "REFERENCES"];

/// Words that may follow those and are no table.
const NOT_A_TABLE: &[&str] = &["SET", "SELECT", "LATERAL", "ONLY", "IF", "NOWAIT", "SKIP", "OF", "UNNEST", "VALUES"];

/// The rule.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let tests = TestFiles::of(tree);
    let owners = owners(tree, &mut findings);
    for (path, text) in tree.files() {
        // xtask has no database; it only knows the words.
        if path.ends_with(".rs") && !tests.contains(path) && !path.starts_with("xtask/") {
            raw_transactions(path, text, &mut findings);
        }
        let Some((context, inside)) = path.strip_prefix("contexts/").and_then(|rest| rest.split_once('/')) else {
            continue;
        };
        if path.ends_with(".rs") && !tests.contains(path) {
            let source = Source::new(text);
            let sql: Vec<_> = source
                .literals
                .iter()
                .filter(|literal| is_sql(&literal.value) && !source.is_test(literal.start))
                .map(|literal| (source.line(literal.start), literal.value.clone()))
                .collect();
            foreign_tables(path, context, &sql, &owners, &mut findings);
        } else if inside.starts_with("migrations/") {
            foreign_tables(path, context, &[(1, text.to_owned())], &owners, &mut findings);
        }
    }
    findings
}

/// Which context made which table. Complains about tables that don't carry their context's name.
fn owners(tree: &Tree, findings: &mut Vec<Finding>) -> BTreeMap<String, String> {
    let mut owners = BTreeMap::new();
    for (path, text) in tree.files() {
        let Some((context, inside)) = path.strip_prefix("contexts/").and_then(|rest| rest.split_once('/')) else {
            continue;
        };
        if !inside.starts_with("migrations/") {
            continue;
        }
        for table in created(text) {
            if !table.starts_with(&format!("{context}_")) {
                findings.push(Finding::new(path, 0, format!("the table {table} must be called {context}_…")));
            }
            owners.insert(table, context.to_owned());
        }
    }
    owners
}

fn created(sql: &str) -> BTreeSet<String> {
    let words = words(sql);
    let mut tables = BTreeSet::new();
    for (i, word) in words.iter().enumerate() {
        if word == "CREATE" && words.get(i + 1).is_some_and(|next| next == "TABLE") {
            let at = if words.get(i + 2).is_some_and(|next| next == "IF") { i + 5 } else { i + 2 };
            tables.extend(words.get(at).cloned());
        }
    }
    tables
}

fn foreign_tables(
    path: &str,
    context: &str,
    sql: &[(usize, String)],
    owners: &BTreeMap<String, String>,
    findings: &mut Vec<Finding>,
) {
    // A statement may be put together from several literals, so a name given in one may be used in another.
    let given: BTreeSet<String> = sql.iter().flat_map(|(_, text)| named_queries(text)).collect();
    for (line, text) in sql {
        for table in tables(text) {
            if given.contains(&table) || owners.get(&table).is_some_and(|owner| owner == context) {
                continue;
            }
            let whose = owners.get(&table).map_or("no migration of this context makes it".to_owned(), |owner| {
                format!("it belongs to {owner}; ask through a trait or listen to its events")
            });
            findings.push(Finding::new(path, *line, format!("SQL touches the table {table}: {whose}")));
        }
    }
}

/// Text that starts like a statement or a piece of one. Keywords are written in capitals throughout.
fn is_sql(text: &str) -> bool {
    ["SELECT ", "INSERT INTO ", "UPDATE ", "DELETE FROM ", " FROM ", " JOIN ", "FROM ", "WITH "]
        .iter()
        .any(|word| text.starts_with(word) || (word.starts_with(' ') && text.contains(word)))
        || text.contains("SELECT ")
}

/// Words and single punctuation characters, comments left out. A quoted SQL string is one `'`.
fn words(sql: &str) -> Vec<String> {
    let without_comments: String =
        sql.lines().map(|line| line.split("--").next().unwrap_or("")).collect::<Vec<_>>().join("\n");
    let mut out: Vec<String> = Vec::new();
    let mut chars = without_comments.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '\'' {
            for inside in chars.by_ref() {
                if inside == '\'' {
                    break;
                }
            }
            out.push("'".to_owned());
        } else if is_word(c) {
            let mut word = c.to_string();
            while let Some(next) = chars.next_if(|next| is_word(*next)) {
                word.push(next);
            }
            out.push(word);
        } else if !c.is_whitespace() {
            out.push(c.to_string());
        }
    }
    out
}

/// Names of `WITH name AS (…)`.
fn named_queries(sql: &str) -> BTreeSet<String> {
    let words = words(sql);
    let mut names = BTreeSet::new();
    for (i, word) in words.iter().enumerate().skip(1) {
        if word != "AS" {
            continue;
        }
        let opens = words[i + 1..].iter().take(3).find(|next| !matches!(next.as_str(), "NOT" | "MATERIALIZED"));
        if opens.is_none_or(|next| next != "(") {
            continue;
        }
        // Skip a column list: name (a, b) AS (…)
        let mut at = i - 1;
        if words[at] == ")" {
            at = words[..at].iter().rposition(|word| word == "(").unwrap_or(0).saturating_sub(1);
        }
        names.insert(words[at].clone());
    }
    names
}

/// Names of the tables a statement touches.
fn tables(sql: &str) -> BTreeSet<String> {
    let words = words(sql);
    let mut tables = BTreeSet::new();
    for (i, word) in words.iter().enumerate() {
        let before = i.checked_sub(1).map_or("", |at| words[at].as_str());
        // DISTINCT FROM compares, FOR UPDATE locks, DO UPDATE continues an INSERT.
        if !BEFORE_TABLE.contains(&word.as_str()) || matches!(before, "DISTINCT" | "FOR" | "DO") {
            continue;
        }
        let mut at = i + 1;
        while let Some(name) = words.get(at).filter(|name| is_table_name(name)) {
            let is_function =
                words.get(at + 1).is_some_and(|next| next == "(") && matches!(word.as_str(), "FROM" | "JOIN");
            if !is_function {
                tables.insert(name.clone());
            }
            // FROM a x, b AS y: the list goes on after a comma.
            let alias = words[at + 1..].iter().take(2).take_while(|next| *next == "AS" || is_table_name(next)).count();
            at += 1 + alias;
            if word != "FROM" || words.get(at).is_none_or(|next| next != ",") {
                break;
            }
            at += 1;
        }
    }
    tables
}

fn is_table_name(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_lowercase() || c == '_') && !NOT_A_TABLE.contains(&word)
}

fn raw_transactions(path: &str, text: &str, findings: &mut Vec<Finding>) {
    let source = Source::new(text);
    let mut say = |at: usize, what: &str| {
        if !source.is_test(at) {
            let message = format!("{what} goes around platform/storage: write through Db::begin");
            findings.push(Finding::new(path, source.line(at), message));
        }
    };
    if !path.starts_with("platform/storage/") {
        // `db.begin()` is ours; a pool or a connection has the same method, so its receiver must be called what it is.
        for receiver in ["pool", "conn", "connection", "readers", "writers"] {
            for at in source.find(&format!("{receiver}.begin(")) {
                say(at, "a raw begin()");
            }
        }
        for literal in source.literals.iter().filter(|l| l.value.starts_with("BEGIN")) {
            // The client's own file has no Db; it says BEGIN IMMEDIATE itself.
            let allowed = path.starts_with("client/store-sqlite/") && literal.value.starts_with("BEGIN IMMEDIATE");
            if !allowed {
                say(literal.start, "a BEGIN of its own");
            }
        }
    }
    if OWN_CONNECTIONS.iter().any(|folder| path.starts_with(folder)) {
        return;
    }
    for word in RAW_TRANSACTIONS {
        for at in source.find(word) {
            say(at, word);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::found;
    use super::*;

    const OWN: (&str, &str) = (
        "contexts/messaging/migrations/0001.sql",
        "CREATE TABLE messaging_groups (id {bytes} PRIMARY KEY);\nCREATE TABLE IF NOT EXISTS messaging_log (id BIGINT);",
    );
    const OTHER: (&str, &str) =
        ("contexts/identity/migrations/0001.sql", "-- FROM here on\nCREATE TABLE identity_devices (id {bytes});");

    fn check_sql(sql: &str) -> Vec<String> {
        let text = format!("fn a() {{ query(\"{sql}\") }}\n");
        found(check, &[OWN, OTHER, ("contexts/messaging/src/store/groups.rs", &text)])
    }

    #[test]
    fn own_tables_are_fine() {
        for sql in [
            "SELECT a FROM messaging_groups g JOIN messaging_log AS l ON l.id = g.id",
            "SELECT a FROM messaging_groups, messaging_log l WHERE a IS DISTINCT FROM b FOR UPDATE",
            "INSERT INTO messaging_log (id) VALUES ($1) ON CONFLICT (id) DO UPDATE SET id = excluded.id",
            "WITH RECURSIVE chain (a, b) AS (SELECT 1, 2), last AS (SELECT a FROM chain) SELECT a FROM last, messaging_log",
            "SELECT a FROM json_each($1)",
            "UPDATE messaging_log SET id = 'FROM identity_devices'",
            "WITH a AS MATERIALIZED (SELECT 1) SELECT 1 FROM a",
        ] {
            assert!(check_sql(sql).is_empty(), "{sql}: {:?}", check_sql(sql));
        }
    }

    #[test]
    fn foreign_tables_are_found() {
        for sql in [
            "SELECT a FROM identity_devices",
            "SELECT a FROM messaging_groups g JOIN identity_devices d ON d.id = g.id",
            "SELECT a FROM messaging_groups g, identity_devices",
            "INSERT INTO identity_devices (id) VALUES ($1)",
            "UPDATE identity_devices SET id = $1",
            "DELETE FROM outbox WHERE id = $1",
            "WITH x AS (SELECT id FROM identity_devices) SELECT id FROM x",
        ] {
            let lines = check_sql(sql);
            assert_eq!(lines.len(), 1, "{sql}: {lines:?}");
            assert!(lines[0].starts_with("contexts/messaging/src/store/groups.rs:1: "));
        }
    }

    #[test]
    fn prose_and_tests_are_not_sql() {
        for text in [
            "fn a() { b(\"a message from the server\") }",
            "#[cfg(test)]\nmod tests { fn a() { q(\"SELECT a FROM outbox\") } }",
        ] {
            assert!(found(check, &[OWN, ("contexts/messaging/src/a.rs", text)]).is_empty(), "{text}");
        }
    }

    #[test]
    fn migrations_keep_to_themselves_and_to_their_name() {
        let reference = "CREATE TABLE messaging_x (d {bytes} REFERENCES identity_devices (id));";
        assert_eq!(found(check, &[OTHER, ("contexts/messaging/migrations/0002.sql", reference)]).len(), 1);
        assert_eq!(
            found(check, &[("contexts/messaging/migrations/0002.sql", "CREATE TABLE groups (a TEXT);")]).len(),
            1
        );
    }

    #[test]
    fn raw_transactions_are_found_outside_storage() {
        let bad = [
            "let tx = pool.begin().await?;",
            "c.begin_with(x)",
            "fn a(p: &AnyPool) {}",
            "q(\"BEGIN\")",
            "q(\"BEGIN IMMEDIATE\")",
        ];
        for line in bad {
            let text = format!("fn f() {{ {line} }}\n");
            assert_eq!(found(check, &[("contexts/a/src/store/x.rs", &text)]).len(), 1, "{line}");
            assert!(found(check, &[("platform/storage/src/db.rs", &text)]).is_empty(), "{line}");
        }
        assert!(found(check, &[("contexts/a/src/service/x.rs", "fn f() { self.db.begin().await }")]).is_empty());
        assert!(found(check, &[("client/store-sqlite/src/x.rs", "fn f() { q(\"BEGIN IMMEDIATE\") }")]).is_empty());
        assert_eq!(found(check, &[("client/store-sqlite/src/x.rs", "fn f() { q(\"BEGIN\") }")]).len(), 1);
    }
}
