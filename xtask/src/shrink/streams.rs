//! A WebAssembly program with what is alike side by side: its opcodes, then its numbers of
//! locals, then its offsets, and so on.
//!
//! Compression sees few bytes at a time, and no two bytes that follow each other in a program
//! are of one kind. Apart they take a seventh less as brotli and a fifth less as gzip, which is
//! what browsers get in a LAN. `unpack.js` puts them together again; it goes into the glue.
//!
//! A file of it is, with every number in LEB128: the length of the code section's contents, how
//! many streams there are, the key and the length of each, and the streams in the same order.
//! Keys are those of [`key`].

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};

use super::module::{HEADER, Reader, number};

/// In the glue's place of what [`pack`] made.
pub(super) const UNPACK: &str = include_str!("unpack.js");

/// What streams have in them.
mod key {
    /// The module up to the contents of its code section, and behind them.
    pub(super) const BEFORE: u32 = 0;
    pub(super) const BEHIND: u32 = 1;
    /// Symbols that stand for two others, and those.
    pub(super) const PAIRS: u32 = 2;
    /// Opcodes, and symbols for several.
    pub(super) const OPCODES: u32 = 3;
    /// How many functions there are, and the locals of each.
    pub(super) const LOCALS: u32 = 4;
    /// Operands that are of no other kind.
    pub(super) const OTHERS: u32 = 5;
    pub(super) const CALL: u32 = 6;
    /// Which local is written, and [`TEE`] which is read too.
    pub(super) const SET: u32 = 7;
    /// Offsets of loads: the lowest eight bits, and the others. Stores have two of their own.
    pub(super) const LOAD: u32 = 8;
    pub(super) const STORE: u32 = 10;
    pub(super) const LONG: u32 = 12;
    pub(super) const TEE: u32 = 13;
    /// What a block gives, and how far a branch goes.
    pub(super) const BLOCK: u32 = 14;
    pub(super) const BRANCH: u32 = 15;
    /// And the opcode that follows, which tells what a number is for.
    pub(super) const INTEGER: u32 = 0x100;
    pub(super) const GET: u32 = 0x200;
    /// And the opcode that it belongs to.
    pub(super) const ALIGN: u32 = 0x300;
}

/// The number of the section that has the functions' bodies.
const CODE: u8 = 10;
/// The opcode that ends a block, and a function.
const END: u8 = 0x0b;
/// How many symbols for several opcodes are made, as long as there are bytes that are no opcode.
/// Each takes three bytes; later ones take less from the others.
const SYMBOLS: usize = 80;

/// Takes a program apart.
pub(super) fn pack(program: &[u8]) -> Result<Vec<u8>> {
    let mut streams = Streams::default();
    let mut rest = Reader(program);
    let mut before = rest.bytes(HEADER)?.to_vec();
    let code = loop {
        let begin = rest.0;
        match rest.section()?.context("a program without code")? {
            (CODE, code) => break code,
            _ => before.extend(&begin[..begin.len() - rest.0.len()]),
        }
    };
    before.push(CODE);
    number(&mut before, code.len() as u32);
    streams.write(key::BEFORE, &before);
    streams.write(key::BEHIND, rest.0);

    let mut bodies = Reader(code);
    let count = bodies.number()?;
    number(streams.of(key::LOCALS), count);
    let mut opcodes = Vec::new();
    for _ in 0..count {
        function(&mut Reader(bodies.string()?), &mut opcodes, &mut streams)?;
    }
    let pairs = pair_up(&mut opcodes);
    streams.write(key::PAIRS, &pairs);
    streams.write(key::OPCODES, &opcodes);
    Ok(streams.into_bytes(code.len()))
}

/// Takes the body of a function apart.
fn function<'a>(rest: &mut Reader<'a>, opcodes: &mut Vec<u8>, streams: &mut Streams) -> Result<()> {
    let begin = rest.0;
    for _ in 0..rest.number()? {
        rest.digits()?;
        rest.digits()?;
    }
    streams.write(key::LOCALS, &begin[..begin.len() - rest.0.len()]);
    // What has to wait for the opcode behind it.
    let mut waiting: Option<(u32, &'a [u8])> = None;
    while !rest.0.is_empty() {
        let op = rest.byte()?;
        opcodes.push(op);
        if let Some((key, digits)) = waiting.take() {
            streams.write(key + u32::from(op), digits);
        }
        match op {
            // unreachable, nop, else, end, return, drop, select, and all arithmetic
            0x00 | 0x01 | 0x05 | END | 0x0f | 0x1a | 0x1b | 0x45..=0xc4 => {}
            0x02..=0x04 => streams.write(key::BLOCK, rest.digits()?),
            0x0c | 0x0d => streams.write(key::BRANCH, rest.digits()?),
            // Global, table and memory as a whole; references
            0x23..=0x26 | 0x3f | 0x40 | 0xd0 | 0xd2 => {
                streams.write(key::OTHERS, rest.digits()?);
            }
            // br_table, and select with types
            0x0e | 0x1c => {
                let count = streams.number(key::OTHERS, rest)?;
                for _ in 0..count + u32::from(op == 0x0e) {
                    streams.write(key::OTHERS, rest.digits()?);
                }
            }
            0x10 => streams.write(key::CALL, rest.digits()?),
            // call_indirect
            0x11 => {
                streams.write(key::OTHERS, rest.digits()?);
                streams.write(key::OTHERS, rest.digits()?);
            }
            0x20 => waiting = Some((key::GET, rest.digits()?)),
            0x21 => streams.write(key::SET, rest.digits()?),
            0x22 => streams.write(key::TEE, rest.digits()?),
            0x28..=0x3e => {
                streams.write(key::ALIGN + u32::from(op), rest.digits()?);
                let offset = rest.number()?;
                let key = if op < 0x36 { key::LOAD } else { key::STORE };
                streams.of(key).push(offset as u8);
                number(streams.of(key + 1), offset >> 8);
            }
            0x41 => waiting = Some((key::INTEGER, rest.digits()?)),
            0x42 => streams.write(key::LONG, rest.digits()?),
            0x43 => streams.write(key::OTHERS, rest.bytes(4)?),
            0x44 => streams.write(key::OTHERS, rest.bytes(8)?),
            // Conversions that saturate, and what is done with many bytes or table places
            0xfc => {
                let operands = match streams.number(key::OTHERS, rest)? {
                    0..=7 => 0,
                    8 | 10 | 12 | 14 => 2,
                    9 | 11 | 13 | 15..=17 => 1,
                    which => bail!("unpack.js does not know the instruction fc {which:02x}"),
                };
                for _ in 0..operands {
                    streams.write(key::OTHERS, rest.digits()?);
                }
            }
            _ => bail!("unpack.js does not know the instruction {op:02x}"),
        }
    }
    ensure!(opcodes.last() == Some(&END), "a function without an end");
    Ok(())
}

/// Puts symbols in the place of what is often side by side, also of such symbols. Returns each,
/// and what it stands for.
fn pair_up(symbols: &mut Vec<u8>) -> Vec<u8> {
    let mut pairs = Vec::new();
    let free = (0..=u8::MAX).filter(|it| !symbols.contains(it));
    let free: Vec<u8> = free.take(SYMBOLS).collect();
    for symbol in free {
        let mut counts = vec![0; 1 << 16];
        for pair in symbols.windows(2) {
            counts[usize::from(pair[0]) << 8 | usize::from(pair[1])] += 1;
        }
        // Of several the first, so that the same program gives the same file.
        let most = (0..counts.len()).rev().max_by_key(|pair| counts[*pair]);
        let Some(most) = most.filter(|most| counts[*most] > 3) else {
            break;
        };
        let [.., first, second] = most.to_be_bytes();
        pairs.extend([symbol, first, second]);
        let mut kept = 0;
        let mut at = 0;
        while at < symbols.len() {
            let is_pair = symbols[at..].starts_with(&[first, second]);
            symbols[kept] = if is_pair { symbol } else { symbols[at] };
            at += 1 + usize::from(is_pair);
            kept += 1;
        }
        symbols.truncate(kept);
    }
    pairs
}

#[derive(Default)]
struct Streams(BTreeMap<u32, Vec<u8>>);

impl Streams {
    fn of(&mut self, key: u32) -> &mut Vec<u8> {
        self.0.entry(key).or_default()
    }

    fn write(&mut self, key: u32, bytes: &[u8]) {
        self.of(key).extend(bytes);
    }

    /// Writes a number as it is, and says what it is.
    fn number(&mut self, key: u32, rest: &mut Reader<'_>) -> Result<u32> {
        let digits = rest.digits()?;
        self.write(key, digits);
        Reader(digits).number()
    }

    fn into_bytes(self, code: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        number(&mut bytes, code as u32);
        number(&mut bytes, self.0.len() as u32);
        for (key, stream) in &self.0 {
            number(&mut bytes, *key);
            number(&mut bytes, stream.len() as u32);
        }
        bytes.extend(self.0.values().flatten());
        bytes
    }
}

#[cfg(test)]
mod tests;
