//! The colours of the style sheet, for what is painted.

use page_kit::dom::by_id;
use swarm_lab::snapshot::Role;
use swarm_picture::colours::{Sheet, rgb};
use swarm_picture::piece_map::Palette;

/// See the module. Each is as CSS wants it.
pub(super) struct Theme {
    pub soft: String,
    pub line: String,
    pub card: String,
    pub missing: String,
    pub focus: String,
    pub flow: String,
    /// Of what takes a direct link.
    pub direct: String,
    /// Of a key that is looked up.
    pub key: String,
    /// Of a piece on its way, and of one that has just come.
    pub piece: String,
    /// Of run A and run B.
    pub sides: [String; 2],
    /// By [`role_index`].
    pub roles: [String; 4],
}

impl Theme {
    /// As the style sheet has it now.
    pub(super) fn read() -> Self {
        let sheet = Sheet::of(&by_id("lab"));
        let colour = |name| sheet.colour(name);
        Theme {
            soft: colour("--ink-soft"),
            line: colour("--line"),
            card: colour("--card"),
            missing: colour("--map-missing"),
            focus: colour("--focus"),
            flow: colour("--flow"),
            direct: colour("--direct"),
            key: colour("--key"),
            piece: colour("--piece"),
            sides: [colour("--side-a"), colour("--side-b")],
            roles: [
                colour("--seeder"),
                colour("--contributor"),
                colour("--free-rider"),
                colour("--liar"),
            ],
        }
    }

    /// For piece maps.
    pub(super) fn palette(&self) -> Palette {
        Palette {
            missing: rgb(&self.missing),
            card: rgb(&self.card),
            glow: rgb(&self.piece),
        }
    }
}

pub(super) fn role_index(role: Role) -> usize {
    match role {
        Role::Seeder => 0,
        Role::Contributor => 1,
        Role::FreeRider => 2,
        Role::Liar | Role::Attacker => 3,
    }
}
