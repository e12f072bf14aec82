//! The gNB against PDUs that a core would send, built with the codec alone.

use super::*;
use crate::phone::AccessCause;
use oxirush_ngap::aper::{BitString, Octets};
use oxirush_ngap::helpers::{guami, s_nssai, ue_security_capabilities};
use oxirush_ngap::ngap::*;
use oxirush_ngap::{NgapPduKind as Kind, build_ngap, build_ngap_ie, extract_ngap_ies};
use proptest::prelude::*;

const PHONE: PhoneId = PhoneId(4);

struct Bench {
    gnb: Gnb,
    now: Millis,
    out: Vec<GnbEffect>,
}

impl Bench {
    fn new() -> Self {
        let plmn = Plmn::new("410", "01").expect("digits");
        let gnb = Gnb::new(GnbConfig::new(plmn, 7, 1, [127, 0, 0, 7].into())).expect("fits");
        Self { gnb, now: Millis(0), out: Vec::new() }
    }

    fn call(&mut self, call: impl FnOnce(&mut Gnb, &mut GnbIo<'_>)) {
        call(&mut self.gnb, &mut GnbIo { now: self.now, out: &mut self.out });
    }

    fn receive(&mut self, pdu: Result<NGAP_PDU, NgapError>) {
        let bytes = pdu.expect("builds").encode().expect("encodes");
        self.call(|gnb, io| gnb.receive(io, &bytes));
    }

    /// PDUs that were sent, each checked against TS 38.413.
    fn sent(&mut self) -> Vec<(u16, NGAP_PDU)> {
        let (sent, rest) = std::mem::take(&mut self.out).into_iter().partition(|e| matches!(e, GnbEffect::Send { .. }));
        self.out = rest;
        let sent: Vec<GnbEffect> = sent;
        sent.into_iter()
            .map(|effect| match effect {
                GnbEffect::Send { stream, bytes } => {
                    let pdu = NGAP_PDU::decode(&bytes).expect("decodes");
                    assert_eq!(pdu.check().expect("checks"), [], "{pdu}");
                    (stream, pdu)
                }
                _ => unreachable!(),
            })
            .collect()
    }

    fn sent_one(&mut self) -> NGAP_PDU {
        let mut sent = self.sent();
        assert_eq!(sent.len(), 1, "{sent:?}");
        sent.remove(0).1
    }

    fn radio(&mut self) -> Vec<Downlink> {
        let (radio, rest) = std::mem::take(&mut self.out).into_iter().partition(|e| matches!(e, GnbEffect::Radio(..)));
        self.out = rest;
        let radio: Vec<GnbEffect> = radio;
        radio
            .into_iter()
            .map(|effect| match effect {
                GnbEffect::Radio(phone, downlink) => {
                    assert_eq!(phone, PHONE);
                    downlink
                }
                _ => unreachable!(),
            })
            .collect()
    }

    fn events(&mut self) -> Vec<GnbEvent> {
        let mut events = Vec::new();
        self.out.retain(|effect| match effect {
            GnbEffect::Event(event) => {
                events.push(event.clone());
                false
            }
            _ => true,
        });
        events
    }

    fn ready() -> Self {
        let mut bench = Self::new();
        bench.call(|gnb, io| gnb.up(io, 4));
        assert_eq!(bench.sent_one().kind(), Kind::Initiating_NGSetup);
        bench.receive(setup_response());
        assert_eq!(bench.gnb.link(), Link::Ready);
        bench.events();
        bench
    }

    /// With a phone that the core calls 99.
    fn with_phone() -> Self {
        let mut bench = Self::ready();
        bench.call(|gnb, io| gnb.connect(io, PHONE, vec![0x7e, 0, 0x41], AccessCause::Signalling, None));
        let initial = bench.sent_one();
        assert_eq!(initial.kind(), Kind::Initiating_InitialUEMessage);
        bench.receive(downlink(99, 1));
        assert_eq!(bench.radio(), [Downlink::Nas(vec![0x7e, 0, 0x5b])]);
        bench
    }

    /// With a phone whose context is set up.
    fn with_context() -> Self {
        let mut bench = Self::with_phone();
        bench.receive(context_setup(99, 1, None));
        assert_eq!(bench.radio(), [Downlink::Secure(Zeroizing::new([3; 32]))]);
        bench.call(|gnb, io| gnb.secured(io, PHONE, true));
        let sent = bench.sent();
        assert_eq!(sent[0].1.kind(), Kind::Successful_InitialContextSetup);
        assert_eq!(sent[1].1.kind(), Kind::Initiating_UERadioCapabilityInfoIndication);
        bench.events();
        bench
    }
}

fn network() -> PLMNIdentity {
    plmn("410", "01").expect("digits")
}

fn setup_response() -> Result<NGAP_PDU, NgapError> {
    let slices = SliceSupportList(vec![SliceSupportItem::new(s_nssai(1, None), None)]);
    build_ngap!(
        SuccessfulOutcome,
        NGSetup,
        NGSetupResponse,
        AMFName("amf-1"),
        ServedGUAMIList(ServedGUAMIList(vec![ServedGUAMIItem::new(guami(network(), 1, 1, 0)?, None, None)])),
        RelativeAMFCapacity(RelativeAMFCapacity(255)),
        PLMNSupportList(PLMNSupportList(vec![PLMNSupportItem::new(network(), slices, None)])),
    )
}

fn downlink(amf: u64, ran: u32) -> Result<NGAP_PDU, NgapError> {
    build_ngap!(
        InitiatingMessage,
        DownlinkNASTransport,
        DownlinkNASTransport,
        AMF_UE_NGAP_ID(amf),
        RAN_UE_NGAP_ID(ran),
        NAS_PDU(vec![0x7e, 0, 0x5b]),
    )
}

fn context_setup(
    amf: u64,
    ran: u32,
    sessions: Option<PDUSessionResourceSetupListCxtReq<'static>>,
) -> Result<NGAP_PDU, NgapError> {
    let slices = AllowedNSSAI(vec![AllowedNSSAIItem::new(s_nssai(1, None), None)]);
    let ambr = UEAggregateMaximumBitRate::new(BitRate(1_000_000), BitRate(1_000_000), None);
    match sessions {
        None => build_ngap!(
            InitiatingMessage,
            InitialContextSetup,
            InitialContextSetupRequest,
            AMF_UE_NGAP_ID(amf),
            RAN_UE_NGAP_ID(ran),
            GUAMI(guami(network(), 1, 1, 0)?),
            AllowedNSSAI(slices),
            UESecurityCapabilities(ue_security_capabilities(0xe0, 0xe0)),
            SecurityKey([3; 32]),
        ),
        Some(sessions) => build_ngap!(
            InitiatingMessage,
            InitialContextSetup,
            InitialContextSetupRequest,
            AMF_UE_NGAP_ID(amf),
            RAN_UE_NGAP_ID(ran),
            UEAggregateMaximumBitRate(ambr),
            GUAMI(guami(network(), 1, 1, 0)?),
            PDUSessionResourceSetupListCxtReq(sessions),
            AllowedNSSAI(slices),
            UESecurityCapabilities(ue_security_capabilities(0xe0, 0xe0)),
            SecurityKey([3; 32]),
        ),
    }
}

fn flow(qfi: u64) -> QosFlowSetupRequestItem {
    let five_qi = NonDynamic5QIDescriptor::new(FiveQI(9), None, None, None, None);
    let arp = AllocationAndRetentionPriority::new(
        PriorityLevelARP(8),
        PreEmptionCapability::shall_not_trigger_pre_emption,
        PreEmptionVulnerability::not_pre_emptable,
        None,
    );
    let qos = QosFlowLevelQosParameters::new(QosCharacteristics::nonDynamic5QI(five_qi), arp, None, None, None, None);
    QosFlowSetupRequestItem::new(QosFlowIdentifier(qfi), qos, None, None)
}

fn transfer(integrity: Option<IntegrityProtectionIndication>) -> Octets<'static> {
    let tunnel = UPTransportLayerInformation::gTPTunnel(GTPTunnel::new(
        TransportLayerAddress(BitString::from_octets(vec![10, 0, 0, 1])),
        GTPTEID([0, 0, 0x12, 0x34]),
        None,
    ));
    let mut ies = vec![
        build_ngap_ie!(PDUSessionResourceSetupRequestTransfer, UL_NGU_UP_TNLInformation(tunnel)).expect("fits"),
        build_ngap_ie!(PDUSessionResourceSetupRequestTransfer, PDUSessionType(PDUSessionType::ipv4)).expect("fits"),
    ];
    if let Some(integrity) = integrity {
        let rate = (integrity != IntegrityProtectionIndication::not_needed)
            .then_some(MaximumIntegrityProtectedDataRate::maximum_UE_rate);
        let security = SecurityIndication::new(integrity, ConfidentialityProtectionIndication::required, rate, None);
        ies.push(build_ngap_ie!(PDUSessionResourceSetupRequestTransfer, SecurityIndication(security)).expect("fits"));
    }
    let flows = QosFlowSetupRequestList(vec![flow(1)]);
    ies.push(build_ngap_ie!(PDUSessionResourceSetupRequestTransfer, QosFlowSetupRequestList(flows)).expect("fits"));
    encode_open_type(&PDUSessionResourceSetupRequestTransfer::new(ProtocolIEContainer(ies))).expect("encodes")
}

fn resource_setup(psi: u8, transfer: Octets<'static>) -> Result<NGAP_PDU, NgapError> {
    let nas = Some(NASPDU::from(vec![0x7e, 2, psi]));
    let item = PDUSessionResourceSetupItemSUReq::new(PDUSessionID(psi), nas, s_nssai(1, None), transfer, None);
    build_ngap!(
        InitiatingMessage,
        PDUSessionResourceSetup,
        PDUSessionResourceSetupRequest,
        AMF_UE_NGAP_ID(99u64),
        RAN_UE_NGAP_ID(1u32),
        PDUSessionResourceSetupListSUReq(PDUSessionResourceSetupListSUReq(vec![item])),
        UEAggregateMaximumBitRate(UEAggregateMaximumBitRate::new(BitRate(1_000), BitRate(1_000), None)),
    )
}

#[test]
fn a_refused_gnb_waits_as_long_as_it_is_told_to() {
    let mut bench = Bench::new();
    bench.call(|gnb, io| gnb.up(io, 1));
    bench.sent();
    bench.receive(build_ngap!(
        UnsuccessfulOutcome,
        NGSetup,
        NGSetupFailure,
        Cause(Cause::misc(CauseMisc::unknown_PLMN_or_SNPN)),
        TimeToWait(TimeToWait::v5s),
    ));
    assert_eq!(bench.gnb.deadline(), Some(Millis(5_000)));
    bench.now = Millis(5_000);
    bench.call(|gnb, io| gnb.tick(io));
    assert_eq!(bench.sent_one().kind(), Kind::Initiating_NGSetup);
}

#[test]
fn nas_goes_both_ways_with_the_right_ids_and_on_one_stream() {
    let mut bench = Bench::with_phone();
    bench.call(|gnb, io| gnb.uplink(io, PHONE, vec![0x7e, 0, 0x57]));
    let (stream, pdu) = bench.sent().remove(0);
    assert_eq!((stream, pdu.kind()), (2, Kind::Initiating_UplinkNASTransport));
    let ids = || -> Result<(u64, u32), NgapError> {
        extract_ngap_ies!(pdu, UplinkNASTransport,
            req amf: u64 = AMF_UE_NGAP_ID(id),
            req ran: u32 = RAN_UE_NGAP_ID(id),
        );
        Ok((amf, ran))
    };
    assert_eq!(ids().expect("both"), (99, 1));
}

#[test]
fn ids_that_do_not_belong_together_are_an_error() {
    let mut bench = Bench::with_phone();
    bench.receive(downlink(98, 1));
    assert_eq!(bench.sent_one().kind(), Kind::Initiating_ErrorIndication);
    bench.receive(downlink(99, 2));
    assert_eq!(bench.sent_one().kind(), Kind::Initiating_ErrorIndication);
    assert_eq!(bench.radio(), [], "nobody hears it");
}

#[test]
fn a_key_that_is_not_the_phones_fails_the_context() {
    let mut bench = Bench::with_phone();
    bench.receive(context_setup(99, 1, None));
    bench.call(|gnb, io| gnb.secured(io, PHONE, false));
    assert_eq!(bench.sent_one().kind(), Kind::Unsuccessful_InitialContextSetup);
}

#[test]
fn a_session_gets_a_tunnel_and_its_nas_message_follows_the_bearer() {
    let mut bench = Bench::with_context();
    bench.receive(resource_setup(5, transfer(Some(IntegrityProtectionIndication::required))));
    assert_eq!(bench.radio(), [Downlink::Bearer { psi: 5, up: true }, Downlink::Nas(vec![0x7e, 2, 5])]);
    assert_eq!(bench.sent_one().kind(), Kind::Successful_PDUSessionResourceSetup);
    let resource = bench.gnb.resource(PHONE, 5).expect("there").clone();
    assert_eq!(resource.uplink, Tunnel { address: [10, 0, 0, 1].into(), teid: 0x1234 });
    assert_eq!(bench.gnb.owner_of_teid(resource.teid), Some((PHONE, 5)));
    assert!(resource.integrity && resource.qfis.contains(&1));

    let item = PDUSessionResourceToReleaseItemRelCmd::new(
        PDUSessionID(5),
        encode_open_type(&PDUSessionResourceReleaseCommandTransfer::new(Cause::nas(CauseNas::normal_release), None))
            .expect("encodes"),
        None,
    );
    bench.receive(build_ngap!(
        InitiatingMessage,
        PDUSessionResourceRelease,
        PDUSessionResourceReleaseCommand,
        AMF_UE_NGAP_ID(99u64),
        RAN_UE_NGAP_ID(1u32),
        PDUSessionResourceToReleaseListRelCmd(PDUSessionResourceToReleaseListRelCmd(vec![item])),
    ));
    assert_eq!(bench.sent_one().kind(), Kind::Successful_PDUSessionResourceRelease);
    assert_eq!(bench.gnb.owner_of_teid(resource.teid), None);
}

#[test]
fn a_user_plane_without_integrity_is_refused() {
    for integrity in
        [None, Some(IntegrityProtectionIndication::preferred), Some(IntegrityProtectionIndication::not_needed)]
    {
        let mut bench = Bench::with_context();
        bench.receive(resource_setup(5, transfer(integrity)));
        assert!(bench.events().contains(&GnbEvent::UserPlaneUnprotected { phone: PHONE, psi: 5 }));
        assert!(bench.gnb.resource(PHONE, 5).is_none());
        assert_eq!(bench.radio(), []);
        assert_eq!(bench.sent_one().kind(), Kind::Successful_PDUSessionResourceSetup);
    }
}

#[test]
fn no_bearer_without_a_protected_radio() {
    let mut bench = Bench::with_phone();
    bench.receive(resource_setup(5, transfer(Some(IntegrityProtectionIndication::required))));
    assert!(bench.gnb.resource(PHONE, 5).is_none());
}

#[test]
fn a_context_may_bring_its_sessions() {
    let mut bench = Bench::with_phone();
    let item = PDUSessionResourceSetupItemCxtReq::new(
        PDUSessionID(3),
        None,
        s_nssai(1, None),
        transfer(Some(IntegrityProtectionIndication::required)),
        None,
    );
    bench.receive(context_setup(99, 1, Some(PDUSessionResourceSetupListCxtReq(vec![item]))));
    bench.radio();
    bench.call(|gnb, io| gnb.secured(io, PHONE, true));
    assert_eq!(bench.radio(), [Downlink::Bearer { psi: 3, up: true }]);
    assert!(bench.gnb.resource(PHONE, 3).is_some());
}

#[test]
fn a_silent_phone_is_released_when_the_core_agrees() {
    let mut bench = Bench::with_context();
    bench.now = Millis(20_000);
    bench.call(|gnb, io| gnb.tick(io));
    assert_eq!(bench.sent_one().kind(), Kind::Initiating_UEContextReleaseRequest);
    let pair = UENGAPIDPair::new(AMFUENGAPID(99), RANUENGAPID(1), None);
    bench.receive(build_ngap!(
        InitiatingMessage,
        UEContextRelease,
        UEContextReleaseCommand,
        UE_NGAP_IDs(UENGAPIDs::uE_NGAP_ID_pair(pair)),
        Cause(Cause::radioNetwork(CauseRadioNetwork::user_inactivity)),
    ));
    assert_eq!(bench.sent_one().kind(), Kind::Successful_UEContextRelease);
    assert_eq!(bench.radio(), [Downlink::Released]);
    assert_eq!(bench.gnb.connected(), 0);
}

#[test]
fn a_page_for_our_area_is_broadcast_and_another_is_not() {
    let page = |tac| {
        let s_tmsi = FiveGSTMSI::new(
            AMFSetID::new(1).expect("fits"),
            AMFPointer::new(0).expect("fits"),
            FiveGTMSI([1, 2, 3, 4]),
            None,
        );
        build_ngap!(
            InitiatingMessage,
            Paging,
            Paging,
            UEPagingIdentity(UEPagingIdentity::fiveG_S_TMSI(s_tmsi)),
            TAIListForPaging(TAIListForPaging(vec![TAIListForPagingItem::new(tai(network(), [0, 0, tac]), None)])),
        )
    };
    let mut bench = Bench::ready();
    bench.receive(page(9));
    assert_eq!(bench.out, []);
    bench.receive(page(1));
    assert_eq!(bench.out, [GnbEffect::Page(STmsi::new(1, 0, 0x0102_0304).expect("fits"))]);
}

#[test]
fn a_reset_drops_the_phones_that_it_names() {
    let mut bench = Bench::with_phone();
    bench.receive(build_ngap!(
        InitiatingMessage,
        NGReset,
        NGReset,
        Cause(Cause::misc(CauseMisc::om_intervention)),
        ResetType(ResetType::nG_Interface(ResetAll::reset_all)),
    ));
    assert_eq!(bench.radio(), [Downlink::Released]);
    assert!(bench.events().contains(&GnbEvent::Reset { phones: 1 }));
    assert_eq!(bench.sent_one().kind(), Kind::Successful_NGReset);
}

#[test]
fn overload_refuses_the_part_that_the_core_names() {
    let mut bench = Bench::ready();
    bench.receive(build_ngap!(
        InitiatingMessage,
        OverloadStart,
        OverloadStart,
        AMFOverloadResponse(OverloadResponse::overloadAction(OverloadAction::reject_rrc_cr_signalling)),
        AMFTrafficLoadReductionIndication(TrafficLoadReductionIndication(25)),
    ));
    for phone in 0..100 {
        bench.call(|gnb, io| gnb.connect(io, PhoneId(phone), vec![0x7e, 0, 0x41], AccessCause::Signalling, None));
    }
    assert_eq!(bench.gnb.connected(), 75);
    bench.call(|gnb, io| gnb.connect(io, PhoneId(200), vec![0x7e, 0, 0x4c], AccessCause::MobileTerminated, None));
    assert_eq!(bench.gnb.connected(), 76, "answers to pages are let through");
}

#[test]
fn a_phone_that_begins_anew_leaves_its_old_connection_to_the_core() {
    let mut bench = Bench::with_context();
    bench.call(|gnb, io| gnb.connect(io, PHONE, vec![0x7e, 0, 0x41], AccessCause::Signalling, None));
    let sent = bench.sent();
    assert_eq!(sent[0].1.kind(), Kind::Initiating_UEContextReleaseRequest);
    assert_eq!(sent[1].1.kind(), Kind::Initiating_InitialUEMessage);
    let pair = UENGAPIDPair::new(AMFUENGAPID(99), RANUENGAPID(1), None);
    bench.receive(build_ngap!(
        InitiatingMessage,
        UEContextRelease,
        UEContextReleaseCommand,
        UE_NGAP_IDs(UENGAPIDs::uE_NGAP_ID_pair(pair)),
        Cause(Cause::radioNetwork(CauseRadioNetwork::user_inactivity)),
    ));
    assert_eq!(bench.radio(), [], "the phone is on its new connection");
    assert_eq!(bench.gnb.ngap_ids(PHONE), Some((2, None)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn random_bytes_never_harm_a_gnb(
        messages in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..60), 1..20),
        procedures in proptest::collection::vec(0..52u8, 20),
    ) {
        let mut bench = Bench::with_context();
        for (i, mut bytes) in messages.into_iter().enumerate() {
            if bytes.len() > 4 {
                let length = (bytes.len() - 4) as u8;
                (bytes[0], bytes[1], bytes[3]) = (0x20 * (bytes[0] % 3), procedures[i], length);
            }
            bench.call(|gnb, io| gnb.receive(io, &bytes));
        }
    }

    /// Real messages with a few bytes changed reach deeper.
    #[test]
    fn mutated_pdus_never_harm_a_gnb(seed in any::<u64>(), which in 0..4usize) {
        use rand_core::SeedableRng;
        let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(seed);
        let mut bench = Bench::with_context();
        let pdus = [
            setup_response(),
            downlink(99, 1),
            context_setup(99, 1, None),
            resource_setup(5, transfer(Some(IntegrityProtectionIndication::required))),
        ];
        let pdu = pdus[which].as_ref().expect("builds").encode().expect("encodes");
        for _ in 0..20 {
            let bytes = crate::hostile::gnb::mutated(&pdu, &mut rng);
            bench.call(|gnb, io| gnb.receive(io, &bytes));
        }
    }
}
