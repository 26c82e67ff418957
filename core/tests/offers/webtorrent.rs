//! By trackers of WebTorrent's kind, which take offers with an announce.

use swarm_core::engine::{Command, DirectWork, PeerPath, Resume};
use swarm_core::id::InfoHash;
use swarm_core::metainfo::Metainfo;
use swarm_core::node::{Input, LinkInput, WebTorrentInput};
use swarm_core::wire::tracker::Event;
use swarm_core::wire::webtorrent::ServerMessage;

use crate::content;
use crate::pair::Pair;
use crate::tab::{LINK, PIECE, PIECES, Tab, info_hash};

#[test]
fn a_tracker_of_webtorrent_gets_offers_together_and_an_interval_within_reason() {
    let mut tab = Tab::new(1, false);
    tab.feed(Input::WebTorrent(LINK, WebTorrentInput::Up));
    let told = tab.told();
    let [announce] = &told[..] else {
        panic!("not one announce: {told:?}")
    };
    assert_eq!((announce.event, announce.offers.len()), (Event::Started, 0));
    assert_eq!(announce.left, Some(u64::from(PIECE * PIECES)));
    let announced = ServerMessage::Announced {
        info_hash: info_hash(),
        interval: 0,
        complete: 2,
        incomplete: 1,
    };
    tab.feed(Input::WebTorrent(LINK, WebTorrentInput::Message(announced)));
    let direct = tab.take_direct();
    assert_eq!(direct.len(), 2, "as many as may be");
    tab.describe(direct[0].0, "one");
    assert_eq!(tab.told(), []);
    tab.describe(direct[1].0, "two");
    let told = tab.told();
    let [announce] = &told[..] else {
        panic!("not one announce: {told:?}")
    };
    let sdps: Vec<&str> = announce.offers.iter().map(|it| &it.sdp[..]).collect();
    assert_eq!((sdps, announce.numwant), (vec!["one", "two"], Some(2)));
    tab.wait(14);
    assert_eq!(tab.told(), []);
    tab.wait(2);
    assert_eq!(tab.told().len(), 1);
    tab.feed(Input::Link(LINK, LinkInput::Down));
    let dropped = tab.take_direct();
    assert!(dropped.iter().all(|(_, work)| *work == DirectWork::Drop));
    assert_eq!(dropped.len(), 2);
}

#[test]
fn of_connections_that_cross_one_stays_and_carries_everything() {
    let mut pair = Pair::new();
    for tab in &mut pair.tabs {
        tab.feed(Input::WebTorrent(LINK, WebTorrentInput::Up));
    }
    for _ in 0..100 {
        while pair.step() {}
        for tab in &mut pair.tabs {
            tab.wait(1);
        }
    }
    assert!(pair.made > (1 << 16) + 2, "both offered");
    assert_eq!(pair.wires.len(), 2, "one connection, of two ends");
    for tab in &pair.tabs {
        assert_eq!(tab.paths(), [PeerPath::WebTorrent]);
    }
    assert_eq!(pair.tabs[0].store, pair.tabs[1].store);
}

/// Some trackers take only torrents that they know.
#[test]
fn a_tracker_that_refuses_many_torrents_is_kept_for_the_others() {
    let mut tab = Tab::new(1, true);
    let others: Vec<Metainfo> = (0..30)
        .map(|n| content::of_one(&format!("other {n}"), 1000, PIECE, n).0)
        .collect();
    for metainfo in &others {
        tab.feed(Input::Command(Command::AddTorrent {
            metainfo: metainfo.clone(),
            resume: Resume::Nothing,
            paused: false,
        }));
    }
    tab.feed(Input::WebTorrent(LINK, WebTorrentInput::Up));
    for metainfo in &others {
        let refused = ServerMessage::Failure {
            info_hash: metainfo.info_hash(),
            reason: "not one of ours".to_owned(),
        };
        tab.feed(Input::WebTorrent(LINK, WebTorrentInput::Message(refused)));
    }
    assert_eq!(tab.reconnects, 0);
}

#[test]
fn a_tracker_that_babbles_is_given_up_and_gets_another_chance() {
    let mut tab = Tab::new(1, false);
    tab.feed(Input::WebTorrent(LINK, WebTorrentInput::Up));
    assert_eq!(tab.told().len(), 1);
    let nonsense = || {
        WebTorrentInput::Message(ServerMessage::Announced {
            info_hash: InfoHash([7; 20]),
            interval: 120,
            complete: 0,
            incomplete: 1,
        })
    };
    for _ in 0..10_000 {
        tab.feed(Input::WebTorrent(LINK, nonsense()));
    }
    assert_eq!(tab.reconnects, 0, "some of it is borne");
    for _ in 0..50_000 {
        tab.feed(Input::WebTorrent(LINK, nonsense()));
    }
    assert_eq!(tab.reconnects, 1);
    tab.feed(Input::Link(LINK, LinkInput::Down));
    tab.feed(Input::WebTorrent(LINK, WebTorrentInput::Up));
    assert_eq!(tab.told().len(), 1);
}
