//! Generic UE configuration update (TS 24.501 §5.4.4): a new GUTI after every service request, and the network's name.

use super::Ue;
use super::connection::Expect;
use crate::core::Cx;
use crate::snapshot;
use oxirush_nas::nas_5gs::{
    Guti, Nas5gsMessage, NasConfigurationUpdateCommand, NasConfigurationUpdateIndication, NasFGsMobileIdentity,
    NasNetworkName,
};

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

/// A new GUTI, acknowledged.
pub(crate) fn command(ue: &mut Ue, cx: &mut Cx<'_>) {
    let Some(guti) = new_guti(ue, cx) else { return };
    cx.count("MM.ConfUpdate");
    // The new name is written down before it is given.
    snapshot::keep(ue, cx);
    let command = NasConfigurationUpdateCommand::new()
        .with_configuration_update_indication(NasConfigurationUpdateIndication::from_flags(true, false))
        .with_fg_guti(guti);
    let every = cx.core.network.timers.t3555;
    cx.expect(ue, &Nas5gsMessage::new_5gmm(command), Expect::ConfigurationComplete, every);
}

/// The name of the network, for the phone's screen; nobody waits for an answer.
pub(crate) fn name(ue: &mut Ue, cx: &mut Cx<'_>) {
    let network = cx.network();
    if network.full_name.is_empty() {
        return;
    }
    let command = NasConfigurationUpdateCommand::new()
        .with_full_name_for_network(NasNetworkName::from_name(&network.full_name, false));
    cx.nas_message(ue, &Nas5gsMessage::new_5gmm(command));
}

/// CONFIGURATION UPDATE COMPLETE.
pub(crate) fn complete(ue: &mut Ue, cx: &mut Cx<'_>) {
    if cx.answered(ue, Expect::ConfigurationComplete).is_some() {
        cx.count("MM.ConfUpdateSucc");
        forget_old_guti(ue, cx);
    }
}
