//! UL and DL NAS TRANSPORT (TS 24.501 §5.4.5): payloads that the AMF only carries. SMS will be another kind of them.

use super::Ue;
use crate::core::Cx;
use crate::session;
use oxirush_nas::nas_5gs::{
    GmmCause, Nas5gsMessage, NasDlNasTransport, NasFGmmCause, NasPayloadContainer, NasPayloadContainerType,
    NasPduSessionIdentity2, NasUlNasTransport, PayloadContainerKind,
};

/// A payload from the phone.
pub(crate) fn uplink(ue: &mut Ue, cx: &mut Cx<'_>, transport: NasUlNasTransport) {
    match transport.payload_container_type.kind() {
        Some(PayloadContainerKind::N1SmInformation) => session::receive(ue, cx, transport),
        _ => not_forwarded(ue, cx, transport, GmmCause::PayloadWasNotForwarded),
    }
}

/// A payload that we cannot bring to anybody goes back (TS 24.501 §5.4.5.3.1).
pub(crate) fn not_forwarded(ue: &mut Ue, cx: &mut Cx<'_>, transport: NasUlNasTransport, cause: GmmCause) {
    let mut answer = NasDlNasTransport::new(transport.payload_container_type, transport.payload_container);
    answer.pdu_session_id = transport.pdu_session_id;
    answer.fgmm_cause = Some(NasFGmmCause::from_cause(cause));
    cx.nas_message(ue, &Nas5gsMessage::new_5gmm(answer));
}

/// A 5GSM message as it goes to the phone, plain.
pub(crate) fn downlink(psi: u8, message: Vec<u8>) -> Option<Vec<u8>> {
    let kind = NasPayloadContainerType::from_kind(PayloadContainerKind::N1SmInformation);
    let transport = NasDlNasTransport::new(kind, NasPayloadContainer::new(message))
        .with_pdu_session_id(NasPduSessionIdentity2::from_pdu_session_id(psi));
    Nas5gsMessage::new_5gmm(transport).encode().ok()
}
