//! What the values of options may be, and what to write where one is wrong.

use std::net::SocketAddr;
use std::str::FromStr;

/// One at least: with nothing, nobody would be served.
pub(super) fn some<T: FromStr + From<u8> + PartialOrd>(text: &str) -> Result<T, String> {
    let number = text.parse().ok();
    let number = number.filter(|number| *number >= T::from(1));
    number.ok_or_else(|| "it must be a number, and at least 1".to_owned())
}

/// Where to listen.
pub(super) fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| {
        "it must be an IP address and a port, such as 127.0.0.1:8080, 0.0.0.0:8080 (all of IPv4) \
         or [::]:8080 (all of both)"
            .to_owned()
    })
}

/// An origin as browsers write it (RFC 6454 §6.2): scheme, host, and the port if it is not the
/// scheme's own. An empty one, which an environment may have, is nobody's.
pub(super) fn origin(text: &str) -> Result<String, String> {
    let text = text.trim();
    let host = text.split_once("://").map(|(_, rest)| rest);
    let host = host.map(|rest| rest.strip_suffix('/').unwrap_or(rest));
    let plain = |host: &str| !host.is_empty() && !host.contains(['/', '?', '#', '@', ' ']);
    if text.is_empty() || matches!(text, "*" | "null") || host.is_some_and(plain) {
        return Ok(text.to_owned());
    }
    Err("it must be an origin such as https://example.org, without a path, or *".to_owned())
}

/// On or off, as an environment has it.
pub(super) fn switch(text: &str) -> Result<bool, String> {
    match text.trim().to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Ok(true),
        "" | "0" | "false" | "no" | "off" => Ok(false),
        _ => Err("it must be 1 (on) or 0 (off)".to_owned()),
    }
}

/// A filter of the log. A word alone, which is no level, would be the name of a part of the program
/// of which everything is logged, and of all others nothing: somebody who mistypes a level does not
/// mean that.
pub(super) fn log_filter(text: &str) -> Result<String, String> {
    let levels = ["off", "error", "warn", "info", "debug", "trace"];
    let mut words = text.split(',').map(str::trim);
    let wrong = words.find(|word| {
        let level = levels.iter().any(|level| word.eq_ignore_ascii_case(level));
        let other = word.contains(['=', '[']) || word.parse::<u8>().is_ok_and(|level| level < 6);
        !word.is_empty() && !level && !other
    });
    match wrong {
        Some(word) => Err(format!(
            "`{word}` is no level: error, warn, info, debug or trace, or one of them for a part of \
             the program, such as tracker_relay=debug"
        )),
        None => Ok(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_those_that_a_browser_sends() {
        for right in [
            "*",
            "null",
            "",
            "https://example.org",
            "http://[::1]:8080/",
            "moz-extension://0f3c",
        ] {
            assert_eq!(origin(right).as_deref(), Ok(right));
        }
        for wrong in [
            "example.org",
            "https://",
            "https://example.org/page",
            "https://me@example.org",
            "https://a https://b",
        ] {
            assert!(origin(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_mistyped_level_is_no_filter() {
        for right in [
            "info",
            "WARN,tracker_relay=debug",
            "5",
            "off",
            "",
            "[span]=trace",
        ] {
            assert!(log_filter(right).is_ok(), "{right}");
        }
        for wrong in ["warning", "info,verbose", "tracker_relay", "9"] {
            assert!(log_filter(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn switches_are_one_and_zero() {
        let read = ["1", "true", "0", "", "No", "maybe"].map(|text| switch(text).ok());
        assert_eq!(
            read,
            [
                Some(true),
                Some(true),
                Some(false),
                Some(false),
                Some(false),
                None
            ]
        );
    }
}
