//! Dictionaries that are asked for their keys one by one.

use super::{BencodeError, DecodeLimits, Value, scan};

/// A dictionary without a key twice, looked at where it is.
///
/// A type with derived `Deserialize` reads the same by several times as much code of its own,
/// which every tab would have to load. Messages have a dozen keys at most, so that looking for
/// each from the front costs nothing.
#[derive(Clone, Copy, Debug)]
pub struct Keys<'a>(Value<'a>);

impl<'a> Keys<'a> {
    /// The one dictionary that `input` must be, as for [`super::decode`].
    pub fn of(input: &'a [u8], limits: DecodeLimits) -> Result<Self, BencodeError> {
        scan::whole(input, limits, None)?;
        Keys::of_value(Value::walked(input))
    }

    /// A value that must be a dictionary. Whoever walked it refused keys that come twice.
    pub(super) fn of_value(value: Value<'a>) -> Result<Self, BencodeError> {
        match value.inside(b'd') {
            Some(_) => Ok(Keys(value)),
            None => Err(BencodeError::Shape("not a dictionary".to_owned())),
        }
    }

    /// What is under a key.
    pub fn find(self, key: &str) -> Option<Value<'a>> {
        let (_, value) = self.0.entries()?.find(|(it, _)| *it == key.as_bytes())?;
        Some(value)
    }

    /// What must be under a key.
    pub fn need(self, key: &str) -> Result<Value<'a>, BencodeError> {
        let found = self.find(key);
        found.ok_or_else(|| BencodeError::Shape(format!("nothing under the key {key}")))
    }

    /// The integer under a key, if there is one. Anything else is refused.
    pub fn integer(self, key: &str) -> Result<Option<i64>, BencodeError> {
        let found = self.find(key).map(|it| it.integer().ok_or(it));
        found.transpose().map_err(|_| misfit(key, "an integer"))
    }

    /// The bytes of the string under a key, if there is one. Anything else is refused.
    pub fn string(self, key: &str) -> Result<Option<&'a [u8]>, BencodeError> {
        let found = self.find(key).map(|it| it.string().ok_or(it));
        found.transpose().map_err(|_| misfit(key, "a string"))
    }

    /// The strings in the list that must be under a key, and nothing but strings.
    pub fn strings(self, key: &str) -> Result<Vec<&'a [u8]>, BencodeError> {
        let strings = self.need(key)?.list().map(|it| it.map(Value::string));
        let strings = strings.and_then(Iterator::collect);
        strings.ok_or_else(|| misfit(key, "a list of strings"))
    }

    /// The dictionary under a key, if there is one. Anything else is refused.
    pub fn keys(self, key: &str) -> Result<Option<Self>, BencodeError> {
        let found = self.find(key).map(Keys::of_value).transpose();
        found.map_err(|_| misfit(key, "a dictionary"))
    }
}

fn misfit(key: &str, expected: &str) -> BencodeError {
    BencodeError::Shape(format!(
        "something else than {expected} under the key {key}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: DecodeLimits = DecodeLimits {
        length: 100,
        depth: 3,
        values: 20,
    };

    #[test]
    fn keys_are_found_in_any_order_and_by_type() {
        let keys = Keys::of(b"d1:si-7e2:aa3:xyz1:dd1:si1eee", LIMITS).unwrap();
        assert_eq!(keys.integer("s"), Ok(Some(-7)));
        assert_eq!(keys.string("aa"), Ok(Some(&b"xyz"[..])));
        let inner = keys.keys("d").unwrap().unwrap();
        assert_eq!(inner.integer("s"), Ok(Some(1)));
        assert_eq!((keys.integer("a"), keys.string("a")), (Ok(None), Ok(None)));
        assert!(keys.keys("a").is_ok_and(|it| it.is_none()));
        assert!(keys.need("s").is_ok() && keys.need("a").is_err());
        let why = |wrong: BencodeError| wrong.to_string();
        assert!(why(keys.integer("aa").unwrap_err()).ends_with("an integer under the key aa"));
        assert!(why(keys.string("d").unwrap_err()).ends_with("a string under the key d"));
        let lists = Keys::of(b"d1:al1:x0:e1:blee", LIMITS).unwrap();
        assert_eq!(lists.strings("a"), Ok(vec![&b"x"[..], b""]));
        assert_eq!(lists.strings("b"), Ok(vec![]));
        let mixed = Keys::of(b"d1:al1:xi1eee", LIMITS).unwrap();
        assert!(mixed.strings("a").is_err() && mixed.strings("b").is_err());
        assert!(why(keys.keys("s").unwrap_err()).ends_with("a dictionary under the key s"));
    }

    #[test]
    fn what_is_no_dictionary_or_has_a_key_twice_is_refused() {
        for bad in [&b"le"[..], b"i1e", b"", b"d1:ai1e1:ai1ee", b"dee", b"d1:a"] {
            assert!(Keys::of(bad, LIMITS).is_err(), "{}", bad.escape_ascii());
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused() {
        arbtest::arbtest(|u| {
            let bytes: Vec<u8> = u.arbitrary()?;
            if let Ok(keys) = Keys::of(&bytes, LIMITS) {
                let _ = (keys.integer("a"), keys.string("a"), keys.keys("a"));
            }
            Ok(())
        });
    }
}
