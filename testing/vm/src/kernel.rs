//! The guest's kernel and its modules, as Debian's package of it lays them out.

use anyhow::{Context as _, Result};
use std::path::{Path, PathBuf};

/// A kernel with its modules.
pub struct Kernel {
    /// Bootable image.
    pub image: PathBuf,
    modules: PathBuf,
}

/// Where the unpacked kernel package lies: `PAKAWAAZ_VM_KERNEL`, else `tools/kernel` in the target directory.
pub fn kernel_dir() -> PathBuf {
    if let Some(dir) = std::env::var_os("PAKAWAAZ_VM_KERNEL") {
        return dir.into();
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |dir| root.join(dir));
    target.join("tools/kernel")
}

fn only(dir: &Path, prefix: &str) -> Option<PathBuf> {
    let entries = std::fs::read_dir(dir).ok()?.flatten().map(|e| e.path());
    entries.filter(|p| p.file_name().is_some_and(|n| n.to_string_lossy().starts_with(prefix))).max()
}

/// The newest kernel below [`kernel_dir`].
pub fn find() -> Result<Kernel> {
    let dir = kernel_dir();
    let missing = || format!("no kernel below {} (`cargo xtask test vm` unpacks Debian's)", dir.display());
    let image = only(&dir.join("boot"), "vmlinuz-").with_context(missing)?;
    let modules = [dir.join("lib/modules"), dir.join("usr/lib/modules")];
    let modules = modules.iter().find_map(|m| only(m, "")).with_context(missing)?;
    Ok(Kernel { image, modules })
}

impl Kernel {
    /// Files of the named modules and all they need, in the order in which they are loaded.
    pub fn modules(&self, names: &[String]) -> Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        walk(&self.modules.join("kernel"), &mut files)?;
        let mut order = Vec::new();
        for name in names {
            self.add(name, &files, &mut order)?;
        }
        Ok(order)
    }

    fn add(&self, name: &str, files: &[PathBuf], order: &mut Vec<PathBuf>) -> Result<()> {
        let file = format!("{name}.ko");
        let found = files.iter().find(|p| p.file_name().is_some_and(|n| n == file.as_str()));
        // Built into the kernel, or not there: loading what needs it will tell.
        let Some(path) = found.filter(|p| !order.contains(p)) else { return Ok(()) };
        for needed in needs(path)? {
            self.add(&needed, files, order)?;
        }
        order.push(path.clone());
        Ok(())
    }
}

fn walk(dir: &Path, out: &mut Vec<PathBuf>) -> Result<()> {
    for entry in std::fs::read_dir(dir).with_context(|| format!("reading {}", dir.display()))? {
        let entry = entry?;
        if entry.file_type()?.is_dir() { walk(&entry.path(), out)? } else { out.push(entry.path()) }
    }
    Ok(())
}

/// The names in a module's `depends=` line: an unpacked package has no `modules.dep` yet.
fn needs(module: &Path) -> Result<Vec<String>> {
    let bytes = std::fs::read(module)?;
    let mark = b"\0depends=";
    let Some(at) = bytes.windows(mark.len()).position(|w| w == mark) else { return Ok(Vec::new()) };
    let rest = &bytes[at + mark.len()..];
    let line = rest.split(|b| *b == 0).next().unwrap_or_default();
    let names = String::from_utf8_lossy(line).into_owned();
    Ok(names.split(',').filter(|n| !n.is_empty()).map(|n| n.replace('-', "_")).collect())
}
