//! What those who speak WebTorrent's protocol notice of the hub, and of others there.

use std::collections::BTreeMap;
use std::time::Duration;

use super::testing::{SWARM, Scene, announce as tab_announce, source};
use super::{ConnId, HubConfig, HubInput, HubOutput, HubStats};
use crate::id::{InfoHash, MemberId, PeerId};
use crate::time::Time;
use crate::wire::relay::{self, ServerMessage as ToTab, Signal, Signalled};
use crate::wire::tracker::{Counts, Event};
use crate::wire::webtorrent::{Announce, Answer, ClientMessage, Offer, OfferId, ServerMessage};

/// Each is called by its connection.
fn peer_id(conn: u64) -> PeerId {
    PeerId([u8::try_from(conn).unwrap(); 20])
}

fn offer(number: u8) -> Offer {
    Offer {
        id: OfferId([number; 20]),
        sdp: format!("offer {number}"),
    }
}

/// A leecher with so many offers.
fn announce(conn: u64, offers: u8) -> Announce {
    Announce {
        info_hash: SWARM,
        peer_id: peer_id(conn),
        uploaded: 0,
        downloaded: 0,
        left: Some(1),
        event: Event::Update,
        numwant: None,
        offers: (0..offers).map(offer).collect(),
    }
}

impl Scene {
    fn connect_webtorrent(&mut self, conn: u64) {
        let conn = ConnId(conn);
        self.handle(HubInput::ConnectedWebTorrent(conn, source(conn.0)));
    }

    fn say(&mut self, conn: u64, message: ClientMessage) {
        self.handle(HubInput::WebTorrent(ConnId(conn), message));
    }

    fn join_webtorrent(&mut self, conn: u64) {
        self.connect_webtorrent(conn);
        self.say(conn, ClientMessage::Announce(announce(conn, 0)));
        self.heard(conn);
    }

    fn answer(&mut self, conn: u64, to: PeerId, id: OfferId) {
        let answer = Answer {
            info_hash: SWARM,
            peer_id: peer_id(conn),
            to,
            id,
            sdp: "answer".to_owned(),
        };
        self.say(conn, ClientMessage::Answer(answer));
    }

    fn heard(&mut self, conn: u64) -> Vec<ServerMessage> {
        let message = |output| match output {
            HubOutput::WebTorrent(message) => message,
            other => panic!("not of WebTorrent's protocol: {other:?}"),
        };
        self.told(conn).into_iter().map(message).collect()
    }

    /// The offers that one was given: by whom, and which.
    fn offers(&mut self, conn: u64) -> Vec<(PeerId, Offer)> {
        let offer = |message| match message {
            ServerMessage::Offer { peer_id, offer, .. } => Some((peer_id, offer)),
            _ => None,
        };
        self.heard(conn).into_iter().filter_map(offer).collect()
    }
}

fn scene(members: std::ops::RangeInclusive<u64>) -> Scene {
    let mut scene = Scene::new(HubConfig::default());
    members.for_each(|conn| scene.join_webtorrent(conn));
    scene
}

#[test]
fn offers_go_to_different_members_and_answers_come_back() {
    let mut scene = scene(1..=4);
    scene.say(1, ClientMessage::Announce(announce(1, 5)));
    let announced = ServerMessage::Announced {
        info_hash: SWARM,
        interval: 120,
        complete: 0,
        incomplete: 4,
    };
    assert_eq!(scene.heard(1), [announced]);
    let mut seen = Vec::new();
    for conn in 2..=4 {
        let given = scene.offers(conn);
        let [(from, offer)] = &given[..] else {
            panic!("one offer each: {given:?}");
        };
        assert_eq!(*from, peer_id(1));
        assert!(!seen.contains(&offer.id));
        seen.push(offer.id);
        // Whom it names does not matter: the offer does.
        scene.answer(conn, PeerId([99; 20]), offer.id);
        let answer = ServerMessage::Answer {
            info_hash: SWARM,
            peer_id: peer_id(conn),
            id: offer.id,
            sdp: "answer".to_owned(),
        };
        assert_eq!(scene.heard(1), [answer]);
        scene.answer(conn, peer_id(1), offer.id);
        assert_eq!(scene.heard(1), [], "an offer is answered once");
    }
    let stats = scene.hub.stats();
    assert_eq!((stats.offers, stats.answers), (3, 3));
}

#[test]
fn an_answer_to_what_one_was_not_offered_goes_to_nobody() {
    let mut scene = scene(1..=2);
    scene.say(1, ClientMessage::Announce(announce(1, 1)));
    scene.join_webtorrent(3);
    scene.heard(1);
    scene.answer(3, peer_id(1), OfferId([0; 20]));
    scene.answer(2, peer_id(1), OfferId([7; 20]));
    assert_eq!(scene.heard(1), []);
    scene.wait(60);
    scene.answer(2, peer_id(1), OfferId([0; 20]));
    assert_eq!(scene.heard(1), [], "it is too late");
}

#[test]
fn nobody_is_offered_what_would_cross() {
    let mut scene = scene(1..=2);
    scene.say(1, ClientMessage::Announce(announce(1, 5)));
    assert_eq!(scene.offers(2).len(), 1);
    scene.say(2, ClientMessage::Announce(announce(2, 5)));
    scene.say(1, ClientMessage::Announce(announce(1, 5)));
    assert_eq!((scene.offers(1), scene.offers(2)), (vec![], vec![]));
    scene.wait(59);
    scene.say(2, ClientMessage::Announce(announce(2, 5)));
    assert_eq!(scene.offers(1), []);
    scene.wait(1);
    scene.say(2, ClientMessage::Announce(announce(2, 5)));
    assert_eq!(scene.offers(1).len(), 1);
}

#[test]
fn seeds_and_those_who_want_few_are_heeded() {
    let mut scene = scene(1..=3);
    let seed = |conn, offers| Announce {
        left: Some(0),
        ..announce(conn, offers)
    };
    scene.say(2, ClientMessage::Announce(seed(2, 0)));
    scene.say(1, ClientMessage::Announce(seed(1, 5)));
    assert_eq!((scene.offers(2).len(), scene.offers(3).len()), (0, 1));
    let few = Announce {
        numwant: Some(0),
        ..announce(3, 5)
    };
    scene.say(3, ClientMessage::Announce(few));
    assert_eq!(scene.offers(2), []);
}

#[test]
fn who_stops_or_goes_is_gone_and_completed_is_counted_once() {
    let mut scene = scene(1..=3);
    let completed = Announce {
        left: Some(0),
        event: Event::Completed,
        ..announce(1, 0)
    };
    scene.say(1, ClientMessage::Announce(completed.clone()));
    scene.say(1, ClientMessage::Announce(completed));
    let stopped = Announce {
        event: Event::Stopped,
        ..announce(2, 5)
    };
    scene.say(2, ClientMessage::Announce(stopped));
    assert_eq!(scene.heard(2), []);
    scene.heard(1);
    let unknown = InfoHash([8; 20]);
    let swarms = vec![SWARM, unknown];
    scene.say(1, ClientMessage::Scrape { swarms });
    let counts = Counts {
        complete: 1,
        downloaded: 1,
        incomplete: 1,
    };
    let scraped = [(SWARM, counts), (unknown, Counts::default())];
    assert_eq!(scene.heard(1), [ServerMessage::Scraped(scraped.into())]);
    scene.disconnect(3);
    scene.say(1, ClientMessage::Announce(announce(1, 1)));
    assert_eq!(scene.hub.stats().memberships, 1);
}

#[test]
fn tabs_and_webtorrent_share_a_swarm_and_hear_of_their_own_kind() {
    let mut scene = scene(1..=2);
    scene.join(10);
    let peers = scene.announce(10, tab_announce());
    assert_eq!((peers.incomplete, peers.members.len()), (1, 0));
    assert_eq!(scene.hub.stats().swarms, 1);
    assert_eq!(scene.hub.stats().memberships, 3);
    scene.disconnect(1);
    scene.disconnect(2);
    assert_eq!(scene.hub.stats().swarms, 1);
    scene.disconnect(10);
    scene.wait(300);
    assert_eq!(scene.hub.stats(), HubStats::default());
    assert_eq!(scene.hub.poll_timeout(), None);
}

#[test]
fn bounds_are_told_as_failures_that_name_the_swarm() {
    let mut scene = Scene::new(HubConfig {
        max_swarms_per_connection: 1,
        work_per_source: Duration::from_micros(1),
        work_burst: Duration::from_micros(1),
        ..HubConfig::default()
    });
    scene.join_webtorrent(1);
    let other = Announce {
        info_hash: InfoHash([9; 20]),
        ..announce(1, 0)
    };
    scene.say(1, ClientMessage::Announce(other));
    let told = scene.heard(1);
    let [ServerMessage::Failure { info_hash, reason }] = &told[..] else {
        panic!("instead of a failure: {told:?}");
    };
    assert_eq!(*info_hash, InfoHash([9; 20]));
    assert!(reason.contains("as many swarms"));
    let paused = scene.hub.paused_until(scene.now, ConnId(1));
    assert!(paused.is_some(), "it is slowed down as tabs are");
    scene.say(1, ClientMessage::Announce(announce(1, 0)));
    let told = scene.heard(1);
    assert!(
        matches!(told[..], [ServerMessage::Announced { .. }]),
        "{told:?}"
    );
}

#[test]
fn who_is_offered_too_much_is_not() {
    let mut scene = Scene::new(HubConfig {
        max_offers: 2,
        ..HubConfig::default()
    });
    (1..=5).for_each(|conn| scene.join_webtorrent(conn));
    scene.say(1, ClientMessage::Announce(announce(1, 5)));
    assert_eq!(scene.hub.stats().offers, 2);
    assert_eq!(scene.hub.stats().limited.held_back, 2);
}

#[test]
fn whoever_announces_no_two_offers_cross_within_a_minute() {
    arbtest::arbtest(|u| {
        let mut scene = scene(1..=5);
        let mut last: BTreeMap<[PeerId; 2], Time> = BTreeMap::new();
        for _ in 0..u.int_in_range(0..=20)? {
            let conn = u.int_in_range(1..=5)?;
            match u.int_in_range(0..=9)? {
                0 => {
                    scene.disconnect(conn);
                    scene.join_webtorrent(conn);
                    last.retain(|pair, _| !pair.contains(&peer_id(conn)));
                }
                1..=3 => scene.wait(u.int_in_range(0..=40)?),
                _ => {
                    let mut announce = announce(conn, u.int_in_range(0..=6)?);
                    announce.left = Some(u.int_in_range(0..=1)?);
                    scene.say(conn, ClientMessage::Announce(announce));
                }
            }
            for to in 1..=5 {
                for (from, _) in scene.offers(to) {
                    let mut pair = [from, peer_id(to)];
                    pair.sort();
                    let before = last.insert(pair, scene.now);
                    let memory = Duration::from_secs(60);
                    assert!(before.is_none_or(|it| scene.now.saturating_since(it) >= memory));
                }
            }
        }
        (1..=5).for_each(|conn| scene.disconnect(conn));
        scene.wait(60);
        assert_eq!(scene.hub.poll_timeout(), None);
        assert_eq!(scene.hub.stats().memberships, 0);
        Ok(())
    });
}

/// A tab that takes offers.
fn rtc(conn: u64) -> relay::Announce {
    relay::Announce {
        peer_id: peer_id(conn),
        rtc: true,
        ..tab_announce()
    }
}

fn signal(number: u8, sdp: &str) -> Signal {
    Signal {
        info_hash: SWARM,
        id: OfferId([number; 20]),
        sdp: sdp.to_owned(),
    }
}

#[test]
fn a_tab_that_takes_offers_is_given_them_and_answers() {
    let mut scene = scene(1..=1);
    scene.connect(10);
    scene.announce(10, rtc(10));
    // One that does not is given none.
    scene.join(11);
    scene.say(1, ClientMessage::Announce(announce(1, 5)));
    let told = scene.heard(1);
    let counts = |message: &ServerMessage| match message {
        ServerMessage::Announced { incomplete, .. } => *incomplete,
        other => panic!("instead of the answer: {other:?}"),
    };
    assert_eq!(
        counts(&told[0]),
        2,
        "it is one of them to those that can reach it"
    );
    assert_eq!(scene.told(11), []);
    let offered = Signalled {
        info_hash: SWARM,
        member: MemberId(1),
        peer_id: peer_id(1),
        id: OfferId([0; 20]),
        sdp: "offer 0".to_owned(),
    };
    assert_eq!(scene.told(10), [HubOutput::Send(ToTab::Offer(offered))]);
    scene.send(10, relay::ClientMessage::Answer(signal(0, "answer")));
    let answered = ServerMessage::Answer {
        info_hash: SWARM,
        peer_id: peer_id(10),
        id: OfferId([0; 20]),
        sdp: "answer".to_owned(),
    };
    assert_eq!(scene.heard(1), [answered]);
    // It says no more that it takes any.
    scene.wait(60);
    scene.announce(10, tab_announce());
    scene.say(1, ClientMessage::Announce(announce(1, 5)));
    assert_eq!(scene.told(10), []);
    scene.send(10, relay::ClientMessage::Leave { info_hash: SWARM });
    scene.disconnect(10);
}

#[test]
fn a_tab_hears_for_how_many_an_offer_would_be_and_makes_it() {
    let mut scene = scene(1..=1);
    for conn in [10, 11] {
        scene.connect(conn);
        let peers = scene.announce(conn, rtc(conn));
        assert_eq!(peers.rtc, 1, "tabs reach each other without");
    }
    scene.send(10, relay::ClientMessage::Offer(signal(3, "offer 3")));
    scene.send(10, relay::ClientMessage::Offer(signal(4, "offer 4")));
    assert_eq!(scene.offers(1), [(peer_id(10), offer(3))]);
    assert_eq!((scene.told(10), scene.told(11)), (vec![], vec![]));
    assert_eq!(scene.announce(10, rtc(10)).rtc, 0);
    assert_eq!(scene.announce(10, tab_announce()).rtc, 0);
    // What would cross is for somebody else.
    scene.say(1, ClientMessage::Announce(announce(1, 5)));
    scene.heard(1);
    assert_eq!(scene.told(10), []);
    assert_eq!(scene.told(11).len(), 1);
    scene.answer(1, peer_id(10), OfferId([3; 20]));
    let answered = Signalled {
        info_hash: SWARM,
        member: MemberId(1),
        peer_id: peer_id(1),
        id: OfferId([3; 20]),
        sdp: "answer".to_owned(),
    };
    assert_eq!(scene.told(10), [HubOutput::Send(ToTab::Answer(answered))]);
    // From outside of the swarm nothing is handed on.
    scene.connect(12);
    scene.send(12, relay::ClientMessage::Offer(signal(5, "offer 5")));
    scene.send(12, relay::ClientMessage::Answer(signal(3, "answer")));
    assert_eq!(scene.heard(1), []);
}

#[test]
fn who_leaves_and_comes_back_is_found_again_at_once() {
    let mut scene = scene(1..=1);
    scene.connect(10);
    assert_eq!(scene.announce(10, rtc(10)).rtc, 1);
    scene.send(10, relay::ClientMessage::Offer(signal(3, "offer 3")));
    assert_eq!(scene.offers(1).len(), 1);
    assert_eq!(scene.announce(10, rtc(10)).rtc, 0);
    scene.send(10, relay::ClientMessage::Leave { info_hash: SWARM });
    assert_eq!(scene.announce(10, rtc(10)).rtc, 1);
    scene.send(10, relay::ClientMessage::Offer(signal(4, "offer 4")));
    assert_eq!(scene.offers(1), [(peer_id(10), offer(4))]);
    // What is forgotten of the first does not concern the second.
    scene.wait(59);
    assert_eq!(scene.announce(10, rtc(10)).rtc, 0);
    scene.wait(1);
    assert_eq!(scene.announce(10, rtc(10)).rtc, 1);
}

#[test]
fn a_tab_that_got_everything_is_a_seed_to_all() {
    let mut scene = scene(1..=1);
    scene.connect(10);
    scene.announce(10, rtc(10));
    scene.have(10, &[0], 0);
    let swarms = vec![SWARM];
    scene.say(1, ClientMessage::Scrape { swarms });
    let counts = Counts {
        complete: 1,
        downloaded: 0,
        incomplete: 1,
    };
    let scraped = ServerMessage::Scraped([(SWARM, counts)].into());
    assert_eq!(scene.heard(1), [scraped]);
    scene.disconnect(1);
    scene.disconnect(10);
    scene.wait(60);
    assert_eq!(scene.hub.stats(), HubStats::default());
}

#[test]
fn a_few_are_found_among_many_tabs() {
    let mut scene = scene(1..=1);
    for conn in 10..110 {
        scene.connect(conn);
        let peers = scene.announce(conn, rtc(conn));
        assert_eq!(peers.rtc, 1);
    }
    scene.send(50, relay::ClientMessage::Offer(signal(1, "offer 1")));
    assert_eq!(scene.offers(1).len(), 1);
}
