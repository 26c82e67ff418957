//! The colours of the style sheet, for what is painted.

use page_kit::dom::{document, window};
use swarm_lab::snapshot::Role;

/// Red, green, blue.
pub(super) type Rgb = [u8; 3];

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
        let root = document().document_element();
        let style = root.and_then(|root| window().get_computed_style(&root).ok().flatten());
        let colour = |name: &str| {
            let value = style
                .as_ref()
                .and_then(|style| style.get_property_value(name).ok());
            value.unwrap_or_default().trim().to_owned()
        };
        Theme {
            soft: colour("--ink-soft"),
            line: colour("--line"),
            card: colour("--card"),
            missing: colour("--map-missing"),
            focus: colour("--focus"),
            flow: colour("--flow"),
            direct: colour("--direct"),
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
}

pub(super) fn role_index(role: Role) -> usize {
    match role {
        Role::Seeder => 0,
        Role::Contributor => 1,
        Role::FreeRider => 2,
        Role::Liar | Role::Attacker => 3,
    }
}

/// Of a colour written as #rrggbb, which is how the style sheet writes those above.
pub(super) fn rgb(colour: &str) -> Rgb {
    let digits = colour.strip_prefix('#').unwrap_or_default();
    let byte = |at: usize| {
        let pair = digits.get(at..at + 2);
        pair.and_then(|pair| u8::from_str_radix(pair, 16).ok())
            .unwrap_or(128)
    };
    [byte(0), byte(2), byte(4)]
}

/// So far from one colour to the other, 0 to 1.
pub(super) fn mix(from: Rgb, to: Rgb, part: f64) -> Rgb {
    let channel = |index: usize| {
        let (from, to) = (f64::from(from[index]), f64::from(to[index]));
        (from + (to - from) * part).round() as u8
    };
    [channel(0), channel(1), channel(2)]
}
