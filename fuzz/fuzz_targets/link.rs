//! A link that is read can be written as a magnet link, and means the same then.
#![no_main]

use libfuzzer_sys::fuzz_target;
use swarm_core::metainfo::Link;

fuzz_target!(|text: &str| {
    let Ok(link) = text.parse::<Link>() else {
        return;
    };
    link.page_tracker();
    let again: Link = link.to_magnet().parse().expect("our own links are links");
    assert_eq!(again.info_hash, link.info_hash);
    assert_eq!(again.name, link.name);
});
