use super::*;
use crate::bencode::Value;

/// What is behind the configuration.
const REST: &str = "4:seed8:01234567";
const ENDS: &str = "8:software5:9.9.95:startd5:nanosi7e4:secsi1ee";

/// A header with these keys and values of a configuration.
fn with(config: &str) -> String {
    format!("d6:configd{config}e{REST}{ENDS}e")
}

fn decode(text: &str) -> Result<Header, RecordError> {
    Header::decode(text.as_bytes())
}

#[test]
fn it_comes_back_as_it_was() {
    let mut header = Header::new(Config::default(), u64::MAX, Time::from_millis(1500));
    header.config.client = "Ünïcode".to_owned();
    assert_eq!(Header::decode(&header.encode()), Ok(header));
}

#[test]
fn it_may_lack_fields_and_have_others() {
    // Of a version whose configuration is another, and whose header says more.
    let config = "10:colour-setli1ed1:xleee9:max_peersi7e6:placesd9:prospectsi9ee";
    let text = format!("d6:configd{config}e{REST}{ENDS}4:whatli1eee");
    let header = decode(&text).expect("it is readable");
    let mut config = Config {
        max_peers: 7,
        ..Config::default()
    };
    config.places.prospects = 9;
    let expected = Header {
        software: "9.9.9".to_owned(),
        seed: u64::from_be_bytes(*b"01234567"),
        start: Duration::new(1, 7),
        config,
    };
    assert_eq!(header, expected);
}

#[test]
fn what_is_no_header_is_refused() {
    assert!(decode(&with("")).is_ok());
    let deep = format!("1:x{}{}", "l".repeat(99), "e".repeat(99));
    for text in [
        // What has no default.
        format!("d{REST}{ENDS}e"),
        format!("d6:configde{REST}e"),
        format!("d6:configde{ENDS}e"),
        // A number where there is a name, names where there are numbers, and a negative one.
        with("6:clienti1e"),
        with("9:max_peers1:7"),
        with("9:max_peersi-1e"),
        with("8:strategy7:no such"),
        // Something twice, and something behind it all.
        with("9:max_peersi7e9:max_peersi7e"),
        with("") + "e",
        // A list of all fields, a short seed, and more than anybody says.
        format!("l{REST}{ENDS}e"),
        with("").replace("8:01234567", "7:0123456"),
        with(&deep),
        with(&format!("6:client{}:{}", 1 << 16, "x".repeat(1 << 16))),
        // What could not be written again: too long, and 2⁶³ seconds.
        with(&format!("6:client{}:{}", 65_000, "x".repeat(65_000))),
        with("12:idle_timeoutd5:nanosi2000000000e4:secsi9223372036854775807ee"),
    ] {
        assert_eq!(decode(&text), Err(RecordError::Header), "{text}");
    }
}

/// A header of version 0.1.0, in which nothing is as it is by default.
const EARLIER: &str = include_str!("header-0.1.0");

/// A field that was renamed since would silently take its default.
#[test]
fn every_name_that_was_ever_written_is_still_read() {
    let earlier = EARLIER.trim_end();
    let header = decode(earlier).expect("it is readable");
    let whole = Value::of(earlier.as_bytes(), LIMITS).expect("it is bencoded");
    let mut field = 0;
    loop {
        let mut left = field;
        let mut name = Vec::new();
        let less = without(whole, &mut left, &mut name);
        let name = String::from_utf8_lossy(&name);
        if name.is_empty() {
            break;
        }
        assert_ne!(
            Header::decode(&less),
            Ok(header.clone()),
            "{name} is not read"
        );
        field += 1;
    }
    assert!(field > 60, "{field} fields");
}

/// A dictionary without one of the fields in it, whose name is returned.
fn without(dictionary: Value<'_>, left: &mut usize, name: &mut Vec<u8>) -> Vec<u8> {
    let mut bytes = b"d".to_vec();
    for (key, value) in dictionary.entries().expect("a dictionary") {
        let is_time = |v: Value<'_>| {
            v.entries()
                .is_some_and(|mut e| e.any(|(k, _)| k == b"secs"))
        };
        let value = if value.entries().is_some() && !is_time(value) {
            without(value, left, name)
        } else if *left == 0 && name.is_empty() {
            *name = key.to_vec();
            continue;
        } else {
            *left = left.saturating_sub(1);
            value.raw().to_vec()
        };
        bytes.extend(format!("{}:", key.len()).bytes());
        bytes.extend(key);
        bytes.extend(value);
    }
    bytes.push(b'e');
    bytes
}
