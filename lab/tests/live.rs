//! Networks that somebody plays with: what the lab's page shows.

use std::time::Duration;

use swarm_core::dht::NodeId;
use swarm_lab::network::{
    DotState, Ending, HopState, Network, NetworkScenario, NodeOptions, Start, Walk,
};

const KEY: NodeId = NodeId([0x5a; 20]);

fn small() -> NetworkScenario {
    NetworkScenario {
        nodes: 60,
        bootstrap: 1,
        node: NodeOptions {
            narrow: true,
            ..NodeOptions::default()
        },
        ..NetworkScenario::default()
    }
}

fn alone() -> NetworkScenario {
    NetworkScenario {
        bootstrap: 0,
        start: Start::Joins(5.0),
        ..small()
    }
}

fn live(scenario: NetworkScenario) -> Network {
    Network::live(scenario, None).expect("a good scenario")
}

fn play(network: &mut Network, seconds: u64) {
    let until = network.now() + Duration::from_secs(seconds);
    while network.play(until, usize::MAX) > 0 {}
    assert!(!network.is_over());
}

/// To the end of the walk.
fn walk(network: &mut Network, key: Option<NodeId>, announces: bool) -> (Walk, Ending) {
    network.look_up(key, None, announces);
    for _ in 0..60 {
        if !network.is_walking() {
            break;
        }
        play(network, 1);
    }
    let walk = network.walk().expect("a walk").clone();
    let ending = walk.ended.clone().expect("an end");
    (walk, ending)
}

fn count(network: &Network, state: DotState) -> usize {
    let nodes = network.snapshot().nodes;
    nodes.iter().filter(|node| node.state == state).count()
}

#[test]
fn everybody_is_alone_until_they_have_one_node_in_common() {
    let mut network = live(alone());
    play(&mut network, 6);
    assert_eq!(count(&network, DotState::Alone), 60);
    for announces in [true, false] {
        let (walk, ending) = walk(&mut network, Some(KEY), announces);
        assert!(walk.hops.is_empty(), "{walk:?}");
        assert_eq!(
            ending.failure.as_deref(),
            Some("no node of the DHT is known")
        );
    }
    let table = network.table(7).expect("a table");
    assert!(
        table
            .buckets
            .iter()
            .all(|it| it.good + it.questionable == 0)
    );
    assert_eq!(network.figures().datagrams, 0);

    network.introduce();
    play(&mut network, 60);
    assert_eq!(count(&network, DotState::Joined), 61);
    let table = network.table(7).expect("a table");
    assert!(table.buckets.iter().map(|it| it.good).sum::<u32>() > 15);
    assert!(table.buckets.iter().all(|it| it.good <= it.room));
    let (_, stored) = walk(&mut network, Some(KEY), true);
    assert_eq!((stored.stored, stored.reached, stored.of), (8, 8, 8));
    let (_, found) = walk(&mut network, Some(KEY), false);
    assert!(found.is_success() && found.found.len() == 1, "{found:?}");
}

#[test]
fn a_walk_gets_nearer_hop_by_hop() {
    let mut network = live(NetworkScenario {
        nodes: 500,
        ..small()
    });
    play(&mut network, 1);
    let (walk, ending) = walk(&mut network, None, false);
    assert_eq!((ending.reached, ending.of), (8, 8));
    assert!(walk.hops.len() >= 8, "{walk:?}");
    // Who told of a node was asked before it, and answered.
    for hop in &walk.hops {
        let Some(by) = hop.by else { continue };
        let by = &walk.hops[by as usize];
        assert!(by.answered.is_some_and(|at| at <= hop.asked), "{walk:?}");
        assert!(by.told > 0);
    }
    let first = walk.hops[0].bits;
    assert!(walk.bits() > first, "{walk:?}");
    assert!(walk.bits() > 5, "{walk:?}");
}

#[test]
fn the_same_done_at_the_same_time_gives_the_same() {
    let played = |seed, step| {
        let mut network = live(NetworkScenario {
            seed,
            loss: 0.05,
            churn: Some(84.0),
            dead: 0.2,
            ..small()
        });
        let until = |network: &mut Network, seconds| {
            let until = Duration::from_secs(seconds);
            while network.play(until, step) > 0 {
                network.snapshot();
            }
        };
        until(&mut network, 20);
        network.look_up(None, None, true);
        until(&mut network, 40);
        network.kill(0.3);
        network.kill_bootstrap();
        until(&mut network, 50);
        network.introduce();
        until(&mut network, 80);
        network.look_up(None, None, false);
        until(&mut network, 100);
        (network.fingerprint(), network.snapshot())
    };
    let (one, two) = (played(1, usize::MAX), played(1, 7));
    assert_eq!(one, two);
    assert!(one.1.walk.is_some_and(|walk| walk.hops.len() > 5));
    assert_ne!(one.0, played(2, usize::MAX).0);
}

#[test]
fn the_dead_are_passed_over_and_leave_the_tables() {
    let mut network = live(NetworkScenario {
        nodes: 200,
        ..small()
    });
    play(&mut network, 1);
    let (_, stored) = walk(&mut network, Some(KEY), true);
    assert_eq!(stored.stored, 8);
    network.kill(0.5);
    assert!(network.figures().table.alive < 0.6);
    let (walk, found) = walk(&mut network, Some(KEY), false);
    assert!(found.is_success(), "{found:?}");
    assert!(walk.hops.iter().any(|hop| hop.state != HopState::Answered));
    let before = network.figures().table.alive;
    play(&mut network, 600);
    let after = network.figures().table.alive;
    assert!(after > 0.9 && after > before, "{before} {after}");
}

#[test]
fn who_comes_when_the_bootstrap_node_is_gone_stays_alone() {
    let mut network = live(NetworkScenario {
        churn: Some(84.0),
        ..small()
    });
    play(&mut network, 60);
    assert_eq!(count(&network, DotState::Alone), 0);
    network.kill_bootstrap();
    assert!(!network.has_bootstrap());
    play(&mut network, 60);
    let alone = count(&network, DotState::Alone);
    assert!(alone > 10, "{alone}");
    network.introduce();
    play(&mut network, 60);
    assert_eq!(count(&network, DotState::Alone), 0);
}

#[test]
fn a_partition_hides_one_side_from_the_other_until_it_heals() {
    let mut network = live(NetworkScenario {
        partition: 0.5,
        ..small()
    });
    play(&mut network, 20);
    let (_, parted) = walk(&mut network, Some(KEY), true);
    assert!(parted.reached < 8, "{parted:?}");
    network.heal();
    play(&mut network, 60);
    let (_, whole) = walk(&mut network, Some(KEY), false);
    assert!(whole.reached >= 7, "{whole:?}");
}

#[test]
fn those_who_come_and_go_take_no_more_and_more_memory() {
    let mut network = live(NetworkScenario {
        churn: Some(30.0),
        ..small()
    });
    play(&mut network, 600);
    // Half of them go within thirty seconds, and a place is free after sixty.
    let kept = network.snapshot().nodes.len();
    assert!(kept < 4 * 60, "{kept}");
    assert_eq!(network.population(), 60);
}
