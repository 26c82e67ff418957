use super::*;

const PUBLIC: Origin = Origin {
    secure: false,
    local: false,
};
const HTTPS: Origin = Origin {
    secure: true,
    local: false,
};
const LOCAL: Origin = Origin {
    secure: false,
    local: true,
};

fn read(address: &str, page: Origin) -> Result<String, Unfit> {
    TrackerAddress::for_page(address, page).map(|address| address.as_str().to_owned())
}

#[test]
fn there_is_one_way_to_write_an_address() {
    for (given, written) in [
        (
            "ws://tracker.example.org/swarm",
            "ws://tracker.example.org/swarm",
        ),
        (
            "WSS://Tracker.Example.ORG:443",
            "wss://tracker.example.org/",
        ),
        ("ws://example.org:80?a=B", "ws://example.org/?a=B"),
        ("wss://example.org:80/", "wss://example.org:80/"),
        ("ws://example.org:0080/x", "ws://example.org/x"),
        (
            "wss://xn--bcher-kva.example.org/a%20b",
            "wss://xn--bcher-kva.example.org/a%20b",
        ),
        ("wss://8.8.8.8:8443/announce", "wss://8.8.8.8:8443/announce"),
        ("wss://[2606:4700:0:0::1111]/", "wss://[2606:4700::1111]/"),
        ("wss://[::FFFF:8.8.8.8]/", "wss://[::ffff:808:808]/"),
        ("wss://a_b.example.org/", "wss://a_b.example.org/"),
    ] {
        assert_eq!(read(given, PUBLIC).as_deref(), Ok(written), "{given}");
        assert_eq!(read(written, PUBLIC).as_deref(), Ok(written), "{written}");
    }
}

#[test]
fn trackers_that_a_page_can_not_speak_with_are_told_apart_from_nonsense() {
    for address in [
        "udp://t.example.org:80",
        "http://t.example.org/a",
        "HTTPS://t.example.org",
    ] {
        assert_eq!(read(address, LOCAL), Err(Unfit::Scheme), "{address}");
    }
    for address in [
        "",
        "ws:",
        "ws://",
        "ws:///swarm",
        "ws://:80/",
        "tracker.example.org",
        "file:///etc/passwd",
        "javascript://example.org/%0aalert(1)",
        "ws:example.org",
        "ws:/example.org/",
    ] {
        assert_eq!(read(address, LOCAL), Err(Unfit::Address), "{address}");
    }
}

#[test]
fn what_browsers_read_otherwise_than_it_looks_is_refused() {
    for address in [
        "ws://user@example.org/",
        "ws://example.org@127.0.0.1/",
        "ws://user:pass@127.0.0.1/",
        "ws:\\\\127.0.0.1/",
        "ws://example.org\\@127.0.0.1/",
        "ws://127.0.0.1\t/",
        "ws://127.0.0.1\n.example.org/",
        " ws://example.org/",
        "ws://%31%32%37.0.0.1/",
        "ws://１２７.0.0.1/",
        "ws://ⓛocalhost/",
        "ws://127。0。0。1/",
        "ws://bücher.example.org/",
        "ws://127.1/",
        "ws://127.0.1/",
        "ws://2130706433/",
        "ws://0x7f000001/",
        "ws://0x7f.0.0.1/",
        "ws://127.0.0.0x1/",
        "ws://0177.0.0.1/",
        "ws://017700000001/",
        "ws://127.0.0.1./",
        "ws://localhost./",
        "ws://example.org./",
        "ws://example..org/",
        "ws://.example.org/",
        "ws://256.0.0.1/",
        "ws://1.2.3.4.5/",
        "ws://example.org.0x10/",
        "ws://[::1/",
        "ws://::1/",
        "ws://[fe80::1%25eth0]/",
        "ws://[fe80::1%eth0]/",
        "ws://[127.0.0.1]/",
        "ws://example.org:/",
        "ws://example.org:0/",
        "ws://example.org:+80/",
        "ws://example.org:65536/",
        "ws://example.org:80:80/",
        "ws://example.org/#fragment",
        "ws://example.org/a b",
    ] {
        assert_eq!(read(address, LOCAL), Err(Unfit::Address), "{address}");
    }
    let long = format!("ws://example.org/{}", "a".repeat(MAX_ADDRESS));
    assert_eq!(read(&long, LOCAL), Err(Unfit::Address));
}

#[test]
fn private_networks_are_for_pages_that_came_from_there() {
    for host in [
        "localhost",
        "LOCALHOST:9000",
        "a.localhost",
        "router",
        "printer.local",
        "nas.lan",
        "db.internal",
        "box.home",
        "box.home.arpa",
        "fritz.box.localdomain",
        "wiki.corp",
        "wiki.intranet",
        "x.private",
        "1.0.0.127.in-addr.arpa",
        "a.invalid",
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "10.255.255.255",
        "100.64.0.1",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.0.3:1",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.1",
        "192.0.2.1",
        "192.168.178.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "[::]",
        "[::1]:8080",
        "[::127.0.0.1]",
        "[::8.8.8.8]",
        "[::ffff:127.0.0.1]",
        "[::ffff:c0a8:1]",
        "[64:ff9b::10.0.0.1]",
        "[64:ff9b:1::1]",
        "[100::1]",
        "[2001::1]",
        "[2001:10::1]",
        "[2001:db8::1]",
        "[2002:7f00:1::1]",
        "[2002:c0a8:101::1]",
        "[3fff::1]",
        "[5f00::1]",
        "[fc00::1]",
        "[fd12:3456::1]",
        "[fe80::1]",
        "[febf::1]",
        "[fec0::1]",
        "[ff02::1]",
    ] {
        let (plain, secure) = (format!("ws://{host}/swarm"), format!("wss://{host}/swarm"));
        assert_eq!(read(&plain, PUBLIC), Err(Unfit::Local), "{host}");
        assert_eq!(read(&plain, HTTPS), Err(Unfit::Insecure), "{host}");
        assert_eq!(read(&secure, HTTPS), Err(Unfit::Local), "{host}");
        assert!(read(&plain, LOCAL).is_ok(), "{host}");
        assert!(
            TrackerAddress::parse(&plain).unwrap().origin().local,
            "{host}"
        );
    }
    for host in [
        "tracker.example.org",
        "local.example.org",
        "localhost.example.org",
        "10.example.org",
        "0x7f.example.org",
        "example.localhost.org",
        "1.1.1.1",
        "9.255.255.255",
        "11.0.0.1",
        "100.63.255.255",
        "100.128.0.1",
        "126.0.0.1",
        "128.0.0.1",
        "169.253.0.1",
        "172.15.0.1",
        "172.32.0.1",
        "192.0.1.1",
        "192.167.0.1",
        "198.17.0.1",
        "198.20.0.1",
        "223.255.255.255",
        "[2001:4860:4860::8888]",
        "[2606:4700::1111]",
        "[2a01:4f8::1]",
        "[64:ff9b::808:808]",
        "[2002:808:808::1]",
        "[::ffff:8.8.8.8]",
    ] {
        let (plain, secure) = (format!("ws://{host}/swarm"), format!("wss://{host}/swarm"));
        assert!(read(&plain, PUBLIC).is_ok(), "{host}");
        assert!(read(&plain, LOCAL).is_ok(), "{host}");
        assert!(read(&secure, HTTPS).is_ok(), "{host}");
        assert_eq!(read(&plain, HTTPS), Err(Unfit::Insecure), "{host}");
        assert!(
            !TrackerAddress::parse(&plain).unwrap().origin().local,
            "{host}"
        );
    }
}

#[test]
fn any_text_is_read_or_refused_and_what_is_read_stays_as_it_is() {
    const PARTS: [&str; 20] = [
        "ws://",
        "wss://",
        "udp://",
        "WS://",
        "127",
        ".",
        "0",
        "1",
        "localhost",
        "example",
        "org",
        "[",
        "]",
        ":",
        "::",
        "/",
        "?",
        "@",
        "0x",
        "%",
    ];
    arbtest::arbtest(|u| {
        let mut address = String::new();
        for _ in 0..u.int_in_range(0..=10)? {
            match u.ratio(9, 10)? {
                true => address.push_str(u.choose(&PARTS)?),
                false => address.push_str(u.arbitrary()?),
            }
        }
        if let Ok(read) = TrackerAddress::parse(&address) {
            assert_eq!(TrackerAddress::parse(read.as_str()), Ok(read.clone()));
            assert!(read.as_str().starts_with(if read.origin().secure {
                "wss://"
            } else {
                "ws://"
            }));
        }
        Ok(())
    });
}
