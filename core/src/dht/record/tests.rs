use super::*;
use crate::dht::{AnnouncedPort, NodeAddress, Request, RequestId};
use crate::id::InfoHash;

fn address(last: u8) -> NodeAddress {
    NodeAddress::V4([9, 9, last, 1].into(), 6881)
}

/// Two nodes that talk for some minutes, the first of which is recorded.
fn recording() -> (RecordedDht, Vec<u8>) {
    let start = Time::ZERO + Duration::from_secs(5);
    let mut now = start;
    let mut node = RecordedDht::new(Config::default(), Saved::default(), 1, now);
    let mut other = Dht::new(Config::default(), Saved::default(), 2, now);
    node.handle(now, Input::Bootstrap(vec![address(2)]));
    let announce = Request::Announce {
        info_hash: InfoHash([7; 20]),
        port: AnnouncedPort::Port(5),
    };
    node.handle(now, Input::Start(RequestId(1), announce));
    while now < start + Duration::from_secs(600) {
        let mut there = Vec::new();
        while let Some(output) = node.poll_output() {
            if let Output::Datagram { bytes, .. } = output {
                there.push(bytes);
            }
        }
        now += Duration::from_millis(50);
        for bytes in there {
            let from = address(1);
            other.handle(now, Input::Datagram { from, bytes });
        }
        other.handle(now, Input::Tick);
        while let Some(output) = other.poll_output() {
            if let Output::Datagram { bytes, .. } = output {
                let from = address(2);
                node.handle(now, Input::Datagram { from, bytes });
            }
        }
        if node.dht().poll_timeout().is_some_and(|due| due <= now) {
            node.handle(now, Input::Tick);
        }
    }
    while node.poll_output().is_some() {}
    node.handle(now, Input::Tick);
    let bytes = node.take();
    (node, bytes)
}

#[test]
fn a_recording_replays_to_the_same_node() {
    let (node, bytes) = recording();
    assert!(node.dht().traffic().answered > 50);
    let mut inputs = 0;
    let again = replay(&bytes, |_, _| inputs += 1).unwrap();
    assert!(inputs > 100);
    assert_eq!(again.traffic(), node.dht().traffic());
    assert_eq!(again.save(), node.dht().save());
}

#[test]
fn a_replay_that_differs_says_where() {
    let (_, mut bytes) = recording();
    // Another seed.
    let (header, _) = postcard::take_from_bytes::<Header>(&bytes[13..]).unwrap();
    let mut other = MAGIC.to_vec();
    let seed = header.seed + 1;
    write(&mut other, &Header { seed, ..header });
    let length = u32::from_be_bytes(bytes[9..13].try_into().unwrap()) as usize;
    other.extend(bytes.split_off(13 + length));
    let replayed = replay(&other, |_, _| {});
    assert!(matches!(replayed, Err(ReplayError::Differs { .. })));
}

#[test]
fn what_is_no_recording_is_refused() {
    let (_, bytes) = recording();
    for end in [0, 5, 9, 11, 40, bytes.len() - 1] {
        let replayed = replay(&bytes[..end], |_, _| {});
        assert_eq!(replayed.err(), Some(ReplayError::Malformed), "{end}");
    }
}
