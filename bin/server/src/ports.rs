//! One context's questions, answered by another: small adapters, no decisions.

use async_trait::async_trait;
use pakawaaz_aka::{AKid, NetworkName, UaStar};
use pakawaaz_base::{DeviceId, OfficialId, StableError as _};
use pakawaaz_cellular::ports::{AuthenticationMethod, VaultRefusal, VaultRequest, WhoIs};
use pakawaaz_cellular::{ApplicationKey, Cellular, DrawnVector, Expected, HomeNetwork};
use pakawaaz_contract::identity::DeviceStatus;
use pakawaaz_http::{CloseReason, Hub, Problem};
use pakawaaz_identity::ports::{NetworkPhone, PhoneKey, Phones, SeenPhone};
use pakawaaz_identity::{
    ActiveDevice, CoreExpected, CoreMethod, Error as IdentityError, HelloProof, Identity, SocketCloser, Subscriber,
};
use pakawaaz_messaging::{DeviceStanding, Devices, MessagingError, SocketAuth, SocketHello, SocketSession};
use std::net::IpAddr;

/// identity ends sockets through the hub.
pub struct Sockets(pub Hub);

impl SocketCloser for Sockets {
    fn close(&self, device: DeviceId, reason: CloseReason) {
        self.0.close(device, reason);
    }
}

/// identity answers messaging.
pub struct AskIdentity(pub Identity);

#[async_trait]
impl Devices for AskIdentity {
    async fn active_devices(&self, official: OfficialId) -> Result<Vec<DeviceId>, MessagingError> {
        let devices = self.0.active_devices(official).await.map_err(|_| MessagingError::Dependency)?;
        Ok(devices.into_iter().map(|device| device.device).collect())
    }

    async fn standings(&self, devices: &[DeviceId]) -> Result<Vec<DeviceStanding>, MessagingError> {
        let mut standings = Vec::with_capacity(devices.len());
        for device in devices {
            let found = self.0.device(*device).await.map_err(|_| MessagingError::Dependency)?;
            standings.extend(found.as_ref().map(standing));
        }
        Ok(standings)
    }
}

/// What is neither active nor revoked may not be a leaf now, whatever the reason.
fn standing(device: &ActiveDevice) -> DeviceStanding {
    let status = if device.revocation.is_some() {
        DeviceStatus::Revoked
    } else if device.active {
        DeviceStatus::Active
    } else {
        DeviceStatus::Suspended
    };
    DeviceStanding { device: device.device, official: device.official, status }
}

#[async_trait]
impl SocketAuth for AskIdentity {
    async fn authenticate_hello(&self, hello: SocketHello) -> Result<SocketSession, Problem> {
        let SocketHello { access_token, dpop, nonce, htu, .. } = &hello;
        let proof = HelloProof { access_token, dpop, nonce, uri: htu };
        // A socket outlives its access token: what ends the session ends the socket.
        let (actor, issued_at) = self.0.authenticate_hello(proof).await?;
        Ok(SocketSession { actor, issued_at })
    }

    fn check(&self, session: &SocketSession) -> Result<(), Problem> {
        Ok(self.0.still_live(&session.actor, session.issued_at)?)
    }
}

#[async_trait]
impl HomeNetwork for AskIdentity {
    async fn vector(&self, ask: VaultRequest) -> Result<DrawnVector, VaultRefusal> {
        let who = match ask.who {
            WhoIs::Suci(identity) => Subscriber::Concealed(identity),
            WhoIs::Imsi(imsi) => Subscriber::Imsi(imsi.as_str().to_owned()),
        };
        let method = match ask.method {
            AuthenticationMethod::FiveGAka => CoreMethod::FiveGAka,
            AuthenticationMethod::EapAkaPrime => CoreMethod::EapAkaPrime,
        };
        let network = NetworkName::new(&ask.serving_network).map_err(|_| VaultRefusal::Unavailable)?;
        let drawn = self.0.core_vector(&who, &network, method, ask.resynchronise).await.map_err(refusal)?;
        let expected = match drawn.expected {
            CoreExpected::FiveGAka(five) => Expected::FiveGAka { xres_star: five.xres_star, k_ausf: five.k_ausf },
            CoreExpected::EapAkaPrime { xres, k_aut, k_ausf } => Expected::EapAkaPrime { xres, k_aut, k_ausf },
        };
        Ok(DrawnVector { imsi: drawn.imsi, rand: drawn.rand, autn: drawn.autn, expected })
    }
}

fn refusal(error: IdentityError) -> VaultRefusal {
    match error {
        IdentityError::NotFound(_) => VaultRefusal::Unknown,
        IdentityError::SimUnavailable => VaultRefusal::Blocked,
        IdentityError::Concealed => VaultRefusal::BadSuci,
        IdentityError::SimRejected => VaultRefusal::BadAuts,
        IdentityError::Busy => VaultRefusal::TooMany,
        _ => VaultRefusal::Unavailable,
    }
}

/// cellular answers identity. What fails there is unknown here: the card itself proves as much.
pub struct AskCellular(pub Cellular);

#[async_trait]
impl Phones for AskCellular {
    fn exists(&self) -> bool {
        self.0.exists()
    }

    async fn application_key(&self, a_kid: &AKid, fqdn: &str, protocol: UaStar) -> Option<PhoneKey> {
        match self.0.application_key(a_kid, fqdn, protocol).await {
            Ok(found) => found.map(|found| {
                let ApplicationKey { imsi, key, proven_at, ends_at } = found;
                PhoneKey { imsi, key, proven_at, ends_at }
            }),
            Err(error) => {
                tracing::warn!(code = error.code(), "an application's key could not be looked up");
                None
            }
        }
    }

    async fn at(&self, address: IpAddr) -> Option<SeenPhone> {
        match self.0.phone_by_address(address).await {
            Ok(found) => found.map(|phone| SeenPhone { imsi: phone.imsi, pei: phone.pei }),
            Err(error) => {
                tracing::warn!(code = error.code(), "the phone at an address could not be looked up");
                None
            }
        }
    }

    async fn phone(&self, imsi: &str) -> Result<Option<NetworkPhone>, IdentityError> {
        let found = self.0.phone(imsi).await.map_err(|_| IdentityError::Busy)?;
        Ok(found.map(|phone| NetworkPhone {
            equipment: phone.pei,
            cell: phone.cell,
            place: phone.place,
            tac: phone.tac,
            area: phone.area,
            since: phone.since,
            seen: phone.seen,
        }))
    }
}
