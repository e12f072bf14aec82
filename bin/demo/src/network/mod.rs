//! The cellular network of the demo: what an administrator decided about it, and which officials have a phone in it.
//!
//! The core is part of the server; gNB and phones are simulated by `testing/ransim` in this process ([`radio`]), and the
//! user plane is a process of its own where that is possible ([`user_plane`], [`tunnel`]).

mod radio;
mod tunnel;
mod user_plane;

pub use radio::{Radio, Remote};
pub use user_plane::{DataPath, SOCKET as USER_PLANE_SOCKET, UserPlane};

use crate::cast::ADMINISTRATORS;
use crate::member::{Member, patiently};
use crate::output::span;
use crate::state::{State, write_private};
use anyhow::{Context as _, Result};
use pakawaaz_base::Millis;
use pakawaaz_contract::cellular::{CellularArea, CellularGnb, SetCellularNetworkRequest};
use pakawaaz_contract::directory::BilingualName;
use pakawaaz_contract::identity::MyCard;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;

/// Country and network code. 410 is Pakistan; network 99 is nobody's.
pub const PLMN: (&str, &str) = ("410", "99");
/// What the gNB calls itself.
pub const GNB_NAME: &str = "Secretariat";
/// The place that it stands for, in English and Urdu.
const PLACE: (&str, &str) = ("Secretariat, Block C", "سیکرٹریٹ، بلاک سی");
/// The name of its tracking area.
const AREA: (&str, &str) = ("Islamabad", "اسلام آباد");
const GNB: u32 = 1;
const GNB_BITS: u8 = 24;
const TAC: u32 = 1;
/// Profile A of TS 33.501 Annex C: X25519.
const SCHEME: &str = "a";

/// What phones are made with, and who got one. Kept in `network.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Network {
    /// Home network public key identifier.
    key: u8,
    /// The public key that cards conceal their identity with, hexadecimal.
    public: String,
    /// Officials who got their phone at the desk.
    #[serde(default)]
    handed_out: BTreeSet<String>,
}

impl Network {
    /// Of an earlier start; otherwise an administrator sets the network up now, over the public interface.
    pub async fn open(state: &State) -> Result<Self> {
        match fs::read(state.path("network.json")) {
            Ok(bytes) => serde_json::from_slice(&bytes).context("network.json is damaged; start over with --reset"),
            Err(e) if e.kind() == ErrorKind::NotFound => {
                let network = set_up(&Member::open(state, ADMINISTRATORS[0].0).await?).await?;
                network.write(state)?;
                Ok(network)
            }
            Err(e) => Err(e).context("reading network.json"),
        }
    }

    /// Remembers that somebody has a phone from now on.
    pub fn hand_out(&mut self, state: &State, username: &str) -> Result<()> {
        if self.handed_out.insert(username.to_owned()) { self.write(state) } else { Ok(()) }
    }

    /// Who got a phone at the desk.
    pub fn handed_out(&self) -> impl Iterator<Item = &String> + '_ {
        self.handed_out.iter()
    }

    fn write(&self, state: &State) -> Result<()> {
        write_private(&state.path("network.json"), &serde_json::to_vec_pretty(self)?)
    }

    /// As the simulator takes it.
    fn home_key(&self) -> String {
        format!("{SCHEME}:{}:{}", self.key, self.public)
    }
}

/// Names the network and its places, allows the gNB and makes a key for concealed identities. What is there already stays.
async fn set_up(admin: &Member) -> Result<Network> {
    let client = admin.client();
    let found = patiently(|| client.cellular_network()).await.context("asking for the cellular network")?;
    let mut network = found.network.clone();
    network.plmn = format!("{}-{}", PLMN.0, PLMN.1);
    "Pakawaaz demo".clone_into(&mut network.full_name);
    if !network.gnbs.iter().any(|gnb| (gnb.id, gnb.bits) == (GNB, GNB_BITS)) {
        network.gnbs.push(CellularGnb { id: GNB, bits: GNB_BITS, tacs: vec![TAC], place: Some(bilingual(PLACE)) });
    }
    if !network.areas.iter().any(|area| area.tac == TAC) {
        network.areas.push(CellularArea { tac: TAC, place: bilingual(AREA) });
    }
    if network != found.network {
        let request = SetCellularNetworkRequest { version: found.version, network };
        patiently(|| client.set_cellular_network(&request)).await.context("setting the cellular network up")?;
    }
    let keys = patiently(|| client.suci_keys()).await.context("asking for keys of concealed identities")?.keys;
    let made = keys.into_iter().find(|key| key.scheme == SCHEME && key.retired_at.is_none());
    let key = match made {
        Some(key) => key,
        None => patiently(|| client.make_suci_key(SCHEME)).await.context("making a key for concealed identities")?,
    };
    Ok(Network { key: key.number, public: hex::encode(&key.public.0), handed_out: BTreeSet::new() })
}

fn bilingual((en, ur): (&str, &str)) -> BilingualName {
    BilingualName { en: en.to_owned(), ur: ur.to_owned() }
}

/// Where the phone of a card is, in one line.
pub fn describe(card: &MyCard, now: Millis) -> String {
    let place = match &card.phone {
        None => "not on the network".to_owned(),
        Some(phone) => {
            let place = phone.place.as_ref().map_or_else(|| format!("cell {}", phone.cell), |place| place.en.clone());
            let area =
                phone.area.as_ref().map_or_else(|| format!("tracking area {}", phone.tac), |area| area.en.clone());
            format!("on the network at {place}, {area}, for {}", span(now.since(phone.since)))
        }
    };
    let status = if card.status == "bound" { String::new() } else { format!(", {}", card.status) };
    format!("card {}{status}: {place}", card.iccid)
}

#[cfg(test)]
mod tests {
    use super::*;
    use pakawaaz_base::SimId;
    use pakawaaz_contract::identity::MyPhone;
    use pakawaaz_ransim::phone::Concealment;

    #[test]
    fn who_got_a_phone_is_remembered_and_the_key_is_as_phones_take_it() {
        let dir = tempfile::tempdir().unwrap();
        let state = State::open(dir.path(), false).unwrap();
        let mut network = Network { key: 3, public: "09".repeat(32), handed_out: BTreeSet::new() };
        network.hand_out(&state, "asma.khan").unwrap();
        network.hand_out(&state, "asma.khan").unwrap();
        let read: Network = serde_json::from_slice(&fs::read(state.path("network.json")).unwrap()).unwrap();
        assert_eq!(read, network);
        assert_eq!(read.handed_out().collect::<Vec<_>>(), ["asma.khan"]);
        assert!(matches!(Concealment::parse(&read.home_key()), Ok(Concealment::Ecies { id: 3, .. })));
    }

    #[test]
    fn a_phone_is_described_by_its_place_and_a_card_by_what_was_done_to_it() {
        let (sim, iccid) = (SimId::from_bytes([1; 16]), "8992419900000001019".to_owned());
        let (cell, since) = ("000001001".to_owned(), Millis(1_000));
        let place = Some(bilingual(PLACE));
        let phone = MyPhone { cell, place, tac: 1, area: None, since, seen: since, equipment: None };
        let mut card = MyCard { sim, iccid, status: "bound".into(), phone: Some(phone) };
        let text = describe(&card, Millis(3_000));
        assert!(text.ends_with("on the network at Secretariat, Block C, tracking area 1, for 2.0 s"), "{text}");
        card.phone.iter_mut().for_each(|phone| (phone.place, phone.area) = (None, Some(bilingual(AREA))));
        assert!(describe(&card, Millis(3_000)).contains("at cell 000001001, Islamabad, for"));
        (card.phone, card.status) = (None, "suspended".into());
        assert!(describe(&card, Millis(3_000)).ends_with(", suspended: not on the network"));
    }
}
