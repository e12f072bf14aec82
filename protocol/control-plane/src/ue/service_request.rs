//! Service request (TS 24.501 §5.6.1): a registered phone connects, for signalling, for its data, or because it was called.

use super::connection::{Access, Connection, Expect};
use super::{Ue, configuration_update, context_release, deregistration, paging};
use crate::core::Cx;
use crate::io::Fact;
use crate::n2::build::{self, UeContext};
use crate::n2::sessions as n2_sessions;
use crate::session;
use crate::timers::{Timer, UeTimer};
use crate::{config::Snssai, snapshot};
use oxirush_nas::nas_5gs::{
    GmmCause, Nas5gsMessage, NasCount, NasFGmmCause, NasPduSessionReactivationResult,
    NasPduSessionReactivationResultErrorCause, NasPduSessionStatus, NasServiceAccept, NasServiceReject,
    NasServiceRequest,
};
use oxirush_ngap::ngap::{Cause, CauseNas, CauseRadioNetwork};

/// A session to be carried: identity, slice, transfer.
pub(crate) type Carried = (u8, Snssai, Vec<u8>);

/// A service request under the phone's context.
pub(crate) fn verified(ue: &mut Ue, cx: &mut Cx<'_>, request: &NasServiceRequest, uplink: NasCount) {
    let Some(connection) = ue.connection.as_deref_mut() else { return };
    if connection.access == Access::None {
        connection.count = Some(uplink);
    }
    connection.renew = connection.access != Access::Established;
    let location = connection.location;
    cx.count("control_plane.service_requests");
    let (blocked, network) = (ue.subscription.as_ref().is_none_or(|subscription| subscription.blocked), cx.network());
    if blocked || !network.tacs.contains(&location.tac) {
        let cause = if blocked { GmmCause::FiveGsServicesNotAllowed } else { GmmCause::TrackingAreaNotAllowed };
        cx.nas_message(ue, &reject(cause));
        return context_release::command(ue, cx, Cause::nas(CauseNas::unspecified));
    }
    paging::reached(ue, cx);
    if ue.location.replace(location) != Some(location)
        && let Some(imsi) = ue.imsi
    {
        cx.fact(Fact::Moved { imsi, location, at: cx.now });
    }

    let mut accept = NasServiceAccept::new();
    if let Some(status) = &request.pdu_session_status {
        session::synchronise(ue, cx, &status.active_sessions());
        accept.pdu_session_status = NasPduSessionStatus::from_sessions(&session::identities(ue)).ok();
    }
    let asked = request.uplink_data_status.as_ref().map(|status| status.sessions_with_data()).unwrap_or_default();
    let (resources, failed) = session::reactivate(ue, cx, &asked);
    if !asked.is_empty() {
        let psis: Vec<u8> = failed.iter().map(|(psi, _)| *psi).collect();
        accept.pdu_session_reactivation_result = NasPduSessionReactivationResult::from_failed_sessions(&psis).ok();
        if !failed.is_empty() {
            accept.pdu_session_reactivation_result_error_cause =
                NasPduSessionReactivationResultErrorCause::from_entries(&failed).ok();
        }
    }
    snapshot::keep(ue, cx);
    let Ok(plain) = Nas5gsMessage::new_5gmm(accept).encode() else { return cx.count("control_plane.unencodable") };
    deliver(ue, cx, &plain, resources);
    cx.count("control_plane.service_requests_accepted");
    if ue.connection.as_ref().is_some_and(|connection| connection.access == Access::Established) {
        after(ue, cx);
    }
}

pub(crate) fn reject(cause: GmmCause) -> Nas5gsMessage {
    Nas5gsMessage::new_5gmm(NasServiceReject::new(NasFGmmCause::from_cause(cause)))
}

/// What follows an accepted service request, once the radio is secured.
fn after(ue: &mut Ue, cx: &mut Cx<'_>) {
    if !deregistration::pending(ue, cx) {
        configuration_update::command(ue, cx);
        session::resume(ue, cx);
    }
}

/// Brings a message and the sessions to the gNB: in the initial context setup when the radio is not secured yet, beside
/// the sessions when there are some, alone otherwise.
pub(crate) fn deliver(ue: &mut Ue, cx: &mut Cx<'_>, plain: &[u8], resources: Vec<Carried>) {
    let network = cx.network();
    let rates = ue.subscription.as_ref().map(|subscription| subscription.ue_ambr).unwrap_or_default();
    let Some(nas) = cx.protect(ue, plain) else { return };
    let key = ue.key;
    let allowed = ue.slices(&network);
    let capability = ue.capability.unwrap_or_default().algorithms();
    let (Some(connection), Some(security)) = (ue.connection.as_deref_mut(), ue.security.as_ref()) else { return };
    match (connection.access, connection.count) {
        (Access::None, Some(count)) => {
            let k_gnb = zeroize::Zeroizing::new(security.k_gnb(count));
            cx.trace_without(&*k_gnb);
            let items =
                resources.into_iter().map(|(psi, slice, transfer)| n2_sessions::setup_item(psi, slice, transfer));
            let context = UeContext {
                ambr: rates,
                allowed: &allowed,
                capability,
                k_gnb: &k_gnb,
                radio: ue.radio.as_deref(),
                sessions: items.collect(),
                nas: Some(&nas),
            };
            let pdu = build::initial_context_setup_request(&network, connection.ids, context);
            connection.access = Access::Requested;
            cx.core.timers.stop(connection.ngap_timer.take());
            connection.ngap_timer = Some(cx.start(network.timers.ngap, Timer::Ue(key, UeTimer::Ngap)));
            cx.tell_gnb(connection, pdu);
        }
        _ if resources.is_empty() => {
            let pdu = build::downlink_nas_transport(connection.ids, &nas);
            cx.tell_gnb(connection, pdu);
        }
        _ => {
            let sessions = resources.into_iter().map(|(psi, slice, transfer)| (psi, slice, transfer, None));
            let pdu = n2_sessions::setup_request(connection.ids, rates, Some(&nas), sessions.collect());
            cx.tell_gnb(connection, pdu);
        }
    }
}

/// The gNB has secured the radio.
pub(crate) fn access_established(ue: &mut Ue, cx: &mut Cx<'_>) {
    // Not on a connection that is being released: its timer is now that of the release, and nothing more goes out on it.
    let waits = |connection: &&mut Box<Connection>| connection.access == Access::Requested && !connection.releasing;
    let Some(connection) = ue.connection.as_mut().filter(waits) else { return };
    connection.access = Access::Established;
    cx.stop(&mut connection.ngap_timer);
    match std::mem::take(&mut connection.renew) {
        true => after(ue, cx),
        // A registration gives its name by itself.
        false => session::resume(ue, cx),
    }
}

/// The gNB could not, or did not answer.
pub(crate) fn access_failed(ue: &mut Ue, cx: &mut Cx<'_>) {
    cx.count("control_plane.context_setup_failed");
    context_release::command(ue, cx, Cause::radioNetwork(CauseRadioNetwork::failure_in_radio_interface_procedure));
}

/// Marks which of these messages wait for an answer, for the operator's view.
pub(crate) fn expects(expect: Expect) -> &'static str {
    match expect {
        Expect::Suci | Expect::Pei => "identification",
        Expect::Authentication => "authentication",
        Expect::SecurityMode => "security mode",
        Expect::RegistrationComplete => "registration",
        Expect::ConfigurationComplete => "configuration update",
        Expect::DeregistrationAccept => "deregistration",
    }
}
