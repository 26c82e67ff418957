//! What ordinary clients notice of the hub.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::testing::{SWARM, Scene, announce as tab_announce};
use super::{ConnId, HubConfig, HubInput, HubOutput, HubStats, TrackerQuestion, TrackerReply};
use crate::id::{InfoHash, PeerId};
use crate::wire::tracker::http::Announced;
use crate::wire::tracker::{Announce, Counts, Event};

/// Beyond the numbers of connections.
const ASKS: u64 = 1 << 40;

fn announce(port: u16) -> Announce {
    Announce {
        info_hash: SWARM,
        peer_id: PeerId([1; 20]),
        port,
        uploaded: 0,
        downloaded: 0,
        left: Some(1),
        event: Event::Update,
        numwant: None,
        key: None,
    }
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

impl Scene {
    fn ask(&mut self, from: &str, question: TrackerQuestion) -> TrackerReply {
        self.handle(HubInput::Asked(ConnId(ASKS), ip(from), question));
        match self.told(ASKS).pop() {
            Some(HubOutput::Reply(reply)) => reply,
            other => panic!("instead of a reply: {other:?}"),
        }
    }

    fn announced(&mut self, from: &str, announce: Announce) -> Announced {
        let both_families = true;
        let question = TrackerQuestion::Announce {
            announce,
            both_families,
        };
        match self.ask(from, question) {
            TrackerReply::Announced(announced) => announced,
            other => panic!("instead of peers: {other:?}"),
        }
    }

    /// Of whom one hears.
    fn peers(&mut self, from: &str, announce: Announce) -> Vec<SocketAddr> {
        let announced = self.announced(from, announce);
        let addresses = announced.peers.iter().map(|peer| peer.address);
        addresses.collect()
    }
}

fn scene() -> Scene {
    Scene::new(HubConfig::default())
}

#[test]
fn ordinary_clients_hear_of_each_other_by_address() {
    let mut scene = scene();
    assert_eq!(scene.peers("192.0.2.1", announce(1)), []);
    let told = scene.announced("192.0.2.2", announce(2));
    assert_eq!(told.peers[0].address, "192.0.2.1:1".parse().unwrap());
    assert_eq!(told.external, Some(ip("192.0.2.2")));
    assert_eq!((told.interval, told.incomplete), (900, Some(2)));
    let seed = Announce {
        left: Some(0),
        event: Event::Completed,
        ..announce(2)
    };
    scene.announced("::ffff:192.0.2.2", seed.clone());
    let told = scene.announced("192.0.2.2", seed);
    let counts = (told.complete, told.incomplete, told.downloaded);
    assert_eq!(counts, (Some(1), Some(1), Some(1)));
    // And tabs are not told of them.
    scene.join(1);
    assert_eq!(scene.announce(1, tab_announce()).incomplete, 1);
    assert_eq!(scene.hub.stats().swarms, 1);
}

#[test]
fn addresses_of_the_other_family_come_where_they_are_wanted() {
    let mut scene = scene();
    scene.announced("2001:db8::1", announce(6));
    assert_eq!(
        scene.peers("192.0.2.1", announce(1)),
        ["[2001:db8::1]:6".parse().unwrap()]
    );
    let announce = announce(1);
    let both_families = false;
    let reply = scene.ask(
        "192.0.2.2",
        TrackerQuestion::Announce {
            announce,
            both_families,
        },
    );
    let TrackerReply::Announced(announced) = reply else {
        panic!("instead of peers: {reply:?}");
    };
    let addresses: Vec<_> = announced.peers.iter().map(|peer| peer.address).collect();
    assert_eq!(addresses, ["192.0.2.1:1".parse().unwrap()]);
}

#[test]
fn who_stops_or_does_not_announce_is_gone() {
    let mut scene = scene();
    scene.announced("192.0.2.1", announce(1));
    scene.announced("192.0.2.2", announce(2));
    let stopped = Announce {
        event: Event::Stopped,
        ..announce(1)
    };
    assert_eq!(scene.peers("192.0.2.1", stopped), []);
    assert_eq!(
        scene.peers("192.0.2.3", announce(3)),
        ["192.0.2.2:2".parse().unwrap()]
    );
    scene.wait(1000);
    scene.announced("192.0.2.3", announce(3));
    scene.wait(350);
    assert_eq!(scene.hub.stats().memberships, 1);
    assert_eq!(scene.peers("192.0.2.3", announce(3)), []);
    scene.wait(1350);
    scene.wait(60);
    assert_eq!(scene.hub.stats(), HubStats::default());
    assert_eq!(scene.hub.poll_timeout(), None);
}

#[test]
fn one_without_a_port_hears_and_is_not_told_of() {
    let mut scene = scene();
    scene.announced("192.0.2.1", announce(1));
    assert_eq!(scene.peers("192.0.2.2", announce(0)).len(), 1);
    assert_eq!(scene.hub.stats().memberships, 1);
}

#[test]
fn swarms_are_scraped_known_or_not() {
    let mut scene = scene();
    scene.announced("192.0.2.1", announce(1));
    let unknown = InfoHash([9; 20]);
    let swarms = vec![SWARM, unknown];
    let counts = Counts {
        incomplete: 1,
        ..Counts::default()
    };
    let scraped = [(SWARM, counts), (unknown, Counts::default())].into();
    assert_eq!(
        scene.ask("192.0.2.1", TrackerQuestion::Scrape { swarms }),
        TrackerReply::Scraped(scraped)
    );
}

#[test]
fn an_address_has_its_share_of_places_and_of_work() {
    let mut scene = Scene::new(HubConfig {
        max_memberships: 4,
        ..HubConfig::default()
    });
    for port in 1..=2 {
        scene.announced("192.0.2.1", announce(port));
    }
    let question = |port| TrackerQuestion::Announce {
        announce: announce(port),
        both_families: true,
    };
    let refused = scene.ask("192.0.2.1", question(3));
    assert!(
        matches!(&refused, TrackerReply::Refused(why) if why.contains("share")),
        "{refused:?}"
    );
    scene.announced("192.0.2.2", announce(3));
    // Whoever is there may stay.
    scene.announced("192.0.2.1", announce(1));

    let mut scene = Scene::new(HubConfig {
        work_per_source: Duration::from_millis(1),
        work_burst: Duration::from_millis(1),
        ..HubConfig::default()
    });
    let mut answered = 0;
    while matches!(
        scene.ask("192.0.2.1", question(1)),
        TrackerReply::Announced(_)
    ) {
        answered += 1;
        assert!(answered < 1000);
    }
    assert!(answered > 5, "{answered}");
    assert!(scene.hub.stats().limited.work > 0);
    scene.announced("192.0.2.2", announce(1));
    scene.wait(1);
    scene.announced("192.0.2.1", announce(1));
}

#[test]
fn who_announces_stays_and_who_is_silent_leaves() {
    let mut scene = scene();
    scene.announced("192.0.2.1", announce(1));
    scene.announced("192.0.2.2", announce(2));
    scene.wait(1000);
    scene.announced("192.0.2.1", announce(1));
    scene.wait(1000);
    // One that takes no connections only asks.
    let first = "192.0.2.1:1".parse().unwrap();
    assert_eq!(scene.peers("192.0.2.3", announce(0)), [first]);
    scene.wait(349);
    assert_eq!(scene.hub.stats().memberships, 1);
    scene.wait(2);
    let HubStats {
        swarms,
        memberships,
        ..
    } = scene.hub.stats();
    assert_eq!((swarms, memberships), (0, 0));
    assert_eq!(scene.hub.poll_timeout(), None);
}

#[test]
fn a_swarm_outlives_whoever_it_was_charged_to() {
    let mut scene = scene();
    scene.announced("192.0.2.1", announce(1));
    scene.join(1);
    scene.announced("192.0.2.2", announce(2));
    let stopped = |port| Announce {
        event: Event::Stopped,
        ..announce(port)
    };
    scene.announced("192.0.2.1", stopped(1));
    scene.disconnect(1);
    assert_eq!(scene.hub.stats().swarms, 1);
    assert_eq!(scene.peers("192.0.2.3", announce(0)).len(), 1);
    scene.announced("192.0.2.2", stopped(2));
    assert_eq!(scene.hub.stats().swarms, 0);
}
