//! SHA-1, by the browser where it offers it, else by our own code.
//!
//! `crypto.subtle` is twice as fast; it exists in secure contexts only (HTTPS, or localhost).

use js_sys::{ArrayBuffer, Reflect, Uint8Array};
use sha1::{Digest as _, Sha1};
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::SubtleCrypto;

const NAME: &str = "SHA-1";

/// Hashes pieces.
#[derive(Clone, Debug)]
pub(super) struct Hasher(Option<SubtleCrypto>);

impl Hasher {
    pub(super) fn new() -> Self {
        let subtle = super::js::scope().crypto().ok();
        // Outside secure contexts the attribute is absent, whatever its type says.
        let subtle = subtle.and_then(|crypto| Reflect::get(&crypto, &"subtle".into()).ok());
        Hasher(
            subtle
                .filter(JsValue::is_object)
                .map(|subtle| subtle.unchecked_into()),
        )
    }

    /// The hash of bytes in the browser's memory.
    pub(super) async fn hash(&self, data: &Uint8Array) -> [u8; 20] {
        if let Some(subtle) = &self.0
            && let Ok(digest) = subtle.digest_with_str_and_js_u8_array(NAME, data)
            && let Ok(digest) = JsFuture::from(digest).await
        {
            return to_array(&digest.unchecked_into());
        }
        Sha1::digest(data.to_vec()).into()
    }

    #[cfg(test)]
    fn without_subtle() -> Self {
        Hasher(None)
    }
}

fn to_array(digest: &ArrayBuffer) -> [u8; 20] {
    let mut bytes = [0; 20];
    Uint8Array::new(digest).copy_to(&mut bytes);
    bytes
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;

    #[wasm_bindgen_test]
    async fn the_browser_and_the_crate_agree() {
        let data = b"abc";
        let expected =
            *b"\xa9\x99\x3e\x36\x47\x06\x81\x6a\xba\x3e\x25\x71\x78\x50\xc2\x6c\x9c\xd0\xd8\x9d";
        assert!(Hasher::new().0.is_some(), "tests run on localhost");
        for hasher in [Hasher::new(), Hasher::without_subtle()] {
            assert_eq!(hasher.hash(&Uint8Array::from(&data[..])).await, expected);
        }
    }
}
