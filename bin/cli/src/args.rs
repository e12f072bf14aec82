//! The command line, as clap reads it. One enum a noun; what they do is in `commands/`.

use crate::args_cellular::CellularCommand;
use crate::args_sims::PersonaliseArgs;
use clap::{Args, Parser, Subcommand, ValueEnum};
use pakawaaz_base::{DeviceId, GroupId, MessageId, OfficialId, OrgUnitId, PostId, ProposalId, SessionId, SimId};
use std::path::PathBuf;

/// Encrypted messages between officials, from the terminal.
#[derive(Parser, Debug)]
#[command(name = "pakawaaz", version, disable_help_subcommand = true)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Args, Debug)]
pub struct Global {
    /// Profile folder: one official's device.
    #[arg(long, global = true, env = "PAKAWAAZ_PROFILE", value_name = "DIR")]
    pub profile: Option<PathBuf>,
    /// Print machine-readable JSON, one value a line.
    #[arg(long, global = true)]
    pub json: bool,
    /// Read the PIN from this file instead of asking.
    #[arg(long, global = true, env = "PAKAWAAZ_PIN_FILE", value_name = "FILE")]
    pub pin_file: Option<PathBuf>,
    /// Read the password from this file instead of asking.
    #[arg(long, global = true, env = "PAKAWAAZ_PASSWORD_FILE", value_name = "FILE")]
    pub password_file: Option<PathBuf>,
    /// SIM file; remembered in the profile at enrolment.
    #[arg(long, global = true, env = "PAKAWAAZ_SIM", value_name = "FILE")]
    pub sim: Option<PathBuf>,
    /// File in which the phone's software leaves A-KID and K_AF for logins (AKMA); without it the SIM is asked itself.
    #[arg(long, global = true, env = "PAKAWAAZ_PHONE_KEY", value_name = "FILE")]
    pub phone_key: Option<PathBuf>,
}

#[derive(Subcommand, Debug)]
pub enum Command {
    /// Enrol this device with a voucher: device keys, SIM, first password, PIN.
    Enrol {
        /// The voucher's text (PKW1.…), or - to read it from standard input.
        voucher: String,
        /// Words by which you tell this device from your others.
        #[arg(long, default_value = "terminal")]
        label: String,
    },
    /// Log in with password, SIM and device.
    Login,
    /// End this session.
    Logout {
        /// End every session of yours, on every device.
        #[arg(long)]
        everywhere: bool,
    },
    /// Change the password (asks all three factors again).
    Passwd {
        /// Read the new password from this file instead of asking.
        #[arg(long, value_name = "FILE")]
        new_password_file: Option<PathBuf>,
    },
    /// Set a new password with a reset voucher from two administrators.
    ResetPassword {
        /// The voucher's text, or -.
        voucher: String,
    },
    /// Who this profile is.
    Whoami,
    /// Your devices; approve a new one, revoke a lost one.
    Devices {
        #[command(subcommand)]
        command: Option<DevicesCommand>,
    },
    /// Your logins on every device; end one.
    Sessions {
        /// End this one.
        #[arg(long, value_name = "SESSION")]
        end: Option<SessionId>,
    },
    /// Your SIM cards, and where the phones with them are.
    Phone,
    /// Find officials by name, post or organisation, in English or Urdu.
    Find {
        query: String,
        #[arg(long, default_value_t = 20)]
        limit: u32,
    },
    /// Your conversations, newest first.
    Conversations,
    /// Start a conversation with one or more officials (login names or ids).
    New {
        #[arg(required = true)]
        officials: Vec<String>,
        /// Title; makes it a group even with one other official.
        #[arg(long)]
        title: Option<String>,
    },
    /// Send a message. Without TEXT it is read from standard input.
    Send {
        /// Conversation: its id, the start of it, or an official's login name.
        conversation: String,
        text: Option<String>,
        /// Answer this message (its id: `read --ids` shows them).
        #[arg(long, value_name = "MESSAGE")]
        reply_to: Option<MessageId>,
        /// Mention an official (login name or id); may be repeated.
        #[arg(long, value_name = "OFFICIAL")]
        mention: Vec<String>,
        /// Put it into the outbox and return without contacting the server.
        #[arg(long)]
        offline: bool,
    },
    /// Change the words of a message of yours, for everyone.
    Edit {
        conversation: String,
        message: MessageId,
        text: String,
        /// Mention an official; those of the old words are not mentioned any more.
        #[arg(long, value_name = "OFFICIAL")]
        mention: Vec<String>,
    },
    /// Take a message of yours back, for everyone.
    Delete { conversation: String, message: MessageId },
    /// Put an emoji under a message.
    React {
        conversation: String,
        message: MessageId,
        emoji: String,
        /// Take it away again.
        #[arg(long)]
        remove: bool,
    },
    /// Send a message again that was given up.
    Retry { conversation: String, message: MessageId },
    /// Forget a message that was given up.
    Discard { conversation: String, message: MessageId },
    /// Who has received and read a message of yours.
    MessageInfo { conversation: String, message: MessageId },
    /// Search the messages on this device.
    Search {
        /// Words that all must occur; letter case and vowel marks do not matter.
        text: String,
        /// In this conversation only.
        #[arg(long = "in", value_name = "CONVERSATION")]
        conversation: Option<String>,
        /// End after this many messages.
        #[arg(long, default_value_t = 20)]
        limit: usize,
    },
    /// Leave a conversation.
    Leave { conversation: String },
    /// Keep words for later, or show those that are kept.
    Draft {
        conversation: String,
        /// The words; empty text forgets them.
        text: Option<String>,
    },
    /// Read a conversation.
    Read {
        conversation: String,
        #[arg(long, default_value_t = 30)]
        limit: usize,
        /// Continue above this position.
        #[arg(long)]
        before: Option<u64>,
        /// Show the id of each message.
        #[arg(long)]
        ids: bool,
        /// Show what is stored here without contacting the server.
        #[arg(long)]
        offline: bool,
    },
    /// Send a file, encrypted on this device. Ctrl-C pauses; the same command again goes on.
    SendFile {
        /// Conversation: its id, the start of it, or an official's login name.
        conversation: String,
        path: PathBuf,
        /// Words with it.
        #[arg(long, default_value = "")]
        caption: String,
    },
    /// Save the file of a message, once every byte of it is verified. Ctrl-C pauses; the same command again goes on.
    GetFile {
        /// Conversation: its id, the start of it, or an official's login name.
        conversation: String,
        /// The message's id, as `read --json` shows it.
        message: String,
        /// File or folder to save to; the present folder and the sender's name without it.
        #[arg(long, value_name = "PATH")]
        out: Option<PathBuf>,
        /// Replace a file that is there.
        #[arg(long)]
        force: bool,
    },
    /// Stay connected and print what arrives. Ends with Ctrl-C.
    Listen {
        /// End after this many messages.
        #[arg(long, value_name = "N")]
        count: Option<u32>,
        /// End after this many seconds.
        #[arg(long, value_name = "SECONDS")]
        seconds: Option<u64>,
    },
    /// Members of a conversation; add or remove some.
    Members {
        conversation: String,
        #[arg(long, value_name = "OFFICIAL")]
        add: Vec<String>,
        #[arg(long, value_name = "OFFICIAL")]
        remove: Vec<String>,
    },
    /// What this device noticed that an honest server never does.
    Alarms,
    /// Administer the installation.
    Admin {
        #[command(subcommand)]
        command: AdminCommand,
    },
}

#[derive(Subcommand, Debug)]
pub enum DevicesCommand {
    /// List them (the default).
    List,
    /// Approve a device you have just enrolled, after comparing its code on both screens.
    Approve {
        device: DeviceId,
        /// The code shown by the new device; asked when left out.
        #[arg(long)]
        code: Option<String>,
    },
    /// Revoke a device of yours.
    Revoke { device: DeviceId },
}

#[derive(Subcommand, Debug)]
pub enum AdminCommand {
    /// Organisation tree.
    Units {
        #[command(subcommand)]
        command: UnitsCommand,
    },
    /// Posts and who holds them.
    Posts {
        #[command(subcommand)]
        command: PostsCommand,
    },
    /// Officials.
    Officials {
        #[command(subcommand)]
        command: OfficialsCommand,
    },
    /// SIM cards.
    Sims {
        #[command(subcommand)]
        command: SimsCommand,
    },
    /// The cellular network.
    Cellular {
        #[command(subcommand)]
        command: CellularCommand,
    },
    /// Propose device vouchers; another administrator approves.
    Vouchers {
        /// Officials: login names or ids.
        #[arg(required = true)]
        officials: Vec<String>,
        /// What the voucher is for.
        #[arg(long, value_enum, default_value_t = VoucherKind::First)]
        kind: VoucherKind,
        /// Days until it expires.
        #[arg(long, default_value_t = 14)]
        days: u32,
        /// Write one file a voucher here (USERNAME.voucher) instead of showing them.
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
    /// Acts that wait for a second administrator.
    Proposals {
        #[command(subcommand)]
        command: Option<ProposalsCommand>,
    },
    /// Propose a signed revocation of an official, a device or a SIM.
    Revoke {
        #[command(flatten)]
        subject: SubjectArgs,
    },
    /// Cut off at once, by the server only; a signed revocation should follow.
    Suspend {
        #[command(flatten)]
        subject: SubjectArgs,
    },
    /// Undo a suspension.
    Unsuspend {
        #[command(flatten)]
        subject: SubjectArgs,
    },
    /// Propose an appointment to a post, in the place of whoever holds it; another administrator approves.
    Appoint {
        post: PostId,
        /// Login name or id.
        official: String,
        /// Acting, until somebody is appointed.
        #[arg(long)]
        acting: bool,
        /// Days until it ends (at most 1830). Three years without it.
        #[arg(long)]
        days: Option<u32>,
    },
    /// Propose that the holder of a post holds it no longer.
    Vacate { post: PostId },
    /// Propose a role for an official, or its end.
    Role {
        official: String,
        #[arg(value_enum)]
        role: RoleArg,
        /// Take it away instead.
        #[arg(long)]
        end: bool,
    },
    /// The login side of an official.
    Account { official: String },
    /// The audit log.
    Audit {
        #[arg(long, default_value_t = 0)]
        after: i64,
        #[arg(long, default_value_t = 100)]
        limit: u32,
    },
}

#[derive(Subcommand, Debug)]
pub enum UnitsCommand {
    /// Show the tree.
    List,
    /// Add a unit.
    Add {
        #[arg(value_enum)]
        kind: UnitKindArg,
        /// Name in English.
        name: String,
        /// Name in Urdu.
        #[arg(long, default_value = "")]
        urdu: String,
        #[arg(long)]
        parent: Option<OrgUnitId>,
    },
}

#[derive(Subcommand, Debug)]
pub enum PostsCommand {
    /// Posts of a unit.
    List { unit: OrgUnitId },
    /// Add a post.
    Add {
        unit: OrgUnitId,
        /// Title in English.
        title: String,
        #[arg(long, default_value = "")]
        urdu: String,
        /// Basic pay scale, 1–22.
        #[arg(long)]
        grade: u8,
    },
    /// Show one.
    Show { post: PostId },
}

#[derive(Subcommand, Debug)]
pub enum OfficialsCommand {
    /// Add an official.
    Add {
        username: String,
        /// Full name in English.
        name: String,
        #[arg(long, default_value = "")]
        urdu: String,
        /// Rank or honorific.
        #[arg(long, default_value = "")]
        rank: String,
        #[arg(long, default_value = "")]
        rank_urdu: String,
    },
    /// Show one.
    Show { official: String },
}

#[derive(Subcommand, Debug)]
pub enum SimsCommand {
    /// Import a batch (CSV: iccid,imsi,algorithm,k,opc_or_topc). One bad row rejects the whole batch.
    Import { file: PathBuf },
    /// Make new cards: files for a card bureau or for programmable cards, in which the keys are encrypted, and the cards
    /// imported in the same act. Needs a vault with operator's constant and transport key.
    ///
    /// The same command again gives the same files, until they are written and the server was told so.
    Personalise(PersonaliseArgs),
    /// Tell the server that a batch's files are safe. `personalise` does so itself once it has written them.
    Received {
        /// Name of the batch.
        batch: String,
    },
    /// List them.
    List,
    /// Keys with which cards conceal their identity on the air (SUCI): list their public halves.
    SuciKeys,
    /// Make such a key, for new cards.
    NewSuciKey {
        /// Profile A (X25519) or B (secp256r1) of TS 33.501 Annex C.
        #[arg(value_parser = ["a", "b"], default_value = "a")]
        scheme: String,
    },
    /// New cards do not get this key any more; it still opens for those that have it.
    RetireSuciKey {
        /// Home network public key identifier.
        number: u8,
    },
}

#[derive(Subcommand, Debug)]
pub enum ProposalsCommand {
    /// Open ones (the default).
    List,
    /// Show what would be signed.
    Show { proposal: ProposalId },
    /// Sign and carry out.
    Approve { proposal: ProposalId },
    /// Withdraw.
    Withdraw { proposal: ProposalId },
}

#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
pub struct SubjectArgs {
    /// An official, with every device.
    #[arg(long)]
    pub official: Option<String>,
    /// One device.
    #[arg(long)]
    pub device: Option<DeviceId>,
    /// One SIM.
    #[arg(long, value_name = "SIM_ID")]
    pub card: Option<SimId>,
}

#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum VoucherKind {
    First,
    Additional,
    Recovery,
    Password,
    /// First device of a new administrator.
    Administrator,
}

#[derive(ValueEnum, Clone, Copy, Debug)]
pub enum UnitKindArg {
    Ministry,
    Division,
    Wing,
    Section,
}

#[derive(ValueEnum, Clone, Copy, Debug)]
pub enum RoleArg {
    DirectoryManager,
    SimManager,
    Auditor,
}

/// A conversation as typed: id, start of an id, or a login name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConversationRef {
    Id(GroupId),
    Text(String),
}

impl ConversationRef {
    pub fn parse(text: &str) -> Self {
        text.parse().map_or_else(|_| Self::Text(text.to_owned()), Self::Id)
    }
}

/// An official as typed: id or login name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OfficialRef {
    Id(OfficialId),
    Username(String),
}

impl OfficialRef {
    pub fn parse(text: &str) -> Self {
        text.parse().map_or_else(|_| Self::Username(text.to_lowercase()), Self::Id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
