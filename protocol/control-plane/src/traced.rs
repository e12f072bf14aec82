//! What a traced phone and the core say to each other, as it is handed out: whole NGAP PDUs, with the NAS in them readable
//! and without keys. What a message carries for somebody beyond the core (a short message, a packet, a position) is zeros:
//! a trace is of procedures.
//!
//! Who a phone is, is known when the vault has opened its concealed identity. Until then the few first PDUs of a
//! connection are held, while anybody is traced at all.

use crate::core::Cx;
use crate::identifiers::Imsi;
use crate::io::Output;
use crate::ue::Ue;
use crate::ue::connection::Connection;
use oxirush_nas::nas_5gs::{
    Nas5gmmMessage, Nas5gsMessage, Nas5gsSecurityHeaderType, NasPayloadContainer, Verified, is_security_protected,
};
use oxirush_ngap::ngap::NGAPPDU;

/// Octets that are held of a connection whose phone is not known: a registration with a concealed identity and a question
/// for it are about 150 each with their names. Whoever says nothing that the vault opens costs no more than this.
const EARLY: usize = 512;

/// Whether what happens on a connection is written down.
#[derive(Debug, Default)]
pub(crate) enum Tracing {
    /// No.
    #[default]
    Off,
    /// Perhaps: nobody knows whose it is.
    Unknown(Early),
    /// Yes.
    On(Imsi),
}

/// The first PDUs of a connection, one after the other in one allocation of [`EARLY`] octets at most: direction, length of the
/// name, length of the PDU, name, PDU.
#[derive(Default)]
pub(crate) struct Early {
    held: Vec<u8>,
    /// One did not fit: what comes after it is not held either, so that a trace has its gap in one place.
    full: bool,
}

impl std::fmt::Debug for Early {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Early({} octets)", self.held.len())
    }
}

impl Early {
    fn push(&mut self, downlink: bool, name: &str, pdu: &[u8]) {
        let room = EARLY - self.held.len();
        let lengths = (u8::try_from(name.len()), u16::try_from(pdu.len()));
        let (Ok(short), Ok(long)) = lengths else { return self.full = true };
        self.full |= 4 + name.len() + pdu.len() > room;
        if self.full {
            return;
        }
        self.held.reserve_exact(4 + name.len() + pdu.len());
        self.held.extend([u8::from(downlink), short]);
        self.held.extend(long.to_be_bytes());
        self.held.extend(name.as_bytes());
        self.held.extend(pdu);
    }

    /// All of them, the first one first.
    fn take(self) -> Vec<(bool, String, Vec<u8>)> {
        let (mut all, mut rest) = (Vec::new(), self.held.as_slice());
        while let Some(([downlink, short, high, low], after)) = rest.split_first_chunk::<4>() {
            let (short, long) = (usize::from(*short), usize::from(u16::from_be_bytes([*high, *low])));
            let (Some(name), Some(pdu)) = (after.get(..short), after.get(short..short + long)) else { break };
            all.push((*downlink == 1, String::from_utf8_lossy(name).into_owned(), pdu.to_vec()));
            rest = &after[short + long..];
        }
        all
    }
}

/// Octets as they are on N2, and what is shown in their place: as many.
#[derive(Debug)]
pub(crate) struct Shown {
    on_air: Vec<u8>,
    shown: Vec<u8>,
    name: Option<String>,
}

/// What is being handled, while anybody is traced.
#[derive(Debug, Default)]
pub(crate) struct Current {
    /// The PDU that has come in and is not written down yet.
    uplink: Option<Vec<u8>>,
    /// Parts of PDUs that are about to be sent.
    parts: Vec<Shown>,
}

/// A message in the place of its protected form: under the same header with the type that does not cipher, so that every
/// length stays as it is. The MAC is that of the ciphered form.
fn readable(protected: &[u8], plain: &[u8]) -> Vec<u8> {
    use Nas5gsSecurityHeaderType as Header;
    if !is_security_protected(protected) || protected.len() != plain.len() + 7 {
        return protected.to_vec();
    }
    let ciphered_new = Header::IntegrityProtectedAndCipheredWithNewFiveGNasSecurityContext as u8;
    let header = match protected[1] & 0x0f {
        new if new == ciphered_new => Header::IntegrityProtectedWithNewFiveGNasSecurityContext,
        new if new == Header::IntegrityProtectedWithNewFiveGNasSecurityContext as u8 => {
            Header::IntegrityProtectedWithNewFiveGNasSecurityContext
        }
        _ => Header::IntegrityProtected,
    };
    [&[protected[0], header as u8], &protected[2..7], plain].concat()
}

/// A verified message of a phone as it came, readable.
pub(crate) fn readable_uplink(protected: &[u8], verified: &Verified<Nas5gsMessage>) -> Vec<u8> {
    let Ok(plain) = verified.message.encode() else { return protected.to_vec() };
    let container = match &verified.sent {
        Some(Nas5gsMessage::Gmm(_, Nas5gmmMessage::RegistrationRequest(sent))) => &sent.nas_message_container,
        Some(Nas5gsMessage::Gmm(_, Nas5gmmMessage::ServiceRequest(sent))) => &sent.nas_message_container,
        Some(Nas5gsMessage::Gmm(_, Nas5gmmMessage::DeregistrationRequestUeOriginating(sent))) => {
            &sent.nas_message_container
        }
        _ => return readable(protected, &plain),
    };
    let mut shown = protected.to_vec();
    if let Some(container) = container {
        replace(&mut shown, &container.value, &plain);
    }
    shown
}

/// Message types (TS 24.501 §9.7) that carry what is not the core's.
const UL_NAS_TRANSPORT: u8 = 0x67;
const DL_NAS_TRANSPORT: u8 = 0x68;
const CONTROL_PLANE_SERVICE_REQUEST: u8 = 0x4f;
/// Payload container type of session management (TS 24.501 §9.11.3.40).
const N1_SM: u8 = 1;

/// Zeros in the place of what a message, plain or under a readable header, carries for others.
fn without_content(nas: &mut [u8]) {
    let from = if is_security_protected(nas) { 7 } else { 0 };
    let Some([0x7e, 0, kind, rest @ ..]) = nas.get_mut(from..) else { return };
    match *kind {
        UL_NAS_TRANSPORT | DL_NAS_TRANSPORT => {
            let [container, high, low, content @ ..] = rest else { return };
            let length = usize::from(u16::from_be_bytes([*high, *low])).min(content.len());
            if *container & 0x0f != N1_SM {
                content[..length].fill(0);
            }
        }
        // Which part of it is data is known to those who read it; the core does not.
        CONTROL_PLANE_SERVICE_REQUEST => rest.iter_mut().skip(1).for_each(|octet| *octet = 0),
        _ => {}
    }
}

/// Puts `with` where `what` is, if they are equally long.
fn replace(bytes: &mut [u8], what: &[u8], with: &[u8]) {
    if what.is_empty() || what.len() != with.len() {
        return;
    }
    if let Some(at) = bytes.windows(what.len()).position(|window| window == what) {
        bytes[at..at + with.len()].copy_from_slice(with);
    }
}

/// The name of a plain NAS message, with that of the message that it carries.
pub(crate) fn nas_name(plain: &[u8]) -> String {
    let carried = |container: &NasPayloadContainer| match container.decode_as_n1_sm_message() {
        Ok(Nas5gsMessage::Gsm(_, message)) => format!(" {:?}", message.message_type()),
        _ => String::new(),
    };
    match Nas5gsMessage::decode(plain) {
        Ok(Nas5gsMessage::Gmm(_, message)) => {
            let inner = match &message {
                Nas5gmmMessage::UlNasTransport(transport) => carried(&transport.payload_container),
                Nas5gmmMessage::DlNasTransport(transport) => carried(&transport.payload_container),
                _ => String::new(),
            };
            format!("{:?}{inner}", message.message_type())
        }
        Ok(Nas5gsMessage::Gsm(_, message)) => format!("{:?}", message.message_type()),
        _ => "Unreadable".to_owned(),
    }
}

/// The name of a PDU: `InitialContextSetup request`.
fn ngap_name(pdu: &[u8]) -> String {
    let Ok(pdu) = NGAPPDU::decode_borrowed(pdu) else { return "Unreadable".to_owned() };
    let kind = format!("{:?}", pdu.kind());
    match kind.split_once('_') {
        Some(("Successful", procedure)) => format!("{procedure} response"),
        Some(("Unsuccessful", procedure)) => format!("{procedure} failure"),
        Some((_, procedure)) => procedure.to_owned(),
        None => "Other".to_owned(),
    }
}

impl Cx<'_> {
    pub(crate) fn tracing(&self) -> bool {
        !self.core.traced.is_empty()
    }

    /// A PDU of a gNB has come.
    pub(crate) fn trace_begins(&mut self, pdu: &[u8]) {
        if self.tracing() {
            self.core.current.parts.clear();
            self.core.current.uplink = Some(pdu.to_vec());
        }
    }

    /// Where a new connection begins.
    pub(crate) fn trace_connection(&self, imsi: Option<Imsi>) -> Tracing {
        match imsi {
            _ if !self.tracing() => Tracing::Off,
            None => Tracing::Unknown(Early::default()),
            Some(imsi) if self.core.traced.contains(&imsi) => Tracing::On(imsi),
            Some(_) => Tracing::Off,
        }
    }

    /// The vault says whose card this is: a claim until it is proven, and enough for an operator who looks.
    pub(crate) fn trace_known(&mut self, connection: &mut Connection, imsi: Imsi) {
        if !matches!(connection.tracing, Tracing::Unknown(_)) {
            return;
        }
        let now = self.trace_connection(Some(imsi));
        if let Tracing::Unknown(early) = std::mem::replace(&mut connection.tracing, now) {
            for (downlink, name, bytes) in early.take() {
                self.traced(connection, downlink, name, bytes);
            }
        }
    }

    fn traced(&mut self, connection: &mut Connection, downlink: bool, name: String, bytes: Vec<u8>) {
        match &mut connection.tracing {
            Tracing::Off => {}
            Tracing::Unknown(early) => early.push(downlink, &name, &bytes),
            Tracing::On(imsi) => self.out.push(Output::Traced { imsi: *imsi, downlink, name, bytes }),
        }
    }

    /// NAS that is about to be sent in a PDU.
    pub(crate) fn trace_nas(&mut self, ue: &Ue, on_air: &[u8], plain: &[u8]) {
        let off = ue.connection.as_deref().is_none_or(|connection| matches!(connection.tracing, Tracing::Off));
        if self.tracing() && !off {
            let mut shown = readable(on_air, plain);
            without_content(&mut shown);
            self.core.current.parts.push(Shown { on_air: on_air.to_vec(), shown, name: Some(nas_name(plain)) });
        }
    }

    /// A key that is about to be sent in a PDU: it is shown as zeros.
    pub(crate) fn trace_without(&mut self, key: &[u8]) {
        if self.tracing() {
            let on_air = key.to_vec();
            self.core.current.parts.push(Shown { on_air, shown: vec![0; key.len()], name: None });
        }
    }

    /// A PDU that goes to the gNB.
    pub(crate) fn trace_downlink(&mut self, connection: &mut Connection, pdu: &[u8]) {
        if !self.tracing() || matches!(connection.tracing, Tracing::Off) {
            return;
        }
        let (mut bytes, mut name) = (pdu.to_vec(), ngap_name(pdu));
        for part in std::mem::take(&mut self.core.current.parts) {
            if !bytes.windows(part.on_air.len()).any(|window| window == part.on_air) {
                continue;
            }
            replace(&mut bytes, &part.on_air, &part.shown);
            if let Some(nas) = part.name {
                name = format!("{name}: {nas}");
            }
        }
        self.traced(connection, true, name, bytes);
    }

    /// A phone is called.
    pub(crate) fn trace_paging(&mut self, imsi: Option<Imsi>, pdu: &[u8]) {
        if let Some(imsi) = imsi.filter(|imsi| self.core.traced.contains(imsi)) {
            self.out.push(Output::Traced { imsi, downlink: true, name: ngap_name(pdu), bytes: pdu.to_vec() });
        }
    }

    /// The PDU that has come in: its NAS as it came, the same readable, and its plain form for the name.
    pub(crate) fn trace_uplink(&mut self, connection: &mut Connection, nas: Option<(&[u8], &[u8], &str)>) {
        let Some(mut bytes) = self.core.current.uplink.take() else { return };
        if matches!(connection.tracing, Tracing::Off) {
            return;
        }
        let mut name = ngap_name(&bytes);
        if let Some((on_air, shown, nas)) = nas {
            let mut shown = shown.to_vec();
            without_content(&mut shown);
            replace(&mut bytes, on_air, &shown);
            name = format!("{name}: {nas}");
        }
        self.traced(connection, false, name, bytes);
    }

    /// A verified message has come in.
    pub(crate) fn trace_verified(&mut self, ue: &mut Ue, protected: &[u8], verified: &Verified<Nas5gsMessage>) {
        if self.core.current.uplink.is_none() {
            return;
        }
        let Some(connection) = ue.connection.as_deref_mut() else { return };
        let name = verified.message.encode().map(|plain| nas_name(&plain)).unwrap_or_default();
        self.trace_uplink(connection, Some((protected, &readable_uplink(protected, verified), &name)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_comes_back_in_order_and_is_bounded() {
        let mut early = Early::default();
        early.push(false, "InitialUEMessage: RegistrationRequest", &[1; 150]);
        early.push(true, "DownlinkNASTransport: IdentityRequest", &[2; 60]);
        early.push(false, "a large one", &[3; 400]);
        early.push(false, "one that would fit", &[4; 10]);
        assert!(early.held.capacity() <= EARLY);
        let held = early.take();
        assert_eq!(held.len(), 2, "nothing after what did not fit");
        assert_eq!(held[0], (false, "InitialUEMessage: RegistrationRequest".to_owned(), vec![1; 150]));
        assert_eq!(held[1], (true, "DownlinkNASTransport: IdentityRequest".to_owned(), vec![2; 60]));
        let mut flood = Early::default();
        (0..1000).for_each(|_| flood.push(false, "", &[0; 4]));
        assert!(flood.held.capacity() <= EARLY && flood.take().len() == EARLY / 8);
        let mut large = Early::default();
        large.push(false, "", &[0; 70_000]);
        assert!(large.held.capacity() == 0 && large.take().is_empty());
    }

    #[test]
    fn what_is_carried_for_others_is_not_shown() {
        let shown = |nas: &[u8]| {
            let mut nas = nas.to_vec();
            without_content(&mut nas);
            nas
        };
        let session = [0x7e, 0, 0x67, 0x01, 0, 2, 0x2e, 0x05, 0x12, 5];
        assert_eq!(shown(&session), session, "session management is ours");
        let short_message = [0x7e, 0, 0x67, 0x02, 0, 3, b'a', b'b', b'c', 0x12, 5];
        assert_eq!(shown(&short_message), [0x7e, 0, 0x67, 0x02, 0, 3, 0, 0, 0, 0x12, 5]);
        let sealed = [&[0x7e, 1, 1, 2, 3, 4, 9][..], &short_message].concat();
        assert_eq!(shown(&sealed)[13..16], [0; 3]);
        assert_eq!(shown(&[0x7e, 0, 0x68, 0x08, 0xff, 0xff, 7, 7]), [0x7e, 0, 0x68, 0x08, 0xff, 0xff, 0, 0], "cut off");
        assert_eq!(shown(&[0x7e, 0, 0x4f, 0x01, 0x6f, 1, 7]), [0x7e, 0, 0x4f, 0x01, 0, 0, 0]);
        for whole in [&short_message[..], &sealed[..]] {
            (0..whole.len()).for_each(|end| assert_eq!(shown(&whole[..end]).len(), end));
        }
    }

    #[test]
    fn what_is_shown_is_as_long_as_what_was_sent() {
        let protected = [0x7e, 0x02, 1, 2, 3, 4, 9, 0xaa, 0xbb, 0xcc];
        assert_eq!(readable(&protected, &[0x7e, 0, 0x43]), [0x7e, 0x01, 1, 2, 3, 4, 9, 0x7e, 0, 0x43]);
        assert_eq!(readable(&protected, &[0x7e, 0]), protected, "another length: left as it is");
        assert_eq!(readable(&[0x7e, 0, 0x43], &[0x7e, 0, 0x43]), [0x7e, 0, 0x43], "was never protected");
        let mut bytes = [1, 2, 3, 2, 3];
        replace(&mut bytes, &[2, 3], &[0, 0]);
        assert_eq!(bytes, [1, 0, 0, 2, 3]);
    }
}
