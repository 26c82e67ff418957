//! Ciphers of media (SRTP, RFC 3711). Browsers agree on them in every DTLS handshake, and str0m
//! makes some then, but no media is ever offered here or taken: they open nothing, so that what
//! comes is dropped, and what they close holds nothing but zeros.

use str0m::crypto::{
    AeadAes128GcmCipher, AeadAes256GcmCipher, Aes128CmSha1_80Cipher, CryptoError, SrtpProvider,
    SupportedAeadAes128Gcm, SupportedAeadAes256Gcm, SupportedAes128CmSha1_80,
};

/// See the module.
#[derive(Debug)]
pub(super) struct NoMedia;

fn none<T>() -> Result<T, CryptoError> {
    Err(CryptoError::Other("there is no media".to_owned()))
}

impl SrtpProvider for NoMedia {
    fn aes_128_cm_sha1_80(&self) -> &'static dyn SupportedAes128CmSha1_80 {
        &NoMedia
    }

    fn aead_aes_128_gcm(&self) -> &'static dyn SupportedAeadAes128Gcm {
        &NoMedia
    }

    fn aead_aes_256_gcm(&self) -> &'static dyn SupportedAeadAes256Gcm {
        &NoMedia
    }

    /// The keys that are derived by this are those of ciphers that encrypt nothing.
    fn srtp_aes_128_ecb_round(&self, _key: &[u8], _input: &[u8], output: &mut [u8]) {
        output.fill(0);
    }

    fn srtp_aes_256_ecb_round(&self, _key: &[u8], _input: &[u8], output: &mut [u8]) {
        output.fill(0);
    }
}

impl SupportedAes128CmSha1_80 for NoMedia {
    fn create_cipher(&self, _: [u8; 16], _: bool) -> Box<dyn Aes128CmSha1_80Cipher> {
        Box::new(NoMedia)
    }
}

impl SupportedAeadAes128Gcm for NoMedia {
    fn create_cipher(&self, _: [u8; 16], _: bool) -> Box<dyn AeadAes128GcmCipher> {
        Box::new(NoMedia)
    }
}

impl SupportedAeadAes256Gcm for NoMedia {
    fn create_cipher(&self, _: [u8; 32], _: bool) -> Box<dyn AeadAes256GcmCipher> {
        Box::new(NoMedia)
    }
}

impl Aes128CmSha1_80Cipher for NoMedia {
    fn encrypt(&mut self, _: &[u8; 16], _: &[u8], output: &mut [u8]) -> Result<(), CryptoError> {
        output.fill(0);
        Ok(())
    }

    fn decrypt(&mut self, _: &[u8; 16], _: &[u8], _: &mut [u8]) -> Result<(), CryptoError> {
        none()
    }
}

impl AeadAes128GcmCipher for NoMedia {
    fn encrypt(
        &mut self,
        _: &[u8; 12],
        _: &[u8],
        _: &[u8],
        output: &mut [u8],
    ) -> Result<(), CryptoError> {
        output.fill(0);
        Ok(())
    }

    fn decrypt(
        &mut self,
        _: &[u8; 12],
        _: &[&[u8]],
        _: &[u8],
        _: &mut [u8],
    ) -> Result<usize, CryptoError> {
        none()
    }
}

impl AeadAes256GcmCipher for NoMedia {
    fn encrypt(
        &mut self,
        _: &[u8; 12],
        _: &[u8],
        _: &[u8],
        output: &mut [u8],
    ) -> Result<(), CryptoError> {
        output.fill(0);
        Ok(())
    }

    fn decrypt(
        &mut self,
        _: &[u8; 12],
        _: &[&[u8]],
        _: &[u8],
        _: &mut [u8],
    ) -> Result<usize, CryptoError> {
        none()
    }
}
