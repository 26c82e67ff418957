//! Values to bytes, as `serde` walks them.
//!
//! Not by `serde_bencode`: it makes a buffer for every value of a dictionary, and code for
//! every type of one, which a page would have to load. Here all is written into one buffer,
//! and a dictionary's entries are put in order where they lie.

use std::fmt;
use std::ops::Range;

use serde::Serialize;
use serde::ser::{self, Impossible, Serializer};

/// The error of what can't fail, and so no code in every field of every type: what bencoding can't
/// express is a mistake in a type of ours, and no matter of what it holds.
#[derive(Debug, thiserror::Error)]
pub(super) enum Never {}

impl ser::Error for Never {
    fn custom<T: fmt::Display>(_: T) -> Self {
        inexpressible()
    }
}

/// For floats, choices that carry something, and keys that are no strings.
fn inexpressible() -> ! {
    panic!("types that are encoded hold nothing that bencoding can't express")
}

/// What was written so far.
#[derive(Debug, Default)]
pub(super) struct Writer {
    pub(super) bytes: Vec<u8>,
}

impl Writer {
    fn integer(&mut self, number: impl fmt::Display) {
        self.bytes.extend(format!("i{number}e").as_bytes());
    }

    fn string(&mut self, string: &[u8]) {
        self.bytes.extend(format!("{}:", string.len()).as_bytes());
        self.bytes.extend(string);
    }

    /// Puts the entries of a dictionary, which are the last that was written, in the order of
    /// their keys.
    fn sort(&mut self, entries: &mut [Entry]) {
        let key = |entry: &Entry| &self.bytes[entry.key.clone()];
        let Some(first) = entries.first() else { return };
        if entries.is_sorted_by(|a, b| key(a) < key(b)) {
            return;
        }
        let begin = first.all.start;
        entries.sort_by(|a, b| key(a).cmp(key(b)));
        let entries = entries
            .iter()
            .flat_map(|entry| &self.bytes[entry.all.clone()]);
        let sorted: Vec<u8> = entries.copied().collect();
        self.bytes.truncate(begin);
        self.bytes.extend(sorted);
    }
}

/// Where in the bytes an entry of a dictionary is.
#[derive(Debug)]
struct Entry {
    all: Range<usize>,
    /// The key without its length.
    key: Range<usize>,
}

/// A list, of which elements follow.
#[derive(Debug)]
pub(super) struct List<'a>(&'a mut Writer);

/// A dictionary, of which entries follow.
#[derive(Debug)]
pub(super) struct Dictionary<'a> {
    writer: &'a mut Writer,
    entries: Vec<Entry>,
    /// Where the entry begins whose value follows.
    begun: usize,
}

impl<'a> Dictionary<'a> {
    fn begin(writer: &'a mut Writer) -> Self {
        writer.bytes.push(b'd');
        Dictionary {
            writer,
            entries: Vec::new(),
            begun: 0,
        }
    }

    /// An entry was written; one without a value is none.
    fn entry(&mut self, value: usize) {
        let (begin, bytes) = (self.begun, &mut self.writer.bytes);
        if bytes.len() == value {
            return bytes.truncate(begin);
        }
        let digits = bytes[begin..value].iter().position(|byte| *byte == b':');
        self.entries.push(Entry {
            all: begin..bytes.len(),
            key: begin + digits.unwrap_or_default()..value,
        });
    }

    fn finish(mut self) {
        self.writer.sort(&mut self.entries);
        self.writer.bytes.push(b'e');
    }
}

type Done = Result<(), Never>;

impl<'a> Serializer for &'a mut Writer {
    type Ok = ();
    type Error = Never;
    type SerializeSeq = List<'a>;
    type SerializeTuple = List<'a>;
    type SerializeTupleStruct = List<'a>;
    type SerializeTupleVariant = Impossible<(), Never>;
    type SerializeMap = Dictionary<'a>;
    type SerializeStruct = Dictionary<'a>;
    type SerializeStructVariant = Impossible<(), Never>;

    /// 0 or 1.
    fn serialize_bool(self, value: bool) -> Done {
        self.serialize_u64(value.into())
    }

    fn serialize_i8(self, value: i8) -> Done {
        self.serialize_i64(value.into())
    }

    fn serialize_i16(self, value: i16) -> Done {
        self.serialize_i64(value.into())
    }

    fn serialize_i32(self, value: i32) -> Done {
        self.serialize_i64(value.into())
    }

    fn serialize_i64(self, value: i64) -> Done {
        self.integer(value);
        Ok(())
    }

    fn serialize_u8(self, value: u8) -> Done {
        self.serialize_u64(value.into())
    }

    fn serialize_u16(self, value: u16) -> Done {
        self.serialize_u64(value.into())
    }

    fn serialize_u32(self, value: u32) -> Done {
        self.serialize_u64(value.into())
    }

    fn serialize_u64(self, value: u64) -> Done {
        self.integer(value);
        Ok(())
    }

    fn serialize_f32(self, _: f32) -> Done {
        inexpressible()
    }

    fn serialize_f64(self, _: f64) -> Done {
        inexpressible()
    }

    fn serialize_char(self, value: char) -> Done {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Done {
        self.serialize_bytes(value.as_bytes())
    }

    fn serialize_bytes(self, value: &[u8]) -> Done {
        self.string(value);
        Ok(())
    }

    /// Nothing: the entry is left out.
    fn serialize_none(self) -> Done {
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Done {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Done {
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Done {
        Ok(())
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Done {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Done {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Done {
        inexpressible()
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<List<'a>, Never> {
        self.bytes.push(b'l');
        Ok(List(self))
    }

    fn serialize_tuple(self, _: usize) -> Result<List<'a>, Never> {
        self.serialize_seq(None)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<List<'a>, Never> {
        self.serialize_seq(None)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Never> {
        inexpressible()
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Dictionary<'a>, Never> {
        Ok(Dictionary::begin(self))
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Dictionary<'a>, Never> {
        Ok(Dictionary::begin(self))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Never> {
        inexpressible()
    }
}

impl ser::SerializeSeq for List<'_> {
    type Ok = ();
    type Error = Never;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
        value.serialize(&mut *self.0)
    }

    fn end(self) -> Done {
        self.0.bytes.push(b'e');
        Ok(())
    }
}

impl ser::SerializeTuple for List<'_> {
    type Ok = ();
    type Error = Never;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
        value.serialize(&mut *self.0)
    }

    fn end(self) -> Done {
        ser::SerializeSeq::end(self)
    }
}

impl ser::SerializeTupleStruct for List<'_> {
    type Ok = ();
    type Error = Never;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
        value.serialize(&mut *self.0)
    }

    fn end(self) -> Done {
        ser::SerializeSeq::end(self)
    }
}

impl ser::SerializeStruct for Dictionary<'_> {
    type Ok = ();
    type Error = Never;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Done {
        ser::SerializeMap::serialize_key(self, key)?;
        ser::SerializeMap::serialize_value(self, value)
    }

    fn end(self) -> Done {
        self.finish();
        Ok(())
    }
}

impl ser::SerializeMap for Dictionary<'_> {
    type Ok = ();
    type Error = Never;

    /// Keys are strings.
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Done {
        self.begun = self.writer.bytes.len();
        key.serialize(&mut *self.writer)?;
        let first = self.writer.bytes.get(self.begun);
        match first.is_some_and(u8::is_ascii_digit) {
            true => Ok(()),
            false => inexpressible(),
        }
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
        let begin = self.writer.bytes.len();
        value.serialize(&mut *self.writer)?;
        self.entry(begin);
        Ok(())
    }

    fn end(self) -> Done {
        self.finish();
        Ok(())
    }
}
