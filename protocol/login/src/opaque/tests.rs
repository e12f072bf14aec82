use super::*;
use rand::rngs::OsRng;

const KSF: KsfParams = KsfParams::CHEAP;

/// RFC 9807 §C.1.1 stretches with the identity function; otherwise the suite is ours.
struct VectorSuite;
impl CipherSuite for VectorSuite {
    type OprfCs = Ristretto255;
    type KeyExchange = TripleDh<Ristretto255, Sha512>;
    type Ksf = opaque_ke::ksf::Identity;
}

/// Hands out scripted bytes; panics when asked for more.
struct Script(Vec<u8>);
impl rand_core::RngCore for Script {
    fn next_u32(&mut self) -> u32 {
        unreachable!("only fill_bytes is used")
    }
    fn next_u64(&mut self) -> u64 {
        unreachable!("only fill_bytes is used")
    }
    fn fill_bytes(&mut self, dest: &mut [u8]) {
        let rest = self.0.split_off(dest.len());
        dest.copy_from_slice(&self.0);
        self.0 = rest;
    }
    fn try_fill_bytes(&mut self, dest: &mut [u8]) -> Result<(), rand_core::Error> {
        self.fill_bytes(dest);
        Ok(())
    }
}
impl rand_core::CryptoRng for Script {}

fn hex(text: &str) -> Vec<u8> {
    hex::decode(text).expect("hex")
}
/// A scalar as 64 uniform bytes that reduce to it.
fn blind(text: &str) -> Vec<u8> {
    [hex(text), vec![0; 32]].concat()
}

/// RFC 9807 §C.1.1, every published output from registration to session key.
#[test]
fn rfc_9807_c_1_1() {
    let password = hex("436f7272656374486f72736542617474657279537461706c65");
    let credential = hex("31323334");
    let context = hex("4f50415155452d504f43");
    let server_key = "47451a85372f8b3537e249d7b54188091fb18edde78094b43e2ba42b5eb89f0d";
    let server_public = "b2fe7af9f48cc502d016729d2fe25cdd433f2c4bc904660b2a382c9b79df1a78";
    let seed = "f433d0227b0b9dd54f7c4422b600e764e47fb503f1f9a0f0a47c6606b054a7fdc65347f1a08f277e22358bbabe26f823fca82c7848e9a75661f4ec5d5c1989ef";
    let setup = ServerSetup::<VectorSuite>::deserialize(&hex(&format!("{seed}{server_key}{server_public}")))
        .expect("server keys");

    // Registration.
    let mut rng = Script(blind("76cfbfe758db884bebb33582331ba9f159720ca8784a2a070a265d9c2d6abe01"));
    let start = ClientRegistration::<VectorSuite>::start(&mut rng, &password).expect("starts");
    let request = start.message.serialize();
    assert_eq!(hex::encode(request), "5059ff249eb1551b7ce4991f3336205bde44a105a032e747d21bf382e75f7a71");
    let request = RegistrationRequest::deserialize(&request).expect("parses");
    let response = ServerRegistration::start(&setup, request, &credential).expect("answers").message;
    assert_eq!(
        hex::encode(response.serialize()),
        "7408a268083e03abc7097fc05b587834539065e86fb0c7b6342fcf5e01e5b019b2fe7af9f48cc502d016729d2fe25cdd433f2c4bc904660b2a382c9b79df1a78"
    );
    let mut rng = Script(hex("ac13171b2f17bc2c74997f0fce1e1f35bec6b91fe2e12dbd323d23ba7a38dfec"));
    let done =
        start.state.finish(&mut rng, &password, response, ClientRegistrationFinishParameters::default()).expect("ends");
    assert_eq!(
        hex::encode(done.message.serialize()),
        "76a845464c68a5d2f7e442436bb1424953b17d3e2e289ccbaccafb57ac5c36751ac5844383c7708077dea41cbefe2fa15724f449e535dd7dd562e66f5ecfb95864eadddec9db5874959905117dad40a4524111849799281fefe3c51fa82785c5ac13171b2f17bc2c74997f0fce1e1f35bec6b91fe2e12dbd323d23ba7a38dfec634b0f5b96109c198a8027da51854c35bee90d1e1c781806d07d49b76de6a28b8d9e9b6c93b9f8b64d16dddd9c5bfb5fea48ee8fd2f75012a8b308605cdd8ba5"
    );
    let export_key = "1ef15b4fa99e8a852412450ab78713aad30d21fa6966c9b8c9fb3262a970dc62950d4dd4ed62598229b1b72794fc0335199d9f7fcc6eaedde92cc04870e63f16";
    assert_eq!(hex::encode(done.export_key), export_key);
    let file = ServerRegistration::finish(done.message);

    // Login.
    let mut script = blind("6ecc102d2e7a7cf49617aad7bbe188556792d4acd60a1a8a8d2b65d4b0790308");
    script.extend(hex("82850a697b42a505f5b68fcdafce8c31f0af2b581f063cf1091933541936304b")); // keyshare seed
    script.extend(hex("da7e07376d6d6f034cfa9bb537d11b8c6b4238c334333d1f0aebb380cae6a6cc")); // nonce
    let client = ClientLogin::<VectorSuite>::start(&mut Script(script), &password).expect("starts");
    assert_eq!(
        hex::encode(client.message.serialize()),
        "c4dedb0ba6ed5d965d6f250fbe554cd45cba5dfcce3ce836e4aee778aa3cd44dda7e07376d6d6f034cfa9bb537d11b8c6b4238c334333d1f0aebb380cae6a6cc6e29bee50701498605b2c085d7b241ca15ba5c32027dd21ba420b94ce60da326"
    );
    let mut script = vec![0; 64]; // masking key of the dummy record, unused
    script.extend(hex("38fe59af0df2c79f57b8780278f5ae47355fe1f817119041951c80f612fdfc6d")); // masking nonce
    script.extend(hex("05a4f54206eef1ba2f615bc0aa285cb22f26d1153b5b40a1e85ff80da12f982f")); // keyshare seed
    script.extend(hex("71cd9960ecef2fe0d0f7494986fa3d8b2bb01963537e60efb13981e138e3d4a1")); // nonce
    let parameters =
        || ServerLoginParameters { context: Some(&context), identifiers: Identifiers { client: None, server: None } };
    let server = ServerLogin::start(&mut Script(script), &setup, Some(file), client.message, &credential, parameters())
        .expect("answers");
    assert_eq!(
        hex::encode(server.message.serialize()),
        "7e308140890bcde30cbcea28b01ea1ecfbd077cff62c4def8efa075aabcbb47138fe59af0df2c79f57b8780278f5ae47355fe1f817119041951c80f612fdfc6dd6ec60bcdb26dc455ddf3e718f1020490c192d70dfc7e403981179d8073d1146a4f9aa1ced4e4cd984c657eb3b54ced3848326f70331953d91b02535af44d9fedc80188ca46743c52786e0382f95ad85c08f6afcd1ccfbff95e2bdeb015b166c6b20b92f832cc6df01e0b86a7efd92c1c804ff865781fa93f2f20b446c8371b671cd9960ecef2fe0d0f7494986fa3d8b2bb01963537e60efb13981e138e3d4a1c4f62198a9d6fa9170c42c3c71f1971b29eb1d5d0bd733e40816c91f7912cc4a660c48dae03e57aaa38f3d0cffcfc21852ebc8b405d15bd6744945ba1a93438a162b6111699d98a16bb55b7bdddfe0fc5608b23da246e7bd73b47369169c5c90"
    );
    let params = ClientLoginFinishParameters::new(Some(&context), Identifiers { client: None, server: None }, None);
    let done = client.state.finish(&mut Script(Vec::new()), &password, server.message, params).expect("ends");
    assert_eq!(
        hex::encode(done.message.serialize()),
        "4455df4f810ac31a6748835888564b536e6da5d9944dfea9e34defb9575fe5e2661ef61d2ae3929bcf57e53d464113d364365eb7d1a57b629707ca48da18e442"
    );
    let session = "42afde6f5aca0cfa5c163763fbad55e73a41db6b41bc87b8e7b62214a8eedc6731fa3cb857d657ab9b3764b89a84e91ebcb4785166fbb02cedfcbdfda215b96f";
    assert_eq!(hex::encode(done.session_key), session);
    assert_eq!(hex::encode(done.export_key), export_key);
    let finished = server.state.finish(done.message, parameters()).expect("verifies");
    assert_eq!(hex::encode(finished.session_key), session);
}

fn register(server: &OpaqueServer, username: &str, password: &[u8]) -> Vec<u8> {
    let (client, request) = Registration::start(password, &mut OsRng).expect("starts");
    let response = server.register(&request, username).expect("answers");
    let upload = client.finish(&response, username, "realm", KSF, &mut OsRng).expect("ends");
    OpaqueServer::password_file(&upload).expect("a file")
}

type Key = Zeroizing<[u8; SESSION_KEY]>;

fn login(
    server: &OpaqueServer,
    file: Option<&[u8]>,
    names: [&str; 2],
    contexts: [&[u8]; 2],
    password: &[u8],
) -> Result<(Key, Option<Key>), LoginError> {
    let (client, ke1) = ClientHandshake::start(password, &mut OsRng)?;
    let (ke2, state) = server.start(file, &ke1, names[1], "realm", contexts[1], &mut OsRng)?;
    let (ke3, mine) = client.finish(&ke2, names[0], "realm", contexts[0], KSF, &mut OsRng)?;
    Ok((mine, finish(&state, &ke3, names[1], "realm", contexts[1])?))
}

#[test]
fn the_right_password_name_and_context_agree_on_a_key() {
    let server = OpaqueServer::generate(&mut OsRng);
    let server = OpaqueServer::from_bytes(&server.to_bytes()).expect("survives storage");
    let file = register(&server, "ayesha", b"correct");
    let (mine, theirs) = login(&server, Some(&file), ["ayesha"; 2], [b"c"; 2], b"correct").expect("right password");
    assert_eq!(Some(mine), theirs);
    for wrong in [
        login(&server, Some(&file), ["ayesha"; 2], [b"c"; 2], b"incorrect"),
        login(&server, Some(&file), ["bilal", "ayesha"], [b"c"; 2], b"correct"),
        login(&server, Some(&file), ["ayesha"; 2], [b"c", b"d"], b"correct"),
        login(&server, None, ["ayesha"; 2], [b"c"; 2], b"correct"),
        login(&OpaqueServer::generate(&mut OsRng), Some(&file), ["ayesha"; 2], [b"c"; 2], b"correct"),
    ] {
        assert_eq!(wrong.err(), Some(LoginError::WrongPassword));
    }
}

#[test]
fn a_stranger_to_the_password_cannot_make_ke3() {
    let server = OpaqueServer::generate(&mut OsRng);
    let file = register(&server, "ayesha", b"correct");
    let (_, ke1) = ClientHandshake::start(b"guess", &mut OsRng).expect("starts");
    let (_, state) = server.start(Some(&file), &ke1, "ayesha", "realm", b"c", &mut OsRng).expect("answers");
    assert_eq!(finish(&state, &[7; 64], "ayesha", "realm", b"c"), Ok(None));
}

#[test]
fn passwords_have_bounds() {
    assert!(Registration::start(b"", &mut OsRng).is_err());
    assert!(Registration::start(&[b'a'; MAX_PASSWORD + 1], &mut OsRng).is_err());
    assert!(Registration::start(&[b'a'; MAX_PASSWORD], &mut OsRng).is_ok());
}
