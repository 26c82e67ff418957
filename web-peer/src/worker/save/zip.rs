//! Several files as one ZIP, stored, without holding their bytes.
//!
//! The length of each file is known and its CRC is computed before its header is placed,
//! so that every local header is complete: there are unpackers that refuse stored
//! entries with a data descriptor. So each file is read twice. The format is PKWARE's APPNOTE
//! 6.3.10, with the ZIP64 records wherever a number needs them.

use swarm_core::metainfo::File;

use super::{SaveError, Saving};

/// Writes some files of a torrent.
pub(super) async fn write(saving: &mut Saving, files: &[&File]) -> Result<(), SaveError> {
    let mut directory = Directory::default();
    for file in files {
        let crc = saving.crc_of(file).await?;
        let header = directory.add(&name_of(file), file.length, crc);
        saving.put(&header).await?;
        saving.copy(file).await?;
    }
    saving.put(&directory.finish()).await
}

/// How many bytes [`write`] writes.
pub(super) fn length(files: &[&File]) -> u64 {
    let mut directory = Directory::default();
    for file in files {
        directory.add(&name_of(file), file.length, 0);
    }
    let entries = directory.offset;
    entries + directory.finish().len() as u64
}

fn name_of(file: &File) -> String {
    file.path.parts().join("/")
}

/// In a field of 32 or 16 bits: look into the ZIP64 record.
const LARGE: u32 = u32::MAX;
const MANY: u16 = u16::MAX;
/// Version 4.5: ZIP64. Names are in UTF-8 (bit 11). 1980-01-01, the earliest date there
/// is: a torrent says nothing about its files' dates.
const VERSION: u16 = 45;
const UTF8: u16 = 1 << 11;
const DATE: u16 = 0x0021;
/// A regular file that everybody may read, as Unix writes it, and so the maker.
const MODE: u32 = 0o100_644 << 16;
const UNIX: u16 = 3 << 8;

/// The central directory, while the entries before it are written.
#[derive(Debug, Default)]
struct Directory {
    bytes: Vec<u8>,
    entries: u64,
    /// Where the next local header goes.
    offset: u64,
}

impl Directory {
    /// Adds an entry; returns its local header, behind which its data goes.
    fn add(&mut self, name: &str, length: u64, crc: u32) -> Vec<u8> {
        let name = name.as_bytes();
        let name = &name[..name.len().min(usize::from(u16::MAX))];
        let name_length = name.len() as u16;
        let large = length >= u64::from(LARGE);
        let far = self.offset >= u64::from(LARGE);

        // ZIP64 extra fields: a local header has both lengths or none.
        let mut local_extra = Vec::new();
        if large {
            local_extra.put16(1).put16(16).put64(length).put64(length);
        }
        let mut extra = Vec::new();
        if large || far {
            extra
                .put16(1)
                .put16(if large { 16 } else { 0 } + if far { 8 } else { 0 });
        }
        if large {
            extra.put64(length).put64(length);
        }
        if far {
            extra.put64(self.offset);
        }
        let short = |value: u64| u32::try_from(value).unwrap_or(LARGE);
        let field = if large { LARGE } else { short(length) };

        let mut local = Vec::new();
        local
            .put32(0x0403_4b50)
            .put16(VERSION)
            .put16(UTF8)
            .put16(0)
            .put16(0)
            .put16(DATE);
        local
            .put32(crc)
            .put32(field)
            .put32(field)
            .put16(name_length)
            .put16(local_extra.len() as u16);
        local.extend_from_slice(name);
        local.extend_from_slice(&local_extra);

        let central = &mut self.bytes;
        central
            .put32(0x0201_4b50)
            .put16(UNIX | VERSION)
            .put16(VERSION)
            .put16(UTF8)
            .put16(0)
            .put16(0)
            .put16(DATE);
        central
            .put32(crc)
            .put32(field)
            .put32(field)
            .put16(name_length)
            .put16(extra.len() as u16);
        central
            .put16(0)
            .put16(0)
            .put16(0)
            .put32(MODE)
            .put32(short(self.offset));
        central.extend_from_slice(name);
        central.extend_from_slice(&extra);

        self.entries += 1;
        self.offset += local.len() as u64 + length;
        local
    }

    /// The directory and what closes it.
    fn finish(self) -> Vec<u8> {
        let (start, size) = (self.offset, self.bytes.len() as u64);
        let end = start + size;
        let mut bytes = self.bytes;
        if self.entries >= u64::from(MANY) || end >= u64::from(LARGE) {
            bytes
                .put32(0x0606_4b50)
                .put64(44)
                .put16(UNIX | VERSION)
                .put16(VERSION)
                .put32(0)
                .put32(0);
            bytes
                .put64(self.entries)
                .put64(self.entries)
                .put64(size)
                .put64(start);
            bytes.put32(0x0706_4b50).put32(0).put64(end).put32(1);
        }
        let entries = u16::try_from(self.entries).unwrap_or(MANY);
        let short = |value: u64| u32::try_from(value).unwrap_or(LARGE);
        bytes
            .put32(0x0605_4b50)
            .put16(0)
            .put16(0)
            .put16(entries)
            .put16(entries);
        bytes.put32(short(size)).put32(short(start)).put16(0);
        bytes
    }
}

/// Little-endian numbers, one after the other.
trait Put {
    fn put16(&mut self, value: u16) -> &mut Self;
    fn put32(&mut self, value: u32) -> &mut Self;
    fn put64(&mut self, value: u64) -> &mut Self;
}

impl Put for Vec<u8> {
    fn put16(&mut self, value: u16) -> &mut Self {
        self.extend_from_slice(&value.to_le_bytes());
        self
    }
    fn put32(&mut self, value: u32) -> &mut Self {
        self.extend_from_slice(&value.to_le_bytes());
        self
    }
    fn put64(&mut self, value: u64) -> &mut Self {
        self.extend_from_slice(&value.to_le_bytes());
        self
    }
}
