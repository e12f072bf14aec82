//! Changes of what a gNB was told of a connected phone (TS 38.413 §8.3.4).

use super::{Access, Ue};
use crate::core::Cx;
use crate::n2::build;

/// The phone may carry so much in all from now on, which is its gNB's to see to (TS 23.501 §5.7.2.6). One whose radio is not
/// secured yet, or that is idle, gets it with its next context.
pub(crate) fn rates(ue: &mut Ue, cx: &mut Cx<'_>) {
    let Some(rates) = ue.subscription.as_ref().map(|subscription| subscription.ue_ambr) else { return };
    let there =
        |connection: &&mut Box<super::Connection>| connection.access == Access::Established && !connection.releasing;
    let Some(connection) = ue.connection.as_mut().filter(there) else { return };
    let pdu = build::ue_context_modification_request(connection.ids, rates);
    cx.tell_gnb(connection, pdu);
}
