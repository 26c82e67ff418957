//! The walk that decides whether bytes are bencoding, before anything is built of them.

use std::ops::Range;

use super::{BencodeError, DecodeLimits};

/// What a walk found.
#[derive(Debug)]
pub(super) struct Scanned {
    /// Bytes of the value.
    pub(super) length: usize,
    /// Where the value of the wanted key of the outermost dictionary is.
    pub(super) found: Option<Range<usize>>,
}

/// Walks the one value that `input` must be.
pub(super) fn whole(
    input: &[u8],
    limits: DecodeLimits,
    wanted: Option<&[u8]>,
) -> Result<Scanned, BencodeError> {
    if input.len() > limits.length {
        return Err(too_long(input.len(), limits));
    }
    let scanned = value(input, limits, wanted)?;
    if scanned.length < input.len() {
        return Err(invalid(scanned.length, "something follows the value"));
    }
    Ok(scanned)
}

/// Walks the value at the start of `input`.
pub(super) fn value(
    input: &[u8],
    limits: DecodeLimits,
    wanted: Option<&[u8]>,
) -> Result<Scanned, BencodeError> {
    Scanner::new(input, limits, Repeats::Refused).run(wanted)
}

/// As [`whole`], of a value whose dictionaries may have keys twice.
pub(super) fn whole_repeating(input: &[u8], limits: DecodeLimits) -> Result<(), BencodeError> {
    if input.len() > limits.length {
        return Err(too_long(input.len(), limits));
    }
    match value_repeating(input, limits)? {
        length if length < input.len() => Err(invalid(length, "something follows the value")),
        _ => Ok(()),
    }
}

/// Bytes of the value at the start of `input`, whose dictionaries may have keys twice.
pub(super) fn value_repeating(input: &[u8], limits: DecodeLimits) -> Result<usize, BencodeError> {
    let scanned = Scanner::new(input, limits, Repeats::Allowed).run(None)?;
    Ok(scanned.length)
}

/// What becomes of a dictionary that has a key twice.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Repeats {
    Refused,
    Allowed,
}

struct Scanner<'a> {
    input: &'a [u8],
    at: usize,
    limits: DecodeLimits,
    repeats: Repeats,
    values: usize,
    /// The lists and dictionaries that we are in.
    open: Vec<Open>,
    /// The keys of all open dictionaries, those of inner ones behind; none where they may
    /// come twice.
    keys: Vec<&'a [u8]>,
}

#[derive(Clone, Copy)]
enum Open {
    List,
    Dict {
        /// Where its keys begin in [`Scanner::keys`].
        keys: usize,
        /// Its keys have come in ascending order so far, so none came twice.
        sorted: bool,
    },
}

impl<'a> Scanner<'a> {
    fn new(input: &'a [u8], limits: DecodeLimits, repeats: Repeats) -> Self {
        Scanner {
            input,
            at: 0,
            limits,
            repeats,
            values: 0,
            open: Vec::new(),
            keys: Vec::new(),
        }
    }

    fn run(mut self, wanted: Option<&[u8]>) -> Result<Scanned, BencodeError> {
        let mut found = None;
        let mut value_of_wanted = None;
        loop {
            self.step(&mut value_of_wanted, wanted)?;
            if self.at > self.limits.length {
                return Err(too_long(self.at, self.limits));
            }
            if self.open.len() == 1
                && let Some(start) = value_of_wanted
                && start < self.at
            {
                found = Some(start..self.at);
                value_of_wanted = None;
            }
            if self.open.is_empty() {
                let length = self.at;
                return Ok(Scanned { length, found });
            }
        }
    }

    /// Takes one end, or one value (the opening of a list or dictionary) and the key before
    /// it if it has one. Puts where the value begins into `start` if its key is `wanted`.
    fn step(
        &mut self,
        start: &mut Option<usize>,
        wanted: Option<&[u8]>,
    ) -> Result<(), BencodeError> {
        if !self.open.is_empty() && self.peek()? == b'e' {
            return self.close();
        }
        if let Some(Open::Dict { .. }) = self.open.last() {
            let key = self.key()?;
            if self.open.len() == 1 && Some(key) == wanted {
                *start = Some(self.at);
            }
        }
        self.count()?;
        match self.peek()? {
            b'i' => self.integer(),
            b'0'..=b'9' => self.string().map(drop),
            b'l' => self.enter(Open::List),
            b'd' => self.enter(Open::Dict {
                keys: self.keys.len(),
                sorted: true,
            }),
            _ => Err(invalid(self.at, "a value should begin here")),
        }
    }

    fn enter(&mut self, container: Open) -> Result<(), BencodeError> {
        if self.open.len() >= self.limits.depth {
            return Err(invalid(self.at, "nested too deeply"));
        }
        self.open.push(container);
        self.at += 1;
        Ok(())
    }

    fn close(&mut self) -> Result<(), BencodeError> {
        if let Some(Open::Dict { keys, sorted }) = self.open.pop() {
            let own = &mut self.keys[keys..];
            if !sorted {
                own.sort_unstable();
                if own.windows(2).any(|pair| pair[0] == pair[1]) {
                    return Err(invalid(self.at, "the dictionary has a key twice"));
                }
            }
            self.keys.truncate(keys);
        }
        self.at += 1;
        Ok(())
    }

    fn key(&mut self) -> Result<&'a [u8], BencodeError> {
        if !self.peek()?.is_ascii_digit() {
            return Err(invalid(self.at, "a key should begin here"));
        }
        self.count()?;
        let key = self.string()?;
        if self.repeats == Repeats::Allowed {
            return Ok(key);
        }
        if let Some(Open::Dict { keys, sorted }) = self.open.last_mut() {
            let previous = self.keys[*keys..].last();
            *sorted &= previous.is_none_or(|previous| *previous < key);
        }
        self.keys.push(key);
        Ok(key)
    }

    fn string(&mut self) -> Result<&'a [u8], BencodeError> {
        let start = self.at;
        let digits = self.digits()?;
        // Digits alone fail to parse only when there are too many for the type.
        let length = digits
            .parse::<usize>()
            .ok()
            .filter(|length| *length <= self.input.len())
            .ok_or(invalid(start, "the string is longer than the input"))?;
        self.expect(b':', "a colon should follow the string's length")?;
        let string = self
            .input
            .get(self.at..self.at + length)
            .ok_or(invalid(start, "the string is longer than the input"))?;
        self.at += length;
        Ok(string)
    }

    fn integer(&mut self) -> Result<(), BencodeError> {
        let start = self.at;
        self.at += 1;
        let negative = self.peek()? == b'-';
        if negative {
            self.at += 1;
        }
        let digits = self.digits()?;
        if negative && digits == "0" {
            return Err(invalid(start, "minus zero"));
        }
        let fits = if negative {
            // One more than the greatest: i64 reaches one further below zero.
            digits.parse().is_ok_and(|n: u64| n <= 1 << 63)
        } else {
            digits.parse::<i64>().is_ok()
        };
        if !fits {
            return Err(invalid(start, "the integer does not fit 64 bits"));
        }
        self.expect(b'e', "the integer should end here")
    }

    /// A number without a superfluous zero in front.
    fn digits(&mut self) -> Result<&'a str, BencodeError> {
        let rest = &self.input[self.at..];
        let count = rest.iter().take_while(|b| b.is_ascii_digit()).count();
        let digits = std::str::from_utf8(&rest[..count]).expect("digits are ASCII");
        if digits.is_empty() {
            self.peek()?;
            return Err(invalid(self.at, "a digit should be here"));
        }
        if count > 1 && digits.starts_with('0') {
            return Err(invalid(self.at, "a zero in front of a number"));
        }
        self.at += count;
        Ok(digits)
    }

    fn expect(&mut self, byte: u8, what: &'static str) -> Result<(), BencodeError> {
        if self.peek()? != byte {
            return Err(invalid(self.at, what));
        }
        self.at += 1;
        Ok(())
    }

    fn peek(&self) -> Result<u8, BencodeError> {
        let byte = self.input.get(self.at).copied();
        byte.ok_or(invalid(self.at, "the input ends too early"))
    }

    fn count(&mut self) -> Result<(), BencodeError> {
        self.values += 1;
        if self.values > self.limits.values {
            return Err(invalid(self.at, "too many values"));
        }
        Ok(())
    }
}

fn invalid(at: usize, what: &'static str) -> BencodeError {
    BencodeError::Invalid { at, what }
}

fn too_long(length: usize, limits: DecodeLimits) -> BencodeError {
    let limit = limits.length;
    BencodeError::TooLong { length, limit }
}
