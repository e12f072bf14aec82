//! Commands: arguments parsed, the core called, the reply as JSON.

use crate::engine::args::{
    AddMembers, ApproveDevice, ChangePin, CheckVoucher, Device, Edit, Enrol, Find, Group, Logout, MarkRead, Member,
    Message, MoveWindow, NewConversation, Nothing, Official, Password, Pin, React, ResetPassword, Search, Secret, Send,
    Session, SetDraft, SetFlags, SetTitle, Typing, Unit,
};
use crate::engine::card::{self, NewCard, StoredCard};
use crate::engine::error::Refusal;
use crate::engine::watch::Touch;
use crate::engine::{Engine, EngineError, Host};
use pakawaaz_base::{Assurance, DeviceId, GroupId, MessageId, Millis};
use pakawaaz_client::vault::PinCost;
use pakawaaz_client::views::Flags;
use pakawaaz_client::{ClientError, EnrolOptions, Platform, Step, StepState, Store, Transport};
use pakawaaz_contract::identity::{ChannelMode, DeviceStatus};
use pakawaaz_login::KsfParams;
use pakawaaz_trust::{GrantKind, Voucher};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Officials on a page of `find`.
const PAGE: u32 = 30;
/// Reason 0: none given.
const NO_REASON: u8 = 0;

/// Who hears of steps while a command runs.
pub type Progress = Box<dyn Fn(&str)>;

/// What a command gives back.
#[derive(Debug)]
pub struct Reply<B> {
    /// The reply.
    pub json: String,
    /// The bytes of a download, in the browser's hands.
    pub blob: Option<B>,
}

type Outcome<B> = Result<Reply<B>, EngineError>;

/// `VoucherView` of `protocol.ts`.
#[derive(Serialize)]
pub struct VoucherView {
    realm: String,
    url: String,
    kind: &'static str,
    not_after: Millis,
    here: bool,
}

/// Reply of `enrol`.
#[derive(Serialize)]
pub struct EnrolledView {
    username: String,
    status: DeviceStatus,
    code: String,
}

/// Reply of `own_code`.
#[derive(Serialize)]
struct OwnCode {
    device: DeviceId,
    code: String,
}

/// `{"name": value}`. Not by `json!`, which brings how to print numbers that nobody has.
struct Named<R>(&'static str, R);

impl<R: Serialize> Serialize for Named<R> {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_map([(self.0, &self.1)])
    }
}

#[derive(Serialize)]
struct StepView {
    step: Step,
    state: StepState,
}

/// Costs of PIN and password guesses. Only tests use others than the default.
#[derive(Clone, Copy, Debug, Default)]
pub struct Costs {
    /// One PIN guess.
    pub pin: PinCost,
    /// One password guess.
    pub password: KsfParams,
}

pub(crate) fn parse<A: DeserializeOwned>(args: &str) -> Result<A, EngineError> {
    pakawaaz_tree::from_json(args.as_bytes()).map_err(|_| Refusal::BadArguments.into())
}

pub(crate) fn reply<R: Serialize, B>(value: &R) -> Outcome<B> {
    match serde_json::to_string(value) {
        Ok(json) => Ok(Reply { json, blob: None }),
        Err(_) => Err(ClientError::Damaged.into()),
    }
}

pub(crate) fn named<R: Serialize, B>(name: &'static str, value: R) -> Outcome<B> {
    reply(&Named(name, value))
}

pub(crate) fn nothing<B>() -> Outcome<B> {
    Ok(Reply { json: "null".to_owned(), blob: None })
}

fn voucher_of(text: &Secret) -> Result<Voucher, EngineError> {
    let card = card::split(&text.0);
    Ok(Voucher::from_text(card.voucher.as_deref().map_or("", |text| text.as_str()))?)
}

fn kind(kind: GrantKind) -> &'static str {
    match kind {
        GrantKind::First => "first",
        GrantKind::Additional => "additional",
        GrantKind::Recovery => "recovery",
        GrantKind::Password => "reset",
    }
}

impl<S: Store + 'static, T: Transport + 'static, P: Platform + 'static, H: Host> Engine<S, T, P, H> {
    /// Runs a command of a tab. `args` is its JSON; `files` go with it.
    ///
    /// # Errors
    /// With a stable code: the server's, the core's, or one of `engine.*`.
    pub async fn call(
        &self,
        tab: &str,
        name: &str,
        args: &str,
        files: Vec<H::Source>,
        progress: Option<Progress>,
    ) -> Outcome<H::Blob> {
        match name {
            "check_voucher" | "enrol" | "unlock" | "lock" | "login" | "logout" | "change_password"
            | "reset_password" | "change_pin" | "forget" | "persist_storage" => {
                self.profile_command(name, args, progress).await
            }
            "find" | "official" | "units" | "posts" | "own_code" | "approve_device" | "revoke_device" | "sessions"
            | "end_session" | "my_phone" => self.people_command(name, args).await,
            "window" => {
                let MoveWindow { subscription, to } = parse(args)?;
                self.move_window(subscription, |window| window.go(to))?;
                nothing()
            }
            "attach" | "provide_file" | "pause_transfer" | "resume_transfer" | "cancel_transfer" | "download"
            | "cancel_download" | "file_usage" => self.file_command(tab, name, args, files).await,
            _ => self.conversation_command(name, args).await,
        }
    }

    async fn profile_command(&self, name: &str, args: &str, progress: Option<Progress>) -> Outcome<H::Blob> {
        let client = self.client();
        match name {
            "check_voucher" => {
                let CheckVoucher { voucher } = parse(args)?;
                let voucher = voucher_of(&voucher)?;
                let realm = client.server().await?.realm;
                reply(&VoucherView {
                    here: realm == voucher.realm,
                    kind: kind(voucher.kind),
                    not_after: voucher.not_after,
                    realm: voucher.realm.clone(),
                    url: voucher.url.clone(),
                })
            }
            "enrol" => {
                let enrolled = self.with_steps(progress, self.enrol(parse(args)?)).await?;
                self.look().await?;
                reply(&enrolled)
            }
            "unlock" => {
                let Pin { pin } = parse(args)?;
                client.unlock(&pin.0).await?;
                self.look().await?;
                nothing()
            }
            "lock" => {
                let Nothing {} = parse(args)?;
                self.stop_running();
                client.lock();
                self.look().await?;
                nothing()
            }
            "login" => {
                let Password { password } = parse(args)?;
                let login = async {
                    let mut card = StoredCard::load(client).await?;
                    Ok(client.login(&password.0, &mut card).await?)
                };
                self.with_steps(progress, login).await?;
                // Best effort: name, rank and posts of this official, and how this device stands.
                if let Ok(me) = client.me().await {
                    let _ = client.official(me.official).await;
                }
                self.look().await?;
                nothing()
            }
            "logout" => {
                let Logout { everywhere } = parse(args)?;
                let told = client.logout(everywhere).await;
                self.look().await?;
                told?;
                nothing()
            }
            "change_password" => {
                let Password { password } = parse(args)?;
                client.change_password(&password.0).await?;
                nothing()
            }
            "reset_password" => {
                let ResetPassword { voucher, password } = parse(args)?;
                let voucher = voucher_of(&voucher)?;
                if voucher.kind != GrantKind::Password {
                    return Err(Refusal::WrongVoucher.into());
                }
                client.reset_password(&voucher, &password.0).await?;
                nothing()
            }
            "change_pin" => {
                let ChangePin { old, new } = parse(args)?;
                client.change_pin(&old.0, &new.0).await?;
                nothing()
            }
            "forget" => {
                let Nothing {} = parse(args)?;
                self.stop_running();
                client.lock();
                self.0.host.wipe().await.map_err(ClientError::from)?;
                self.look().await?;
                nothing()
            }
            _ => {
                let Nothing {} = parse(args)?;
                let kept = self.0.host.persist().await;
                self.ask_storage().await;
                reply(&kept)
            }
        }
    }

    /// Runs a login or an enrolment, telling its steps.
    async fn with_steps<R>(
        &self,
        progress: Option<Progress>,
        work: impl Future<Output = Result<R, EngineError>>,
    ) -> Result<R, EngineError> {
        if let Some(progress) = progress {
            self.client().on_step(Some(Box::new(move |step, state| {
                if let Ok(json) = serde_json::to_string(&StepView { step, state }) {
                    progress(&json);
                }
            })));
        }
        let done = work.await;
        self.client().on_step(None);
        done
    }

    async fn enrol(&self, args: Enrol) -> Result<EnrolledView, EngineError> {
        let voucher = voucher_of(&args.voucher)?;
        if voucher.kind == GrantKind::Password {
            return Err(Refusal::WrongVoucher.into());
        }
        // The SIM may stand on the same card as the voucher.
        let sim = card::split(&args.card.0).sim.or(card::split(&args.voucher.0).sim).ok_or(Refusal::BadCard)?;
        let mut card = NewCard(card::parse(&sim)?);
        let costs = self.0.costs;
        let options = EnrolOptions {
            voucher,
            pin: args.pin.take(),
            password: args.password.as_ref().map(Secret::take),
            label: args.label,
            // A browser has no exporter: its logins bind the origin and the pinned server key.
            channel: ChannelMode::Origin,
            assurance: Assurance::SoftwareWeb,
            pin_cost: costs.pin,
            ksf: costs.password,
        };
        let enrolled = self.client().enrol(options, &mut card).await?;
        Ok(EnrolledView { username: enrolled.username, status: enrolled.status, code: enrolled.code })
    }

    async fn people_command(&self, name: &str, args: &str) -> Outcome<H::Blob> {
        let client = self.client();
        match name {
            "find" => {
                let Find { text, after } = parse(args)?;
                reply(&client.find(&text, PAGE, after.as_deref()).await?)
            }
            "official" => {
                let Official { official } = parse(args)?;
                match client.official(official).await {
                    // What was seen of them before is better than nothing while nobody answers.
                    Err(error) if error.is_temporary() => match client.remembered_official(official).await {
                        Ok(Some(known)) => reply(&known),
                        _ => Err(error.into()),
                    },
                    found => reply(&found?),
                }
            }
            "units" => {
                let Nothing {} = parse(args)?;
                reply(&client.units().await?)
            }
            "posts" => {
                let Unit { unit } = parse(args)?;
                reply(&client.posts(unit).await?)
            }
            "own_code" => {
                let Nothing {} = parse(args)?;
                let me = client.whoami().await?;
                reply(&OwnCode { device: me.device, code: me.fingerprint })
            }
            "approve_device" => {
                let ApproveDevice { device, code } = parse(args)?;
                client.approve_device(device, &code).await?;
                self.stale(Touch::Devices);
                nothing()
            }
            "revoke_device" => {
                let Device { device } = parse(args)?;
                client.revoke_device(device, NO_REASON).await?;
                self.stale(Touch::Devices);
                nothing()
            }
            "sessions" => {
                let Nothing {} = parse(args)?;
                named("sessions", client.sessions().await?)
            }
            "my_phone" => {
                let Nothing {} = parse(args)?;
                reply(&client.my_cards().await?)
            }
            _ => {
                let Session { session } = parse(args)?;
                client.end_session(session).await?;
                nothing()
            }
        }
    }

    async fn conversation_command(&self, name: &str, args: &str) -> Outcome<H::Blob> {
        let client = self.client();
        let group: GroupId = match name {
            "new_conversation" => {
                let NewConversation { officials, title } = parse(args)?;
                let group = client.new_conversation(&officials, title.as_deref()).await?;
                self.stale(Touch::Members(group));
                return named("group", group);
            }
            "send" => {
                let Send { group, text, reply_to, mentions } = parse(args)?;
                let message = client.send_message(group, &text, reply_to, &mentions).await?;
                self.changed(group);
                return named("message", message);
            }
            "search" => {
                let Search { text, group, before } = parse(args)?;
                return reply(&client.search(&text, group, before.as_deref()).await?);
            }
            "message_info" => {
                let Message { group, message } = parse(args)?;
                return reply(&client.message_info(group, message).await?);
            }
            "edit" => {
                let Edit { group, message, text, mentions } = parse(args)?;
                client.edit(group, message, &text, &mentions).await?;
                group
            }
            "delete" => {
                let Message { group, message } = parse(args)?;
                client.delete(group, message).await?;
                group
            }
            "react" => {
                let React { group, message, emoji, remove } = parse(args)?;
                client.react(group, message, &emoji, remove).await?;
                group
            }
            "retry" => {
                let Message { group, message } = parse(args)?;
                client.retry(group, message).await?;
                group
            }
            "discard" => {
                let Message { group, message } = parse(args)?;
                client.discard(group, message).await?;
                group
            }
            "set_title" => {
                let SetTitle { group, title } = parse(args)?;
                let _: MessageId = client.set_title(group, &title).await?;
                group
            }
            "add_members" => {
                let AddMembers { group, officials } = parse(args)?;
                client.add_members(group, &officials).await?;
                group
            }
            "remove_member" => {
                let Member { group, official } = parse(args)?;
                client.remove_member(group, official).await?;
                group
            }
            "leave" => {
                let Group { group } = parse(args)?;
                client.leave(group).await?;
                group
            }
            "mark_read" => {
                let MarkRead { group, up_to } = parse(args)?;
                client.mark_read_to(group, up_to).await?;
                self.stale(Touch::Listed(group));
                return nothing();
            }
            "set_draft" => {
                let SetDraft { group, text } = parse(args)?;
                client.set_draft(group, &text).await?;
                self.stale(Touch::Listed(group));
                return nothing();
            }
            "set_flags" => {
                let SetFlags { group, pinned, muted, archived } = parse(args)?;
                client.set_flags(group, Flags { pinned, muted, archived }).await?;
                self.stale(Touch::Listed(group));
                return nothing();
            }
            "typing" => {
                let Typing { group, on } = parse(args)?;
                client.typing(group, on).await?;
                return nothing();
            }
            _ => return Err(Refusal::UnknownCommand.into()),
        };
        self.changed(group);
        nothing()
    }

    /// Something was written here: lines, list and the number of what waits may differ.
    pub(crate) fn changed(&self, group: GroupId) {
        self.stale(Touch::Members(group));
        self.stale(Touch::App);
    }
}
