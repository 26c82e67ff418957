//! Scenarios between peers: real engines and the real hub, in memory, in virtual time.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod support;

use std::time::Duration;

use support::{Content, Net};
use swarm_core::engine::{Command, Config, Event, TorrentState};
use swarm_core::node::Input;

const MIB: usize = 1 << 20;

fn uploaded(net: &Net, host: usize) -> u64 {
    net.torrent(host).uploaded
}

#[test]
fn an_info_hash_is_enough_to_get_everything() {
    let content = Content::random(3 * MIB + 12_345, 1);
    let mut net = Net::new(1);
    let seeder = net.seeder(&content);
    let leecher = net.leecher(&content);
    net.run_until(|net| net.is_seeding(leecher));
    assert_eq!(net.hosts[leecher].store, content.all_pieces());
    assert!(matches!(net.hosts[leecher].events[0], Event::Metadata(_)));
    assert!(matches!(net.hosts[leecher].events[1], Event::Completed(_)));
    assert_eq!(net.torrent(seeder).state, TorrentState::Seeding);
}

#[test]
fn leechers_upload_to_each_other() {
    let content = Content::random(8 * MIB, 2);
    let mut net = Net::new(2);
    let seeder = net.seeder(&content);
    let leechers: Vec<_> = (0..4).map(|_| net.leecher(&content)).collect();
    net.run_until(|net| leechers.iter().all(|&l| net.is_seeding(l)));
    for &leecher in &leechers {
        assert_eq!(net.hosts[leecher].store, content.all_pieces());
        assert!(uploaded(&net, leecher) > 0);
    }
    let share = uploaded(&net, seeder) as f64 / (4 * content.bytes.len()) as f64;
    assert!(share < 0.75, "the seeder sent {share} of everything");
}

#[test]
fn the_seeder_may_leave_once_the_leechers_hold_every_piece() {
    let content = Content::random(4 * MIB, 3);
    let mut net = Net::new(3);
    let seeder = net.seeder(&content);
    let leechers: Vec<_> = (0..3).map(|_| net.leecher(&content)).collect();
    let pieces = content.metainfo.layout().piece_count();
    net.run_until(|net| {
        (0..pieces).all(|piece| {
            leechers
                .iter()
                .any(|&l| net.hosts[l].store.contains_key(&piece))
        })
    });
    assert!(
        leechers.iter().any(|&l| !net.is_seeding(l)),
        "the scenario needs somebody who is not done"
    );
    net.disconnect(seeder);
    net.run_until(|net| leechers.iter().all(|&l| net.is_seeding(l)));
}

#[test]
fn everybody_finishes_after_the_tracker_forgot_everything() {
    let content = Content::random(4 * MIB, 4);
    let mut net = Net::new(4);
    net.seeder(&content);
    let leechers: Vec<_> = (0..3).map(|_| net.leecher(&content)).collect();
    net.run_until(|net| net.hosts[leechers[0]].written.len() > 10);
    net.restart_tracker();
    net.run_until(|net| leechers.iter().all(|&l| net.is_seeding(l)));
    for &leecher in &leechers {
        let mut written = net.hosts[leecher].written.clone();
        written.sort_unstable();
        written.dedup();
        assert_eq!(
            written.len(),
            net.hosts[leecher].written.len(),
            "no piece was written twice"
        );
    }
}

#[test]
fn a_reload_goes_on_from_what_was_kept() {
    let content = Content::random(4 * MIB, 5);
    let mut net = Net::new(5);
    net.seeder(&content);
    let leecher = net.leecher(&content);
    net.run_until(|net| net.hosts[leecher].written.len() > 20);
    let kept: Vec<u32> = net.hosts[leecher].store.keys().copied().collect();
    net.reload(leecher, &content);
    net.run_until(|net| net.torrent(leecher).state == TorrentState::Seeding);
    assert!(
        net.hosts[leecher]
            .written
            .iter()
            .all(|piece| !kept.contains(piece))
    );
    assert_eq!(net.hosts[leecher].store, content.all_pieces());
}

#[test]
fn a_liar_is_found_and_dropped_and_the_bytes_are_right() {
    let content = Content::random(8 * MIB, 6);
    let mut net = Net::new(6);
    let liar = net.seeder(&content);
    net.hosts[liar].lies = true;
    let honest = net.seeder(&content);
    let leecher = net.leecher(&content);
    net.run_until(|net| net.is_seeding(leecher));
    assert_eq!(net.hosts[leecher].store, content.all_pieces());
    let bans = net.hosts[leecher]
        .events
        .iter()
        .filter(|event| matches!(event, Event::Banned { .. }));
    assert_eq!(bans.count(), 1);
    let wasted = net.torrent(leecher).wasted;
    assert!(wasted <= 4 * MIB as u64, "{wasted} bytes wasted on a liar");
    let peers = net.torrent(leecher).peers;
    assert_eq!(peers.len(), 1);
    assert_eq!(
        peers[0].peer_id,
        net.hosts[honest].engine.peer_id().to_string()
    );
}

#[test]
fn paused_means_silent_and_resumed_means_on() {
    let content = Content::random(2 * MIB, 7);
    let mut net = Net::new(7);
    net.seeder(&content);
    let leecher = net.leecher(&content);
    net.run_until(|net| net.hosts[leecher].written.len() > 4);
    net.command(leecher, Command::Pause(content.info_hash()));
    net.settle();
    let view = net.torrent(leecher);
    assert_eq!((view.state, view.peers.len()), (TorrentState::Paused, 0));
    net.command(leecher, Command::Resume(content.info_hash()));
    net.run_until(|net| net.is_seeding(leecher));
}

#[test]
fn a_full_store_stops_with_words_and_goes_on_when_there_is_room() {
    let content = Content::random(2 * MIB, 8);
    let mut net = Net::new(8);
    net.seeder(&content);
    let leecher = net.leecher(&content);
    net.hosts[leecher].room = 5;
    net.run_until(|net| net.torrent(leecher).state == TorrentState::Error);
    assert!(net.torrent(leecher).error.unwrap().contains("no room left"));
    // Other writes that are under way fail too, and no longer matter.
    net.hosts[leecher].room = usize::MAX;
    net.command(leecher, Command::Resume(content.info_hash()));
    net.run_until(|net| net.is_seeding(leecher));
    assert_eq!(net.hosts[leecher].store, content.all_pieces());
}

#[test]
fn what_is_on_disk_is_checked_before_anything_is_fetched() {
    let content = Content::random(2 * MIB, 9);
    let mut net = Net::new(9);
    net.seeder(&content);
    let leecher = net.host(Config::default());
    let mut kept = content.all_pieces();
    kept.retain(|piece, _| piece % 2 == 0);
    kept.insert(1, kept[&0].clone());
    net.hosts[leecher].store = kept;
    let info_hash = content.info_hash();
    net.command(
        leecher,
        Command::AddLink {
            info_hash,
            name: None,
            check: true,
            paused: false,
        },
    );
    net.run_until(|net| net.torrent(leecher).state == TorrentState::Seeding);
    let mut written = net.hosts[leecher].written.clone();
    written.sort_unstable();
    let odd: Vec<u32> = (0..32).filter(|piece| piece % 2 == 1).collect();
    assert_eq!(written, odd);
}

#[test]
fn removing_tells_the_others() {
    let content = Content::random(MIB, 10);
    let mut net = Net::new(10);
    let seeder = net.seeder(&content);
    let leecher = net.leecher(&content);
    net.run_until(|net| net.is_seeding(leecher));
    assert_eq!(net.torrent(seeder).peers.len(), 1);
    net.command(leecher, Command::Remove(content.info_hash()));
    net.settle();
    assert!(net.hosts[leecher].engine.view(net.now).torrents.is_empty());
    assert_eq!(net.torrent(seeder).peers.len(), 0);
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let run = || {
        let content = Content::random(2 * MIB, 11);
        let mut net = Net::new(11);
        net.seeder(&content);
        let leechers: Vec<_> = (0..3).map(|_| net.leecher(&content)).collect();
        net.run_until(|net| leechers.iter().all(|&l| net.is_seeding(l)));
        net.log
    };
    assert_eq!(run(), run());
}

#[test]
fn every_peer_s_recording_replays_to_the_same_outputs() {
    let content = Content::random(3 * MIB, 21);
    let mut net = Net::new(21);
    let seeder = net.seeder(&content);
    let liar = net.seeder(&content);
    net.hosts[liar].lies = true;
    let leechers: Vec<_> = (0..3).map(|_| net.leecher(&content)).collect();
    net.hosts[leechers[2]].room = 10;
    net.run_until(|net| net.is_seeding(leechers[0]));
    net.restart_tracker();
    net.run_until(|net| net.is_seeding(leechers[1]));
    for host in 0..net.hosts.len() {
        let replay = net.replay(host);
        let mut view = replay.view();
        assert_eq!(view.torrents.remove(0), net.torrent(host), "{host}");
        assert!(replay.outputs() > 0);
    }
    assert_eq!(net.torrent(leechers[2]).state, TorrentState::Error);
    assert_eq!(net.torrent(seeder).state, TorrentState::Seeding);
}

#[test]
fn padding_is_known_and_need_not_be_fetched_or_kept() {
    const KIB: usize = 1 << 10;
    // A piece whose tail is padding from within a block, two pieces of nothing else, and a
    // piece with padding in its middle.
    let files = [
        (10_000, 182 * KIB + 6_384 - 64),
        (20 * KIB, 24 * KIB),
        (20 * KIB, 0),
    ];
    let content = Content::padded(&files, 5);
    let mut net = Net::new(5);
    let seeder = net.seeder(&content);
    let nothing_else: Vec<u32> = content
        .metainfo
        .pieces_of_padding()
        .iter()
        .map(|p| p.get())
        .collect();
    assert_eq!(nothing_else, [1, 2]);
    for piece in &nothing_else {
        net.hosts[seeder].store.remove(piece);
    }
    let leecher = net.leecher(&content);
    net.run_until(|net| net.is_seeding(leecher));

    let mut kept = content.all_pieces();
    kept.retain(|piece, _| !nothing_else.contains(piece));
    assert_eq!(net.hosts[leecher].store, kept);
    let view = net.torrent(leecher);
    let real: usize = files.iter().map(|(length, _)| length).sum();
    let contents = net.hosts[leecher]
        .engine
        .contents(content.info_hash())
        .unwrap();
    let description = contents.describe();
    assert_eq!(description.length, real as u64);
    assert_eq!(description.files.len(), 3);
    // No more than the zeros that share a block with a file.
    assert!(
        view.downloaded < (real + 4 * 16 * KIB) as u64,
        "{}",
        view.downloaded
    );
    assert!(view.downloaded >= real as u64);
    assert_eq!(view.wasted, 0);
}

#[test]
fn what_is_lost_after_everybody_was_told_of_it_is_fetched_once_more() {
    let content = Content::random(4 * MIB, 21);
    let mut net = Net::new(21);
    net.seeder(&content);
    let leecher = net.leecher(&content);
    net.run_until(|net| net.is_seeding(leecher));
    // The seeder has dealt its slots out once more: none is for a seed.
    let later = net.now + Duration::from_secs(15);
    net.run_until(|net| net.now >= later);
    // As when a person clears the browser's storage.
    let info_hash = content.metainfo.info_hash();
    let pieces = content.metainfo.layout().pieces().collect();
    net.hosts[leecher].store.clear();
    let before = net.now;
    net.input(leecher, Input::Lost { info_hash, pieces });
    net.run_until(|net| net.is_seeding(leecher));
    assert!(net.hosts[leecher].store == content.all_pieces());
    let took = net.now - before;
    assert!(took < Duration::from_secs(20), "it stood still: {took:?}");
}
