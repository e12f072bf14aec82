//! EAP packets (RFC 3748 §4) as a server meets them: responses come in, requests and results go out.

use crate::RadiusError;

const REQUEST: u8 = 1;
const RESPONSE: u8 = 2;
const SUCCESS: u8 = 3;
const FAILURE: u8 = 4;
const TYPE_IDENTITY: u8 = 1;
const TYPE_NAK: u8 = 3;
const TYPE_AKA_PRIME: u8 = 50;

/// Subtypes of EAP-AKA' (RFC 4187 §11).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subtype {
    /// AKA-Challenge.
    Challenge,
    /// AKA-Authentication-Reject: the card refuses the network.
    AuthenticationReject,
    /// AKA-Synchronization-Failure.
    SynchronizationFailure,
    /// AKA-Identity.
    Identity,
    /// AKA-Notification.
    Notification,
    /// AKA-Client-Error.
    ClientError,
}

impl Subtype {
    const ALL: [(Self, u8); 6] = [
        (Self::Challenge, 1),
        (Self::AuthenticationReject, 2),
        (Self::SynchronizationFailure, 4),
        (Self::Identity, 5),
        (Self::Notification, 12),
        (Self::ClientError, 14),
    ];
    fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, n)| *n == number).map(|(subtype, _)| subtype)
    }
    fn number(self) -> u8 {
        Self::ALL.into_iter().find(|(subtype, _)| *subtype == self).map_or(0, |(_, n)| n)
    }
}

/// What a peer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content<'a> {
    /// EAP-Response/Identity. Anybody on the way may have changed it.
    Identity(&'a [u8]),
    /// It speaks no EAP-AKA', or something else altogether.
    OtherMethod,
    /// A message of EAP-AKA'.
    AkaPrime(Subtype, &'a [u8]),
}

/// A response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Response<'a> {
    /// Identifier of the request it answers.
    pub id: u8,
    /// The whole packet, for what is computed over it.
    pub packet: &'a [u8],
    /// What it says.
    pub content: Content<'a>,
}

/// Reads a response. What follows the packet's length is padding (RFC 3748 §4).
///
/// # Errors
/// [`RadiusError::Eap`].
pub fn read(bytes: &[u8]) -> Result<Response<'_>, RadiusError> {
    let [RESPONSE, id, high, low, ..] = *bytes else { return Err(RadiusError::Eap) };
    let length = usize::from(u16::from_be_bytes([high, low]));
    let packet = bytes.get(..length).ok_or(RadiusError::Eap)?;
    let content = match packet.get(4..).ok_or(RadiusError::Eap)? {
        [TYPE_IDENTITY, identity @ ..] => Content::Identity(identity),
        [TYPE_AKA_PRIME, subtype, _, _, attributes @ ..] => {
            Content::AkaPrime(Subtype::from_number(*subtype).ok_or(RadiusError::Eap)?, attributes)
        }
        [TYPE_AKA_PRIME, ..] | [] => return Err(RadiusError::Eap),
        [TYPE_NAK, ..] | [..] => Content::OtherMethod,
    };
    Ok(Response { id, packet, content })
}

/// EAP-Request/Identity.
pub fn identity_request(id: u8) -> Vec<u8> {
    vec![REQUEST, id, 0, 5, TYPE_IDENTITY]
}

/// A request of EAP-AKA'; `attributes` are whole words and fit (RFC 4187 §8.1).
pub(crate) fn request(id: u8, subtype: Subtype, attributes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(8 + attributes.len()).unwrap_or(u16::MAX).to_be_bytes();
    let mut packet = vec![REQUEST, id, length[0], length[1], TYPE_AKA_PRIME, subtype.number(), 0, 0];
    packet.extend(attributes);
    packet
}

/// EAP-Success.
pub fn success(id: u8) -> Vec<u8> {
    vec![SUCCESS, id, 0, 4]
}

/// EAP-Failure.
pub fn failure(id: u8) -> Vec<u8> {
    vec![FAILURE, id, 0, 4]
}
