//! Who may depend on whom.
//!
//! Contexts know nothing of each other, only the server and the tests wire them together; what must run in a browser
//! or be reasoned about without a clock (`protocol/`, `client/core`) depends on no runtime.

use super::Finding;
use crate::tree::Tree;
use std::collections::BTreeSet;

/// Crates that bring a runtime, sockets or a database.
const IMPURE: &[&str] = &[
    "async-std",
    "axum",
    "figment",
    "hyper",
    "hyper-util",
    "reqwest",
    "rustls",
    "sqlx",
    "tokio",
    "tokio-rustls",
    "tokio-tungstenite",
    "tokio-util",
    "tower",
    "tower-http",
];

/// Crates with lints of their own, which state why in their manifest: the workspace forbids unsafe code, and what is
/// forbidden cannot be allowed again.
const OWN_LINTS: &[&str] = &["platform/sctp"];

/// A crate of the workspace, as its manifest describes it.
pub struct Manifest {
    /// `contexts/identity`
    pub folder: String,
    /// `pakawaaz-identity`
    pub name: String,
    /// Names of normal and build dependencies.
    pub uses: BTreeSet<String>,
    /// Names of dependencies of tests only.
    pub test_uses: BTreeSet<String>,
    /// Normal and build dependencies taken with their feature `testing`.
    pub with_testing: BTreeSet<String>,
    /// Takes the lints of the workspace.
    pub lints: bool,
}

/// All crates; a manifest that cannot be read is left to cargo, which says it better.
pub fn crates(tree: &Tree) -> Vec<Manifest> {
    tree.files().filter_map(|(path, text)| parse(path.strip_suffix("/Cargo.toml")?, text)).collect()
}

fn parse(folder: &str, text: &str) -> Option<Manifest> {
    if folder == "fuzz" {
        return None;
    }
    let table: toml::Table = text.parse().ok()?;
    let name = table.get("package")?.get("name")?.as_str()?.to_owned();
    let (mut uses, mut test_uses, mut with_testing) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let targets = table.get("target").and_then(toml::Value::as_table).into_iter().flat_map(|t| t.values());
    for section in std::iter::once(&table).chain(targets.filter_map(toml::Value::as_table)) {
        let names = |key: &str| section.get(key).and_then(toml::Value::as_table).into_iter().flat_map(package_names);
        uses.extend(names("dependencies").chain(names("build-dependencies")));
        test_uses.extend(names("dev-dependencies"));
        let real = section.get("dependencies").and_then(toml::Value::as_table).into_iter().flatten();
        with_testing.extend(real.filter(|(_, value)| has_testing(value)).map(|(name, _)| name.clone()));
    }
    let lints = table.get("lints").and_then(|l| l.get("workspace")).and_then(toml::Value::as_bool) == Some(true);
    Some(Manifest { folder: folder.to_owned(), name, uses, test_uses, with_testing, lints })
}

fn has_testing(dependency: &toml::Value) -> bool {
    let features = dependency.get("features").and_then(toml::Value::as_array);
    features.into_iter().flatten().any(|feature| feature.as_str() == Some("testing"))
}

/// The real names, also of renamed dependencies.
fn package_names(section: &toml::Table) -> impl Iterator<Item = String> + '_ {
    section.iter().map(|(key, value)| {
        let renamed = value.get("package").and_then(toml::Value::as_str);
        renamed.unwrap_or(key).to_owned()
    })
}

/// The rule.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let crates = crates(tree);
    let inside = |folder: &str| -> BTreeSet<&str> {
        crates.iter().filter(|c| c.folder.starts_with(folder)).map(|c| c.name.as_str()).collect()
    };
    let contexts = inside("contexts/");
    let platform = inside("platform/");
    let mut findings = Vec::new();
    for one in &crates {
        let path = format!("{}/Cargo.toml", one.folder);
        let mut say = |message: String| findings.push(Finding::new(&path, 0, message));
        if !(one.name.starts_with("pakawaaz-") || one.folder == "xtask") {
            say(format!("the package is called {:?}; its name must start with pakawaaz-", one.name));
        }
        if !one.lints && !OWN_LINTS.contains(&one.folder.as_str()) {
            say("takes no lints from the workspace: add [lints] workspace = true".to_owned());
        }
        let wires = one.folder == "bin/server" || one.folder.starts_with("testing/");
        for used in one.uses.union(&one.test_uses) {
            if contexts.contains(used.as_str()) && !wires && *used != one.name {
                say(format!(
                    "depends on the context {used}: declare a narrow trait for the question, or listen to its events; \
                     bin/server connects them"
                ));
            }
        }
        let pure = one.folder.starts_with("protocol/") || one.folder == "client/core" || one.folder == "contract";
        for used in one.uses.iter().filter(|_| pure) {
            if IMPURE.contains(&used.as_str()) {
                say(format!("depends on {used}, but must stay free of runtimes, sockets and databases"));
            }
        }
        for used in one.with_testing.iter().filter(|_| !one.folder.starts_with("testing/")) {
            say(format!("takes {used} with its feature testing, which is for dev-dependencies only"));
        }
        let no_platform = pure || one.folder.starts_with("client/");
        for used in one.uses.iter().filter(|_| no_platform) {
            if platform.contains(used.as_str()) && used != "pakawaaz-base" {
                say(format!("depends on {used}, which belongs to the server; only pakawaaz-base is shared"));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::found;
    use super::*;

    fn manifest(name: &str, dependencies: &str) -> String {
        format!("[package]\nname = \"{name}\"\n[lints]\nworkspace = true\n[dependencies]\n{dependencies}\n")
    }

    fn check_with(folder: &str, name: &str, dependencies: &str) -> Vec<String> {
        let path = format!("{folder}/Cargo.toml");
        let subject = manifest(name, dependencies);
        let identity = manifest("pakawaaz-identity", "");
        let storage = manifest("pakawaaz-storage", "");
        let base = manifest("pakawaaz-base", "");
        found(
            check,
            &[
                ("contexts/identity/Cargo.toml", &identity),
                ("platform/storage/Cargo.toml", &storage),
                ("platform/base/Cargo.toml", &base),
                (&path, &subject),
            ],
        )
    }

    #[test]
    fn a_context_may_not_depend_on_another() {
        let lines = check_with("contexts/messaging", "pakawaaz-messaging", "pakawaaz-identity.workspace = true");
        assert_eq!(lines.len(), 1);
        assert!(lines[0].contains("depends on the context pakawaaz-identity"), "{lines:?}");
        let tests = "[dev-dependencies]\npakawaaz-identity.workspace = true";
        assert_eq!(check_with("contexts/messaging", "pakawaaz-messaging", tests).len(), 1);
    }

    #[test]
    fn only_the_server_and_the_tests_wire_contexts() {
        let uses = "pakawaaz-identity.workspace = true";
        assert!(check_with("bin/server", "pakawaaz-server", uses).is_empty());
        assert!(check_with("testing/harness", "pakawaaz-harness", uses).is_empty());
        assert_eq!(check_with("bin/cli", "pakawaaz-cli", uses).len(), 1);
        assert_eq!(check_with("client/native", "pakawaaz-client-native", uses).len(), 1);
        assert_eq!(check_with("platform/http", "pakawaaz-http", uses).len(), 1);
    }

    #[test]
    fn pure_crates_have_no_runtime() {
        for folder in ["protocol/aka", "client/core", "contract"] {
            assert_eq!(check_with(folder, "pakawaaz-x", "tokio.workspace = true").len(), 1, "{folder}");
            assert_eq!(check_with(folder, "pakawaaz-x", "pakawaaz-storage.workspace = true").len(), 1, "{folder}");
            assert!(check_with(folder, "pakawaaz-x", "pakawaaz-base.workspace = true").is_empty(), "{folder}");
            let only_tests = "[dev-dependencies]\ntokio.workspace = true";
            assert!(check_with(folder, "pakawaaz-x", only_tests).is_empty(), "{folder}");
        }
        let renamed = "runtime = { package = \"tokio\", version = \"1\" }";
        assert_eq!(check_with("protocol/aka", "pakawaaz-aka", renamed).len(), 1);
        let by_target = "[target.'cfg(unix)'.dependencies]\ntokio = \"1\"";
        assert_eq!(check_with("protocol/aka", "pakawaaz-aka", by_target).len(), 1);
    }

    #[test]
    fn help_for_tests_stays_out_of_programs() {
        let uses = "pakawaaz-conversation = { workspace = true, features = [\"testing\"] }";
        assert_eq!(check_with("bin/cli", "pakawaaz-cli", uses).len(), 1);
        assert!(check_with("testing/harness", "pakawaaz-harness", uses).is_empty());
        assert!(check_with("bin/cli", "pakawaaz-cli", &format!("[dev-dependencies]\n{uses}")).is_empty());
    }

    #[test]
    fn names_and_lints() {
        assert_eq!(check_with("bin/thing", "thing", "").len(), 1);
        assert!(check_with("xtask", "xtask", "").is_empty());
        let lines = found(check, &[("bin/a/Cargo.toml", "[package]\nname = \"pakawaaz-a\"")]);
        assert!(lines[0].contains("lints"), "{lines:?}");
    }
}
