//! Values that are looked at where they are, for what strangers' programs wrote: every field
//! is asked for by itself, and one of another type is as good as missing.

use super::{BencodeError, DecodeLimits, Keys, scan};

/// A value of bencoded bytes that were walked whole, not copied.
///
/// More is taken than by [`super::decode`]: a dictionary may have a key twice. Whoever reads
/// must say what that means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Value<'a>(&'a [u8]);

impl<'a> Value<'a> {
    /// The one value that `input` must be.
    pub fn of(input: &'a [u8], limits: DecodeLimits) -> Result<Self, BencodeError> {
        scan::whole_repeating(input, limits)?;
        Ok(Value(input))
    }

    /// The value at the start of `input`, whatever follows it. The limits hold for the value
    /// alone.
    pub fn first_of(input: &'a [u8], limits: DecodeLimits) -> Result<Self, BencodeError> {
        let length = scan::value_repeating(input, limits)?;
        Ok(Value(&input[..length]))
    }

    /// The bytes as they came.
    pub fn raw(self) -> &'a [u8] {
        self.0
    }

    /// The integer that it is.
    pub fn integer(self) -> Option<i64> {
        let digits = self.0.strip_prefix(b"i")?.strip_suffix(b"e")?;
        let digits = std::str::from_utf8(digits).expect("digits are ASCII");
        Some(digits.parse().expect("integers that were walked fit"))
    }

    /// The bytes of the string that it is.
    pub fn string(self) -> Option<&'a [u8]> {
        self.0.first().filter(|byte| byte.is_ascii_digit())?;
        let colon = self.0.iter().position(|byte| *byte == b':')?;
        Some(&self.0[colon + 1..])
    }

    /// A value of bytes that were walked whole by who asks.
    pub(super) fn walked(input: &'a [u8]) -> Self {
        Value(input)
    }

    /// The keys of the dictionary that it must be. Whoever walked it refused keys that come twice.
    pub fn keys(self) -> Result<Keys<'a>, BencodeError> {
        Keys::of_value(self)
    }

    /// What is in the list or dictionary that begins with `open`, if it is one.
    pub(super) fn inside(self, open: u8) -> Option<Rest<'a>> {
        let (first, rest) = self.0.split_first()?;
        (*first == open).then_some(Rest(rest))
    }

    /// The values of the list that it is.
    pub fn list(self) -> Option<impl Iterator<Item = Value<'a>>> {
        let mut rest = self.inside(b'l')?;
        Some(std::iter::from_fn(move || rest.next()))
    }

    /// The keys and values of the dictionary that it is, in their order.
    pub fn entries(self) -> Option<impl Iterator<Item = (&'a [u8], Value<'a>)>> {
        let mut rest = self.inside(b'd')?;
        Some(std::iter::from_fn(move || {
            let key = rest.next()?.string().expect("keys are strings");
            let value = rest.next().expect("every key has a value");
            Some((key, value))
        }))
    }
}

/// What is left of a list or a dictionary, its end included.
pub(super) struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    pub(super) fn next(&mut self) -> Option<Value<'a>> {
        if self.0.first().is_none_or(|byte| *byte == b'e') {
            return None;
        }
        let (value, rest) = self.0.split_at(length(self.0));
        self.0 = rest;
        Some(Value(value))
    }
}

/// Bytes of the value at the start of bytes that were walked before.
fn length(input: &[u8]) -> usize {
    let mut at = 0;
    let mut open = 0_usize;
    loop {
        match input[at] {
            b'l' | b'd' => {
                open += 1;
                at += 1;
            }
            b'e' => {
                open -= 1;
                at += 1;
            }
            b'i' => at += 1 + until(&input[at..], b'e'),
            _ => {
                let digits = until(&input[at..], b':');
                let text = std::str::from_utf8(&input[at..at + digits]).expect("digits are ASCII");
                let length: usize = text.parse().expect("lengths that were walked fit");
                at += digits + 1 + length;
            }
        }
        if open == 0 {
            return at;
        }
    }
}

fn until(input: &[u8], end: u8) -> usize {
    let found = input.iter().position(|byte| *byte == end);
    found.expect("values that were walked end")
}
