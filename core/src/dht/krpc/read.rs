//! Bytes to messages.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::{
    Ask, Body, KrpcError, MAX_DATAGRAM, MAX_NODES, MAX_TOKEN, MAX_TRANSACTION, MAX_VALUES,
    MAX_WORDS, MIN_DATAGRAM, Message, ParseError, Query, Response, Signed, Transaction, Want, code,
};
use crate::bencode::{DecodeLimits, Value};
use crate::dht::address::{Contact, Family, NodeAddress, TabTag};
use crate::dht::id::NodeId;

/// What a message may cost. 500 values, ten deep: libtorrent, which in turn bounds what others
/// can store.
const LIMITS: DecodeLimits = DecodeLimits {
    length: MAX_DATAGRAM,
    depth: 10,
    values: 500,
};

/// Reads a datagram.
pub(super) fn message(bytes: &[u8]) -> Result<Message, ParseError> {
    let whole = bytes.first() == Some(&b'd') && bytes.last() == Some(&b'e');
    if !whole || !(MIN_DATAGRAM..=MAX_DATAGRAM).contains(&bytes.len()) {
        return Err(ParseError::Shape);
    }
    let [a, e, ip, q, r, ro, t, v, y] = fields(
        Value::of(bytes, LIMITS)?,
        [b"a", b"e", b"ip", b"q", b"r", b"ro", b"t", b"v", b"y"],
    );
    let transaction = string(t).filter(|t| t.len() <= MAX_TRANSACTION);
    let transaction = Transaction(transaction.ok_or(ParseError::Transaction)?.to_vec());
    let body = match string(y) {
        Some(b"q") => match query(string(q), a) {
            Ok(query) => Body::Query(query),
            Err(error) => return Err(ParseError::Query { transaction, error }),
        },
        Some(b"r") => Body::Response(response(r)?),
        Some(b"e") => Body::Error(error(e)?),
        _ => return Err(ParseError::Kind),
    };
    let version = string(v).and_then(|version| version.try_into().ok());
    let ip = string(ip).and_then(compact);
    Ok(Message {
        transaction,
        version,
        read_only: ro.and_then(Value::integer) == Some(1),
        ip: ip.filter(|address| address.family() != Family::Tab),
        body,
    })
}

fn query(name: Option<&[u8]>, arguments: Option<Value<'_>>) -> Result<Query, KrpcError> {
    let name = name.ok_or_else(|| protocol("no method"))?;
    let arguments = arguments.ok_or_else(|| protocol("no arguments"))?;
    let [
        cas,
        id,
        implied,
        info_hash,
        k,
        port,
        salt,
        seq,
        sig,
        target,
        token,
        v,
        want,
    ] = fields(
        arguments,
        [
            b"cas",
            b"id",
            b"implied_port",
            b"info_hash",
            b"k",
            b"port",
            b"salt",
            b"seq",
            b"sig",
            b"target",
            b"token",
            b"v",
            b"want",
        ],
    );
    let node = |value, missing| node_id(value).ok_or_else(|| protocol(missing));
    let token = || {
        let token = string(token).filter(|token| token.len() <= MAX_TOKEN);
        let token = token.ok_or_else(|| protocol("no token"))?;
        Ok(token.to_vec())
    };
    let seq = seq.and_then(Value::integer);
    let ask = match name {
        b"ping" => Ask::Ping,
        b"find_node" => Ask::FindNode {
            target: node(target, "no target")?,
        },
        b"get_peers" => Ask::GetPeers {
            info_hash: node(info_hash, "no info_hash")?,
        },
        b"announce_peer" => {
            let implied_port = implied.and_then(Value::integer).unwrap_or(0) != 0;
            let port = port.and_then(Value::integer);
            let port = port.and_then(|port| u16::try_from(port).ok());
            let port = port.filter(|port| *port != 0);
            Ask::AnnouncePeer {
                info_hash: node(info_hash, "no info_hash")?,
                port: match implied_port {
                    true => port.unwrap_or_default(),
                    false => port.ok_or_else(|| protocol("no port"))?,
                },
                implied_port,
                token: token()?,
            }
        }
        b"get" => Ask::Get {
            target: node(target, "no target")?,
            seq,
        },
        b"put" => Ask::Put {
            value: v.ok_or_else(|| protocol("no value"))?.raw().to_vec(),
            signed: match string(k) {
                None => None,
                Some(key) => Some(Signed {
                    key: exactly(key).ok_or_else(|| protocol("no key"))?,
                    salt: string(salt).unwrap_or_default().to_vec(),
                    seq: seq.ok_or_else(|| protocol("no sequence number"))?,
                    signature: string(sig)
                        .and_then(exactly)
                        .ok_or_else(|| protocol("no signature"))?,
                }),
            },
            cas: cas.and_then(Value::integer),
            token: token()?,
        },
        _ => {
            return Err(KrpcError {
                code: code::METHOD_UNKNOWN,
                message: "Method Unknown".to_owned(),
            });
        }
    };
    Ok(Query {
        id: node(id, "no id")?,
        want: wanted(want),
        ask,
    })
}

fn wanted(value: Option<Value<'_>>) -> Want {
    let mut want = Want::default();
    for name in value.and_then(Value::list).into_iter().flatten() {
        match name.string() {
            Some(b"n4") => want.v4 = true,
            Some(b"n6") => want.v6 = true,
            Some(b"nt") => want.tabs = true,
            _ => {}
        }
    }
    want
}

fn response(values: Option<Value<'_>>) -> Result<Response, ParseError> {
    let missing = ParseError::Response;
    let [id, k, nodes, nodes6, nodest, seq, sig, token, v, peers] = fields(
        values.ok_or(missing("values"))?,
        [
            b"id", b"k", b"nodes", b"nodes6", b"nodest", b"seq", b"sig", b"token", b"v", b"values",
        ],
    );
    let all = [
        contacts(nodes, 6),
        contacts(nodes6, 18),
        contacts(nodest, 8),
    ];
    let peers = peers.and_then(Value::list).into_iter().flatten();
    let peers = peers.filter_map(|peer| compact(peer.string()?));
    let token = string(token).filter(|token| token.len() <= MAX_TOKEN);
    let key = string(k).and_then(exactly);
    Ok(Response {
        id: node_id(id).ok_or(missing("an id"))?,
        nodes: all.into_iter().flatten().collect(),
        values: peers.take(MAX_VALUES).collect(),
        token: token.map(<[u8]>::to_vec),
        value: v.map(|value| value.raw().to_vec()),
        signed: key.zip(string(sig).and_then(exactly)),
        seq: seq.and_then(Value::integer),
    })
}

/// Errors come in many shapes; that one came is what counts.
fn error(value: Option<Value<'_>>) -> Result<KrpcError, ParseError> {
    let value = value.ok_or(ParseError::Response("an error"))?;
    let mut code = code::GENERIC;
    let mut words: &[u8] = b"";
    match value.list() {
        Some(list) => {
            for part in list.take(2) {
                code = part.integer().unwrap_or(code);
                words = part.string().unwrap_or(words);
            }
        }
        None => words = value.string().unwrap_or_default(),
    }
    let words = String::from_utf8_lossy(&words[..words.len().min(MAX_WORDS)]);
    let mut message: String = words.chars().filter(|c| !c.is_control()).collect();
    // What is no text takes more bytes as the signs that stand in for it.
    message.truncate(message.floor_char_boundary(MAX_WORDS));
    Ok(KrpcError { code, message })
}

/// Nodes in their compact form, whose addresses have so many bytes.
fn contacts(value: Option<Value<'_>>, length: usize) -> impl Iterator<Item = Contact> {
    let nodes = string(value).unwrap_or_default();
    let nodes = nodes.chunks_exact(20 + length);
    let nodes = nodes.filter_map(|node| {
        let (id, address) = node.split_at(20);
        Some(Contact {
            id: NodeId(exactly(id)?),
            address: compact(address)?,
        })
    });
    nodes.take(MAX_NODES)
}

/// An address in its compact form, which nothing but its length tells the kind of.
fn compact(bytes: &[u8]) -> Option<NodeAddress> {
    if let Some(tag) = exactly(bytes) {
        return Some(NodeAddress::Tab(TabTag(tag)));
    }
    let (ip, port) = bytes.split_last_chunk()?;
    let port = u16::from_be_bytes(*port);
    if let Some(ip) = exactly::<4>(ip) {
        return Some(NodeAddress::V4(ip.into(), port));
    }
    let ip = Ipv6Addr::from(exactly::<16>(ip)?);
    // An IPv4 address in IPv6's clothes would be there twice.
    match ip.to_ipv4_mapped() {
        None => Some(NodeAddress::V6(ip, port)),
        Some(ip) => Some(NodeAddress::V4(Ipv4Addr::from(ip.octets()), port)),
    }
}

/// What is under these keys; of a key that comes twice the first.
fn fields<'a, const N: usize>(
    dictionary: Value<'a>,
    keys: [&'static [u8]; N],
) -> [Option<Value<'a>>; N] {
    let mut found = [None; N];
    for (key, value) in dictionary.entries().into_iter().flatten() {
        if let Some(at) = keys.iter().position(|wanted| *wanted == key) {
            found[at].get_or_insert(value);
        }
    }
    found
}

fn string(value: Option<Value<'_>>) -> Option<&[u8]> {
    value?.string()
}

fn node_id(value: Option<Value<'_>>) -> Option<NodeId> {
    Some(NodeId(exactly(string(value)?)?))
}

fn exactly<const N: usize>(bytes: &[u8]) -> Option<[u8; N]> {
    bytes.try_into().ok()
}

fn protocol(what: &str) -> KrpcError {
    KrpcError {
        code: code::PROTOCOL,
        message: format!("Protocol Error: {what}"),
    }
}
