//! TLS 1.3 only, hybrid post-quantum key exchange first, a certificate from the installation's own issuing CA.

use rustls::crypto::aws_lc_rs;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{NamedGroup, ServerConfig};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use std::sync::{Arc, PoisonError, RwLock};
use tokio_rustls::TlsAcceptor;

/// Key exchanges offered, in order of preference.
pub const KEY_EXCHANGES: [NamedGroup; 3] = [NamedGroup::X25519MLKEM768, NamedGroup::X25519, NamedGroup::secp256r1];

/// What went wrong with a certificate.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// rustls refuses the key, the certificate, or that they belong together.
    #[error("the TLS certificate does not work: {0}")]
    Rejected(#[from] rustls::Error),
}

/// The certificate in use; replaced while running, when it nears its end.
#[derive(Debug)]
pub struct ServerCertificate(RwLock<Arc<CertifiedKey>>);

impl ServerCertificate {
    /// From a chain (leaf first, X.509 DER) and its key (PKCS#8 DER).
    pub fn new(chain: Vec<Vec<u8>>, key: &[u8]) -> Result<Arc<Self>, TlsError> {
        Ok(Arc::new(Self(RwLock::new(Arc::new(certified(chain, key)?)))))
    }

    /// For connections from now on.
    pub fn replace(&self, chain: Vec<Vec<u8>>, key: &[u8]) -> Result<(), TlsError> {
        let fresh = Arc::new(certified(chain, key)?);
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(())
    }
}

impl ResolvesServerCert for ServerCertificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.read().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

fn certified(chain: Vec<Vec<u8>>, key: &[u8]) -> Result<CertifiedKey, TlsError> {
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.to_vec()));
    let chain = chain.into_iter().map(CertificateDer::from).collect();
    Ok(CertifiedKey::from_der(chain, key, &provider())?)
}

/// aws-lc-rs with [`KEY_EXCHANGES`] in that order, whatever the library's own order is.
pub fn provider() -> rustls::crypto::CryptoProvider {
    let all = aws_lc_rs::ALL_KX_GROUPS;
    let groups = KEY_EXCHANGES.iter().filter_map(|name| all.iter().find(|group| group.name() == *name).copied());
    rustls::crypto::CryptoProvider { kx_groups: groups.collect(), ..aws_lc_rs::default_provider() }
}

/// The acceptor.
pub fn acceptor(certificate: Arc<ServerCertificate>) -> Result<TlsAcceptor, TlsError> {
    let mut config = ServerConfig::builder_with_provider(Arc::new(provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_no_client_auth()
        .with_cert_resolver(certificate);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    // One ticket is enough for a client that reconnects; 0-RTT stays off, its requests could be replayed.
    config.send_tls13_tickets = 1;
    config.max_early_data_size = 0;
    Ok(TlsAcceptor::from(Arc::new(config)))
}
