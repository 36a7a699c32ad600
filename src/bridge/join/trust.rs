//! By what a host is known on an encrypted link: the fingerprint of its certificate, or who vouches for it.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, OtherError, RootCertStore,
    SignatureScheme,
};
use sha2::Digest;
use tokio_rustls::TlsConnector;

/// By what a host is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trust {
    /// This certificate and no other, whatever name it is for.
    Fingerprint(Fingerprint),
    /// A certificate for the host's name, vouched for by one of those in this PEM file.
    Authorities(PathBuf),
}

/// SHA-256 of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// That of this certificate.
    #[must_use]
    pub fn of(certificate: &CertificateDer<'_>) -> Self {
        Self(sha2::Sha256::digest(certificate.as_ref()).into())
    }
}

/// What was written is no fingerprint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no SHA-256 fingerprint: 64 hexadecimal digits, with or without colons; `malloc-vr classroom --tls` prints it"
)]
pub struct BadFingerprint(String);

impl FromStr for Fingerprint {
    type Err = BadFingerprint;

    fn from_str(written: &str) -> Result<Self, BadFingerprint> {
        let bad = || BadFingerprint(written.to_owned());
        let digits: Vec<u8> = written.trim().bytes().filter(|it| *it != b':').collect();
        let mut bytes = [0; 32];
        if digits.len() != 2 * bytes.len() || !digits.iter().all(u8::is_ascii_hexdigit) {
            return Err(bad());
        }
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| bad())?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| bad())?;
        }
        Ok(Self(bytes))
    }
}

/// As `openssl x509 -fingerprint -sha256` shows it.
impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, byte) in self.0.iter().enumerate() {
            let colon = if place == 0 { "" } else { ":" };
            write!(f, "{colon}{byte:02X}")?;
        }
        Ok(())
    }
}

/// Why no encrypted link can be made from here.
#[derive(Debug, thiserror::Error)]
pub enum NoTrust {
    /// The processor lacks what the cryptography is written for.
    #[error(
        "this processor cannot encrypt connections (docs/bridge.md says what it needs); join over a network you trust, without wss://"
    )]
    Processor,
    /// The file with those who vouch is not what it should be.
    #[error(
        "{file}: {why}; a PEM file with the certificates that vouch for the host is needed (--join-ca)"
    )]
    Authorities {
        /// Which file.
        file: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The library refused.
    #[error("no encrypted connection can be made: {0}")]
    Library(#[from] rustls::Error),
}

impl Trust {
    /// Whether anything can be dialled by it: better known before a lesson than in it.
    ///
    /// # Errors
    /// Where this machine can't encrypt, or the file is not what it should be.
    pub fn check(&self) -> Result<(), NoTrust> {
        self.connector().map(drop)
    }

    /// What dials by it. TLS 1.3 only, as hosts offer.
    ///
    /// # Errors
    /// As [`Trust::check`].
    pub fn connector(&self) -> Result<TlsConnector, NoTrust> {
        if !graviola::util::is_cpu_supported() {
            return Err(NoTrust::Processor);
        }
        let provider = Arc::new(rustls_graviola::default_provider());
        let builder = ClientConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(&[&rustls::version::TLS13])?;
        let mut config = match self {
            Self::Fingerprint(fingerprint) => {
                let verifier = Arc::new(Pinned {
                    fingerprint: *fingerprint,
                    provider,
                });
                let builder = builder.dangerous();
                builder
                    .with_custom_certificate_verifier(verifier)
                    .with_no_client_auth()
            }
            Self::Authorities(file) => builder
                .with_root_certificates(authorities(file)?)
                .with_no_client_auth(),
        };
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(TlsConnector::from(Arc::new(config)))
    }
}

fn authorities(file: &PathBuf) -> Result<RootCertStore, NoTrust> {
    let unfit = |why: String| NoTrust::Authorities {
        file: file.clone(),
        why,
    };
    let mut store = RootCertStore::empty();
    let read = CertificateDer::pem_file_iter(file).map_err(|error| unfit(error.to_string()))?;
    let read: Result<Vec<_>, _> = read.collect();
    let (good, _) =
        store.add_parsable_certificates(read.map_err(|error| unfit(error.to_string()))?);
    if good == 0 {
        return Err(unfit("it has no certificate".to_owned()));
    }
    Ok(store)
}

/// The host shows another certificate than the one it is known by.
#[derive(Debug, thiserror::Error)]
#[error("its certificate has the fingerprint {0}")]
struct Another(Fingerprint);

/// Takes one certificate. Its name and dates do not matter: who pins it has been told of it by the host's own screen.
#[derive(Debug)]
struct Pinned {
    fingerprint: Fingerprint,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let shown = Fingerprint::of(certificate);
        if shown == self.fingerprint {
            return Ok(ServerCertVerified::assertion());
        }
        let other = CertificateError::Other(OtherError(Arc::new(Another(shown))));
        Err(rustls::Error::InvalidCertificate(other))
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(rustls::Error::General(
            "TLS 1.2 is not spoken here".to_owned(),
        ))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let algorithms = &self.provider.signature_verification_algorithms;
        algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_written_with_or_without_colons_and_nothing_else_is_one() {
        let digits = "0a".repeat(32);
        let fingerprint: Fingerprint = digits.parse().unwrap();
        assert_eq!(fingerprint.to_string(), vec!["0A"; 32].join(":"));
        let again: Fingerprint = fingerprint.to_string().parse().unwrap();
        assert_eq!(again, fingerprint);
        let long = "0a".repeat(33);
        for wrong in ["", "0a", &long, &"zz".repeat(32), &"é".repeat(32)] {
            assert!(wrong.parse::<Fingerprint>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_file_without_certificates_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.pem");
        for content in ["", "hello"] {
            std::fs::write(&file, content).unwrap();
            let error = Trust::Authorities(file.clone()).connector().err().unwrap();
            assert!(error.to_string().contains("ca.pem"), "{error}");
        }
        let nowhere = Trust::Authorities(folder.path().join("none.pem")).connector();
        assert!(nowhere.err().unwrap().to_string().contains("none.pem"));
    }
}
