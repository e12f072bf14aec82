//! Ending sessions and cutting devices: every way of it goes through here, so that none forgets the sockets, the
//! other nodes or the other contexts.

use super::Identity;
use crate::error::Result;
use crate::model::device::Device;
use crate::model::live::Ended;
use crate::store::revocations::NewEvent;
use crate::store::sessions::Which;
use crate::store::{devices, revocations, sessions, sims};
use pakawaaz_base::{Bytes, Millis, OfficialId, SimId};
use pakawaaz_contract::facts::{CardCut, DeviceActivated, DeviceCut, SessionEnded};
use pakawaaz_contract::identity::DeviceStatus;
use pakawaaz_storage::{Tx, outbox};

/// What one transaction ends.
#[derive(Default)]
pub(super) struct Cut {
    events: Vec<NewEvent>,
}

impl Cut {
    /// Ends sessions.
    pub async fn sessions(&mut self, tx: &mut Tx, which: Which, reason: &'static str, now: Millis) -> Result<usize> {
        let ended = sessions::end(tx.conn(), which, reason, now).await?;
        for (session, device) in &ended {
            let (session, device) = (*session, *device);
            self.events.push(NewEvent { what: Ended::Session(session), device: Some(device), statement: None });
            outbox::append(tx, SessionEnded::KIND, &SessionEnded { session, device, at: now }, now)?;
        }
        Ok(ended.len())
    }

    /// Sessions that aged: only now the sockets learn of it. A device that has logged in again keeps its socket.
    /// Answers whether there may be more of them.
    pub async fn aged_sessions(&mut self, tx: &mut Tx, now: Millis) -> Result<bool> {
        let aged = sessions::end_aged(tx.conn(), now).await?;
        let more = aged.len() == sessions::AGED_AT_ONCE;
        for (session, device) in aged {
            let alone = !sessions::any_open(tx.conn(), device, now).await?;
            let what = Ended::Session(session);
            self.events.push(NewEvent { what, device: alone.then_some(device), statement: None });
            outbox::append(tx, SessionEnded::KIND, &SessionEnded { session, device, at: now }, now)?;
        }
        Ok(more)
    }

    /// Ends sessions of what is cut as a whole. Each is named all the same: tokens are told apart by their session,
    /// whatever the clock of the node that issued them.
    async fn end_silently(&mut self, tx: &mut Tx, which: Which, reason: &'static str, now: Millis) -> Result<()> {
        for (session, _) in sessions::end(tx.conn(), which, reason, now).await? {
            self.events.push(NewEvent { what: Ended::Session(session), device: None, statement: None });
        }
        Ok(())
    }

    /// Cuts a device off: by the server alone, or by a signed revocation.
    pub async fn device(
        &mut self,
        tx: &mut Tx,
        device: &Device,
        statement: Option<&[u8]>,
        reason: &'static str,
        now: Millis,
    ) -> Result<()> {
        self.end_silently(tx, Which::Device(device.device), reason, now).await?;
        let statement = statement.map(<[u8]>::to_vec);
        self.events.push(NewEvent {
            what: Ended::Device(device.device),
            device: Some(device.device),
            statement: statement.clone(),
        });
        let (device, official) = (device.device, device.official);
        let fact = DeviceCut { device, official, statement: statement.map(Bytes), at: now };
        outbox::append(tx, DeviceCut::KIND, &fact, now)?;
        Ok(())
    }

    /// Cuts an official off with every device that is not revoked yet. A statement revokes them for good.
    pub async fn official(
        &mut self,
        tx: &mut Tx,
        official: OfficialId,
        statement: Option<&[u8]>,
        reason: &'static str,
        now: Millis,
    ) -> Result<()> {
        // In the order of README.md: devices, cards, sessions.
        let mut devices = devices::of_official(tx.conn(), official).await?;
        devices.retain(|device| device.status != DeviceStatus::Revoked);
        if let Some(statement) = statement {
            for device in &devices {
                devices::revoke(tx.conn(), device.device, statement).await?;
            }
        }
        let cards = sims::of_official(tx.conn(), official).await?;
        for card in &cards {
            sims::left(tx.conn(), card.sim, now).await?;
        }
        for device in &devices {
            self.device(tx, device, statement, reason, now).await?;
        }
        self.end_silently(tx, Which::Official(official), reason, now).await?;
        for card in cards {
            outbox::append(tx, CardCut::KIND, &CardCut { imsi: card.imsi, at: now }, now)?;
        }
        let statement = statement.map(<[u8]>::to_vec);
        self.events.push(NewEvent { what: Ended::Official(official), device: None, statement });
        Ok(())
    }

    /// Ends whatever a SIM has proven.
    pub async fn sim(
        &mut self,
        tx: &mut Tx,
        sim: SimId,
        statement: Option<&[u8]>,
        reason: &'static str,
        now: Millis,
    ) -> Result<()> {
        sims::left(tx.conn(), sim, now).await?;
        self.sessions(tx, Which::Sim(sim), reason, now).await?;
        if let Some(card) = sims::get(tx.conn(), sim).await? {
            outbox::append(tx, CardCut::KIND, &CardCut { imsi: card.imsi, at: now }, now)?;
        }
        let statement = statement.map(<[u8]>::to_vec);
        self.events.push(NewEvent { what: Ended::Sim(sim), device: None, statement });
        Ok(())
    }

    /// Roles of an official changed, or which of their devices may use them.
    pub fn roles(&mut self, official: OfficialId) {
        self.events.push(NewEvent { what: Ended::Roles(official), device: None, statement: None });
    }

    /// Writes what every node has to know, for a transaction that somebody else commits.
    pub async fn write(self, tx: &mut Tx, now: Millis) -> Result<()> {
        revocations::append(tx.conn(), &self.events, now).await?;
        Ok(())
    }

    /// Commits, then makes this node obey at once; the others follow within a quarter second.
    pub async fn commit(self, identity: &Identity, mut tx: Tx, now: Millis) -> Result<()> {
        let any = !self.events.is_empty();
        self.write(&mut tx, now).await?;
        tx.commit().await?;
        if any && identity.follow_revocations().await.is_err() {
            tracing::warn!("could not read revocations back; the watch will");
        }
        Ok(())
    }
}

/// Says that a device may be a leaf (again).
pub(super) fn activated(tx: &mut Tx, device: &Device, now: Millis) -> Result<()> {
    let fact = DeviceActivated { device: device.device, official: device.official, at: now };
    outbox::append(tx, DeviceActivated::KIND, &fact, now)?;
    Ok(())
}
