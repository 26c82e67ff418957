//! The examples of the BEPs, byte for byte, and that everything that is written is read.

use arbitrary::{Arbitrary, Unstructured};

use super::*;
use crate::bencode;
use crate::dht::address::TabTag;

const ID: NodeId = NodeId(*b"abcdefghij0123456789");
const TARGET: NodeId = NodeId(*b"mnopqrstuvwxyz123456");

fn query(id: NodeId, ask: Ask) -> Message {
    message(Body::Query(Query {
        id,
        want: Want::default(),
        ask,
    }))
}

fn response(id: NodeId, response: Response) -> Message {
    message(Body::Response(Response { id, ..response }))
}

fn message(body: Body) -> Message {
    Message {
        transaction: Transaction(b"aa".to_vec()),
        version: None,
        read_only: false,
        ip: None,
        body,
    }
}

#[track_caller]
fn is(message: &Message, bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    assert_eq!(String::from_utf8_lossy(&message.encode()), text);
    assert_eq!(Message::parse(bytes).as_ref(), Ok(message), "{text}");
}

/// An address by its six bytes, as the BEPs write them.
fn v4(bytes: &[u8; 6]) -> NodeAddress {
    let [a, b, c, d, e, f] = *bytes;
    NodeAddress::V4([a, b, c, d].into(), u16::from_be_bytes([e, f]))
}

fn node(id: NodeId, address: NodeAddress) -> Contact {
    Contact { id, address }
}

/// BEP 5, "DHT queries".
#[test]
fn the_examples_of_bep_5() {
    is(
        &query(ID, Ask::Ping),
        b"d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe",
    );
    is(
        &response(TARGET, Response::default()),
        b"d1:rd2:id20:mnopqrstuvwxyz123456e1:t2:aa1:y1:re",
    );
    is(
        &query(ID, Ask::FindNode { target: TARGET }),
        b"d1:ad2:id20:abcdefghij01234567896:target20:mnopqrstuvwxyz123456e1:q9:find_node1:t2:aa1:y1:qe",
    );
    is(
        &query(ID, Ask::GetPeers { info_hash: TARGET }),
        b"d1:ad2:id20:abcdefghij01234567899:info_hash20:mnopqrstuvwxyz123456e1:q9:get_peers1:t2:aa1:y1:qe",
    );
    let token = b"aoeusnth".to_vec();
    is(
        &response(
            ID,
            Response {
                token: Some(token.clone()),
                values: vec![v4(b"axje.u"), v4(b"idhtnm")],
                ..Response::default()
            },
        ),
        b"d1:rd2:id20:abcdefghij01234567895:token8:aoeusnth6:valuesl6:axje.u6:idhtnmee1:t2:aa1:y1:re",
    );
    is(
        &query(
            ID,
            Ask::AnnouncePeer {
                info_hash: TARGET,
                port: 6881,
                implied_port: true,
                token,
            },
        ),
        b"d1:ad2:id20:abcdefghij012345678912:implied_porti1e9:info_hash20:mnopqrstuvwxyz1234564:porti6881e5:token8:aoeusnthe1:q13:announce_peer1:t2:aa1:y1:qe",
    );
    is(
        &message(Body::Error(KrpcError {
            code: code::GENERIC,
            message: "A Generic Error Ocurred".to_owned(),
        })),
        b"d1:eli201e23:A Generic Error Ocurrede1:t2:aa1:y1:ee",
    );
}

#[test]
fn nodes_of_all_families_are_asked_for_and_told_of() {
    let mut want = Want::default();
    want.add(Family::V4);
    want.add(Family::V6);
    want.add(Family::Tab);
    is(
        &message(Body::Query(Query {
            id: ID,
            want,
            ask: Ask::FindNode { target: TARGET },
        })),
        b"d1:ad2:id20:abcdefghij01234567896:target20:mnopqrstuvwxyz1234564:wantl2:n42:n62:ntee1:q9:find_node1:t2:aa1:y1:qe",
    );
    let six: [u8; 16] = *b"0123456789abcdef";
    let nodes = vec![
        node(TARGET, v4(b"axje.u")),
        node(TARGET, NodeAddress::V6(six.into(), 0x6e6d)),
        node(TARGET, NodeAddress::Tab(TabTag(*b"tabntabn"))),
    ];
    is(
        &response(
            ID,
            Response {
                nodes,
                ..Response::default()
            },
        ),
        b"d1:rd2:id20:abcdefghij01234567895:nodes26:mnopqrstuvwxyz123456axje.u6:nodes638:mnopqrstuvwxyz1234560123456789abcdefnm6:nodest28:mnopqrstuvwxyz123456tabntabne1:t2:aa1:y1:re",
    );
}

/// BEP 44's forms; its test vectors are those of [`crate::dht::Item`].
#[test]
fn values_are_put_and_got() {
    is(
        &query(
            ID,
            Ask::Get {
                target: TARGET,
                seq: Some(-3),
            },
        ),
        b"d1:ad2:id20:abcdefghij01234567893:seqi-3e6:target20:mnopqrstuvwxyz123456e1:q3:get1:t2:aa1:y1:qe",
    );
    is(
        &query(
            ID,
            Ask::Put {
                value: b"12:Hello World!".to_vec(),
                signed: Some(Signed {
                    key: [b'k'; 32],
                    salt: b"foobar".to_vec(),
                    seq: 4,
                    signature: [b's'; 64],
                }),
                cas: Some(3),
                token: b"token".to_vec(),
            },
        ),
        b"d1:ad3:casi3e2:id20:abcdefghij01234567891:k32:kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk4:salt6:foobar3:seqi4e3:sig64:ssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssss5:token5:token1:v12:Hello World!e1:q3:put1:t2:aa1:y1:qe",
    );
    is(
        &response(
            ID,
            Response {
                token: Some(b"token".to_vec()),
                value: Some(b"li1ei2ee".to_vec()),
                signed: Some(([b'k'; 32], [b's'; 64])),
                seq: Some(4),
                ..Response::default()
            },
        ),
        b"d1:rd2:id20:abcdefghij01234567891:k32:kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk3:seqi4e3:sig64:ssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssss5:token5:token1:vli1ei2eee1:t2:aa1:y1:re",
    );
}

/// BEP 42's address, BEP 43's flag, BEP 5's version.
#[test]
fn what_stands_beside_query_and_answer() {
    let mut asked = query(ID, Ask::Ping);
    asked.read_only = true;
    asked.version = Some(*b"TS\x01\x00");
    is(
        &asked,
        b"d1:ad2:id20:abcdefghij0123456789e1:q4:ping2:roi1e1:t2:aa1:v4:TS\x01\x001:y1:qe",
    );
    let mut answered = response(ID, Response::default());
    answered.ip = Some(v4(b"axje.u"));
    is(
        &answered,
        b"d2:ip6:axje.u1:rd2:id20:abcdefghij0123456789e1:t2:aa1:y1:re",
    );
}

#[test]
fn what_is_not_understood_is_told_from_what_is_nothing() {
    let parse = |bytes: &[u8]| Message::parse(bytes);
    let code = |bytes: &[u8]| match parse(bytes) {
        Err(ParseError::Query { error, .. }) => error.code,
        other => panic!("{other:?}"),
    };
    assert_eq!(
        code(b"d1:ad2:id20:abcdefghij0123456789e1:q4:vote1:t2:aa1:y1:qe"),
        code::METHOD_UNKNOWN
    );
    assert_eq!(
        code(b"d1:ad2:id20:abcdefghij0123456789e1:q9:get_peers1:t2:aa1:y1:qe"),
        code::PROTOCOL
    );
    assert_eq!(
        code(b"d1:ad2:id4:abcde1:q4:ping1:t2:aa1:y1:qe"),
        code::PROTOCOL
    );
    assert_eq!(parse(b""), Err(ParseError::Shape));
    assert_eq!(parse(b"de"), Err(ParseError::Shape));
    assert_eq!(parse(&[b'x'; 40]), Err(ParseError::Shape));
    let quiet = b"d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:y1:qe";
    assert_eq!(parse(quiet), Err(ParseError::Transaction));
    let odd = b"d1:ad2:id20:abcdefghij0123456789e1:t2:aa1:y1:xe";
    assert_eq!(parse(odd), Err(ParseError::Kind));
    let empty = b"d1:rd5:token2:aae1:t2:aa1:y1:re";
    assert_eq!(parse(empty), Err(ParseError::Response("an id")));
    let deep = [b"d1:a".to_vec(), vec![b'l'; 50], vec![b'e'; 51]].concat();
    assert!(matches!(parse(&deep), Err(ParseError::Bencode(_))));
    let long = [b"d1:a3000:".to_vec(), vec![b'a'; 3000], b"e".to_vec()].concat();
    assert_eq!(parse(&long), Err(ParseError::Shape));
}

#[test]
fn an_address_in_others_clothes_is_what_it_is() {
    let bytes = b"d1:rd2:id20:abcdefghij01234567896:valuesl18:\0\0\0\0\0\0\0\0\0\0\xff\xffaxje.u7:invalidee1:t2:aa1:y1:re";
    let Body::Response(response) = Message::parse(bytes).unwrap().body else {
        panic!("it is an answer");
    };
    let expected = v4(b"axje.u");
    assert_eq!(response.values, [expected]);
}

fn bytes(u: &mut Unstructured<'_>, most: usize) -> arbitrary::Result<Vec<u8>> {
    let length = u.int_in_range(0..=most)?;
    Ok(u.bytes(length.min(u.len()))?.to_vec())
}

fn address(u: &mut Unstructured<'_>) -> arbitrary::Result<NodeAddress> {
    Ok(match u.int_in_range(0..=2)? {
        0 => NodeAddress::V4(u32::arbitrary(u)?.into(), u.arbitrary()?),
        // Not one in the other's clothes.
        1 => NodeAddress::V6((u128::arbitrary(u)? | 1 << 120).into(), u.arbitrary()?),
        _ => NodeAddress::Tab(TabTag(u.arbitrary()?)),
    })
}

fn any_value(u: &mut Unstructured<'_>) -> arbitrary::Result<Vec<u8>> {
    Ok(bencode::encode(&(u.arbitrary::<i64>()?, "value")))
}

fn any_ask(u: &mut Unstructured<'_>) -> arbitrary::Result<Ask> {
    let target = NodeId(u.arbitrary()?);
    Ok(match u.int_in_range(0..=5)? {
        0 => Ask::Ping,
        1 => Ask::FindNode { target },
        2 => Ask::GetPeers { info_hash: target },
        3 => Ask::AnnouncePeer {
            info_hash: target,
            port: u.int_in_range(1..=u16::MAX)?,
            implied_port: u.arbitrary()?,
            token: bytes(u, MAX_TOKEN)?,
        },
        4 => Ask::Get {
            target,
            seq: u.arbitrary()?,
        },
        _ => Ask::Put {
            value: any_value(u)?,
            signed: match u.arbitrary()? {
                true => Some(Signed {
                    key: u.arbitrary()?,
                    salt: bytes(u, 64)?,
                    seq: u.arbitrary()?,
                    signature: [u.arbitrary()?; 64],
                }),
                false => None,
            },
            cas: u.arbitrary()?,
            token: bytes(u, MAX_TOKEN)?,
        },
    })
}

fn any_response(u: &mut Unstructured<'_>) -> arbitrary::Result<Response> {
    let mut nodes = Vec::new();
    for _ in 0..u.int_in_range(0..=8)? {
        nodes.push(node(NodeId(u.arbitrary()?), address(u)?));
    }
    nodes.sort_by_key(|node| node.address.family());
    let mut values = Vec::new();
    for _ in 0..u.int_in_range(0..=20)? {
        values.push(address(u)?);
    }
    Ok(Response {
        id: NodeId(u.arbitrary()?),
        nodes,
        values,
        token: match u.arbitrary()? {
            true => Some(bytes(u, MAX_TOKEN)?),
            false => None,
        },
        value: match u.arbitrary()? {
            true => Some(any_value(u)?),
            false => None,
        },
        signed: match u.arbitrary()? {
            true => Some((u.arbitrary()?, [u.arbitrary()?; 64])),
            false => None,
        },
        seq: u.arbitrary()?,
    })
}

#[test]
fn everything_that_is_written_is_canonical_and_read_again() {
    arbtest::arbtest(|u| {
        let body = match u.int_in_range(0..=2)? {
            0 => {
                let want = Want {
                    v4: u.arbitrary()?,
                    v6: u.arbitrary()?,
                    tabs: u.arbitrary()?,
                };
                Body::Query(Query {
                    id: NodeId(u.arbitrary()?),
                    want,
                    ask: any_ask(u)?,
                })
            }
            1 => Body::Response(any_response(u)?),
            _ => Body::Error(KrpcError {
                code: u.arbitrary()?,
                message: "any words".to_owned(),
            }),
        };
        let ip = match u.int_in_range(0..=2)? {
            0 => None,
            _ => Some(address(u)?).filter(|address| address.family() != Family::Tab),
        };
        let message = Message {
            transaction: Transaction(bytes(u, MAX_TRANSACTION)?),
            version: u.arbitrary()?,
            read_only: u.arbitrary()?,
            ip,
            body,
        };
        let bytes = message.encode();
        assert_eq!(Message::parse(&bytes).as_ref(), Ok(&message));
        assert!(sorted(&bytes), "{}", String::from_utf8_lossy(&bytes));
        Ok(())
    });
}

/// The keys of the dictionary and of those in it are in order.
fn sorted(bytes: &[u8]) -> bool {
    let limits = bencode::DecodeLimits {
        length: 1 << 16,
        depth: 10,
        values: 1000,
    };
    let value = bencode::Value::of(bytes, limits).unwrap();
    let dictionaries = value.entries().unwrap();
    let inner = dictionaries.map(|(_, value)| value).chain([value]);
    inner
        .filter_map(|value| value.entries().map(Vec::from_iter))
        .all(|entries| entries.windows(2).all(|pair| pair[0].0 < pair[1].0))
}

#[test]
fn any_bytes_are_a_message_or_an_error() {
    arbtest::arbtest(|u| {
        let bytes = u.bytes(u.len())?;
        if let Ok(message) = Message::parse(bytes) {
            assert_eq!(Message::parse(&message.encode()), Ok(message));
        }
        Ok(())
    });
}
