//! Nothing is needed any more once everything is open.

use anyhow::{Context as _, Result};
use rustix::thread::{
    CapabilitySet, CapabilitySets, clear_ambient_capability_set, remove_capability_from_bounding_set, set_capabilities,
    set_no_new_privs,
};

/// Gives up every capability of this thread, and of those that it will start, for good: also what a program that it would
/// run could get. Has to happen before there are other threads.
pub fn drop_all() -> Result<()> {
    // First, while it is still allowed (CAP_SETPCAP). The highest one that the kernel knows differs; the rest say EINVAL.
    for capability in CapabilitySet::all().iter() {
        match remove_capability_from_bounding_set(capability) {
            Ok(()) | Err(rustix::io::Errno::INVAL) => {}
            // Started with some capabilities only, as a service is: then the bounding set is the service manager's task.
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
