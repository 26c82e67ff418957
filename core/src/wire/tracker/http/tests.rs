use std::net::SocketAddr;

use arbitrary::Unstructured;

use super::super::testing::{INFO_HASH, PEER_ID, announce, any_announce, any_counts, several};
use super::super::{Counts, Event, MAX_SCRAPE};
use super::*;
use crate::id::InfoHash;

const QUERY: &str = "info_hash=%124Vx%9A%BC%DE%F1%23Eg%89%AB%CD%EF%124Vx%9A\
    &peer_id=-TS0100-0123456789ab&port=6881&uploaded=1&downloaded=2&left=3&compact=1\
    &no_peer_id=1&event=started&numwant=50&key=0000ABCD";

fn peers(addresses: &[&str]) -> Vec<Peer> {
    let peer = |address: &&str| Peer {
        address: address.parse().unwrap(),
        peer_id: None,
    };
    addresses.iter().map(peer).collect()
}

fn announced(addresses: &[&str]) -> AnnounceResponse {
    AnnounceResponse::Announced(Announced {
        interval: 900,
        min_interval: Some(60),
        complete: Some(1),
        incomplete: Some(2),
        downloaded: Some(3),
        peers: peers(addresses),
        external: Some("192.0.2.9".parse().unwrap()),
        tracker_id: Some(b"id".to_vec()),
        warning: Some("soon closed".to_owned()),
    })
}

#[test]
fn queries_have_golden_bytes() {
    let query = AnnounceQuery::new(announce());
    assert_eq!(query.to_query(), QUERY);
    assert_eq!(AnnounceQuery::from_query(QUERY), Ok(query));
    let hash = "%124Vx%9A%BC%DE%F1%23Eg%89%AB%CD%EF%124Vx%9A";
    let scrape = format!("info_hash={hash}&info_hash={hash}");
    assert_eq!(scrape_query(&[INFO_HASH, INFO_HASH]), scrape);
    assert_eq!(scraped_swarms(&scrape), Ok(vec![INFO_HASH, INFO_HASH]));
    assert_eq!(scraped_swarms(""), Ok(vec![]));
}

#[test]
fn responses_have_golden_bytes() {
    let begin = b"d8:completei1e10:downloadedi3e11:external ip4:\xc0\x00\x02\x0910:incompletei2e8:intervali900e12:min intervali60e5:peers";
    let end = b"10:tracker id2:id15:warning message11:soon closede";
    let both = announced(&["192.0.2.1:6881", "[2001:db8::1]:6882"]);
    let compact =
        b"6:\xc0\x00\x02\x01\x1a\xe16:peers618:\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\x1a\xe2";
    assert_eq!(both.encode(true), [&begin[..], compact, end].concat());
    let list = b"ld2:ip9:192.0.2.14:porti6881eed2:ip11:2001:db8::14:porti6882eee";
    assert_eq!(both.encode(false), [&begin[..], list, end].concat());
    let nobody = announced(&[]).encode(true);
    assert_eq!(nobody, [&begin[..], b"0:", end].concat());

    let failure = AnnounceResponse::Failure("no such swarm".to_owned());
    assert_eq!(failure.encode(true), b"d14:failure reason13:no such swarme");

    let counts = Counts {
        complete: 1,
        downloaded: 2,
        incomplete: 3,
    };
    let scrape = ScrapeResponse::Scraped([(INFO_HASH, counts)].into());
    let bytes = [
        b"d5:filesd20:",
        &INFO_HASH.0[..],
        b"d8:completei1e10:downloadedi2e10:incompletei3eeee",
    ];
    assert_eq!(scrape.encode(), bytes.concat());
    for (written, read) in [
        (both.encode(true), &both),
        (both.encode(false), &both),
        (failure.encode(true), &failure),
    ] {
        assert_eq!(AnnounceResponse::decode(&written).as_ref(), Ok(read));
    }
    assert_eq!(ScrapeResponse::decode(&scrape.encode()), Ok(scrape));
}

#[test]
fn what_clients_leave_out_or_get_wrong_is_taken_as_well_as_can_be() {
    let hash = "info_hash=%124Vx%9a%bc%de%f1%23Eg%89%AB%CD%EF%124Vx%9A";
    let read = |rest: &str| AnnounceQuery::from_query(&format!("{hash}&{rest}"));
    let query =
        read("peer_id=-TS0100-0123456789ab&port=1&left=-1&uploaded=x&numwant=-1&event=").unwrap();
    let announce = query.announce;
    assert_eq!(
        (announce.left, announce.uploaded, announce.numwant),
        (None, 0, None)
    );
    assert_eq!((announce.event, announce.key), (Event::Update, None));
    assert!(query.compact && !query.no_peer_id);
    for (rest, error) in [
        ("port=1", QueryError::Missing("peer_id")),
        ("peer_id=short&port=1", QueryError::Invalid("peer_id")),
        ("peer_id=-TS0100-0123456789ab", QueryError::Missing("port")),
        (
            "peer_id=-TS0100-0123456789ab&port=65536",
            QueryError::Invalid("port"),
        ),
        (&"x".repeat(9000), QueryError::TooLong),
    ] {
        assert_eq!(read(rest), Err(error));
    }
    assert_eq!(
        AnnounceQuery::from_query(""),
        Err(QueryError::Missing("info_hash"))
    );
}

#[test]
fn a_scrape_stands_beside_the_announce() {
    for (url, scrape) in [
        ("http://h/announce", Some("http://h/scrape")),
        (
            "http://h/x/announce.php?pass=/1",
            Some("http://h/x/scrape.php?pass=/1"),
        ),
        ("http://h/a", None),
        ("http://h/announce/x", None),
        ("announce", None),
    ] {
        assert_eq!(scrape_url(url).as_deref(), scrape);
    }
}

#[test]
fn answers_of_wrong_length_are_named_errors() {
    for (body, error) in [
        (&b"d5:peers5:12345e"[..], ResponseError::Field("peers")),
        (
            b"d6:peers617:12345678901234567e",
            ResponseError::Field("peers6"),
        ),
        (b"d5:peersi1ee", ResponseError::Field("peers")),
        (b"le", ResponseError::NoDictionary),
    ] {
        assert_eq!(AnnounceResponse::decode(body), Err(error));
    }
    assert!(matches!(
        AnnounceResponse::decode(b"<html>"),
        Err(ResponseError::Bencode(_))
    ));
    let named = b"d5:peersld2:ip11:example.org4:porti1eed2:ip3:::14:porti2e7:peer id20:-TS0100-0123456789abeee";
    let Ok(AnnounceResponse::Announced(answer)) = AnnounceResponse::decode(named) else {
        panic!("it is an answer");
    };
    let expected = Peer {
        address: "[::1]:2".parse().unwrap(),
        peer_id: Some(PEER_ID),
    };
    assert_eq!((answer.interval, answer.peers), (1800, vec![expected]));
}

fn any_text(u: &mut Unstructured<'_>) -> arbitrary::Result<String> {
    let bytes: Vec<u8> = u.arbitrary()?;
    Ok(super::super::printable(&bytes))
}

fn any_announced(u: &mut Unstructured<'_>) -> arbitrary::Result<Announced> {
    let address = |u: &mut Unstructured<'_>| {
        let address: SocketAddr = u.arbitrary()?;
        Ok(SocketAddr::new(address.ip(), address.port()))
    };
    let mut peers = several(u, 5, |u| {
        Ok(Peer {
            address: address(u)?,
            peer_id: None,
        })
    })?;
    peers.sort_by_key(|peer| peer.address.is_ipv6());
    Ok(Announced {
        interval: u.arbitrary()?,
        min_interval: u.arbitrary()?,
        complete: u.arbitrary()?,
        incomplete: u.arbitrary()?,
        downloaded: u.arbitrary()?,
        peers,
        external: u.arbitrary()?,
        tracker_id: u.arbitrary::<Option<[u8; 9]>>()?.map(Vec::from),
        warning: u.arbitrary::<bool>()?.then(|| any_text(u)).transpose()?,
    })
}

#[test]
fn messages_round_trip() {
    arbtest::arbtest(|u| {
        let query = AnnounceQuery {
            announce: any_announce(u)?,
            compact: u.arbitrary()?,
            no_peer_id: u.arbitrary()?,
            tracker_id: u.arbitrary::<Option<[u8; 9]>>()?.map(Vec::from),
        };
        assert_eq!(AnnounceQuery::from_query(&query.to_query()), Ok(query));
        let swarms = several(u, MAX_SCRAPE, |u| Ok(InfoHash(u.arbitrary()?)))?;
        assert_eq!(scraped_swarms(&scrape_query(&swarms)), Ok(swarms));
        let response = match u.arbitrary()? {
            true => AnnounceResponse::Announced(any_announced(u)?),
            false => AnnounceResponse::Failure(any_text(u)?),
        };
        for compact in [false, true] {
            let bytes = response.encode(compact);
            assert_eq!(AnnounceResponse::decode(&bytes).as_ref(), Ok(&response));
        }
        let files = several(u, 5, |u| Ok((InfoHash(u.arbitrary()?), any_counts(u)?)))?;
        let scrape = ScrapeResponse::Scraped(files.into_iter().collect());
        assert_eq!(ScrapeResponse::decode(&scrape.encode()), Ok(scrape));
        Ok(())
    });
}

#[test]
fn arbitrary_bytes_are_read_or_refused() {
    arbtest::arbtest(|u| {
        let mut bytes = match u.int_in_range(0..=2)? {
            0 => QUERY.as_bytes().to_vec(),
            1 => AnnounceResponse::Announced(any_announced(u)?).encode(u.arbitrary()?),
            _ => Vec::new(),
        };
        for _ in 0..u.int_in_range(0..=3)? {
            let at = u.int_in_range(0..=bytes.len())?;
            let end = u.int_in_range(at..=bytes.len())?;
            bytes.splice(at..end, u.arbitrary::<Vec<u8>>()?);
        }
        if let Ok(text) = std::str::from_utf8(&bytes) {
            if let Ok(query) = AnnounceQuery::from_query(text) {
                assert_eq!(AnnounceQuery::from_query(&query.to_query()), Ok(query));
            }
            if let Ok(swarms) = scraped_swarms(text) {
                assert_eq!(scraped_swarms(&scrape_query(&swarms)), Ok(swarms));
            }
        }
        let _ = ScrapeResponse::decode(&bytes);
        if let Ok(response) = AnnounceResponse::decode(&bytes) {
            let again = AnnounceResponse::decode(&response.encode(false));
            assert_eq!(again, Ok(response));
        }
        Ok(())
    });
}
