//! What the core says of every official's phone, and the home network of every card: fetched while somebody looks.

use crate::member::Member;
use crate::network::DataPath;
use anyhow::Result;
use pakawaaz_contract::admin::SimRecord;
use pakawaaz_contract::cellular::{CellularQuery, CellularUe};
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Between two looks.
const EVERY: Duration = Duration::from_millis(500);
/// More phones than a demo has.
const ALL: u32 = 1000;

/// The latest board as JSON; whoever subscribes is somebody who looks.
pub type Board = Arc<watch::Sender<Arc<str>>>;

/// Keeps the board up to date. `owners` are usernames by IMSI.
pub async fn keep(
    board: Board,
    clerk: Rc<Member>,
    owners: HashMap<String, String>,
    data_path: watch::Receiver<DataPath>,
) {
    loop {
        if board.receiver_count() > 0
            && let Ok((cards, phones)) = look(&clerk).await
        {
            let text: Arc<str> = show(&owners, &cards, &phones, &data_path.borrow()).to_string().into();
            board.send_if_modified(|shown| {
                let changed = *shown != text;
                *shown = text;
                changed
            });
        }
        tokio::time::sleep(EVERY).await;
    }
}

async fn look(clerk: &Member) -> Result<(Vec<SimRecord>, Vec<CellularUe>)> {
    let cards = clerk.client().sims().await?.sims;
    let query = CellularQuery { limit: Some(ALL), ..CellularQuery::default() };
    Ok((cards, clerk.client().cellular_ues(&query).await?.ues))
}

/// Cards that somebody has, by their owners; cards in a drawer are left out.
fn show(owners: &HashMap<String, String>, cards: &[SimRecord], phones: &[CellularUe], data_path: &DataPath) -> Value {
    let phones: HashMap<&str, &CellularUe> = phones.iter().map(|phone| (phone.imsi.as_str(), phone)).collect();
    let mut people = Map::new();
    for card in cards {
        let phone = phones.get(card.imsi.as_str());
        let Some(owner) = owners.get(&card.imsi).filter(|_| phone.is_some() || card.status != "available") else {
            continue;
        };
        let phone = phone.map(|phone| {
            json!({
                "cell": phone.cell,
                "place": phone.place.as_ref().map(|place| &place.en),
                "tac": phone.tac,
                "area": phone.area.as_ref().map(|area| &area.en),
                "since": phone.since,
                "address": phone.sessions.iter().find_map(|session| session.ipv4.as_deref()),
            })
        });
        people.insert(owner.clone(), json!({ "card": card.status, "phone": phone }));
    }
    json!({ "people": people, "data": data_path.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use pakawaaz_base::{Millis, SimId};
    use pakawaaz_contract::directory::BilingualName;

    fn card(n: u8, status: &str) -> SimRecord {
        SimRecord {
            sim: SimId::from_bytes([n; 16]),
            iccid: format!("899{n}"),
            imsi: format!("41099000000000{n}"),
            algorithm: "tuak".into(),
            official: None,
            status: status.into(),
        }
    }

    #[test]
    fn cards_in_use_are_shown_with_their_phones_by_owner() {
        let owners = HashMap::from(["1", "2", "3", "4"].map(|n| (format!("41099000000000{n}"), format!("owner.{n}"))));
        let cards =
            [card(1, "bound"), card(2, "revoked"), card(3, "available"), card(4, "available"), card(9, "bound")];
        let phone = |n: u8| CellularUe {
            imsi: format!("41099000000000{n}"),
            pei: None,
            cell: Some("000001001".into()),
            place: Some(BilingualName { en: "Block C".into(), ur: "بلاک سی".into() }),
            tac: Some(1),
            area: None,
            state: "idle".into(),
            since: Millis(7),
            seen: Millis(9),
            sessions: Vec::new(),
        };
        let board = show(&owners, &cards, &[phone(1), phone(4)], &DataPath::There);
        assert_eq!(board["people"].as_object().unwrap().len(), 3, "{board}");
        assert_eq!(board["people"]["owner.1"]["phone"]["place"], "Block C");
        assert_eq!(board["people"]["owner.1"]["phone"]["area"], Value::Null);
        assert_eq!(board["people"]["owner.1"]["phone"]["since"], 7);
        assert_eq!(board["people"]["owner.2"], json!({ "card": "revoked", "phone": null }));
        assert_eq!(board["people"]["owner.4"]["card"], "available", "handed out, not enrolled yet");
        assert!(board["data"].as_str().unwrap().contains("pakawaaz-upf"));
    }
}
