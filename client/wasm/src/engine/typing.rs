//! Who writes, as the server tells it; forgotten when nothing more is heard.

use crate::engine::watch::Touch;
use crate::engine::{Engine, Host};
use pakawaaz_base::{GroupId, Millis, OfficialId};
use pakawaaz_client::{ClientEvent, Platform, Store, Transport};
use std::collections::BTreeMap;
use std::time::Duration;

/// Silence of this length means that somebody has stopped.
const FORGET: Duration = Duration::from_secs(10);

/// By conversation and official: when it was last said.
pub type Typing = BTreeMap<GroupId, BTreeMap<OfficialId, Millis>>;

impl<S: Store + 'static, T: Transport + 'static, P: Platform + 'static, H: Host> Engine<S, T, P, H> {
    /// Snapshot of the topic `typing`.
    pub(crate) fn who_types(&self) -> BTreeMap<GroupId, Vec<OfficialId>> {
        let limit = self.client().platform().now().minus(FORGET);
        let mut app = self.0.app.borrow_mut();
        app.typing.retain(|_, who| {
            who.retain(|_, at| *at > limit);
            !who.is_empty()
        });
        app.typing.iter().map(|(group, who)| (*group, who.keys().copied().collect())).collect()
    }

    pub(crate) fn heard_typing(&self, event: &ClientEvent) {
        let now = self.client().platform().now();
        match event {
            ClientEvent::Typing { group, official, on } => {
                let mut app = self.0.app.borrow_mut();
                let who = app.typing.entry(*group).or_default();
                if *on {
                    who.insert(*official, now)
                } else {
                    who.remove(official)
                };
            }
            // Whoever sent has stopped writing.
            ClientEvent::Message { group, author, .. } => {
                let removed = self.0.app.borrow_mut().typing.get_mut(group).and_then(|who| who.remove(author));
                if removed.is_none() {
                    return;
                }
            }
            ClientEvent::Disconnected { .. } => self.0.app.borrow_mut().typing.clear(),
            _ => return,
        }
        self.stale(Touch::Typing);
        let engine = self.clone();
        self.spawn(async move {
            engine.client().platform().sleep(FORGET + Duration::from_millis(50)).await;
            engine.stale(Touch::Typing);
        });
    }
}
