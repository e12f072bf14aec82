//! Officials with devices, enrolled over the public interface only: two administrators, cards, directory entries,
//! vouchers under dual control, enrolment, three-factor login.

use crate::clock;
use crate::memory::Memory;
use crate::server::{ADMINISTRATORS, Server};
use crate::tap::{Mode, Tap, Tapped};
use anyhow::{Context as _, Result, ensure};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use pakawaaz_aka::{Algorithm, Iccid, Imsi, SoftwareSim, SoftwareUsim};
use pakawaaz_base::{Assurance, OfficialId};
use pakawaaz_client::vault::PinCost;
use pakawaaz_client::{Client, ClientError, EnrolOptions};
use pakawaaz_client_native::transport::NativeSocket;
use pakawaaz_client_native::{NativePlatform, NativeTransport, ServerAddress};
use pakawaaz_contract::directory::{BilingualName, CreateOfficialRequest};
use pakawaaz_contract::identity::ChannelMode;
use pakawaaz_login::KsfParams;
use pakawaaz_trust::{GrantKind, Voucher};
use rand::RngCore as _;
use std::cell::RefCell;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;
use zeroize::Zeroizing;

/// Requests under way at a time while enrolling.
const AT_A_TIME: usize = 16;
/// Vouchers in one proposal.
const VOUCHERS_AT_A_TIME: usize = 200;
const PIN: &str = "246810";
const PASSWORD: &str = "a password for load";

/// A whole client, in memory.
pub type LoadClient = Client<Memory, Tapped, NativePlatform>;

/// One official's device.
pub struct Device {
    /// The client.
    pub client: LoadClient,
    /// Its transport's tap.
    pub tap: Rc<Tap>,
    /// Its official.
    pub official: OfficialId,
    usim: RefCell<SoftwareUsim>,
}

impl Device {
    async fn enrol(voucher: Voucher, sim: SoftwareSim) -> Result<Self> {
        let tap = Rc::new(Tap::default());
        let transport = NativeTransport::new(ServerAddress::parse(&voucher.url)?, voucher.ca_pin)?;
        let mut secret = Zeroizing::new([0u8; 32]);
        rand::rngs::OsRng.fill_bytes(&mut *secret);
        let client =
            Client::new(Memory::default(), Tapped::new(transport, Rc::clone(&tap)), NativePlatform::new(secret));
        let mut usim = SoftwareUsim::new(sim);
        let options = EnrolOptions {
            voucher,
            pin: Zeroizing::new(PIN.to_owned()),
            password: Some(Zeroizing::new(PASSWORD.to_owned())),
            label: "load".to_owned(),
            channel: ChannelMode::Loopback,
            assurance: Assurance::SoftwareNative,
            // The client's own stretching is not what is measured.
            pin_cost: PinCost { memory_kib: 8, passes: 1 },
            ksf: KsfParams::CHEAP,
        };
        let enrolled = client.enrol(options, &mut usim).await.context("enrolling")?;
        let device = Self { client, tap, official: enrolled.official, usim: RefCell::new(usim) };
        device.login().await.context("first login")?;
        Ok(device)
    }

    /// All three factors.
    pub async fn login(&self) -> Result<(), ClientError> {
        // A copy, so that the card is not borrowed while waiting; one device logs in once at a time.
        let mut usim = self.usim.borrow().clone();
        let done = self.client.login(PASSWORD, &mut usim).await;
        *self.usim.borrow_mut() = usim;
        done
    }

    /// A copy of its card, for a phone. It hears other parts of the network's sequence numbers than the one that logs in.
    pub fn card(&self) -> SoftwareUsim {
        self.usim.borrow().clone()
    }

    /// Connects by token and takes the socket over once the server says Ready.
    pub async fn socket(&self) -> Result<NativeSocket> {
        self.tap.mode.set(Mode::HandOver);
        let ended = self.client.sync_once(&mut |_| {}).await;
        self.tap.mode.set(Mode::Through);
        match (self.tap.socket.borrow_mut().take(), ended) {
            (Some(socket), _) => Ok(socket),
            (None, Err(e)) => Err(e).context("connecting"),
            (None, Ok(())) => anyhow::bail!("the connection ended before it was ready"),
        }
    }

    /// Synchronises as a client does.
    pub async fn sync(&self) -> Result<(), ClientError> {
        patiently(|| async { self.client.sync_once(&mut |_| {}).await }).await
    }
}

/// A running server with officials.
pub struct City {
    /// The server.
    pub server: Server,
    /// First administrator.
    pub first: Device,
    /// Second administrator.
    pub second: Device,
    /// Officials with a device each.
    pub officials: Vec<Rc<Device>>,
}

impl City {
    /// `count` officials, each with a device that is logged in. `within`: folder for the server's data.
    pub async fn build(count: usize, within: Option<&Path>) -> Result<Self> {
        Self::build_with(count, within, Vec::new()).await
    }

    /// The same with more settings for the server.
    pub async fn build_with(count: usize, within: Option<&Path>, settings: Vec<(String, String)>) -> Result<Self> {
        let (cards, csv) = cards(0, 2)?;
        let mut server = Server::init(&csv, within, settings)?;
        server.start()?;
        let mut administrators = Vec::new();
        for (name, card) in ADMINISTRATORS.iter().zip(cards) {
            let voucher = Voucher::from_text(&server.voucher(name)?)?;
            administrators.push(Device::enrol(voucher, card).await.context("an administrator")?);
        }
        let second = administrators.pop().context("two administrators")?;
        let first = administrators.pop().context("two administrators")?;
        let mut city = Self { server, first, second, officials: Vec::new() };
        city.enrol(count).await?;
        Ok(city)
    }

    /// `count` more cards, from serial number `first` on, that are nobody's.
    pub async fn spare_cards(&self, first: usize, count: usize) -> Result<Vec<SoftwareSim>> {
        let (cards, csv) = cards(first, count)?;
        patiently(|| self.first.client.import_sims(csv.as_bytes())).await.context("importing cards")?;
        Ok(cards)
    }

    async fn enrol(&mut self, count: usize) -> Result<()> {
        let (cards, csv) = cards(2, count)?;
        say(&format!("enrolling {count} officials: cards, directory"))?;
        patiently(|| self.first.client.import_sims(csv.as_bytes())).await.context("importing cards")?;
        let first = &self.first.client;
        let officials: Vec<OfficialId> = stream::iter(0..count)
            .map(|n| async move {
                let request = CreateOfficialRequest {
                    username: format!("official.{n}"),
                    name: BilingualName { en: format!("Official {n}"), ur: String::new() },
                    rank: BilingualName::default(),
                };
                patiently(|| first.create_official(&request)).await.map(|o| o.official)
            })
            .buffered(AT_A_TIME)
            .try_collect()
            .await
            .context("creating an official")?;
        if let Some(last) = officials.last() {
            self.known_to_identity(*last).await?;
        }
        let mut vouchers = Vec::with_capacity(count);
        let not_after = clock::wall().plus(Duration::from_secs(24 * 3600));
        for some in officials.chunks(VOUCHERS_AT_A_TIME) {
            let (proposal, made) =
                patiently(|| self.first.client.propose_vouchers(some, GrantKind::First, false, not_after))
                    .await
                    .context("proposing vouchers")?;
            patiently(|| self.second.client.approve_proposal(proposal.proposal)).await.context("approving vouchers")?;
            vouchers.extend(made.into_iter().map(|v| v.voucher));
        }
        ensure!(vouchers.len() == count, "a voucher for each official");
        say("enrolling devices, first login of each")?;
        let mut enrolling = stream::iter(vouchers.into_iter().zip(cards))
            .map(|(voucher, card)| Device::enrol(voucher, card))
            .buffer_unordered(AT_A_TIME);
        while let Some(device) = enrolling.next().await {
            self.officials.push(Rc::new(device?));
            if self.officials.len().is_multiple_of(500) {
                say(&format!("{} of {count}", self.officials.len()))?;
            }
        }
        Ok(())
    }

    /// Identity hears of new officials from the directory a moment later, in order.
    async fn known_to_identity(&self, official: OfficialId) -> Result<()> {
        for _ in 0..600 {
            match patiently(|| self.first.client.account(official)).await {
                Err(ClientError::Refused { status: 404, .. }) => tokio::time::sleep(Duration::from_millis(100)).await,
                other => return other.map(|_| ()).context("asking for an account"),
            }
        }
        anyhow::bail!("identity has not heard of the new officials in a minute")
    }
}

/// Progress, on standard error.
pub fn say(what: &str) -> Result<()> {
    Ok(writeln!(std::io::stderr(), "… {what}")?)
}

/// Repeats what failed for a moment only.
async fn patiently<T, F>(mut attempt: impl FnMut() -> F) -> Result<T, ClientError>
where
    F: Future<Output = Result<T, ClientError>>,
{
    for _ in 0..40 {
        match attempt().await {
            Err(e) if e.is_temporary() => tokio::time::sleep(Duration::from_millis(100)).await,
            other => return other,
        }
    }
    attempt().await
}

/// `count` new Milenage cards from serial number `first`, and their batch file.
fn cards(first: usize, count: usize) -> Result<(Vec<SoftwareSim>, Zeroizing<String>)> {
    let mut csv = Zeroizing::new(String::from("iccid,imsi,algorithm,k,opc_or_topc\n"));
    let mut cards = Vec::with_capacity(count);
    for serial in first..first + count {
        let (k, opc) = (random_hex(), random_hex());
        let imsi = Imsi::new(format!("41099{serial:010}"))?;
        let iccid = Iccid::with_check_digit(&format!("89924199{serial:010}"))?;
        writeln!(csv, "{},{},milenage,{},{}", iccid.as_str(), imsi.as_str(), *k, *opc)?;
        cards.push(SoftwareSim { imsi, iccid, algorithm: Algorithm::milenage_from_hex(&k, &opc)? });
    }
    Ok((cards, csv))
}

fn random_hex() -> Zeroizing<String> {
    let mut bytes = Zeroizing::new([0u8; 16]);
    rand::rngs::OsRng.fill_bytes(&mut *bytes);
    let mut text = Zeroizing::new(String::with_capacity(32));
    for byte in *bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}
