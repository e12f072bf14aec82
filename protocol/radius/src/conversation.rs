//! One EAP-AKA' authentication at the server (RFC 9048, RFC 4187 §4, §6, §9): a response of the peer goes in, what is
//! to be done comes out. The vector is drawn elsewhere.

use crate::attributes::{self, Attributes, GENERAL_FAILURE};
use crate::eap::{self, Content, Response, Subtype};
use sha2::{Digest, Sha256};
use std::fmt;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// What is to be done.
pub enum Step {
    /// Send this EAP request (in an Access-Challenge).
    Ask(Vec<u8>),
    /// Draw a vector, then [`Conversation::challenge`] or [`Conversation::refuse`].
    Draw {
        /// The card.
        imsi: String,
        /// The peer's identity as it said it: it goes into the keys (RFC 9048 §3.3).
        identity: String,
        /// The card counts elsewhere.
        resynchronise: Option<Resynchronisation>,
    },
    /// Let the peer in.
    Accept {
        /// EAP-Success.
        eap: Vec<u8>,
        /// Whose card.
        imsi: String,
        /// The key of the access.
        msk: Zeroizing<[u8; 64]>,
    },
    /// Do not.
    Reject {
        /// EAP-Failure.
        eap: Vec<u8>,
        /// A stable word.
        why: &'static str,
    },
    /// Not an answer to what was asked: no answer to it either (RFC 3748 §4.1).
    Ignore,
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ask(_) => f.write_str("Ask"),
            Self::Draw { resynchronise, .. } => write!(f, "Draw(again: {})", resynchronise.is_some()),
            Self::Accept { .. } => f.write_str("Accept"),
            Self::Reject { why, .. } => write!(f, "Reject({why})"),
            Self::Ignore => f.write_str("Ignore"),
        }
    }
}

/// RAND of the challenge before, and the card's AUTS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resynchronisation {
    /// What was asked in this very conversation.
    pub rand: [u8; 16],
    /// The answer.
    pub auts: [u8; 14],
}

/// A vector with the keys of the exchange.
pub struct Challenge {
    /// RAND.
    pub rand: [u8; 16],
    /// AUTN.
    pub autn: [u8; 16],
    /// The answer of the right card.
    pub xres: Zeroizing<Vec<u8>>,
    /// Key of AT_MAC.
    pub k_aut: Zeroizing<[u8; 32]>,
    /// The key of the access.
    pub msk: Zeroizing<[u8; 64]>,
}

enum State {
    /// Nothing was said.
    Begun,
    /// AT_ANY_ID_REQ was sent.
    AskedAny,
    /// AT_PERMANENT_ID_REQ was sent.
    AskedPermanent,
    /// A vector is being drawn.
    Drawing { imsi: String },
    /// The challenge was sent.
    Challenged { imsi: String, challenge: Box<Challenge> },
    /// The peer was told that it failed.
    Notified(&'static str),
    /// Nothing more is answered.
    Over,
}

/// One authentication. Holds at most one vector and one identity.
pub struct Conversation {
    state: State,
    network: String,
    /// Identifier of the last request.
    id: u8,
    /// Hash of the AKA-Identity packets, for AT_CHECKCODE (RFC 4187 §10.13 with SHA-256, RFC 9048 §3.1).
    identities: Sha256,
    identity: String,
    resynchronised: bool,
}

impl fmt::Debug for Conversation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Conversation").field("id", &self.id).finish_non_exhaustive()
    }
}

/// The IMSI in a permanent identity of EAP-AKA' (`6<IMSI>@realm`, TS 23.003 §19.3.2).
pub fn permanent_imsi(identity: &str) -> Option<&str> {
    let imsi = identity.split('@').next()?.strip_prefix('6')?;
    ((6..=15).contains(&imsi.len()) && imsi.bytes().all(|b| b.is_ascii_digit())).then_some(imsi)
}

impl Conversation {
    /// A new one, for an access network of this name.
    pub fn new(network: impl Into<String>) -> Self {
        Self {
            state: State::Begun,
            network: network.into(),
            id: 0,
            identities: Sha256::new(),
            identity: String::new(),
            resynchronised: false,
        }
    }

    /// Takes an EAP packet of the peer; an empty one is EAP-Start (RFC 3579 §2.1).
    pub fn step(&mut self, eap: &[u8]) -> Step {
        if eap.is_empty() && matches!(self.state, State::Begun) {
            return Step::Ask(eap::identity_request(self.id));
        }
        let Ok(response) = eap::read(eap) else { return Step::Ignore };
        match self.state {
            State::Over | State::Drawing { .. } => return Step::Ignore,
            State::Begun => {
                // Whoever let the peer begin chose the identifier.
                self.id = response.id;
                return match response.content {
                    // Not believed: it is asked inside of the method, where AT_CHECKCODE covers it (RFC 4187 §4.1).
                    Content::Identity(_) => self.ask_identity(State::AskedAny, &attributes::any_identity()),
                    _ => self.reject("no identity"),
                };
            }
            _ if response.id != self.id => return Step::Ignore,
            _ => {}
        }
        let Content::AkaPrime(subtype, bytes) = response.content else { return self.reject("other method") };
        if subtype == Subtype::ClientError {
            return self.reject("client error");
        }
        let Ok(found) = Attributes::read(bytes) else { return self.notify("malformed") };
        let state = std::mem::replace(&mut self.state, State::Over);
        match (state, subtype) {
            (State::Notified(why), _) => self.reject(why),
            (State::AskedAny, Subtype::Identity) => self.identity(&response, &found, true),
            (State::AskedPermanent, Subtype::Identity) => self.identity(&response, &found, false),
            (State::Challenged { imsi, challenge }, subtype) => {
                self.answered(imsi, &challenge, subtype, &response, &found)
            }
            _ => self.notify("out of order"),
        }
    }

    /// The vector that [`Step::Draw`] asked for: the challenge to send.
    pub fn challenge(&mut self, challenge: Challenge) -> Step {
        let State::Drawing { imsi } = std::mem::replace(&mut self.state, State::Over) else { return Step::Ignore };
        self.id = self.id.wrapping_add(1);
        let checkcode = self.identities.clone().finalize();
        let attributes = attributes::challenge(&challenge.rand, &challenge.autn, &self.network, &checkcode);
        let mut packet = eap::request(self.id, Subtype::Challenge, &attributes);
        attributes::sign(&challenge.k_aut, &mut packet);
        self.state = State::Challenged { imsi, challenge: Box::new(challenge) };
        Step::Ask(packet)
    }

    /// There is no vector: the peer is told that it failed, and no more than that.
    pub fn refuse(&mut self, why: &'static str) -> Step {
        self.notify(why)
    }

    fn ask_identity(&mut self, next: State, attributes: &[u8]) -> Step {
        self.id = self.id.wrapping_add(1);
        let packet = eap::request(self.id, Subtype::Identity, attributes);
        self.identities.update(&packet);
        self.state = next;
        Step::Ask(packet)
    }

    fn identity(&mut self, response: &Response<'_>, found: &Attributes<'_>, may_ask_again: bool) -> Step {
        self.identities.update(response.packet);
        let identity = found.identity.and_then(|bytes| std::str::from_utf8(bytes).ok());
        // No longer, since a user name of RADIUS or the keys' identity cannot be (RFC 7542 §2.2).
        let identity = identity.filter(|text| text.len() <= 253 && !text.chars().any(char::is_control));
        match identity.and_then(|text| Some((text, permanent_imsi(text)?))) {
            Some((identity, imsi)) if !found.foreign => {
                self.identity = identity.to_owned();
                self.draw(imsi.to_owned(), None)
            }
            // Another server's pseudonym, or an anonymous one.
            _ if may_ask_again => self.ask_identity(State::AskedPermanent, &attributes::permanent_identity()),
            _ => self.notify("unknown identity"),
        }
    }

    fn draw(&mut self, imsi: String, resynchronise: Option<Resynchronisation>) -> Step {
        self.state = State::Drawing { imsi: imsi.clone() };
        Step::Draw { imsi, identity: self.identity.clone(), resynchronise }
    }

    fn answered(
        &mut self,
        imsi: String,
        challenge: &Challenge,
        subtype: Subtype,
        response: &Response<'_>,
        found: &Attributes<'_>,
    ) -> Step {
        match (subtype, found.auts) {
            (Subtype::AuthenticationReject, _) => self.reject("the card refused the network"),
            (Subtype::SynchronizationFailure, Some(auts)) if !self.resynchronised => {
                // Once: the next challenge is one above the card's own count.
                self.resynchronised = true;
                self.draw(imsi, Some(Resynchronisation { rand: challenge.rand, auts }))
            }
            (Subtype::Challenge, _) => match self.judge(challenge, response, found) {
                Ok(()) => Step::Accept { eap: eap::success(self.id), imsi, msk: Zeroizing::new(*challenge.msk) },
                Err(why) => self.notify(why),
            },
            _ => self.notify("out of order"),
        }
    }

    fn judge(
        &self,
        challenge: &Challenge,
        response: &Response<'_>,
        found: &Attributes<'_>,
    ) -> Result<(), &'static str> {
        let (at, given) = found.mac.ok_or("no MAC")?;
        // The attributes begin behind the header of 8 bytes.
        if !attributes::mac_is_right(&challenge.k_aut, response.packet, 8 + at, &given) {
            return Err("wrong MAC");
        }
        // Another key derivation function than the one there is, for example.
        if found.foreign {
            return Err("attribute not understood");
        }
        let right = found.res.is_some_and(|res| res.ct_eq(challenge.xres.as_slice()).into());
        if !right {
            return Err("wrong RES");
        }
        // A peer that does not know it leaves it out (RFC 4187 §10.13).
        match found.checkcode {
            Some(code) if code != self.identities.clone().finalize().as_slice() => Err("wrong checkcode"),
            _ => Ok(()),
        }
    }

    /// Says that it failed; the peer acknowledges, then comes EAP-Failure (RFC 4187 §6.3.3).
    fn notify(&mut self, why: &'static str) -> Step {
        self.id = self.id.wrapping_add(1);
        self.state = State::Notified(why);
        Step::Ask(eap::request(self.id, Subtype::Notification, &attributes::notification(GENERAL_FAILURE)))
    }

    fn reject(&mut self, why: &'static str) -> Step {
        self.state = State::Over;
        Step::Reject { eap: eap::failure(self.id), why }
    }
}

#[cfg(test)]
#[path = "conversation_tests.rs"]
mod tests;
