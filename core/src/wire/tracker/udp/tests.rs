use arbitrary::Unstructured;

use super::super::testing::{INFO_HASH, announce, any_announce, any_counts, several};
use super::*;

fn golden_requests() -> Vec<(Request, Vec<u8>)> {
    let head = b"\x01\x02\x03\x04\x05\x06\x07\x08\0\0\0\x01\0\0\0\x09";
    let announced = [
        &head[..],
        &INFO_HASH.0,
        b"-TS0100-0123456789ab",
        b"\0\0\0\0\0\0\0\x02\0\0\0\0\0\0\0\x03\0\0\0\0\0\0\0\x01",
        b"\0\0\0\x02\0\0\0\0\0\0\xab\xcd\0\0\0\x32\x1a\xe1",
    ]
    .concat();
    let request = |path: &[u8]| Request::Announce {
        connection: 0x0102_0304_0506_0708,
        transaction: 9,
        announce: announce(),
        path: path.to_vec(),
    };
    vec![
        (
            Request::Connect { transaction: 9 },
            b"\0\0\x04\x17\x27\x10\x19\x80\0\0\0\0\0\0\0\x09".to_vec(),
        ),
        (request(b""), announced.clone()),
        (
            request(b"/announce"),
            [&announced[..], b"\x02\x09/announce"].concat(),
        ),
        (
            Request::Scrape {
                connection: 0x0102_0304_0506_0708,
                transaction: 9,
                swarms: vec![INFO_HASH],
            },
            [
                &b"\x01\x02\x03\x04\x05\x06\x07\x08\0\0\0\x02\0\0\0\x09"[..],
                &INFO_HASH.0,
            ]
            .concat(),
        ),
    ]
}

fn golden_responses() -> Vec<(Response, bool, Vec<u8>)> {
    let announced = |address: &str| Response::Announce {
        transaction: 9,
        interval: 900,
        incomplete: 2,
        complete: 1,
        peers: vec![address.parse().unwrap()],
    };
    let head = b"\0\0\0\x01\0\0\0\x09\0\0\x03\x84\0\0\0\x02\0\0\0\x01";
    vec![
        (
            Response::Connect {
                transaction: 9,
                connection: 0x0102_0304_0506_0708,
            },
            false,
            b"\0\0\0\0\0\0\0\x09\x01\x02\x03\x04\x05\x06\x07\x08".to_vec(),
        ),
        (
            announced("192.0.2.1:6881"),
            false,
            [&head[..], b"\xc0\0\x02\x01\x1a\xe1"].concat(),
        ),
        (
            announced("[2001:db8::1]:6881"),
            true,
            [
                &head[..],
                b"\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\x1a\xe1",
            ]
            .concat(),
        ),
        (
            Response::Scrape {
                transaction: 9,
                counts: vec![Counts {
                    complete: 1,
                    downloaded: 2,
                    incomplete: 3,
                }],
            },
            false,
            b"\0\0\0\x02\0\0\0\x09\0\0\0\x01\0\0\0\x02\0\0\0\x03".to_vec(),
        ),
        (
            Response::Error {
                transaction: 9,
                reason: "slow down".to_owned(),
            },
            false,
            b"\0\0\0\x03\0\0\0\x09slow down".to_vec(),
        ),
    ]
}

#[test]
fn messages_have_golden_bytes() {
    for (request, bytes) in golden_requests() {
        assert_eq!(request.encode(), bytes, "{request:?}");
        assert_eq!(Request::decode(&bytes), Ok(request));
    }
    for (response, ipv6, bytes) in golden_responses() {
        assert_eq!(response.encode(), bytes, "{response:?}");
        assert_eq!(Response::decode(&bytes, ipv6), Ok(response));
    }
}

#[test]
fn what_is_cut_off_or_of_a_wrong_length_is_a_named_error() {
    for (request, bytes) in golden_requests() {
        for cut in 0..bytes.len().min(98) {
            let read = Request::decode(&bytes[..cut]);
            let scrape = matches!(request, Request::Scrape { .. }) && cut >= 16;
            assert_eq!(read == Err(UdpError::Length(cut)), !scrape);
        }
    }
    let (_, _, peers) = &golden_responses()[1];
    assert_eq!(Response::decode(peers, true), Err(UdpError::Length(26)));
    assert_eq!(Request::decode(&[0; 16]), Err(UdpError::Magic));
    let unknown = [0, 0, 0, 9, 0, 0, 0, 0];
    assert_eq!(Response::decode(&unknown, false), Err(UdpError::Action(9)));
}

#[test]
fn unknown_events_and_lengths_are_taken_for_nothing_said() {
    let (_, mut bytes) = golden_requests().remove(1);
    bytes[64..72].fill(0xFF);
    bytes[80..84].fill(0xFF);
    bytes[92..96].fill(0xFF);
    let Ok(Request::Announce { announce, .. }) = Request::decode(&bytes) else {
        panic!("it is an announce");
    };
    assert_eq!((announce.left, announce.numwant), (None, None));
    assert_eq!(announce.event, Event::Update);
}

fn any_request(u: &mut Unstructured<'_>) -> arbitrary::Result<Request> {
    let (connection, transaction) = (u.arbitrary()?, u.arbitrary()?);
    Ok(match u.int_in_range(0..=2_u8)? {
        0 => Request::Connect { transaction },
        1 => Request::Announce {
            connection,
            transaction,
            announce: any_announce(u)?,
            path: several(u, MAX_PATH, |u| u.arbitrary())?,
        },
        _ => Request::Scrape {
            connection,
            transaction,
            swarms: several(u, MAX_SCRAPE, |u| Ok(InfoHash(u.arbitrary()?)))?,
        },
    })
}

fn any_response(u: &mut Unstructured<'_>, ipv6: bool) -> arbitrary::Result<Response> {
    let transaction = u.arbitrary()?;
    Ok(match u.int_in_range(0..=3_u8)? {
        0 => Response::Connect {
            transaction,
            connection: u.arbitrary()?,
        },
        1 => Response::Announce {
            transaction,
            interval: u.arbitrary()?,
            incomplete: u.arbitrary()?,
            complete: u.arbitrary()?,
            peers: several(u, 5, |u| {
                Ok(match ipv6 {
                    true => SocketAddr::from((u.arbitrary::<[u8; 16]>()?, u.arbitrary()?)),
                    false => SocketAddr::from((u.arbitrary::<[u8; 4]>()?, u.arbitrary()?)),
                })
            })?,
        },
        2 => Response::Scrape {
            transaction,
            counts: several(u, MAX_SCRAPE, any_counts)?,
        },
        _ => Response::Error {
            transaction,
            reason: printable(&u.arbitrary::<Vec<u8>>()?),
        },
    })
}

#[test]
fn messages_round_trip() {
    arbtest::arbtest(|u| {
        let request = any_request(u)?;
        assert_eq!(Request::decode(&request.encode()), Ok(request));
        let ipv6 = u.arbitrary()?;
        let response = any_response(u, ipv6)?;
        assert_eq!(Response::decode(&response.encode(), ipv6), Ok(response));
        Ok(())
    });
}

#[test]
fn arbitrary_bytes_are_read_or_refused() {
    arbtest::arbtest(|u| {
        let ipv6 = u.arbitrary()?;
        let mut bytes = match u.int_in_range(0..=2)? {
            0 => any_request(u)?.encode(),
            1 => any_response(u, ipv6)?.encode(),
            _ => Vec::new(),
        };
        let at = u.int_in_range(0..=bytes.len())?;
        let end = u.int_in_range(at..=bytes.len())?;
        bytes.splice(at..end, u.arbitrary::<Vec<u8>>()?);
        if let Ok(request) = Request::decode(&bytes) {
            assert_eq!(Request::decode(&request.encode()), Ok(request));
        }
        if let Ok(response) = Response::decode(&bytes, ipv6) {
            assert_eq!(Response::decode(&response.encode(), ipv6), Ok(response));
        }
        Ok(())
    });
}
