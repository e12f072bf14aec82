//! What an operator decides about the network.

use oxirush_security::Plmn;
use pakawaaz_user_plane::rules::{BitRates, IpNet};
use std::time::Duration;

/// Single network slice selection assistance information (TS 23.003 §28.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Snssai {
    /// Slice or service type.
    pub sst: u8,
    /// Slice differentiator, 24 bits.
    pub sd: Option<u32>,
}

/// Integrity algorithms (TS 33.501 §5.11.1.2). There is no null algorithm to choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Integrity {
    /// 128-NIA1 (SNOW 3G).
    Nia1,
    /// 128-NIA2 (AES-CMAC).
    Nia2,
    /// 128-NIA3 (ZUC).
    Nia3,
}

/// Ciphering algorithms (TS 33.501 §5.11.1.1). There is no null algorithm to choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ciphering {
    /// 128-NEA1 (SNOW 3G).
    Nea1,
    /// 128-NEA2 (AES-CTR).
    Nea2,
    /// 128-NEA3 (ZUC).
    Nea3,
}

/// How phones prove themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AuthenticationMethod {
    /// 5G AKA (TS 33.501 §6.1.3.2).
    FiveGAka,
    /// EAP-AKA' (TS 33.501 §6.1.3.1, RFC 9048).
    EapAkaPrime,
}

/// A data network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataNetwork {
    /// Its name (DNN).
    pub name: String,
    /// Slice it belongs to.
    pub slice: Snssai,
    /// Addresses for phones; none: no IPv4.
    pub ipv4_pool: Option<IpNet>,
    /// /64 prefixes for phones are taken from here; none: no IPv6.
    pub ipv6_pool: Option<IpNet>,
    /// Name servers told to phones.
    pub dns: Vec<std::net::IpAddr>,
    /// Largest packet told to phones.
    pub mtu: u16,
    /// Standardised QoS characteristics of the default flow.
    pub default_five_qi: u8,
    /// Most the session's flows without guarantee may carry together.
    pub ambr: BitRates,
    /// Keep the session whenever the phone is registered (TS 23.501 §5.6.13).
    pub always_on: bool,
}

/// A gNB that may connect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowedGnb {
    /// Its identity (value and number of bits, 22 to 32).
    pub id: (u32, u8),
    /// Tracking areas it may serve.
    pub tacs: Vec<u32>,
}

/// Network timers (TS 24.501 table 10.2.2, TS 23.502).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timers {
    /// Registration accept repeated.
    pub t3550: Duration,
    /// Authentication and security mode command repeated.
    pub t3560: Duration,
    /// Identity request repeated.
    pub t3570: Duration,
    /// Configuration update command repeated.
    pub t3555: Duration,
    /// Deregistration request repeated.
    pub t3522: Duration,
    /// Paging repeated.
    pub t3513: Duration,
    /// Session modification command repeated.
    pub t3591: Duration,
    /// Session release command repeated.
    pub t3592: Duration,
    /// How often an idle phone reports.
    pub t3512: Duration,
    /// How long after a missed report the phone is deregistered (implicit deregistration, starts with mobile reachable).
    pub implicit_deregistration: Duration,
    /// An association whose gNB is not set up by then is closed.
    pub ng_setup: Duration,
    /// A gNB answers within this time or the procedure has failed.
    pub ngap: Duration,
    /// What the vault or the user plane does not answer has failed.
    pub internal: Duration,
    /// A connection without a registered phone ends.
    pub unregistered: Duration,
}

impl Default for Timers {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            t3550: seconds(6),
            t3560: seconds(6),
            t3570: seconds(6),
            t3555: seconds(6),
            t3522: seconds(6),
            t3513: seconds(6),
            t3591: seconds(16),
            t3592: seconds(16),
            t3512: seconds(54 * 60),
            implicit_deregistration: seconds(8 * 60),
            ng_setup: seconds(20),
            ngap: seconds(10),
            internal: seconds(10),
            unregistered: seconds(30),
        }
    }
}

/// Bounds, so that nobody outside decides how much memory is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Associations.
    pub associations: usize,
    /// Associations of one host whose gNB is not set up.
    pub waiting_per_host: usize,
    /// Phones of one association that are not authenticated yet.
    pub unauthenticated_per_association: usize,
    /// Phones in all.
    pub ues: usize,
    /// Sessions of one phone.
    pub sessions_per_ue: usize,
    /// Requests to the vault on their way; beyond that, phones are told to come back (T3346).
    pub vault_requests: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            associations: 1024,
            waiting_per_host: 32,
            unauthenticated_per_association: 4096,
            ues: 200_000,
            sessions_per_ue: 4,
            vault_requests: 4096,
        }
    }
}

/// The whole of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// The one network we serve.
    pub plmn: Plmn,
    /// AMF name told to gNBs.
    pub amf_name: String,
    /// AMF region, set (10 bits) and pointer (6 bits); differ by site.
    pub amf: (u8, u16, u8),
    /// Relative capacity told to gNBs.
    pub capacity: u8,
    /// Full name in the configuration update command.
    pub full_name: String,
    /// Tracking areas; all of them are one registration area.
    pub tacs: Vec<u32>,
    /// Slices, the default one first.
    pub slices: Vec<Snssai>,
    /// Data networks, the default one first.
    pub data_networks: Vec<DataNetwork>,
    /// gNBs that may connect.
    pub gnbs: Vec<AllowedGnb>,
    /// By preference.
    pub integrity: Vec<Integrity>,
    /// By preference.
    pub ciphering: Vec<Ciphering>,
    /// How phones prove themselves: what the vault is asked for. A card may be set otherwise, and the vault's answer decides.
    pub method: AuthenticationMethod,
    /// Timers.
    pub timers: Timers,
    /// Bounds.
    pub limits: Limits,
}
