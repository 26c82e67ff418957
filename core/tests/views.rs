//! What a viewer is told: everything once, then only what is new.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod script;

use script::Stage;
use swarm_core::engine::view::{Changes, HaveChange, Known, SwarmChanges, SwarmKnown};
use swarm_core::engine::view::{SwarmTold, Told};
use swarm_core::engine::{Command, Config, Resume};
use swarm_core::node::Input;
use swarm_core::pieces::Priority;
use swarm_core::wire::peer::Message;

/// Somebody who looks at the stage's torrent.
#[derive(Default)]
struct Viewer {
    told: Told,
    known: Known,
}

impl Viewer {
    fn looks(&mut self, stage: &Stage) -> Option<Changes> {
        let contents = stage.engine.contents(stage.info_hash()).unwrap();
        let changes = self.told.news(&contents);
        self.known.learn(changes.clone().unwrap_or_default());
        changes
    }
}

#[test]
fn a_viewer_is_told_of_each_piece_once_and_of_the_files_never_again() {
    let mut stage = Stage::new(Config::default(), 100, &[7]);
    let mut viewer = Viewer::default();
    let first = viewer.looks(&stage).unwrap();
    assert_eq!(first.description.unwrap().pieces, 100);
    assert_eq!(viewer.looks(&stage), None, "nothing happened");

    let seed = stage.seed();
    let asked = stage.requests(seed);
    let piece = asked[0].piece;
    let (here, later): (Vec<_>, Vec<_>) = asked.into_iter().partition(|b| b.piece == piece);
    assert!(!later.is_empty());
    for block in here {
        stage.send_block(seed, block, true);
    }
    let changes = viewer.looks(&stage).unwrap();
    assert_eq!(changes.have, Some(HaveChange::Toggled(vec![piece])));
    assert!(changes.in_progress.is_some());
    assert_eq!((changes.description, changes.priorities), (None, None));

    stage.command(Command::SetPriorities(
        stage.info_hash(),
        vec![Priority::Skip],
    ));
    let changes = viewer.looks(&stage).unwrap();
    assert_eq!(changes.priorities, Some(vec![Priority::Skip]));
    assert_eq!((changes.description, changes.have), (None, None));

    stage.feed(Input::Lost {
        info_hash: stage.info_hash(),
        pieces: stage.pieces(&[7]),
    });
    let changes = viewer.looks(&stage).unwrap();
    assert_eq!(changes.have, Some(HaveChange::Toggled(vec![7])));
    assert_eq!(viewer.known, stage.known());
}

#[test]
fn a_viewer_of_a_link_hears_what_it_is_when_that_is_known() {
    let mut stage = Stage::from_link(Config::default());
    let mut viewer = Viewer::default();
    let info_hash = stage.info_hash();
    let changes = viewer.looks(&stage).unwrap();
    assert_eq!(changes.description.unwrap().name, info_hash.to_string());
    assert_eq!(changes.have, None, "nobody knows how many pieces there are");

    stage.command(Command::Remove(info_hash));
    stage.command(Command::AddTorrent {
        metainfo: stage.metainfo().clone(),
        resume: Resume::Nothing,
        paused: false,
    });
    let changes = viewer.looks(&stage).unwrap();
    assert_eq!(changes.description.unwrap().files.len(), 1000);
    assert_eq!(changes.have, Some(HaveChange::All(vec![0])));
}

/// Somebody who looks at the swarm of the stage's torrent.
#[derive(Default)]
struct Watcher {
    told: SwarmTold,
    known: SwarmKnown,
}

impl Watcher {
    fn looks(&mut self, stage: &Stage) -> Option<SwarmChanges> {
        let contents = stage.engine.contents(stage.info_hash()).unwrap();
        let peers = stage.engine.peers(stage.now, stage.info_hash());
        let changes = self.told.news(&contents, &peers);
        if let Some(changes) = changes.clone() {
            self.known.learn(changes);
        }
        changes
    }

    /// It knows what somebody knows who comes now.
    fn knows_all(&self, stage: &Stage) -> bool {
        let mut fresh = Watcher::default();
        fresh.looks(stage);
        fresh.known == self.known
    }
}

#[test]
fn a_watcher_is_told_who_comes_and_goes_and_of_each_piece_that_a_peer_gets_once() {
    let mut stage = Stage::new(Config::default(), 100, &[7]);
    let mut watcher = Watcher::default();
    let first = watcher.looks(&stage).unwrap();
    assert_eq!((first.pieces, first.peers.len()), (100, 0));
    assert_eq!(watcher.looks(&stage), None, "nothing happened");

    let seed = stage.seed();
    let leecher = stage.leecher();
    let changes = watcher.looks(&stage).unwrap();
    assert_eq!(changes.have, None, "that was told before");
    let shown: Vec<_> = changes.peers.iter().map(|peer| &peer.view).collect();
    assert_eq!(shown, stage.torrent().peers.iter().collect::<Vec<_>>());
    assert!(shown[0].unchoked_us && shown[0].progress >= 1.0);
    assert!(matches!(changes.peers[0].have, Some(HaveChange::All(_))));
    assert_eq!(watcher.known.peers[0].have[..3], [0xff; 3]);

    stage.say(leecher, &Message::Have(9));
    let changes = watcher.looks(&stage).unwrap();
    let news: Vec<_> = changes.peers.iter().map(|peer| peer.have.clone()).collect();
    assert_eq!(news, [None, Some(HaveChange::Toggled(vec![9]))]);
    assert!(watcher.knows_all(&stage));

    let number = changes.peers[1].session;
    stage.again(seed);
    stage.say(leecher, &Message::Have(10));
    watcher.looks(&stage);
    let found = watcher.known.peers.iter().find(|it| it.session == number);
    assert_eq!(found.unwrap().have[..2], [0, 0b0110_0000]);
    assert!(watcher.knows_all(&stage));
}
