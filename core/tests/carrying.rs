//! Introductions message by message: what an engine carries for its neighbours, what it takes of
//! what they carry, and how much of either.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod channels;

use std::time::Duration;

use channels::Table;
use swarm_core::engine::{Config, DirectId, DirectNews, DirectWork};
use swarm_core::id::Fingerprint;
use swarm_core::wire::introduce::{Introduction, Step, Unlinked};
use swarm_core::wire::peer::Message;

/// Under which the engine takes such messages.
const OURS: u8 = 5;
/// Under which the others do.
const THEIRS: u8 = 9;
/// What the engine has for a certificate.
const US: Fingerprint = Fingerprint([0xee; 16]);

fn config() -> Config {
    let mut config = Config::default();
    config.paths.channels = 2;
    config.paths.direct.at_once = 4;
    config
}

fn table(config: Config) -> Table {
    Table::new(config, 8, &[0])
}

fn peer(byte: u8) -> Fingerprint {
    Fingerprint([byte; 16])
}

/// A description by whoever has this certificate.
fn sdp(of: Fingerprint) -> String {
    let digits = vec![format!("{:02X}", of.0[0]); 32].join(":");
    format!("v=0\r\na=fingerprint:sha-256 {digits}\r\n")
}

fn offer(of: Fingerprint) -> Step {
    Step::Offer(sdp(of))
}

fn neighbour(table: &mut Table, byte: u8) -> usize {
    table.link(peer(byte), Some(THEIRS))
}

fn say(table: &mut Table, from: usize, message: &Introduction) {
    let payload = message.encode();
    table.say(from, &Message::Extended { id: OURS, payload });
}

/// Has a step carried to `to`, or, `carried`, says that it is from there.
fn step(table: &mut Table, from: usize, carried: bool, peer: Fingerprint, n: u32, step: Step) {
    let message = Introduction::Step {
        carried,
        peer,
        attempt: n,
        step,
    };
    say(table, from, &message);
}

fn heard(table: &mut Table, at: usize) -> Vec<Introduction> {
    let heard = table.extended(at, THEIRS).into_iter();
    let heard = heard.map(|payload| Introduction::decode(&payload).unwrap().unwrap());
    heard.collect()
}

/// The only step that somebody heard: whether it was carried, from or for whom, which one.
fn only_step(table: &mut Table, at: usize) -> (bool, Fingerprint, u32, Step) {
    let mut steps = heard(table, at).into_iter().filter_map(|it| match it {
        Introduction::Step {
            carried,
            peer,
            attempt,
            step,
        } => Some((carried, peer, attempt, step)),
        Introduction::Peers { .. } => None,
    });
    let step = steps.next().unwrap();
    assert_eq!(steps.next(), None);
    step
}

fn wait(table: &mut Table, seconds: u64) {
    table.wait(Duration::from_secs(seconds));
}

fn end(why: Unlinked) -> Step {
    Step::End(why)
}

#[test]
fn neighbours_are_told_of_each_other_soon_and_then_no_more_often_than_every_ten_seconds() {
    let mut table = table(config());
    let first = neighbour(&mut table, 1);
    let second = neighbour(&mut table, 2);
    table.link(peer(3), None);
    wait(&mut table, 1);
    let told = |added: &[u8], dropped: &[u8]| Introduction::Peers {
        added: added.iter().map(|byte| (peer(*byte), false)).collect(),
        dropped: dropped.iter().map(|byte| peer(*byte)).collect(),
    };
    assert_eq!(heard(&mut table, first), [told(&[2], &[])]);
    assert_eq!(heard(&mut table, second), [told(&[1], &[])]);
    let fourth = neighbour(&mut table, 4);
    table.break_channel(second);
    wait(&mut table, 8);
    assert_eq!(heard(&mut table, first), []);
    assert_eq!(heard(&mut table, fourth), [told(&[1], &[])]);
    wait(&mut table, 2);
    assert_eq!(heard(&mut table, first), [told(&[4], &[2])]);
    wait(&mut table, 60);
    assert_eq!(heard(&mut table, first), []);
}

#[test]
fn a_neighbour_of_many_hears_of_fewer_than_fifty_in_a_minute() {
    let mut config = config();
    config.paths.direct.at_once = 1;
    config.max_peers = 200;
    let mut table = table(config);
    let first = neighbour(&mut table, 1);
    for byte in 2..=100 {
        neighbour(&mut table, byte);
    }
    wait(&mut table, 59);
    let told: usize = heard(&mut table, first)
        .iter()
        .map(|it| match it {
            Introduction::Peers { added, .. } => added.len(),
            Introduction::Step { .. } => 0,
        })
        .sum();
    assert!((40..50).contains(&told), "{told}");
}

#[test]
fn what_two_neighbours_say_is_carried_as_it_is_and_answered_once() {
    let mut table = table(config());
    let [a, b] = [1, 2].map(|byte| neighbour(&mut table, byte));
    step(&mut table, a, false, peer(2), 7, offer(peer(1)));
    assert_eq!(only_step(&mut table, b), (true, peer(1), 7, offer(peer(1))));
    let answer = Step::Answer(sdp(peer(2)));
    step(&mut table, b, false, peer(1), 8, answer.clone());
    step(&mut table, b, false, peer(1), 7, answer.clone());
    assert_eq!(only_step(&mut table, a), (true, peer(2), 7, answer.clone()));
    step(&mut table, b, false, peer(1), 7, answer);
    assert_eq!(heard(&mut table, a), []);
    // Either may end it, and nobody else.
    let c = neighbour(&mut table, 3);
    for (n, ends) in [(8, a), (9, b)] {
        step(&mut table, a, false, peer(2), n, offer(peer(1)));
        only_step(&mut table, b);
        let (to, from) = if ends == a {
            (b, peer(2))
        } else {
            (a, peer(1))
        };
        step(&mut table, c, false, from, n, end(Unlinked::Busy));
        step(&mut table, ends, false, from, n, end(Unlinked::Unwanted));
        let (carried, _, number, ended) = only_step(&mut table, to);
        assert_eq!((carried, number, ended), (true, n, end(Unlinked::Unwanted)));
    }
    assert_eq!(heard(&mut table, c), []);
}

#[test]
fn what_is_not_carried_is_named() {
    let mut table = table(config());
    let [a, b] = [1, 2].map(|byte| neighbour(&mut table, byte));
    table.link(peer(3), None);
    let refused = |table: &mut Table, to: u8| {
        step(table, a, false, peer(to), 7, offer(peer(1)));
        let (carried, from, n, step) = only_step(table, a);
        assert_eq!((carried, from, n), (true, peer(to), 7));
        step
    };
    assert_eq!(refused(&mut table, 9), end(Unlinked::NoSuchPeer));
    assert_eq!(refused(&mut table, 1), end(Unlinked::NoSuchPeer));
    assert_eq!(refused(&mut table, 3), end(Unlinked::NoSupport));
    wait(&mut table, 1);
    heard(&mut table, a);
    step(&mut table, a, false, peer(2), 1, offer(peer(1)));
    table.break_channel(b);
    let gone = (true, peer(2), 1, end(Unlinked::NotConnected));
    assert_eq!(only_step(&mut table, a), gone);
    assert_eq!(refused(&mut table, 2), end(Unlinked::NotConnected));
    // Nobody who is not linked directly has anything carried.
    let relayed = table.open(0, swarm_core::engine::PeerPath::Relay, 8);
    step(&mut table, relayed, false, peer(1), 1, offer(peer(8)));
    assert_eq!(heard(&mut table, a), []);
}

#[test]
fn no_more_is_carried_for_one_than_it_may_have() {
    let mut config = config();
    config.max_peers = 60;
    let mut table = table(config);
    let a = neighbour(&mut table, 1);
    let others: Vec<usize> = (10..40).map(|byte| neighbour(&mut table, byte)).collect();
    let ask = |table: &mut Table, to: usize, n: u32| {
        let target = peer(10 + u8::try_from(to).unwrap());
        step(table, a, false, target, n, offer(peer(1)));
        let busy = heard(table, a)
            .into_iter()
            .any(|it| matches!(it, Introduction::Step { step, .. } if step == end(Unlinked::Busy)));
        let carried = heard(table, others[to])
            .into_iter()
            .any(|it| matches!(it, Introduction::Step { attempt, .. } if attempt == n));
        assert_ne!(busy, carried);
        carried
    };
    // Eight that nobody answers.
    let carried = (0..9).filter(|to| ask(&mut table, *to, 1)).count();
    assert_eq!(carried, 8);
    // They are forgotten, but ten in a minute is the most.
    wait(&mut table, 16);
    let carried = (10..20).filter(|to| ask(&mut table, *to, 2)).count();
    assert_eq!(carried, 1);
    wait(&mut table, 61);
    assert!(ask(&mut table, 21, 3));
    // Nor is anybody given more than that, whoever asks.
    wait(&mut table, 61);
    let target = neighbour(&mut table, 50);
    let mut given = 0;
    for (byte, asker) in (10..30).zip(&others) {
        let its_own = peer(byte);
        step(&mut table, *asker, false, peer(50), 1, offer(its_own));
        given += heard(&mut table, target).len();
    }
    assert_eq!(given, 10);
}

#[test]
fn an_offer_that_is_not_of_whom_it_is_said_to_be_reaches_no_browser() {
    let mut table = table(config());
    let carrier = neighbour(&mut table, 1);
    let refused = |table: &mut Table, n: u32| match only_step(table, carrier) {
        (false, _, number, Step::End(why)) if number == n => why,
        other => panic!("{other:?}"),
    };
    let two = sdp(peer(5)) + &sdp(peer(1));
    for (n, description) in [(1, sdp(peer(1))), (2, two), (3, "v=0\r\n".to_owned())] {
        let offer = Step::Offer(description);
        step(&mut table, carrier, true, peer(5), n, offer);
        assert_eq!(refused(&mut table, n), Unlinked::Unwanted);
    }
    // Nor one of somebody who is here.
    step(&mut table, carrier, true, peer(1), 4, offer(peer(1)));
    assert_eq!(refused(&mut table, 4), Unlinked::Unwanted);
    assert_eq!(table.directs(), []);
    // One that is right does, and four of them at once are the most.
    for byte in 5..10 {
        let n = u32::from(byte);
        step(&mut table, carrier, true, peer(byte), n, offer(peer(byte)));
        match byte {
            9 => assert_eq!(refused(&mut table, n), Unlinked::Busy),
            _ => assert_eq!(table.directs(), [DirectWork::Answer(sdp(peer(byte)))]),
        }
    }
    // What it sends beyond ten in a minute is not looked at.
    step(&mut table, carrier, true, peer(60), 90, offer(peer(60)));
    refused(&mut table, 90);
    wait(&mut table, 16);
    table.directs();
    heard(&mut table, carrier);
    step(&mut table, carrier, true, peer(61), 91, offer(peer(61)));
    assert_eq!(refused(&mut table, 91), Unlinked::Busy);
    wait(&mut table, 61);
    step(&mut table, carrier, true, peer(61), 92, offer(peer(61)));
    assert_eq!(table.directs(), [DirectWork::Answer(sdp(peer(61)))]);
}

/// A neighbour tells of these.
fn tell(table: &mut Table, from: usize, bytes: &[u8]) {
    let added = bytes.iter().map(|byte| (peer(*byte), false)).collect();
    let dropped = Vec::new();
    say(table, from, &Introduction::Peers { added, dropped });
}

/// What the engine wants links for, each of which the host describes.
fn offers(table: &mut Table) -> Vec<DirectId> {
    let offers = table.numbered_directs().into_iter();
    let offers = offers.filter(|(_, work)| *work == DirectWork::Offer);
    let offers: Vec<DirectId> = offers.map(|(id, _)| id).collect();
    for id in &offers {
        table.direct_news(*id, DirectNews::Described(sdp(US)));
    }
    offers
}

#[test]
fn an_answer_of_somebody_else_is_not_taken_and_whoever_brings_such_is_asked_no_more() {
    let mut table = table(config());
    let carrier = neighbour(&mut table, 1);
    let mut altered = 0;
    for round in 0..10 {
        tell(&mut table, carrier, &[20 + round]);
        wait(&mut table, 6);
        for id in offers(&mut table) {
            let (carried, target, n, _) = only_step(&mut table, carrier);
            assert_eq!((carried, target, n), (false, peer(20 + round), id.attempt));
            let answer = Step::Answer(sdp(peer(1)));
            step(&mut table, carrier, true, target, n, answer);
            assert_eq!(table.directs(), [DirectWork::Drop]);
            altered += 1;
        }
    }
    assert_eq!(altered, 3);
    // The same name is good when somebody else carries, and so is the answer.
    let honest = neighbour(&mut table, 2);
    tell(&mut table, honest, &[20]);
    wait(&mut table, 6);
    assert_eq!(offers(&mut table).len(), 1);
    let (_, target, n, said) = only_step(&mut table, honest);
    assert_eq!((target, said), (peer(20), offer(US)));
    let answer = Step::Answer(sdp(peer(20)));
    // Only from where it was asked.
    step(&mut table, carrier, true, target, n, answer.clone());
    assert_eq!(table.directs(), []);
    step(&mut table, honest, true, target, n, answer.clone());
    step(&mut table, honest, true, target, n, answer);
    assert_eq!(table.directs(), [DirectWork::Accept(sdp(peer(20)))]);
}

#[test]
fn a_link_that_failed_is_over_at_the_host_and_the_other_end_hears_of_it() {
    let mut table = table(config());
    let carrier = neighbour(&mut table, 1);
    tell(&mut table, carrier, &[20]);
    wait(&mut table, 6);
    let [link] = offers(&mut table)[..] else {
        panic!("one of whom it was told");
    };
    only_step(&mut table, carrier);
    table.direct_news(link, DirectNews::Failed);
    let said = only_step(&mut table, carrier);
    let ending = end(Unlinked::Unwanted);
    assert_eq!(said, (false, peer(20), link.attempt, ending));
    wait(&mut table, 20);
    assert_eq!(table.directs(), []);
}

#[test]
fn names_without_end_cost_a_few_tries_a_minute() {
    let mut table = table(config());
    let liar = neighbour(&mut table, 1);
    let mut tried = 0;
    let mut next = 2;
    for _ in 0..60 {
        let bytes: Vec<u8> = (next..next + 8).collect();
        next = if next > 230 { 2 } else { next + 8 };
        tell(&mut table, liar, &bytes);
        wait(&mut table, 5);
        let begun = offers(&mut table);
        assert!(begun.len() <= 4);
        tried += begun.len();
    }
    assert!((4..=5 * 10 + 4).contains(&tried), "{tried}");
    assert_eq!(table.closed(liar), None);
    // More than it may say at all.
    for _ in 0..200 {
        tell(&mut table, liar, &[2]);
    }
    let closed = table.closed(liar).unwrap();
    assert!(closed.contains("more than it may"), "{closed}");
}

#[test]
fn of_two_that_offer_to_each_other_one_goes_on() {
    // The lower fingerprint's offer is the one that counts, and both see it so.
    for (theirs, taken) in [(peer(0x11), true), (peer(0xff), false)] {
        let mut table = table(config());
        let carrier = neighbour(&mut table, 1);
        tell(&mut table, carrier, &[theirs.0[0]]);
        wait(&mut table, 1);
        let ours = offers(&mut table);
        assert_eq!(ours.len(), 1);
        heard(&mut table, carrier);
        step(&mut table, carrier, true, theirs, 70, offer(theirs));
        if taken {
            let answer = DirectWork::Answer(sdp(theirs));
            assert_eq!(table.directs(), [DirectWork::Drop, answer]);
        } else {
            assert_eq!(table.directs(), []);
            let refused = (false, theirs, 70, end(Unlinked::Unwanted));
            assert_eq!(only_step(&mut table, carrier), refused);
        }
    }
}

#[test]
fn twelve_links_are_kept_where_there_are_so_many_and_no_more_asked_for() {
    let mut table = table(config());
    let first = neighbour(&mut table, 1);
    let mut linked = 1;
    for round in 0..20 {
        tell(&mut table, first, &[20 + round]);
        wait(&mut table, 6);
        for id in offers(&mut table) {
            let (_, target, n, _) = only_step(&mut table, first);
            let answer = Step::Answer(sdp(target));
            step(&mut table, first, true, target, n, answer);
            table.direct_news(id, DirectNews::Linked);
            neighbour(&mut table, target.0[0]);
            linked += 1;
        }
        heard(&mut table, first);
    }
    assert_eq!(linked, 12);
}
