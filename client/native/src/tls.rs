//! TLS: version 1.3 only, hybrid post-quantum key exchange first, one pinned root instead of the system's list.

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use x509_cert::der::{Decode, Encode};

/// SHA-256 of the root CA's SubjectPublicKeyInfo, as carried by a voucher.
pub type CaPin = [u8; 32];

/// A client configuration that trusts exactly the root with this pin.
///
/// # Errors
/// Only when the cryptographic provider lacks TLS 1.3, which would be a build mistake.
pub fn client_config(pin: CaPin) -> Result<Arc<ClientConfig>, Error> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = Arc::new(PinnedRoot { pin, provider: Arc::clone(&provider) });
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .dangerous() // the verifier below is stricter than the default: one root, by pin
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// Accepts a chain that contains the pinned root and is otherwise valid for the host, by webpki.
#[derive(Debug)]
struct PinnedRoot {
    pin: CaPin,
    provider: Arc<CryptoProvider>,
}

/// SHA-256 of a certificate's SubjectPublicKeyInfo; none when it is no certificate.
pub fn spki_hash(certificate: &[u8]) -> Option<CaPin> {
    let certificate = x509_cert::Certificate::from_der(certificate).ok()?;
    let spki = certificate.tbs_certificate.subject_public_key_info.to_der().ok()?;
    Some(Sha256::digest(spki).into())
}

impl ServerCertVerifier for PinnedRoot {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        // The server sends its root along, because a voucher carries only the pin.
        let root = intermediates
            .iter()
            .find(|c| spki_hash(c) == Some(self.pin))
            .ok_or(Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer))?;
        let mut roots = RootCertStore::empty();
        roots.add(root.clone().into_owned())?;
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&self.provider))
            .build()
            .map_err(|_| Error::General("pinned root unusable".into()))?
            .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("TLS 1.2 is not spoken".into()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
