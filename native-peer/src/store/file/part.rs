//! What a span of a piece and a stretch of it have in common.

use std::ops::Range;

use swarm_core::metainfo::FileSpan;

/// See the module.
pub(super) struct Part {
    /// Its first byte within the file.
    pub(super) offset: u64,
    /// Where it is within the stretch.
    pub(super) here: Range<usize>,
}

impl Part {
    pub(super) fn of(span: &FileSpan, begin: u32, length: u32) -> Option<Self> {
        let from = span.begin.max(begin);
        let to = (span.begin + span.length).min(begin + length);
        (from < to).then(|| Part {
            offset: span.offset + u64::from(from - span.begin),
            here: (from - begin) as usize..(to - begin) as usize,
        })
    }
}
