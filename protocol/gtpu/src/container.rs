//! The PDU session container (TS 38.415 §5.5): which QoS flow a packet belongs to.
//!
//! We read and write what forwarding needs. Time stamps, delays and sequence numbers of QoS monitoring are checked for their
//! length and skipped.

use crate::GtpuError;

/// DL PDU SESSION INFORMATION (TS 38.415 §5.5.2.1, PDU type 0): core to gNB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DownlinkContainer {
    /// QoS flow identifier, 0 to 63.
    pub qfi: u8,
    /// Reflective QoS: the phone is to use the same flow for what it sends back.
    pub rqi: bool,
    /// Paging policy indicator, 0 to 7, when paging policy is differentiated.
    pub ppi: Option<u8>,
}

/// UL PDU SESSION INFORMATION (TS 38.415 §5.5.2.2, PDU type 1): gNB to core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UplinkContainer {
    /// QoS flow identifier, 0 to 63.
    pub qfi: u8,
}

/// Length of the longest container that we write.
pub const MAX_CONTAINER: usize = 3;

impl DownlinkContainer {
    /// A packet of a flow and nothing more.
    pub fn of(qfi: u8) -> Self {
        Self { qfi, rqi: false, ppi: None }
    }

    /// Reads the content of an extension header.
    pub fn decode(content: &[u8]) -> Result<Self, GtpuError> {
        let (&[first, second], rest) = content.split_first_chunk().ok_or(GtpuError::Container)?;
        if first >> 4 != 0 {
            return Err(GtpuError::Container);
        }
        let (ppp, qmp, snp, msnp) = (second & 0x80 != 0, first & 0x08 != 0, first & 0x04 != 0, first & 0x02 != 0);
        let needed = usize::from(ppp) + 8 * usize::from(qmp) + 3 * usize::from(snp) + 4 * usize::from(msnp);
        if rest.len() < needed {
            return Err(GtpuError::Container);
        }
        let ppi = if ppp { rest.first().map(|byte| byte >> 5) } else { None };
        Ok(Self { qfi: second & 0x3f, rqi: second & 0x40 != 0, ppi })
    }

    /// The content of an extension header, and how many bytes of it count.
    pub fn encode(&self) -> ([u8; MAX_CONTAINER], usize) {
        let flags = u8::from(self.ppi.is_some()) << 7 | u8::from(self.rqi) << 6 | (self.qfi & 0x3f);
        let ppi = self.ppi.unwrap_or_default() << 5;
        ([0x00, flags, ppi], if self.ppi.is_some() { 3 } else { 2 })
    }
}

impl UplinkContainer {
    /// Reads the content of an extension header.
    pub fn decode(content: &[u8]) -> Result<Self, GtpuError> {
        let (&[first, second], rest) = content.split_first_chunk().ok_or(GtpuError::Container)?;
        if first >> 4 != 1 {
            return Err(GtpuError::Container);
        }
        let bit = |byte: u8, mask: u8| usize::from(byte & mask != 0);
        let needed = 24 * bit(first, 0x08)
            + 4 * bit(first, 0x04)
            + 4 * bit(first, 0x02)
            + 3 * bit(first, 0x01)
            + 4 * bit(second, 0x80)
            + bit(second, 0x40);
        if rest.len() < needed {
            return Err(GtpuError::Container);
        }
        Ok(Self { qfi: second & 0x3f })
    }

    /// The content of an extension header, and how many bytes of it count.
    pub fn encode(&self) -> ([u8; MAX_CONTAINER], usize) {
        ([0x10, self.qfi & 0x3f, 0], 2)
    }
}
