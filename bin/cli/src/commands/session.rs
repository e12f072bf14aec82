//! Log in, log out, passwords, who am I.

use crate::commands::enrol::voucher;
use crate::commands::people::time;
use crate::context::Shell;
use crate::{output, secrets};
use pakawaaz_base::SessionId;
use pakawaaz_contract::identity::{MyCard, MyPhone, NetworkAgreement, SimProvenBy};
use std::path::Path;

pub async fn login(shell: &Shell) -> anyhow::Result<()> {
    let open = shell.open().await?;
    let mut sim = shell.sim(open.profile.dir())?;
    let password = shell.password()?;
    output::note("Proving password, device and SIM…");
    open.client.login(&password, &mut sim).await?;
    // Publishes key packages, so that others can start conversations with this device at once.
    open.client.sync_once(&mut |_| {}).await?;
    let me = open.client.whoami().await?;
    // One's own name is shown beside one's messages; without it the login name does.
    let _ = open.client.official(me.official).await;
    shell.out.show(&me, |me| vec![format!("Logged in as {}.", me.username)]);
    Ok(())
}

pub async fn logout(shell: &Shell, everywhere: bool) -> anyhow::Result<()> {
    let open = shell.open().await?;
    open.client.logout(everywhere).await?;
    shell.out.done("logout", if everywhere { "Logged out on every device." } else { "Logged out." });
    Ok(())
}

pub async fn passwd(shell: &Shell, new_password_file: Option<&Path>) -> anyhow::Result<()> {
    let open = shell.open().await?;
    let mut sim = shell.sim(open.profile.dir())?;
    open.client.login(&shell.password()?, &mut sim).await?;
    let new = secrets::choose(new_password_file, "New password")?;
    open.client.change_password(&new).await?;
    shell.out.done("password_changed", "Password changed. Your other sessions have ended.");
    Ok(())
}

pub async fn reset_password(shell: &Shell, voucher_text: &str) -> anyhow::Result<()> {
    let voucher = voucher(voucher_text)?;
    let open = shell.open().await?;
    let new = secrets::choose(shell.global.password_file.as_deref(), "New password")?;
    open.client.reset_password(&voucher, &new).await?;
    shell.out.done("password_reset", "Password set. Every session has ended; next: pakawaaz login");
    Ok(())
}

pub async fn whoami(shell: &Shell) -> anyhow::Result<()> {
    let open = shell.open().await?;
    let me = open.client.whoami().await?;
    shell.out.show(&me, |me| {
        vec![
            format!("{} at {}", me.username, me.realm),
            format!("official  {}", me.official),
            format!("device    {} ({}, {:?})", me.device, me.label, me.status),
            format!("key       {}", me.fingerprint),
            format!("server    {}", me.origin),
            match me.session_ends_at {
                Some(at) => format!("session   until {}", crate::commands::people::time(at)),
                None => "session   none; run pakawaaz login".into(),
            },
        ]
    });
    Ok(())
}

pub async fn sessions(shell: &Shell, end: Option<SessionId>) -> anyhow::Result<()> {
    let open = shell.online().await?;
    if let Some(session) = end {
        open.client.end_session(session).await?;
    }
    let sessions = open.client.sessions().await?;
    shell.out.show(&sessions, |sessions| {
        let row = |s: &pakawaaz_client::views::SessionView| {
            let here = if s.this_session { "this one" } else { "" };
            let network = s.network.as_ref().map_or("", |network| through(network.agreement));
            let [session, device] = [s.session.to_string(), s.device.to_string()];
            let sim = match s.sim {
                SimProvenBy::Card => "card",
                SimProvenBy::Phone => "phone",
            };
            let [network, here, sim] = [network, here, sim].map(str::to_owned);
            vec![session, device, time(s.started_at), time(s.ends_at), sim, network, here]
        };
        output::table(
            &["SESSION", "DEVICE", "SINCE", "UNTIL", "SIM BY", "THROUGH", ""],
            &sessions.iter().map(row).collect::<Vec<_>>(),
        )
    });
    Ok(())
}

pub async fn phone(shell: &Shell) -> anyhow::Result<()> {
    let open = shell.online().await?;
    let cards = open.client.my_cards().await?.cards;
    shell.out.show(&cards, |cards| {
        let row = |card: &MyCard| {
            let at = |show: fn(&MyPhone) -> String| card.phone.as_ref().map(show).unwrap_or_default();
            vec![
                card.iccid.clone(),
                card.status.clone(),
                at(whereabouts),
                at(|phone| time(phone.since)),
                card.sim.to_string(),
            ]
        };
        let header = ["CARD", "STATUS", "PHONE", "ON THE NETWORK SINCE", "ID"];
        output::table(&header, &cards.iter().map(row).collect::<Vec<_>>())
    });
    Ok(())
}

/// Where a phone is, by the names that administrators gave, otherwise by numbers, and since when.
fn whereabouts(phone: &MyPhone) -> String {
    let place = phone.place.as_ref().map_or_else(|| format!("cell {}", phone.cell), |place| place.en.clone());
    let area = phone.area.as_ref().map_or_else(|| format!("tracking area {}", phone.tac), |area| area.en.clone());
    format!("{place}, {area}, since {}", time(phone.seen))
}

/// Which phone a login came through, as far as the network knows.
pub fn through(agreement: NetworkAgreement) -> &'static str {
    match agreement {
        NetworkAgreement::SamePhone => "your phone",
        NetworkAgreement::OtherCard => "ANOTHER PHONE",
        NetworkAgreement::OtherEquipment => "your SIM, OTHER PHONE",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pakawaaz_base::Millis;
    use pakawaaz_contract::directory::BilingualName;

    #[test]
    fn a_place_is_called_by_its_name_and_otherwise_by_its_number() {
        let (since, seen) = (Millis(0), Millis(3_600_000));
        let name = |en: &str| Some(BilingualName { en: en.into(), ur: "نام".into() });
        let mut phone =
            MyPhone { cell: "000001001".into(), place: None, tac: 7, area: None, since, seen, equipment: None };
        assert_eq!(whereabouts(&phone), format!("cell 000001001, tracking area 7, since {}", time(seen)));
        (phone.place, phone.area) = (name("Block C"), name("Islamabad"));
        assert_eq!(whereabouts(&phone), format!("Block C, Islamabad, since {}", time(seen)));
    }
}
