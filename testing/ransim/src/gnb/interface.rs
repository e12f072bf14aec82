//! The interface itself: NG setup, reset, configuration updates, overload and error indication (TS 38.413 §8.7).

use super::{Downlink, Gnb, GnbEvent, GnbIo, Link, tac_octets};
use crate::phone::AccessCause;
use oxirush_ngap::helpers::{global_gnb_id, s_nssai};
use oxirush_ngap::ngap::{
    BroadcastPLMNItem, BroadcastPLMNList, Cause, CauseMisc, GlobalRANNodeID, NGAP_PDU, OverloadAction,
    OverloadResponse, PagingDRX, ResetAll, ResetType, SliceSupportItem, SliceSupportList, SupportedTAItem,
    SupportedTAList, TAC, TimeToWait, UEAssociatedLogicalNGConnectionList,
};
use oxirush_ngap::{Error as NgapError, build_ngap, extract_ngap_ies};
use std::time::Duration;

/// What the core asked to reduce.
#[derive(Clone, Debug)]
pub(super) struct Overload {
    action: Option<OverloadAction>,
    percent: u8,
    /// Connections that were asked for since; every so many are refused.
    seen: u32,
}

impl Overload {
    /// Whether a connection for `cause` is refused now.
    fn refuses(&mut self, cause: AccessCause) -> bool {
        let concerned = match self.action {
            Some(OverloadAction::reject_non_emergency_mo_dt) => cause == AccessCause::Data,
            Some(OverloadAction::reject_rrc_cr_signalling) | None => cause != AccessCause::MobileTerminated,
            Some(_) => cause != AccessCause::MobileTerminated,
        };
        if !concerned {
            return false;
        }
        let percent = u32::from(self.percent);
        let refused = (self.seen + 1) * percent / 100 > self.seen * percent / 100;
        self.seen = (self.seen + 1) % 100;
        refused
    }
}

impl Gnb {
    /// An association is there, with so many streams: sets the interface up.
    pub fn up(&mut self, io: &mut GnbIo<'_>, streams: u16) {
        self.streams = streams.max(1);
        self.set_up(io);
    }

    /// The association is gone, and all phones with it.
    pub fn down(&mut self, io: &mut GnbIo<'_>) {
        self.link = Link::Down;
        self.overload = None;
        let phones: Vec<u32> = self.ues.keys().copied().collect();
        for ran in phones {
            self.drop_phone(io, ran);
        }
        io.event(GnbEvent::Lost);
    }

    pub(super) fn set_up(&mut self, io: &mut GnbIo<'_>) {
        self.link = Link::SettingUp;
        io.send(0, self.setup_request());
    }

    fn supported(&self) -> SupportedTAList {
        let slices = || {
            let items = self.config.slices.iter();
            SliceSupportList(items.map(|s| SliceSupportItem::new(s_nssai(s.sst, s.sd_octets()), None)).collect())
        };
        let area = |tac: &u32| {
            let plmns = BroadcastPLMNList(vec![BroadcastPLMNItem::new(self.plmn, slices(), None)]);
            SupportedTAItem::new(TAC(tac_octets(*tac)), plmns, None)
        };
        SupportedTAList(self.config.tacs.iter().map(area).collect())
    }

    fn setup_request(&self) -> Result<NGAP_PDU, NgapError> {
        let id = global_gnb_id(self.plmn, self.config.id, self.config.id_bits.into())?;
        build_ngap!(
            InitiatingMessage,
            NGSetup,
            NGSetupRequest,
            GlobalRANNodeID(GlobalRANNodeID::globalGNB_ID(id)),
            RANNodeName(self.config.name.as_str()),
            SupportedTAList(self.supported()),
            DefaultPagingDRX(PagingDRX::v128),
        )
    }

    pub(super) fn setup_accepted(&mut self, io: &mut GnbIo<'_>, pdu: &NGAP_PDU) -> Result<(), NgapError> {
        extract_ngap_ies!(pdu, NGSetupResponse,
            req name: String = AMFName(name) => name.0.into_owned(),
            req plmns: usize = PLMNSupportList(list) => list.0.len(),
            req guamis: usize = ServedGUAMIList(list) => list.0.len(),
        );
        if self.link != Link::SettingUp || plmns == 0 || guamis == 0 {
            io.event(GnbEvent::Malformed { what: "setup response" });
            return Ok(());
        }
        self.link = Link::Ready;
        self.amf_name = name.clone();
        io.event(GnbEvent::Ready { amf: name });
        Ok(())
    }

    pub(super) fn setup_refused(&mut self, io: &mut GnbIo<'_>, pdu: &NGAP_PDU) -> Result<(), NgapError> {
        extract_ngap_ies!(pdu, NGSetupFailure,
            req cause: String = Cause(cause) => format!("{cause:?}"),
            opt wait: TimeToWait = TimeToWait(wait) => wait,
        );
        let seconds = wait.map(|wait| match wait {
            TimeToWait::v1s => 1,
            TimeToWait::v2s => 2,
            TimeToWait::v5s => 5,
            TimeToWait::v10s => 10,
            TimeToWait::v20s => 20,
            _ => 60,
        });
        self.link = Link::Refused(seconds.map(|seconds| io.now.plus(Duration::from_secs(seconds))));
        io.event(GnbEvent::SetupRefused { cause });
        Ok(())
    }

    /// Tells the core of other tracking areas (RAN configuration update, §8.7.2).
    pub fn reconfigure(&mut self, io: &mut GnbIo<'_>, tacs: Vec<u32>) {
        self.config.tacs = tacs;
        let pdu = build_ngap!(
            InitiatingMessage,
            RANConfigurationUpdate,
            RANConfigurationUpdate,
            RANNodeName(self.config.name.as_str()),
            SupportedTAList(self.supported()),
        );
        io.send(0, pdu);
    }

    pub(super) fn configuration_taken(&mut self, io: &mut GnbIo<'_>, taken: bool) -> Result<(), NgapError> {
        io.event(GnbEvent::ConfigurationTaken(taken));
        Ok(())
    }

    pub(super) fn amf_configuration(&mut self, io: &mut GnbIo<'_>) -> Result<(), NgapError> {
        io.event(GnbEvent::AmfConfiguration);
        io.send(0, build_ngap!(SuccessfulOutcome, AMFConfigurationUpdate, AMFConfigurationUpdateAcknowledge,));
        Ok(())
    }

    /// Forgets all phones and has the core forget them (NG reset, §8.7.4.2.2).
    pub fn reset_all(&mut self, io: &mut GnbIo<'_>) {
        let phones: Vec<u32> = self.ues.keys().copied().collect();
        for ran in phones {
            self.drop_phone(io, ran);
        }
        let pdu = build_ngap!(
            InitiatingMessage,
            NGReset,
            NGReset,
            Cause(Cause::misc(CauseMisc::om_intervention)),
            ResetType(ResetType::nG_Interface(ResetAll::reset_all)),
        );
        io.send(0, pdu);
    }

    pub(super) fn reset(&mut self, io: &mut GnbIo<'_>, pdu: &NGAP_PDU) -> Result<(), NgapError> {
        extract_ngap_ies!(pdu, NGReset,
            req kind: ResetType = ResetType(kind) => kind,
        );
        let (phones, answer) = match kind {
            ResetType::nG_Interface(_) => {
                let all: Vec<u32> = self.ues.keys().copied().collect();
                (all, build_ngap!(SuccessfulOutcome, NGReset, NGResetAcknowledge,))
            }
            ResetType::partOfNG_Interface(list) => {
                let named = list.0.iter().filter_map(|item| {
                    let by_ran = item.ran_ue_ngap_id.as_ref().map(|id| id.0);
                    by_ran.or_else(|| {
                        let amf = item.amf_ue_ngap_id.as_ref()?.0;
                        self.ues.iter().find(|(_, ue)| ue.amf == Some(amf)).map(|(ran, _)| *ran)
                    })
                });
                let named: Vec<u32> = named.collect();
                let list = UEAssociatedLogicalNGConnectionList(list.0);
                let answer = build_ngap!(
                    SuccessfulOutcome,
                    NGReset,
                    NGResetAcknowledge,
                    UE_associatedLogicalNG_connectionList(list),
                );
                (named, answer)
            }
            ResetType::choice_Extensions(_) => return Ok(()),
        };
        let mut dropped = 0;
        for ran in phones {
            dropped += usize::from(self.drop_phone(io, ran));
        }
        io.event(GnbEvent::Reset { phones: dropped });
        io.send(0, answer);
        Ok(())
    }

    pub(super) fn reset_acknowledged(&mut self, io: &mut GnbIo<'_>) -> Result<(), NgapError> {
        io.event(GnbEvent::ResetAcknowledged);
        Ok(())
    }

    pub(super) fn overload_start(&mut self, io: &mut GnbIo<'_>, pdu: &NGAP_PDU) -> Result<(), NgapError> {
        extract_ngap_ies!(pdu, OverloadStart,
            opt response: OverloadResponse = AMFOverloadResponse(response) => response,
            opt percent: u8 = AMFTrafficLoadReductionIndication(percent),
        );
        let action = match response {
            Some(OverloadResponse::overloadAction(action)) => Some(action),
            _ => None,
        };
        let percent = percent.unwrap_or(100);
        self.overload = Some(Overload { action, percent, seen: 0 });
        io.event(GnbEvent::Overload { percent });
        Ok(())
    }

    pub(super) fn overload_stop(&mut self, io: &mut GnbIo<'_>) -> Result<(), NgapError> {
        self.overload = None;
        io.event(GnbEvent::OverloadOver);
        Ok(())
    }

    /// Whether a connection may be asked for now.
    pub(super) fn admits(&mut self, cause: AccessCause) -> bool {
        self.link == Link::Ready && !self.overload.as_mut().is_some_and(|overload| overload.refuses(cause))
    }

    pub(super) fn error_indicated(&mut self, io: &mut GnbIo<'_>, pdu: &NGAP_PDU) -> Result<(), NgapError> {
        extract_ngap_ies!(pdu, ErrorIndication,
            lax amf: u64 = AMF_UE_NGAP_ID(id),
            lax ran: u32 = RAN_UE_NGAP_ID(id),
            lax cause: Cause = Cause(cause) => cause,
        );
        io.event(GnbEvent::ErrorIndication { cause: format!("{cause:?}") });
        // A phone that the core does not know here has no use for its connection (§10.6).
        let unknown = oxirush_ngap::ngap::CauseRadioNetwork::unknown_local_UE_NGAP_ID;
        let inconsistent = oxirush_ngap::ngap::CauseRadioNetwork::inconsistent_remote_UE_NGAP_ID;
        if cause == Some(Cause::radioNetwork(unknown)) || cause == Some(Cause::radioNetwork(inconsistent)) {
            let named = ran.filter(|ran| self.ues.get(ran).is_some_and(|ue| amf.is_none() || ue.amf == amf));
            if let Some(ran) = named {
                self.drop_phone(io, ran);
            }
        }
        Ok(())
    }

    /// Tells the core that something was wrong with a message (§8.7.6).
    pub(super) fn error(&self, io: &mut GnbIo<'_>, amf: Option<u64>, ran: Option<u32>, cause: Cause) {
        let pdu = match (amf, ran) {
            (Some(amf), Some(ran)) => build_ngap!(
                InitiatingMessage,
                ErrorIndication,
                ErrorIndication,
                AMF_UE_NGAP_ID(amf),
                RAN_UE_NGAP_ID(ran),
                Cause(cause),
            ),
            _ => build_ngap!(InitiatingMessage, ErrorIndication, ErrorIndication, Cause(cause),),
        };
        io.send(0, pdu);
    }

    /// Ends a phone's connection on this side only. Whether there was one.
    pub(super) fn drop_phone(&mut self, io: &mut GnbIo<'_>, ran: u32) -> bool {
        let Some(phone) = self.forget_phone(io, ran) else { return false };
        io.radio(phone, Downlink::Released);
        true
    }
}
