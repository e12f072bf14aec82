//! Generic UE configuration update (TS 24.501 §5.4.4): a new GUTI after every service request, and what has changed of the
//! network: its areas, its slices, and its name.

use super::connection::{Expect, Procedure};
use super::{Ue, context_release, deregistration, registration};
use crate::config::Network;
use crate::core::Cx;
use crate::session::{Session, release};
use crate::snapshot;
use oxirush_nas::nas_5gs::{
    GsmCause, Guti, Nas5gsMessage, NasConfigurationUpdateCommand, NasConfigurationUpdateIndication,
    NasFGsMobileIdentity, NasFGsTrackingAreaIdentityList, NasNetworkName, NasNssai,
};
use oxirush_ngap::ngap::{Cause, CauseNas};
use sha2::{Digest, Sha256};

/// Draws a new GUTI. The one before stays valid until the phone has acknowledged.
pub(crate) fn new_guti(ue: &mut Ue, cx: &mut Cx<'_>) -> Option<NasFGsMobileIdentity> {
    if let Some(older) = ue.old_tmsi.take() {
        cx.core.by_tmsi.remove(&older);
    }
    let tmsi = cx.new_tmsi(ue.key);
    ue.old_tmsi = ue.tmsi.replace(tmsi);
    let network = &cx.core.network;
    let (region, set, pointer) = network.amf;
    let guti = Guti::new(network.plmn, region, set, pointer, tmsi).ok()?;
    Some(NasFGsMobileIdentity::from_guti(guti))
}

/// The phone has the new GUTI.
pub(crate) fn forget_old_guti(ue: &mut Ue, cx: &mut Cx<'_>) {
    if let Some(old) = ue.old_tmsi.take() {
        cx.core.by_tmsi.remove(&old);
    }
}

/// What a phone is told of the network: areas, slices, and the name. Two networks that look the same to it have the same
/// picture. It is kept with the phone, so that a restart with another configuration is seen too.
pub(crate) fn picture(ue: &Ue, network: &Network) -> [u8; 8] {
    let mut hash = Sha256::new();
    let tacs = areas(network);
    hash.update([u8::try_from(tacs.len()).unwrap_or(u8::MAX)]);
    for tac in tacs {
        hash.update(tac.to_be_bytes());
    }
    for slice in ue.slices(network) {
        hash.update([slice.sst, u8::from(slice.sd.is_some())]);
        hash.update(slice.sd.unwrap_or_default().to_be_bytes());
    }
    hash.update([0]);
    hash.update(network.full_name.as_bytes());
    let full = hash.finalize();
    std::array::from_fn(|i| full[i])
}

/// The areas of the one list that a phone gets: it has room for 16 of one network.
pub(crate) fn areas(network: &Network) -> &[u32] {
    &network.tacs[..network.tacs.len().min(16)]
}

/// The command with everything that a picture is of, if the phone has another one.
fn with_news(
    ue: &mut Ue,
    cx: &mut Cx<'_>,
    mut command: NasConfigurationUpdateCommand,
) -> NasConfigurationUpdateCommand {
    let network = cx.network();
    let picture = picture(ue, &network);
    if ue.told == Some(picture) {
        return command;
    }
    command.tai_list = NasFGsTrackingAreaIdentityList::from_plmn_tacs(&network.plmn, areas(&network)).ok();
    let slices: Vec<_> = ue.slices(&network).into_iter().map(registration::nas_slice).collect();
    command.allowed_nssai = NasNssai::from_snssais(&slices).ok();
    if !network.full_name.is_empty() {
        command.full_name_for_network = Some(NasNetworkName::from_name(&network.full_name, false));
    }
    if let Some(connection) = ue.connection.as_deref_mut() {
        connection.telling = Some(picture);
    }
    command
}

fn say(ue: &mut Ue, cx: &mut Cx<'_>, command: NasConfigurationUpdateCommand) {
    cx.count("MM.ConfUpdate");
    let command =
        command.with_configuration_update_indication(NasConfigurationUpdateIndication::from_flags(true, false));
    let every = cx.core.network.timers.t3555;
    cx.expect(ue, &Nas5gsMessage::new_5gmm(command), Expect::ConfigurationComplete, every);
}

/// A new GUTI, acknowledged, with what else the phone does not know yet.
pub(crate) fn command(ue: &mut Ue, cx: &mut Cx<'_>) {
    let Some(guti) = new_guti(ue, cx) else { return };
    // The new name is written down before it is given.
    snapshot::keep(ue, cx);
    let command = with_news(ue, cx, NasConfigurationUpdateCommand::new().with_fg_guti(guti));
    say(ue, cx, command);
}

/// Tells a connected phone with which nothing else goes on that the network has changed; whether there was anything to
/// say. Others hear it at their next contact, or when what goes on is over.
pub(crate) fn due(ue: &mut Ue, cx: &mut Cx<'_>) -> bool {
    let free = ue.connection.as_deref().is_some_and(|connection| {
        let nothing = matches!(connection.procedure, Procedure::None) && connection.pending.is_none();
        nothing && connection.secured && !connection.releasing
    });
    if !ue.registered || !free || ue.told == Some(picture(ue, &cx.network())) {
        return false;
    }
    let command = with_news(ue, cx, NasConfigurationUpdateCommand::new());
    say(ue, cx, command);
    true
}

/// The network is another one: what of a phone's has no place in it ends, and the phone is told.
pub(crate) fn reconfigured(ue: &mut Ue, cx: &mut Cx<'_>) {
    let network = cx.network();
    if !ue.registered {
        return;
    }
    if ue.slices(&network).is_empty() {
        return deregistration::by_network(ue, cx, false);
    }
    let here = |session: &Session| {
        network.data_networks.iter().any(|dn| *dn.name == *session.dnn && dn.slice == session.slice)
    };
    let gone: Vec<u8> = ue.sessions.iter().filter(|session| !here(session)).map(|session| session.psi).collect();
    for psi in gone {
        release::begin(ue, cx, psi, 0, GsmCause::RegularDeactivation);
    }
    due(ue, cx);
}

/// The name of the network, for the phone's screen; nobody waits for an answer.
pub(crate) fn name(ue: &mut Ue, cx: &mut Cx<'_>) {
    let network = cx.network();
    if network.full_name.is_empty() {
        return;
    }
    let command = NasConfigurationUpdateCommand::new()
        .with_full_name_for_network(NasNetworkName::from_name(&network.full_name, false));
    cx.count("MM.ConfUpdate");
    cx.nas_message(ue, &Nas5gsMessage::new_5gmm(command));
}

/// CONFIGURATION UPDATE COMPLETE.
pub(crate) fn complete(ue: &mut Ue, cx: &mut Cx<'_>) {
    if cx.answered(ue, Expect::ConfigurationComplete).is_none() {
        return;
    }
    cx.count("MM.ConfUpdateSucc");
    forget_old_guti(ue, cx);
    let before = ue.told;
    told(ue);
    if ue.told != before {
        snapshot::keep(ue, cx);
    }
    // The network may have changed again in the meantime.
    if !due(ue, cx) {
        finished(ue, cx);
    }
}

/// The phone has heard what it was being told.
pub(crate) fn told(ue: &mut Ue) {
    if let Some(picture) = ue.connection.as_deref_mut().and_then(|connection| connection.telling.take()) {
        ue.told = Some(picture);
    }
}

/// No answer after all repetitions: both names stay valid, and the phone hears the rest at its next contact (§5.4.4.6).
pub(crate) fn unacknowledged(ue: &mut Ue, cx: &mut Cx<'_>) {
    if let Some(connection) = ue.connection.as_deref_mut() {
        connection.telling = None;
    }
    finished(ue, cx);
}

/// A connection that was only kept for this ends.
fn finished(ue: &mut Ue, cx: &mut Cx<'_>) {
    let release = ue.connection.as_deref_mut().is_some_and(|one| std::mem::take(&mut one.release_after_complete));
    if release {
        context_release::command(ue, cx, Cause::nas(CauseNas::normal_release));
    }
}
