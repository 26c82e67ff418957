//! A swarm of a hundred peers, as the worker would tell of it: to see what the picture looks like
//! then, and how long it takes.

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::json;
use swarm_core::engine::view::{HaveChange, PeerChange, SwarmChanges};
use swarm_core::engine::{PeerPath, PeerView};

use crate::browser::Browser;
use crate::tab::Tab;

const PEERS: u32 = 100;
const PIECES: u32 = 2_000;

/// News come four times a second, for ten seconds.
const MOMENTS: u32 = 40;

/// How long it took, in milliseconds: the median, and what 99 of 100 stay below.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Took {
    /// Pictures of ten seconds.
    pub pictures: u32,
    /// The program's own work for a picture.
    pub drawing: [f64; 2],
    /// That, and what the page's thread does after it until the picture is handed on: styles, layout
    /// of the table, painting.
    pub all: [f64; 2],
    /// The program's work for news, between two pictures.
    pub news: [f64; 2],
    /// From one picture to the next.
    pub gap: [f64; 2],
}

/// Shows a picture, feeds it, and measures. MOMENTS is what is told, as arrays of bytes.
const SHOW: &str = r#"
    const [moments, done] = [MOMENTS, arguments[0]];
    const drawing = [], whole = [], news = [], times = [];
    const request = window.requestAnimationFrame.bind(window);
    // What is posted while a picture is drawn comes when the page's thread is done with it.
    const { port1, port2 } = new MessageChannel();
    port2.onmessage = ({ data }) => whole.push(performance.now() - data);
    window.requestAnimationFrame = (draw) => request((now) => {
        const begin = performance.now();
        port1.postMessage(begin);
        draw(now);
        drawing.push(performance.now() - begin);
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
                    const begin = performance.now();
                    show(body, new Uint8Array(moments[next++]));
                    news.push(performance.now() - begin);
                    return setTimeout(feed, 250);
                }
                details.scrollIntoView();
                const gaps = times.slice(1).map((time, index) => time - times[index]);
                const of = (all) => {
                    all.sort((a, b) => a - b);
                    return [0.5, 0.99].map((part) => all[Math.floor(all.length * part)]);
                };
                done({
                    pictures: times.length, drawing: of(drawing), all: of(whole), news: of(news), gap: of(gaps),
                });
            };
            feed();
        };
    }, { once: true });
    import(new URL(place.glue, document.baseURI)).then((glue) =>
        glue.default({ module_or_path: new URL(place.program, document.baseURI).href }));
"#;

/// A tab that shows the picture on this screen, CSS pixels of its width and height and pixels of the
/// screen for each, with what the person told the browser, so many times slower than this machine;
/// and what that took.
pub async fn show(
    browser: &Browser,
    page: &str,
    screen: (u32, u32, f64),
    features: &[(&str, &str)],
    slower: f64,
) -> Result<(Tab, Took)> {
    let moments: Vec<Vec<u8>> = (0..MOMENTS)
        .map(|moment| postcard::to_allocvec(&changes(moment)))
        .collect::<Result<_, _>>()?;
    let script = SHOW.replace("MOMENTS", &json!(moments).to_string());
    let tab = browser.open(page).await?;
    browser.emulate(screen, features).await?;
    browser.slow_down(slower).await?;
    let took = tab.run_async(&script).await?;
    let took = serde_json::from_value(took.clone()).with_context(|| took.to_string())?;
    Ok((tab, took))
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
