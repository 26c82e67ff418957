//! Messages to bytes. Keys are written in the order that bencoding wants.

use super::{Ask, Body, KrpcError, Message, Query, Response, Want};
use crate::dht::address::{Contact, Family, NodeAddress};

/// A message's bytes.
pub(super) fn message(message: &Message) -> Vec<u8> {
    let mut w = Writer(Vec::with_capacity(128));
    w.raw(b"d");
    match &message.body {
        Body::Query(query) => {
            w.raw(b"1:a");
            arguments(&mut w, query);
        }
        Body::Error(error) => refusal(&mut w, error),
        Body::Response(_) => {}
    }
    if let Some(address) = message.ip {
        w.raw(b"2:ip");
        w.compact(address);
    }
    match &message.body {
        Body::Query(query) => {
            w.raw(b"1:q");
            w.string(name(&query.ask));
        }
        Body::Response(response) => {
            w.raw(b"1:r");
            values(&mut w, response);
        }
        Body::Error(_) => {}
    }
    if message.read_only {
        w.raw(b"2:roi1e");
    }
    w.raw(b"1:t");
    w.string(&message.transaction.0);
    if let Some(version) = message.version {
        w.raw(b"1:v");
        w.string(&version);
    }
    w.raw(b"1:y");
    w.string(match message.body {
        Body::Query(_) => b"q",
        Body::Response(_) => b"r",
        Body::Error(_) => b"e",
    });
    w.raw(b"e");
    w.0
}

fn name(ask: &Ask) -> &'static [u8] {
    match ask {
        Ask::Ping => b"ping",
        Ask::FindNode { .. } => b"find_node",
        Ask::GetPeers { .. } => b"get_peers",
        Ask::AnnouncePeer { .. } => b"announce_peer",
        Ask::Get { .. } => b"get",
        Ask::Put { .. } => b"put",
    }
}

fn arguments(w: &mut Writer, query: &Query) {
    w.raw(b"d");
    if let Ask::Put { cas: Some(cas), .. } = query.ask {
        w.raw(b"3:cas");
        w.integer(cas);
    }
    w.raw(b"2:id");
    w.string(&query.id.0);
    match &query.ask {
        Ask::Ping => {}
        Ask::FindNode { target } => {
            w.raw(b"6:target");
            w.string(&target.0);
        }
        Ask::GetPeers { info_hash } => {
            w.raw(b"9:info_hash");
            w.string(&info_hash.0);
        }
        Ask::AnnouncePeer {
            info_hash,
            port,
            implied_port,
            token,
        } => {
            if *implied_port {
                w.raw(b"12:implied_porti1e");
            }
            w.raw(b"9:info_hash");
            w.string(&info_hash.0);
            w.raw(b"4:port");
            w.integer((*port).into());
            w.raw(b"5:token");
            w.string(token);
        }
        Ask::Get { target, seq } => {
            if let Some(seq) = seq {
                w.raw(b"3:seq");
                w.integer(*seq);
            }
            w.raw(b"6:target");
            w.string(&target.0);
        }
        Ask::Put {
            value,
            signed,
            token,
            ..
        } => {
            if let Some(signed) = signed {
                w.raw(b"1:k");
                w.string(&signed.key);
                if !signed.salt.is_empty() {
                    w.raw(b"4:salt");
                    w.string(&signed.salt);
                }
                w.raw(b"3:seq");
                w.integer(signed.seq);
                w.raw(b"3:sig");
                w.string(&signed.signature);
            }
            w.raw(b"5:token");
            w.string(token);
            w.raw(b"1:v");
            w.raw(value);
        }
    }
    wanted(w, query.want);
    w.raw(b"e");
}

fn wanted(w: &mut Writer, want: Want) {
    if want.is_empty() {
        return;
    }
    w.raw(b"4:wantl");
    for (family, name) in [
        (Family::V4, b"2:n4"),
        (Family::V6, b"2:n6"),
        (Family::Tab, b"2:nt"),
    ] {
        if want.has(family) {
            w.raw(name);
        }
    }
    w.raw(b"e");
}

fn values(w: &mut Writer, response: &Response) {
    w.raw(b"d2:id");
    w.string(&response.id.0);
    if let Some((key, _)) = &response.signed {
        w.raw(b"1:k");
        w.string(key);
    }
    for (family, key, length) in [
        (Family::V4, &b"5:nodes"[..], 26),
        (Family::V6, b"6:nodes6", 38),
        (Family::Tab, b"6:nodest", 28),
    ] {
        let nodes = response.nodes.iter();
        let nodes = nodes.filter(|node| node.address.family() == family);
        let count = nodes.clone().count();
        if count > 0 {
            w.raw(key);
            w.number(count as u64 * length);
            w.raw(b":");
            nodes.for_each(|node| w.node(*node));
        }
    }
    if let Some(seq) = response.seq {
        w.raw(b"3:seq");
        w.integer(seq);
    }
    if let Some((_, signature)) = &response.signed {
        w.raw(b"3:sig");
        w.string(signature);
    }
    if let Some(token) = &response.token {
        w.raw(b"5:token");
        w.string(token);
    }
    if let Some(value) = &response.value {
        w.raw(b"1:v");
        w.raw(value);
    }
    if !response.values.is_empty() {
        w.raw(b"6:valuesl");
        response.values.iter().for_each(|peer| w.compact(*peer));
        w.raw(b"e");
    }
    w.raw(b"e");
}

fn refusal(w: &mut Writer, error: &KrpcError) {
    w.raw(b"1:el");
    w.integer(error.code);
    w.string(error.message.as_bytes());
    w.raw(b"e");
}

struct Writer(Vec<u8>);

impl Writer {
    fn raw(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    fn string(&mut self, string: &[u8]) {
        self.number(string.len() as u64);
        self.raw(b":");
        self.raw(string);
    }

    fn integer(&mut self, number: i64) {
        self.raw(b"i");
        if number < 0 {
            self.raw(b"-");
        }
        self.number(number.unsigned_abs());
        self.raw(b"e");
    }

    /// Without `format!`, which costs more than all else of a message.
    fn number(&mut self, mut number: u64) {
        let mut digits = [0; 20];
        let mut at = digits.len();
        loop {
            at -= 1;
            digits[at] = b'0' + (number % 10) as u8;
            number /= 10;
            if number == 0 {
                break;
            }
        }
        self.raw(&digits[at..]);
    }

    fn node(&mut self, node: Contact) {
        self.raw(&node.id.0);
        self.address(node.address);
    }

    fn compact(&mut self, address: NodeAddress) {
        self.raw(match address.family() {
            Family::V4 => b"6:",
            Family::V6 => b"18:",
            Family::Tab => b"8:",
        });
        self.address(address);
    }

    fn address(&mut self, address: NodeAddress) {
        match address {
            NodeAddress::V4(ip, port) => {
                self.raw(&ip.octets());
                self.raw(&port.to_be_bytes());
            }
            NodeAddress::V6(ip, port) => {
                self.raw(&ip.octets());
                self.raw(&port.to_be_bytes());
            }
            NodeAddress::Tab(tag) => self.raw(&tag.0),
        }
    }
}
