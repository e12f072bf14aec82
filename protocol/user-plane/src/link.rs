//! Frames between control plane and user plane over a stream: length (4 bytes, big endian), version, postcard.
//!
//! Both ends are ours and of one release; the version byte says so, and a frame of another one ends the connection.

use crate::UserPlaneError;
use crate::rules::{UserPlaneReply, UserPlaneRequest};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Longest frame without its length. A session with all flows and filters needs less than half of it.
pub const MAX_FRAME: usize = 64 * 1024;
const VERSION: u8 = 1;

/// A value of the link.
pub trait OnLink: Serialize + DeserializeOwned {}
impl OnLink for UserPlaneRequest {}
impl OnLink for UserPlaneReply {}

/// Appends a frame.
pub fn encode<T: OnLink>(value: &T, out: &mut Vec<u8>) -> Result<(), UserPlaneError> {
    let start = out.len();
    out.extend_from_slice(&[0, 0, 0, 0, VERSION]);
    let body = postcard::to_allocvec(value).map_err(|_| UserPlaneError::Frame)?;
    if body.len() + 1 > MAX_FRAME {
        out.truncate(start);
        return Err(UserPlaneError::Frame);
    }
    out[start..start + 4].copy_from_slice(&((body.len() + 1) as u32).to_be_bytes());
    out.extend_from_slice(&body);
    Ok(())
}

/// Collects bytes of a stream into frames.
#[derive(Debug, Default)]
pub struct Decoder {
    bytes: Vec<u8>,
    at: usize,
}

impl Decoder {
    /// More bytes came.
    pub fn feed(&mut self, bytes: &[u8]) {
        if self.at > 0 {
            self.bytes.drain(..self.at);
            self.at = 0;
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// The next whole value; none until more bytes come. After an error the stream cannot be read any more.
    pub fn take<T: OnLink>(&mut self) -> Result<Option<T>, UserPlaneError> {
        let rest = &self.bytes[self.at..];
        let Some((length, rest)) = rest.split_first_chunk::<4>() else { return Ok(None) };
        let length = u32::from_be_bytes(*length) as usize;
        if length == 0 || length > MAX_FRAME {
            return Err(UserPlaneError::Frame);
        }
        let Some(frame) = rest.get(..length) else { return Ok(None) };
        let (version, body) = frame.split_first().ok_or(UserPlaneError::Frame)?;
        if *version != VERSION {
            return Err(UserPlaneError::Frame);
        }
        match postcard::take_from_bytes(body) {
            Ok((value, [])) => {
                self.at += 4 + length;
                Ok(Some(value))
            }
            _ => Err(UserPlaneError::Frame),
        }
    }
}
