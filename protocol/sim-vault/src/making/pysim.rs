//! Files for programmable cards and pySim: a table of the cards, whose columns `ki` and `opc` are encrypted as pySim's
//! `CardKeyProviderCsv` decrypts them (`pySim-shell --csv FILE --csv-column-key KI:… --csv-column-key OPC:…`), and the
//! commands for pySim-shell that write what all cards share.
//!
//! The names of the columns are those of `pySim-prog --source csv`, which wants them in lower case (pySim-shell takes any),
//! and which knows no encryption: it reads the same table once these two columns are decrypted.
//!
//! AES in CBC mode with one initial value is what pySim has; it does not notice changes. ADM1, PINs and PUKs are those that
//! programmable cards come with from their maker: the column `adm1` is there and empty.

use super::card_files::{self, Profile, SERVICES_OFF, SERVICES_ON, hex};
use super::{CardKind, MadeCard, Wrapped};
use pakawaaz_aka::{Iccid, Imsi};

/// The table's header.
pub const HEADER: &str = "iccid,imsi,mcc,mnc,acc,algorithm,ki,opc,adm1";

/// The table. None when a card was not made for pySim.
pub fn table(profile: &Profile, kind: CardKind, cards: &[(Iccid, Imsi, MadeCard)]) -> Option<String> {
    let mut out = format!("{HEADER}\n");
    for (iccid, imsi, card) in cards {
        let Wrapped::Pysim { ki, opc } = &card.secrets else { return None };
        let acc = card_files::acc(imsi);
        let (ki, opc) = (hex(ki), hex(opc));
        let (mcc, rest) = imsi.as_str().split_at_checked(3)?;
        let mnc = rest.get(..usize::from(profile.mnc_digits))?;
        let fields = [iccid.as_str(), imsi.as_str(), mcc, mnc, &acc, kind.name(), &ki, &opc, ""];
        out.push_str(&fields.join(","));
        out.push('\n');
    }
    Some(out)
}

/// Commands for pySim-shell's `run_script`.
pub fn script(profile: &Profile) -> String {
    let mut out = String::from(
        "# pySim-shell, once for each card: what all cards of the batch share. IMSI, K and OPc are in the table, and adm1\n\
         # when it was filled in.\n\
         verify_adm\nselect ADF.USIM\n",
    );
    out.push_str("select EF.UST\n");
    for service in SERVICES_ON {
        out.push_str(&format!("ust_service_activate {service}\n"));
    }
    for service in SERVICES_OFF {
        out.push_str(&format!("ust_service_deactivate {service}\n"));
    }
    out.push_str(&format!("select EF.AD\nupdate_binary {}\nselect DF.5GS\n", profile.ad()));
    out.push_str(&format!("select EF.SUCI_Calc_Info\nupdate_binary {}\n", profile.suci_calc_info()));
    out.push_str(&format!("select EF.Routing_Indicator\nupdate_binary {}\n", profile.routing_indicator_file()));
    out
}

#[cfg(test)]
mod tests {
    use super::super::secrets_tests::Issuing;
    use super::super::{Form, make, numbers};
    use super::*;
    use crate::suci::Scheme;
    use pakawaaz_base::SimId;
    use rand::SeedableRng;

    #[test]
    fn a_line_for_each_card_and_only_for_cards_of_this_form() {
        let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(1);
        let mut cards = |form| -> Vec<_> {
            let numbers = numbers::cards("899241000000000001", "410990000000001", 2).expect("numbers");
            let id = SimId::from_bytes([7; 16]);
            let kind = CardKind::Milenage;
            numbers
                .into_iter()
                .map(|(iccid, imsi)| (iccid, imsi, make(id, kind, (form, "test"), &Issuing, &mut rng).expect("makes")))
                .collect()
        };
        let profile = |mnc_digits| Profile {
            mnc_digits,
            routing_indicator: "0".into(),
            suci_key: 1,
            scheme: Scheme::A,
            public: vec![9; 32],
        };
        let text = table(&profile(2), CardKind::Milenage, &cards(Form::Pysim)).expect("a table");
        let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split(',').collect()).collect();
        assert_eq!(lines.len(), 3);
        assert_eq!(lines[0].join(","), HEADER);
        for line in &lines[1..] {
            assert_eq!((line[5], line[6].len(), line[7].len(), line[8]), ("milenage", 32, 32, ""));
        }
        assert_eq!(lines[2][1..5], ["410990000000002", "410", "99", "0004"]);
        let three = table(&profile(3), CardKind::Milenage, &cards(Form::Pysim)).expect("a table");
        assert!(three.contains(",410,990,0004,"), "{three}");
        assert!(table(&profile(2), CardKind::Milenage, &cards(Form::Bureau)).is_none());
    }

    #[test]
    fn the_script_writes_what_all_cards_share() {
        let public = vec![9; 32];
        let profile = Profile { mnc_digits: 3, routing_indicator: "0".into(), suci_key: 1, scheme: Scheme::A, public };
        let text = script(&profile);
        let expected = format!("select EF.SUCI_Calc_Info\nupdate_binary {}\n", profile.suci_calc_info());
        assert!(text.contains(&expected) && text.contains("ust_service_deactivate 125\n"), "{text}");
        assert!(text.contains("select EF.AD\nupdate_binary 00000003\n"), "{text}");
    }
}
