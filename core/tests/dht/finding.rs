use swarm_core::dht::{AnnouncedPort, Config, Failure, Input, NodeAddress, Output, Request};
use swarm_core::id::InfoHash;

use crate::network::{Network, Place, address, address_v6, seconds};

const TORRENT: InfoHash = InfoHash([0x5a; 20]);

fn announce(port: u16) -> Request {
    Request::Announce {
        info_hash: TORRENT,
        port: AnnouncedPort::Port(port),
    }
}

fn torrent(number: usize) -> InfoHash {
    InfoHash::of(&number.to_be_bytes())
}

#[test]
fn two_that_know_each_other_find_each_other() {
    let mut network = Network::joined(1, 2, &Config::default());
    network.start(0, 1, announce(7000));
    network.run(seconds(5));
    network.start(1, 2, Request::Search(TORRENT));
    network.run(seconds(5));
    assert_eq!(network.peers(1, 2), [address(0).with_port(7000)]);
}

#[test]
fn everybody_finds_what_everybody_announces() {
    let mut network = Network::joined(2, 150, &Config::default());
    for number in 0..150 {
        let request = Request::Announce {
            info_hash: torrent(number),
            port: AnnouncedPort::Implied,
        };
        network.start(number, 1, request);
    }
    network.run(seconds(10));
    for number in 0..150 {
        let (stats, _) = network.done(number, 1);
        assert!(stats.stored >= 7, "{stats:?}");
        let other = (number + 75) % 150;
        network.start(other, 2, Request::Search(torrent(number)));
    }
    network.run(seconds(10));
    for number in 0..150 {
        let other = (number + 75) % 150;
        assert_eq!(network.peers(other, 2), [address(number)]);
        let (stats, _) = network.done(other, 2);
        assert!(stats.queries <= 40 && stats.hops <= 6, "{stats:?}");
    }
}

#[test]
fn the_closest_nodes_are_found() {
    let mut network = Network::joined(3, 200, &Config::default());
    let target = torrent(7).into();
    network.start(150, 1, Request::Locate(target));
    network.run(seconds(10));
    let (_, closest) = network.done(150, 1);
    let found: Vec<NodeAddress> = closest.iter().map(|contact| contact.address).collect();
    // Nobody is told of themselves.
    let mut expected = network.truly_closest(target, 9);
    expected.retain(|other| *other != address(150));
    assert_eq!(found, expected[..8]);
}

#[test]
fn with_half_of_all_nodes_dead_what_was_announced_is_found_without_waiting_for_them() {
    let mut network = Network::joined(4, 200, &Config::default());
    for number in 0..20 {
        let request = Request::Announce {
            info_hash: torrent(number),
            port: AnnouncedPort::Implied,
        };
        network.start(number, 1, request);
    }
    network.run(seconds(10));
    for number in 20..120 {
        network.nodes[number].alive = false;
    }
    for number in 0..20 {
        network.start(120 + number, 2, Request::Search(torrent(number)));
    }
    network.run(seconds(14));
    let mut found = 0;
    for number in 0..20 {
        let peers = network.peers(120 + number, 2);
        found += usize::from(peers == [address(number)]);
        let (stats, _) = network.done(120 + number, 2);
        assert!(stats.took < seconds(6), "{stats:?}");
    }
    assert!(found >= 19, "{found} of 20");
}

#[test]
fn a_lossy_network_is_no_obstacle() {
    let mut network = Network::joined(5, 100, &Config::default());
    network.loss = 0.1;
    network.start(0, 1, announce(7000));
    network.run(seconds(20));
    for number in 50..60 {
        network.start(number, 2, Request::Search(TORRENT));
    }
    network.run(seconds(20));
    for number in 50..60 {
        assert_eq!(network.peers(number, 2), [address(0).with_port(7000)]);
    }
}

#[test]
fn what_is_announced_lasts_as_long_as_it_is_wanted() {
    let mut network = Network::joined(6, 14, &Config::default());
    network.start(0, 1, announce(7000));
    network.start(1, 1, announce(7000));
    network.run(seconds(10));
    network.tell(1, Input::Stop(swarm_core::dht::RequestId(1)));
    network.run(seconds(3600));
    network.start(12, 2, Request::Search(TORRENT));
    network.run(seconds(10));
    assert_eq!(network.peers(12, 2), [address(0).with_port(7000)]);
}

#[test]
fn peers_come_before_the_search_is_over_and_none_twice() {
    let mut network = Network::joined(7, 100, &Config::default());
    for number in 0..40 {
        network.start(number, 1, announce(7000));
    }
    network.run(seconds(10));
    network.start(99, 2, Request::Search(TORRENT));
    network.run(seconds(10));
    let peers = network.peers(99, 2);
    let mut distinct = peers.clone();
    distinct.sort();
    distinct.dedup();
    assert_eq!((peers.len(), distinct.len()), (40, 40));
    let (stats, _) = network.done(99, 2);
    assert_eq!(stats.found, 40);
    assert!(stats.first.unwrap() < stats.took);
}

#[test]
fn whoever_knows_nobody_is_told_so() {
    let mut network = Network::new(8);
    let alone = network.add(Config::default());
    network.start(alone, 1, Request::Search(TORRENT));
    assert_eq!(network.ended(alone, 1), Some(Err(Failure::NoNodes)));
    // Nobody is there.
    network.tell(alone, Input::Bootstrap(vec![address(77)]));
    network.start(alone, 2, Request::Search(TORRENT));
    network.run(seconds(60));
    assert_eq!(network.ended(alone, 2), Some(Err(Failure::NoAnswer)));
    let told = |output: &Output| matches!(output, Output::Alone { .. });
    let said = &network.nodes[alone].said;
    assert_eq!(said.iter().filter(|(_, output)| told(output)).count(), 1);
}

#[test]
fn both_families_are_searched_at_once_and_one_tells_of_the_other() {
    let (four, six) = (
        Config::default(),
        Config {
            v4: false,
            v6: true,
            ..Config::default()
        },
    );
    let both = Config {
        v6: true,
        ..four.clone()
    };
    let mut network = Network::new(9);
    // One who is in both, then ten in each.
    let middle = network.add(both.clone());
    network.nodes[middle].other = Some(address_v6(middle));
    network
        .addresses
        .insert(address_v6(middle), Place::Node(middle));
    for number in 1..21 {
        let (at, config, through) = match number % 2 {
            0 => (address(number), &four, address(middle)),
            _ => (address_v6(number), &six, address_v6(middle)),
        };
        network.add_at(at, config.clone());
        network.tell(number, Input::Bootstrap(vec![through]));
        network.run(seconds(1));
    }
    network.run(seconds(30));
    network.start(5, 1, announce(7000));
    network.start(6, 1, announce(7000));
    network.run(seconds(10));
    // Knows of IPv4 alone at first.
    let last = network.add(both);
    network.nodes[last].other = Some(address_v6(last));
    network
        .addresses
        .insert(address_v6(last), Place::Node(last));
    network.tell(last, Input::Bootstrap(vec![address(middle)]));
    network.run(seconds(30));
    network.start(last, 2, Request::Search(TORRENT));
    network.run(seconds(10));
    let mut peers = network.peers(last, 2);
    peers.sort();
    let expected = [address(6).with_port(7000), address_v6(5).with_port(7000)];
    assert_eq!(peers, expected);
}
