//! Web seeds (BEP 19): addresses at which a torrent's files can be had by HTTP.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::address::{self, Origin, Unfit};
use super::{Metainfo, trackers};

/// The most that are kept of a torrent or link: libtorrent's users name a handful.
pub(super) const MAX_WEB_SEEDS: usize = 32;

/// What needs no escape in a part of a path, or of a query (RFC 3986, unreserved).
pub(super) const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The address of a web seed, in one way of writing: scheme and host in lower case, no default
/// port, a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebSeedAddress {
    text: String,
    origin: Origin,
}

impl WebSeedAddress {
    /// Reads an address of the form `http://host:port/path?query` or `https://…`.
    pub fn parse(address: &str) -> Result<Self, Unfit> {
        let (text, origin) = address::read(address, ["http", "https"])?;
        Ok(WebSeedAddress { text, origin })
    }

    /// Reads an address that a stranger named, if a page from `page` may connect to it.
    pub fn for_page(address: &str, page: Origin) -> Result<Self, Unfit> {
        let read = Self::parse(address)?;
        read.origin.fits(page)?;
        Ok(read)
    }

    /// The address, in one way of writing.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Where it is.
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// The host, with its port if that is not the usual one, for a person.
    pub fn host(&self) -> &str {
        let rest = self.text.split_once("://").map_or("", |(_, rest)| rest);
        rest.split('/').next().unwrap_or_default()
    }

    /// The address of one of the torrent's files, by its index (BEP 19): for a single file the
    /// address itself, or, if that ends in a slash, the file's name below it; for several the
    /// folder below it, and the path in there. As the torrent has the names, be they good on
    /// every platform or not. A query stays behind the path.
    pub fn file(&self, metainfo: &Metainfo, file: usize) -> String {
        let (path, query) = self
            .text
            .split_at(self.text.find('?').unwrap_or(self.text.len()));
        if !metainfo.is_multi_file() && !path.ends_with('/') {
            return self.text.clone();
        }
        let mut url = path.trim_end_matches('/').to_owned();
        for part in metainfo.names_of(file) {
            url.push('/');
            url.extend(utf8_percent_encode(part, ESCAPED));
        }
        url + query
    }
}

/// What can be used of addresses that strangers named: each once, a bounded number of them.
pub(super) fn clean(addresses: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut addresses = trackers::clean(addresses);
    addresses.retain(|address| WebSeedAddress::parse(address).is_ok());
    addresses.truncate(MAX_WEB_SEEDS);
    addresses
}

#[cfg(test)]
mod tests;
