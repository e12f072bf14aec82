//! Identification (TS 24.501 §5.4.3): the concealed identity of a phone that we do not know, and the equipment identity.

use super::connection::Expect;
use super::{Ue, authentication, context_release, registration};
use crate::core::Cx;
use crate::identifiers::Pei;
use crate::io::WhoIs;
use crate::ue::registration::Refusal;
use oxirush_nas::nas_5gs::{
    GmmCause, MobileIdentityType, Nas5gsMessage, NasFGsIdentityType, NasFGsMobileIdentity, NasIdentityRequest,
};
use oxirush_ngap::ngap::{Cause, CauseNas};

fn ask(ue: &mut Ue, cx: &mut Cx<'_>, what: MobileIdentityType, expect: Expect) {
    let Ok(identity) = NasFGsIdentityType::from_identity_type(what) else { return };
    let message = Nas5gsMessage::new_5gmm(NasIdentityRequest::new(identity));
    let every = cx.core.network.timers.t3570;
    cx.expect(ue, &message, expect, every);
}

/// Asks for the concealed identity; a phone that was asked already and is still unknown is refused.
pub(crate) fn request(ue: &mut Ue, cx: &mut Cx<'_>) {
    let Some(registering) = ue.connection.as_deref_mut().and_then(|connection| connection.registering()) else {
        return;
    };
    if std::mem::replace(&mut registering.identified, true) {
        return registration::refuse(ue, cx, Refusal::of(GmmCause::UeIdentityCannotBeDerivedByTheNetwork));
    }
    ask(ue, cx, MobileIdentityType::Suci, Expect::Suci);
}

/// Asks for the equipment identity, protected.
pub(crate) fn request_equipment(ue: &mut Ue, cx: &mut Cx<'_>) {
    ask(ue, cx, MobileIdentityType::Imeisv, Expect::Pei);
}

/// The concealed identity has come.
pub(crate) fn concealed(ue: &mut Ue, cx: &mut Cx<'_>, identity: &NasFGsMobileIdentity) {
    if cx.answered(ue, Expect::Suci).is_none() {
        return;
    }
    if identity.identity_type() != Some(MobileIdentityType::Suci) {
        return registration::refuse(ue, cx, Refusal::of(GmmCause::UeIdentityCannotBeDerivedByTheNetwork));
    }
    authentication::begin(ue, cx, WhoIs::Suci(identity.value.to_vec()), None);
}

/// The equipment identity has come, or the phone has none to give.
pub(crate) fn equipment(ue: &mut Ue, cx: &mut Cx<'_>, identity: &NasFGsMobileIdentity) {
    if cx.answered(ue, Expect::Pei).is_none() {
        return;
    }
    ue.pei = pei(identity);
    registration::go_on(ue, cx);
}

pub(crate) fn pei(identity: &NasFGsMobileIdentity) -> Option<Pei> {
    let text = identity.as_imeisv().map(|imeisv| imeisv.as_str().to_owned());
    Pei::new(&text.or_else(|| identity.as_imei().map(|imei| imei.as_str().to_owned()))?)
}

/// No answer after all repetitions.
pub(crate) fn unanswered(ue: &mut Ue, cx: &mut Cx<'_>, expect: Expect) {
    match expect {
        // TS 24.501 §5.4.3.5: the procedure and what it was for are given up.
        Expect::Suci => context_release::command(ue, cx, Cause::nas(CauseNas::unspecified)),
        _ => registration::go_on(ue, cx),
    }
}
