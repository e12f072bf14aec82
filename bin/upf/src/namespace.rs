//! Network namespaces: a new one for this process, and back and forth while it is set up.

use anyhow::{Context as _, Result};
use rustix::thread::{LinkNameSpaceType, UnshareFlags, move_into_link_name_space};
use std::fs::File;
use std::os::fd::AsFd;
use std::path::Path;

/// A network namespace.
#[derive(Debug)]
pub struct NetworkNamespace(File);

impl NetworkNamespace {
    /// Where this thread is.
    pub fn current() -> Result<Self> {
        Self::open(Path::new("/proc/thread-self/ns/net"))
    }

    /// One with a name in the file system, as `ip netns` makes them, or of a process.
    pub fn open(path: &Path) -> Result<Self> {
        File::open(path).map(Self).with_context(|| format!("opening the network namespace {}", path.display()))
    }

    /// Moves this thread, and those that it will start, into a new namespace, and gives it. Without a name, it ends with the
    /// last process in it, and everything in it with it.
    pub fn enter_new() -> Result<Self> {
        // Unsafe are only flags that part memory or file descriptors, says the replacement's own documentation.
        #[expect(deprecated, reason = "safe with this flag, and its replacement is unsafe for the sake of others")]
        rustix::thread::unshare(UnshareFlags::NEWNET).context("making a network namespace (needs CAP_SYS_ADMIN)")?;
        Self::current()
    }

    /// Moves this thread into it.
    pub fn enter(&self) -> Result<()> {
        move_into_link_name_space(self.0.as_fd(), Some(LinkNameSpaceType::Network))
            .context("entering a network namespace (needs CAP_SYS_ADMIN)")
    }

    /// Does something inside, in a thread of its own: this one stays where it is, whatever happens.
    pub fn inside<T: Send>(&self, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
        std::thread::scope(|scope| {
            let thread = scope.spawn(|| self.enter().and_then(|()| work()));
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }
}
