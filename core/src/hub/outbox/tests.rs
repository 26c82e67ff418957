//! What a client that is slow to read is made to hold.

use super::*;
use crate::id::{MemberId, PeerId};
use crate::wire::relay::{DataFrame, Incoming, Peers};

fn credit(channel: u32, bytes: u32) -> HubOutput {
    let channel = ChannelId(channel);
    HubOutput::Send(ServerMessage::Credit { channel, bytes })
}

fn close(channel: u32) -> HubOutput {
    HubOutput::Send(ServerMessage::Close {
        channel: ChannelId(channel),
        reason: "gone".to_owned(),
    })
}

fn offer(channel: u32) -> HubOutput {
    HubOutput::Send(ServerMessage::Incoming(Incoming {
        channel: ChannelId(channel),
        info_hash: InfoHash([1; 20]),
        member: MemberId(1),
        peer_id: PeerId([2; 20]),
        credit: 0,
    }))
}

fn peers(info_hash: u8, complete: u32) -> HubOutput {
    HubOutput::Send(ServerMessage::Peers(Peers {
        rtc: 0,
        info_hash: InfoHash([info_hash; 20]),
        interval: 1,
        complete,
        incomplete: 0,
        members: Vec::new(),
    }))
}

fn drain(outbox: &mut ClientOutbox) -> Vec<HubOutput> {
    std::iter::from_fn(|| outbox.pop()).collect()
}

#[test]
fn grants_are_added_up_and_none_is_lost() {
    let mut outbox = ClientOutbox::default();
    for _ in 0..1000 {
        outbox.push(credit(1, 1));
        outbox.push(credit(2, 3));
    }
    assert_eq!(drain(&mut outbox), [credit(1, 1000), credit(2, 3000)]);
    outbox.push(credit(1, u32::MAX));
    outbox.push(credit(1, 5));
    outbox.push(credit(1, 5));
    assert_eq!(drain(&mut outbox), [credit(1, u32::MAX), credit(1, 10)]);
}

#[test]
fn an_offer_that_was_taken_back_is_not_mentioned() {
    let mut outbox = ClientOutbox::default();
    for channel in 0..1000 {
        outbox.push(offer(channel));
        outbox.push(close(channel));
    }
    assert_eq!(outbox.pop(), None);
    outbox.push(offer(7));
    assert_eq!(outbox.pop(), Some(offer(7)));
    outbox.push(credit(7, 1));
    outbox.push(close(7));
    assert_eq!(drain(&mut outbox), [close(7)], "one that it heard of is");
}

#[test]
fn of_two_answers_about_a_swarm_the_newer_counts() {
    let mut outbox = ClientOutbox::default();
    for complete in 0..100 {
        outbox.push(peers(1, complete));
        outbox.push(peers(2, complete));
    }
    let two = outbox.answers();
    assert_eq!(drain(&mut outbox), [peers(1, 99), peers(2, 99)]);
    outbox.push(peers(1, 0));
    assert_eq!(outbox.answers() * 2, two);
    drain(&mut outbox);
    assert_eq!(outbox.answers(), 0);
}

#[test]
fn only_what_a_client_asked_for_counts_as_answers() {
    let mut outbox = ClientOutbox::default();
    outbox.push(offer(1));
    outbox.push(close(2));
    outbox.push(credit(3, 1));
    outbox.push(HubOutput::Forward(DataFrame::new(ChannelId(1), &[1; 95])));
    assert_eq!(outbox.answers(), 0);
    outbox.push(HubOutput::Send(ServerMessage::Refused {
        request: 1,
        reason: "x".repeat(100),
    }));
    assert!(outbox.answers() > 100);
    outbox.clear();
    assert_eq!((outbox.answers(), outbox.pop()), (0, None));
}

#[test]
fn data_stays_in_order_and_before_the_end_of_its_channel() {
    let mut outbox = ClientOutbox::default();
    let data = |byte: u8| HubOutput::Forward(DataFrame::new(ChannelId(4), &[byte]));
    for output in [data(1), credit(4, 1), data(2), close(4), data(3)] {
        outbox.push(output);
    }
    assert_eq!(drain(&mut outbox), [data(1), data(2), close(4), data(3)]);
}
