use swarm_core::dht::{
    Config, Failure, Item, MutableItem, Output, Request, SecretKey, immutable_target,
    mutable_target,
};

use crate::network::{Network, seconds};

fn put(item: Item) -> Request {
    Request::Put {
        item,
        cas: None,
        keep: false,
    }
}

fn values(network: &Network, number: usize, id: u64) -> Vec<Item> {
    let said = network.nodes[number].said.iter();
    let values = said.filter_map(|(_, output)| match output {
        Output::Value { request, item } if request.0 == id => Some(item.clone()),
        _ => None,
    });
    values.collect()
}

#[test]
fn a_value_is_found_by_its_hash() {
    let mut network = Network::joined(1, 60, &Config::default());
    let item = Item::immutable(b"12:Hello World!".to_vec()).unwrap();
    network.start(3, 1, put(item.clone()));
    network.run(seconds(10));
    assert_eq!(network.done(3, 1).0.stored, 8);
    let get = Request::Get {
        target: immutable_target(b"12:Hello World!"),
        salt: Vec::new(),
    };
    network.start(50, 2, get);
    network.run(seconds(10));
    assert_eq!(values(&network, 50, 2), [item]);
    assert!(network.ended(50, 2).unwrap().is_ok());
}

#[test]
fn a_value_that_nobody_stored_is_not_found() {
    let mut network = Network::joined(2, 20, &Config::default());
    let get = Request::Get {
        target: immutable_target(b"i1e"),
        salt: Vec::new(),
    };
    network.start(5, 1, get);
    network.run(seconds(10));
    assert_eq!(network.ended(5, 1), Some(Err(Failure::NotFound)));
}

#[test]
fn an_owner_replaces_its_value_and_only_forward() {
    let mut network = Network::joined(3, 60, &Config::default());
    let secret = SecretKey::from_seed([9; 32]);
    let item = |seq, value: &[u8]| {
        let salt = b"news".to_vec();
        secret.sign(salt, seq, value.to_vec()).unwrap()
    };
    let get = Request::Get {
        target: mutable_target(&secret.public(), b"news"),
        salt: b"news".to_vec(),
    };
    for (id, seq) in [(1, 1), (2, 2)] {
        network.start(3, id, put(item(seq, b"i1e")));
        network.run(seconds(10));
        assert!(network.ended(3, id).unwrap().is_ok());
    }
    network.start(3, 3, put(item(1, b"i1e")));
    network.run(seconds(10));
    let ended = network.ended(3, 3).unwrap();
    assert!(
        matches!(ended, Err(Failure::Refused { code: 302, .. })),
        "{ended:?}"
    );
    let cas = Request::Put {
        item: item(3, b"i3e"),
        cas: Some(1),
        keep: false,
    };
    network.start(4, 4, cas);
    network.run(seconds(10));
    let ended = network.ended(4, 4).unwrap();
    assert!(
        matches!(ended, Err(Failure::Refused { code: 301, .. })),
        "{ended:?}"
    );
    network.start(50, 5, get);
    network.run(seconds(10));
    assert_eq!(values(&network, 50, 5).last(), Some(&item(2, b"i1e")));
}

#[test]
fn a_value_of_another_key_is_not_put() {
    let mut network = Network::joined(4, 10, &Config::default());
    let secret = SecretKey::from_seed([9; 32]);
    let Item::Mutable(item) = secret.sign(Vec::new(), 1, b"i1e".to_vec()).unwrap() else {
        panic!("it is a mutable one");
    };
    let forged = Item::Mutable(MutableItem {
        key: SecretKey::from_seed([8; 32]).public(),
        ..item
    });
    network.start(1, 1, put(forged));
    let ended = network.ended(1, 1);
    assert!(matches!(ended, Some(Err(Failure::Item(_)))), "{ended:?}");
}

#[test]
fn what_is_kept_outlives_its_expiry_and_what_is_not_does_not() {
    let mut network = Network::joined(5, 14, &Config::default());
    let item = |value: &[u8]| Item::immutable(value.to_vec()).unwrap();
    network.start(1, 1, put(item(b"i1e")));
    let kept = Request::Put {
        item: item(b"i2e"),
        cas: None,
        keep: true,
    };
    network.start(1, 2, kept);
    network.run(seconds(3 * 3600));
    let get = |value: &[u8]| Request::Get {
        target: immutable_target(value),
        salt: Vec::new(),
    };
    network.start(12, 3, get(b"i1e"));
    network.start(12, 4, get(b"i2e"));
    network.run(seconds(10));
    assert!(values(&network, 12, 3).is_empty());
    assert_eq!(values(&network, 12, 4), [item(b"i2e")]);
}
