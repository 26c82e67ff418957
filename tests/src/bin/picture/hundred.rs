//! A swarm of a hundred peers, as the worker would tell of it: to see what the picture looks like
//! then, and how long it takes.

use std::path::Path;

use anyhow::Result;
use serde_json::json;
use swarm_core::engine::view::{HaveChange, PeerChange, SwarmChanges};
use swarm_core::engine::{PeerPath, PeerView};
use swarm_tests::browser::Browser;
use swarm_tests::server::Server;

const PEERS: u32 = 100;
const PIECES: u32 = 2_000;

/// News come four times a second, for ten seconds.
const MOMENTS: u32 = 40;

/// Shows a picture, feeds it, and measures what passes between two of them and how much of that
/// the program takes. Arguments: what is told, as arrays of bytes; and a function for the result.
const SHOW: &str = r#"
    const [moments, done] = [MOMENTS, arguments[0]];
    const spent = [], times = [];
    const request = window.requestAnimationFrame.bind(window);
    window.requestAnimationFrame = (draw) => request((now) => {
        const begin = performance.now();
        draw(now);
        spent.push(performance.now() - begin);
        times.push(now);
    });
    const place = document.getElementById('picture-program').dataset;
    addEventListener('swarm-picture', ({ detail: show }) => {
        const card = document.getElementById('torrent').content.firstElementChild.cloneNode(true);
        // Not in the page's own list, which it shows and hides.
        document.querySelector('main').replaceChildren(card);
        for (const other of card.querySelectorAll(':scope > :not(.swarm)')) other.remove();
        const details = card.querySelector('.swarm');
        details.hidden = false;
        details.open = true;
        const body = document.getElementById('swarm').content.firstElementChild.cloneNode(true);
        details.append(body);
        const sheet = body.querySelector('link');
        sheet.onload = () => {
            let next = 0;
            const feed = () => {
                if (next < moments.length) {
                    show(body, new Uint8Array(moments[next++]));
                    return setTimeout(feed, 250);
                }
                details.scrollIntoView();
                const gaps = times.slice(1).map((time, index) => time - times[index]);
                const middle = (all, part) => all.sort((a, b) => a - b)[Math.floor(all.length * part)];
                done([times.length, middle(spent, 0.5), middle(spent, 0.99), middle(gaps, 0.5), middle(gaps, 0.99)]);
            };
            feed();
        };
    }, { once: true });
    import(new URL(place.glue, document.baseURI)).then((glue) =>
        glue.default({ module_or_path: new URL(place.program, document.baseURI).href }));
"#;

/// Names of pictures, the screens, what the person told the browser, and how many times slower
/// than this machine theirs computes.
type Scene = (
    &'static str,
    (u32, u32, f64),
    &'static [(&'static str, &'static str)],
    f64,
);

const DESK: (u32, u32, f64) = (1200, 1100, 1.0);
const PHONE: (u32, u32, f64) = (390, 844, 3.0);

const SCENES: [Scene; 7] = [
    ("light", DESK, &[], 1.0),
    ("slow", DESK, &[], 4.0),
    ("dark", DESK, &[("prefers-color-scheme", "dark")], 1.0),
    ("forced", DESK, &[("forced-colors", "active")], 1.0),
    ("phone", PHONE, &[], 1.0),
    ("slow-phone", PHONE, &[], 4.0),
    ("still", DESK, &[("prefers-reduced-motion", "reduce")], 1.0),
];

/// See the module.
pub(crate) async fn take(pictures: &Path) -> Result<()> {
    let server = Server::start().await?;
    let browser = Browser::start().await?;
    let mut told: Vec<Vec<u8>> = Vec::new();
    for moment in 0..MOMENTS {
        told.push(postcard::to_allocvec(&changes(moment))?);
    }
    let script = SHOW.replace("MOMENTS", &json!(told).to_string());
    for (name, screen, features, times) in SCENES {
        let tab = browser.open(&server.page()).await?;
        browser.emulate(screen, features).await?;
        browser.slow_down(times).await?;
        let took = tab.run_async(&script).await?;
        eprintln!("{name}: pictures, ms of drawing (median, 99 %), ms between two: {took}");
        let path = pictures.with_file_name(format!(
            "{}-{name}.png",
            pictures.file_name().unwrap_or_default().to_string_lossy()
        ));
        tab.screenshot(&path).await?;
    }
    browser.quit().await
}

/// What is told at a moment.
fn changes(moment: u32) -> SwarmChanges {
    let have = |peer: u32, moment: u32| -> Vec<u8> {
        let share = share(peer, moment);
        let mut bytes = vec![0; PIECES.div_ceil(8) as usize];
        for piece in (0..PIECES).filter(|piece| luck(peer, *piece) < share) {
            bytes[piece as usize / 8] |= 0x80 >> (piece % 8);
        }
        bytes
    };
    let news = |peer| match moment {
        0 => Some(HaveChange::All(have(peer, 0))),
        _ => {
            let (before, now) = (have(peer, moment - 1), have(peer, moment));
            let has =
                |have: &[u8], piece: u32| have[piece as usize / 8] & (0x80 >> (piece % 8)) != 0;
            let toggled = (0..PIECES).filter(|piece| has(&before, *piece) != has(&now, *piece));
            Some(HaveChange::Toggled(toggled.collect()))
        }
    };
    let peer = |number: u32| {
        let path = match number % 10 {
            0..3 => PeerPath::Relay,
            3..7 => PeerPath::Direct,
            7 => PeerPath::WebTorrent,
            8 => PeerPath::Tcp,
            _ if number == 9 => PeerPath::WebSeed,
            _ => PeerPath::Direct,
        };
        let (gives, takes) = (!number.is_multiple_of(3), number % 4 == 1);
        let rate = u64::from(number % 7 + 1) * 40_000 * u64::from(moment % 8 + 1);
        PeerChange {
            session: number,
            view: PeerView {
                peer_id: format!("-TS0001-{number:012}"),
                client: "Tabswarm 0.1.0".to_owned(),
                path,
                progress: share(number, moment),
                down: rate * 30,
                up: rate * 10,
                down_rate: if gives { rate } else { 0 },
                up_rate: if takes { rate / 2 } else { 0 },
                unchoked_us: gives,
                unchoked: takes,
                gateway: number == 11,
            },
            have: news(number),
        }
    };
    SwarmChanges {
        pieces: PIECES,
        have: news(PEERS),
        peers: (0..PEERS).map(peer).collect(),
    }
}

/// What part a peer has.
fn share(peer: u32, moment: u32) -> f64 {
    match peer % 12 {
        0 => 1.0,
        _ => (f64::from(peer * 37 % 90) / 100.0 + f64::from(moment) * 0.002).min(1.0),
    }
}

/// When a peer gets a piece.
fn luck(peer: u32, piece: u32) -> f64 {
    let mixed =
        (peer.wrapping_mul(2_654_435_761) ^ piece.wrapping_mul(40_503)).wrapping_mul(2_246_822_519);
    f64::from(mixed >> 8) / f64::from(1_u32 << 24)
}
