//! A 5G core in the server under test, and a simulated gNB with phones against it. No user plane: phones register, and that
//! is all that is measured with them.

use crate::city::City;
use crate::clock;
use anyhow::{Context as _, Result, bail};
use oxirush_security::Plmn;
use pakawaaz_aka::SoftwareUsim;
use pakawaaz_contract::cellular::{CellularGnb, SetCellularNetworkRequest};
use pakawaaz_ransim::gnb::{GnbConfig, GnbEvent, PhoneId};
use pakawaaz_ransim::link::Links;
use pakawaaz_ransim::phone::{Concealment, Event, Phone, PhoneConfig};
use pakawaaz_ransim::world::{GnbId, Happened, World};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

/// Of the load's cards.
const PLMN: (&str, &str) = ("410", "99");
/// The first gNB.
pub const GNB: u32 = 1;
/// The tracking area.
pub const TAC: u32 = 1;
/// What has not happened then is an error.
const PATIENCE: Duration = Duration::from_secs(60);

/// Settings of a server with a core, and where its gNBs connect.
pub fn settings() -> Result<(Vec<(String, String)>, SocketAddr)> {
    let n2 = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let settings = [
        ("PAKAWAAZ_CELLULAR__ENABLED", "true".to_owned()),
        ("PAKAWAAZ_CELLULAR__N2", "framed".to_owned()),
        ("PAKAWAAZ_CELLULAR__N2_LISTEN", format!("[\"{n2}\"]")),
    ];
    Ok((settings.map(|(name, value)| (name.to_owned(), value)).to_vec(), n2))
}

/// An administrator sets the network up, with gNBs from number 1 on; what phones have to know of it.
pub async fn prepare(city: &City, gnbs: u32) -> Result<PhoneConfig> {
    let client = &city.first.client;
    let found = client.cellular_network().await.context("asking for the cellular network")?;
    let mut network = found.network;
    network.plmn = format!("{}-{}", PLMN.0, PLMN.1);
    network.gnbs = (GNB..GNB + gnbs).map(|id| CellularGnb { id, bits: 24, tacs: vec![TAC], place: None }).collect();
    let request = SetCellularNetworkRequest { version: found.version, network };
    client.set_cellular_network(&request).await.context("setting the cellular network up")?;
    let key = client.make_suci_key("a").await.context("a key for concealed identities")?;
    let public: String = key.public.0.iter().map(|byte| format!("{byte:02x}")).collect();
    let plmn = Plmn::new(PLMN.0, PLMN.1).ok().context("the network's number")?;
    Ok(PhoneConfig::new(plmn, Concealment::parse(&format!("a:{}:{public}", key.number))?))
}

/// One gNB with phones.
pub struct Radio {
    world: World<Links>,
    config: Arc<PhoneConfig>,
    gnb: GnbId,
}

impl Radio {
    /// An administrator sets the network up; the gNB connects.
    pub async fn connect(city: &City, core: SocketAddr) -> Result<Self> {
        let config = prepare(city, 1).await?;
        let plmn = config.plmn;
        let mut links = Links::default();
        links.add_framed(core).await.context("connecting the gNB")?;
        let mut world = World::new(links, 7);
        let gnb = world.add_gnb(GnbConfig::new(plmn, GNB, TAC, IpAddr::V4(Ipv4Addr::LOCALHOST)))?;
        let mut radio = Self { world, config: Arc::new(config), gnb };
        radio.until(|happened| matches!(happened, Happened::Gnb(_, GnbEvent::Ready { .. }))).await?;
        Ok(radio)
    }

    /// A phone with this card, registered.
    pub async fn phone(&mut self, card: SoftwareUsim) -> Result<PhoneId> {
        let phone = Phone::new(Arc::clone(&self.config), card, &format!("35000000{:08}", self.world.phones()))?;
        let now = clock::wall();
        let id = self.world.add_phone(phone, self.gnb, now)?;
        self.world.power_on(id, now);
        self.until(|happened| matches!(happened, Happened::Phone(of, Event::Registered { .. }) if *of == id)).await?;
        Ok(id)
    }

    /// The phone says goodbye, protected. It is on its way when this returns.
    pub fn deregister(&mut self, id: PhoneId) {
        // What the core has said meanwhile is heard first: it may have let the phone go idle.
        self.world.step(clock::wall());
        self.world.deregister(id, clock::wall());
    }

    /// Until the phone knows that it is not registered any more.
    pub async fn gone(&mut self, id: PhoneId) -> Result<()> {
        self.until(|happened| matches!(happened, Happened::Phone(of, Event::Deregistered(_)) if *of == id)).await
    }

    async fn until(&mut self, mut wanted: impl FnMut(&Happened) -> bool) -> Result<()> {
        let going = async {
            loop {
                self.world.step(clock::wall());
                if self.world.take_events().any(|happened| wanted(&happened)) {
                    return;
                }
                let due = self.world.deadline().map_or(Duration::from_secs(1), |at| at.since(clock::wall()));
                tokio::select! {
                    () = self.world.wire.wait() => {}
                    () = tokio::time::sleep(due.max(Duration::from_millis(1))) => {}
                }
            }
        };
        if tokio::time::timeout(PATIENCE, going).await.is_err() {
            bail!("the simulated phone does not come to where it should in {PATIENCE:?}");
        }
        Ok(())
    }
}
