use super::*;
use crate::dht::address::NodeAddress;

const RTT: Duration = Duration::from_millis(90);

fn at(minutes: u64) -> Time {
    Time::ZERO + Duration::from_secs(minutes * 60)
}

/// One in a network of its own.
fn node(id: NodeId, network: u32) -> Contact {
    let ip = 0x0800_0001 + (network << 8);
    let address = NodeAddress::V4(ip.into(), 6881);
    Contact { id, address }
}

fn narrow() -> Config {
    Config {
        first_buckets: [0; 4],
        ..Config::default()
    }
}

/// Our identifier is zero: where a contact belongs can be seen.
fn table() -> Table {
    Table::new(NodeId([0; 20]))
}

fn far(n: u8) -> NodeId {
    let mut id = [n; 20];
    id[0] = 0x80 | n;
    NodeId(id)
}

#[test]
fn the_half_that_is_far_gets_one_bucket_and_ours_is_split() {
    let (config, mut table, mut rng) = (narrow(), table(), Rng::new(1));
    for n in 0..1000 {
        let id = NodeId::random(&mut rng);
        table.answered(at(0), node(id, n), RTT, &config);
    }
    let lengths: Vec<_> = table.buckets.iter().map(|b| b.nodes.len()).collect();
    assert!((7..12).contains(&lengths.len()), "{lengths:?}");
    assert!(
        lengths[..6].iter().all(|length| *length == 8),
        "{lengths:?}"
    );
    for (at, bucket) in table.buckets.iter().enumerate() {
        let last = at + 1 == table.buckets.len();
        for node in &bucket.nodes {
            let bits = table.own.common_bits(node.contact.id);
            assert!(bits == at || last && bits > at);
        }
        assert!(bucket.waiting.len() <= config.replacements);
    }
}

#[test]
fn the_first_buckets_are_wide() {
    let (config, mut table, mut rng) = (Config::default(), table(), Rng::new(1));
    for n in 0..4000 {
        let id = NodeId::random(&mut rng);
        table.answered(at(0), node(id, n), RTT, &config);
    }
    let lengths: Vec<_> = table.buckets.iter().map(|b| b.nodes.len()).collect();
    assert_eq!(lengths[..6], [128, 64, 32, 16, 8, 8]);
}

#[test]
fn whoever_answers_keeps_its_place_and_who_fails_gives_it_to_who_waits() {
    let (config, mut table) = (narrow(), table());
    for n in 0..20 {
        // One more that would not be found near us, so that the bucket is not the last.
        let id = if n == 8 { NodeId([1; 20]) } else { far(n) };
        table.answered(at(0), node(id, n.into()), RTT, &config);
    }
    let first = node(far(0), 0);
    assert!(table.closest(first.id, 1) == [first]);
    table.failed(&first, &config);
    let newest = node(far(19), 19);
    assert_eq!(table.closest(newest.id, 1), [newest]);
    assert_ne!(table.closest(first.id, 1), [first]);
}

#[test]
fn one_that_was_silent_for_long_is_asked_before_a_newcomer_is_preferred() {
    let (config, mut table) = (narrow(), table());
    table.answered(at(0), node(NodeId([1; 20]), 99), RTT, &config);
    for n in 0..8 {
        let minute = u64::from(n);
        assert_eq!(
            table.answered(at(minute), node(far(n), n.into()), RTT, &config),
            None
        );
    }
    let came = |table: &mut Table, minute, n: u8| {
        table.answered(at(minute), node(far(n), n.into()), RTT, &config)
    };
    assert_eq!(came(&mut table, 14, 20), None);
    assert_eq!(came(&mut table, 15, 21), Some(node(far(0), 0)));
    // Asked once is enough.
    assert_eq!(came(&mut table, 15, 22), None);
}

#[test]
fn without_anybody_who_waits_one_lost_datagram_is_forgiven() {
    let (config, mut table) = (narrow(), table());
    let contact = node(far(1), 1);
    table.answered(at(0), contact, RTT, &config);
    table.failed(&contact, &config);
    assert_eq!(table.len(), 1);
    assert!(
        table.closest(contact.id, 8).is_empty(),
        "it is told to nobody"
    );
    assert_eq!(table.stalest(at(1), &config), Some(contact));
    table.answered(at(1), contact, RTT, &config);
    assert_eq!(table.closest(contact.id, 8), [contact]);
    table.failed(&contact, &config);
    table.failed(&contact, &config);
    assert!(table.is_empty());
}

#[test]
fn one_machine_is_one_contact_and_one_network_one_in_a_bucket() {
    let (config, mut table, mut rng) = (Config::default(), table(), Rng::new(1));
    for port in 1..500 {
        let address = NodeAddress::V4([9, 8, 7, 6].into(), port);
        let id = NodeId::random(&mut rng);
        table.answered(at(0), Contact { id, address }, RTT, &config);
    }
    assert_eq!(table.len(), 1);
    for last in 1..250 {
        let address = NodeAddress::V4([9, 8, 7, last].into(), 5);
        let id = NodeId::random(&mut rng);
        table.answered(at(0), Contact { id, address }, RTT, &config);
    }
    assert_eq!(table.len(), 1);
    // In our own network everybody counts.
    for last in 1..50 {
        let address = NodeAddress::V4([10, 0, 0, last].into(), 5);
        let id = NodeId::random(&mut rng);
        table.answered(at(0), Contact { id, address }, RTT, &config);
    }
    assert_eq!(table.len(), 50);
}

#[test]
fn whoever_has_another_name_is_another() {
    let (config, mut table) = (Config::default(), table());
    let old = node(far(1), 1);
    let new = Contact { id: far(2), ..old };
    table.answered(at(0), old, RTT, &config);
    table.answered(at(1), new, RTT, &config);
    assert_eq!(table.closest(old.id, 8), [new]);
    // Nobody takes the name of one that answers.
    let thief = Contact {
        address: node(far(9), 9).address,
        ..new
    };
    table.answered(at(2), thief, RTT, &config);
    assert_eq!(table.closest(old.id, 8), [new]);
}

#[test]
fn the_closest_are_the_closest() {
    arbtest::arbtest(|u| {
        let config = narrow();
        let own = NodeId(u.arbitrary()?);
        let mut table = Table::new(own);
        let mut all = Vec::new();
        for n in 0..u.int_in_range(0..=120)? {
            let mut id = NodeId(u.arbitrary()?);
            if u.ratio(1, 2)? {
                let bits = u.int_in_range(0..=20)?;
                id = own.random_at(bits, &mut Rng::new(u.arbitrary()?));
            }
            table.answered(at(0), node(id, n), RTT, &config);
        }
        all.extend(table.nodes().map(|node| node.contact));
        let target = NodeId(u.arbitrary()?);
        let count = u.int_in_range(0..=20)?;
        all.sort_by_key(|contact| contact.id.distance(target));
        all.truncate(count);
        assert_eq!(table.closest(target, count), all);
        Ok(())
    });
}

#[test]
fn a_new_name_keeps_the_contacts() {
    let (config, mut table, mut rng) = (Config::default(), table(), Rng::new(1));
    for n in 0..100 {
        let id = NodeId::random(&mut rng);
        table.answered(at(0), node(id, n), RTT, &config);
    }
    let new = NodeId::random(&mut rng);
    table.rename(at(1), new, &config);
    assert_eq!(table.len(), 100);
    assert_eq!(table.own(), new);
}

#[test]
fn buckets_that_nobody_looked_into_are_looked_through_the_nearest_first() {
    let (config, mut table, mut rng) = (narrow(), table(), Rng::new(1));
    for n in 0..8 {
        table.answered(at(0), node(far(n), n.into()), RTT, &config);
    }
    for bits in 1..12 {
        let id = table.own.random_at(bits, &mut rng);
        table.answered(at(0), node(id, 50 + bits as u32), RTT, &config);
    }
    let few = |at: &usize| table.buckets[*at].nodes.len() < 8;
    let expected: Vec<_> = (0..table.buckets.len()).rev().filter(few).collect();
    assert!(expected.len() > 2 && !expected.contains(&0));
    for minute in [1, 15] {
        let mut found = Vec::new();
        while let Some(target) = table.neglected(at(minute), at(minute), &config, &mut rng) {
            found.push(table.index(target));
        }
        assert_eq!(found, expected);
    }
}
