//! What is in the bytes of a WebAssembly module (core specification, 5.2).

use anyhow::{Context, Result, bail};

/// `\0asm` and the version.
pub(super) const HEADER: usize = 8;

/// What is left of a module or a section.
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    /// The next section, its number and its contents; none at the end.
    pub(super) fn section(&mut self) -> Result<Option<(u8, &'a [u8])>> {
        if self.0.is_empty() {
            return Ok(None);
        }
        Ok(Some((self.byte()?, self.string()?)))
    }

    pub(super) fn byte(&mut self) -> Result<u8> {
        Ok(self.bytes(1)?[0])
    }

    pub(super) fn bytes(&mut self, length: usize) -> Result<&'a [u8]> {
        let parts = self.0.split_at_checked(length);
        let (bytes, rest) = parts.context("the program ends too early")?;
        self.0 = rest;
        Ok(bytes)
    }

    /// An unsigned integer in LEB128, seven bits a byte.
    pub(super) fn number(&mut self) -> Result<u32> {
        let mut number = 0_u64;
        for (place, byte) in self.digits()?.iter().enumerate() {
            number |= u64::from(byte & 0x7f) << (7 * place);
        }
        Ok(number.try_into()?)
    }

    /// The bytes of an integer in LEB128, with or without a sign.
    pub(super) fn digits(&mut self) -> Result<&'a [u8]> {
        let last = self.0.iter().position(|byte| byte & 0x80 == 0);
        match last.context("the program ends too early")? {
            last @ 0..10 => self.bytes(last + 1),
            _ => bail!("a number without an end"),
        }
    }

    /// Bytes with their length in front.
    pub(super) fn string(&mut self) -> Result<&'a [u8]> {
        let length = self.number()? as usize;
        self.bytes(length)
    }
}

/// Writes what [`Reader::number`] reads.
pub(super) fn number(out: &mut Vec<u8>, mut number: u32) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Writes what [`Reader::string`] reads.
pub(super) fn string(out: &mut Vec<u8>, string: &[u8]) {
    number(out, string.len() as u32);
    out.extend(string);
}
