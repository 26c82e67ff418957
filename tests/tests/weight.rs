//! The page does not grow unseen.
//!
//! Ignored by a plain `cargo test`, as the tests in tabs are: `cargo xtask test tabs` builds the
//! page and runs it.

use anyhow::Result;
use swarm_tests::programs::{page_weight, picture_weight};

/// Bytes of the whole page over HTTPS, which speaks brotli: a few kB more than it weighed when
/// this was written (273 kB). At 1.6 Mbit/s, a bad mobile network, each 10 kB are 50 ms more
/// before somebody sees anything. A change that needs more says here for what.
///
/// Of these, some 12 kB are direct links, some 10 are several trackers, some 8 are what
/// WebTorrent's clients and trackers are spoken to with, and some 30 web seeds, introductions
/// between tabs, and what plays files and saves them as they come.
const MOST_BROTLI: u64 = 277_000;
/// The same over plain HTTP in a LAN, where browsers take gzip only (288 kB).
const MOST_GZIP: u64 = 292_000;

/// Bytes of what the page loads when somebody opens the picture of a swarm, as brotli.
const MOST_OF_PICTURE: u64 = 26_000;

#[test]
#[ignore = "needs the built page: cargo xtask test tabs"]
fn the_page_weighs_no_more_than_it_may() -> Result<()> {
    for (extension, most) in [("br", MOST_BROTLI), ("gz", MOST_GZIP)] {
        let weight = page_weight(extension)?;
        assert!(weight > 0, "there are no files compressed to {extension}");
        assert!(
            weight <= most,
            "{weight} bytes of {extension} are more than {most}. What weighs is seen with \
             `cargo xtask build --page` before and after; CONTRIBUTING.md says how to look closer"
        );
    }
    Ok(())
}

#[test]
#[ignore = "needs the built page: cargo xtask test tabs"]
fn the_picture_of_a_swarm_is_apart_and_small() -> Result<()> {
    let weight = picture_weight("br")?;
    assert!(weight > 0, "it is apart");
    assert!(weight <= MOST_OF_PICTURE, "{weight} bytes");
    Ok(())
}
