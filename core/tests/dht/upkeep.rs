use swarm_core::dht::{
    Config, Dht, Family, Input, NodeId, Output, Request, RequestId, Saved, Traffic,
};

use crate::network::{Network, address, seconds};

#[test]
fn an_idle_node_costs_less_than_a_hundred_bytes_a_second_each_way() {
    let mut network = Network::joined(1, 40, &Config::default());
    network.run(seconds(300));
    let before: Vec<Traffic> = network.nodes.iter().map(|n| n.dht.traffic()).collect();
    network.run(seconds(1800));
    for (node, before) in network.nodes.iter().zip(before) {
        let after = node.dht.traffic();
        let sent = (after.sent_bytes - before.sent_bytes) / 1800;
        let received = (after.received_bytes - before.received_bytes) / 1800;
        assert!(sent <= 100 && received <= 100, "{sent} out, {received} in");
    }
}

#[test]
fn the_dead_are_forgotten_and_everybody_else_is_not() {
    let mut network = Network::joined(2, 40, &Config::default());
    for number in 20..40 {
        network.nodes[number].alive = false;
    }
    network.run(seconds(1800));
    for number in 0..20 {
        let view = network.nodes[number].dht.view(network.now);
        let buckets = view.families.iter().flat_map(|family| &family.buckets);
        let contacts: Vec<_> = buckets.flat_map(|bucket| &bucket.contacts).collect();
        let dead = |n: &usize| *n >= 20;
        let dead = (0..40)
            .filter(dead)
            .filter(|n| contacts.iter().any(|c| c.contact.address == address(*n)));
        assert_eq!(dead.count(), 0);
        assert!(contacts.len() >= 15, "{}", contacts.len());
    }
}

#[test]
fn a_node_that_was_there_before_needs_no_bootstrap_node() {
    let mut network = Network::joined(3, 60, &Config::default());
    let saved = network.nodes[40].dht.save();
    assert!(saved.contacts.len() > 20);
    network.nodes[0].alive = false;
    let mut again = Dht::new(Config::default(), saved.clone(), 77, network.now);
    assert_eq!(again.id(Family::V4), Some(saved.ids[0].1));
    again.handle(network.now, Input::Tick);
    network.nodes[40].dht = again;
    network.nodes[40].said.clear();
    network.tell(40, Input::Tick);
    network.run(seconds(120));
    let joined = |output: &Output| matches!(output, Output::Joined { .. });
    assert!(network.nodes[40].said.iter().any(|(_, said)| joined(said)));
    assert!(network.contacts(40) >= 20);
}

#[test]
fn when_the_bootstrap_node_comes_back_the_node_joins() {
    let mut network = Network::joined(4, 20, &Config::default());
    network.nodes[0].alive = false;
    let late = network.add(Config::default());
    network.tell(late, Input::Bootstrap(vec![address(0)]));
    network.run(seconds(120));
    assert_eq!(network.contacts(late), 0);
    network.nodes[0].alive = true;
    network.run(seconds(360));
    assert!(network.contacts(late) > 5);
}

#[test]
fn two_halves_that_lost_each_other_become_one_again() {
    let mut network = Network::joined(9, 16, &Config::default());
    let across = |network: &Network, number: usize| {
        let near = network.nodes[number]
            .dht
            .closest(Family::V4, NodeId([0; 20]), 100);
        let others = (0..16).filter(|other| other % 2 != number % 2);
        let known = |other: &usize| {
            near.iter()
                .any(|contact| contact.address == address(*other))
        };
        others.filter(known).count()
    };
    network.parted = true;
    network.run(seconds(1800));
    assert!((0..16).all(|number| across(&network, number) == 0));
    network.parted = false;
    network.run(seconds(2 * 3600));
    assert!((0..16).all(|number| across(&network, number) == 8));
}

#[test]
fn identifiers_come_to_fit_their_addresses() {
    let mut network = Network::joined(5, 40, &Config::default());
    // Old names are forgotten as contacts are asked one by one.
    network.run(seconds(600));
    let mut changed = 0;
    for node in &network.nodes {
        let said = node.said.iter().rev().find_map(|(_, output)| match output {
            Output::IdChanged { id, address, .. } => Some((*id, *address)),
            _ => None,
        });
        if let Some((id, told)) = said {
            changed += 1;
            assert_eq!(node.dht.id(Family::V4), Some(id));
            assert_eq!(node.address.ip(), Some(told));
        }
    }
    assert!(changed >= 35, "{changed}");
    let view = network.nodes[7].dht.view(network.now);
    let contacts = view.families[0].buckets.iter().flat_map(|b| &b.contacts);
    let fitting = contacts.clone().filter(|contact| contact.fitting).count();
    assert!(fitting * 10 >= contacts.count() * 9);
}

#[test]
fn nobody_knows_a_node_that_only_reads() {
    let mut network = Network::joined(6, 30, &Config::default());
    let reader = network.add(Config {
        read_only: true,
        ..Config::default()
    });
    network.tell(reader, Input::Bootstrap(vec![address(0)]));
    network.run(seconds(60));
    assert!(network.contacts(reader) > 10);
    for number in 0..30 {
        let near = network.nodes[number]
            .dht
            .closest(Family::V4, NodeId([0; 20]), 100);
        assert!(
            near.iter()
                .all(|contact| contact.address != address(reader))
        );
    }
    // And it answers nobody.
    assert_eq!(network.nodes[reader].dht.traffic().answers, 0);
}

#[test]
fn ticks_change_nothing_and_the_same_gives_the_same() {
    let run = |extra: bool| {
        let mut network = Network::joined(7, 20, &Config::default());
        let mut node = Dht::new(Config::default(), Saved::default(), 5, network.now);
        let mut said = Vec::new();
        let first = network.nodes[3].dht.save().contacts;
        node.handle(network.now, Input::Bootstrap(vec![address(0), address(1)]));
        node.handle(network.now, Input::Assume(first));
        let search = Request::Locate(NodeId([3; 20]));
        node.handle(network.now, Input::Start(RequestId(1), search));
        for _ in 0..200 {
            while let Some(output) = node.poll_output() {
                said.push(output);
            }
            let Some(due) = node.poll_timeout() else {
                break;
            };
            if extra {
                let early = network.now + (due - network.now) / 2;
                node.handle(early, Input::Tick);
                node.handle(early, Input::Tick);
            }
            network.now = network.now.max(due);
            node.handle(network.now, Input::Tick);
        }
        said
    };
    assert_eq!(run(false), run(false));
    assert_eq!(run(false), run(true));
}

#[test]
fn timers_do_not_spin() {
    let mut network = Network::joined(8, 30, &Config::default());
    network.start(3, 1, Request::Locate(NodeId([3; 20])));
    let node = &mut network.nodes[3].dht;
    let mut now = network.now;
    let mut ticks = 0;
    while now < network.now + seconds(600) {
        let due = node.poll_timeout().unwrap();
        now = now.max(due);
        node.handle(now, Input::Tick);
        assert!(
            node.poll_timeout().is_none_or(|due| due > now),
            "at {now:?}"
        );
        while node.poll_output().is_some() {}
        ticks += 1;
    }
    assert!(ticks < 2000, "{ticks}");
}
