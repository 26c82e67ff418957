//! Values as clients and trackers write them, each in its own way.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, Serializer};

use crate::names::MAX_NUMBER;
use swarm_core::id::InfoHash;
use swarm_core::wire::tracker::{Counts, Scraped};

/// Twenty bytes as twenty characters.
#[derive(Clone, Copy)]
pub(super) struct Twenty(pub(super) [u8; 20]);

impl Twenty {
    fn of(text: &str) -> Option<Self> {
        let mut bytes = [0; 20];
        let mut chars = text.chars();
        for byte in &mut bytes {
            *byte = u8::try_from(u32::from(chars.next()?)).ok()?;
        }
        chars.next().is_none().then_some(Twenty(bytes))
    }
}

impl<'de> Deserialize<'de> for Twenty {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Not by way of a `Cow`, which would be a copy of its own for each.
        struct Characters;
        impl Visitor<'_> for Characters {
            type Value = Twenty;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("twenty bytes as characters")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Twenty, E> {
                Twenty::of(text).ok_or_else(|| E::custom("not twenty bytes as characters"))
            }
        }
        deserializer.deserialize_str(Characters)
    }
}

impl Serialize for Twenty {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut text = String::with_capacity(2 * self.0.len());
        text.extend(self.0.iter().copied().map(char::from));
        serializer.serialize_str(&text)
    }
}

/// One info-hash, several, or none.
#[derive(Default)]
pub(super) struct Swarms(pub(super) Vec<InfoHash>);

impl<'de> Deserialize<'de> for Swarms {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrMore;
        impl<'de> Visitor<'de> for OneOrMore {
            type Value = Swarms;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an info-hash, or a list of them")
            }
            fn visit_unit<E: Error>(self) -> Result<Swarms, E> {
                Ok(Swarms::default())
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Swarms, E> {
                let one = Twenty::of(text).map(|it| InfoHash(it.0));
                one.map(|it| Swarms(vec![it]))
                    .ok_or_else(|| E::custom("not twenty bytes as characters"))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Swarms, A::Error> {
                let mut all = Vec::new();
                while let Some(Twenty(hash)) = seq.next_element()? {
                    all.push(InfoHash(hash));
                }
                Ok(Swarms(all))
            }
        }
        deserializer.deserialize_any(OneOrMore)
    }
}

/// How swarms stand, by their hashes.
pub(super) struct Files(pub(super) Scraped);

impl<'de> Deserialize<'de> for Files {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(serde::Deserialize)]
        struct File {
            #[serde(default, deserialize_with = "number")]
            complete: Option<u64>,
            #[serde(default, deserialize_with = "number")]
            downloaded: Option<u64>,
            #[serde(default, deserialize_with = "number")]
            incomplete: Option<u64>,
        }
        struct ByHash;
        impl<'de> Visitor<'de> for ByHash {
            type Value = Files;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("files by their info-hashes")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Files, A::Error> {
                let mut files = Scraped::new();
                let clamped = |count: Option<u64>| {
                    u32::try_from(count.unwrap_or_default()).unwrap_or(u32::MAX)
                };
                while let Some((Twenty(hash), file)) = map.next_entry::<Twenty, File>()? {
                    let counts = Counts {
                        complete: clamped(file.complete),
                        downloaded: clamped(file.downloaded),
                        incomplete: clamped(file.incomplete),
                    };
                    files.insert(InfoHash(hash), counts);
                }
                Ok(Files(files))
            }
        }
        deserializer.deserialize_map(ByHash)
    }
}

/// A number that is whole and not negative; whatever else stands there says nothing.
pub(super) fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    struct Number;
    impl<'de> Visitor<'de> for Number {
        type Value = Option<u64>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("anything")
        }
        fn visit_u64<E: Error>(self, number: u64) -> Result<Option<u64>, E> {
            Ok((number <= MAX_NUMBER).then_some(number))
        }
        fn visit_i64<E: Error>(self, number: i64) -> Result<Option<u64>, E> {
            Ok(u64::try_from(number).ok())
        }
        fn visit_f64<E: Error>(self, _: f64) -> Result<Option<u64>, E> {
            Ok(None)
        }
        fn visit_bool<E: Error>(self, _: bool) -> Result<Option<u64>, E> {
            Ok(None)
        }
        fn visit_unit<E: Error>(self) -> Result<Option<u64>, E> {
            Ok(None)
        }
        fn visit_str<E: Error>(self, _: &str) -> Result<Option<u64>, E> {
            Ok(None)
        }
        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Option<u64>, A::Error> {
            while seq.next_element::<IgnoredAny>()?.is_some() {}
            Ok(None)
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Option<u64>, A::Error> {
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            Ok(None)
        }
    }
    deserializer.deserialize_any(Number)
}
