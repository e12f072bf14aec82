//! The signed file, and the kernel rules made from it.

use crate::world::LIST;
use ed25519_dalek::SigningKey;
use pakawaaz_user_plane::UserPlaneError;
use pakawaaz_user_plane::allow_list::{file, nftables};

fn key() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

#[test]
fn a_signed_file_is_read_and_only_as_it_was_signed() {
    let signed = file::sign(LIST, &key()).expect("signs");
    let public = key().verifying_key().to_bytes();
    let lists = file::read(&signed, &public, 3).expect("reads");
    assert_eq!((lists.serial(), lists.networks().len()), (3, 2));
    assert_eq!(lists, file::parse(LIST).expect("reads"));
    // It is still TOML.
    assert_eq!(file::parse(&signed).expect("reads"), lists);

    assert_eq!(file::read(&signed, &public, 4), Err(UserPlaneError::Outdated));
    let stranger = SigningKey::from_bytes(&[8; 32]).verifying_key().to_bytes();
    assert_eq!(file::read(&signed, &stranger, 0), Err(UserPlaneError::Signature));
    assert_eq!(file::read(LIST, &public, 0), Err(UserPlaneError::Signature));
    for at in (0..signed.len()).step_by(7) {
        let mut changed = signed.clone().into_bytes();
        changed[at] ^= 1;
        let Ok(changed) = String::from_utf8(changed) else { continue };
        assert_eq!(file::read(&changed, &public, 0), Err(UserPlaneError::Signature), "byte {at}");
    }
    // Nothing may be put behind or before.
    for changed in [format!("{signed}[[data_network]]\n"), format!("serial = 9\n{signed}"), format!("{signed}\n")] {
        assert_eq!(file::read(&changed, &public, 0), Err(UserPlaneError::Signature));
    }
}

#[test]
fn signing_again_replaces_the_signature() {
    let once = file::sign(LIST, &key()).expect("signs");
    let twice = file::sign(&once, &SigningKey::from_bytes(&[9; 32])).expect("signs");
    assert_eq!(twice.matches("# signature").count(), 1);
    assert!(file::read(&twice, &SigningKey::from_bytes(&[9; 32]).verifying_key().to_bytes(), 0).is_ok());
    assert_eq!(file::sign(&twice, &key()).expect("signs"), once);
}

#[test]
fn nobody_signs_what_nobody_accepts() {
    let public = LIST.replace("10.99.0.10", "203.0.113.10");
    assert!(matches!(file::sign(&public, &key()), Err(UserPlaneError::AllowList(why)) if why.contains("203.0.113.10")));
}

#[test]
fn a_file_of_another_shape_is_refused() {
    for (from, to) in [
        ("format = 1", "format = 2"),
        ("serial = 3", ""),
        ("mtu = 1400", "mtu = 1400\nnat = true"),
        ("protocol = \"tcp\"", "protocol = \"sctp\""),
        ("ports = [\"443\", \"8000-8100\"]", ""),
        ("\"8000-8100\"", "\"8000-\""),
        ("\"8000-8100\"", "\"+443\""),
        ("\"8000-8100\"", "\"65536\""),
        ("protocol = \"echo\"", "protocol = \"echo\"\nports = [\"1\"]"),
        ("\"10.99.0.10\"", "\"10.99.0.10/24\""),
        ("\"10.99.0.10\"", "\"chat.gov\""),
        ("name = \"ims\"", "name = \"GOV\""),
    ] {
        let changed = LIST.replacen(from, to, 1);
        assert_ne!(changed, LIST, "{from}");
        assert!(file::parse(&changed).is_err(), "{to}");
    }
}

#[test]
fn the_rule_set_says_the_same_as_the_file() {
    let lists = file::parse(LIST).expect("reads");
    let rules = nftables::rule_set(&lists, nftables::Interfaces { tun: "pkw-tun", n6: "pkw-n6" });
    for wanted in [
        "type filter hook input priority filter; policy drop;",
        "type filter hook output priority filter; policy drop;",
        "type filter hook forward priority filter; policy drop;",
        "iifname \"pkw-tun\" oifname \"pkw-tun\" counter drop",
        "iifname \"pkw-tun\" oifname \"pkw-n6\" ip saddr { 10.45.0.0/16 } jump up_0",
        "iifname \"pkw-n6\" oifname \"pkw-tun\" ip6 daddr { fd00:45::/48 } jump down_0",
        "ip daddr { 10.99.0.10/32 } tcp dport { 443, 8000-8100 } accept",
        "ip6 daddr { fd00:99::20/124 } udp dport { 1-65535 } accept",
        "ip daddr != { 10.99.0.53/32 } meta l4proto { tcp, udp } th dport { 53, 853, 5353 } counter drop",
        "ip saddr { 10.99.0.20/30 } udp sport { 1-65535 } ct state established accept",
        "ip saddr { 10.99.0.0/24 } icmp type echo-reply ct state established accept",
    ] {
        assert!(rules.contains(wanted), "{wanted}\nis not in\n{rules}");
    }
    for unwanted in ["type nat", "snat", "dnat", "masquerade", "redirect", "policy accept"] {
        assert!(!rules.contains(unwanted), "{unwanted}");
    }
    // The data network without entries lets only errors about nothing through.
    let ims = &rules[rules.find("chain up_1").expect("chain")..];
    let ims = &ims[..ims.find('}').expect("end")];
    assert!(!ims.contains("daddr"), "{ims}");
}
