//! TLS 1.3 in pure Rust (rustls with graviola): the school's own certificate, or one that is made once and kept, whose
//! fingerprint is shown at pairing.

use std::fs;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use graviola::hashing::Sha256;
use graviola::signing::ecdsa::{P256, SigningKey};
use rcgen::{CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, SanType};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::join::Fingerprint;
use crate::record::replace;

/// Name of the file in which our own certificate is kept.
const FILE: &str = "certificate.json";
/// Our own certificate is good for this long; clients go by its fingerprint.
const GOOD_FOR: Duration = Duration::from_secs(800 * 24 * 3600);
/// A new one is made this long before.
const RENEWED: Duration = Duration::from_secs(30 * 24 * 3600);

/// Which certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TlsConfig {
    /// Our own, made once and kept in the data folder.
    SelfSigned,
    /// The school's: certificate with its chain, and key, both PEM.
    Files {
        /// Certificate first, then those that vouch for it.
        cert: PathBuf,
        /// Its key: PKCS#8, PKCS#1 or SEC 1; ECDSA (P-256, P-384), RSA or Ed25519.
        key: PathBuf,
    },
}

/// Why nothing can be encrypted.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The processor lacks what the cryptography is written for.
    #[error(
        "this processor cannot encrypt connections: x86_64 needs ADX, AES, AVX2, BMI and PCLMULQDQ (2014 and later), \
         aarch64 needs AES, SHA2 and PMULL; listen on 127.0.0.1, put a proxy with TLS before it, or accept \
         --allow-plaintext on a network you trust"
    )]
    Processor,
    /// A file could not be read or written.
    #[error("{file}: {cause}")]
    File {
        /// Which.
        file: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// A file is not what it should be.
    #[error("{file}: {why}")]
    Unfit {
        /// Which.
        file: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// Our own certificate could not be made.
    #[error("no certificate could be made: {0}; give one with --tls-cert and --tls-key")]
    Making(String),
    /// Nowhere to keep it.
    #[error("our own certificate needs a data folder to be kept in; give one with --data-dir")]
    NoFolder,
}

/// What connections are encrypted with.
pub(super) struct Tls {
    pub(super) config: Arc<ServerConfig>,
    /// SHA-256 of the certificate, as `openssl x509 -fingerprint -sha256` shows it.
    pub(super) fingerprint: String,
}

impl Tls {
    /// `names` and `address` are what our own certificate is for.
    pub(super) fn new(
        config: &TlsConfig,
        folder: Option<&Path>,
        address: SocketAddr,
        names: &[String],
    ) -> Result<Self, TlsError> {
        if !graviola::util::is_cpu_supported() {
            return Err(TlsError::Processor);
        }
        let (chain, key, file) = match config {
            TlsConfig::SelfSigned => {
                let file = folder.ok_or(TlsError::NoFolder)?.join(FILE);
                let kept = Kept::read_or_make(&file, address, names, SystemTime::now())?;
                (vec![kept.certificate], kept.key, file)
            }
            TlsConfig::Files { cert, key } => (read_chain(cert)?, read_key(key)?, cert.clone()),
        };
        let unfit = |why: String| TlsError::Unfit {
            file: file.clone(),
            why,
        };
        let shown = |it| Fingerprint::of(it).to_string();
        let fingerprint = chain.first().map(shown).unwrap_or_default();
        let provider = Arc::new(rustls_graviola::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(|error| unfit(error.to_string()))?
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(|error| unfit(format!("certificate and key do not go together: {error}")))?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        // Early data could be replayed.
        config.max_early_data_size = 0;
        Ok(Self {
            config: Arc::new(config),
            fingerprint,
        })
    }
}

fn read_chain(file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let unfit = |error: rustls::pki_types::pem::Error| TlsError::Unfit {
        file: file.to_owned(),
        why: format!("{error}; a PEM file with the certificate first is needed"),
    };
    let chain: Vec<_> = CertificateDer::pem_file_iter(file)
        .map_err(unfit)?
        .collect::<Result<_, _>>()
        .map_err(unfit)?;
    if chain.is_empty() {
        return Err(unfit(rustls::pki_types::pem::Error::NoItemsFound));
    }
    Ok(chain)
}

fn read_key(file: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    PrivateKeyDer::from_pem_file(file).map_err(|error| TlsError::Unfit {
        file: file.to_owned(),
        why: format!("{error}; a PEM file with the certificate's private key is needed"),
    })
}

/// Our own certificate with its key.
struct Kept {
    certificate: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
}

/// As the file has it, the bytes in hexadecimal.
#[derive(Serialize, Deserialize)]
struct OnDisk {
    certificate: String,
    key: String,
    not_after_unix: u64,
    names: Vec<String>,
}

impl Kept {
    /// Reads it, or makes it: where there is none, where it ends soon, or where it is for other names.
    fn read_or_make(
        file: &Path,
        address: SocketAddr,
        names: &[String],
        now: SystemTime,
    ) -> Result<Self, TlsError> {
        let disk = |cause| TlsError::File {
            file: file.to_owned(),
            cause,
        };
        let unfit = |why: String| TlsError::Unfit {
            file: file.to_owned(),
            why: format!("{why}; move it away to have another made (its fingerprint then changes)"),
        };
        let soon = now
            .checked_add(RENEWED)
            .and_then(|at| at.duration_since(UNIX_EPOCH).ok());
        match fs::read(file) {
            Ok(text) => {
                let kept: OnDisk =
                    serde_json::from_slice(&text).map_err(|error| unfit(error.to_string()))?;
                let good = soon.is_some_and(|soon| soon.as_secs() < kept.not_after_unix);
                if good && names.iter().all(|name| kept.names.contains(name)) {
                    let cut = || unfit("it is cut short".to_owned());
                    return Ok(Self::of(
                        unhex(&kept.certificate).ok_or_else(cut)?,
                        unhex(&kept.key).ok_or_else(cut)?,
                    ));
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(disk(error)),
        }
        let (certificate, key, not_after) = make(address, names, now)?;
        let kept = OnDisk {
            certificate: hex(&certificate),
            key: hex(&key),
            not_after_unix: not_after,
            names: names.to_vec(),
        };
        let text =
            Zeroizing::new(serde_json::to_vec_pretty(&kept).map_err(|error| disk(error.into()))?);
        replace(file, &text).map_err(disk)?;
        Ok(Self::of(certificate, key.to_vec()))
    }

    fn of(certificate: Vec<u8>, key: Vec<u8>) -> Self {
        Self {
            certificate: CertificateDer::from(certificate),
            key: PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key)),
        }
    }
}

/// A key of ours as rcgen wants it.
struct Signer {
    key: SigningKey<P256>,
    public: Vec<u8>,
}

impl rcgen::PublicKeyData for Signer {
    fn der_bytes(&self) -> &[u8] {
        &self.public
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        &rcgen::PKCS_ECDSA_P256_SHA256
    }
}

impl rcgen::SigningKey for Signer {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        let mut room = [0; 96];
        let signed = self.key.sign_asn1::<Sha256>(&[message], &mut room);
        signed
            .map(<[u8]>::to_vec)
            .map_err(|_| rcgen::Error::RemoteKeyError)
    }
}

/// Certificate and key (PKCS#8), both DER, and when it ends in Unix seconds.
fn make(
    address: SocketAddr,
    names: &[String],
    now: SystemTime,
) -> Result<(Vec<u8>, Zeroizing<Vec<u8>>, u64), TlsError> {
    let failed = |error: graviola::Error| TlsError::Making(format!("{error:?}"));
    let refused = |error: rcgen::Error| TlsError::Making(error.to_string());
    let key = SigningKey::<P256>::generate().map_err(failed)?;
    let mut room = Zeroizing::new([0; 256]);
    let pkcs8 = Zeroizing::new(key.to_pkcs8_der(&mut *room).map_err(failed)?.to_vec());
    let mut point = [0; 128];
    let spki = key.to_spki_der(&mut point).map_err(failed)?;
    // The uncompressed point of P-256 is the last 65 bytes of its SubjectPublicKeyInfo (RFC 5480).
    let at = spki.len().saturating_sub(65);
    let public = spki.get(at..).unwrap_or_default().to_vec();

    let mut all = vec!["localhost".to_owned()];
    all.extend(names.iter().cloned());
    let mut params = CertificateParams::new(all).map_err(refused)?;
    let mut addresses = vec![
        IpAddr::from([127, 0, 0, 1]),
        IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1]),
    ];
    if !address.ip().is_unspecified() && !address.ip().is_loopback() {
        addresses.push(address.ip());
    }
    let addresses = addresses.into_iter().map(SanType::IpAddress);
    params.subject_alt_names.extend(addresses);
    params.distinguished_name = DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::CommonName, "Malloc VR");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let mut serial = [0; 16];
    getrandom::fill(&mut serial).map_err(|error| TlsError::Making(error.to_string()))?;
    // Positive and without leading zeros (RFC 5280 §4.1.2.2).
    serial[0] = (serial[0] & 0x7f) | 0x40;
    params.serial_number = Some(serial.to_vec().into());
    // Headsets' clocks are often behind.
    let day = Duration::from_secs(24 * 3600);
    params.not_before = now.checked_sub(day).unwrap_or(now).into();
    let end = now.checked_add(GOOD_FOR).unwrap_or(now);
    params.not_after = end.into();
    let certificate = params
        .self_signed(&Signer { key, public })
        .map_err(refused)?;
    let not_after = end.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    Ok((certificate.der().to_vec(), pkcs8, not_after))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    let whole = digits.len().is_multiple_of(2);
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    whole.then(|| digits.chunks(2).map(byte).collect())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn here() -> SocketAddr {
        "192.168.1.7:7878".parse().unwrap()
    }

    #[test]
    fn our_own_certificate_is_made_once_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let tls = || Tls::new(&TlsConfig::SelfSigned, Some(folder.path()), here(), &[]).unwrap();
        let first = tls().fingerprint;
        assert_eq!(first, tls().fingerprint);
        assert_eq!(first.split(':').count(), 32);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let meta = fs::metadata(folder.path().join(FILE)).unwrap();
            assert_eq!(meta.permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn a_certificate_that_ends_soon_or_is_for_other_names_is_made_anew() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(FILE);
        let at = |days: u64, names: &[String]| {
            let now = UNIX_EPOCH + Duration::from_secs((20_000 + days) * 24 * 3600);
            let kept = Kept::read_or_make(&file, here(), names, now).unwrap();
            Fingerprint::of(&kept.certificate).to_string()
        };
        let first = at(0, &[]);
        assert_eq!(at(769, &[]), first);
        let second = at(771, &[]);
        assert_ne!(second, first);
        let named = at(771, &["vr.school.example".to_owned()]);
        assert_ne!(named, second);
        assert_eq!(at(771, &[]), named, "more names do no harm");
    }

    #[test]
    fn what_is_no_certificate_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let (cert, key) = (folder.path().join("c.pem"), folder.path().join("k.pem"));
        fs::write(&cert, "hello").unwrap();
        fs::write(&key, "hello").unwrap();
        let config = TlsConfig::Files {
            cert: cert.clone(),
            key,
        };
        let error = Tls::new(&config, None, here(), &[]).err().unwrap();
        assert!(error.to_string().contains("c.pem"), "{error}");
        fs::write(folder.path().join(FILE), "{}").unwrap();
        let error = Tls::new(&TlsConfig::SelfSigned, Some(folder.path()), here(), &[]).err();
        assert!(error.unwrap().to_string().contains(FILE));
        let nowhere = Tls::new(&TlsConfig::SelfSigned, None, here(), &[]).err();
        assert!(matches!(nowhere, Some(TlsError::NoFolder)));
    }

    proptest::proptest! {
        #[test]
        fn hexadecimal_comes_back(bytes in proptest::collection::vec(0_u8.., 0..40), text in "\\PC{0,20}") {
            proptest::prop_assert_eq!(unhex(&hex(&bytes)), Some(bytes));
            let _ = unhex(&text);
        }
    }
}
