//! `web/packages/api/src/protocol.ts` is written by hand for its readers; this keeps it true. Values of every view
//! and every command's arguments, as Rust writes them, become a TypeScript file in which each stands under its type of
//! `protocol.ts`: a field too many, one too few or another word for a state does not pass `tsc`.
//!
//! `PAKAWAAZ_WRITE_SHAPES=1 cargo test -p pakawaaz-client-wasm shapes` writes the file again.

use super::app::Phase;
use super::args;
use super::happening::Happening;
use pakawaaz_base::{Assurance, DeviceId, GroupId, MessageId, Millis, OfficialId, SessionId, SimId, TransferId};
use pakawaaz_client::views::*;
use pakawaaz_client::{Direction, Step, StepState, TransferState, TransferView};
use pakawaaz_contract::directory::BilingualName;
use pakawaaz_contract::files::FileUsage;
use pakawaaz_contract::identity::{
    DeviceStatus, LoginNetwork, MyCard, MyCards, MyPhone, NetworkAgreement, SimProvenBy,
};
use serde::Serialize;
use std::fmt::Write as _;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../web/packages/api/src/generated/shapes.ts");

struct Shapes(String);

impl Shapes {
    fn add<V: Serialize>(&mut self, name: &str, of: &str, value: &V) {
        let json = serde_json::to_string(value).expect("serialises");
        writeln!(self.0, "export const {name}: {of} = {json};").expect("writes");
    }
}

fn official() -> OfficialId {
    OfficialId::from_bytes([1; 16])
}
fn group() -> GroupId {
    GroupId::from_bytes([2; 16])
}
fn message() -> MessageId {
    MessageId::from_bytes([3; 16])
}
fn device() -> DeviceId {
    DeviceId::from_bytes([4; 16])
}
fn name() -> BilingualName {
    BilingualName { en: "Asma Khan".into(), ur: "اسما خان".into() }
}

fn line(system: Option<SystemLine>) -> LineView {
    LineView {
        key: "k".into(),
        seq: Some(1),
        message: Some(message()),
        author: Some(official()),
        author_name: name(),
        mine: true,
        at: Millis(1),
        text: "words".into(),
        mentions: vec![official()],
        reply: Some(ReplyView {
            message: message(),
            author_name: name(),
            text: "words".into(),
            file: Some("a.pdf".into()),
            deleted: false,
        }),
        reactions: vec![ReactionView { emoji: "👍".into(), officials: vec![official()], mine: true }],
        file: Some(FileView {
            name: "a.pdf".into(),
            media_type: "application/pdf".into(),
            size: 1,
            width: Some(1),
            height: Some(1),
            duration_ms: Some(1),
            thumbnail: Some("AA==".into()),
            thumbnail_type: Some("image/webp".into()),
        }),
        edited: false,
        deleted: false,
        status: Some(MessageStatus::Queued),
        failure: Some("messaging.not_member".into()),
        system,
    }
}

fn views(out: &mut Shapes) {
    let (official, device) = (official(), device());
    let system = [
        SystemLine::Created,
        SystemLine::JoinedHere,
        SystemLine::RemovedHere,
        SystemLine::Unreadable,
        SystemLine::Members { officials: vec![official], names: vec![name()] },
        SystemLine::Joined { official, device },
        SystemLine::NewDevice { official, device },
        SystemLine::Healed { official, device },
        SystemLine::Left { official, device, revoked: true, gone: true },
        SystemLine::Titled { official, title: "t".into() },
        SystemLine::Failed { reason: "r".into() },
        SystemLine::Alarm { kind: AlarmKind::LogGap },
    ];
    let lines = system.into_iter().map(|s| line(Some(s))).collect();
    let timeline = TimelineView { group: group(), lines, older: true, newer: false, unread_from: Some("k".into()) };
    out.add("timeline", "Topics[\"timeline\"][1]", &timeline);
    use MessageStatus::{Delivered, Failed, Queued, Read, Sent};
    out.add("statuses", "MessageStatus[]", &[Queued, Sent, Delivered, Read, Failed]);
    let conversation = ConversationView {
        group: group(),
        title: None,
        names: vec![name()],
        direct: true,
        members: vec![official],
        last: Some(line(None)),
        updated_at: Millis(1),
        unread: 1,
        mentions: 1,
        first_unread: Some(1),
        draft: String::new(),
        pinned: false,
        muted: false,
        archived: false,
        queued: 0,
        failed: 0,
        alarms: 0,
        held_back: false,
        left: false,
        epoch: 1,
    };
    out.add("conversations", "Topics[\"conversations\"][1]", &[conversation]);
    let member = MemberView { official, name: name(), username: "asma.khan".into(), devices: vec![device], me: true };
    out.add("members", "Topics[\"members\"][1]", &[member]);
    let devices: Vec<DeviceView> =
        [DeviceStatus::Pending, DeviceStatus::Active, DeviceStatus::Suspended, DeviceStatus::Revoked]
            .into_iter()
            .map(|status| DeviceView {
                device,
                official,
                status,
                label: Some("Phone".into()),
                assurance: Assurance::SoftwareWeb,
                enrolled_at: Millis(1),
                last_seen_at: None,
                this_device: true,
                verified: true,
                fingerprint: "1".into(),
                network: None,
            })
            .collect();
    out.add("devices", "Topics[\"devices\"][1]", &devices);
    let alarm = Alarm {
        kind: AlarmKind::LogGap,
        at: Millis(1),
        group: Some(group()),
        seq: Some(1),
        device: Some(device),
        official: Some(official),
    };
    out.add("alarms", "Topics[\"alarms\"][1]", &[alarm]);
    let transfers: Vec<TransferView> = [
        (Direction::Up, TransferState::Preparing),
        (Direction::Up, TransferState::Running),
        (Direction::Up, TransferState::Paused),
        (Direction::Up, TransferState::Waiting),
        (Direction::Down, TransferState::Failed),
        (Direction::Down, TransferState::NeedsFile),
        (Direction::Down, TransferState::Done),
    ]
    .into_iter()
    .map(|(direction, state)| TransferView {
        transfer: TransferId::from_bytes([5; 16]),
        direction,
        group: group(),
        message: Some(message()),
        name: "a".into(),
        media_type: "b/c".into(),
        size: 1,
        prepared: 1,
        done: 1,
        state,
        failure: None,
        bytes_per_second: Some(1),
        kept_until: Some(Millis(1)),
    })
    .collect();
    out.add("transfers", "Topics[\"transfers\"][1]", &transfers);
    let usage = FileUsage { used: 1, quota: 2, open_uploads: 3, max_open_uploads: 4, max_size: 5, max_chunk: 6 };
    out.add("file_usage_reply", "Commands[\"file_usage\"][1]", &usage);
    let session = SessionView {
        session: SessionId::from_bytes([6; 16]),
        device,
        started_at: Millis(1),
        ends_at: Millis(2),
        this_session: true,
        sim: SimProvenBy::Card,
        network: Some(LoginNetwork { agreement: NetworkAgreement::OtherEquipment, equipment: Some("1".into()) }),
    };
    let by_phone = SessionView { sim: SimProvenBy::Phone, network: None, ..session.clone() };
    out.add("sessions", "SessionView[]", &[session, by_phone]);
    let phone = MyPhone {
        cell: "000001001".into(),
        place: Some(name()),
        tac: 1,
        area: None,
        since: Millis(1),
        seen: Millis(2),
        equipment: Some("1".into()),
    };
    let card = |status: &str, phone: Option<MyPhone>| MyCard {
        sim: SimId::from_bytes([7; 16]),
        iccid: "8992".into(),
        status: status.into(),
        phone,
    };
    let cards = vec![card("bound", Some(phone)), card("suspended", None), card("revoked", None)];
    out.add("my_phone_reply", "Commands[\"my_phone\"][1]", &MyCards { cards, network: true });
    let phases = [
        Phase::Starting,
        Phase::Empty,
        Phase::Locked,
        Phase::LoggedOut,
        Phase::WaitingApproval,
        Phase::Suspended,
        Phase::CutOff,
        Phase::Ready,
    ];
    out.add("phases", "Phase[]", &phases);
    let hit = SearchHit { group: group(), line: line(None) };
    let search = SearchPage { hits: vec![hit], next: Some("c".into()), scanned: 1 };
    out.add("search_reply", "Commands[\"search\"][1]", &search);
    let info =
        MessageInfo { delivered: vec![official], read: vec![official], waiting: vec![official], sent_at: Millis(1) };
    out.add("message_info_reply", "Commands[\"message_info\"][1]", &info);
}

fn happenings(out: &mut Shapes) {
    let (official, device) = (official(), device());
    let all = [
        Happening::Message {
            group: group(),
            message: message(),
            author: official,
            author_name: name(),
            mention: true,
            muted: false,
        },
        Happening::Alarm { kind: AlarmKind::LogGap, group: None },
        Happening::OwnDevice { device },
        Happening::CutOff,
    ];
    out.add("happenings", "Happening[]", &all);
    use Step::{Certificate, Device, Keys, Password, Saved, Session, Sim, Voucher};
    let steps: Vec<_> = [Device, Password, Sim, Session, Voucher, Keys, Certificate, Saved]
        .into_iter()
        .zip([StepState::Running, StepState::Done, StepState::Refused].into_iter().cycle())
        .map(|(step, state)| serde_json::json!({ "step": step, "state": state }))
        .collect();
    out.add("progress", "Progress[]", &steps);
}

fn arguments(out: &mut Shapes) {
    let (group, message, official) = (group(), message(), official());
    let send = args::Send { group, text: "t".into(), reply_to: Some(message), mentions: vec![official] };
    out.add("send", "Commands[\"send\"][0]", &send);
    let edit = args::Edit { group, message, text: "t".into(), mentions: vec![official] };
    out.add("edit", "Commands[\"edit\"][0]", &edit);
    let react = args::React { group, message, emoji: "👍".into(), remove: false };
    out.add("react", "Commands[\"react\"][0]", &react);
    let enrol = args::Enrol {
        voucher: args::Secret("PKW1.".into()),
        card: args::Secret("{}".into()),
        pin: args::Secret("123456".into()),
        password: None,
        label: "Phone".into(),
    };
    out.add("enrol", "Commands[\"enrol\"][0]", &enrol);
    let attached = args::AttachedFile {
        name: "a".into(),
        media_type: "b/c".into(),
        size: 1,
        width: None,
        height: None,
        duration_ms: None,
        thumbnail: None,
        thumbnail_type: None,
    };
    let attach = args::Attach { group, caption: "c".into(), reply_to: None, mentions: vec![], files: vec![attached] };
    out.add("attach", "Commands[\"attach\"][0]", &attach);
    for (name, to) in [
        ("older", args::To::Older(1)),
        ("newer", args::To::Newer(1)),
        ("around", args::To::Message(message)),
        ("newest", args::To::Newest(true)),
    ] {
        out.add(name, "Commands[\"window\"][0]", &args::MoveWindow { subscription: 1, to });
    }
    out.add("mark_read", "Commands[\"mark_read\"][0]", &args::MarkRead { group, up_to: Some(1) });
    let flags = args::SetFlags { group, pinned: true, muted: true, archived: true };
    out.add("set_flags", "Commands[\"set_flags\"][0]", &flags);
    out.add("timeline_args", "Topics[\"timeline\"][0]", &args::Timeline { group, limit: 50 });
}

#[test]
fn what_rust_writes_is_what_the_screens_are_told() {
    let mut out = Shapes(
        "// Written by a test of client/wasm (src/engine/shapes.rs); `tsc` holds it against protocol.ts.\n\
         import type { Commands, Happening, MessageStatus, Phase, Progress, SessionView, Topics } from \"../protocol.ts\";\n\n"
            .to_owned(),
    );
    views(&mut out);
    happenings(&mut out);
    arguments(&mut out);
    if std::env::var_os("PAKAWAAZ_WRITE_SHAPES").is_some() {
        std::fs::write(FILE, &out.0).expect("writes");
    }
    let there = std::fs::read_to_string(FILE).unwrap_or_default();
    assert!(there == out.0, "web/packages/api/src/generated/shapes.ts is old: see the head of {}", file!());
}
