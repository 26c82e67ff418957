//! What no end of ours does, and others do.

use std::time::Instant;

use bytes::Bytes;
use str0m::Event;
use str0m::channel::{ChannelData, ChannelId};

use super::{Address, Connection, MAX_MESSAGE, Step};
use crate::crypto::Identity;
use crate::error::LinkError;

fn offered() -> (Connection, ChannelId) {
    let address = Address {
        host: "192.0.2.2:7000".parse().unwrap(),
        seen: None,
    };
    let identity = Identity::new().unwrap();
    let (connection, _) = Connection::offer(Instant::now(), &identity, &[address]).unwrap();
    let channel = connection.offered.unwrap();
    (connection, channel)
}

fn data(id: ChannelId, data: &[u8]) -> Event {
    Event::ChannelData(ChannelData {
        id,
        binary: true,
        data: data.to_vec(),
    })
}

#[test]
fn words_before_the_channel_is_open_are_heard_after_it() {
    let (mut connection, id) = offered();
    let now = Instant::now();
    assert!(connection.hear(now, data(id, b"one")).is_none());
    assert!(connection.hear(now, data(id, b"two")).is_none());
    let open = Event::ChannelOpen(id, String::new());
    assert!(matches!(connection.hear(now, open), Some(Step::Open)));
    for word in [&b"one"[..], b"two"] {
        let step = connection.poll(now);
        assert!(
            matches!(&step, Step::Received(bytes) if *bytes == Bytes::copy_from_slice(word)),
            "{step:?}"
        );
    }
}

#[test]
fn whoever_says_much_before_the_channel_is_open_is_left() {
    for (length, times) in [(MAX_MESSAGE, 2), (0, 1 << 14)] {
        let (mut connection, id) = offered();
        let now = Instant::now();
        for _ in 0..times {
            assert!(connection.hear(now, data(id, &vec![0; length])).is_none());
        }
        let step = connection.poll(now);
        assert!(matches!(step, Step::Ended(LinkError::Early)), "{step:?}");
    }
}
