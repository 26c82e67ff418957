//! What str0m calculates with: DTLS and its cryptography in Rust (`dimpl`), HMAC-SHA1 for the
//! messages of ICE, and hashes for fingerprints. str0m leaves the choice to whoever uses it, and
//! the choices that come with it compile a library in C.
//!
//! There is no media here, so there are no ciphers for any ([`no_media`]).

mod no_media;

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use dimpl::{Dtls, DtlsCertificate};
use hmac::{Hmac, KeyInit, Mac};
use rcgen::{CertificateParams, DistinguishedName, KeyPair, PKCS_ECDSA_P256_SHA256};
use sha1::{Digest, Sha1};
use sha2::Sha256;
use str0m::crypto::dtls::{
    DtlsCert, DtlsImplError, DtlsInstance, DtlsOutput, DtlsProvider, DtlsVersion, ProtocolVersion,
};
use str0m::crypto::{CryptoError, CryptoProvider, Sha1HmacProvider, Sha1Provider, Sha256Provider};

/// Who we are to those at the other ends: a key, and a certificate that we signed ourselves. Made
/// anew each time that a program starts, and the same for all of its connections, so that others
/// know whom they are linked with.
#[derive(Clone)]
pub struct Identity(DtlsCert);

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the key.
        f.write_str("Identity")
    }
}

impl Identity {
    /// A new one, P-256 as browsers make them. None if the system has no randomness.
    pub fn new() -> Option<Self> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).ok()?;
        let mut params = CertificateParams::new(Vec::new()).ok()?;
        // As browsers call theirs; nothing in it is of this machine.
        params.distinguished_name = DistinguishedName::new();
        let name = rcgen::DnType::CommonName;
        params.distinguished_name.push(name, "WebRTC");
        // Firefox takes no two certificates of one number (RFC 5280 §4.1.2.2); positive.
        let mut serial = [0_u8; 16];
        getrandom::fill(&mut serial).ok()?;
        serial[0] = serial[0] & 0x7f | 1;
        params.serial_number = Some(serial.to_vec().into());
        let certificate = params.self_signed(&key).ok()?;
        Some(Identity(DtlsCert {
            certificate: certificate.der().to_vec(),
            private_key: key.serialize_der(),
        }))
    }

    pub(crate) fn certificate(&self) -> DtlsCert {
        self.0.clone()
    }
}

/// See the module.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(CryptoProvider {
        srtp_provider: &no_media::NoMedia,
        sha1_hmac_provider: &Hashes,
        sha1_provider: &Hashes,
        sha256_provider: &Hashes,
        dtls_provider: &Sessions,
    })
}

#[derive(Debug)]
struct Hashes;

impl Sha1HmacProvider for Hashes {
    fn sha1_hmac(&self, key: &[u8], payloads: &[&[u8]]) -> [u8; 20] {
        let mut mac = Hmac::<Sha1>::new_from_slice(key).expect("a key may be of any length");
        for payload in payloads {
            mac.update(payload);
        }
        mac.finalize().into_bytes().into()
    }
}

impl Sha1Provider for Hashes {
    fn sha1(&self, data: &[u8]) -> [u8; 20] {
        Sha1::digest(data).into()
    }
}

impl Sha256Provider for Hashes {
    fn sha256(&self, data: &[u8]) -> [u8; 32] {
        Sha256::digest(data).into()
    }
}

#[derive(Debug)]
struct Sessions;

impl DtlsProvider for Sessions {
    /// Certificates are [`Identity`]'s.
    fn generate_certificate(&self) -> Option<DtlsCert> {
        Identity::new().map(|identity| identity.0)
    }

    fn new_dtls(
        &self,
        certificate: &DtlsCert,
        now: Instant,
        version: DtlsVersion,
        mtu: Option<usize>,
    ) -> Result<Box<dyn DtlsInstance>, CryptoError> {
        let DtlsCert {
            certificate,
            private_key,
        } = certificate.clone();
        let certificate = DtlsCertificate {
            certificate,
            private_key,
        };
        // ICE has shown that the other end is where it says that it is.
        let mut builder = dimpl::Config::builder().use_server_cookie(false);
        if let Some(mtu) = mtu {
            builder = builder.mtu(mtu);
        }
        let config = builder.build();
        let config = Arc::new(config.map_err(|error| CryptoError::Other(error.to_string()))?);
        Ok(Box::new(Session(match version {
            DtlsVersion::Dtls13 => Dtls::new_13(config, certificate, now),
            DtlsVersion::Auto => Dtls::new_auto(config, certificate, now),
            _ => Dtls::new_12(config, certificate, now),
        })))
    }
}

/// One end of DTLS.
struct Session(Dtls);

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Session")
    }
}

impl DtlsInstance for Session {
    fn set_active(&mut self, active: bool) {
        self.0.set_active(active);
    }

    fn handle_packet(&mut self, packet: &[u8]) -> Result<(), DtlsImplError> {
        self.0.handle_packet(packet)
    }

    fn poll_output<'a>(&mut self, buffer: &'a mut [u8]) -> DtlsOutput<'a> {
        self.0.poll_output(buffer)
    }

    fn handle_timeout(&mut self, now: Instant) -> Result<(), DtlsImplError> {
        self.0.handle_timeout(now)
    }

    fn send_application_data(&mut self, data: &[u8]) -> Result<usize, DtlsImplError> {
        self.0.send_application_data(data)
    }

    fn is_active(&self) -> bool {
        self.0.is_active()
    }

    fn protocol_version(&self) -> Option<ProtocolVersion> {
        self.0.protocol_version()
    }

    fn is_closing(&self) -> bool {
        self.0.is_closing()
    }

    fn is_closed(&self) -> bool {
        self.0.is_closed()
    }

    fn close(&mut self) -> Result<(), DtlsImplError> {
        self.0.close()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// RFC 2202, test cases 2 and 6.
    #[test]
    fn hmacs_are_those_of_the_standard() {
        let short = Hashes.sha1_hmac(b"Jefe", &[b"what do ya want ", b"for nothing?"]);
        assert_eq!(hex(&short), "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
        let long: &[u8] = b"Test Using Larger Than Block-Size Key - Hash Key First";
        let long = Hashes.sha1_hmac(&[0xaa; 80], &[long]);
        assert_eq!(hex(&long), "aa4ae5e15272d00e95705637ce8a3b55ed402112");
    }

    #[test]
    fn no_two_certificates_are_alike() {
        let one = Identity::new().unwrap().certificate();
        let other = Identity::new().unwrap().certificate();
        assert_ne!(one.certificate, other.certificate);
        assert_ne!(one.private_key, other.private_key);
    }
}
