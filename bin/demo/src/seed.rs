//! Fills a new installation, over its public interface only: what this does, administrators can do with `pakawaaz`.
//!
//! Every step finds out what an interrupted run has done already, so that starting again goes on instead of failing.

use crate::cards;
use crate::cast::{ADMINISTRATORS, Cast};
use crate::clock;
use crate::government::Government;
use crate::member::{Member, Stretching, patiently};
use crate::output::Screen;
use crate::server::first_vouchers;
use crate::state::{State, write_private};
use anyhow::{Context as _, Result, ensure};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use pakawaaz_base::{OfficialId, OrgUnitId, PostId};
use pakawaaz_client::{ClientError, NewAppointment, NewVoucher};
use pakawaaz_contract::directory::{CreateOfficialRequest, CreatePostRequest, CreateUnitRequest};
use pakawaaz_trust::{AppointmentKind, GrantKind, Voucher};
use std::fs;
use std::sync::Arc;
use std::time::Duration;
use zeroize::Zeroizing;

/// Requests under way at a time: hides the time that each spends waiting for the disk.
const AT_A_TIME: usize = 4;
/// Vouchers in one proposal.
const VOUCHERS_AT_A_TIME: usize = 40;
/// Appointments in one proposal.
const APPOINTMENTS_AT_A_TIME: usize = 128;
/// How long vouchers of officials who never enrol in the demo stay good.
const VOUCHER_LASTS: Duration = Duration::from_secs(14 * 24 * 3600);
/// Serial number of the first card of the batch; the administrators' cards come before it.
const FIRST_SERIAL: u32 = 101;

/// Everything, from the administrators' vouchers to officials with devices.
pub async fn fill(screen: &Screen, state: &Arc<State>, plan: &Government, cast: &Cast) -> Result<()> {
    let (first, second) = enrol_administrators(screen, state).await?;
    import_cards(screen, state, plan, &first).await?;
    let units = create_units(screen, plan, &first).await?;
    let officials = create_officials(screen, plan, &first).await?;
    let vacant = create_posts(screen, plan, &first, &units, &officials).await?;
    appoint(screen, &vacant, &officials, &first, &second).await?;
    issue_vouchers(screen, state, plan, &officials, &first, &second).await?;
    drop((first, second));
    enrol_members(screen, state, plan, cast).await
}

async fn enrol_administrators(screen: &Screen, state: &Arc<State>) -> Result<(Member, Member)> {
    let progress = screen.progress("Enrolling the two administrators", 2);
    let mut enrolled = Vec::new();
    let file = Zeroizing::new(fs::read_to_string(first_vouchers(state)).context("reading the first vouchers")?);
    for (username, _) in ADMINISTRATORS {
        let line = file.lines().find_map(|line| line.strip_prefix(username)?.strip_prefix(' '));
        let voucher = Voucher::from_text(line.context("an administrator has no voucher; start over with --reset")?)?;
        enrolled.push(Member::enrol(state, username, &voucher, "administration desk", Stretching::Played).await?);
        progress.advance(1);
    }
    progress.finish("2 administrators enrolled");
    let second = enrolled.pop().context("two administrators")?;
    Ok((enrolled.pop().context("two administrators")?, second))
}

async fn import_cards(screen: &Screen, state: &State, plan: &Government, admin: &Member) -> Result<()> {
    let progress = screen.progress("Importing SIM cards", 1);
    let names: Vec<String> = plan.officials.iter().map(|o| o.username.clone()).collect();
    let batch = cards::make(state, &state.path("sims.csv"), &names, FIRST_SERIAL)?;
    // A batch is imported whole or not at all, so its first card stands for it.
    let first = cards::first_iccid(&batch).context("the batch has no cards")?;
    let known = patiently(|| admin.client().sims()).await?.sims.iter().any(|sim| sim.iccid == first);
    if !known {
        patiently(|| admin.client().import_sims(&batch)).await.context("importing the SIM batch")?;
    }
    progress.finish(&format!("{} SIM cards imported (Milenage and TUAK)", names.len()));
    Ok(())
}

async fn create_units(screen: &Screen, plan: &Government, admin: &Member) -> Result<Vec<OrgUnitId>> {
    let progress = screen.progress("Creating ministries down to sections", plan.units.len() as u64);
    let mut ids: Vec<OrgUnitId> = Vec::with_capacity(plan.units.len());
    for unit in &plan.units {
        let parent = unit.parent.map(|p| ids[p]);
        let request = CreateUnitRequest { parent, kind: unit.kind, name: unit.name.clone() };
        // The same facts give the unit that exists.
        ids.push(patiently(|| admin.client().create_unit(&request)).await.context("creating a unit")?.unit);
        progress.advance(1);
    }
    progress.finish(&format!("{} units, from ministries down to sections", ids.len()));
    Ok(ids)
}

async fn create_officials(screen: &Screen, plan: &Government, admin: &Member) -> Result<Vec<OfficialId>> {
    let progress = screen.progress("Creating officials", plan.officials.len() as u64);
    let ids: Vec<OfficialId> = stream::iter(&plan.officials)
        .map(|official| {
            let request = CreateOfficialRequest {
                username: official.username.clone(),
                name: official.name.clone(),
                rank: official.rank.clone(),
            };
            let progress = &progress;
            async move {
                // Idempotent by username.
                let official = patiently(|| admin.client().create_official(&request)).await?;
                progress.advance(1);
                Ok::<_, ClientError>(official.official)
            }
        })
        .buffered(AT_A_TIME)
        .try_collect()
        .await
        .context("creating an official")?;
    progress.finish(&format!("{} officials, in English and Urdu", ids.len()));
    Ok(ids)
}

/// Answers with the posts whose officials do not hold them yet.
async fn create_posts(
    screen: &Screen,
    plan: &Government,
    admin: &Member,
    units: &[OrgUnitId],
    officials: &[OfficialId],
) -> Result<Vec<(PostId, OfficialId)>> {
    let progress = screen.progress("Creating posts", officials.len() as u64);
    let done = &progress;
    let vacant = stream::iter(units.iter().enumerate())
        .map(|(index, unit)| async move {
            // Posts of one title may be many, so creating is not idempotent: look first. Titles are unique in a
            // unit of the plan.
            let mut vacant = Vec::new();
            let mut posts = patiently(|| admin.client().posts(*unit)).await?.posts;
            for (plan, id) in plan.officials.iter().zip(officials).filter(|(plan, _)| plan.unit == index) {
                let (post, holder) = match posts.iter().position(|p| p.title == plan.title) {
                    Some(at) => {
                        let found = posts.swap_remove(at);
                        (found.post, found.holder)
                    }
                    None => {
                        let request = CreatePostRequest { unit: *unit, title: plan.title.clone(), grade: plan.grade };
                        (patiently(|| admin.client().create_post(&request)).await?.post, None)
                    }
                };
                if holder != Some(*id) {
                    vacant.push((post, *id));
                }
                done.advance(1);
            }
            Ok::<_, ClientError>(vacant)
        })
        .buffer_unordered(AT_A_TIME)
        .try_collect::<Vec<_>>()
        .await
        .context("creating posts")?;
    progress.finish(&format!("{} posts", officials.len()));
    Ok(vacant.concat())
}

/// One administrator proposes, the other approves; then the directory shows the holders.
async fn appoint(
    screen: &Screen,
    vacant: &[(PostId, OfficialId)],
    officials: &[OfficialId],
    first: &Member,
    second: &Member,
) -> Result<()> {
    let Some((last_post, last)) = vacant.last() else { return Ok(()) };
    // Those that were created last, in whatever order.
    for official in officials.iter().rev().take(AT_A_TIME) {
        known_to_identity(first, *official).await?;
    }
    let progress = screen.progress("Appointments under dual control", vacant.len() as u64);
    for some in vacant.chunks(APPOINTMENTS_AT_A_TIME) {
        let appointment = |(post, official): &(PostId, OfficialId)| NewAppointment {
            post: *post,
            official: *official,
            kind: AppointmentKind::Substantive,
            not_after: None,
        };
        let new: Vec<_> = some.iter().map(appointment).collect();
        let proposal =
            patiently(|| first.client().propose_appointments(&new)).await.context("proposing appointments")?;
        patiently(|| second.client().approve_proposal(proposal.proposal)).await.context("approving appointments")?;
        progress.advance(some.len() as u64);
    }
    // The directory hears of them a moment later, in order.
    for _ in 0..200 {
        if patiently(|| first.client().one_post(*last_post)).await?.holder == Some(*last) {
            progress.finish(&format!("{} appointments, signed by both administrators", vacant.len()));
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    anyhow::bail!("the directory has not heard of the appointments in 20 s")
}

/// One administrator proposes, the other approves; only then a voucher is worth anything, and only then it is
/// written down.
async fn issue_vouchers(
    screen: &Screen,
    state: &State,
    plan: &Government,
    officials: &[OfficialId],
    first: &Member,
    second: &Member,
) -> Result<()> {
    let all = plan.officials.iter().map(|o| o.username.as_str()).zip(officials.iter().copied());
    let missing: Vec<(&str, OfficialId)> = all.filter(|(username, _)| !state.voucher(username).exists()).collect();
    if let Some((_, last)) = missing.last() {
        known_to_identity(first, *last).await?;
    }
    let progress = screen.progress("Vouchers under dual control", missing.len() as u64);
    for some in missing.chunks(VOUCHERS_AT_A_TIME) {
        let ids: Vec<OfficialId> = some.iter().map(|(_, id)| *id).collect();
        let not_after = clock::now().plus(VOUCHER_LASTS);
        let (proposal, vouchers) =
            patiently(|| first.client().propose_vouchers(&ids, GrantKind::First, false, not_after))
                .await
                .context("proposing vouchers")?;
        patiently(|| second.client().approve_proposal(proposal.proposal)).await.context("approving vouchers")?;
        ensure!(vouchers.len() == some.len(), "a voucher for each official");
        for NewVoucher { official, voucher } in &vouchers {
            let (username, _) = some.iter().find(|(_, id)| id == official).context("a voucher for somebody else")?;
            write_private(&state.voucher(username), voucher.to_text()?.as_bytes())?;
        }
        progress.advance(some.len() as u64);
    }
    progress.finish(&format!("{} vouchers proposed by one administrator, approved by the other", officials.len()));
    Ok(())
}

/// Identity hears of new officials from the directory a moment later, in order.
async fn known_to_identity(admin: &Member, official: OfficialId) -> Result<()> {
    for _ in 0..200 {
        match patiently(|| admin.client().account(official)).await {
            Err(ClientError::Refused { status: 404, .. }) => tokio::time::sleep(Duration::from_millis(100)).await,
            other => return other.map(|_| ()).context("asking for an account"),
        }
    }
    anyhow::bail!("identity has not heard of the new officials in 20 s")
}

/// Password stretching fills a core for a while for each of them, so they enrol on all cores.
async fn enrol_members(screen: &Screen, state: &Arc<State>, plan: &Government, cast: &Cast) -> Result<()> {
    let members: Vec<usize> = cast.members().collect();
    let progress = screen.progress("Enrolling devices and logging in", members.len() as u64);
    let threads = std::thread::available_parallelism().map_or(2, usize::from).min(4);
    let mut enrolling = stream::iter(members.iter().map(|index| {
        let username = plan.officials[*index].username.clone();
        // People who sit at a terminal get the real thing.
        let stretching = if cast.bots.contains(index) { Stretching::Played } else { Stretching::Real };
        let state = Arc::clone(state);
        tokio::task::spawn_blocking(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                let text = fs::read_to_string(state.voucher(&username)).context("reading a voucher")?;
                let voucher = Voucher::from_text(&text)?;
                let member = Member::enrol(&state, &username, &voucher, "office terminal", stretching).await?;
                member.become_reachable().await
            })
        })
    }))
    .buffer_unordered(threads);
    while let Some(done) = enrolling.next().await {
        done??;
        progress.advance(1);
    }
    progress.finish(&format!("{} officials enrolled: device keys, SIM, password", members.len()));
    Ok(())
}
