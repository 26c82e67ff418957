//! Which encoding of a file a client gets (RFC 9110 §12.5.3).

use std::cmp::Reverse;

use hyper::header::{self, HeaderMap};

use crate::client::items;

/// A way of compressing that the build uses.
#[derive(Debug)]
pub(super) struct Encoding {
    /// As in `Content-Encoding`.
    pub(super) name: &'static str,
    /// Of the file beside the plain one.
    pub(super) suffix: &'static str,
}

/// The smallest first. Browsers offer brotli over HTTPS and to localhost alone.
const ALL: [Encoding; 2] = [
    Encoding {
        name: "br",
        suffix: ".br",
    },
    Encoding {
        name: "gzip",
        suffix: ".gz",
    },
];

/// The weight of what is not to be sent, in thousandths.
const REFUSED: u32 = 0;

/// Those that the client would rather have than the plain file, the best first.
pub(super) fn acceptable(request: &HeaderMap) -> Vec<&'static Encoding> {
    // What is not named may be plain, unless something says otherwise.
    let plain = weight(request, "identity").unwrap_or(1);
    let mut acceptable: Vec<_> = ALL
        .iter()
        .filter_map(|encoding| {
            let weight = weight(request, encoding.name).or_else(|| weight(request, "*"))?;
            (weight > REFUSED && weight >= plain).then_some((Reverse(weight), encoding))
        })
        .collect();
    acceptable.sort_by_key(|&(weight, _)| weight);
    acceptable.into_iter().map(|(_, it)| it).collect()
}

/// What the client gives a coding, in thousandths; none if it does not name it.
fn weight(request: &HeaderMap, coding: &str) -> Option<u32> {
    items(request, header::ACCEPT_ENCODING).find_map(|item| {
        let mut parts = item.split(';').map(str::trim);
        let name = parts.next()?;
        let name = match name.strip_prefix("x-") {
            Some(old) if old.eq_ignore_ascii_case("gzip") => old,
            _ => name,
        };
        if !name.eq_ignore_ascii_case(coding) {
            return None;
        }
        let quality = parts.find_map(|part| {
            let (key, value) = part.split_once('=')?;
            key.trim().eq_ignore_ascii_case("q").then(|| value.trim())
        });
        // What is no number is not refused for it.
        let quality: f32 = quality.and_then(|it| it.parse().ok()).unwrap_or(1.0);
        Some((quality.clamp(0.0, 1.0) * 1000.0) as u32)
    })
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    #[test]
    fn the_client_says_which_encodings_it_takes_and_likes() {
        for (value, expected) in [
            ("", ""),
            ("identity", ""),
            ("br", "br"),
            ("BR", "br"),
            ("gzip", "gzip"),
            ("x-gzip", "gzip"),
            ("gzip, deflate, br, zstd", "br gzip"),
            ("gzip;q=1.0, br;q=0.5", "gzip br"),
            ("br;q=0, gzip", "gzip"),
            ("br ; q=0.000 , gzip;Q=0.1", "gzip"),
            ("*", "br gzip"),
            ("*;q=0", ""),
            ("gzip, *;q=0", "gzip"),
            ("identity, gzip;q=0.5", ""),
            ("identity;q=0, br;q=0.1", "br"),
            ("br;q=nonsense", "br"),
        ] {
            let headers = [(header::ACCEPT_ENCODING, HeaderValue::from_static(value))];
            let chosen: Vec<_> = acceptable(&HeaderMap::from_iter(headers))
                .into_iter()
                .map(|it| it.name)
                .collect();
            assert_eq!(chosen.join(" "), expected, "{value}");
        }
        assert!(acceptable(&HeaderMap::new()).is_empty());
    }
}
