//! Files that are being read and are no torrent yet.

use web_sys::Element;

use crate::messages::HashingView;
use crate::page::dom::{make, part, set_attribute, set_bar, set_text};
use crate::page::format;
use crate::page::list::Row;

/// One file or folder that is being hashed.
pub(crate) struct Hashing(Element);

impl Row for Hashing {
    type View = HashingView;
    type Key = u32;

    fn key(view: &HashingView) -> u32 {
        view.id
    }

    fn new(view: &HashingView) -> Self {
        let card = make("hashing");
        set_attribute(&card, "aria-label", &view.name);
        set_attribute(&part(&card, "name"), "title", &view.name);
        set_text(&part(&card, "name"), &view.name);
        set_text(&part(&card, "size"), &format::bytes(view.length));
        set_attribute(&part(&card, "cancel"), "data-number", &view.id.to_string());
        Hashing(card)
    }

    fn show(&mut self, view: HashingView) {
        let Hashing(card) = self;
        set_attribute(card, "data-progress", &format::fraction(view.progress));
        set_text(&part(card, "percent"), &format::percent(view.progress));
        set_bar(&part(card, "bar"), Some(view.progress));
    }

    fn element(&self) -> &Element {
        &self.0
    }
}
