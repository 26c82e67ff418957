use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::*;

const LIMITS: DecodeLimits = DecodeLimits {
    length: 1000,
    depth: 4,
    values: 20,
};

fn check(input: &str) -> Result<(), BencodeError> {
    decode::<serde::de::IgnoredAny>(input.as_bytes(), LIMITS).map(drop)
}

#[test]
fn what_is_bencoding_is_read() {
    for input in [
        "i0e",
        "i-1e",
        "i9223372036854775807e",
        "i-9223372036854775808e",
        "0:",
        "4:spam",
        "le",
        "de",
        "l4:spam4:eggse",
        "d3:cow3:moo4:spam4:eggse",
        // Unsorted keys occur in the wild.
        "d4:spam4:eggs3:cow3:mooe",
        "d1:ald1:bleee1:bi1ee",
        "lllleeee",
    ] {
        assert_eq!(check(input), Ok(()), "{input}");
    }
}

#[test]
fn what_is_not_bencoding_is_refused_with_its_place() {
    for (input, at, what) in [
        ("", 0, "the input ends too early"),
        ("x", 0, "a value should begin here"),
        ("e", 0, "a value should begin here"),
        ("i", 1, "the input ends too early"),
        ("ie", 1, "a digit should be here"),
        ("i-e", 2, "a digit should be here"),
        ("i-0e", 0, "minus zero"),
        ("i03e", 1, "a zero in front of a number"),
        ("i+3e", 1, "a digit should be here"),
        ("i3.5e", 2, "the integer should end here"),
        (
            "i9223372036854775808e",
            0,
            "the integer does not fit 64 bits",
        ),
        (
            "i-9223372036854775809e",
            0,
            "the integer does not fit 64 bits",
        ),
        ("01:a", 0, "a zero in front of a number"),
        ("5:spam", 0, "the string is longer than the input"),
        (
            "99999999999999999999:a",
            0,
            "the string is longer than the input",
        ),
        (
            "18446744073709551615:a",
            0,
            "the string is longer than the input",
        ),
        ("4spam", 1, "a colon should follow the string's length"),
        ("l", 1, "the input ends too early"),
        ("d3:cowe", 6, "a value should begin here"),
        ("di1e1:ae", 1, "a key should begin here"),
        ("d1:ai1e1:ai2ee", 13, "the dictionary has a key twice"),
        ("d1:bi1e1:ai2e1:bi3ee", 19, "the dictionary has a key twice"),
        ("i1ei2e", 3, "something follows the value"),
        ("i1e\n", 3, "something follows the value"),
        ("llllleeeee", 4, "nested too deeply"),
    ] {
        let wrong = Err(BencodeError::Invalid { at, what });
        assert_eq!(check(input), wrong, "{input}");
    }
}

#[test]
fn keys_of_other_dictionaries_are_not_repeated_keys() {
    assert_eq!(check("d1:ad1:ai1ee1:bd1:ai1ee1:c1:de"), Ok(()));
    assert_eq!(check("d1:cd1:ai1ee1:bd1:ai1ee1:a1:de"), Ok(()));
}

#[test]
fn values_and_bytes_are_counted() {
    let list = |n| format!("l{}e", "i1e".repeat(n));
    assert_eq!(check(&list(19)), Ok(()));
    let (at, what) = (58, "too many values");
    assert_eq!(check(&list(20)), Err(BencodeError::Invalid { at, what }));

    assert_eq!(check(&format!("996:{}", "x".repeat(996))), Ok(()));
    let (length, limit) = (1001, 1000);
    assert_eq!(
        check(&format!("997:{}", "x".repeat(997))),
        Err(BencodeError::TooLong { length, limit })
    );
}

#[test]
fn deep_nesting_costs_no_stack() {
    let limits = DecodeLimits {
        length: usize::MAX,
        depth: usize::MAX,
        values: usize::MAX,
    };
    let deep = [b"l".repeat(1_000_000), b"e".repeat(1_000_000)].concat();
    assert_eq!(value_length(&deep, limits), Ok(2_000_000));
}

#[test]
fn a_value_is_found_in_front_of_other_bytes() {
    let message = b"d8:msg_typei1e5:piecei0eeREST";
    assert_eq!(value_length(message, LIMITS), Ok(25));
    let short = DecodeLimits {
        length: 24,
        ..LIMITS
    };
    let (length, limit) = (25, 24);
    assert_eq!(
        value_length(message, short),
        Err(BencodeError::TooLong { length, limit })
    );
}

#[test]
fn raw_values_are_the_bytes_as_they_came() {
    let input = b"d1:zi0e4:infod1:bi1e1:a4:infoe1:ad4:infoi7eee";
    let raw = |key: &[u8]| scan(input, key, LIMITS).unwrap().raw();
    assert_eq!(raw(b"info"), Some(&b"d1:bi1e1:a4:infoe"[..]));
    assert_eq!(raw(b"z"), Some(&b"i0e"[..]));
    assert_eq!(raw(b"b"), None);
    let list = scan(b"l4:infoi1ee", b"info", LIMITS).unwrap();
    assert_eq!(list.raw(), None);
    assert!(list.keys().is_err());
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Cow {
    #[serde(rename = "moo")]
    sound: String,
    legs: Option<u8>,
}

#[test]
fn types_are_read_and_written() {
    let cow = Cow {
        sound: "µ".into(),
        legs: None,
    };
    assert_eq!(encode(&cow), "d3:moo2:µe".as_bytes());
    assert_eq!(decode("d3:moo2:µe".as_bytes(), LIMITS), Ok(cow));
    let wrong = decode::<Cow>(b"d4:legsi300e3:moo1:xe", LIMITS);
    assert!(matches!(wrong, Err(BencodeError::Shape(_))), "{wrong:?}");
}

#[test]
fn a_list_is_no_dictionary() {
    let list = b"l3:mooi4ee";
    assert!(decode::<Cow>(list, LIMITS).is_err());
    let cow = decode::<Cow>(b"d4:legsi4e3:moo3:mooe", LIMITS).unwrap();
    assert_eq!(cow.legs, Some(4));
}

/// Values of every kind, as trees.
#[derive(Debug, Clone, PartialEq, Serialize, arbitrary::Arbitrary)]
#[serde(untagged)]
enum Tree {
    Integer(i64),
    #[serde(with = "serde_bytes")]
    Bytes(Vec<u8>),
    List(Vec<Tree>),
    Dict(BTreeMap<String, Tree>),
}

const WIDE: DecodeLimits = DecodeLimits {
    length: 1 << 20,
    depth: 1000,
    values: 1 << 20,
};

#[test]
fn what_is_written_is_canonical() {
    arbtest::arbtest(|u| {
        let value: Tree = u.arbitrary()?;
        let bytes = encode(&value);
        assert_eq!(value_length(&bytes, WIDE), Ok(bytes.len()));
        if let Tree::Dict(entries) = &value {
            for (key, value) in entries {
                let scanned = scan(&bytes, key.as_bytes(), WIDE).unwrap();
                assert_eq!(scanned.raw(), Some(&*encode(value)));
            }
            let again: BTreeMap<String, serde::de::IgnoredAny> = decode(&bytes, WIDE).unwrap();
            assert!(again.keys().eq(entries.keys()));
        }
        for end in 0..bytes.len() {
            assert!(value_length(&bytes[..end], WIDE).is_err());
        }
        Ok(())
    });
}

#[test]
fn strings_and_integers_survive() {
    arbtest::arbtest(|u| {
        let value: BTreeMap<String, (i64, Vec<u8>)> = u.arbitrary()?;
        let value: BTreeMap<_, _> = value
            .into_iter()
            .map(|(key, (n, bytes))| (key, (n, ByteBuf::from(bytes))))
            .collect();
        assert_eq!(decode(&encode(&value), WIDE), Ok(value));
        Ok(())
    });
}

/// All that is ever written, with keys that are not in order.
#[derive(Serialize)]
struct Everything {
    zebra: Option<u64>,
    apple: (u8, i32, bool),
    #[serde(flatten)]
    rest: BTreeMap<String, i64>,
    inner: Vec<Inner>,
    letter: char,
    #[serde(with = "serde_bytes")]
    bytes: Vec<u8>,
}

#[derive(Serialize)]
struct Inner {
    word: String,
    number: Newtype,
    choice: Choice,
    nothing: (),
}

#[derive(Serialize)]
struct Newtype(i64);

#[derive(Serialize)]
enum Choice {
    One,
    Two,
}

#[test]
fn what_is_written_is_what_serde_bencode_writes() {
    arbtest::arbtest(|u| {
        let inner = |u: &mut arbitrary::Unstructured<'_>| {
            Ok(Inner {
                word: u.arbitrary()?,
                number: Newtype(u.arbitrary()?),
                choice: if u.arbitrary()? {
                    Choice::One
                } else {
                    Choice::Two
                },
                nothing: (),
            })
        };
        let value = Everything {
            zebra: u.arbitrary()?,
            apple: u.arbitrary()?,
            rest: u.arbitrary()?,
            inner: (0..u.int_in_range(0..=3)?)
                .map(|_| inner(u))
                .collect::<arbitrary::Result<_>>()?,
            letter: u.arbitrary()?,
            bytes: u.arbitrary()?,
        };
        let expected = serde_bencode::to_bytes(&value).unwrap();
        assert_eq!(encode(&value), expected);
        Ok(())
    });
}

/// What is asked for by those who read.
#[derive(Debug, PartialEq, Deserialize)]
struct Asked {
    a: Option<i32>,
    #[serde(default)]
    b: Vec<u8>,
    c: BTreeMap<String, (u16, ByteBuf)>,
    d: Option<Kind>,
    #[serde(default)]
    e: Option<Box<Asked>>,
}

#[derive(Debug, PartialEq, Deserialize)]
enum Kind {
    One,
    Two(u8),
}

#[test]
fn what_is_read_is_what_serde_bencode_reads() {
    fn asked(
        u: &mut arbitrary::Unstructured<'_>,
        depth: u32,
        out: &mut String,
    ) -> arbitrary::Result<()> {
        *out += "d";
        let any = [
            "i0e",
            "i-1e",
            "i256e",
            "i99999999999e",
            "3:One",
            "3:Two",
            "2:\u{e9}",
            "le",
            "li-1ee",
            "de",
            "d1:kli7e2:vvi1eee",
            "d1:kli70000e2:vvee",
        ];
        for key in ["a", "b", "c", "d", "e", "z"] {
            let good = match key {
                "a" => "i-7e",
                "b" => "li1ei255ee",
                "c" => "d1:kli7e2:vvee",
                "d" => "3:One",
                _ => "",
            };
            *out += &format!("1:{key}");
            match () {
                () if key == "e" && depth < 3 && u.ratio(3, 4)? => asked(u, depth + 1, out)?,
                () if !good.is_empty() && u.ratio(19, 20)? => *out += good,
                () if u.arbitrary()? => *out += u.choose(&any)?,
                () => out.truncate(out.len() - 3),
            }
        }
        *out += "e";
        Ok(())
    }
    let mut read = 0;
    arbtest::arbtest(|u| {
        let mut text = String::new();
        asked(u, 0, &mut text)?;
        if value_length(text.as_bytes(), WIDE).is_ok() {
            let ours = decode::<Asked>(text.as_bytes(), WIDE);
            let theirs = serde_bencode::from_str::<Asked>(&text);
            read += u32::from(ours.is_ok());
            assert_eq!(ours.ok(), theirs.ok(), "{text}");
        }
        Ok(())
    });
    assert!(read > 0);
}

#[test]
fn any_bytes_give_a_value_or_an_error() {
    arbtest::arbtest(|u| {
        // Mostly bytes that mean something, so that the walk gets far.
        let mut input = Vec::new();
        while !u.is_empty() {
            let tokens = ["d", "l", "e", "i", "1:a", "1:b", "0:", "i7e", "-", "9", ":"];
            input.extend_from_slice(u.choose(&tokens)?.as_bytes());
            if u.ratio(1, 20)? {
                input.push(u.arbitrary()?);
            }
        }
        let walked = value_length(&input, WIDE);
        let read = decode::<serde::de::IgnoredAny>(&input, WIDE);
        // Whatever the walk lets through can be read.
        assert_eq!(walked == Ok(input.len()), read.is_ok(), "{input:?}");
        let _ = scan(&input, b"a", WIDE);
        let _ = decode::<Cow>(&input, WIDE);
        Ok(())
    });
}

#[test]
fn values_are_looked_at_where_they_are() {
    let input = b"d1:al1:xi-7edee1:bd0:lee1:ai1e2:\xff\xfe3:two4:listlee REST";
    let value = Value::first_of(input, LIMITS).unwrap();
    assert_eq!(value.raw(), &input[..input.len() - 5]);
    assert_eq!(Value::of(value.raw(), LIMITS), Ok(value));
    assert!(Value::of(input, LIMITS).is_err());
    let entries: Vec<_> = value.entries().unwrap().collect();
    let keys: Vec<&[u8]> = entries.iter().map(|(key, _)| *key).collect();
    assert_eq!(keys, [&b"a"[..], b"b", b"a", b"\xff\xfe", b"list"]);
    let list: Vec<_> = entries[0].1.list().unwrap().collect();
    assert_eq!(list[0].string(), Some(&b"x"[..]));
    assert_eq!(list[1].integer(), Some(-7));
    assert_eq!(list[2].entries().unwrap().count(), 0);
    assert_eq!(entries[4].1.list().unwrap().count(), 0);
    // What is of another type is nothing.
    assert_eq!(list[0].integer(), None);
    assert_eq!(list[1].string(), None);
    assert!(list[1].list().is_none() && list[2].list().is_none());
    assert!(entries[4].1.entries().is_none());
}

#[test]
fn any_bytes_are_looked_at_or_refused() {
    fn look(value: Value<'_>) -> usize {
        let list = value.list().into_iter().flatten();
        let entries = value.entries().into_iter().flatten();
        let below = list.chain(entries.map(|(_, value)| value));
        let leaf = value.integer().is_some() || value.string().is_some();
        usize::from(leaf) + below.map(look).sum::<usize>()
    }
    arbtest::arbtest(|u| {
        let mut input = Vec::new();
        while !u.is_empty() {
            let tokens = ["d", "l", "e", "i", "1:a", "1:b", "0:", "i7e", "-", "9", ":"];
            input.extend_from_slice(u.choose(&tokens)?.as_bytes());
        }
        let strict = value_length(&input, WIDE);
        let value = Value::first_of(&input, WIDE);
        if let Ok(length) = strict {
            assert_eq!(value.as_ref().map(|value| value.raw().len()), Ok(length));
        }
        assert_eq!(
            Value::of(&input, WIDE).is_ok(),
            value.as_ref().is_ok_and(|value| value.raw() == input)
        );
        value.map(look).unwrap_or_default();
        Ok(())
    });
}
