//! What is kept of a phone only while it is connected (5GMM-CONNECTED, TS 23.501 §5.3.3).

use super::Ue;
use crate::core::Cx;
use crate::identifiers::{AssociationId, Imsi, Location, Pei, RanUeNgapId};
use crate::io::{HomeVector, SharedKAusf};
use crate::n2::{Ids, build};
use crate::security::SecurityContext;
use crate::timers::TimerId;
use crate::traced::Tracing;
use oxirush_nas::nas_5gs::{NasCount, NasRegistrationRequest};
use std::time::Duration;

/// The UE context at the gNB (TS 38.413 §8.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Only NAS goes through.
    None,
    /// Asked for.
    Requested,
    /// The radio is secured; sessions can be set up.
    Established,
}

/// What the connection was made for and is not finished with.
pub(crate) enum Procedure {
    /// Nothing special.
    None,
    /// TS 24.501 §5.5.1.
    Registration(Box<Registering>),
}

/// A registration on its way to being accepted.
pub(crate) struct Registering {
    /// What the phone asks; the whole of it once security is there.
    pub(crate) request: NasRegistrationRequest,
    /// Its first message was protected, and we could not check it: the whole message is asked for again.
    pub(crate) unverified: bool,
    /// The phone was asked for its concealed identity.
    pub(crate) identified: bool,
    /// The phone was asked for its equipment identity.
    pub(crate) equipment_asked: bool,
    /// The accept has been sent.
    pub(crate) accepted: bool,
    /// Its identity proven, of an authentication that has succeeded.
    pub(crate) proven: Option<Proven>,
    pub(crate) challenge: Option<Challenge>,
    /// EAP goes on, with this identifier.
    pub(crate) eap: Option<u8>,
}

impl Registering {
    pub(crate) fn new(request: NasRegistrationRequest, unverified: bool) -> Self {
        Self {
            request,
            unverified,
            identified: false,
            equipment_asked: false,
            accepted: false,
            proven: None,
            challenge: None,
            eap: None,
        }
    }
}

/// A challenge that the phone has to answer.
pub(crate) struct Challenge {
    pub(crate) vector: Box<HomeVector>,
    pub(crate) ngksi: u8,
    pub(crate) eap_id: u8,
    /// One resynchronisation is enough for a card that is right (TS 24.501 §5.4.1.3.7).
    pub(crate) resynchronised: bool,
    pub(crate) renamed: bool,
}

/// Who it is, with the security context that is about to be taken into use.
pub(crate) struct Proven {
    pub(crate) imsi: Imsi,
    pub(crate) security: SecurityContext,
    /// The method's last packet goes into the security mode command.
    pub(crate) eap_success: Option<Vec<u8>>,
    /// For AKMA, once the phone has taken it into use.
    pub(crate) k_ausf: SharedKAusf,
    pub(crate) pei: Option<Pei>,
}

/// The answer that a NAS message waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expect {
    /// Concealed identity (T3570).
    Suci,
    /// Equipment identity (T3570).
    Pei,
    /// T3560.
    Authentication,
    /// T3560, protected under the new context.
    SecurityMode,
    /// T3550.
    RegistrationComplete,
    /// T3555.
    ConfigurationComplete,
    /// T3522.
    DeregistrationAccept,
}

/// A NAS message that is repeated until its answer comes.
pub(crate) struct Pending {
    pub(crate) expect: Expect,
    pub(crate) plain: Vec<u8>,
    pub(crate) sent: u8,
    pub(crate) timer: TimerId,
    pub(crate) every: Duration,
}

/// An answer that the vault owes.
pub(crate) struct Asked {
    pub(crate) request: u32,
    pub(crate) resynchronised: bool,
    pub(crate) timer: TimerId,
}

/// A connection of a phone.
pub(crate) struct Connection {
    pub(crate) association: AssociationId,
    pub(crate) ids: Ids,
    pub(crate) access: Access,
    pub(crate) procedure: Procedure,
    pub(crate) pending: Option<Pending>,
    pub(crate) asked: Option<Asked>,
    /// Secure exchange of NAS messages is established: what is not protected is dropped from now on.
    pub(crate) secured: bool,
    /// The release command is sent.
    pub(crate) releasing: bool,
    /// COUNT that the key of the gNB comes from.
    pub(crate) count: Option<NasCount>,
    pub(crate) ngap_timer: Option<TimerId>,
    pub(crate) guard: Option<TimerId>,
    /// Where it is, as its gNB says.
    pub(crate) location: Location,
    /// The phone has nothing more to say: the connection ends when it has acknowledged.
    pub(crate) release_after_complete: bool,
    /// A service request was accepted: a new name is due as soon as the radio is secured.
    pub(crate) renew: bool,
    /// What the phone will have been told of the network when it acknowledges.
    pub(crate) telling: Option<[u8; 8]>,
    pub(crate) tracing: Tracing,
}

impl Connection {
    pub(crate) fn new(association: AssociationId, ids: Ids, location: Location) -> Self {
        Self {
            association,
            ids,
            access: Access::None,
            procedure: Procedure::None,
            pending: None,
            asked: None,
            secured: false,
            releasing: false,
            count: None,
            ngap_timer: None,
            guard: None,
            location,
            release_after_complete: false,
            renew: false,
            telling: None,
            tracing: Tracing::Off,
        }
    }
    pub(crate) fn ran(&self) -> RanUeNgapId {
        self.ids.ran
    }
    pub(crate) fn registering(&mut self) -> Option<&mut Registering> {
        match &mut self.procedure {
            Procedure::Registration(registering) => Some(registering),
            Procedure::None => None,
        }
    }
}

impl Cx<'_> {
    /// A PDU to the phone's gNB, on the phone's stream.
    pub(crate) fn tell_gnb(&mut self, connection: &mut Connection, pdu: Result<Vec<u8>, oxirush_ngap::Error>) {
        if let Ok(pdu) = &pdu {
            self.trace_downlink(connection, pdu);
        }
        let stream = self.stream(connection.association, connection.ids.amf);
        self.send(connection.association, stream, pdu);
    }

    /// Forgets a connection: its timers, its names, its place at the gNB. Does not tell the gNB.
    pub(crate) fn close(&mut self, ue: &mut Ue) -> Option<Box<Connection>> {
        let mut connection = ue.connection.take()?;
        self.stop(&mut connection.ngap_timer);
        self.stop(&mut connection.guard);
        if let Some(pending) = connection.pending.take() {
            self.core.timers.stop(Some(pending.timer));
        }
        if let Some(asked) = connection.asked.take() {
            self.core.timers.stop(Some(asked.timer));
            self.core.asked = self.core.asked.saturating_sub(1);
        }
        self.core.by_ngap.remove(&connection.ids.amf);
        if let Some(gnb) = self.core.gnbs.get_mut(&connection.association) {
            // Another phone may have the gNB's number by now.
            if gnb.ues.get(&connection.ran()) == Some(&ue.key) {
                gnb.ues.remove(&connection.ran());
            }
            if !connection.secured {
                gnb.unauthenticated = gnb.unauthenticated.saturating_sub(1);
            }
        }
        if let Some(security) = &mut ue.security {
            security.rest();
        }
        Some(connection)
    }

    /// NAS to the phone: protected once the exchange is secured.
    pub(crate) fn nas(&mut self, ue: &mut Ue, plain: &[u8]) {
        let Some(nas) = self.protect(ue, plain) else { return };
        let Some(connection) = ue.connection.as_deref_mut() else { return };
        let pdu = build::downlink_nas_transport(connection.ids, &nas);
        self.tell_gnb(connection, pdu);
    }

    /// Stops repeating the message that waits for `expect`; whether there was one.
    pub(crate) fn answered(&mut self, ue: &mut Ue, expect: Expect) -> Option<Pending> {
        let connection = ue.connection.as_deref_mut()?;
        if connection.pending.as_ref().is_none_or(|pending| pending.expect != expect) {
            return None;
        }
        let pending = connection.pending.take()?;
        self.core.timers.stop(Some(pending.timer));
        Some(pending)
    }
}
