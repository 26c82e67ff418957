use super::*;

const HEX: &str = "2c6b6858d61da9543d4231a71db4b1c9264b0685";

fn parse(text: &str) -> Result<TorrentLink, TorrentLinkError> {
    text.parse()
}

fn link(name: Option<&str>, trackers: &[&str], page: Option<&str>) -> TorrentLink {
    TorrentLink {
        info_hash: HEX.parse().unwrap(),
        name: name.map(str::to_owned),
        trackers: trackers.iter().map(|t| (*t).to_owned()).collect(),
        web_seeds: Vec::new(),
        files: None,
        page: page.map(str::to_owned),
    }
}

#[test]
fn an_info_hash_is_a_link() {
    assert_eq!(parse(HEX), Ok(link(None, &[], None)));
    assert_eq!(
        parse(" FRVWQWGWDWUVIPKCGGTR3NFRZETEWBUF\n"),
        Ok(link(None, &[], None))
    );
}

#[test]
fn magnet_links_are_read() {
    let full = TorrentLink {
        web_seeds: vec!["http://w.example/".to_owned()],
        ..link(
            Some("Größe & more+.txt"),
            &["wss://t.example/x?y=1&z", "udp://t.example:80"],
            None,
        )
    };
    assert_eq!(
        parse(&format!(
            "magnet:?dn=Gr%C3%B6%C3%9Fe+%26+more%2B.txt&xl=12&tr=wss%3A%2F%2Ft.example%2Fx\
             %3Fy%3D1%26z&XT=urn:btih:{HEX}&tr.1=udp://t.example:80&ws=http://w.example/"
        )),
        Ok(full)
    );
    assert_eq!(
        parse(&format!("MAGNET:?xt=urn%3ABTIH%3A{HEX}&amp;dn=a")),
        Ok(link(Some("a"), &[], None))
    );
    // A hybrid torrent has two topics.
    let v2 = format!("1220{}", "ab".repeat(32));
    assert_eq!(
        parse(&format!(
            "magnet:?xt=urn:btmh:{v2}&xt=urn:btih:{HEX}&dn=&tr=&tr=a%20b"
        )),
        Ok(link(None, &[], None))
    );
    assert_eq!(
        parse(&format!("magnet:?xt=urn:btmh:{v2}")),
        Err(TorrentLinkError::NoInfoHash)
    );
}

#[test]
fn a_link_may_ask_for_some_files() {
    let files = |rest: &str| parse(&format!("magnet:?xt=urn:btih:{HEX}{rest}")).map(|l| l.files);
    let some: Selection = "1,3-5".parse().unwrap();
    assert_eq!(files("&so=1,3-5"), Ok(Some(some.clone())));
    assert_eq!(files("&so=3-5%2C1&dn=a"), Ok(Some(some.clone())));
    // What is no choice is no reason to refuse the link.
    assert_eq!(files("&so=&so=x"), Ok(None));
    assert_eq!(files(""), Ok(None));
    let mut link = link(None, &[], None);
    link.files = Some(some);
    let magnet = format!("magnet:?xt=urn:btih:{HEX}&so=1,3-5");
    assert_eq!(link.to_magnet(), magnet);
    let shared = parse(&link.to_share_link("http://localhost/")).unwrap();
    assert_eq!(shared.files, link.files);
}

#[test]
fn names_from_links_are_fit_to_be_shown() {
    let name = |dn: &str| parse(&format!("magnet:?xt=urn:btih:{HEX}&dn={dn}")).map(|l| l.name);
    assert_eq!(name("a%E2%80%AEb%0A%00c"), Ok(Some("abc".into())));
    assert_eq!(name("a%E2%80%8Eb%EF%BB%BF"), Ok(Some("ab".into())));
    assert_eq!(name("%FF"), Ok(Some("\u{fffd}".into())));
    assert_eq!(name("%20%0d"), Ok(None));
    assert_eq!(name(&"x".repeat(300)), Ok(Some("x".repeat(255))));
}

#[test]
fn share_links_are_read() {
    for (text, page, tracker) in [
        (
            "http://127.0.0.1:8080/#magnet:?xt=urn:btih:{}",
            "http://127.0.0.1:8080/",
            "ws://127.0.0.1:8080/swarm",
        ),
        (
            "HTTPS://swarm.example#magnet:?xt=urn:btih:{}",
            "https://swarm.example/",
            "wss://swarm.example/swarm",
        ),
        (
            "https://swarm.example/app/?lang=de#magnet%3A%3Fxt%3Durn%3Abtih%3A{}",
            "https://swarm.example/app/?lang=de",
            "wss://swarm.example/app/swarm",
        ),
        (
            "http://[::1]:1234/x#{}",
            "http://[::1]:1234/x",
            "ws://[::1]:1234/swarm",
        ),
        (
            "https://müller.example?a#{}",
            "https://müller.example/?a",
            "wss://müller.example/swarm",
        ),
    ] {
        let read = parse(&text.replace("{}", HEX)).unwrap();
        assert_eq!(read.page_tracker().as_deref(), Some(tracker));
        assert_eq!(read, link(None, &[], Some(page)));
    }
    assert_eq!(link(None, &[], None).page_tracker(), None);
}

#[test]
fn what_is_no_link_is_refused_in_words() {
    let not_a_link = [
        "",
        "hello",
        "https://swarm.example/",
        "https://swarm.example/#",
        "https://swarm.example/#about",
        "https:///#{}",
        "https://user@swarm.example/#{}",
        "https://swarm.example:99999/#{}",
        "https://swarm.example:+80/#{}",
        "https://swarm .example/#{}",
        "https://[::1/#{}",
        "ftp://swarm.example/#{}",
        "javascript:alert(1)#{}",
        "#{}",
    ];
    for text in not_a_link {
        let text = text.replace("{}", HEX);
        assert_eq!(parse(&text), Err(TorrentLinkError::NotALink), "{text}");
    }
    assert_eq!(parse("magnet:?dn=x"), Err(TorrentLinkError::NoInfoHash));
    assert!(matches!(
        parse("magnet:?xt=urn:btih:2c6b"),
        Err(TorrentLinkError::InfoHash(_))
    ));
    let long = format!("magnet:?xt=urn:btih:{HEX}&dn={}", "x".repeat(40_000));
    assert_eq!(parse(&long), Err(TorrentLinkError::TooLong));
}

#[test]
fn links_are_written_as_everybody_reads_them() {
    let link = link(Some("a b/ä+&#.txt"), &["wss://t.example/swarm"], None);
    let magnet = format!("magnet:?xt=urn:btih:{HEX}&dn=a%20b%2F%C3%A4%2B%26%23.txt");
    assert_eq!(
        link.to_magnet(),
        format!("{magnet}&tr=wss%3A%2F%2Ft.example%2Fswarm")
    );
    assert_eq!(
        link.to_share_link("http://localhost:8080/#old"),
        format!("http://localhost:8080/#{magnet}&tr=wss%3A%2F%2Ft.example%2Fswarm")
    );
}

#[test]
fn a_share_link_names_trackers_that_a_page_can_speak_with_before_others() {
    let mut trackers: Vec<String> = (0..20).map(|n| format!("udp://{n}.example")).collect();
    trackers.extend(["wss://a.example/".to_owned(), "ws://b.example/".to_owned()]);
    let mut link = link(None, &[], None);
    link.trackers.clone_from(&trackers);
    let shared = parse(&link.to_share_link("http://localhost/")).unwrap();
    assert_eq!(shared.trackers[..2], trackers[20..]);
    assert_eq!(shared.trackers[2..], trackers[..6]);
    let magnet = parse(&link.to_magnet()).unwrap();
    assert_eq!(magnet.trackers, trackers);
}

#[test]
fn what_is_written_is_read_back() {
    arbtest::arbtest(|u| {
        let text: String = u.arbitrary()?;
        let mut link = link(clean_name(&format!("dn={text}")).as_deref(), &[], None);
        link.trackers = trackers::clean(u.arbitrary::<Vec<String>>()?);
        link.files = u.arbitrary::<String>()?.parse().ok();
        assert_eq!(parse(&link.to_magnet()), Ok(link.clone()));

        let page = "https://swarm.example/";
        let shared = parse(&link.to_share_link(page)).unwrap();
        let mut named = shared.trackers.iter();
        assert!(named.all(|tracker| link.trackers.contains(tracker)));
        assert_eq!(shared.trackers.len(), link.trackers.len().min(8));
        link.trackers.clone_from(&shared.trackers);
        link.page = Some(page.into());
        assert_eq!(shared, link);
        Ok(())
    });
}

#[test]
fn any_text_is_a_link_or_an_error() {
    arbtest::arbtest(|u| {
        let mut text = String::new();
        while !u.is_empty() && text.len() < 300 {
            text += u.choose(&[
                HEX,
                "magnet:?",
                "xt=",
                "urn:btih:",
                "&",
                "dn=",
                "tr=",
                "so=",
                "-",
                ",",
                "%",
                "%e2%80%ae",
                "http://",
                "[",
                "]",
                ":",
                "#",
                "a",
                "é",
                "/",
            ])?;
            if u.ratio(1, 10)? {
                text.push(u.arbitrary()?);
            }
        }
        if let Ok(link) = parse(&text) {
            assert_eq!(link.page.is_some(), link.page_tracker().is_some());
            assert_eq!(
                parse(&link.to_magnet()).map(|l| l.info_hash),
                Ok(link.info_hash)
            );
        }
        Ok(())
    });
}
