//! Administration. Acts that touch who may speak for whom are proposals: another administrator must sign too.

use crate::args::{
    AdminCommand, OfficialsCommand, PostsCommand, ProposalsCommand, RoleArg, SubjectArgs, UnitKindArg, UnitsCommand,
    VoucherKind,
};
use crate::commands::people::{name, official_line, standing, time};
use crate::context::{self, Shell};
use crate::output;
use anyhow::{Context as _, bail};
use pakawaaz_base::{Clock as _, OfficialId, OrgUnitId, PostId, Role};
use pakawaaz_client::views::PostView;
use pakawaaz_client::{NewAppointment, NewVoucher};
use pakawaaz_client_native::NativeClient;
use pakawaaz_client_native::platform::SystemClock;
use pakawaaz_client_native::profile::write_private;
use pakawaaz_contract::admin::{Proposal, ProposalStatus, Subject};
use pakawaaz_contract::directory::{
    BilingualName, CreateOfficialRequest, CreatePostRequest, CreateUnitRequest, OrgTree, UnitKind,
};
use pakawaaz_trust::{AppointmentKind, GrantKind, Signed, Statement};
use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

/// Reason byte of a revocation by administrators.
const REASON_ADMINISTRATIVE: u8 = 2;

pub async fn run(shell: &Shell, command: AdminCommand) -> anyhow::Result<()> {
    let open = shell.online().await?;
    let client = &open.client;
    match command {
        AdminCommand::Units { command } => units(shell, client, command).await,
        AdminCommand::Posts { command } => posts(shell, client, command).await,
        AdminCommand::Officials { command } => officials(shell, client, command).await,
        AdminCommand::Sims { command } => super::admin_sims::run(shell, client, command).await,
        AdminCommand::Cellular { command } => super::admin_cellular::run(shell, client, command).await,
        AdminCommand::Vouchers { officials, kind, days, out } => {
            vouchers(shell, client, &officials, kind, days, out.as_deref()).await
        }
        AdminCommand::Proposals { command } => proposals(shell, client, command).await,
        AdminCommand::Revoke { subject } => {
            let subject = match self::subject(client, subject).await? {
                Subject::Official(id) => pakawaaz_trust::Subject::Official(id),
                Subject::Device(id) => pakawaaz_trust::Subject::Device(id),
                Subject::Sim(id) => pakawaaz_trust::Subject::Sim(id),
            };
            show_proposal(shell, client, &client.propose_revocations(&[subject], REASON_ADMINISTRATIVE).await?).await;
            Ok(())
        }
        AdminCommand::Suspend { subject } => {
            client.suspend(self::subject(client, subject).await?).await?;
            shell.out.done(
                "suspended",
                "Cut off by the server. Follow with `pakawaaz admin revoke` to cut cryptographically.",
            );
            Ok(())
        }
        AdminCommand::Unsuspend { subject } => {
            client.unsuspend(self::subject(client, subject).await?).await?;
            shell.out.done("unsuspended", "Restored.");
            Ok(())
        }
        AdminCommand::Appoint { post, official, acting, days } => {
            let official = context::official(client, &official).await?;
            let kind = if acting { AppointmentKind::Acting } else { AppointmentKind::Substantive };
            let not_after = days.map(|days| SystemClock.now().plus(Duration::from_secs(u64::from(days) * 86_400)));
            // Asked for first: nobody should sign for a post that does not exist.
            let post = client.one_post(post).await?.post;
            let new = NewAppointment { post, official, kind, not_after };
            show_proposal(shell, client, &client.propose_appointments(&[new]).await?).await;
            Ok(())
        }
        AdminCommand::Vacate { post } => {
            let official = client.one_post(post).await?.holder.context("the post is vacant")?;
            let new = NewAppointment { post, official, kind: AppointmentKind::Ended, not_after: None };
            show_proposal(shell, client, &client.propose_appointments(&[new]).await?).await;
            Ok(())
        }
        AdminCommand::Role { official, role, end } => {
            let role = match role {
                RoleArg::DirectoryManager => Role::DirectoryManager,
                RoleArg::SimManager => Role::SimManager,
                RoleArg::Auditor => Role::Auditor,
            };
            let official = context::official(client, &official).await?;
            show_proposal(shell, client, &client.propose_roles(&[(official, role, !end)]).await?).await;
            Ok(())
        }
        AdminCommand::Account { official } => {
            let account = client.account(context::official(client, &official).await?).await?;
            shell.out.show(&account, |a| {
                vec![
                    format!("{} ({}): {}", a.username, a.official, a.status),
                    format!("roles: {}", a.roles.iter().map(|r| format!("{r:?}")).collect::<Vec<_>>().join(", ")),
                    format!("failures since the last login: password {}, SIM {}", a.password_failures, a.sim_failures),
                ]
            });
            Ok(())
        }
        AdminCommand::Audit { after, limit } => {
            let page = client.audit(after, limit).await?;
            shell.out.show(&page, |page| {
                let mut lines: Vec<String> = page
                    .entries
                    .iter()
                    .map(|e| format!("{:>6}  {}  {}  {}", e.seq, time(e.at), e.action, e.subject))
                    .collect();
                lines.push(if page.verified { "The chain verifies." } else { "THE CHAIN DOES NOT VERIFY." }.into());
                lines
            });
            Ok(())
        }
    }
}

async fn units(shell: &Shell, client: &NativeClient, command: UnitsCommand) -> anyhow::Result<()> {
    match command {
        UnitsCommand::List => {
            let tree = client.units().await?;
            shell.out.show(&tree, tree_lines);
        }
        UnitsCommand::Add { kind, name: en, urdu, parent } => {
            let kind = match kind {
                UnitKindArg::Ministry => UnitKind::Ministry,
                UnitKindArg::Division => UnitKind::Division,
                UnitKindArg::Wing => UnitKind::Wing,
                UnitKindArg::Section => UnitKind::Section,
            };
            let request = CreateUnitRequest { parent, kind, name: BilingualName { en, ur: urdu } };
            let unit = client.create_unit(&request).await?;
            shell.out.show(&unit, |u| vec![format!("{}  {}", u.unit, name(&u.name))]);
        }
    }
    Ok(())
}

fn tree_lines(tree: &OrgTree) -> Vec<String> {
    fn below(tree: &OrgTree, parent: Option<OrgUnitId>, depth: usize, lines: &mut Vec<String>) {
        // A tree deeper than its four kinds would be a server's mistake; stop rather than recurse without end.
        if depth > 4 {
            return;
        }
        for unit in tree.units.iter().filter(|u| u.parent == parent) {
            lines.push(format!("{}{}  [{}]", "  ".repeat(depth), name(&unit.name), unit.unit));
            below(tree, Some(unit.unit), depth + 1, lines);
        }
    }
    let mut lines = Vec::new();
    below(tree, None, 0, &mut lines);
    if lines.is_empty() {
        lines.push("No units yet. Add one: pakawaaz admin units add ministry \"NAME\"".into());
    }
    lines
}

async fn posts(shell: &Shell, client: &NativeClient, command: PostsCommand) -> anyhow::Result<()> {
    match command {
        PostsCommand::List { unit } => {
            let list = client.posts(unit).await?;
            let holders: Vec<OfficialId> = list.posts.iter().filter_map(|p| p.holder).collect();
            let names = context::names(client, &holders).await;
            shell.out.show(&list, |list| {
                let rows: Vec<Vec<String>> = list.posts.iter().map(|p| post_row(p, &names)).collect();
                output::table(&["POST", "BPS", "TITLE", "HOLDER", "APPOINTMENT"], &rows)
            });
        }
        PostsCommand::Show { post } => {
            let post = client.one_post(post).await?;
            let names = context::names(client, post.holder.as_slice()).await;
            shell.out.show(&post, |p| vec![post_row(p, &names).join("  ")]);
        }
        PostsCommand::Add { unit, title, urdu, grade } => {
            let title = BilingualName { en: title, ur: urdu };
            let post = client.create_post(&CreatePostRequest { unit, title, grade }).await?;
            shell.out.show(&post, |p| vec![format!("{}  {}", p.post, name(&p.title))]);
        }
    }
    Ok(())
}

fn post_row(post: &PostView, names: &Names) -> Vec<String> {
    let holder = post.holder.map_or_else(|| "vacant".into(), |h| names.get(&h).cloned().unwrap_or(h.to_string()));
    let standing = post.standing.map_or_else(String::new, |s| standing(s, post.kind, post.until));
    vec![post.post.to_string(), post.grade.to_string(), name(&post.title), holder, standing]
}

async fn officials(shell: &Shell, client: &NativeClient, command: OfficialsCommand) -> anyhow::Result<()> {
    let official = match command {
        OfficialsCommand::Add { username, name: en, urdu, rank, rank_urdu } => {
            let request = CreateOfficialRequest {
                username,
                name: BilingualName { en, ur: urdu },
                rank: BilingualName { en: rank, ur: rank_urdu },
            };
            let made = client.create_official(&request).await?;
            client.official(made.official).await?
        }
        OfficialsCommand::Show { official } => client.official(context::official(client, &official).await?).await?,
    };
    shell.out.show(&official, |o| vec![format!("{}  {}", o.official, official_line(o))]);
    Ok(())
}

async fn vouchers(
    shell: &Shell,
    client: &NativeClient,
    who: &[String],
    kind: VoucherKind,
    days: u32,
    out: Option<&Path>,
) -> anyhow::Result<()> {
    let officials = context::officials(client, who).await?;
    let (grant, administrator) = match kind {
        VoucherKind::First => (GrantKind::First, false),
        VoucherKind::Additional => (GrantKind::Additional, false),
        VoucherKind::Recovery => (GrantKind::Recovery, false),
        VoucherKind::Password => (GrantKind::Password, false),
        VoucherKind::Administrator => (GrantKind::First, true),
    };
    let not_after = SystemClock.now().plus(Duration::from_secs(u64::from(days) * 86_400));
    let (proposal, made) = client.propose_vouchers(&officials, grant, administrator, not_after).await?;
    for (typed, new) in who.iter().zip(&made) {
        if let Some(dir) = out {
            std::fs::create_dir_all(dir)?;
            write_private(&dir.join(format!("{}.voucher", file_name(typed))), new.voucher.to_text()?.as_bytes())?;
        }
    }
    let value = serde_json::json!({
        "proposal": proposal.proposal,
        "vouchers": if out.is_some() { None } else { Some(voucher_texts(who, &made)?) },
    });
    let texts = if out.is_none() { voucher_texts(who, &made)? } else { Vec::new() };
    shell.out.show(&value, |_| {
        let mut lines = Vec::new();
        for (typed, text) in &texts {
            lines.push(format!("Voucher for {typed}:"));
            lines.extend(qr(text));
            lines.push(text.clone());
            lines.push(String::new());
        }
        lines.push(format!("Proposal {}: the vouchers work once another administrator has run", proposal.proposal));
        lines.push(format!("  pakawaaz admin proposals approve {}", proposal.proposal));
        lines
    });
    Ok(())
}

fn voucher_texts(who: &[String], made: &[NewVoucher]) -> anyhow::Result<Vec<(String, String)>> {
    who.iter().zip(made).map(|(typed, new)| Ok((typed.clone(), new.voucher.to_text()?.to_string()))).collect()
}

/// A name that cannot leave the folder.
fn file_name(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' }).collect()
}

/// A QR code in half blocks, two modules a character.
fn qr(text: &str) -> Vec<String> {
    match qrcode::QrCode::with_error_correction_level(text, qrcode::EcLevel::L) {
        Ok(code) => {
            let image = code.render::<qrcode::render::unicode::Dense1x2>().build();
            image.lines().map(str::to_owned).collect()
        }
        Err(_) => vec!["(too long for a QR code)".into()],
    }
}

async fn proposals(shell: &Shell, client: &NativeClient, command: Option<ProposalsCommand>) -> anyhow::Result<()> {
    match command.unwrap_or(ProposalsCommand::List) {
        ProposalsCommand::List => {
            let open = client.proposals(Some(ProposalStatus::Open)).await?;
            let names = named(client, &open).await;
            shell.out.show(&open, |open| {
                if open.is_empty() {
                    return vec!["Nothing waits for a second signature.".into()];
                }
                open.iter().flat_map(|p| proposal_lines(p, &names)).collect()
            });
        }
        ProposalsCommand::Show { proposal } => {
            let all = client.proposals(None).await?;
            let found = all.iter().find(|p| p.proposal == proposal).context("no such proposal")?;
            let names = named(client, std::slice::from_ref(found)).await;
            shell.out.show(found, |p| proposal_lines(p, &names));
        }
        ProposalsCommand::Approve { proposal } => {
            let open = client.proposals(Some(ProposalStatus::Open)).await?;
            let found = open.iter().find(|p| p.proposal == proposal).context("no such open proposal")?;
            if !shell.out.is_json() {
                let names = named(client, std::slice::from_ref(found)).await;
                output::note("You are signing:");
                proposal_lines(found, &names).iter().for_each(|l| output::note(l));
            }
            // The very statements shown above: asked for again, the server could answer with others.
            let done = client.approve(found).await?;
            shell.out.show(&done, |p| vec![format!("{}: {:?}", p.proposal, p.status)]);
        }
        ProposalsCommand::Withdraw { proposal } => {
            client.withdraw_proposal(proposal).await?;
            shell.out.done("withdrawn", "Withdrawn.");
        }
    }
    Ok(())
}

async fn show_proposal(shell: &Shell, client: &NativeClient, proposal: &Proposal) {
    let names = named(client, std::slice::from_ref(proposal)).await;
    shell.out.show(proposal, |p| {
        let mut lines = proposal_lines(p, &names);
        if p.status == ProposalStatus::Open {
            lines.push(format!("Another administrator: pakawaaz admin proposals approve {}", p.proposal));
        }
        lines
    });
}

type Names = HashMap<OfficialId, String>;

/// Names of whom and what proposals are about.
struct Named {
    officials: Names,
    posts: HashMap<PostId, String>,
}

impl Named {
    fn official(&self, official: OfficialId) -> String {
        self.officials.get(&official).cloned().unwrap_or_else(|| official.to_string())
    }
    fn post(&self, post: PostId) -> String {
        self.posts.get(&post).map_or_else(|| post.to_string(), |title| format!("{title} ({post})"))
    }
}

/// Names of everybody these proposals are about, and titles of posts.
async fn named(client: &NativeClient, proposals: &[Proposal]) -> Named {
    let (mut about, mut posts) = (Vec::new(), HashMap::new());
    for statement in proposals.iter().flat_map(|p| &p.statements).filter_map(|bytes| said(bytes)) {
        match statement {
            Statement::Grant(g) => about.push(g.official),
            Statement::RoleChange(r) => about.push(r.official),
            Statement::Revocation(r) => match r.subject {
                pakawaaz_trust::Subject::Official(o) | pakawaaz_trust::Subject::Administrator(o) => about.push(o),
                pakawaaz_trust::Subject::Device(_) | pakawaaz_trust::Subject::Sim(_) => {}
            },
            Statement::Appointment(a) => {
                about.push(a.official);
                if !posts.contains_key(&a.post)
                    && let Ok(post) = client.one_post(a.post).await
                {
                    posts.insert(a.post, name(&post.title));
                }
            }
            Statement::DeviceBinding(_) | Statement::CrossSignature(_) => {}
        }
    }
    Named { officials: context::names(client, &about).await, posts }
}

/// What the very bytes say that are signed.
fn said(bytes: &[u8]) -> Option<Statement> {
    Signed::from_bytes(bytes).and_then(|s| s.statement()).ok()
}

/// A proposal and what its statements say.
fn proposal_lines(proposal: &Proposal, names: &Named) -> Vec<String> {
    let name = |official: &OfficialId| names.official(*official);
    let count = proposal.statements.len();
    let mut lines = vec![format!(
        "{}  {:?}, {:?}, {count} statement{}, {}",
        proposal.proposal,
        proposal.kind,
        proposal.status,
        if count == 1 { "" } else { "s" },
        time(proposal.proposed_at)
    )];
    for bytes in &proposal.statements {
        lines.push(match said(bytes) {
            Some(Statement::Grant(g)) => format!(
                "    voucher ({:?}) for {}{} until {}",
                g.kind,
                name(&g.official),
                if g.administrator { " as ADMINISTRATOR" } else { "" },
                time(g.not_after)
            ),
            Some(Statement::Revocation(r)) => {
                let whom = match r.subject {
                    pakawaaz_trust::Subject::Official(o) => format!("{} with every device", name(&o)),
                    pakawaaz_trust::Subject::Administrator(o) => format!("{} as administrator", name(&o)),
                    pakawaaz_trust::Subject::Device(d) => format!("device {d}"),
                    pakawaaz_trust::Subject::Sim(s) => format!("SIM {s}"),
                };
                format!("    revoke {whom} (reason {})", r.reason)
            }
            Some(Statement::RoleChange(r)) => {
                format!("    {} {:?} for {}", if r.granted { "give" } else { "end" }, r.role, name(&r.official))
            }
            Some(Statement::Appointment(a)) => {
                let post = names.post(a.post);
                match a.kind {
                    AppointmentKind::Ended => format!("    {} holds {post} no longer", name(&a.official)),
                    AppointmentKind::Substantive => {
                        format!("    appoint {} to {post} until {}", name(&a.official), time(a.not_after))
                    }
                    AppointmentKind::Acting => {
                        format!("    appoint {} to {post}, acting, until {}", name(&a.official), time(a.not_after))
                    }
                }
            }
            Some(_) | None => "    SOMETHING THAT IS NO ADMINISTRATIVE STATEMENT: do not approve".into(),
        });
    }
    lines
}

async fn subject(client: &NativeClient, args: SubjectArgs) -> anyhow::Result<Subject> {
    Ok(match (args.official, args.device, args.card) {
        (Some(official), None, None) => Subject::Official(context::official(client, &official).await?),
        (None, Some(device), None) => Subject::Device(device),
        (None, None, Some(sim)) => Subject::Sim(sim),
        _ => bail!("say one of --official, --device, --card"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typed_name_cannot_leave_the_voucher_folder() {
        assert_eq!(file_name("../../etc/passwd"), ".._.._etc_passwd");
        assert_eq!(file_name("bilal.khan"), "bilal.khan");
    }
}
