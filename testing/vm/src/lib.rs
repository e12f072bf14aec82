//! Boots a Linux kernel in QEMU with programs of ours inside: for what the host's kernel does not have (SCTP), and for
//! what a test must not do to the host's network.
//!
//! The guest is an initramfs with busybox, the programs that a test names with their libraries, and the kernel modules it
//! asks for. It runs one script on a serial console and powers off. Needs `qemu-system-x86_64`, `busybox` (static), and a
//! kernel with its modules below [`kernel_dir`]; `cargo xtask test vm` brings them.

mod cpio;
mod kernel;

use anyhow::{Context as _, Result, bail, ensure};
use std::collections::BTreeSet;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

pub use kernel::kernel_dir;

/// Ends the script's output on the console; its exit status follows.
const END: &str = "guest-script-status:";

/// A machine to be booted.
pub struct Guest {
    files: cpio::Archive,
    libraries: BTreeSet<PathBuf>,
    modules: Vec<String>,
    memory_mib: u32,
}

/// How the script ended.
#[derive(Clone, Debug)]
pub struct Finished {
    /// Its exit status; none when it never ended.
    pub status: Option<i32>,
    /// Everything on the console.
    pub console: String,
}

impl Guest {
    /// A machine with busybox only.
    ///
    /// # Errors
    /// There is no static busybox.
    pub fn new() -> Result<Self> {
        let mut files = cpio::Archive::new();
        for dir in ["bin", "dev", "etc", "lib", "lib64", "proc", "root", "run", "sys", "tmp", "usr", "usr/lib"] {
            files.directory(dir);
        }
        let busybox = ["/bin/busybox", "/usr/bin/busybox"].into_iter().find(|p| Path::new(p).exists());
        let busybox = busybox.context("busybox is missing (Debian: busybox-static)")?;
        files.file("bin/busybox", &std::fs::read(busybox)?, true);
        files.link("bin/sh", "/bin/busybox");
        Ok(Self { files, libraries: BTreeSet::new(), modules: Vec::new(), memory_mib: 512 })
    }

    /// More memory than 512 MiB.
    #[must_use]
    pub fn memory(mut self, mib: u32) -> Self {
        self.memory_mib = mib;
        self
    }

    /// Adds a program as `/bin/NAME`, with the libraries it is linked to.
    ///
    /// # Errors
    /// It is not there.
    pub fn program(mut self, name: &str, path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).with_context(|| format!("reading {}", path.display()))?;
        self.files.file(&format!("bin/{name}"), &bytes, true);
        let listed = Command::new("ldd").arg(path).output().context("running ldd")?;
        // A static program has none, and ldd says so by failing.
        for line in String::from_utf8_lossy(&listed.stdout).lines() {
            let path = line.split_whitespace().find(|word| word.starts_with('/'));
            if let Some(path) = path.map(PathBuf::from).filter(|p| self.libraries.insert(p.clone())) {
                let bytes = std::fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
                self.files.file(path.to_string_lossy().trim_start_matches('/'), &bytes, true);
            }
        }
        Ok(self)
    }

    /// Adds a program of the host, found on its `PATH`.
    ///
    /// # Errors
    /// It is not there.
    pub fn host_program(self, name: &str) -> Result<Self> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let more = ["/usr/sbin", "/sbin"].map(PathBuf::from);
        let found = std::env::split_paths(&path).chain(more).map(|dir| dir.join(name)).find(|p| p.is_file());
        self.program(name, &found.with_context(|| format!("{name} is missing"))?)
    }

    /// Adds a file.
    #[must_use]
    pub fn file(mut self, path: &str, bytes: &[u8]) -> Self {
        self.files.file(path.trim_start_matches('/'), bytes, false);
        self
    }

    /// Adds a folder of the host with all that is in it, at the same place and with the same permissions.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn folder(mut self, path: &Path) -> Result<Self> {
        let mut waiting = vec![path.to_owned()];
        while let Some(folder) = waiting.pop() {
            let name = |path: &Path| path.to_string_lossy().trim_start_matches('/').to_owned();
            self.files.directory(&name(&folder));
            for entry in std::fs::read_dir(&folder).with_context(|| format!("reading {}", folder.display()))? {
                let (entry, kind) = entry.map(|e| (e.path(), e.file_type()))?;
                if kind?.is_dir() {
                    waiting.push(entry);
                } else {
                    let mode = std::fs::metadata(&entry)?.permissions().mode();
                    self.files.file_with(&name(&entry), &std::fs::read(&entry)?, mode);
                }
            }
        }
        Ok(self)
    }

    /// Loads a kernel module (and what it needs) before the script runs.
    #[must_use]
    pub fn module(mut self, name: &str) -> Self {
        self.modules.push(name.to_owned());
        self
    }

    /// Boots, runs `script` with `/bin/sh -e`, and powers off.
    ///
    /// # Errors
    /// QEMU or a kernel is missing, or the machine does not start at all.
    pub fn run(mut self, script: &str, limit: Duration) -> Result<Finished> {
        let kernel = kernel::find()?;
        let mut load = String::new();
        for path in kernel.modules(&self.modules)? {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            self.files.file(&format!("lib/{name}"), &std::fs::read(&path)?, false);
            load.push_str(&format!("insmod /lib/{name}\n"));
        }
        let init = format!(
            "#!/bin/busybox sh\n/bin/busybox --install -s /bin\nexport PATH=/bin HOME=/root\n\
             mount -t proc proc /proc\nmount -t sysfs sys /sys\nmount -t devtmpfs dev /dev\n\
             dmesg -n 3\n{load}ifconfig lo 127.0.0.1 up\nsh -e /script </dev/null 2>&1\n\
             echo \"{END}$?\"\npoweroff -f\n"
        );
        // Programs that are there already are not replaced by busybox's.
        self.files.file("init", init.as_bytes(), true);
        self.files.file("script", script.as_bytes(), false);
        boot(&kernel, self.files.finish(), self.memory_mib, limit)
    }
}

fn boot(kernel: &kernel::Kernel, initramfs: Vec<u8>, memory_mib: u32, limit: Duration) -> Result<Finished> {
    let dir = std::env::temp_dir().join(format!("pakawaaz-vm-{}-{}", std::process::id(), initramfs.len()));
    std::fs::create_dir_all(&dir)?;
    let image = dir.join("initramfs");
    std::fs::write(&image, initramfs)?;
    let mut qemu = Command::new("qemu-system-x86_64");
    qemu.args(["-accel", "tcg", "-cpu", "max", "-smp", "2", "-nodefaults", "-no-user-config", "-no-reboot"])
        .args(["-display", "none", "-serial", "stdio", "-m", &memory_mib.to_string()])
        .args(["-append", "console=ttyS0 quiet panic=-1 random.trust_cpu=on"])
        .arg("-kernel")
        .arg(&kernel.image)
        .arg("-initrd")
        .arg(&image)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = qemu.spawn().context("starting qemu-system-x86_64 (Debian: qemu-system-x86)")?;
    let mut serial = child.stdout.take().context("no console")?;
    let reader = std::thread::spawn(move || {
        let mut console = Vec::new();
        let _ = serial.read_to_end(&mut console);
        String::from_utf8_lossy(&console).replace('\r', "")
    });
    let started = now();
    let in_time = loop {
        if child.try_wait()?.is_some() {
            break true;
        }
        if started.elapsed() > limit {
            child.kill()?;
            child.wait()?;
            break false;
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    let Ok(console) = reader.join() else { bail!("the console could not be read") };
    let _ = std::fs::remove_dir_all(&dir);
    let status = console.lines().find_map(|line| line.trim().strip_prefix(END)?.parse().ok()).filter(|_| in_time);
    ensure!(!console.is_empty(), "the machine said nothing in {} s", limit.as_secs());
    Ok(Finished { status, console })
}

#[allow(clippy::disallowed_methods, reason = "an edge: it bounds how long another machine runs")]
fn now() -> Instant {
    Instant::now()
}
