use super::*;
use crate::metainfo::{Builder, NewFile, TorrentLink};

fn torrent(folder: Option<&str>, paths: &[&[&str]]) -> Metainfo {
    let files = paths.iter().map(|path| NewFile {
        path: path.iter().map(|&part| part.to_owned()).collect(),
        length: 1,
    });
    let builder = Builder::new(folder, files.collect(), Some(1 << 14)).unwrap();
    builder.finish(vec![0; 20], Vec::new(), false)
}

fn url(address: &str, metainfo: &Metainfo, file: usize) -> String {
    let address = WebSeedAddress::parse(address).unwrap();
    address.file(metainfo, file)
}

#[test]
fn a_single_file_is_at_the_address_or_below_it() {
    let torrent = torrent(None, &[&["a file"]]);
    for (address, expected) in [
        ("http://h/x/other%20name", "http://h/x/other%20name"),
        ("http://h/x/", "http://h/x/a%20file"),
        ("HTTP://H", "http://h/a%20file"),
        ("https://h:443/x?a=/", "https://h/x?a=/"),
        ("https://h/x/?a=b", "https://h/x/a%20file?a=b"),
    ] {
        assert_eq!(url(address, &torrent, 0), expected);
    }
}

#[test]
fn files_of_a_folder_are_below_it() {
    let torrent = torrent(Some("my folder"), &[&["sub", "ü#&.txt"], &["100%~"]]);
    for (address, file, expected) in [
        (
            "http://h/x",
            0,
            "http://h/x/my%20folder/sub/%C3%BC%23%26.txt",
        ),
        ("http://h/x/", 1, "http://h/x/my%20folder/100%25~"),
        ("http://h", 1, "http://h/my%20folder/100%25~"),
        (
            "http://h/x?key=1",
            1,
            "http://h/x/my%20folder/100%25~?key=1",
        ),
    ] {
        assert_eq!(url(address, &torrent, file), expected);
    }
}

#[test]
fn names_that_are_not_good_everywhere_are_asked_for_as_they_are() {
    let info = "d5:filesld6:lengthi1e4:pathl2:..5:aux.c3:a:beee4:name4:con?\
                12:piece lengthi16384e6:pieces20:00000000000000000000e";
    let torrent = Metainfo::from_torrent(format!("d4:info{info}e").as_bytes()).unwrap();
    assert_ne!(torrent.files()[0].path.to_string(), "con?/aux.c/a:b");
    assert_eq!(url("http://h/", &torrent, 0), "http://h/con%3F/aux.c/a%3Ab");
}

#[test]
fn only_plain_addresses_of_http_are_read() {
    for bad in [
        "",
        "ftp://h/",
        "ws://h/",
        "http://",
        "http://u@h/",
        "http://h/a b",
        "http://h/#x",
        "h",
    ] {
        assert!(WebSeedAddress::parse(bad).is_err(), "{bad}");
    }
    assert_eq!(
        WebSeedAddress::parse("https://h:8443/x").unwrap().host(),
        "h:8443"
    );
}

#[test]
fn pages_ask_no_web_seeds_of_local_networks_unless_they_are_from_there() {
    let page = |secure, local| Origin { secure, local };
    let fits = |address, page| WebSeedAddress::for_page(address, page).map(|_| ());
    assert_eq!(
        fits("http://192.168.1.1/", page(false, false)),
        Err(Unfit::Local)
    );
    assert_eq!(
        fits("https://localhost/", page(true, false)),
        Err(Unfit::Local)
    );
    assert_eq!(
        fits("http://example.org/", page(true, false)),
        Err(Unfit::Insecure)
    );
    assert_eq!(fits("http://127.0.0.1:1/", page(false, true)), Ok(()));
    assert_eq!(fits("https://example.org/", page(true, false)), Ok(()));
}

/// The `url-list` of a torrent, bencoded.
fn listed(url_list: &str) -> Vec<String> {
    let info = "d6:lengthi1e4:name1:a12:piece lengthi16384e6:pieces20:00000000000000000000e";
    let torrent = format!("d4:info{info}8:url-list{url_list}e");
    let torrent = Metainfo::from_torrent(torrent.as_bytes()).unwrap();
    torrent.web_seeds().to_vec()
}

#[test]
fn torrents_name_one_or_several_and_carry_them_on() {
    assert_eq!(listed("9:http://h/"), ["http://h/"]);
    assert_eq!(
        listed("l9:http://h/10:https://h/9:http://h/e"),
        ["http://h/", "https://h/"]
    );
    for nothing in ["0:", "le", "i1e", "de", "l0:i1e5:abcdee", "7:udp://h"] {
        assert!(listed(nothing).is_empty(), "{nothing}");
    }
    let many: String = (100..200).map(|n| format!("12:http://h/{n}")).collect();
    assert_eq!(listed(&format!("l{many}e")).len(), MAX_WEB_SEEDS);

    let seeds = vec!["http://h/a?b=c&d".to_owned(), "https://h/".to_owned()];
    let torrent = torrent(None, &[&["a"]]).with_web_seeds(seeds.clone());
    let again = Metainfo::from_torrent(&torrent.to_torrent()).unwrap();
    assert_eq!(again, torrent);
    assert_eq!(again.web_seeds(), seeds);
    let link = TorrentLink::from(&again);
    for text in [link.to_magnet(), link.to_share_link("http://page/")] {
        assert!(
            text.contains("&ws=http%3A%2F%2Fh%2Fa%3Fb%3Dc%26d&ws=https"),
            "{text}"
        );
        let read: TorrentLink = text.parse().unwrap();
        assert_eq!(read.web_seeds, seeds);
    }
}

#[test]
fn whatever_a_torrent_says_an_address_stays_below_the_seed() {
    arbtest::arbtest(|u| {
        let names: Vec<String> = u.arbitrary()?;
        let address: String = u.arbitrary()?;
        let _ = WebSeedAddress::parse(&address);
        let _ = clean([address]);
        let path: String = names.iter().map(|n| format!("{}:{n}", n.len())).collect();
        let info = format!(
            "d5:filesld6:lengthi1e4:pathl{path}eee4:name1:a12:piece lengthi16384e\
             6:pieces20:00000000000000000000e"
        );
        let Ok(torrent) = Metainfo::from_torrent(format!("d4:info{info}e").as_bytes()) else {
            return Ok(());
        };
        let url = url("http://h/x/", &torrent, 0);
        let below = url.strip_prefix("http://h/x/").unwrap();
        assert!(
            below.is_ascii() && !below.contains(['?', '#', ' ']),
            "{url}"
        );
        assert!(
            below
                .split('/')
                .all(|part| !matches!(part, "" | "." | "..")),
            "{url}"
        );
        assert_eq!(WebSeedAddress::parse(&url).unwrap().as_str(), url);
        Ok(())
    });
}
