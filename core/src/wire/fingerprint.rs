//! Whose certificate a session description (SDP, RFC 8866) is bound to: its fingerprints (RFC 8122).

use crate::id::Fingerprint;

/// Bytes of a SHA-256.
const LENGTH: usize = 32;

/// The one certificate that a description takes, by its SHA-256. None where it names another hash,
/// several certificates, or says anything of fingerprints in a way in which a browser may read
/// it otherwise: whoever passes it on could add one that only the browser sees.
pub fn of_description(description: &str) -> Option<Fingerprint> {
    // A line ends with CRLF, or LF alone; anything else that may end one is no description.
    let is_line = |line: &str| !line.chars().any(char::is_control);
    let mut lines = description.split('\n');
    let mut named = Vec::new();
    if !lines.all(|line| is_line(line.strip_suffix('\r').unwrap_or(line))) {
        return None;
    }
    for line in description.lines() {
        if let Some(value) = line.strip_prefix("a=fingerprint:") {
            named.push(read(value)?);
        } else if line.to_ascii_lowercase().contains("fingerprint") {
            return None;
        }
    }
    let (first, others) = named.split_first()?;
    let same = others.iter().all(|other| other == first);
    same.then_some(())?;
    let (start, _) = first.split_first_chunk()?;
    Some(Fingerprint(*start))
}

/// `sha-256 AB:CD:…`.
fn read(value: &str) -> Option<[u8; LENGTH]> {
    let (hash, digits) = value.split_once(' ')?;
    if !hash.eq_ignore_ascii_case("sha-256") {
        return None;
    }
    let mut bytes = [0; LENGTH];
    let mut pairs = digits.trim_end().split(':');
    for byte in &mut bytes {
        let pair = pairs.next().filter(|pair| pair.len() == 2)?;
        let is_hex = pair.bytes().all(|digit| digit.is_ascii_hexdigit());
        *byte = u8::from_str_radix(pair, 16).ok().filter(|_| is_hex)?;
    }
    pairs.next().is_none().then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As a browser writes one: 32 times the byte.
    fn line(byte: u8) -> String {
        let digits = vec![format!("{byte:02X}"); LENGTH].join(":");
        format!("a=fingerprint:sha-256 {digits}\r\n")
    }

    fn description(lines: &[String]) -> String {
        format!("v=0\r\ns=-\r\n{}a=setup:actpass\r\n", lines.concat())
    }

    #[test]
    fn the_certificate_of_a_description_is_named_once_or_the_same_twice() {
        let one = Some(Fingerprint([0xab; 16]));
        assert_eq!(of_description(&description(&[line(0xab)])), one);
        assert_eq!(of_description(&description(&[line(0xab), line(0xab)])), one);
        let unix = description(&[line(0xab)])
            .replace("\r\n", "\n")
            .to_lowercase();
        assert_eq!(of_description(&unix), one);
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_not_read() {
        let good = line(1);
        for bad in [
            description(&[]),
            String::new(),
            description(&[good.clone(), line(2)]),
            description(&[line(1).replace("sha-256", "sha-1")]),
            description(&[line(1).replace("sha-256 ", "sha-256")]),
            description(&[good.clone(), line(2).replace("a=f", "a= f")]),
            description(&[good.clone(), line(2).replace("a=f", " a=f")]),
            description(&[good.clone(), line(2).replace("a=f", "A=F")]),
            description(&[good.clone(), line(2).replace("a=", "a=x\r a=")]),
            description(&[good.clone(), line(2).replace("a=", "a=x\u{b}a=")]),
            description(&[good.clone(), line(2).replace("a=f", "a=\0f")]),
            description(&[good.replace("01\r", "01:01\r")]),
            description(&[good.replace("01\r", "+1\r")]),
            description(&[good.replace(":01\r", "\r")]),
        ] {
            assert_eq!(of_description(&bad), None, "{bad:?}");
        }
    }

    #[test]
    fn any_text_is_read_or_not() {
        arbtest::arbtest(|u| {
            let text: String = u.arbitrary()?;
            of_description(&text);
            of_description(&format!("a=fingerprint:sha-256 {text}"));
            // Nothing that is added has another certificate taken for the one that was named.
            let added = format!("{}{text}", description(&[line(1)]));
            let read = of_description(&added);
            assert!(read.is_none() || read == Some(Fingerprint([1; 16])));
            Ok(())
        });
    }
}
