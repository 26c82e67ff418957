use super::*;

fn config() -> Config {
    Config {
        closest: 3,
        alpha: 2,
        ..Config::default()
    }
}

fn contact(first: u8) -> Contact {
    let mut id = [0; 20];
    id[0] = first;
    let address = NodeAddress::V4([9, 9, first, 1].into(), 5);
    Contact {
        id: NodeId(id),
        address,
    }
}

/// Towards zero: the number of a contact is its distance.
fn lookup(contacts: &[u8]) -> Lookup {
    let mut lookup = Lookup::new(Goal::Join, Family::V4, NodeId([0; 20]));
    for first in contacts {
        lookup.offer(contact(*first), 1, &config());
    }
    lookup
}

fn asks(lookup: &mut Lookup) -> Vec<u8> {
    let next = std::iter::from_fn(|| lookup.next(&config()));
    next.filter_map(|next| Some(next.id?.0[0])).collect()
}

fn answers(lookup: &mut Lookup, first: u8) {
    let contact = contact(first);
    lookup.answered(contact.address, contact.id, None);
}

#[test]
fn the_closest_are_asked_a_few_at_a_time() {
    let mut lookup = lookup(&[40, 10, 30, 20]);
    assert_eq!(asks(&mut lookup), [10, 20]);
    answers(&mut lookup, 20);
    lookup.offer(contact(5), 2, &config());
    assert_eq!(asks(&mut lookup), [5]);
    answers(&mut lookup, 10);
    assert!(!lookup.has_arrived(&config()));
    answers(&mut lookup, 5);
    assert!(lookup.has_arrived(&config()));
    assert!(asks(&mut lookup).is_empty());
    let (closest, hops) = lookup.closest(8);
    assert_eq!(closest, [contact(5), contact(10), contact(20)]);
    assert_eq!(hops, 2);
}

#[test]
fn who_is_late_is_not_waited_for_and_counts_when_it_comes() {
    let mut lookup = lookup(&[10, 20, 30, 40]);
    asks(&mut lookup);
    lookup.late(contact(10).address);
    assert_eq!(asks(&mut lookup), [30]);
    answers(&mut lookup, 20);
    answers(&mut lookup, 30);
    assert_eq!(asks(&mut lookup), [40]);
    answers(&mut lookup, 40);
    assert!(lookup.has_arrived(&config()));
    answers(&mut lookup, 10);
    assert_eq!(lookup.closest(1).0, [contact(10)]);
}

#[test]
fn beside_who_is_slow_others_are_asked_and_it_is_waited_for() {
    let mut lookup = lookup(&[10, 20, 30, 40, 50]);
    assert_eq!(asks(&mut lookup), [10, 20]);
    lookup.slow(contact(10).address);
    assert_eq!(asks(&mut lookup), [30]);
    answers(&mut lookup, 20);
    // In its place, should it be dead.
    assert_eq!(asks(&mut lookup), [40]);
    answers(&mut lookup, 30);
    answers(&mut lookup, 40);
    assert!(!lookup.has_arrived(&config()));
    lookup.late(contact(10).address);
    assert!(lookup.has_arrived(&config()));
    answers(&mut lookup, 10);
    assert_eq!(lookup.closest(1).0, [contact(10)]);
}

#[test]
fn when_nobody_has_answered_the_late_are_waited_for() {
    let mut lookup = lookup(&[10, 20]);
    asks(&mut lookup);
    lookup.late(contact(10).address);
    lookup.late(contact(20).address);
    assert!(!lookup.has_arrived(&config()));
    lookup.failed(contact(10).address);
    assert!(!lookup.has_arrived(&config()));
    lookup.failed(contact(20).address);
    assert!(lookup.has_arrived(&config()));
}

#[test]
fn one_network_has_one_voice() {
    let mut lookup = lookup(&[10]);
    let rival = Contact {
        id: contact(1).id,
        address: NodeAddress::V4([9, 9, 10, 77].into(), 5),
    };
    lookup.offer(rival, 2, &config());
    assert_eq!(asks(&mut lookup), [10]);
}

#[test]
fn a_stranger_is_asked_first_and_then_stands_where_it_belongs() {
    let mut lookup = lookup(&[10]);
    let stranger = contact(99).address;
    lookup.offer_stranger(stranger);
    let next = lookup.next(&config()).unwrap();
    assert_eq!((next.address, next.id), (stranger, None));
    lookup.answered(stranger, contact(99).id, None);
    answers(&mut lookup, 10);
    assert_eq!(lookup.closest(8).0, [contact(10), contact(99)]);
}

#[test]
fn what_is_kept_is_bounded_and_the_closest() {
    let config = Config {
        max_candidates: 4,
        ..config()
    };
    let mut lookup = lookup(&[]);
    for first in (1..100).rev() {
        lookup.offer(contact(first), 1, &config);
    }
    let kept = lookup.view().candidates;
    let kept: Vec<_> = kept.iter().map(|c| c.id.unwrap().0[0]).collect();
    assert_eq!(kept, [1, 2, 3, 4]);
}

#[test]
fn places_are_those_that_gave_a_token_and_each_is_used_once() {
    let mut lookup = lookup(&[10, 20, 30]);
    asks(&mut lookup);
    let token = Some(b"token".to_vec());
    lookup.answered(contact(10).address, contact(10).id, token.clone());
    lookup.answered(contact(20).address, contact(20).id, None);
    asks(&mut lookup);
    lookup.answered(contact(30).address, contact(30).id, token.clone());
    let places = lookup.places(&config());
    let told: Vec<_> = places.iter().map(|place| place.contact).collect();
    assert_eq!(told, [contact(10), contact(30)]);
    assert!(lookup.places(&config()).is_empty());
}
