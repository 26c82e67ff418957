//! The peers around us, as they are drawn, and what goes between them and us.

use swarm_core::engine::PeerView;
use swarm_core::engine::view::{KnownPeer, SwarmKnown};
use swarm_picture::ways::Way;

/// A line's two directions are so far apart in its middle, in CSS pixels, and at most such a part
/// of its length.
const APART: (f64, f64) = (14.0, 0.14);

/// Of a line, at most so many pieces are shown; one more whenever the rate is four times as high.
const MOST_PIECES: u32 = 6;

/// With which there is one piece on a line, bytes a second.
const SLOW: u64 = 16 << 10;

/// A middle, and how far it is from there to what is around it.
type Circle = ((f64, f64), f64);

/// One that is there, with where it is drawn.
pub(super) struct Peer<'a> {
    pub(super) session: u32,
    pub(super) view: &'a PeerView,
    pub(super) at: (f64, f64),
    /// To us.
    pub(super) coming: Way,
    /// To it.
    pub(super) going: Way,
    pub(super) length: f64,
}

impl<'a> Peer<'a> {
    /// Its cell and ours: where they are, and how far it is from there to their corners. None
    /// while nothing is known of it.
    pub(super) fn new(known: &'a KnownPeer, theirs: Circle, ours: Circle) -> Option<Self> {
        let ((at, radius), (middle, middle_radius)) = (theirs, ours);
        let (dx, dy) = (at.0 - middle.0, at.1 - middle.1);
        let length = (dx * dx + dy * dy).sqrt().max(1.0);
        let (ux, uy) = (dx / length, dy / length);
        let point = |distance: f64| (middle.0 + ux * distance, middle.1 + uy * distance);
        let (ours, theirs) = (point(middle_radius), point(length - radius));
        let bend = (APART.0 / length).min(APART.1);
        Some(Peer {
            session: known.session,
            view: known.view.as_ref()?,
            at,
            coming: Way::between(theirs, ours, bend),
            going: Way::between(ours, theirs, bend),
            length: length - radius - middle_radius,
        })
    }

    /// Somebody who is looked at closely is looked at alone.
    pub(super) fn is_shown(&self, chosen: Option<u32>) -> bool {
        chosen.is_none_or(|chosen| chosen == self.session)
    }
}

/// How many stand for so many bytes a second.
pub(super) fn pieces_of(rate: u64) -> u32 {
    match rate {
        0 => 0,
        _ => (1 + (rate / SLOW).max(1).ilog2() / 2).min(MOST_PIECES),
    }
}

/// A triangle in the middle of a way, in its direction.
pub(super) fn arrow(way: Way, size: f64) -> [(f64, f64); 3] {
    let ((x, y), (ahead_x, ahead_y)) = (way.at(0.5), way.at(0.52));
    let (dx, dy) = (ahead_x - x, ahead_y - y);
    let length = (dx * dx + dy * dy).sqrt().max(f64::MIN_POSITIVE);
    let (dx, dy) = (dx / length * size, dy / length * size);
    [
        (x + dx, y + dy),
        (x - dx - dy * 0.8, y - dy + dx * 0.8),
        (x - dx + dy * 0.8, y - dy - dx * 0.8),
    ]
}

/// Something goes to or fro.
pub(super) fn flows(known: &SwarmKnown) -> bool {
    let mut views = known.peers.iter().filter_map(|peer| peer.view.as_ref());
    views.any(|view| view.down_rate + view.up_rate > 0)
}
