//! Administration of the cellular network: what operators decide, and what they see.
//!
//! Names are those of the specifications: PLMN, TAC, DNN, S-NSSAI (TS 23.003), alarms by TS 28.532.

use crate::directory::BilingualName;
use pakawaaz_base::{Bytes, Millis};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Bits per second of both directions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CellularRates {
    /// From the phone.
    pub uplink: u64,
    /// To the phone.
    pub downlink: u64,
}

/// A network slice (S-NSSAI, TS 23.003 §28.4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CellularSlice {
    /// Slice or service type.
    pub sst: u8,
    /// Slice differentiator: six hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sd: Option<String>,
}

/// A data network (DNN) that phones can be connected with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CellularDataNetwork {
    /// Its name, which also names an allow-list of the user plane.
    pub name: String,
    /// Slice it belongs to.
    pub slice: CellularSlice,
    /// Addresses for phones, such as `10.45.0.0/16`.
    #[serde(default)]
    pub ipv4_pool: Option<String>,
    /// Each phone gets a /64 of it, such as `fd00:45::/48`.
    #[serde(default)]
    pub ipv6_pool: Option<String>,
    /// Name servers told to phones.
    #[serde(default)]
    pub dns: Vec<String>,
    /// Largest packet told to phones, in bytes.
    pub mtu: u16,
    /// Standardised QoS characteristics of the default flow (TS 23.501 table 5.7.4-1).
    pub five_qi: u8,
    /// Most that a session's flows without guarantee may carry together.
    pub ambr: CellularRates,
    /// Keep the session whenever the phone is registered.
    #[serde(default)]
    pub always_on: bool,
}

/// A gNB that may connect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CellularGnb {
    /// Its identity.
    pub id: u32,
    /// Bits of its identity, 22 to 32.
    pub bits: u8,
    /// Tracking areas that it may serve.
    pub tacs: Vec<u32>,
    /// The place that it stands for, as officials and operators are shown it; none: its cells are shown by their number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<BilingualName>,
}

/// A tracking area that has a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CellularArea {
    /// Which.
    pub tac: u32,
    /// What it is called.
    pub place: BilingualName,
}

/// How long a phone may be silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CellularTimers {
    /// How often an idle phone reports (T3512), seconds.
    pub t3512_seconds: u32,
    /// How long after a missed report it is taken for gone, seconds.
    pub implicit_deregistration_seconds: u32,
}

/// What operators decide about the network: one document, changed as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CellularNetwork {
    /// Country and network code, such as `410-99`.
    pub plmn: String,
    /// Name told to gNBs.
    pub amf_name: String,
    /// AMF region; differs by site.
    pub amf_region: u8,
    /// AMF set, 10 bits.
    pub amf_set: u16,
    /// AMF pointer, 6 bits.
    pub amf_pointer: u8,
    /// Name that phones show.
    pub full_name: String,
    /// Tracking areas, 24 bits each; all of them are one registration area.
    pub tacs: Vec<u32>,
    /// Names of tracking areas; one that is not here is shown by its number.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub areas: Vec<CellularArea>,
    /// Slices, the default one first.
    pub slices: Vec<CellularSlice>,
    /// Data networks, the default one first.
    pub data_networks: Vec<CellularDataNetwork>,
    /// gNBs that may connect; no other may.
    pub gnbs: Vec<CellularGnb>,
    /// Integrity algorithms by preference: `nia1`, `nia2`, `nia3`. There is no null algorithm to name.
    pub integrity: Vec<String>,
    /// Ciphering algorithms by preference: `nea1`, `nea2`, `nea3`.
    pub ciphering: Vec<String>,
    /// How phones prove themselves: `5g-aka` or `eap-aka-prime`.
    pub authentication: String,
    /// Most that all sessions of one phone may carry together, where its subscriber has no other value.
    pub ue_ambr: CellularRates,
    /// Timers.
    pub timers: CellularTimers,
}

/// `GET /v1/admin/cellular/network`, and the answer to `PUT`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CellularNetworkState {
    /// Counts changes; 0 until somebody has decided something.
    pub version: i64,
    /// The decisions in force.
    pub network: CellularNetwork,
    /// What the node that answers is to the core.
    #[serde(default)]
    pub core: CellularCore,
}

/// What a node is to the 5G core.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CellularCore {
    /// It runs none.
    #[default]
    Off,
    /// Another node runs it; this one takes over when that one falls silent.
    Standby,
    /// It runs here.
    Active,
}

/// `PUT /v1/admin/cellular/network`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SetCellularNetworkRequest {
    /// Version that the change was made from.
    pub version: i64,
    /// Everything.
    pub network: CellularNetwork,
}

/// One data network of a subscriber.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CellularSubscribedNetwork {
    /// Its name.
    pub name: String,
    /// Always the same address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ipv4: Option<String>,
    /// Always the same /64, written as its first address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ipv6: Option<String>,
    /// Other rates than the data network's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ambr: Option<CellularRates>,
}

/// What a card may do in the network. A card without such a record may use every slice and data network.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CellularProfile {
    /// Slices, the default one first; none: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slices: Option<Vec<CellularSlice>>,
    /// Data networks, the default one first; none: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_networks: Option<Vec<CellularSubscribedNetwork>>,
    /// Most that all its sessions may carry together; none: the network's value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ue_ambr: Option<CellularRates>,
    /// Equipment that may use the card: 14 digits each (IMEI without check digit); empty: any. What a phone says of itself
    /// proves nothing.
    #[serde(default)]
    pub equipment: Vec<String>,
    /// Registration is refused.
    #[serde(default)]
    pub blocked: bool,
}

/// A card with its own profile. `PUT /v1/admin/cellular/subscribers` takes the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CellularSubscriber {
    /// The card.
    pub imsi: String,
    /// What it may do.
    pub profile: CellularProfile,
}

/// `POST /v1/admin/cellular/subscribers/query` and `…/ues/query`: a page, or one card. A question by POST, because
/// identities of cards do not belong into addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CellularQuery {
    /// Only this card.
    #[serde(default)]
    pub imsi: Option<String>,
    /// Only those after this one.
    #[serde(default)]
    pub after: Option<String>,
    /// At most so many, 1 to 1000; none: 100.
    #[serde(default)]
    pub limit: Option<u32>,
}

/// Answer to `POST /v1/admin/cellular/subscribers/query`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CellularSubscriberList {
    /// By IMSI.
    pub subscribers: Vec<CellularSubscriber>,
    /// There are more.
    pub more: bool,
}

/// `POST /v1/admin/cellular/detach`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CellularDetachRequest {
    /// Whom.
    pub imsi: String,
    /// Whether the phone is told to register again.
    pub come_back: bool,
}

/// An association with a gNB.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CellularGnbState {
    /// Address of the other end.
    pub peer: String,
    /// NG setup has succeeded.
    pub ready: bool,
    /// Its identity, once it has said it and is on the list.
    pub id: Option<u32>,
    /// Bits of the identity.
    pub bits: Option<u8>,
    /// Its name, as it says.
    pub name: String,
    /// The place that it stands for, as administrators say.
    #[serde(default)]
    pub place: Option<BilingualName>,
    /// Tracking areas of ours that it serves.
    pub tacs: Vec<u32>,
    /// Phones that are connected through it.
    pub connected: u64,
}

/// `GET /v1/admin/cellular/gnbs`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CellularGnbList {
    /// Those that are connected now.
    pub gnbs: Vec<CellularGnbState>,
    /// By how many percent they are asked to reduce signalling; 0: they are not.
    #[serde(default)]
    pub overload: u8,
}

/// `GET /v1/admin/cellular/allow-lists`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CellularAllowLists {
    /// Whether the user plane is there; if it is not, nobody knows what is in force.
    pub user_plane: bool,
    /// What phones may reach, by data network. Where a data network has none, its phones get no session.
    pub lists: Vec<CellularAllowList>,
}

/// What phones of one data network may reach; they reach nothing else. It is changed by signing another file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CellularAllowList {
    /// The data network.
    pub dnn: String,
    /// Number of the signed file that is in force.
    pub serial: u64,
    /// Where its phones' addresses are from; the first 64.
    pub phones: Vec<String>,
    /// Name servers, reached on port 53 without an entry; the first 64.
    pub resolvers: Vec<String>,
    /// Largest packet of a phone, in bytes.
    pub mtu: u16,
    /// Entries.
    pub allow: Vec<CellularAllow>,
}

/// One entry of an allow-list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CellularAllow {
    /// For people: which service it is.
    pub about: String,
    /// Where it is, such as `10.99.0.10/32`.
    pub networks: Vec<String>,
    /// `tcp`, `udp` or `echo`.
    pub protocol: String,
    /// Ports and ranges of ports, such as `443` and `8443-8444`; none for `echo`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ports: Vec<String>,
}

/// `POST /v1/admin/cellular/overload`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CellularOverloadRequest {
    /// By how many percent gNBs reduce signalling, 0 to 99; 0: not at all.
    pub percent: u8,
}

/// What a session has carried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CellularTraffic {
    /// Packets from the phone that went on.
    pub uplink_packets: u64,
    /// Their bytes.
    pub uplink_bytes: u64,
    /// Packets sent to the phone.
    pub downlink_packets: u64,
    /// Their bytes.
    pub downlink_bytes: u64,
    /// Packets that the allow-list or the session's rules refused.
    pub refused_packets: u64,
    /// Packets above the rates.
    pub policed_packets: u64,
}

/// A session of a phone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CellularSession {
    /// PDU session identity.
    pub psi: u8,
    /// Data network.
    pub dnn: String,
    /// Slice.
    pub slice: CellularSlice,
    /// Address.
    pub ipv4: Option<String>,
    /// Prefix, a /64.
    pub ipv6: Option<String>,
    /// The phone has it.
    pub active: bool,
    /// A gNB carries it now.
    pub carried: bool,
    /// Since.
    pub since: Millis,
    /// What it has carried until now; as the user plane last said, when it does not answer.
    pub traffic: CellularTraffic,
}

/// A registered phone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CellularUe {
    /// Its card.
    pub imsi: String,
    /// The equipment it claims to be.
    pub pei: Option<String>,
    /// Cell where it was heard the last time (NR cell identity, nine hexadecimal digits).
    pub cell: Option<String>,
    /// The place that the cell's gNB stands for, if it has a name.
    #[serde(default)]
    pub place: Option<BilingualName>,
    /// Tracking area of that cell.
    pub tac: Option<u32>,
    /// Its name, if it has one.
    #[serde(default)]
    pub area: Option<BilingualName>,
    /// What it is doing: `idle`, `paging`, `connected`, `releasing`, or the procedure that is going on.
    pub state: String,
    /// Registered since.
    pub since: Millis,
    /// Heard the last time, protected.
    pub seen: Millis,
    /// Its sessions.
    pub sessions: Vec<CellularSession>,
}

/// Answer to `POST /v1/admin/cellular/ues/query`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CellularUeList {
    /// By IMSI.
    pub ues: Vec<CellularUe>,
    /// There are more.
    pub more: bool,
}

/// `POST /v1/admin/cellular/traces/start` and `…/stop`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CellularTraceRequest {
    /// Whose phone.
    pub imsi: String,
}

/// `POST /v1/admin/cellular/traces/read`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CellularTraceReadRequest {
    /// Whose phone.
    pub imsi: String,
    /// Also as a capture file.
    #[serde(default)]
    pub capture: bool,
}

/// A trace of one phone's procedures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CellularTraceState {
    /// Whose phone.
    pub imsi: String,
    /// It goes on.
    pub on: bool,
    /// When it began.
    pub began: Millis,
    /// When it ends by itself, or has ended.
    pub until: Millis,
    /// Messages that are held.
    pub count: u64,
    /// Older ones that had to make room.
    pub dropped: u64,
}

/// `GET /v1/admin/cellular/traces`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CellularTraceList {
    /// By IMSI: those that go on, and those that can still be read.
    pub traces: Vec<CellularTraceState>,
}

/// One message of a traced phone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CellularTraceMessage {
    /// When it was seen.
    pub at: Millis,
    /// To the phone.
    pub downlink: bool,
    /// The NGAP procedure, and the NAS message in it: `InitialContextSetup: RegistrationAccept`.
    pub name: String,
}

/// Answer to `POST /v1/admin/cellular/traces/read`. Nothing in it is a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CellularTrace {
    /// Of what.
    pub state: CellularTraceState,
    /// In order.
    pub messages: Vec<CellularTraceMessage>,
    /// The same for people, a line each.
    pub ladder: String,
    /// The whole messages as a capture file (libpcap), readable NAS inside; only when it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capture: Option<Bytes>,
}

/// An alarm with the attributes of an `AlarmRecord` (TS 28.532 §11.2.2, TS 28.111); `count` is ours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CellularAlarm {
    /// Identity of the alarm.
    pub alarm_id: String,
    /// What it concerns, as a distinguished name.
    pub object_instance: String,
    /// `COMMUNICATIONS_ALARM`, `SECURITY_SERVICE_OR_MECHANISM_VIOLATION`, …
    pub alarm_type: String,
    /// Probable cause (ITU-T X.733, TS 32.111-2 Annex B).
    pub probable_cause: String,
    /// `CRITICAL`, `MAJOR`, `MINOR`, `WARNING`; `CLEARED` when it is over.
    pub perceived_severity: String,
    /// When it was raised.
    pub alarm_raised_time: Millis,
    /// When it was last seen.
    pub alarm_changed_time: Millis,
    /// When it was cleared.
    pub alarm_cleared_time: Option<Millis>,
    /// What happened.
    pub specific_problem: String,
    /// How often it was seen.
    pub count: i64,
}

/// `GET /v1/admin/cellular/alarms`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CellularAlarmList {
    /// Newest first: all that are not cleared, and the last of those that are.
    pub alarms: Vec<CellularAlarm>,
}
