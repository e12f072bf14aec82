//! Which snapshots an event of the core makes stale, and what it announces.

use crate::engine::watch::Touch;
use crate::engine::{Engine, Host};
use pakawaaz_base::{DeviceId, GroupId, MessageId, OfficialId};
use pakawaaz_client::views::AlarmKind;
use pakawaaz_client::{ClientEvent, Platform, Store, Transport};
use pakawaaz_contract::directory::BilingualName;
use serde::Serialize;

/// `Happening` of `protocol.ts`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Happening {
    /// Somebody else wrote.
    Message {
        /// Conversation.
        group: GroupId,
        /// Message.
        message: MessageId,
        /// Author.
        author: OfficialId,
        /// Their name.
        author_name: BilingualName,
        /// It mentions this official.
        mention: bool,
        /// The conversation announces nothing.
        muted: bool,
    },
    /// Something an honest server or member never does.
    Alarm {
        /// What.
        kind: AlarmKind,
        /// Where.
        group: Option<GroupId>,
    },
    /// A device of this official appeared, was approved or cut off.
    OwnDevice {
        /// The device.
        device: DeviceId,
    },
    /// This device was revoked.
    CutOff,
}

impl<S: Store + 'static, T: Transport + 'static, P: Platform + 'static, H: Host> Engine<S, T, P, H> {
    pub(crate) fn touched_by(&self, event: &ClientEvent) {
        match event {
            ClientEvent::Connected => {
                self.stale(Touch::Devices);
                self.stale(Touch::Transfers);
            }
            ClientEvent::CaughtUp | ClientEvent::Disconnected { .. } => {}
            ClientEvent::Message { group, .. } => self.stale(Touch::Lines(*group)),
            ClientEvent::Status { group, .. } => {
                self.stale(Touch::Lines(*group));
                // One less may be queued.
                self.stale(Touch::App);
            }
            ClientEvent::Conversation { group } => self.stale(Touch::Members(*group)),
            ClientEvent::OwnDevice { .. } => self.stale(Touch::Devices),
            ClientEvent::Alarm(alarm) => {
                self.stale(Touch::Alarms);
                if let Some(group) = alarm.group {
                    self.stale(Touch::Lines(group));
                }
            }
            ClientEvent::Typing { .. } => {}
            ClientEvent::Transfer { .. } => self.stale(Touch::Transfers),
        }
    }

    pub(crate) fn announce(&self, event: &ClientEvent) {
        match event {
            ClientEvent::Message { group, message, author, mention } => {
                let engine = self.clone();
                let (group, message, author, mention) = (*group, *message, *author, *mention);
                self.spawn(async move { engine.announce_message(group, message, author, mention).await });
            }
            ClientEvent::Alarm(alarm) => self.tell(&Happening::Alarm { kind: alarm.kind, group: alarm.group }),
            ClientEvent::OwnDevice { device } => {
                let (engine, device) = (self.clone(), *device);
                self.spawn(async move {
                    // That this very device is there is no news on it.
                    let me = engine.client().whoami().await.map(|me| me.device);
                    if me.is_ok_and(|me| me != device) {
                        engine.tell(&Happening::OwnDevice { device });
                    }
                });
            }
            _ => {}
        }
    }

    async fn announce_message(&self, group: GroupId, message: MessageId, author: OfficialId, mention: bool) {
        // A message of this official's other device is no news to them.
        let Ok(me) = self.client().whoami().await else { return };
        if me.official == author {
            return;
        }
        let muted = self.client().is_muted(group).await.unwrap_or(false);
        let known = self.client().known_official(author).await.ok().flatten();
        let author_name = known.map_or_else(|| super::view::unnamed(author), |official| official.name);
        self.tell(&Happening::Message { group, message, author, author_name, mention, muted });
    }

    pub(crate) fn tell(&self, happening: &Happening) {
        if let Ok(json) = serde_json::to_string(happening) {
            self.0.host.happening(&json);
        }
    }
}
