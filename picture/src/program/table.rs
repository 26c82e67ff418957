//! The same in a table, for those who don't see pictures, and for whoever wants to know.

use page_kit::dom::{make, part, set_attribute, set_flag, set_text};
use page_kit::figures::{fraction, percent};
use swarm_core::engine::view::SwarmKnown;
use web_sys::Element;

use super::look::{PATHS, index_of};
use super::words;

/// See the module.
#[derive(Debug)]
pub(super) struct Table {
    body: Element,
    rows: Vec<(u32, Element)>,
}

impl Table {
    /// Without rows.
    pub(super) fn new(body: Element) -> Self {
        Table {
            body,
            rows: Vec::new(),
        }
    }

    /// Shows everybody, the longest connected first. Rows keep their elements.
    pub(super) fn show(&mut self, known: &SwarmKnown) {
        let is_here = |session| known.peers.iter().any(|peer| peer.session == session);
        self.rows.retain(|(session, row)| {
            let stays = is_here(*session);
            if !stays {
                row.remove();
            }
            stays
        });
        for peer in &known.peers {
            let Some(view) = &peer.view else { continue };
            let found = self
                .rows
                .iter()
                .find(|(session, _)| *session == peer.session);
            let row = found.map(|(_, row)| row.clone()).unwrap_or_else(|| {
                let row = make("swarm-peer");
                let added = self.body.append_child(&row);
                added.expect("a table takes rows");
                self.rows.push((peer.session, row.clone()));
                row
            });
            let attribute = |name, value: &str| set_attribute(&row, name, value);
            attribute("data-path", PATHS[index_of(view)]);
            attribute("data-have", &fraction(view.progress));
            let choked = match (view.unchoked_us, view.unchoked) {
                (true, true) => "nobody",
                (true, false) => "them",
                (false, true) => "us",
                (false, false) => "both",
            };
            attribute("data-choked", choked);
            let cell = |name, text: &str| set_text(&part(&row, name), text);
            cell("swarm-client", &words::client(view));
            cell("swarm-path", &words::path(view));
            cell("swarm-has", &percent(view.progress));
            let gives = words::moved(view.unchoked_us, view.down_rate, view.down);
            cell("swarm-gives", &gives);
            cell(
                "swarm-gets",
                &words::moved(view.unchoked, view.up_rate, view.up),
            );
        }
    }

    /// Marks the row of whoever is looked at closely.
    pub(super) fn choose(&self, chosen: Option<u32>) {
        for (session, row) in &self.rows {
            set_flag(row, "data-chosen", Some(*session) == chosen);
        }
    }
}
