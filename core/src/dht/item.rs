//! Values that the DHT keeps (BEP 44): bencoded, of a thousand bytes at the most.

use ed25519_compact::{KeyPair, PublicKey, Seed, Signature};
use serde::{Deserialize, Serialize};
use sha1::{Digest, Sha1};

use super::id::NodeId;
use crate::bencode::{self, DecodeLimits};

/// The longest bencoded value, in bytes (BEP 44).
pub const MAX_VALUE: usize = 1000;

/// The longest salt, in bytes (BEP 44).
pub const MAX_SALT: usize = 64;

/// What a value's bencoding may cost: the length bounds how many values there are in it.
const LIMITS: DecodeLimits = DecodeLimits {
    length: MAX_VALUE,
    depth: 32,
    values: MAX_VALUE,
};

/// A value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Item {
    /// Its key is its hash.
    Immutable {
        /// Bencoded.
        value: Vec<u8>,
    },
    /// Its key is a public one, and whoever has the private one may replace it.
    Mutable(MutableItem),
}

/// A value that its owner may replace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MutableItem {
    /// The Ed25519 public key.
    pub key: [u8; 32],
    /// Tells values of one key apart; may be empty, at most [`MAX_SALT`] bytes.
    pub salt: Vec<u8>,
    /// Which of two is the newer one.
    pub seq: i64,
    /// Bencoded.
    pub value: Vec<u8>,
    /// Of the salt, the number and the value.
    #[serde(with = "serde_bytes")]
    pub signature: [u8; 64],
}

/// Why something is no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ItemError {
    /// Its bencoding is longer than [`MAX_VALUE`].
    #[error("a value of more than 1,000 bytes")]
    TooLong,
    /// The salt is longer than [`MAX_SALT`].
    #[error("a salt of more than 64 bytes")]
    SaltTooLong,
    /// It is not bencoded.
    #[error("a value that is not bencoded")]
    NotBencoded,
    /// The signature is not one of the key's owner.
    #[error("a signature that is not valid")]
    Signature,
}

/// An owner's keys, made of 32 secret bytes.
#[derive(Clone)]
pub struct SecretKey(KeyPair);

impl SecretKey {
    /// The keys that grow from this seed, which has to be random and secret.
    pub fn from_seed(seed: [u8; 32]) -> Self {
        SecretKey(KeyPair::from_seed(Seed::new(seed)))
    }

    /// What others know the owner by.
    pub fn public(&self) -> [u8; 32] {
        *self.0.pk
    }

    /// A value of this owner.
    pub fn sign(&self, salt: Vec<u8>, seq: i64, value: Vec<u8>) -> Result<Item, ItemError> {
        check_shape(&value, &salt)?;
        // Without noise: the same value has the same signature, and no randomness is needed.
        let signature = self.0.sk.sign(signed_bytes(&salt, seq, &value), None);
        Ok(Item::Mutable(MutableItem {
            key: self.public(),
            salt,
            seq,
            value,
            signature: *signature,
        }))
    }
}

impl std::fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretKey(..)")
    }
}

impl Item {
    /// A value under its hash. It has to be bencoded.
    pub fn immutable(value: Vec<u8>) -> Result<Self, ItemError> {
        check_shape(&value, &[])?;
        Ok(Item::Immutable { value })
    }

    /// The key under which it is found.
    pub fn target(&self) -> NodeId {
        match self {
            Item::Immutable { value } => immutable_target(value),
            Item::Mutable(item) => mutable_target(&item.key, &item.salt),
        }
    }

    /// Bencoded.
    pub fn value(&self) -> &[u8] {
        match self {
            Item::Immutable { value } => value,
            Item::Mutable(item) => &item.value,
        }
    }

    /// The sequence number, of a mutable one.
    pub fn seq(&self) -> Option<i64> {
        match self {
            Item::Immutable { .. } => None,
            Item::Mutable(item) => Some(item.seq),
        }
    }

    /// It is one: of the right shape, and signed if it is to be.
    pub fn check(&self) -> Result<(), ItemError> {
        match self {
            Item::Immutable { value } => check_shape(value, &[]),
            Item::Mutable(item) => item.check(),
        }
    }
}

impl MutableItem {
    fn check(&self) -> Result<(), ItemError> {
        check_shape(&self.value, &self.salt)?;
        let signed = signed_bytes(&self.salt, self.seq, &self.value);
        PublicKey::new(self.key)
            .verify(signed, &Signature::new(self.signature))
            .map_err(|_| ItemError::Signature)
    }
}

/// The key of a value that is found by its hash.
pub fn immutable_target(value: &[u8]) -> NodeId {
    NodeId(Sha1::digest(value).into())
}

/// The key of a value that is found by its owner's public key, and a salt.
pub fn mutable_target(key: &[u8; 32], salt: &[u8]) -> NodeId {
    let mut hash = Sha1::new();
    hash.update(key);
    hash.update(salt);
    NodeId(hash.finalize().into())
}

fn check_shape(value: &[u8], salt: &[u8]) -> Result<(), ItemError> {
    if value.len() > MAX_VALUE {
        return Err(ItemError::TooLong);
    }
    if salt.len() > MAX_SALT {
        return Err(ItemError::SaltTooLong);
    }
    bencode::Value::of(value, LIMITS).map_err(|_| ItemError::NotBencoded)?;
    Ok(())
}

/// What is signed: the entries of a dictionary, without its ends.
fn signed_bytes(salt: &[u8], seq: i64, value: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(value.len() + salt.len() + 48);
    if !salt.is_empty() {
        bytes.extend(format!("4:salt{}:", salt.len()).as_bytes());
        bytes.extend(salt);
    }
    bytes.extend(format!("3:seqi{seq}e1:v").as_bytes());
    bytes.extend(value);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex<const N: usize>(text: &str) -> [u8; N] {
        let digit = |at| u8::from_str_radix(&text[at * 2..at * 2 + 2], 16).unwrap();
        std::array::from_fn(digit)
    }

    const KEY: &str = "77ff84905a91936367c01360803104f92432fcd904a43511876df5cdf3e7e548";

    fn vector(salt: &[u8], signature: &str) -> MutableItem {
        MutableItem {
            key: hex(KEY),
            salt: salt.to_vec(),
            seq: 1,
            value: b"12:Hello World!".to_vec(),
            signature: hex(signature),
        }
    }

    /// BEP 44, "test vectors", 1.
    #[test]
    fn the_first_vector_of_bep_44() {
        let item = vector(
            b"",
            "305ac8aeb6c9c151fa120f120ea2cfb923564e11552d06a5d856091e5e853cff\
             1260d3f39e4999684aa92eb73ffd136e6f4f3ecbfda0ce53a1608ecd7ae21f01",
        );
        let expected = "4a533d47ec9c7d95b1ad75f576cffc641853b750";
        let item = Item::Mutable(item);
        assert_eq!(item.target().to_string(), expected);
        assert_eq!(item.check(), Ok(()));
    }

    /// BEP 44, "test vectors", 2.
    #[test]
    fn the_second_vector_of_bep_44_has_a_salt() {
        let item = vector(
            b"foobar",
            "6834284b6b24c3204eb2fea824d82f88883a3d95e8b4a21b8c0ded553d17d17d\
             df9a8a7104b1258f30bed3787e6cb896fca78c58f8e03b5f18f14951a87d9a08",
        );
        let expected = "411eba73b6f087ca51a3795d9c8c938d365e32c1";
        let item = Item::Mutable(item);
        assert_eq!(item.target().to_string(), expected);
        assert_eq!(item.check(), Ok(()));
    }

    /// BEP 44, "test vectors", 3.
    #[test]
    fn the_third_vector_of_bep_44_is_immutable() {
        let item = Item::immutable(b"12:Hello World!".to_vec()).unwrap();
        let expected = "e5f96f6f38320f0f33959cb4d3d656452117aadb";
        assert_eq!(item.target().to_string(), expected);
    }

    #[test]
    fn what_is_signed_is_checked_and_what_is_changed_is_not_signed() {
        let secret = SecretKey::from_seed([7; 32]);
        let item = secret.sign(b"salt".to_vec(), 4, b"i1e".to_vec()).unwrap();
        assert_eq!(item.check(), Ok(()));
        let Item::Mutable(item) = item else {
            panic!("it is a mutable one");
        };
        let changed = [
            MutableItem {
                seq: 5,
                ..item.clone()
            },
            MutableItem {
                salt: b"salz".to_vec(),
                ..item.clone()
            },
            MutableItem {
                value: b"i2e".to_vec(),
                ..item.clone()
            },
            MutableItem {
                key: [1; 32],
                ..item
            },
        ];
        for item in changed {
            assert_eq!(Item::Mutable(item).check(), Err(ItemError::Signature));
        }
    }

    #[test]
    fn what_is_no_value_is_refused() {
        let long = [b"1000:".to_vec(), vec![b'a'; 1000]].concat();
        assert_eq!(Item::immutable(long), Err(ItemError::TooLong));
        let not = Item::immutable(b"hello".to_vec());
        assert_eq!(not, Err(ItemError::NotBencoded));
        let secret = SecretKey::from_seed([7; 32]);
        let salted = secret.sign(vec![0; 65], 1, b"i1e".to_vec());
        assert_eq!(salted, Err(ItemError::SaltTooLong));
    }
}
