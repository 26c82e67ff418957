//! What strangers say and send: anything.

#![allow(clippy::unwrap_used, reason = "tests may panic")]

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use arbtest::arbitrary::{Result, Unstructured};
use arbtest::arbtest;
use rtc_link::connection::{Address, Connection, Step};
use rtc_link::{Identity, LinkError};

/// As Chromium 142 writes one for a page that made a data channel, its address behind a name of
/// the local network.
const CHROMIUM: &str = "v=0\r\n\
    o=- 6148254271391283143 2 IN IP4 127.0.0.1\r\n\
    s=-\r\n\
    t=0 0\r\n\
    a=group:BUNDLE 0\r\n\
    a=extmap-allow-mixed\r\n\
    a=msid-semantic: WMS\r\n\
    m=application 51472 UDP/DTLS/SCTP webrtc-datachannel\r\n\
    c=IN IP4 0.0.0.0\r\n\
    a=candidate:1519498237 1 udp 2113937151 3b5d5e22-3b06-4f2f-9a3f-6f2b1c0b7f7d.local 51472 typ host generation 0 network-cost 999\r\n\
    a=candidate:842163049 1 udp 1677729535 198.51.100.7 51472 typ srflx raddr 0.0.0.0 rport 0 generation 0 network-cost 999\r\n\
    a=ice-ufrag:Vq0d\r\n\
    a=ice-pwd:vQbxo2nZyWBm5ZgGGRDTgYEr\r\n\
    a=ice-options:trickle\r\n\
    a=fingerprint:sha-256 5F:1B:0C:90:7A:2C:11:8D:EA:07:26:54:33:9A:20:4B:6C:F1:5D:3E:E7:93:12:48:0A:B6:77:C4:21:DE:95:38\r\n\
    a=setup:actpass\r\n\
    a=mid:0\r\n\
    a=sctp-port:5000\r\n\
    a=max-message-size:262144\r\n";

/// As libdatachannel 0.24 writes one (libtorrent, WebTorrent in Node).
const LIBDATACHANNEL: &str = "v=0\r\n\
    o=rtc 3767197920 0 IN IP4 127.0.0.1\r\n\
    s=-\r\n\
    t=0 0\r\n\
    a=group:BUNDLE 0\r\n\
    a=group:LS 0\r\n\
    a=msid-semantic:WMS *\r\n\
    a=ice-options:ice2,trickle\r\n\
    a=fingerprint:sha-256 5F:1B:0C:90:7A:2C:11:8D:EA:07:26:54:33:9A:20:4B:6C:F1:5D:3E:E7:93:12:48:0A:B6:77:C4:21:DE:95:38\r\n\
    m=application 45131 UDP/DTLS/SCTP webrtc-datachannel\r\n\
    c=IN IP4 10.77.0.1\r\n\
    a=mid:0\r\n\
    a=sendrecv\r\n\
    a=sctp-port:5000\r\n\
    a=max-message-size:262144\r\n\
    a=setup:actpass\r\n\
    a=ice-ufrag:AO/L\r\n\
    a=ice-pwd:J1xoxlMUEAqBDbFRRRUUJN\r\n\
    a=candidate:1 1 UDP 2122317823 10.77.0.1 45131 typ host\r\n\
    a=end-of-candidates\r\n";

fn addresses() -> [Address; 1] {
    [Address {
        host: "192.0.2.9:4000".parse().unwrap(),
        seen: Some("198.51.100.9:4001".parse().unwrap()),
    }]
}

/// Takes what it wants for a moment.
fn run(connection: &mut Connection, now: Instant) {
    for _ in 0..64 {
        if matches!(connection.poll(now), Step::Wait(_) | Step::Over) {
            return;
        }
    }
}

#[test]
fn offers_of_others_are_answered() {
    let identity = Identity::new().unwrap();
    for offer in [CHROMIUM, LIBDATACHANNEL] {
        let now = Instant::now();
        let answered = Connection::answer(now, &identity, &addresses(), offer);
        let (mut connection, answer) = answered.unwrap();
        for line in [
            "m=application ",
            "a=max-message-size:262144",
            "a=setup:passive",
            "192.0.2.9 4000 typ host",
            "198.51.100.9 4001 typ srflx",
            "a=fingerprint:sha-256 ",
        ] {
            assert!(answer.contains(line), "{line} is not in {answer}");
        }
        run(&mut connection, now);
    }
}

#[test]
fn one_certificate_is_in_all_descriptions() {
    let (identity, now) = (Identity::new().unwrap(), Instant::now());
    let fingerprint = |description: &str| {
        let found = swarm_core::wire::fingerprint::of_description(description);
        found.expect("there is one, plainly written")
    };
    let (_, offer) = Connection::offer(now, &identity, &addresses()).unwrap();
    let (_, answer) = Connection::answer(now, &identity, &addresses(), CHROMIUM).unwrap();
    assert_eq!(fingerprint(&offer), fingerprint(&answer));
}

#[test]
fn without_an_address_there_is_no_connection() {
    let (identity, now) = (Identity::new().unwrap(), Instant::now());
    let refused = Connection::offer(now, &identity, &[]).map(drop);
    assert_eq!(refused, Err(LinkError::NoAddress));
}

/// Whom a connection calls in its first two seconds, of those that somebody describes.
fn called(candidates: &[String]) -> BTreeSet<SocketAddr> {
    let candidates = (candidates.iter().enumerate())
        .map(|(n, at)| format!("a=candidate:{n} 1 UDP 2122317823 {at} typ host\r\n"));
    called_of(&candidates.collect::<String>())
}

/// As [`called`], of these lines.
fn called_of(candidates: &str) -> BTreeSet<SocketAddr> {
    let (identity, mut now) = (Identity::new().unwrap(), Instant::now());
    let theirs = LIBDATACHANNEL.replace("a=end-of", &format!("{candidates}a=end-of"));
    let answered = Connection::answer(now, &identity, &addresses(), &theirs);
    let (mut connection, _) = answered.unwrap();
    let mut called = BTreeSet::new();
    for _ in 0..200 {
        loop {
            match connection.poll(now) {
                Step::Send { to, .. } => drop(called.insert(to)),
                Step::Wait(_) | Step::Over => break,
                _ => {}
            }
        }
        now += Duration::from_millis(10);
        connection.tick(now);
    }
    called
}

#[test]
fn nobody_is_called_who_can_be_no_peer() {
    let nowhere = [
        "127.0.0.1 53",
        "127.1.2.3 6379",
        "0.0.0.0 9",
        "255.255.255.255 9",
        "239.255.255.250 1900",
        "198.51.100.3 0",
        "::1 53",
        "::ffff:127.0.0.1 53",
        "ff02::1 9",
        "router.lan 53",
    ];
    let nowhere = nowhere.map(str::to_owned);
    let offered: SocketAddr = "10.77.0.1:45131".parse().unwrap();
    assert_eq!(called(&nowhere), BTreeSet::from([offered]));
}

/// What ends a word for one reader may be a part of it for the next.
#[test]
fn an_address_does_not_hide_behind_another() {
    let offered: SocketAddr = "10.77.0.1:45131".parse().unwrap();
    for gap in ["\t", "\u{c}", "\u{b}", "\u{a0}", "  "] {
        let hidden = ["1", "A", "B", "C", "8.8.8.8", "4000"].join(gap);
        let line = format!("a=candidate:{hidden} 1 UDP 2122317823 127.0.0.1 53 typ host\r\n");
        assert_eq!(called_of(&line), BTreeSet::from([offered]), "{gap:?}");
    }
}

#[test]
fn no_more_are_called_than_a_peer_has_addresses() {
    let many: Vec<String> = (0..1000)
        .map(|n| format!("198.51.{}.{} 4000", n / 250, n % 250))
        .collect();
    let called = called(&many);
    assert!((2..=32).contains(&called.len()), "{}", called.len());
}

/// Something like a description.
fn mutated(u: &mut Unstructured<'_>, of: &str) -> Result<String> {
    let mut lines: Vec<String> = of.lines().map(str::to_owned).collect();
    for _ in 0..u.int_in_range(0..=6)? {
        let at = u.choose_index(lines.len().max(1))?;
        let Some(line) = lines.get(at).cloned() else {
            break;
        };
        match u.int_in_range(0..=5)? {
            0 => drop(lines.remove(at)),
            1 => lines.insert(at, line),
            2 => {
                let other = u.choose_index(lines.len())?;
                lines.swap(at, other);
            }
            3 => {
                let kept = u.choose_index(line.chars().count().max(1))?;
                lines[at] = line.chars().take(kept).collect();
            }
            4 => {
                let words: Vec<&str> = line.split([' ', ':']).collect();
                let word = *u.choose(&words)?;
                let number = u.arbitrary::<u64>()?.to_string();
                let by = *u.choose(&["", "0", "-1", &number, "ü", "::", "\u{7f}"])?;
                lines[at] = line.replace(word, by);
            }
            _ => lines.insert(at, u.arbitrary::<String>()?),
        }
    }
    Ok(lines.join(*u.choose(&["\r\n", "\n"])?))
}

#[test]
fn any_description_makes_a_connection_or_an_error() {
    let identity = Identity::new().unwrap();
    arbtest(|u| {
        let now = Instant::now();
        let (mut offered, _) = Connection::offer(now, &identity, &addresses()).unwrap();
        let of = *u.choose(&[CHROMIUM, LIBDATACHANNEL])?;
        let theirs = mutated(u, of)?;
        if let Ok((mut connection, _)) = Connection::answer(now, &identity, &addresses(), &theirs) {
            run(&mut connection, now);
            connection.tick(now + Duration::from_secs(1));
            run(&mut connection, now + Duration::from_secs(1));
        }
        let theirs = theirs.replace("actpass", u.choose(&["active", "passive", "actpass"])?);
        if offered.accept(&theirs).is_ok() {
            run(&mut offered, now);
        }
        Ok(())
    })
    .budget_ms(2_000);
}

#[test]
fn any_datagram_is_taken_or_left() {
    let identity = Identity::new().unwrap();
    let at = addresses()[0].host;
    arbtest(|u| {
        let now = Instant::now();
        let answered = Connection::answer(now, &identity, &addresses(), CHROMIUM);
        let (mut connection, _) = answered.unwrap();
        run(&mut connection, now);
        for n in 0..u.int_in_range(1..=8)? {
            let mut datagram: Vec<u8> = u.arbitrary()?;
            // The first byte says what it is (RFC 7983 §7); STUN has a cookie.
            let head: &[u8] = match u.int_in_range(0..=3)? {
                0 => &[0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42],
                1 => &[22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8],
                2 => &[23, 254, 253, 0, 1],
                _ => &[128, 200],
            };
            datagram.splice(..0, head.iter().copied());
            let from = *u.choose(&["198.51.100.7:51472", "203.0.113.1:9"])?;
            let now = now + Duration::from_millis(n);
            connection.receive(now, from.parse().unwrap(), at, &datagram);
            run(&mut connection, now);
        }
        Ok(())
    })
    .budget_ms(2_000);
}
