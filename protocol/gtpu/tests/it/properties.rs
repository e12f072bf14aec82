//! Whatever comes, reading ends, and what is written is read back.

use pakawaaz_gtpu::{
    DownlinkContainer, Elements, Header, MessageType, Signal, UplinkContainer, decode, encode_g_pdu, fuzz,
};
use proptest::prelude::*;
use std::net::IpAddr;

fn extension() -> impl Strategy<Value = (u8, Vec<u8>)> {
    // Contents that need no padding come back as they were.
    (1u8.., 0usize..5, any::<u8>()).prop_map(|(kind, units, fill)| (kind, vec![fill; 4 * units + 2]))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_bytes(data in proptest::collection::vec(any::<u8>(), 0..200)) {
        fuzz::datagram(&data);
        let _ = Elements::decode(&data);
        let _ = DownlinkContainer::decode(&data);
        let _ = UplinkContainer::decode(&data);
    }

    #[test]
    fn bytes_that_begin_well(flags in 0x30u8..0x38, kind: u8, rest in proptest::collection::vec(any::<u8>(), 4..200)) {
        let mut data = vec![flags, kind];
        data.extend_from_slice(&((rest.len() - 4) as u16).to_be_bytes());
        data.extend_from_slice(&rest);
        fuzz::datagram(&data);
    }

    #[test]
    fn messages_come_back(
        kind: u8,
        teid: u32,
        sequence: Option<u16>,
        extensions in proptest::collection::vec(extension(), 0..8),
        payload in proptest::collection::vec(any::<u8>(), 0..100),
    ) {
        let parts: Vec<(u8, &[u8])> = extensions.iter().map(|(kind, content)| (*kind, &content[..])).collect();
        let header = Header { kind: MessageType::from(kind), teid, sequence, extensions: &parts };
        let mut data = vec![0; header.len()];
        prop_assert_eq!(header.encode(payload.len(), &mut data), Ok(header.len()));
        data.extend_from_slice(&payload);
        let message = decode(&data).expect("message");
        prop_assert_eq!(u8::from(message.kind), kind);
        prop_assert_eq!((message.teid, message.sequence, message.payload), (teid, sequence, &payload[..]));
        let read: Vec<(u8, &[u8])> = message.extensions.into_iter().map(|one| (one.kind, one.content)).collect();
        prop_assert_eq!(read, parts);
        // Cut anywhere, it is no message.
        for length in 0..data.len() {
            prop_assert!(decode(&data[..length]).is_err());
        }
    }

    #[test]
    fn containers_come_back(qfi in 0u8..64, rqi: bool, ppi in proptest::option::of(0u8..8)) {
        let container = DownlinkContainer { qfi, rqi, ppi };
        let (content, length) = container.encode();
        prop_assert_eq!(DownlinkContainer::decode(&content[..length]), Ok(container));
        let (content, length) = UplinkContainer { qfi }.encode();
        prop_assert_eq!(UplinkContainer::decode(&content[..length]), Ok(UplinkContainer { qfi }));
    }

    #[test]
    fn the_fast_header_is_the_slow_one(teid: u32, qfi in 0u8..64, length in 0usize..60_000) {
        let (content, used) = DownlinkContainer::of(qfi).encode();
        let extensions = [(pakawaaz_gtpu::extension::PDU_SESSION_CONTAINER, &content[..used])];
        let mut slow = [0; 16];
        let header = Header { kind: MessageType::GPdu, teid, sequence: None, extensions: &extensions };
        prop_assert_eq!(header.encode(length, &mut slow), Ok(16));
        prop_assert_eq!(encode_g_pdu(teid, qfi, length), Ok(slow));
    }

    #[test]
    fn error_indications_come_back(teid: u32, address: IpAddr) {
        let mut out = [0; 64];
        let length = Signal::ErrorIndication { teid, peer: address }.encode(&mut out).expect("fits");
        let message = decode(&out[..length]).expect("message");
        let elements = Elements::decode(message.payload).expect("elements");
        prop_assert_eq!((elements.teid_data, elements.peer_address), (Some(teid), Some(address)));
    }
}
