//! The chain of extension headers (TS 29.281 §5.2).

use crate::GtpuError;

/// End of the chain.
pub const NO_MORE: u8 = 0x00;
/// UDP source port of the message that an error indication is about (TS 29.281 §5.2.2.1).
pub const UDP_PORT: u8 = 0x40;
/// PDU session container (TS 29.281 §5.2.2.7).
pub const PDU_SESSION_CONTAINER: u8 = 0x85;

/// Most extension headers of one message. Real ones carry one or two.
pub const MAX_EXTENSIONS: usize = 8;

/// One extension header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extension<'a> {
    /// Its type (TS 29.281 figure 5.2.1-3).
    pub kind: u8,
    /// Content without length and next type: 4n − 2 bytes.
    pub content: &'a [u8],
}

impl Extension<'_> {
    /// Whether an endpoint that does not know the type may not go on (TS 29.281 figure 5.2.1-2: bit 8).
    pub fn must_be_understood(&self) -> bool {
        self.kind & 0x80 != 0
    }
}

/// Extension headers of a decoded message, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extensions<'a> {
    first: u8,
    bytes: &'a [u8],
}

impl<'a> Extensions<'a> {
    /// None at all.
    pub const NONE: Extensions<'static> = Extensions { first: NO_MORE, bytes: &[] };

    /// Takes the chain that begins with type `first` off the front of `bytes`; gives it and what follows.
    pub(crate) fn split(first: u8, bytes: &'a [u8]) -> Result<(Self, &'a [u8]), GtpuError> {
        let (mut next, mut at, mut count) = (first, 0, 0);
        while next != NO_MORE {
            let units = usize::from(*bytes.get(at).ok_or(GtpuError::CutOff)?);
            count += 1;
            if units == 0 || count > MAX_EXTENSIONS {
                return Err(GtpuError::Extensions);
            }
            at += 4 * units;
            next = *bytes.get(at - 1).ok_or(GtpuError::CutOff)?;
        }
        Ok((Self { first, bytes: &bytes[..at] }, &bytes[at..]))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.first == NO_MORE
    }

    /// First one of a type.
    pub fn find(&self, kind: u8) -> Option<&'a [u8]> {
        self.into_iter().find(|one| one.kind == kind).map(|one| one.content)
    }

    /// First one that has to be understood and is none of `known` (TS 29.281 §5.2.1: the message is not to be processed, the
    /// sender gets a Supported Extension Headers Notification).
    pub fn not_understood(&self, known: &[u8]) -> Option<u8> {
        self.into_iter().find(|one| one.must_be_understood() && !known.contains(&one.kind)).map(|one| one.kind)
    }
}

impl<'a> IntoIterator for Extensions<'a> {
    type Item = Extension<'a>;
    type IntoIter = Iter<'a>;
    fn into_iter(self) -> Iter<'a> {
        Iter(self)
    }
}

/// Iterator over extension headers.
#[derive(Clone, Debug)]
pub struct Iter<'a>(Extensions<'a>);

impl<'a> Iterator for Iter<'a> {
    type Item = Extension<'a>;
    fn next(&mut self) -> Option<Extension<'a>> {
        let Extensions { first: kind, bytes } = self.0;
        if kind == NO_MORE {
            return None;
        }
        let length = 4 * usize::from(*bytes.first()?);
        let (this, rest) = bytes.split_at_checked(length)?;
        let (next, content) = this.get(1..)?.split_last()?;
        self.0 = Extensions { first: *next, bytes: rest };
        Some(Extension { kind, content })
    }
}

/// Bytes that an extension header with this content takes.
pub(crate) const fn encoded_len(content: usize) -> usize {
    (content + 2).next_multiple_of(4)
}

/// Writes one extension header, padded with zeros; `next` is the type after it. Gives its length.
pub(crate) fn encode(content: &[u8], next: u8, out: &mut [u8]) -> Result<usize, GtpuError> {
    let length = encoded_len(content.len());
    let units = u8::try_from(length / 4).map_err(|_| GtpuError::NoRoom)?;
    let out = out.get_mut(..length).ok_or(GtpuError::NoRoom)?;
    out.fill(0);
    out[0] = units;
    out[1..=content.len()].copy_from_slice(content);
    out[length - 1] = next;
    Ok(length)
}
