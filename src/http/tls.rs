//! TLS: the certificate and the key that the daemon shows, read anew when their files change. Which connections are wrapped in it is the
//! `server`'s matter. The provider of cryptography is installed once, by `cli::serve`.

mod validity;

use crate::clock::Timestamp;
use crate::config::TlsFiles;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{InconsistentKeys, ServerConfig};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// The files cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum NoTls {
    #[error("http.tls.certificate_file {} cannot be used; name a PEM file: the certificate, then those between it and its authority", .path.display())]
    Certificate { path: PathBuf, source: pem::Error },
    #[error("http.tls.key_file {} cannot be used; name a PEM file with the private key, without a passphrase", .path.display())]
    Key { path: PathBuf, source: pem::Error },
    #[error("http.tls.key_file {} is not the key of the certificate in {}; name the two that were made together", .key.display(), .certificate.display())]
    Mismatch { key: PathBuf, certificate: PathBuf },
    #[error("http.tls: the certificate in {} cannot be shown", .path.display())]
    Rustls { path: PathBuf, source: rustls::Error },
}

/// What tells one state of a file from another: written in place or put there by a rename.
type Stamp = Option<(u64, u64, i64, i64)>;

/// The certificate at work.
#[derive(Debug)]
pub struct Tls {
    files: TlsFiles,
    seen: Mutex<[Stamp; 2]>,
    at_work: RwLock<Arc<ServerConfig>>,
}

impl Tls {
    /// # Errors
    /// [`NoTls`], which names the file. An expired certificate is no error: the log warns.
    pub fn open(files: TlsFiles, now: Timestamp) -> Result<Self, NoTls> {
        let seen = Mutex::new(stamps(&files));
        let at_work = RwLock::new(Arc::new(read(&files, now)?));
        Ok(Self { files, seen, at_work })
    }

    /// Takes changed files over; those that are broken leave the old ones at work, and the log says why, once.
    pub fn look(&self, now: Timestamp) {
        let stamps = stamps(&self.files);
        let before = std::mem::replace(&mut *self.seen.lock().unwrap_or_else(PoisonError::into_inner), stamps);
        if before == stamps {
            return;
        }
        match read(&self.files, now) {
            Ok(config) => *self.at_work.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(config),
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "tls.not_taken: the certificate before stays at work");
            }
        }
    }

    /// The stream that is spoken on; none for who does not speak TLS, or not within that time.
    pub async fn shake_hands(&self, stream: TcpStream, within: Duration) -> Option<TlsStream<TcpStream>> {
        let config = Arc::clone(&self.at_work.read().unwrap_or_else(PoisonError::into_inner));
        // What ails a handshake is its client's matter; anybody may knock.
        tokio::time::timeout(within, TlsAcceptor::from(config).accept(stream)).await.ok()?.ok()
    }
}

fn stamps(files: &TlsFiles) -> [Stamp; 2] {
    let stamp = |path: &Path| std::fs::metadata(path).ok().map(|file| (file.ino(), file.len(), file.mtime(), file.mtime_nsec()));
    [stamp(&files.certificate), stamp(&files.key)]
}

fn read(files: &TlsFiles, now: Timestamp) -> Result<ServerConfig, NoTls> {
    let TlsFiles { certificate, key } = files;
    let no_certificate = |source| NoTls::Certificate { path: certificate.clone(), source };
    let chain: Result<Vec<_>, _> = CertificateDer::pem_file_iter(certificate).map_err(no_certificate)?.collect();
    let chain = chain.map_err(no_certificate)?;
    let first = chain.first().ok_or_else(|| no_certificate(pem::Error::NoItemsFound))?;
    let valid_until = validity::valid_until(first);
    let private = PrivateKeyDer::from_pem_file(key).map_err(|source| NoTls::Key { path: key.clone(), source })?;
    let refused = |source: rustls::Error| {
        if source == rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) {
            NoTls::Mismatch { key: key.clone(), certificate: certificate.clone() }
        } else {
            NoTls::Rustls { path: certificate.clone(), source }
        }
    };
    let mut config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, private).map_err(refused)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    tell(certificate, valid_until, now);
    Ok(config)
}

fn tell(path: &Path, valid_until: Option<Timestamp>, now: Timestamp) {
    let file = path.display();
    match valid_until {
        Some(until) if until <= now => tracing::warn!(%file, expired_at = %until, "tls.certificate_expired: clients will refuse it"),
        Some(until) => tracing::info!(%file, valid_until = %until, "tls.certificate_taken"),
        None => tracing::info!(%file, "tls.certificate_taken"),
    }
}
