//! Bytes to values, as `serde` asks for them.
//!
//! Not by `serde_bencode`, whose errors drag the formatting of floats and all that into a page,
//! and which reads a struct from a list of its fields too. Here a type gets what it asks for,
//! and code for nothing else. What is read was walked before: it is whole, and no deeper than
//! allowed.

use std::fmt;

use serde::de::value::BorrowedStrDeserializer;
use serde::de::{
    self, DeserializeSeed, Deserializer, Expected, MapAccess, SeqAccess, Unexpected, Visitor,
};

use super::value::{Rest, Value};

/// Why a value is not of the shape that was expected.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Misshapen(pub(super) String);

impl Misshapen {
    fn another(expected: &dyn Expected) -> Self {
        Misshapen(format!("something else than {expected}"))
    }
}

impl de::Error for Misshapen {
    fn custom<T: fmt::Display>(why: T) -> Self {
        Misshapen(why.to_string())
    }

    // What there is instead is not told: that takes the formatting of every type there is.
    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::another(expected)
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::another(expected)
    }

    fn invalid_length(_: usize, expected: &dyn Expected) -> Self {
        Self::another(expected)
    }

    fn unknown_variant(_: &str, _: &'static [&'static str]) -> Self {
        Misshapen("none of the choices".to_owned())
    }

    fn unknown_field(_: &str, _: &'static [&'static str]) -> Self {
        Misshapen("an unknown key".to_owned())
    }

    fn missing_field(field: &'static str) -> Self {
        Misshapen(format!("nothing under the key {field}"))
    }

    fn duplicate_field(field: &'static str) -> Self {
        Misshapen(format!("the key {field} twice"))
    }
}

/// Reads one value.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a>(pub(super) Value<'a>);

impl<'a> Reader<'a> {
    fn integer(self) -> Result<i64, Misshapen> {
        let integer = self.0.integer();
        integer.ok_or_else(|| Misshapen("something else than an integer".to_owned()))
    }

    fn bytes(self) -> Result<&'a [u8], Misshapen> {
        let bytes = self.0.string();
        bytes.ok_or_else(|| Misshapen("something else than a string".to_owned()))
    }

    fn text(self) -> Result<&'a str, Misshapen> {
        let text = std::str::from_utf8(self.bytes()?);
        text.map_err(|_| Misshapen("a string that is no UTF-8".to_owned()))
    }
}

/// Integers of every width: visitors check what fits.
macro_rules! integers {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Misshapen> {
            visitor.visit_i64(self.integer()?)
        }
    )*};
}

/// What bencoding can't express.
macro_rules! inexpressible {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Misshapen> {
            Err(Misshapen::another(&visitor))
        }
    )*};
}

/// The same as another.
macro_rules! same {
    ($($method:ident: $as:ident)*) => {$(
        fn $method<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Misshapen> {
            self.$as(visitor)
        }
    )*};
}

impl<'a> Deserializer<'a> for Reader<'a> {
    type Error = Misshapen;

    integers!(deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64);
    integers!(deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64);
    inexpressible!(deserialize_f32 deserialize_f64 deserialize_unit);
    same!(
        deserialize_char: deserialize_str
        deserialize_string: deserialize_str
        deserialize_byte_buf: deserialize_bytes
        deserialize_identifier: deserialize_bytes
    );

    fn deserialize_any<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Misshapen> {
        match self.0.raw().first() {
            Some(b'i') => self.deserialize_i64(visitor),
            Some(b'l') => self.deserialize_seq(visitor),
            Some(b'd') => self.deserialize_map(visitor),
            _ => self.deserialize_bytes(visitor),
        }
    }

    /// As it is written.
    fn deserialize_bool<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Misshapen> {
        match self.integer()? {
            0 => visitor.visit_bool(false),
            1 => visitor.visit_bool(true),
            _ => Err(Misshapen::another(&visitor)),
        }
    }

    fn deserialize_str<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Misshapen> {
        visitor.visit_borrowed_str(self.text()?)
    }

    fn deserialize_bytes<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Misshapen> {
        visitor.visit_borrowed_bytes(self.bytes()?)
    }

    /// What is nothing was left out.
    fn deserialize_option<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Misshapen> {
        visitor.visit_some(self)
    }

    fn deserialize_seq<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Misshapen> {
        match self.0.inside(b'l') {
            Some(rest) => visitor.visit_seq(Inside(rest)),
            None => Err(Misshapen::another(&visitor)),
        }
    }

    fn deserialize_tuple<V: Visitor<'a>>(
        self,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Misshapen> {
        match self.0.list().is_some_and(|list| list.count() == length) {
            true => self.deserialize_seq(visitor),
            false => Err(Misshapen::another(&visitor)),
        }
    }

    fn deserialize_tuple_struct<V: Visitor<'a>>(
        self,
        _: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Misshapen> {
        self.deserialize_tuple(length, visitor)
    }

    fn deserialize_map<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Misshapen> {
        match self.0.inside(b'd') {
            Some(rest) => visitor.visit_map(Inside(rest)),
            None => Err(Misshapen::another(&visitor)),
        }
    }

    /// From a dictionary, never from a list of its fields: two readers of the same bytes could
    /// disagree on what they mean.
    fn deserialize_struct<V: Visitor<'a>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misshapen> {
        self.deserialize_map(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'a>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Misshapen> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_unit_struct<V: Visitor<'a>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Misshapen> {
        Err(Misshapen::another(&visitor))
    }

    /// A choice that carries nothing, by its name.
    fn deserialize_enum<V: Visitor<'a>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misshapen> {
        visitor.visit_enum(BorrowedStrDeserializer::new(self.text()?))
    }

    fn deserialize_ignored_any<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Misshapen> {
        visitor.visit_unit()
    }
}

/// What is left of a list, or of a dictionary.
struct Inside<'a>(Rest<'a>);

impl<'a> SeqAccess<'a> for Inside<'a> {
    type Error = Misshapen;

    fn next_element_seed<T: DeserializeSeed<'a>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Misshapen> {
        let Some(value) = self.0.next() else {
            return Ok(None);
        };
        seed.deserialize(Reader(value)).map(Some)
    }
}

impl<'a> MapAccess<'a> for Inside<'a> {
    type Error = Misshapen;

    fn next_key_seed<T: DeserializeSeed<'a>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Misshapen> {
        self.next_element_seed(seed)
    }

    fn next_value_seed<T: DeserializeSeed<'a>>(&mut self, seed: T) -> Result<T::Value, Misshapen> {
        let value = self.0.next().expect("every key has a value");
        seed.deserialize(Reader(value))
    }
}
