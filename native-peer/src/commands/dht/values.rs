//! `native-peer dht get` and `dht put`

mod secret;

use std::io::Read as _;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;
use swarm_core::bencode::{DecodeLimits, Value};
use swarm_core::dht::{Item, MAX_VALUE, NodeId, Request, mutable_target};

use super::inquiry::{Answer, Inquiry};
use super::show::{self, Found, nodes};
use crate::Error;
use crate::arguments::{DhtCommon, GetValue, Key, PutValue};
use crate::commands::session::runtime;
use crate::text::{complain, plain};

/// The names are a promise to scripts.
#[derive(Serialize)]
struct Known {
    /// What it is fetched by.
    key: String,
    /// If it is one.
    text: Option<String>,
    /// The whole of it, bencoded, in hexadecimal digits.
    bencoded: String,
    seq: Option<i64>,
    #[serde(flatten)]
    found: Found,
}

pub(super) fn get(arguments: &GetValue) -> Result<ExitCode, Error> {
    let salt = arguments.salt.clone().into_bytes();
    let target = match arguments.key {
        Key::Hash(hash) => NodeId(hash),
        Key::Public(key) => mutable_target(&key, &salt),
    };
    let answer = match ask(&arguments.common, Request::Get { target, salt })? {
        Ok(answer) => answer,
        Err(code) => return Ok(code.into()),
    };
    let Answer {
        item,
        stats,
        closest,
        failure,
        ..
    } = answer;
    let item = match (item, failure) {
        (Some(item), _) => item,
        (None, failure) => {
            let why = failure.map_or("there is no such value".to_owned(), |it| it.to_string());
            return Err(Error::Other(why));
        }
    };
    let found = Found::new(target, &stats, &closest);
    tell(&item, found, &arguments.common, |_, text| match text {
        // Line by line: a terminal obeys what others may have written.
        Some(text) => text.lines().map(plain).collect::<Vec<_>>().join("\n"),
        None => digits(item.value()),
    })?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn put(arguments: &PutValue) -> Result<ExitCode, Error> {
    let text = match arguments.value.as_str() {
        "-" => read_value()?,
        text => text.as_bytes().to_vec(),
    };
    let value = [format!("{}:", text.len()).into_bytes(), text].concat();
    let item = match &arguments.secret {
        None => Item::immutable(value),
        Some(path) => {
            let salt = arguments.salt.clone().into_bytes();
            let seq = arguments.seq.unwrap_or_else(seconds_since_1970);
            secret::open(path)?.sign(salt, seq, value)
        }
    };
    let item = item.map_err(|error| Error::Usage(format!("this can't be stored: {error}")))?;
    let request = Request::Put {
        item: item.clone(),
        cas: None,
        keep: false,
    };
    let answer = match ask(&arguments.common, request)? {
        Ok(answer) => answer,
        Err(code) => return Ok(code.into()),
    };
    if let Some(failure) = answer.failure {
        return Err(Error::Other(failure.to_string()));
    }
    let found = Found::new(item.target(), &answer.stats, &answer.closest);
    let stored = answer.stats.stored;
    tell(&item, found, &arguments.common, |key, _| key.to_owned())?;
    if !arguments.common.json {
        complain(&format!("stored with {}", nodes(stored)));
    }
    Ok(ExitCode::SUCCESS)
}

fn ask(common: &DhtCommon, request: Request) -> Result<Result<Answer, u8>, Error> {
    runtime()?.block_on(async { Inquiry::begin(common)?.ask(request).await })
}

/// Writes what a person wants of a value, or all of it as JSON.
fn tell(
    item: &Item,
    found: Found,
    common: &DhtCommon,
    wanted: impl FnOnce(&str, Option<&str>) -> String,
) -> Result<(), Error> {
    let key = match item {
        Item::Immutable { .. } => item.target().to_string(),
        Item::Mutable(item) => digits(&item.key),
    };
    let text = text_of(item.value());
    if common.json {
        return show::tell_json(&Known {
            key,
            text,
            bencoded: digits(item.value()),
            seq: item.seq(),
            found,
        });
    }
    show::tell(&wanted(&key, text.as_deref()))?;
    for line in found.in_words("the value") {
        complain(&line);
    }
    Ok(())
}

/// The text that a bencoded value is, if it is one.
fn text_of(value: &[u8]) -> Option<String> {
    let limits = DecodeLimits {
        length: MAX_VALUE,
        depth: 1,
        values: 1,
    };
    let bytes = Value::of(value, limits).ok()?.string()?;
    std::str::from_utf8(bytes).ok().map(str::to_owned)
}

fn digits(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn read_value() -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    // One byte more than any value has is enough to refuse it.
    let limit = MAX_VALUE as u64 + 1;
    let read = std::io::stdin().take(limit).read_to_end(&mut bytes);
    read.map_err(|e| Error::Other(format!("cannot read standard input: {e}")))?;
    Ok(bytes)
}

fn seconds_since_1970() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |now| now.as_secs().cast_signed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_told_from_other_values() {
        assert_eq!(text_of(b"5:hello").as_deref(), Some("hello"));
        assert_eq!(text_of("2:é".as_bytes()).as_deref(), Some("é"));
        for value in [&b"i7e"[..], b"2:\xff\xfe", b"l5:helloe", b"", b"5:hell"] {
            assert_eq!(text_of(value), None);
        }
    }
}
