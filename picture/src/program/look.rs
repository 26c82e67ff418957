//! Colours and manners: of the style sheet, and of what a person told the browser.

use page_kit::dom::window;
use swarm_core::engine::{PeerPath, PeerView};
use swarm_picture::colours::{Rgb, Sheet, rgb};
use swarm_picture::piece_map::Palette;
use swarm_picture::surface::Surface;

/// Every way in which pieces come from peers, as the page's style sheet and tests call them.
pub(super) const PATHS: [&str; 6] = [
    "relay",
    "direct",
    "webtorrent",
    "tcp",
    "web-seed",
    "gateway",
];

/// Where the way to a peer is in [`PATHS`].
pub(super) fn index_of(view: &PeerView) -> usize {
    match view.path {
        PeerPath::Relay | PeerPath::Direct if view.gateway => 5,
        PeerPath::Relay => 0,
        PeerPath::Direct => 1,
        PeerPath::WebTorrent => 2,
        PeerPath::Tcp => 3,
        PeerPath::WebSeed => 4,
    }
}

/// See the module.
#[derive(Debug)]
pub(super) struct Look {
    pub(super) ink: String,
    pub(super) card: String,
    pub(super) line: String,
    pub(super) missing: String,
    /// Of a peer that lacks something.
    pub(super) partial: String,
    /// Of one that has everything.
    pub(super) complete: String,
    /// Of a piece on its way, and of one that has just come.
    pub(super) piece: String,
    /// Of a piece that nobody has.
    pub(super) lost: String,
    pub(super) focus: String,
    /// By [`PATHS`].
    pub(super) paths: [String; 6],
    pub(super) palette: Palette,
    /// The person wants nothing to move.
    pub(super) is_still: bool,
}

impl Look {
    /// As it is now.
    pub(super) fn read(surface: &Surface) -> Self {
        let sheet = Sheet::of(&surface.canvas);
        // Spelled out, because some are names of a system's colours.
        let colour = |name: &str| surface.spelled(&sheet.colour(name));
        let of_path = |name: &str| {
            let property = String::from("--path-") + name;
            colour(&property)
        };
        let still = window().match_media("(prefers-reduced-motion: reduce)");
        let (missing, card, piece) = (colour("--map-missing"), colour("--card"), colour("--piece"));
        Look {
            palette: Palette {
                missing: rgb(&missing),
                card: rgb(&card),
                glow: rgb(&piece),
            },
            ink: colour("--ink"),
            line: colour("--line"),
            partial: colour("--map-here"),
            complete: colour("--complete"),
            lost: colour("--red"),
            focus: colour("--focus"),
            paths: PATHS.map(of_path),
            is_still: still.ok().flatten().is_some_and(|it| it.matches()),
            missing,
            card,
            piece,
        }
    }

    /// Of somebody who has this part of the pieces.
    pub(super) fn colour_of(&self, share: f64) -> &str {
        match share >= 1.0 {
            true => &self.complete,
            false => &self.partial,
        }
    }

    /// The same, for piece maps.
    pub(super) fn rgb_of(&self, share: f64) -> Rgb {
        rgb(self.colour_of(share))
    }
}
