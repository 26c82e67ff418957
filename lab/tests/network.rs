//! Networks of the DHT: nodes find each other, whatever goes wrong.

use swarm_lab::ScenarioError;
use swarm_lab::network::{Network, NetworkResults, NetworkScenario, Start};

fn small() -> NetworkScenario {
    NetworkScenario {
        nodes: 200,
        idle: 20.0,
        torrents: 30,
        lookups: 200,
        ..NetworkScenario::default()
    }
}

fn play(scenario: NetworkScenario) -> NetworkResults {
    let mut network = Network::new(scenario).expect("a good scenario");
    network.run();
    let results = network.results();
    assert_eq!(results.unended, 0, "every lookup ends");
    results
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let played = |seed, step| {
        let mut network = Network::new(NetworkScenario {
            seed,
            nodes: 60,
            dead: 0.2,
            loss: 0.05,
            liars: 0.1,
            churn: Some(60.0),
            lookups: 50,
            ..small()
        })
        .expect("a good scenario");
        while !network.is_over() {
            network.play(std::time::Duration::MAX, step);
            network.snapshot();
        }
        (network.fingerprint(), network.results())
    };
    let (one, two) = (played(1, usize::MAX), played(1, 1000));
    assert!(one.1.datagrams > 1000, "a run worth comparing");
    assert_eq!(one, two);
    assert_ne!(one.0, played(2, usize::MAX).0);
}

#[test]
fn a_quiet_network_finds_everything_in_few_hops() {
    let results = play(small());
    assert_eq!(results.found(), 1.0);
    assert!(results.recall() > 0.98, "{}", results.recall());
    let hops = results.quantiles(|lookup| f64::from(lookup.hops));
    assert!(hops.mean < 2.0 && hops.max <= 3.0, "{hops:?}");
    let queries = results.quantiles(|lookup| lookup.queries as f64);
    assert!(queries.p50 <= 30.0, "{queries:?}");
    assert!(results.first().p50 < 0.2, "{:?}", results.first());
    let stored: Vec<_> = results.announces.iter().map(|it| it.stored).collect();
    // With the closest eight, and with some who were among them as long as fewer were known.
    assert!(stored.iter().all(|it| (8..=12).contains(it)), "{stored:?}");
    let idle = results.idle_sent.max(results.idle_received);
    assert!((1.0..100.0).contains(&idle), "{idle}");
}

#[test]
fn everybody_joins_through_one_node_that_all_have_heard_of() {
    let joins = |bootstrap| NetworkScenario {
        nodes: 100,
        start: Start::Joins(30.0),
        bootstrap,
        idle: 60.0,
        ..small()
    };
    let results = play(joins(1));
    assert_eq!((results.joined, results.found()), (100, 1.0));
    assert!(results.recall() > 0.95, "{}", results.recall());
    // It is not needed any more once they have joined.
    let results = play(NetworkScenario {
        bootstrap_goes: true,
        ..joins(1)
    });
    assert_eq!((results.nodes, results.found()), (99, 1.0));
    // Without any, each assumes that it is the first, and all are wrong.
    let alone = play(joins(0));
    assert_eq!((alone.found(), alone.datagrams), (0.0, 0));
}

#[test]
fn the_dead_cost_time_and_hide_little() {
    let results = play(NetworkScenario {
        dead: 0.3,
        loss: 0.02,
        ..small()
    });
    assert!((140..160).contains(&results.nodes), "{}", results.nodes);
    assert!(results.found() > 0.98, "{}", results.found());
    assert!(results.first().p50 < 0.3, "{:?}", results.first());
}

#[test]
fn those_who_come_and_go_keep_the_network_in_one_piece() {
    let results = play(NetworkScenario {
        nodes: 100,
        churn: Some(600.0),
        idle: 600.0,
        span: 120.0,
        ..small()
    });
    assert_eq!(results.nodes, 100);
    assert!(results.joins.count > 50, "{:?}", results.joins);
    assert!(results.recall() > 0.85, "{}", results.recall());
    assert!(results.found() > 0.95, "{}", results.found());
}

#[test]
fn a_network_that_was_parted_is_one_again() {
    let results = play(NetworkScenario {
        partition: 0.5,
        idle: 200.0,
        span: 60.0,
        ..small()
    });
    let across = || results.lookups.iter().filter(|lookup| lookup.across);
    let (all, found) = (across().count(), across().filter(|it| it.found).count());
    assert!(all > 50 && found * 10 > all * 9, "{found} of {all}");
}

#[test]
fn liars_and_sybils_hide_little() {
    let results = play(NetworkScenario {
        liars: 0.1,
        ..small()
    });
    assert!(results.found() > 0.9, "{}", results.found());
    // One party, one network, one place.
    let results = play(NetworkScenario {
        torrents: 4,
        sybils: 4 * 64,
        ..small()
    });
    assert!(results.found() > 0.95, "{}", results.found());
}

#[test]
fn nonsense_is_refused() {
    for (scenario, wrong) in [
        (
            NetworkScenario {
                nodes: 1,
                ..small()
            },
            "nodes",
        ),
        (
            NetworkScenario {
                dead: 1.5,
                ..small()
            },
            "dead",
        ),
        (
            NetworkScenario {
                churn: Some(f64::NAN),
                ..small()
            },
            "churn",
        ),
        (
            NetworkScenario {
                torrents: 201,
                ..small()
            },
            "torrents",
        ),
    ] {
        let ScenarioError::OutOfRange { name, .. } = Network::new(scenario).unwrap_err();
        assert_eq!(name, wrong);
    }
}
