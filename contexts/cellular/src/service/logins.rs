//! Logins that do not fit the phone they came through.

use super::{Cellular, read_imsi};
use crate::CellularError;
use crate::model::alarms::Kind;
use crate::runner::Ask;
use pakawaaz_contract::facts::NetworkDisagrees;
use pakawaaz_contract::identity::NetworkAgreement;

impl Cellular {
    /// Raises the alarm. Does not wait for the core to write it: who tells holds a transaction open, and the core may need it
    /// to end first.
    ///
    /// Errors: `Off`, `Standby`, `Busy`: tell again.
    pub(crate) fn login_disagrees(&self, fact: &NetworkDisagrees) -> Result<(), CellularError> {
        // A card that cannot be one of ours is no reason to hold up all facts behind it.
        let Ok(imsi) = read_imsi(&fact.imsi) else { return Ok(()) };
        let problem = match fact.agreement {
            NetworkAgreement::SamePhone => return Ok(()),
            NetworkAgreement::OtherCard => "a login that proved this card came through a phone with another card",
            NetworkAgreement::OtherEquipment => {
                "a login that proved this card came through its phone, which claims to be other equipment than before"
            }
        };
        let object = format!("AMFFunction=1,SUPI=imsi-{}", imsi.as_str());
        let core = self.core()?;
        let raise = Ask::RaiseAlarm { kind: Kind::ForeignLogin, object, problem };
        core.try_send(raise).map_err(|_| CellularError::Busy)
    }
}
