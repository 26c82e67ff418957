//! Who a request comes from: the address, and the page.

use std::net::{IpAddr, SocketAddr};

use hyper::header::{self, HeaderMap, HeaderName};

use crate::config::Config;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// The address is a proxy's that speaks for others.
pub(crate) fn is_trusted(config: &Config, address: IpAddr) -> bool {
    let address = address.to_canonical();
    let mut proxies = config.trusted_proxies.iter();
    proxies.any(|proxies| proxies.contain(address))
}

/// It looks like a proxy that nobody named: one on this machine that says for whom it speaks.
pub(crate) fn is_unknown_proxy(config: &Config, address: IpAddr, headers: &HeaderMap) -> bool {
    let is_here = address.to_canonical().is_loopback();
    is_here && headers.contains_key(FORWARDED_FOR) && !is_trusted(config, address)
}

/// The client's address: the connection's, or the one that a trusted proxy reports.
pub(crate) fn address(config: &Config, connected: IpAddr, headers: &HeaderMap) -> IpAddr {
    let connected = connected.to_canonical();
    if !is_trusted(config, connected) {
        return connected;
    }
    // Each proxy adds whom it heard at the end; what stands before the last one that we
    // don't know is what somebody says.
    let reported: Vec<_> = items(headers, FORWARDED_FOR).collect();
    let reported = reported.iter().rev().map_while(|item| parse_address(item));
    let mut nearest = connected;
    for address in reported {
        nearest = address;
        if !is_trusted(config, address) {
            break;
        }
    }
    nearest
}

/// With or without a port.
fn parse_address(item: &str) -> Option<IpAddr> {
    let bare = item.trim_start_matches('[').trim_end_matches(']');
    let address = bare
        .parse()
        .or_else(|_| item.parse::<SocketAddr>().map(|it| it.ip()));
    address.ok().map(|address: IpAddr| address.to_canonical())
}

/// A page of this origin may connect: it is the page that is served here, or one that was
/// named. Programs that are no browser name none.
pub(crate) fn may_connect(config: &Config, connected: IpAddr, headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else {
        return true;
    };
    let Ok(origin) = origin.to_str() else {
        return false;
    };
    let named = |allowed: &String| {
        let allowed = allowed.trim_end_matches('/');
        allowed == "*" || allowed.eq_ignore_ascii_case(origin)
    };
    if config.allowed_origins.iter().any(named) {
        return true;
    }
    let Some((scheme, host)) = origin.split_once("://") else {
        return false;
    };
    let default_port = match scheme {
        "http" => ":80",
        "https" => ":443",
        _ => return false,
    };
    let plain = |host: &str| host.strip_suffix(default_port).unwrap_or(host).to_owned();
    let is_ours = |here: &str| plain(here).eq_ignore_ascii_case(&plain(host));
    let forwarded = is_trusted(config, connected) && items(headers, FORWARDED_HOST).any(is_ours);
    forwarded || items(headers, header::HOST).any(is_ours)
}

/// The items of a comma-separated header.
pub(crate) fn items(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    let values = headers.get_all(name).into_iter();
    values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "in a test it is how to fail")]

    use super::*;

    fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for &(name, value) in lines {
            headers.append(name, value.parse().unwrap());
        }
        headers
    }

    fn behind(proxies: &[&str]) -> Config {
        let trusted_proxies = proxies.iter().map(|it| it.parse().unwrap()).collect();
        Config {
            trusted_proxies,
            ..Config::default()
        }
    }

    #[test]
    fn only_a_trusted_proxy_is_believed_and_only_what_it_heard_itself() {
        let address = |config: &Config, connected: &str, reported: &'static str| {
            let headers = headers(&[("x-forwarded-for", reported)]);
            super::address(config, connected.parse().unwrap(), &headers).to_string()
        };
        let open = behind(&[]);
        assert_eq!(address(&open, "192.0.2.1", "198.51.100.7"), "192.0.2.1");
        let proxied = behind(&["192.0.2.1", "192.0.2.2"]);
        for (reported, expected) in [
            ("198.51.100.7", "198.51.100.7"),
            ("203.0.113.9, 198.51.100.7", "198.51.100.7"),
            ("203.0.113.9, 198.51.100.7, 192.0.2.2", "198.51.100.7"),
            ("203.0.113.9, nonsense, 192.0.2.2", "192.0.2.2"),
            ("198.51.100.7:4711", "198.51.100.7"),
            ("[2001:db8::1]:4711", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("::ffff:198.51.100.7", "198.51.100.7"),
            ("nonsense", "192.0.2.1"),
        ] {
            assert_eq!(address(&proxied, "192.0.2.1", reported), expected);
            assert_eq!(address(&proxied, "::ffff:192.0.2.1", reported), expected);
            assert_eq!(address(&proxied, "192.0.2.3", reported), "192.0.2.3");
        }
    }

    #[test]
    fn a_page_of_another_origin_needs_to_be_named() {
        let may = |config: &Config, lines: &[(&'static str, &'static str)]| {
            may_connect(config, "192.0.2.1".parse().unwrap(), &headers(lines))
        };
        let here = ("host", "example.org:8080");
        let open = behind(&[]);
        assert!(may(&open, &[here]));
        assert!(may(&open, &[here, ("origin", "http://example.org:8080")]));
        assert!(may(&open, &[here, ("origin", "http://Example.org:8080")]));
        for other in [
            "http://example.org",
            "http://example.org.evil.example:8080",
            "http://evil.example",
            "null",
            "file://example.org:8080",
        ] {
            assert!(!may(&open, &[here, ("origin", other)]), "{other}");
        }
        let default_port = ("host", "example.org");
        assert!(may(
            &open,
            &[default_port, ("origin", "https://example.org:443")]
        ));
        assert!(may(
            &open,
            &[
                ("host", "example.org:443"),
                ("origin", "https://example.org")
            ]
        ));
        assert!(!may(
            &open,
            &[default_port, ("origin", "https://example.org:80")]
        ));

        let forwarded = ("x-forwarded-host", "example.org");
        let page = [
            ("host", "127.0.0.1:8080"),
            forwarded,
            ("origin", "https://example.org"),
        ];
        assert!(!may(&open, &page));
        assert!(may(&behind(&["192.0.2.1"]), &page));

        let named = |origin: &str| Config {
            allowed_origins: vec![origin.to_owned()],
            ..Config::default()
        };
        let other = [here, ("origin", "https://other.example")];
        assert!(may(&named("https://OTHER.example/"), &other));
        assert!(may(&named("*"), &other));
        assert!(may(&named("null"), &[here, ("origin", "null")]));
        assert!(!may(&named("https://third.example"), &other));
        assert!(may(
            &named("https://third.example"),
            &[here, ("origin", "http://example.org:8080")]
        ));
    }
}
