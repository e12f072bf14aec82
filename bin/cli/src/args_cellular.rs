//! `pakawaaz admin cellular …`, as clap reads it.

use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Subcommand, Debug)]
pub enum CellularCommand {
    /// The network as a whole.
    Network {
        #[command(subcommand)]
        command: NetworkCommand,
    },
    /// gNBs: which are connected, which may connect, what their places are called.
    Gnbs {
        #[command(subcommand)]
        command: Option<GnbsCommand>,
    },
    /// Data networks (DNN) that phones can be connected with.
    Dnns {
        #[command(subcommand)]
        command: Option<DnnsCommand>,
    },
    /// Network slices.
    Slices {
        #[command(subcommand)]
        command: Option<SlicesCommand>,
    },
    /// Tracking areas, and what they are called.
    Tacs {
        #[command(subcommand)]
        command: Option<TacsCommand>,
    },
    /// Cards that may do something else than every card.
    Subscribers {
        #[command(subcommand)]
        command: Option<SubscribersCommand>,
    },
    /// Registered phones.
    Ues {
        /// Only the one with this card.
        imsi: Option<String>,
    },
    /// Sessions of registered phones, with their addresses.
    Sessions {
        /// Only those of the phone with this card.
        imsi: Option<String>,
    },
    /// What sessions have carried.
    Traffic {
        /// Only those of the phone with this card.
        imsi: Option<String>,
    },
    /// Have gNBs turn away a share of what phones ask for, while there is too much of it. It lasts until it is set to 0, or
    /// another process runs the core; `gnbs` shows it.
    Overload {
        /// By how many percent they reduce signalling; 0: not at all.
        #[arg(value_parser = clap::value_parser!(u8).range(0..=99))]
        percent: u8,
    },
    /// Have a phone leave the network. Nobody is logged out by it.
    Detach {
        /// The phone's card, by its IMSI.
        imsi: String,
        /// Tell it to register again.
        #[arg(long)]
        come_back: bool,
    },
    /// What one phone and the core say to each other, or all traces.
    ///
    /// It shows an official's movements: administrators only, and each use is in the audit log. A trace ends by itself after an
    /// hour. Without an IMSI: which traces there are.
    Trace {
        /// The phone's card, by its IMSI.
        #[arg(requires = "what")]
        imsi: Option<String>,
        #[command(flatten)]
        what: TraceArgs,
    },
    /// Alarms (TS 28.532), or clear one that somebody has seen to.
    Alarms {
        /// Clear this one.
        #[arg(long, value_name = "ALARM")]
        clear: Option<String>,
        /// Also those that are cleared.
        #[arg(long)]
        all: bool,
    },
}

#[derive(Args, Debug)]
#[group(id = "what", multiple = false, requires = "imsi")]
pub struct TraceArgs {
    /// Begin to write down its messages.
    #[arg(long)]
    pub on: bool,
    /// Write down no more; what there is can be read for another hour.
    #[arg(long)]
    pub off: bool,
    /// Show them as a ladder.
    #[arg(long)]
    pub show: bool,
    /// Write them as a capture file, which Wireshark opens.
    #[arg(long, value_name = "FILE")]
    pub pcap: Option<PathBuf>,
}

#[derive(Subcommand, Debug)]
pub enum NetworkCommand {
    /// Show it. With --json, what `set --file` takes.
    Show,
    /// Change it.
    Set(Box<NetworkChange>),
}

#[derive(Args, Debug)]
#[group(required = true, multiple = true)]
pub struct NetworkChange {
    /// Everything, from a JSON file; what else is given changes that.
    #[arg(long)]
    pub file: Option<PathBuf>,
    /// Country and network code, such as 410-99.
    #[arg(long)]
    pub plmn: Option<String>,
    /// Name told to gNBs.
    #[arg(long)]
    pub amf_name: Option<String>,
    /// AMF region; differs by site.
    #[arg(long, value_name = "NUMBER")]
    pub amf_region: Option<u8>,
    /// AMF set, up to 1023.
    #[arg(long, value_name = "NUMBER")]
    pub amf_set: Option<u16>,
    /// AMF pointer, up to 63; differs by site where region and set are the same.
    #[arg(long, value_name = "NUMBER")]
    pub amf_pointer: Option<u8>,
    /// Name that phones show.
    #[arg(long)]
    pub full_name: Option<String>,
    /// Integrity algorithms by preference: nia1 to nia3.
    #[arg(long, value_delimiter = ',')]
    pub integrity: Vec<String>,
    /// Ciphering algorithms by preference: nea1 to nea3.
    #[arg(long, value_delimiter = ',')]
    pub ciphering: Vec<String>,
    /// How phones prove themselves.
    #[arg(long, value_parser = ["5g-aka", "eap-aka-prime"])]
    pub authentication: Option<String>,
    /// How often an idle phone reports.
    #[arg(long, value_name = "SECONDS")]
    pub t3512: Option<u32>,
    /// How long after a missed report a phone is taken for gone.
    #[arg(long, value_name = "SECONDS")]
    pub implicit_deregistration: Option<u32>,
}

#[derive(Subcommand, Debug)]
pub enum GnbsCommand {
    /// Connected ones, and those that may connect (the default).
    List,
    /// Let a gNB connect.
    Allow {
        /// Its identity.
        id: u32,
        /// Bits of the identity.
        #[arg(long, default_value_t = 24)]
        bits: u8,
        /// Tracking areas that it may serve.
        #[arg(long = "tac", required = true)]
        tacs: Vec<u32>,
        #[command(flatten)]
        place: PlaceArgs,
    },
    /// Name the place that it stands for, as officials are shown it. Without a name: its cells are shown by their number.
    Name {
        /// Its identity.
        id: u32,
        /// Bits of the identity.
        #[arg(long, default_value_t = 24)]
        bits: u8,
        /// In English, at most 64 characters.
        place: Option<String>,
        /// In Urdu.
        #[arg(requires = "place")]
        urdu: Option<String>,
    },
    /// Let it connect no more; it is disconnected.
    Forbid {
        /// Its identity.
        id: u32,
        /// Bits of the identity.
        #[arg(long, default_value_t = 24)]
        bits: u8,
    },
}

#[derive(Subcommand, Debug)]
pub enum DnnsCommand {
    /// Show them (the default).
    List,
    /// What their phones may reach, as the user plane enforces it; all else is refused. It changes with the file that is signed
    /// for the user plane.
    Allowed {
        /// Only of this one.
        name: Option<String>,
    },
    /// Add one.
    Add {
        /// Its name, which must be in the user plane's allow-list as well.
        name: String,
        /// Addresses for phones, such as 10.46.0.0/16.
        #[arg(long)]
        ipv4: Option<String>,
        /// Each phone gets a /64 of it, such as fd00:46::/48.
        #[arg(long)]
        ipv6: Option<String>,
        #[command(flatten)]
        slice: SliceArgs,
        /// Name server told to phones.
        #[arg(long)]
        dns: Vec<String>,
        /// Largest packet told to phones, in bytes.
        #[arg(long, default_value_t = 1400)]
        mtu: u16,
        /// Standardised QoS characteristics of the default flow.
        #[arg(long, default_value_t = 9)]
        five_qi: u8,
        /// Most that a session may carry each way, Mbit/s.
        #[arg(long, default_value_t = 100)]
        mbits: u64,
        /// Keep the session whenever the phone is registered.
        #[arg(long)]
        always_on: bool,
    },
    /// Take one away; its sessions end.
    Remove {
        /// Its name.
        name: String,
    },
}

#[derive(Args, Debug)]
pub struct SliceArgs {
    /// Slice or service type.
    #[arg(long, default_value_t = 1)]
    pub sst: u8,
    /// Slice differentiator: six hexadecimal digits.
    #[arg(long)]
    pub sd: Option<String>,
}

#[derive(Subcommand, Debug)]
pub enum SlicesCommand {
    /// Show them (the default).
    List,
    /// Add one.
    Add(SliceArgs),
    /// Take one away.
    Remove(SliceArgs),
}

#[derive(Subcommand, Debug)]
pub enum TacsCommand {
    /// Show them (the default).
    List,
    /// Add one.
    Add {
        /// Its code, 1 to 16777213.
        tac: u32,
        #[command(flatten)]
        place: PlaceArgs,
    },
    /// Name one, as officials are shown it. Without a name: it is shown by its number.
    Name {
        /// Its code.
        tac: u32,
        /// In English, at most 64 characters.
        place: Option<String>,
        /// In Urdu.
        #[arg(requires = "place")]
        urdu: Option<String>,
    },
    /// Take one away.
    Remove {
        /// Its code.
        tac: u32,
    },
}

/// The name of a place.
#[derive(Args, Debug)]
pub struct PlaceArgs {
    /// Name of the place, as officials are shown it: English, at most 64 characters.
    #[arg(long)]
    pub place: Option<String>,
    /// The same in Urdu.
    #[arg(long, requires = "place")]
    pub place_ur: Option<String>,
}

#[derive(Subcommand, Debug)]
pub enum SubscribersCommand {
    /// Show them (the default).
    List,
    /// Show one.
    Show {
        /// The card, by its IMSI.
        imsi: String,
    },
    /// Say what a card may do, in the place of what was said before.
    Set {
        /// The card, by its IMSI.
        imsi: String,
        /// Data networks, the default one first; none: all.
        #[arg(long = "dnn")]
        dnns: Vec<String>,
        /// Always this address in the first data network; it must be in its pool. One that was given before stays.
        #[arg(long, requires = "dnns", value_name = "ADDRESS")]
        ipv4: Option<String>,
        /// Always this /64 in the first data network, such as fd00:45:0:9::.
        #[arg(long, requires = "dnns", value_name = "PREFIX")]
        ipv6: Option<String>,
        /// Most that all its sessions may carry each way, Mbit/s; none: as every card.
        #[arg(long)]
        mbits: Option<u64>,
    },
    /// Refuse the card: its phone is detached, and its owner's logins end.
    Block {
        /// The card, by its IMSI.
        imsi: String,
    },
    /// Take it again.
    Unblock {
        /// The card, by its IMSI.
        imsi: String,
    },
    /// Bind a card to equipment. What a phone says of itself proves nothing.
    BindImei {
        /// The card, by its IMSI.
        imsi: String,
        /// IMEI of each phone that may use the card, 14 to 16 digits; none: any phone may.
        imei: Vec<String>,
    },
}
