//! The 5G core before an independent judge: its tests with the simulator are recorded, and pycrate reads every NGAP and NAS
//! message of them (`testing/ransim/oracle/check.py` says what it checks). The vault's files for new cards are opened by
//! pycryptodome, and a card with the keys in them is played (`bin/vault/oracle/check_cards.py`). Traces of phones are opened by
//! tshark (`testing/ransim/oracle/check_traces.py`).

use crate::report::{Outcome, excerpt};
use crate::{process, tree};
use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

/// The tests that say everything in order; those that forge and garble messages have no judge.
const RECORDED: &str = "(package(pakawaaz-ransim) and test(/^(mobility|oracle|procedures|sessions|traces)::/)) \
     or (package(pakawaaz-vault) and test(/^files::/))";

/// Pinned by version and by the hash of the wheel: pycrate runs everywhere, pycryptodome's is for x86-64 Linux.
const PACKAGES: &str = "\
pycrate==0.8.1 --hash=sha256:65c4dd48d93248a0a4aa2fc78bab10ea64087c6382827035fae9f8bba343db53
pycryptodome==4.4.0 --hash=sha256:32c1a3d98c93d92c2f2a45d6cc9c79fb8d7552aca1bd9a764209a3309bf6a7b1
";

/// The suite.
pub fn check(limit: Duration) -> Result<Outcome> {
    let python = python(limit)?;
    let recordings = process::target_dir().join("xtask/recordings");
    if recordings.exists() {
        fs::remove_dir_all(&recordings).context("removing the recordings of the last time")?;
    }
    fs::create_dir_all(&recordings)?;
    let mut tests = process::cargo();
    tests.args(["nextest", "run", "--workspace", "--locked", "--color", "never", "--filterset", RECORDED]);
    let recorded = process::logged("oracle-record", tests.env("PAKAWAAZ_RECORD", &recordings), limit)?;
    if !recorded.ok {
        return Ok(Outcome::one(false, recorded.output));
    }
    let mut judge = Command::new(&python);
    judge.arg(tree::root().join("testing/ransim/oracle/check.py")).arg(&recordings);
    judge.arg(tree::root().join("protocol/control-plane/src"));
    let judged = process::logged("oracle", &mut judge, limit)?;
    let mut bureau = Command::new(&python);
    bureau.arg(tree::root().join("bin/vault/oracle/check_cards.py")).arg(recordings.join("cards"));
    let cards = process::logged("oracle-cards", &mut bureau, limit)?;
    let mut tshark = Command::new(&python);
    tshark.arg(tree::root().join("testing/ransim/oracle/check_traces.py")).arg(recordings.join("traces"));
    let traces = process::logged("oracle-traces", &mut tshark, limit)?;
    let own = both(verdict(judged.ok, judged.output), verdict(cards.ok, cards.output));
    Ok(both(own, verdict(traces.ok, traces.output)))
}

/// One verdict of two.
fn both(one: Outcome, other: Outcome) -> Outcome {
    Outcome {
        passed: one.passed + other.passed,
        failed: one.failed + other.failed,
        skipped: one.skipped + other.skipped,
        output: one.output + &other.output,
    }
}

/// Counts kinds of messages, from the last line.
fn verdict(ok: bool, output: String) -> Outcome {
    let number = |line: &str, word: &str| line.split(',').find_map(|part| part.trim().strip_suffix(word)?.parse().ok());
    let line = output.lines().last().unwrap_or_default();
    let (passed, failed) = (number(line, " passed").unwrap_or(0), number(line, " failed").unwrap_or(0));
    let wrong = !ok || passed == 0;
    Outcome { passed, failed: if wrong { failed.max(1) } else { failed }, skipped: 0, output }
}

/// A Python with the packages.
fn python(limit: Duration) -> Result<PathBuf> {
    let home = process::target_dir().join("tools/oracle");
    let python = home.join("bin/python");
    let list = home.join("packages.txt");
    if fs::read_to_string(&list).is_ok_and(|installed| installed == PACKAGES) {
        return Ok(python);
    }
    println!("  installing pycrate …");
    let by_hand = "it needs python3 with venv (Debian: python3-venv)";
    step("oracle-venv", Command::new("python3").args(["-m", "venv", "--clear"]).arg(&home), by_hand, limit)?;
    let wanted = home.join("wanted.txt");
    fs::write(&wanted, PACKAGES)?;
    let mut pip = Command::new(&python);
    // Compiled at once, it would take longer than it ever saves: one module of hundreds is read.
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-compile"])
        .args(["--only-binary=:all:", "--require-hashes", "--requirement"])
        .arg(&wanted);
    step("oracle-pip", &mut pip, "it needs what PyPI has for this platform", limit)?;
    fs::rename(&wanted, &list).context("remembering what is installed")?;
    Ok(python)
}

fn step(name: &str, command: &mut Command, by_hand: &str, limit: Duration) -> Result<()> {
    let done = process::logged(name, command, limit)?;
    ensure!(done.ok, "{name} failed; {by_hand}\n{}", excerpt(&done.output, 20));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_verdict_that_was_spoken_counts() {
        let counts = |ok, text: &str| {
            let outcome = verdict(ok, text.to_owned());
            (outcome.passed, outcome.failed)
        };
        assert_eq!(counts(true, "  4 up NGAP NGReset\n79 passed, 0 failed\n"), (79, 0));
        assert_eq!(counts(false, "WRONG\n79 passed, 2 failed"), (79, 2));
        assert_eq!(counts(false, "79 passed, 0 failed"), (79, 1));
        assert_eq!(counts(true, ""), (0, 1));
    }

    #[test]
    fn every_package_is_pinned_by_its_hash() {
        assert!(
            PACKAGES.lines().all(|line| line.contains("==") && line.split("sha256:").nth(1).map(str::len) == Some(64))
        );
    }
}
