//! Bytes that pycrate's GTP-U (TS29281_GTPU, TS38415_PDUSess) writes for these values, and reads back to them.

use pakawaaz_gtpu::extension::PDU_SESSION_CONTAINER;
use pakawaaz_gtpu::{
    DownlinkContainer, Elements, Extensions, GtpuError, Header, MessageType, Signal, UplinkContainer, decode,
    encode_g_pdu,
};

fn bytes(hex: &str) -> Vec<u8> {
    hex::decode(hex).expect("hex")
}

fn signal(signal: Signal<'_>) -> String {
    let mut out = [0; 64];
    let length = signal.encode(&mut out).expect("fits");
    hex::encode(&out[..length])
}

const INNER: &str = "4500001c000100004011000000000000000000000000000000000000";

#[test]
fn signals_are_the_bytes_of_others() {
    assert_eq!(signal(Signal::EchoRequest { sequence: 0x1234 }), "320100040000000012340000");
    assert_eq!(signal(Signal::EchoResponse { sequence: 0x1234 }), "3202000600000000123400000e00");
    let peer = "10.3.0.1".parse().expect("address");
    assert_eq!(
        signal(Signal::ErrorIndication { teid: 0xdead_beef, peer }),
        "321a0010000000000000000010deadbeef8500040a030001"
    );
    let peer = "fd00:3::1".parse().expect("address");
    assert_eq!(
        signal(Signal::ErrorIndication { teid: 0xdead_beef, peer }),
        "321a001c000000000000000010deadbeef850010fd000003000000000000000000000001"
    );
    assert_eq!(signal(Signal::EndMarker { teid: 0x0102_0304 }), "30fe000001020304");
    assert_eq!(
        signal(Signal::SupportedExtensionHeaders { sequence: 7, types: &[0x85] }),
        "321f000700000000000700008d0185"
    );
}

#[test]
fn signals_of_others_are_read() {
    let data = bytes("321a0010000000000000000010deadbeef8500040a030001");
    let message = decode(&data).expect("message");
    assert_eq!((message.kind, message.teid, message.sequence), (MessageType::ErrorIndication, 0, Some(0)));
    let elements = Elements::decode(message.payload).expect("elements");
    assert_eq!(elements.teid_data, Some(0xdead_beef));
    assert_eq!(elements.peer_address, "10.3.0.1".parse().ok());

    let data = bytes("3202000600000000123400000e00");
    let message = decode(&data).expect("message");
    assert_eq!((message.kind, message.sequence), (MessageType::EchoResponse, Some(0x1234)));
    assert_eq!(Elements::decode(message.payload).expect("elements").recovery, Some(0));

    let data = bytes("321f000700000000000700008d0185");
    let elements = decode(&data).map(|message| Elements::decode(message.payload)).expect("message");
    assert_eq!(elements.expect("elements").extension_types, Some(&[0x85][..]));
}

#[test]
fn downlink_packets_are_the_bytes_of_others() {
    let inner = bytes(INNER);
    let header = encode_g_pdu(0xa1b2_c3d4, 9, inner.len()).expect("header");
    let data = [&header[..], &inner].concat();
    assert_eq!(hex::encode(&data), format!("34ff0024a1b2c3d40000008501000900{INNER}"));
    let message = decode(&data).expect("message");
    assert_eq!((message.kind, message.teid, message.payload), (MessageType::GPdu, 0xa1b2_c3d4, &inner[..]));
    let content = message.extensions.find(PDU_SESSION_CONTAINER).expect("container");
    assert_eq!(DownlinkContainer::decode(content), Ok(DownlinkContainer::of(9)));

    let container = DownlinkContainer { qfi: 63, rqi: true, ppi: Some(5) };
    let (content, length) = container.encode();
    let extensions = [(PDU_SESSION_CONTAINER, &content[..length])];
    let header = Header { kind: MessageType::GPdu, teid: 0xa1b2_c3d4, sequence: None, extensions: &extensions };
    let mut out = [0; 32];
    let length = header.encode(inner.len(), &mut out).expect("fits");
    assert_eq!(hex::encode(&out[..length]), "34ff0028a1b2c3d4000000850200ffa000000000");
    let data = [&out[..length], &inner].concat();
    let content = decode(&data).expect("message").extensions.find(PDU_SESSION_CONTAINER).expect("container");
    assert_eq!(DownlinkContainer::decode(content), Ok(container));
}

#[test]
fn uplink_packets_of_others_are_read() {
    for (hex, qfi, sequence) in [
        (format!("36ff0024a1b2c3d4beef008501100100{INNER}"), 1, Some(0xbeef)),
        // With QFI sequence number and N3/N9 delay.
        (format!("34ff002ca1b2c3d4000000850311850001020a0b0c0d0000{INNER}"), 5, None),
    ] {
        let data = bytes(&hex);
        let message = decode(&data).expect("message");
        assert_eq!((message.kind, message.teid, message.sequence), (MessageType::GPdu, 0xa1b2_c3d4, sequence));
        let content = message.extensions.find(PDU_SESSION_CONTAINER).expect("container");
        assert_eq!(UplinkContainer::decode(content), Ok(UplinkContainer { qfi }));
        assert_eq!(DownlinkContainer::decode(content), Err(GtpuError::Container));
        assert_eq!(message.payload, bytes(INNER));
    }
    // Downlink with a time stamp and a sequence number.
    let data = bytes(&format!("34ff0030a1b2c3d400000085040c0511121314151617182122230000{INNER}"));
    let content = decode(&data).expect("message").extensions.find(PDU_SESSION_CONTAINER).expect("container");
    assert_eq!(DownlinkContainer::decode(content), Ok(DownlinkContainer::of(5)));
    assert_eq!(UplinkContainer::decode(content), Err(GtpuError::Container));
}

#[test]
fn what_is_no_message_is_refused() {
    for (hex, error) in [
        ("", GtpuError::CutOff),
        ("30fe0000010203", GtpuError::CutOff),
        ("30fe000101020304", GtpuError::CutOff),
        ("30fe00000102030400", GtpuError::TrailingBytes),
        ("50fe000001020304", GtpuError::Version),
        ("20fe000001020304", GtpuError::Version),
        ("32fe0003010203040000 00", GtpuError::CutOff),
        // An extension header of length 0, one that is cut off, and a chain without end.
        ("34ff0008010203040000008500000000", GtpuError::Extensions),
        ("34ff0008010203040000008502000900", GtpuError::CutOff),
        (
            "34ff00280102030400000001 01000001010000010100000101000001010000010100000101000001 0100000101000000",
            GtpuError::Extensions,
        ),
    ] {
        assert_eq!(decode(&bytes(&hex.replace(' ', ""))).map(|_| ()), Err(error), "{hex}");
    }
}

#[test]
fn what_must_be_understood_is_said() {
    // A PDCP PDU number (0xc0) before the container; a service class (0x20) may be skipped.
    let data = bytes("34ff0010010203040000 00c0 01000085 01100100 45000000".replace(' ', "").as_str());
    let message = decode(&data).expect("message");
    assert_eq!(message.extensions.not_understood(&[PDU_SESSION_CONTAINER]), Some(0xc0));
    assert_eq!(message.extensions.not_understood(&[PDU_SESSION_CONTAINER, 0xc0]), None);
    assert!(message.extensions.find(PDU_SESSION_CONTAINER).is_some());
    let data = bytes("34ff0010010203040000 0020 01000085 01100100 45000000".replace(' ', "").as_str());
    assert_eq!(decode(&data).expect("message").extensions.not_understood(&[PDU_SESSION_CONTAINER]), None);
    // Without the E flag the next type means nothing.
    let data = bytes("32ff0008010203040000008545000000");
    let message = decode(&data).expect("message");
    assert_eq!((message.extensions, message.payload.len()), (Extensions::NONE, 4));
}

#[test]
fn elements_out_of_order_or_cut_off_are_refused() {
    for hex in ["8500040a03000110deadbeef", "10deadbe", "8500050a03000100", "850004", "0e", "0f00", "8d05", "85"] {
        assert_eq!(Elements::decode(&bytes(hex)), Err(GtpuError::Elements), "{hex}");
    }
    // A vendor's own element at the end.
    assert_eq!(Elements::decode(&bytes("0e00ff0003010203")).map(|found| found.recovery), Ok(Some(0)));
}

#[test]
fn nothing_is_written_past_the_buffer() {
    let mut small = [0; 11];
    assert_eq!(Signal::EchoRequest { sequence: 1 }.encode(&mut small), Err(GtpuError::NoRoom));
    assert_eq!(
        Signal::SupportedExtensionHeaders { sequence: 1, types: &[0; 200] }.encode(&mut [0; 300]),
        Err(GtpuError::NoRoom)
    );
    assert_eq!(encode_g_pdu(1, 1, 65_528), Err(GtpuError::NoRoom));
    let header = Header { kind: MessageType::GPdu, teid: 1, sequence: Some(2), extensions: &[] };
    assert_eq!(header.encode(65_532, &mut [0; 16]), Err(GtpuError::NoRoom));
}
