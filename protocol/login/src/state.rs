//! What the server seals between rounds. Fixed layout: the length must not tell a known account from an unknown one.

use crate::LoginError;
use crate::opaque::SESSION_KEY;
use crate::transcript::{Round3Keys, Transcript, channel_byte, channel_from_byte};
use pakawaaz_base::{DeviceId, OfficialId};
use pakawaaz_trust::ChannelMode;
use pakawaaz_trust::keys::PublicKeyBytes;
use zeroize::Zeroizing;

/// After round 1.
pub(crate) struct Round1 {
    /// Official, password file, device, its signature and its channel mode are all in order.
    pub eligible: bool,
    pub official: OfficialId,
    pub device: DeviceId,
    pub device_key: PublicKeyBytes,
    pub token_key: PublicKeyBytes,
    pub channel: ChannelMode,
    pub at: Transcript,
    pub context: [u8; 32],
    pub opaque: Zeroizing<Vec<u8>>,
    pub username: String,
}

impl Round1 {
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        // Reserved in full before the first secret, so that growing leaves no copy behind.
        let mut out = Zeroizing::new(Vec::with_capacity(512 + self.opaque.len() + self.username.len()));
        out.push(u8::from(self.eligible));
        out.extend_from_slice(self.official.as_bytes());
        out.extend_from_slice(self.device.as_bytes());
        out.extend_from_slice(&self.device_key);
        out.extend_from_slice(&self.token_key);
        out.push(channel_byte(self.channel));
        out.extend_from_slice(&self.at.0);
        out.extend_from_slice(&self.context);
        out.extend_from_slice(&(self.opaque.len() as u16).to_be_bytes());
        out.extend_from_slice(&self.opaque);
        out.extend_from_slice(self.username.as_bytes());
        out
    }
    pub fn decode(bytes: &[u8]) -> Result<Self, LoginError> {
        let mut r = Reader(bytes);
        Ok(Self {
            eligible: r.flag()?,
            official: OfficialId::from_bytes(r.take()?),
            device: DeviceId::from_bytes(r.take()?),
            device_key: r.take()?,
            token_key: r.take()?,
            channel: channel_from_byte(r.take::<1>()?[0])?,
            at: Transcript(r.take()?),
            context: r.take()?,
            opaque: {
                let len = usize::from(u16::from_be_bytes(r.take()?));
                Zeroizing::new(r.slice(len)?.to_vec())
            },
            username: String::from_utf8(r.0.to_vec()).map_err(|_| LoginError::BadState)?,
        })
    }
}

/// After a challenge.
pub(crate) struct Round2 {
    pub official: OfficialId,
    pub device: DeviceId,
    pub token_key: PublicKeyBytes,
    pub channel: ChannelMode,
    pub at: Transcript,
    pub session_key: Zeroizing<[u8; SESSION_KEY]>,
    pub keys: Round3Keys,
    pub rand: [u8; 16],
    pub resynced: bool,
}

impl Round2 {
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        let mut out = Zeroizing::new(Vec::with_capacity(512));
        out.extend_from_slice(self.official.as_bytes());
        out.extend_from_slice(self.device.as_bytes());
        out.extend_from_slice(&self.token_key);
        out.push(channel_byte(self.channel));
        out.extend_from_slice(&self.at.0);
        out.extend_from_slice(&*self.session_key);
        out.extend_from_slice(&*self.keys.k_aut);
        out.extend_from_slice(&*self.keys.msk);
        out.extend_from_slice(&self.rand);
        out.push(u8::from(self.resynced));
        out
    }
    pub fn decode(bytes: &[u8]) -> Result<Self, LoginError> {
        let mut r = Reader(bytes);
        let state = Self {
            official: OfficialId::from_bytes(r.take()?),
            device: DeviceId::from_bytes(r.take()?),
            token_key: r.take()?,
            channel: channel_from_byte(r.take::<1>()?[0])?,
            at: Transcript(r.take()?),
            session_key: Zeroizing::new(r.take()?),
            keys: Round3Keys { k_aut: Zeroizing::new(r.take()?), msk: Zeroizing::new(r.take()?) },
            rand: r.take()?,
            resynced: r.flag()?,
        };
        if r.0.is_empty() { Ok(state) } else { Err(LoginError::BadState) }
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn slice(&mut self, len: usize) -> Result<&'a [u8], LoginError> {
        let (head, tail) = self.0.split_at_checked(len).ok_or(LoginError::BadState)?;
        self.0 = tail;
        Ok(head)
    }
    fn take<const N: usize>(&mut self) -> Result<[u8; N], LoginError> {
        self.slice(N)?.try_into().map_err(|_| LoginError::BadState)
    }
    fn flag(&mut self) -> Result<bool, LoginError> {
        match self.take::<1>()? {
            [0] => Ok(false),
            [1] => Ok(true),
            _ => Err(LoginError::BadState),
        }
    }
}
