use std::net::{Ipv4Addr, Ipv6Addr};

use swarm_core::dht::NodeAddress;

use super::*;

fn known() -> Saved {
    let contact = |id, address| Contact {
        id: NodeId([id; 20]),
        address,
    };
    Saved {
        ids: vec![
            (Family::V4, NodeId([1; 20])),
            (Family::V6, NodeId([0xfe; 20])),
        ],
        contacts: vec![
            contact(2, NodeAddress::V4(Ipv4Addr::new(192, 0, 2, 7), 6881)),
            contact(3, NodeAddress::V6(Ipv6Addr::LOCALHOST, 65535)),
        ],
    }
}

#[test]
fn a_table_survives_and_can_be_read_by_people() {
    let text = format(&known());
    assert_eq!(parse(&text), Ok(known()));
    let line = "node 192.0.2.7:6881 0202020202020202020202020202020202020202";
    assert!(text.lines().any(|it| it == line), "{text}");
}

#[test]
fn what_is_damaged_is_told_by_its_line() {
    let good = format(&known());
    assert_eq!(parse(""), Err(Damage::Head));
    assert_eq!(parse(&good[1..]), Err(Damage::Head));
    let cut = &good[..good.len() - 3];
    assert_eq!(parse(cut), Err(Damage::Line(5)));
    for line in ["", "node", "we ipv5 00", "node 1.2.3.4 00", "x"] {
        let text = format!("{good}{line}\n");
        assert_eq!(parse(&text), Err(Damage::Line(6)), "{line}");
    }
}

#[test]
fn the_second_program_reads_and_does_not_write() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("below/dht.table");
    let mut first = TableFile::open(path.clone()).unwrap();
    assert_eq!(first.read(), Ok(None));
    first.write(&known()).unwrap();
    let mut second = TableFile::open(path.clone()).unwrap();
    let read = second.read().unwrap().unwrap();
    assert_eq!(read.contacts, known().contacts);
    assert_eq!(read.ids, [], "it is another node");
    second.write(&Saved::default()).unwrap();
    assert_eq!(first.read(), Ok(Some(known())));
    drop(first);
    let mut third = TableFile::open(path).unwrap();
    third.write(&Saved::default()).unwrap();
    assert_eq!(third.read(), Ok(Some(Saved::default())));
}

#[test]
fn a_damaged_file_is_named_on_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dht.table");
    fs::write(&path, b"\xff\x00\nsomething else").unwrap();
    let trouble = TableFile::open(path.clone()).unwrap().read().unwrap_err();
    assert!(
        trouble.contains("dht.table") && trouble.contains("damaged"),
        "{trouble}"
    );
    assert!(!trouble.contains('\n'), "{trouble}");
}
