//! Passing on that somebody writes: to sockets of this node that are open now, and nowhere else. Nothing is stored,
//! and nobody is told what happened before they connected.

use super::Messaging;
use crate::MessagingError;
use crate::store::members;
use pakawaaz_base::{Actor, GroupId, Millis};
use pakawaaz_contract::frames::ServerFrame;

/// In conversations with more devices connected nobody is told: it would be noise for readers and work for the node.
const AT_MOST: usize = 64;
/// One socket may say so at once, and then every so often.
const BURST: u32 = 6;
const EVERY_MS: i64 = 1000;

/// What one socket may still say.
pub struct TypingLimit {
    left: u32,
    since: Millis,
}

impl TypingLimit {
    pub fn new(now: Millis) -> Self {
        Self { left: BURST, since: now }
    }
    /// Whether one more may be passed on now.
    pub fn take(&mut self, now: Millis) -> bool {
        let more = (now.as_i64() - self.since.as_i64()) / EVERY_MS;
        if more > 0 {
            self.left = self.left.saturating_add(u32::try_from(more).unwrap_or(BURST)).min(BURST);
            self.since = now;
        }
        let allowed = self.left > 0;
        self.left = self.left.saturating_sub(1);
        allowed
    }
}

impl Messaging {
    /// Tells the other officials of a group that are connected here. Whoever is not a member tells nobody.
    pub(crate) async fn typing(&self, actor: &Actor, group: GroupId, on: bool) -> Result<(), MessagingError> {
        let wake = &self.inner.fanout.wake;
        let Some(followers) = wake.followers(group, AT_MOST) else { return Ok(()) };
        if !followers.iter().any(|d| *d != actor.device) {
            return Ok(());
        }
        let mut read = self.inner.db.read().await?;
        if !members::is_allowed(read.conn(), group, actor.device).await? {
            return Ok(());
        }
        let members = members::of_group(read.conn(), group).await?;
        let others =
            members.into_iter().filter(|(device, official)| *official != actor.official && followers.contains(device));
        let frame = ServerFrame::Typing { group, official: actor.official, on };
        wake.pass(others.map(|(device, _)| device), &frame);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_that_says_more_is_not_heard() {
        let mut limit = TypingLimit::new(Millis(0));
        assert!((0..BURST).all(|_| limit.take(Millis(0))));
        assert!(!limit.take(Millis(999)));
        assert!(limit.take(Millis(1000)));
        assert!(!limit.take(Millis(1001)));
        assert!((0..BURST).all(|_| limit.take(Millis(1_000_000))), "and never more than at first");
        assert!(!limit.take(Millis(1_000_000)));
    }
}
