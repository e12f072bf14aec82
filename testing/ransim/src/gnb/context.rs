//! Phones at the gNB: their first message, NAS both ways, context setup, release and paging
//! (TS 38.413 §8.3, §8.5, §8.6).

use super::resources::SetupItem;
use super::{Downlink, Gnb, GnbEffect, GnbEvent, GnbIo, Link, Pending, PhoneId, Ue, radio_cause};
use crate::phone::AccessCause;
use oxirush_ngap::ngap::{
    AMFPointer, AMFSetID, Cause, CauseRadioNetwork, FiveGSTMSI, FiveGTMSI, NGAP_PDU, PDUSessionID,
    PDUSessionResourceItemCxtRelCpl, PDUSessionResourceItemCxtRelReq, PDUSessionResourceListCxtRelCpl,
    PDUSessionResourceListCxtRelReq, RRCEstablishmentCause, TAIListForPaging, UEContextRequest, UENGAPIDs,
    UEPagingIdentity,
};
use oxirush_ngap::{Error as NgapError, build_ngap, extract_ngap_ies};
use oxirush_security::nas_5gs::STmsi;
use zeroize::Zeroizing;

/// What a phone's radio can do, as far as anybody here reads it.
const RADIO_CAPABILITY: [u8; 4] = [0x04, 0x00, 0x00, 0x00];

impl Gnb {
    /// A phone asks for a connection with an initial NAS message. Refused, it hears that it is released.
    pub fn connect(
        &mut self,
        io: &mut GnbIo<'_>,
        phone: PhoneId,
        nas: Vec<u8>,
        cause: AccessCause,
        s_tmsi: Option<STmsi>,
    ) {
        if !self.admits(cause) {
            return io.radio(phone, Downlink::Released);
        }
        if let Some(ran) = self.by_phone.get(&phone).copied() {
            // The phone begins anew: the core hears that the old connection is gone.
            self.lost_ran(io, ran);
            self.by_phone.remove(&phone);
            if let Some(old) = self.ues.get_mut(&ran) {
                old.detached = true;
            }
        }
        let ran = self.next_ran;
        self.next_ran = self.next_ran.checked_add(1).unwrap_or(1);
        let ue = Ue {
            phone,
            amf: None,
            secured: false,
            detached: false,
            pending: None,
            resources: Default::default(),
            active_at: io.now,
            release_asked: false,
        };
        self.ues.insert(ran, ue);
        self.by_phone.insert(phone, ran);
        self.watch_silence(io);
        let pdu = self.initial_ue_message(ran, nas, cause, s_tmsi);
        io.send(self.stream(ran), pdu);
    }

    fn initial_ue_message(
        &self,
        ran: u32,
        nas: Vec<u8>,
        cause: AccessCause,
        s_tmsi: Option<STmsi>,
    ) -> Result<NGAP_PDU, NgapError> {
        let cause = match cause {
            AccessCause::MobileTerminated => RRCEstablishmentCause::mt_Access,
            AccessCause::Signalling => RRCEstablishmentCause::mo_Signalling,
            AccessCause::Data => RRCEstablishmentCause::mo_Data,
        };
        let location = self.location()?;
        match s_tmsi {
            Some(s_tmsi) => build_ngap!(
                InitiatingMessage,
                InitialUEMessage,
                InitialUEMessage,
                RAN_UE_NGAP_ID(ran),
                NAS_PDU(nas),
                UserLocationInformation(location),
                RRCEstablishmentCause(cause),
                FiveG_S_TMSI(ngap_s_tmsi(s_tmsi)?),
                UEContextRequest(UEContextRequest::requested),
            ),
            None => build_ngap!(
                InitiatingMessage,
                InitialUEMessage,
                InitialUEMessage,
                RAN_UE_NGAP_ID(ran),
                NAS_PDU(nas),
                UserLocationInformation(location),
                RRCEstablishmentCause(cause),
                UEContextRequest(UEContextRequest::requested),
            ),
        }
    }

    /// A phone's NAS message over its connection.
    pub fn uplink(&mut self, io: &mut GnbIo<'_>, phone: PhoneId, nas: Vec<u8>) {
        let Some(ran) = self.by_phone.get(&phone).copied() else { return };
        let Some(ue) = self.ues.get_mut(&ran) else { return };
        ue.active_at = io.now;
        let Some(amf) = ue.amf else { return };
        let pdu = self.location().and_then(|location| {
            build_ngap!(
                InitiatingMessage,
                UplinkNASTransport,
                UplinkNASTransport,
                AMF_UE_NGAP_ID(amf),
                RAN_UE_NGAP_ID(ran),
                NAS_PDU(nas),
                UserLocationInformation(location),
            )
        });
        io.send(self.stream(ran), pdu);
    }

    /// A phone has sent or received user data: it is not silent.
    pub fn active(&mut self, phone: PhoneId, now: pakawaaz_base::Millis) {
        if let Some(ue) = self.by_phone.get(&phone).and_then(|ran| self.ues.get_mut(ran)) {
            ue.active_at = now;
        }
    }

    /// The gNB cannot hear a phone any more (radio link failure): the core is asked to release it.
    pub fn lost(&mut self, io: &mut GnbIo<'_>, phone: PhoneId) {
        if let Some(ran) = self.by_phone.get(&phone).copied() {
            self.lost_ran(io, ran);
        }
    }

    fn lost_ran(&mut self, io: &mut GnbIo<'_>, ran: u32) {
        self.ask_release(io, ran, CauseRadioNetwork::radio_connection_with_ue_lost);
    }

    /// Asks the core to release a phone now, as if it had been silent.
    pub fn release(&mut self, io: &mut GnbIo<'_>, phone: PhoneId) {
        if let Some(ran) = self.by_phone.get(&phone).copied() {
            self.ask_release(io, ran, CauseRadioNetwork::user_inactivity);
        }
    }

    fn ask_release(&mut self, io: &mut GnbIo<'_>, ran: u32, cause: CauseRadioNetwork) {
        let Some(ue) = self.ues.get_mut(&ran) else { return };
        let Some(amf) = ue.amf else {
            // The core has not answered: there is nothing to release but our side.
            self.drop_phone(io, ran);
            return;
        };
        if ue.release_asked {
            return;
        }
        ue.release_asked = true;
        let sessions: Vec<_> =
            ue.resources.keys().map(|psi| PDUSessionResourceItemCxtRelReq::new(PDUSessionID(*psi), None)).collect();
        let cause = radio_cause(cause);
        let pdu = if sessions.is_empty() {
            build_ngap!(
                InitiatingMessage,
                UEContextReleaseRequest,
                UEContextReleaseRequest,
                AMF_UE_NGAP_ID(amf),
                RAN_UE_NGAP_ID(ran),
                Cause(cause),
            )
        } else {
            build_ngap!(
                InitiatingMessage,
                UEContextReleaseRequest,
                UEContextReleaseRequest,
                AMF_UE_NGAP_ID(amf),
                RAN_UE_NGAP_ID(ran),
                PDUSessionResourceListCxtRelReq(PDUSessionResourceListCxtRelReq(sessions)),
                Cause(cause),
            )
        };
        io.send(self.stream(ran), pdu);
    }

    fn watch_silence(&mut self, io: &GnbIo<'_>) {
        if let Some(inactivity) = self.config.inactivity {
            let due = io.now.plus(inactivity);
            self.inactivity_at = Some(self.inactivity_at.map_or(due, |at| at.min(due)));
        }
    }

    pub(super) fn release_silent_phones(&mut self, io: &mut GnbIo<'_>) {
        self.inactivity_at = None;
        let Some(inactivity) = self.config.inactivity else { return };
        let mut silent = Vec::new();
        let mut next = None;
        for (ran, ue) in self.ues.iter().filter(|(_, ue)| !ue.release_asked && ue.amf.is_some()) {
            let due = ue.active_at.plus(inactivity);
            if due <= io.now {
                silent.push(*ran);
            } else {
                next = Some(next.map_or(due, |next: pakawaaz_base::Millis| next.min(due)));
            }
        }
        self.inactivity_at = next;
        for ran in silent {
            self.ask_release(io, ran, CauseRadioNetwork::user_inactivity);
        }
        if self.inactivity_at.is_none() && !self.ues.is_empty() {
            self.watch_silence(io);
        }
    }

    /// The phone with these two ids. Ids that do not belong together are answered as TS 38.413 §10.6 says.
    pub(super) fn phone_of(&mut self, io: &mut GnbIo<'_>, amf: u64, ran: u32) -> Option<&mut Ue> {
        let known = self.ues.get(&ran).map(|ue| ue.amf.is_none_or(|ours| ours == amf));
        match known {
            Some(true) => {
                let ue = self.ues.get_mut(&ran)?;
                ue.amf = Some(amf);
                ue.active_at = io.now;
                Some(ue)
            }
            Some(false) => {
                let cause = radio_cause(CauseRadioNetwork::inconsistent_remote_UE_NGAP_ID);
                self.error(io, Some(amf), Some(ran), cause);
                None
            }
            None => {
                self.error(io, Some(amf), Some(ran), radio_cause(CauseRadioNetwork::unknown_local_UE_NGAP_ID));
                None
            }
        }
    }

    pub(super) fn downlink_nas(&mut self, io: &mut GnbIo<'_>, pdu: &NGAP_PDU) -> Result<(), NgapError> {
        extract_ngap_ies!(pdu, DownlinkNASTransport,
            req amf: u64 = AMF_UE_NGAP_ID(id),
            req ran: u32 = RAN_UE_NGAP_ID(id),
            req nas: Vec<u8> = NAS_PDU(nas) => nas.0.to_vec(),
        );
        if let Some(ue) = self.phone_of(io, amf, ran).filter(|ue| !ue.detached) {
            let phone = ue.phone;
            io.radio(phone, Downlink::Nas(nas));
        }
        Ok(())
    }

    pub(super) fn context_setup(&mut self, io: &mut GnbIo<'_>, pdu: &NGAP_PDU) -> Result<(), NgapError> {
        extract_ngap_ies!(pdu, InitialContextSetupRequest,
            req amf: u64 = AMF_UE_NGAP_ID(id),
            req ran: u32 = RAN_UE_NGAP_ID(id),
            req key: Vec<u8> = SecurityKey(key) => key.0.as_octets().to_vec(),
            req _guami: () = GUAMI(_guami) => (),
            req slices: usize = AllowedNSSAI(list) => list.0.len(),
            req algorithms: (Vec<u8>, Vec<u8>) = UESecurityCapabilities(c) => (
                c.nr_encryption_algorithms.0.as_octets().to_vec(),
                c.nr_integrity_protection_algorithms.0.as_octets().to_vec(),
            ),
            opt sessions: Vec<SetupItem> = PDUSessionResourceSetupListCxtReq(list) => list.0.into_iter().map(|item| {
                SetupItem::new(item.pdu_session_id.0, item.nas_pdu, &item.pdu_session_resource_setup_request_transfer)
            }).collect(),
            opt nas: Vec<u8> = NAS_PDU(nas) => nas.0.to_vec(),
        );
        let key = Zeroizing::new(key);
        let Some(ue) = self.phone_of(io, amf, ran).filter(|ue| !ue.detached) else { return Ok(()) };
        // Without an algorithm in common but the null one there is no protected radio.
        let usable = |octets: &[u8]| octets.first().is_some_and(|octet| octet & 0xe0 != 0);
        let Ok(key) = <[u8; 32]>::try_from(key.as_slice()) else { return Ok(()) };
        if slices == 0 || !usable(&algorithms.0) || !usable(&algorithms.1) {
            let cause = CauseRadioNetwork::encryption_and_or_integrity_protection_algorithms_not_supported;
            self.context_setup_failed(io, amf, ran, cause);
            return Ok(());
        }
        ue.pending = Some(Box::new(Pending { nas, sessions: sessions.unwrap_or_default() }));
        let phone = ue.phone;
        io.radio(phone, Downlink::Secure(Zeroizing::new(key)));
        Ok(())
    }

    fn context_setup_failed(&mut self, io: &mut GnbIo<'_>, amf: u64, ran: u32, cause: CauseRadioNetwork) {
        let pdu = build_ngap!(
            UnsuccessfulOutcome,
            InitialContextSetup,
            InitialContextSetupFailure,
            AMF_UE_NGAP_ID(amf),
            RAN_UE_NGAP_ID(ran),
            Cause(radio_cause(cause)),
        );
        io.send(self.stream(ran), pdu);
    }

    /// A phone's answer to [`Downlink::Secure`].
    pub fn secured(&mut self, io: &mut GnbIo<'_>, phone: PhoneId, right: bool) {
        let Some(ran) = self.by_phone.get(&phone).copied() else { return };
        let Some(ue) = self.ues.get_mut(&ran) else { return };
        let (Some(pending), Some(amf)) = (ue.pending.take(), ue.amf) else { return };
        if !right {
            return self.context_setup_failed(io, amf, ran, CauseRadioNetwork::failure_in_radio_interface_procedure);
        }
        ue.secured = true;
        let outcome = self.set_up_resources(io, ran, pending.sessions);
        let response = outcome.into_context_response(amf, ran);
        io.send(self.stream(ran), response);
        let capability = build_ngap!(
            InitiatingMessage,
            UERadioCapabilityInfoIndication,
            UERadioCapabilityInfoIndication,
            AMF_UE_NGAP_ID(amf),
            RAN_UE_NGAP_ID(ran),
            UERadioCapability(RADIO_CAPABILITY.to_vec()),
        );
        io.send(self.stream(ran), capability);
        io.event(GnbEvent::ContextSetUp { phone });
        if let Some(nas) = pending.nas {
            io.radio(phone, Downlink::Nas(nas));
        }
    }

    pub(super) fn context_modification(&mut self, io: &mut GnbIo<'_>, pdu: &NGAP_PDU) -> Result<(), NgapError> {
        extract_ngap_ies!(pdu, UEContextModificationRequest,
            req amf: u64 = AMF_UE_NGAP_ID(id),
            req ran: u32 = RAN_UE_NGAP_ID(id),
        );
        if self.phone_of(io, amf, ran).is_some() {
            let pdu = build_ngap!(
                SuccessfulOutcome,
                UEContextModification,
                UEContextModificationResponse,
                AMF_UE_NGAP_ID(amf),
                RAN_UE_NGAP_ID(ran),
            );
            io.send(self.stream(ran), pdu);
        }
        Ok(())
    }

    pub(super) fn context_release(&mut self, io: &mut GnbIo<'_>, pdu: &NGAP_PDU) -> Result<(), NgapError> {
        extract_ngap_ies!(pdu, UEContextReleaseCommand,
            req ids: UENGAPIDs = UE_NGAP_IDs(ids) => ids,
            req _cause: Cause = Cause(cause) => cause,
        );
        let named = match ids {
            UENGAPIDs::uE_NGAP_ID_pair(pair) => Some((pair.amf_ue_ngap_id.0, pair.ran_ue_ngap_id.0)),
            UENGAPIDs::aMF_UE_NGAP_ID(amf) => {
                let found = self.ues.iter().find(|(_, ue)| ue.amf == Some(amf.0)).map(|(ran, _)| *ran);
                if found.is_none() {
                    let cause = radio_cause(CauseRadioNetwork::unknown_local_UE_NGAP_ID);
                    self.error(io, None, None, cause);
                }
                found.map(|ran| (amf.0, ran))
            }
            UENGAPIDs::choice_Extensions(_) => None,
        };
        let Some((amf, ran)) = named else { return Ok(()) };
        let Some(ue) = self.phone_of(io, amf, ran) else { return Ok(()) };
        let sessions: Vec<_> =
            ue.resources.keys().map(|psi| PDUSessionResourceItemCxtRelCpl::new(PDUSessionID(*psi), None)).collect();
        let location = self.location()?;
        let pdu = if sessions.is_empty() {
            build_ngap!(
                SuccessfulOutcome,
                UEContextRelease,
                UEContextReleaseComplete,
                AMF_UE_NGAP_ID(amf),
                RAN_UE_NGAP_ID(ran),
                UserLocationInformation(location),
            )
        } else {
            build_ngap!(
                SuccessfulOutcome,
                UEContextRelease,
                UEContextReleaseComplete,
                AMF_UE_NGAP_ID(amf),
                RAN_UE_NGAP_ID(ran),
                UserLocationInformation(location),
                PDUSessionResourceListCxtRelCpl(PDUSessionResourceListCxtRelCpl(sessions)),
            )
        };
        let stream = self.stream(ran);
        self.drop_phone(io, ran);
        io.send(stream, pdu);
        Ok(())
    }

    pub(super) fn paging(&mut self, io: &mut GnbIo<'_>, pdu: &NGAP_PDU) -> Result<(), NgapError> {
        extract_ngap_ies!(pdu, Paging,
            req identity: UEPagingIdentity = UEPagingIdentity(identity) => identity,
            req areas: TAIListForPaging = TAIListForPaging(list) => list,
        );
        let here = areas.0.iter().any(|item| {
            item.tai.plmn_identity == self.plmn
                && self.config.tacs.iter().any(|tac| super::tac_octets(*tac) == item.tai.tac.0)
        });
        let UEPagingIdentity::fiveG_S_TMSI(identity) = identity else { return Ok(()) };
        if here
            && self.link == Link::Ready
            && let Some(s_tmsi) = from_ngap(&identity)
        {
            io.out.push(GnbEffect::Page(s_tmsi));
        }
        Ok(())
    }

    /// Forgets a phone's connection and tunnels, without a word to anybody.
    pub(super) fn forget_phone(&mut self, io: &mut GnbIo<'_>, ran: u32) -> Option<PhoneId> {
        let ue = self.ues.remove(&ran)?;
        if !ue.detached {
            self.by_phone.remove(&ue.phone);
        }
        for (psi, resource) in ue.resources {
            self.teids.remove(&resource.teid);
            io.event(GnbEvent::ResourceDown { phone: ue.phone, psi });
        }
        (!ue.detached).then_some(ue.phone)
    }
}

fn ngap_s_tmsi(s_tmsi: STmsi) -> Result<FiveGSTMSI, NgapError> {
    Ok(FiveGSTMSI::new(
        AMFSetID::new(s_tmsi.amf_set_id().into())?,
        AMFPointer::new(s_tmsi.amf_pointer().into())?,
        FiveGTMSI(s_tmsi.tmsi().to_be_bytes()),
        None,
    ))
}

fn from_ngap(identity: &FiveGSTMSI) -> Option<STmsi> {
    let set = u16::try_from(identity.amf_set_id.0.value()).ok()?;
    let pointer = u8::try_from(identity.amf_pointer.0.value()).ok()?;
    STmsi::new(set, pointer, u32::from_be_bytes(identity.five_g_tmsi.0)).ok()
}
