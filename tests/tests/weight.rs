//! The page does not grow unseen.
//!
//! Ignored by a plain `cargo test`, as the tests in tabs are: `cargo xtask test tabs` builds the
//! page and runs it.

use anyhow::Result;
use swarm_tests::programs::{Part, page_weight};

/// Bytes that each part may be, with brotli over HTTPS and with gzip over plain HTTP in a LAN: a
/// few kB more than it weighed when this was written. At 1.6 Mbit/s, a bad mobile network, each
/// 10 kB are 50 ms more: of the interface before anybody can do something, of the engine before
/// anything is fetched. A change that needs more says here for what.
///
/// Of the engine, some 12 kB are direct links, some 10 several trackers, some 8 what WebTorrent's
/// clients and trackers are spoken to with, some 30 web seeds, introductions between tabs, and what
/// gives files to a player and to the disk as they come, some 15 the overlay of tabs and who
/// carries torrents for it, some 2 the choice of a path, and some 2 what other people's pages ask
/// for. Of the interface some 10 are limits, the installed app and consent to what it does, and
/// some 5 other languages and the place of a swarm's picture.
const MOST: [(Part, &str, u64); 5] = [
    (Part::Interface, "br", 80_000),
    (Part::Interface, "gz", 84_000),
    (Part::Engine, "br", 248_500),
    (Part::Engine, "gz", 260_000),
    (Part::Picture, "br", 27_000),
];

#[test]
#[ignore = "needs the built page: cargo xtask test tabs"]
fn the_page_weighs_no_more_than_it_may() -> Result<()> {
    for (part, extension, most) in MOST {
        let weight = page_weight(part, extension)?;
        assert!(
            weight > 0,
            "nothing of the {part:?} is compressed to {extension}"
        );
        assert!(
            weight <= most,
            "{weight} bytes of {extension} are more than the {most} of the {part:?}. What weighs \
             is seen with `cargo xtask build --page` before and after; CONTRIBUTING.md says how to \
             look closer"
        );
    }
    Ok(())
}
