//! Certificates, and whom to trust.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use tokio_rustls::rustls::crypto::{
    CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature,
};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{
    CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime,
};
use tokio_rustls::rustls::{
    self, ClientConfig, DigitallySignedStruct, RootCertStore, ServerConfig, SignatureScheme,
};
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// TLS cannot be set up.
#[derive(Debug)]
pub enum TlsError {
    /// A file cannot be read, or is no PEM file of the right kind.
    File(PathBuf, String),
    /// No certificate can be made.
    Certificate(rcgen::Error),
    /// Certificate and key do not work.
    Tls(rustls::Error),
    /// There is no root certificate to trust.
    NoRoots,
}

impl std::fmt::Display for TlsError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path, cause) => write!(f, "{}: {cause}", path.display()),
            Self::Certificate(error) => write!(f, "no certificate: {error}"),
            Self::Tls(error) => write!(f, "tls: {error}"),
            Self::NoRoots => f.write_str("the system trusts no root certificates"),
        }
    }
}

impl std::error::Error for TlsError {}

/// The certificate of a server, with its key.
#[derive(Debug)]
pub struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl Identity {
    /// A certificate for these names that nobody vouches for.
    ///
    /// # Errors
    /// A name is no DNS name.
    pub fn self_signed(names: Vec<String>) -> Result<Self, TlsError> {
        let made = rcgen::generate_simple_self_signed(names).map_err(TlsError::Certificate)?;
        let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
        Ok(Self {
            chain: vec![made.cert.der().clone()],
            key: key.into(),
        })
    }

    /// The chain and the key in these files.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn from_pem_files(chain: &Path, key: &Path) -> Result<Self, TlsError> {
        Ok(Self {
            chain: certificates(chain)?,
            key: PrivateKeyDer::from_pem_file(key).map_err(|error| in_file(key, &error))?,
        })
    }

    /// The server's certificate.
    #[must_use]
    pub fn certificate(&self) -> CertificateDer<'static> {
        self.chain[0].clone()
    }

    /// The server's certificate as PEM.
    #[must_use]
    pub fn certificate_pem(&self) -> String {
        pem::encode(&pem::Pem::new("CERTIFICATE", self.chain[0].to_vec()))
    }

    /// A server with this certificate.
    ///
    /// # Errors
    /// Certificate and key do not fit.
    pub fn acceptor(self) -> Result<TlsAcceptor, TlsError> {
        let config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .and_then(|config| {
                config
                    .with_no_client_auth()
                    .with_single_cert(self.chain, self.key)
            })
            .map_err(TlsError::Tls)?;
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

/// Which certificates of servers a client takes.
#[derive(Debug, Clone)]
pub enum Trust {
    /// Those that lead to a root that the system trusts.
    System,
    /// Those that lead to a certificate of this PEM file, or are in it.
    File(PathBuf),
    /// Those that lead to one of these, or are among them.
    Roots(Vec<CertificateDer<'static>>),
    /// All. Whoever sits in between can read along.
    Anybody,
}

impl Trust {
    /// A client with this trust.
    ///
    /// # Errors
    /// There are no roots.
    pub fn connector(&self) -> Result<TlsConnector, TlsError> {
        let roots = match self {
            Self::System => rustls_native_certs::load_native_certs().certs,
            Self::File(path) => certificates(path)?,
            Self::Roots(roots) => roots.clone(),
            Self::Anybody => Vec::new(),
        };
        let builder = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Tls)?;
        let config = if let Self::Anybody = self {
            builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(Anybody(provider())))
                .with_no_client_auth()
        } else {
            let mut store = RootCertStore::empty();
            store.add_parsable_certificates(roots);
            let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(store), provider())
                .build()
                .map_err(|_| TlsError::NoRoots)?;
            builder.with_webpki_verifier(verifier).with_no_client_auth()
        };
        Ok(TlsConnector::from(Arc::new(config)))
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let certificates: Vec<_> = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect)
        .map_err(|error| in_file(path, &error))?;
    if certificates.is_empty() {
        return Err(in_file(path, &"no certificate in it"));
    }
    Ok(certificates)
}

fn in_file(path: &Path, cause: &dyn std::fmt::Display) -> TlsError {
    TlsError::File(path.to_owned(), cause.to_string())
}

/// Takes every certificate; the handshake must still be signed with its key.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
