//! The suites of `cargo xtask test`, in their order, each with the time it may take.
//!
//! Budgets are for a cold build on two cores and leave room for a slow disk. A suite that needs more must become
//! faster, or its budget must be raised here, on purpose, in a commit that says why.

use crate::report::Outcome;
use crate::tools::{
    BUSYBOX, CARGO_DENY, CARGO_NEXTEST, CHROMIUM, CLIPPY, EAPOL_TEST, FAKETIME, IPROUTE, KERNEL, NFTABLES, PING,
    POSTGRESQL, QEMU, RUSTFMT, SOFTHSM, TSHARK, Tool,
};
use crate::{browser, contract, oracle, process, tidy, tools, tree, wasm, web};
use anyhow::{Result, ensure};
use std::process::Command;
use std::time::Duration;

/// One suite.
pub struct Suite {
    /// What `cargo xtask test NAME` selects.
    pub name: &'static str,
    /// One line for `--list`.
    pub about: &'static str,
    /// Seconds it may take.
    pub budget: u64,
    /// Needs what the suite `build` makes.
    pub after_build: bool,
    /// Only compiles, with everything that it starts last in line for the processors: runs beside the suites after it,
    /// which mostly wait, until one needs it.
    pub beside: bool,
    /// Suites that must have ended, if they run at all.
    pub waits_for: &'static [&'static str],
    /// Programs it needs.
    pub tools: &'static [Tool],
    /// Runs it. An error means it could not be run at all, which is a failure as well.
    pub run: fn(&Suite) -> Result<Outcome>,
}

/// Installing tools may take this long, in seconds; on a machine that has them it takes none.
pub const TOOLS_BUDGET: u64 = 180;

/// All suites together may take this long, in seconds. A cold run on two idle cores takes about half an hour and has to
/// stay below 40 minutes; budgets leave room for a busy machine, since a noisy neighbour is no reason for red.
pub const TOTAL_BUDGET: u64 = 60 * 60;

/// Crates whose documentation contains runnable examples. Each costs a link, so only those that have some.
const DOC_TEST_CRATES: &[&str] = &["pakawaaz-aka"];

/// Tests with whole servers and clients as processes.
const E2E: &str = "(package(pakawaaz-harness) or (package(pakawaaz-demo) and kind(test)))";
const REPLAY: &str = "pakawaaz-fuzz-replay";
const VM: &str = "pakawaaz-vm";

/// All suites.
pub const SUITES: &[Suite] = &[
    Suite {
        name: "format",
        about: "rustfmt finds nothing to change",
        budget: 30,
        after_build: false,
        beside: false,
        waits_for: &[],
        tools: &[RUSTFMT],
        run: |suite| suite.cargo(&["fmt", "--all", "--check"]),
    },
    Suite {
        name: "tidy",
        about: "the repository's own rules",
        budget: 20,
        after_build: false,
        beside: false,
        waits_for: &[],
        tools: &[],
        run: |_| tidy::outcome(),
    },
    Suite {
        name: "deny",
        about: "licences, banned crates and sources of all dependencies",
        budget: 120,
        after_build: false,
        beside: false,
        waits_for: &[],
        tools: &[CARGO_DENY],
        run: |suite| suite.cargo(&["deny", "--log-level", "error", "check", "licenses", "bans", "sources"]),
    },
    Suite {
        name: "clippy",
        about: "clippy without a warning, tests included",
        budget: 720,
        after_build: false,
        beside: false,
        waits_for: &[],
        tools: &[CLIPPY],
        run: |suite| suite.cargo(&["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"]),
    },
    Suite {
        name: "build",
        about: "everything that the later suites run",
        budget: 900,
        after_build: false,
        beside: false,
        waits_for: &[],
        tools: &[],
        run: |suite| suite.cargo(BUILD),
    },
    Suite {
        name: "unit",
        about: "every crate's tests; stores on SQLite and PostgreSQL",
        budget: 420,
        after_build: true,
        beside: false,
        waits_for: &[],
        // The user plane's tests make namespaces of their own; who is not root, or has none of these, skips them. So it is
        // with the vault's and SoftHSM2. Root skips nothing (`Suite::nextest`).
        tools: &[CARGO_NEXTEST, POSTGRESQL, IPROUTE, NFTABLES, PING, SOFTHSM],
        run: |suite| {
            suite.nextest(&format!("not ({E2E} or package({REPLAY}) or (package({VM}) and kind(test)))"), true)
        },
    },
    Suite {
        name: "wasm",
        about: "the client for the browser: no warning, and within its size",
        // Last in line for the processors: as long as what it runs beside, when that leaves nothing over.
        budget: 1200,
        after_build: false,
        beside: true,
        waits_for: &[],
        tools: &[CLIPPY],
        run: |suite| wasm::check(suite.limit()),
    },
    Suite {
        name: "doc-tests",
        about: "examples in the documentation",
        // Last in line for the processors: as long as what it runs beside, when that leaves nothing over.
        budget: 720,
        after_build: false,
        beside: true,
        waits_for: &[],
        tools: &[],
        run: Suite::doc_tests,
    },
    Suite {
        name: "e2e",
        about: "whole servers with real clients",
        budget: 720,
        after_build: true,
        beside: false,
        waits_for: &[],
        tools: &[CARGO_NEXTEST, POSTGRESQL, FAKETIME, EAPOL_TEST, IPROUTE, NFTABLES, PING],
        run: |suite| suite.nextest(E2E, false),
    },
    Suite {
        name: "fuzz-replay",
        about: "every fuzz entry over its corpus and mutations of it",
        budget: 120,
        after_build: true,
        beside: false,
        waits_for: &[],
        tools: &[CARGO_NEXTEST],
        run: |suite| suite.nextest(&format!("package({REPLAY})"), false),
    },
    Suite {
        name: "vm",
        about: "what needs another kernel, in a virtual machine: N2 and the server over SCTP",
        budget: 240,
        after_build: true,
        beside: false,
        waits_for: &[],
        tools: &[CARGO_NEXTEST, QEMU, BUSYBOX, IPROUTE, NFTABLES, KERNEL],
        run: |suite| suite.nextest(&format!("package({VM}) and kind(test)"), false),
    },
    Suite {
        name: "oracle",
        about: "pycrate reads every message of the 5G core, pycryptodome the files for new cards, tshark the traces",
        budget: 60,
        after_build: true,
        beside: false,
        waits_for: &[],
        tools: &[CARGO_NEXTEST, TSHARK],
        run: |suite| oracle::check(suite.limit()),
    },
    Suite {
        name: "contract",
        about: "contract/openapi.json is what the server says",
        budget: 20,
        after_build: true,
        beside: false,
        waits_for: &[],
        tools: &[],
        run: |_| contract::check(),
    },
    Suite {
        name: "web",
        about: "the web app: lint, languages, types, tests, build, size",
        budget: 240,
        after_build: false,
        beside: false,
        waits_for: &["wasm"],
        tools: &[],
        run: |_| web::check(),
    },
    Suite {
        name: "browser",
        about: "the app in a real browser against a real server, every screen with axe",
        budget: 1200,
        after_build: true,
        beside: false,
        waits_for: &["wasm", "doc-tests"],
        tools: &[CHROMIUM],
        run: |suite| browser::check(suite.limit()),
    },
];

/// Builds programs and tests in one go: naming single packages would compile shared dependencies once more, with
/// other features.
pub const BUILD: &[&str] = &["build", "--workspace", "--bins", "--tests", "--locked"];

impl Suite {
    /// Whether there is anything for it to do.
    pub fn is_empty(&self) -> bool {
        self.name == "doc-tests" && DOC_TEST_CRATES.is_empty()
    }

    /// When a suite is stopped by force: a hang must not eat the whole run.
    pub fn limit(&self) -> Duration {
        Duration::from_secs(self.budget * 3)
    }

    /// One cargo command is the whole suite.
    fn cargo(&self, args: &[&str]) -> Result<Outcome> {
        let done = process::logged(self.name, process::cargo().args(args), self.limit())?;
        Ok(Outcome::one(done.ok, done.output))
    }

    /// Tests by nextest, with a PostgreSQL around them. `count_ignored`: look up how many tests are ignored in the
    /// whole workspace (nextest's own number includes those that the filter left out).
    fn nextest(&self, filter: &str, count_ignored: bool) -> Result<Outcome> {
        let program = process::target_dir().join("debug/with-postgres");
        let needs_postgres = self.tools.iter().any(|tool| tool.name == POSTGRESQL.name);
        ensure!(!needs_postgres || program.exists(), "{} is missing; run the suite build first", program.display());
        let nextest = process::cargo();
        let mut command = if needs_postgres {
            let mut command = Command::new(program);
            command.arg(nextest.get_program()).current_dir(tree::root()).env("PATH", process::path_with_tools());
            command
        } else {
            nextest
        };
        command.args(["nextest", "run", "--workspace", "--locked", "--color", "never", "--no-fail-fast"]);
        command.args(["--filterset", filter]);
        if tools::is_root() {
            // Whoever can do everything: a test that does nothing here must not count as passed.
            command.env("PAKAWAAZ_SKIP_NOTHING", "1");
        }
        let done = process::logged(self.name, &mut command, self.limit())?;
        let mut outcome = Outcome::of_nextest(done.ok, done.output);
        outcome.skipped = if count_ignored { ignored_tests()? } else { 0 };
        Ok(outcome)
    }

    fn doc_tests(&self) -> Result<Outcome> {
        let packages = DOC_TEST_CRATES.iter().flat_map(|name| ["-p", name]);
        let args = ["test", "--doc", "--locked"].into_iter().chain(packages);
        let mut command = process::cargo();
        // One package's dependencies have other features than the workspace's and are compiled anyway; in a folder of their
        // own nobody waits for their lock.
        command.args(args).env("CARGO_TARGET_DIR", process::target_dir().join("doc-tests"));
        let done = process::logged(self.name, &mut process::patient(&command), self.limit())?;
        Ok(Outcome::one(done.ok, done.output))
    }
}

/// How many tests of the workspace carry `#[ignore = "…"]`.
fn ignored_tests() -> Result<u32> {
    let list = process::cargo()
        .args(["nextest", "list", "--workspace", "--locked", "--message-format", "json", "--color", "never"])
        .output()?;
    let text = String::from_utf8_lossy(&list.stdout);
    Ok(text.matches("\"ignored\":true").count() as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_budgets_written() {
        let names: std::collections::BTreeSet<_> = SUITES.iter().map(|suite| suite.name).collect();
        assert_eq!(names.len(), SUITES.len());
        assert!(SUITES.iter().all(|suite| suite.budget > 0 && !suite.about.is_empty()));
    }

    #[test]
    fn what_needs_the_build_comes_after_it() {
        let build = SUITES.iter().position(|suite| suite.name == "build").unwrap();
        assert!(SUITES.iter().take(build).all(|suite| !suite.after_build));
    }

    #[test]
    fn what_is_waited_for_comes_before() {
        for (at, suite) in SUITES.iter().enumerate() {
            for name in suite.waits_for {
                assert!(SUITES[..at].iter().any(|other| other.name == *name && other.beside), "{}", suite.name);
            }
        }
        // Nobody would wait for what runs beside and is waited for by none; and the two would be one lane.
        assert!(SUITES.iter().all(|suite| !suite.beside || suite.waits_for.is_empty()));
    }
}
