//! What to do about an error, by its code.

/// A sentence for whoever got this code, where there is something to say beside it.
pub fn advice(code: &str) -> Option<&'static str> {
    Some(match code {
        "client.login_required" => "Run `pakawaaz login`.",
        "client.unreachable" => {
            "Check that the server is running and this machine is on the network. Queued messages are kept."
        }
        "client.untrusted_server" => {
            "The server's certificate does not lead to the root in your voucher. Do not go on; tell your administrator."
        }
        "client.wrong_pin" => {
            "Try again. Without the PIN the profile cannot be opened; a recovery voucher makes a new one."
        }
        "client.not_approved" => "On a device you already have, run `pakawaaz devices approve ID`.",
        "identity.wrong_password" => "The device was recognised; the password is wrong.",
        "identity.sim_rejected" => "The SIM is not the one bound to your account, or it was revoked.",
        "identity.login_failed" => "The name or the device is unknown to the server, or was revoked.",
        "identity.back_off" | "http.throttled" => "Too many attempts; wait a little.",
        _ => return cellular(code),
    })
}

/// Those of the cellular network, which are all for operators.
fn cellular(code: &str) -> Option<&'static str> {
    Some(match code {
        "cellular.forbidden" => {
            "Administrators decide about the network and trace phones; whoever manages cards sees it and decides about cards."
        }
        "cellular.not_found" => "There is no such phone on the network now, or no such trace or alarm any more.",
        "cellular.bad_imsi" => "An IMSI has 6 to 15 digits.",
        "cellular.bad_plmn" => "Write country and network code like this: 410-99.",
        "cellular.bad_amf" => {
            "Names of AMF and network are short and in Latin letters; the set is below 1024, the pointer below 64."
        }
        "cellular.bad_tac" => "A network has 1 to 16 different tracking areas, each of 1 to 16777213.",
        "cellular.bad_slice" => "A network has 1 to 8 different slices; a differentiator has six hexadecimal digits.",
        "cellular.bad_data_network" => {
            "A data network has a name of letters, digits, hyphens and dots that no other has, a slice of the network, an MTU \
             of 1280 to 9000, a standardised 5QI, rates above 1 kbit/s, and at most four name servers. At least one must stay."
        }
        "cellular.bad_pool" => {
            "A pool is a private network, named by its first address: 10.46.0.0/16 (/8 to /29) or fd00:46::/48 (/32 to /63)."
        }
        "cellular.pool_overlap" => {
            "Two data networks would give out the same addresses: see `pakawaaz admin cellular dnns`."
        }
        "cellular.bad_gnb" => {
            "A gNB is on the list once, its identity fits into its bits (22 to 32), and it serves tracking areas of the \
             network only. Take an area from its gNBs (`gnbs allow` anew) before you remove it; add one before you name it there."
        }
        "cellular.bad_place" => {
            "The name of a place is one line of at most 64 characters in English, and in Urdu or not, with letters or digits."
        }
        "cellular.bad_algorithm" => {
            "Algorithms are nia1 to nia3 and nea1 to nea3, each once, at least one of each kind."
        }
        "cellular.bad_authentication" => "Phones prove themselves by 5g-aka or eap-aka-prime.",
        "cellular.bad_timer" => {
            "T3512 is 60 seconds to a week, the silence after it 10 seconds to a day; rates are 1 kbit/s to 4 Tbit/s."
        }
        "cellular.bad_overload" => "gNBs reduce signalling by 0 to 99 percent.",
        "cellular.bad_profile" => {
            "The profile names a slice or data network that the network does not have, an address that is of no pool, or \
             equipment that is no IMEI."
        }
        "cellular.changed" => "Somebody changed the network meanwhile. Look at it, then try again.",
        "cellular.plmn_in_use" => "Phones are registered; the PLMN changes only while none is.",
        "cellular.canary_in_pool" => {
            "The pool holds an address by which the user plane tests itself, and which no phone may have. Choose another pool."
        }
        "cellular.too_many_traces" => {
            "Eight phones are traced at most. End one: `pakawaaz admin cellular trace IMSI --off`."
        }
        "cellular.off" => {
            "This server runs no 5G core; `[cellular] enabled = true` in its configuration switches it on."
        }
        "cellular.standby" => "Another node runs the 5G core now. Ask that one, or wait until this one takes over.",
        "cellular.busy" => "The core has too much to do; try again in a moment.",
        "cellular.damaged" | "cellular.seal" => "The server's log says more.",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_of_the_cellular_network_has_its_sentence() {
        let errors = include_str!("../../../contexts/cellular/src/error.rs");
        let codes: Vec<&str> = errors.split('"').filter(|text| text.starts_with("cellular.")).collect();
        assert!(codes.len() > 20, "{codes:?}");
        for code in codes {
            assert!(advice(code).is_some(), "{code} has no sentence");
        }
    }
}
