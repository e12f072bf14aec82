//! EAP-AKA' of the test's phone and vault, with the keys of the crate that the product's vault uses.

use crate::phone::{Auth, Phone, SN_NAME};
use hmac::{Hmac, Mac};
use oxirush_nas::nas_5gs::{Nas5gsMessage, NasAuthenticationResponse, NasEapMessage};
use oxirush_security::milenage::AuthenticationVector;
use oxirush_security::nas_5gs::{KAusf, Supi, derive_kamf, derive_kseaf};
use oxirush_security::{Autn, Rand};
use pakawaaz_aka as aka;
use pakawaaz_control_plane::io::Expected;
use sha2::Sha256;
use zeroize::Zeroizing;

fn keys(imsi: &str, ck: &[u8], ik: &[u8], autn: &[u8; 16]) -> aka::EapAkaPrimeKeys {
    let ck = aka::CipherKey::from_slice(ck).unwrap();
    let ik = aka::IntegrityKey::from_slice(ik).unwrap();
    let autn = aka::Autn::from_bytes(*autn);
    let network = aka::NetworkName::new(SN_NAME).unwrap();
    aka::EapAkaPrimeKeys::derive(&ck, &ik, &autn, &network, &aka::EapIdentity::new(imsi).unwrap()).unwrap()
}

fn k_ausf(keys: &aka::EapAkaPrimeKeys) -> KAusf {
    KAusf::from_slice(&keys.emsk.as_bytes()[..32]).unwrap()
}

/// What the vault expects.
pub fn expected(imsi: &str, vector: &AuthenticationVector) -> Expected {
    let keys = keys(imsi, vector.ck().as_octets(), vector.ik().as_octets(), vector.autn().as_octets());
    Expected::EapAkaPrime {
        xres: Zeroizing::new(vector.xres().as_octets().to_vec()),
        k_aut: Zeroizing::new(*keys.k_aut.as_bytes()),
        k_ausf: k_ausf(&keys),
    }
}

fn mac(key: &[u8], packet: &[u8]) -> [u8; 16] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(packet);
    mac.finalize().into_bytes()[..16].try_into().unwrap()
}

fn attribute(packet: &[u8], wanted: u8) -> (usize, &[u8]) {
    let mut at = 8;
    while at < packet.len() {
        let length = usize::from(packet[at + 1]) * 4;
        if packet[at] == wanted {
            return (at, &packet[at..at + length]);
        }
        at += length;
    }
    panic!("attribute {wanted} is not there")
}

fn finish(mut packet: Vec<u8>) -> Vec<u8> {
    let length = u16::try_from(packet.len()).unwrap().to_be_bytes();
    packet[2..4].copy_from_slice(&length);
    packet
}

/// The phone's answer to a challenge: everything in it is checked first.
pub fn answer(phone: &mut Phone, request: &[u8]) -> Vec<u8> {
    assert_eq!((request[0], request[4], request[5]), (1, 50, 1), "an AKA' challenge");
    let id = request[1];
    let rand: [u8; 16] = attribute(request, 1).1[4..20].try_into().unwrap();
    let autn: [u8; 16] = attribute(request, 2).1[4..20].try_into().unwrap();
    let name = attribute(request, 23).1;
    let length = usize::from(u16::from_be_bytes([name[2], name[3]]));
    assert_eq!(&name[4..4 + length], SN_NAME.as_bytes());
    assert_eq!(attribute(request, 24).1, [24, 1, 0, 1], "the one key derivation function");
    let (rand, autn) = (Rand::new(&rand), Autn::new(&autn));
    let usim = phone.usim.check_autn(&rand, &autn).unwrap();
    let keys = keys(&phone.imsi, usim.ck().as_octets(), usim.ik().as_octets(), autn.as_octets());
    let (at, given) = attribute(request, 11);
    let mut zeroed = request.to_vec();
    zeroed[at + 4..at + 20].fill(0);
    assert_eq!(given[4..20], mac(keys.k_aut.as_bytes(), &zeroed), "AT_MAC of the network");

    let packet = match phone.auth {
        Auth::Right | Auth::Wrong => {
            let mut res = usim.res().as_octets().to_vec();
            if phone.auth == Auth::Wrong {
                res[0] ^= 1;
            }
            let mut packet = vec![2, id, 0, 0, 50, 1, 0, 0, 3, 3, 0, 64];
            packet.extend(res);
            packet.extend([11, 5, 0, 0]);
            packet.extend([0; 16]);
            let mut packet = finish(packet);
            let mac = mac(keys.k_aut.as_bytes(), &packet);
            let at = packet.len() - 16;
            packet[at..].copy_from_slice(&mac);
            let k_seaf = derive_kseaf(&k_ausf(&keys), SN_NAME.as_bytes()).unwrap();
            phone.k_amf = Some(derive_kamf(&k_seaf, &Supi::imsi(&phone.imsi).unwrap(), &[0, 0]).unwrap());
            packet
        }
        Auth::Synchronise | Auth::AlwaysSynchronise => {
            if phone.auth == Auth::Synchronise {
                phone.auth = Auth::Right;
            }
            let auts = phone.usim.auts(&rand, &oxirush_security::milenage::Sqn::try_from(4096).unwrap());
            let mut packet = vec![2, id, 0, 0, 50, 4, 0, 0, 4, 4];
            packet.extend(auts.as_octets());
            finish(packet)
        }
        _ => finish(vec![2, id, 0, 0, 50, 2, 0, 0]),
    };
    let response = NasAuthenticationResponse::new().with_eap_message(NasEapMessage::new(packet));
    Nas5gsMessage::new_5gmm(response).encode().unwrap()
}
