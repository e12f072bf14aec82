//! What a process may do, and who may look into it: as little and as few as possible without unsafe code.

use anyhow::{Context as _, Result};
use rustix::mm::{MlockAllFlags, mlockall};
use rustix::process::{DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit};
use rustix::thread::{
    CapabilitySet, CapabilitySets, clear_ambient_capability_set, remove_capability_from_bounding_set, set_capabilities,
    set_no_new_privs,
};

/// Less memory than this may not be locked: the process would run into it later.
const ENOUGH: u64 = 512 * 1024 * 1024;

/// No core dumps, no debugger of the same user, no page of memory on a disk. Before any secret is read.
///
/// # Errors
/// What every Linux allows, and this one does not. That memory cannot be locked is only logged: most containers forbid it.
pub fn hide_memory() -> Result<()> {
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    setrlimit(Resource::Core, none).context("forbidding core dumps")?;
    set_dumpable_behavior(DumpableBehavior::NotDumpable).context("forbidding debuggers")?;
    if let Err(why) = lock_memory() {
        tracing::warn!(why, "memory is not locked: keys may reach the swap device");
    }
    Ok(())
}

fn lock_memory() -> Result<(), &'static str> {
    // Later allocations count as well, when the right to lock without bounds is given up.
    let all = Rlimit { current: None, maximum: None };
    if setrlimit(Resource::Memlock, all).is_err()
        && getrlimit(Resource::Memlock).current.is_some_and(|bytes| bytes < ENOUGH)
    {
        return Err("the limit is too low (LimitMEMLOCK=infinity)");
    }
    mlockall(MlockAllFlags::CURRENT | MlockAllFlags::FUTURE | MlockAllFlags::ONFAULT).map_err(|_| "not allowed here")
}

/// Gives up every capability of this thread, and of those that it will start, for good: also what a program that it would
/// run could get. Has to happen before there are other threads.
///
/// # Errors
/// None that a Linux gives.
pub fn drop_capabilities() -> Result<()> {
    // First, while it is still allowed (CAP_SETPCAP). The highest one that the kernel knows differs; the rest say EINVAL.
    for capability in CapabilitySet::all().iter() {
        match remove_capability_from_bounding_set(capability) {
            Ok(()) | Err(rustix::io::Errno::INVAL) => {}
            // Started without that one, as a service is: then the bounding set is the service manager's task.
            Err(rustix::io::Errno::PERM) => break,
            Err(error) => return Err(error).context("giving up capabilities"),
        }
    }
    clear_ambient_capability_set().context("giving up ambient capabilities")?;
    let none = CapabilitySet::empty();
    set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable: none })
        .context("giving up capabilities")?;
    set_no_new_privs(true).context("giving up new privileges")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In a thread of its own: capabilities are a thread's, and so are those of what it starts.
    #[test]
    fn nothing_is_left_and_nothing_comes_back() {
        let status = std::thread::spawn(|| {
            drop_capabilities().expect("given up");
            std::fs::read_to_string("/proc/thread-self/status").expect("status")
        });
        let status = status.join().expect("the thread");
        for set in ["CapInh", "CapPrm", "CapEff", "CapAmb"] {
            assert!(status.contains(&format!("{set}:\t0000000000000000")), "{set} in {status}");
        }
        assert!(status.contains("NoNewPrivs:\t1"), "{status}");
    }
}
