//! Finding officials.

use crate::context::Shell;
use pakawaaz_base::Millis;
use pakawaaz_client::views::{OfficialView, Standing};
use pakawaaz_contract::directory::{AppointmentKind, BilingualName};

/// A name as shown: English, then Urdu if there is one.
pub fn name(name: &BilingualName) -> String {
    if name.ur.is_empty() { name.en.clone() } else { format!("{} · {}", name.en, name.ur) }
}

/// An official on one line: name, post, unit, login name.
pub fn official_line(official: &OfficialView) -> String {
    let rank = if official.rank.en.is_empty() { String::new() } else { format!("{} ", official.rank.en) };
    let post = official.posts.first().map_or_else(String::new, |p| {
        let unit = p.units.iter().map(|u| u.en.as_str()).collect::<Vec<_>>().join(", ");
        format!(" — {}, {unit} [{}]", p.title.en, standing(p.standing, p.kind, p.until))
    });
    format!("{rank}{} ({}){post}", name(&official.name), official.username)
}

/// How far the holder of a post is believed, until when, and how.
pub fn standing(standing: Standing, kind: Option<AppointmentKind>, until: Option<Millis>) -> String {
    let acting = if kind == Some(AppointmentKind::Acting) { "acting, " } else { "" };
    let day = until.map_or_else(|| "?".into(), |at| time(at).chars().take(10).collect::<String>());
    match standing {
        Standing::Verified => format!("{acting}verified, until {day}"),
        Standing::Expired => format!("EXPIRED on {day}"),
        Standing::Outdated => "OUTDATED: something newer was signed about this post".into(),
        Standing::Unverified => "NOT VERIFIED: only the server says so".into(),
    }
}

/// Local time, to the minute.
pub fn time(at: Millis) -> String {
    jiff::Timestamp::from_millisecond(at.as_i64()).map_or_else(
        |_| "?".into(),
        |t| t.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M").to_string(),
    )
}

pub async fn find(shell: &Shell, query: &str, limit: u32) -> anyhow::Result<()> {
    let open = shell.online().await?;
    let page = open.client.find(query, limit, None).await?;
    shell.out.show(&page, |page| match page.officials.as_slice() {
        [] => vec!["Nobody found. Try part of a name, a post or an organisation, in English or Urdu.".into()],
        found => {
            let mut lines: Vec<String> = found.iter().map(official_line).collect();
            if page.next.is_some() {
                lines.push(format!("… more than {limit}; narrow the search or raise --limit"));
            }
            lines
        }
    });
    Ok(())
}
