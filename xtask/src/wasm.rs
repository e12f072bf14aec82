//! The client for the browser: compiled, checked, bound to JavaScript and measured.
//!
//! The output goes to `web/packages/api/src/wasm/`, where the web app's build finds it; it is never checked in.

use crate::report::{Outcome, seconds};
use crate::{process, tools, tree};
use anyhow::{Context, Result, bail, ensure};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const TARGET: &str = "wasm32-unknown-unknown";
/// What is compiled for the browser only.
const PACKAGES: &[&str] = &["pakawaaz-client-wasm", "pakawaaz-client-store-indexeddb"];
const LIBRARY: &str = "pakawaaz_client_wasm.wasm";
const OUTPUT: &str = "web/packages/api/src/wasm";
const LIMIT: Duration = Duration::from_secs(20 * 60);
/// Largest module that a browser may have to load, in bytes after brotli. The design allows 700 kB (ADR 0012).
const BUDGET: usize = 685_000;

/// How it is built.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Build {
    /// Quickly, for trying things; large.
    Dev,
    /// As it is shipped.
    Release,
}

/// Sizes of the module in bytes.
struct Sizes {
    raw: usize,
    gzip: usize,
    brotli: usize,
}

/// `cargo xtask wasm [--dev] [--testing] [--check]`.
pub fn run(args: &[&str]) -> Result<()> {
    let (mut build, mut testing, mut only_check) = (Build::Release, false, false);
    for arg in args {
        match *arg {
            "--dev" => build = Build::Dev,
            "--testing" => testing = true,
            "--check" => only_check = true,
            other => bail!("wasm knows --dev, --testing and --check, not {other}"),
        }
    }
    let started = process::now();
    if only_check {
        let done = clippy(LIMIT)?;
        ensure!(done.failed == 0, "{}", crate::report::excerpt(&done.output, 200));
        println!("clean for {TARGET} ({})", seconds(started.elapsed()));
        return Ok(());
    }
    make(build, testing, LIMIT)?;
    println!("{} written ({})", output(testing).display(), seconds(started.elapsed()));
    if build == Build::Release && !testing {
        println!("{}", weigh()?);
    }
    Ok(())
}

/// The suite: no warning for this target, and a module within its budget. What the end-to-end tests need is made as well,
/// while the processors have nothing better to do.
pub fn check(limit: Duration) -> Result<Outcome> {
    let done = clippy(limit)?;
    if done.failed > 0 {
        return Ok(done);
    }
    let made = make(Build::Release, false, limit).and_then(|()| weigh());
    Ok(match made.and_then(|sizes| make(Build::Release, true, limit).map(|()| sizes)) {
        Ok(sizes) => Outcome::one(true, sizes),
        Err(error) => Outcome::one(false, format!("{error:#}")),
    })
}

/// Compiles the client and writes module and glue where the web app expects them. `testing`: with the exports that
/// only pages of the end-to-end tests call.
pub fn make(build: Build, testing: bool, limit: Duration) -> Result<()> {
    let mut args = vec!["build", "--locked", "--package", PACKAGES[0], "--lib", "--target", TARGET];
    if build == Build::Release {
        args.extend(["--profile", "wasm"]);
    }
    if testing {
        args.extend(["--features", "testing"]);
    }
    let (command, target_dir) = compiler(&args)?;
    let done = process::logged("wasm", &mut process::patient(&command), limit)?;
    ensure!(done.ok, "{}", crate::report::excerpt(&done.output, 200));
    let folder = if build == Build::Release { "wasm" } else { "debug" };
    bind(&target_dir.join(TARGET).join(folder).join(LIBRARY), build, &output(testing))
}

/// Where module and glue go: what a test page calls is never where the app is built from.
fn output(testing: bool) -> PathBuf {
    if testing { process::target_dir().join("wasm-testing") } else { tree::root().join(OUTPUT) }
}

/// Makes the glue. The library is pinned to the version of the crate, which is what `wasm-bindgen` demands.
fn bind(module: &Path, build: Build, output: &Path) -> Result<()> {
    std::fs::create_dir_all(output).with_context(|| format!("creating {}", output.display()))?;
    wasm_bindgen_cli_support::Bindgen::new()
        .input_path(module)
        .out_name("pakawaaz")
        .web(true)?
        .typescript(true)
        // The worker says where the module is: its name carries a hash.
        .omit_default_module_path(true)
        .remove_name_section(build == Build::Release)
        .remove_producers_section(true)
        .generate(output)
        .context("binding the module to JavaScript")
}

fn weigh() -> Result<String> {
    let path = tree::root().join(OUTPUT).join("pakawaaz_bg.wasm");
    let bytes = std::fs::read(&path).with_context(|| format!("reading {OUTPUT}"))?;
    let sizes = Sizes { raw: bytes.len(), gzip: gzip(&bytes)?, brotli: brotli(&bytes)? };
    let kilo = |bytes: usize| bytes as f64 / 1e3;
    let text = format!(
        "module: {:.0} kB, gzip {:.0} kB, brotli {:.0} kB (budget {:.0} kB)",
        kilo(sizes.raw),
        kilo(sizes.gzip),
        kilo(sizes.brotli),
        kilo(BUDGET)
    );
    ensure!(sizes.brotli <= BUDGET, "{text}: too large");
    Ok(text)
}

fn gzip(bytes: &[u8]) -> Result<usize> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    out.write_all(bytes)?;
    Ok(out.finish()?.len())
}

fn brotli(bytes: &[u8]) -> Result<usize> {
    let mut out = Vec::new();
    let params = brotli::enc::BrotliEncoderParams { quality: 11, lgwin: 24, ..Default::default() };
    brotli::BrotliCompress(&mut &bytes[..], &mut out, &params)?;
    Ok(out.len())
}

fn clippy(limit: Duration) -> Result<Outcome> {
    let packages = PACKAGES.iter().flat_map(|name| ["--package", name]);
    // In this profile, what the compiler itself runs is compiled once for both, and nobody waits for `target/debug`.
    let args = ["clippy", "--locked", "--profile", "wasm", "--target", TARGET].into_iter().chain(packages);
    let args: Vec<&str> = args.chain(["--features", "pakawaaz-client-wasm/testing", "--", "-D", "warnings"]).collect();
    let command = if rustup_has_target() {
        let mut command = process::cargo();
        command.args(args);
        command
    } else {
        // Debian's toolchain cannot run this clippy; the compiler still says what does not compile.
        compiler(&["check", "--locked", "--package", PACKAGES[0], "--target", TARGET])?.0
    };
    let done = process::logged("wasm-clippy", &mut process::patient(&command), limit)?;
    Ok(Outcome::one(done.ok, done.output))
}

/// A cargo that compiles for the browser, and where its output goes.
fn compiler(args: &[&str]) -> Result<(Command, PathBuf)> {
    if rustup_has_target() {
        let mut command = process::cargo();
        command.args(args).args(["--config", &nameless("rustc")?]);
        return Ok((command, process::target_dir()));
    }
    println!("  rustup has no {TARGET}; using Debian's compiler with its own standard library source");
    debian_compiler()?;
    // Another compiler's artefacts would only throw ours away.
    let target_dir = process::target_dir().join("debian-wasm");
    let mut command = Command::new("/usr/bin/cargo");
    command
        .current_dir(tree::root())
        .env("RUSTC", "/usr/bin/rustc")
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", "/usr/bin/wasm-ld")
        .env("CARGO_TARGET_DIR", &target_dir)
        .args(args)
        .args(["--config", &nameless("/usr/bin/rustc")?])
        .args(["--ignore-rust-version", "-Z", "build-std=std,panic_abort"]);
    Ok((command, target_dir))
}

/// Flags that keep out of the module where the sources of panics lie on this machine: the names of its folders concern
/// nobody, another machine would make another module, and they are long.
fn nameless(rustc: &str) -> Result<String> {
    let sysroot = Command::new(rustc).args(["--print", "sysroot"]).output().context("asking for the sysroot")?;
    let sysroot = PathBuf::from(String::from_utf8_lossy(&sysroot.stdout).trim());
    let mut folders = vec![tree::root().to_path_buf(), sysroot.join("lib/rustlib/src/rust/library")];
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")));
    let registries = home.and_then(|home| std::fs::read_dir(home.join("registry/src")).ok());
    folders.extend(registries.into_iter().flatten().flatten().map(|entry| entry.path()));
    let flags: Vec<String> =
        folders.iter().map(|folder| format!("--remap-path-prefix={}/=", folder.display())).collect();
    Ok(format!("target.{TARGET}.rustflags={flags:?}"))
}

/// Whether the toolchain in use can compile for the browser; asks rustup for the target if not.
fn rustup_has_target() -> bool {
    has_std() || (tools::answers("rustup", &["target", "add", TARGET]) && has_std())
}

fn has_std() -> bool {
    let out = Command::new("rustc").args(["--print", "target-libdir", "--target", TARGET]).output();
    out.is_ok_and(|out| out.status.success() && Path::new(String::from_utf8_lossy(&out.stdout).trim()).is_dir())
}

fn debian_compiler() -> Result<()> {
    let there = ["/usr/bin/cargo", "/usr/bin/rustc", "/usr/bin/wasm-ld"].iter().all(|path| Path::new(path).exists())
        && Path::new("/usr/lib/rustlib/src").exists();
    if there { Ok(()) } else { tools::install_debian(&["rustc-web", "cargo-web", "rust-web-src", "lld"]) }
}
