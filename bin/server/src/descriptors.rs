//! File descriptors: the usual soft limit of 1024 would end a server of ten thousand sockets at the first tenth.

use crate::config::Config;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Databases, logs, listeners, and a reserve.
const OTHERS: u64 = 512;

/// Raises the soft limit to the hard one, and says when that is still too little.
pub fn raise_limit(config: &Config) {
    let limit = getrlimit(Resource::Nofile);
    let wanted = config.limits.connections as u64 + OTHERS;
    let target = limit.maximum.unwrap_or(wanted).max(limit.current.unwrap_or(0));
    let raised = setrlimit(Resource::Nofile, Rlimit { current: Some(target), maximum: limit.maximum });
    let have = if raised.is_ok() { target } else { limit.current.unwrap_or(wanted) };
    if have < wanted {
        tracing::warn!(
            have,
            wanted,
            "too few file descriptors for limits.connections: raise the hard limit (ulimit -Hn)"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_soft_limit_becomes_the_hard_one() {
        raise_limit(&Config::default());
        let limit = getrlimit(Resource::Nofile);
        assert!(limit.current.is_none() || limit.current == limit.maximum || limit.current >= Some(12_512));
    }
}
