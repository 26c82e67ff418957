//! The same in a table, for those who don't see pictures, and for whoever wants to know.

use page_kit::dom::{make, part, set_attribute, set_flag, set_text};
use page_kit::figures::{fraction, percent};
use swarm_core::engine::PeerView;
use swarm_core::engine::view::SwarmKnown;
use web_sys::Element;

use super::look::{PATHS, index_of};
use super::words;

/// So many rows are brought up to date between two pictures: all of a long table at once would hold
/// the next one up.
const AT_ONCE: usize = 8;

/// See the module.
#[derive(Debug)]
pub(super) struct Table {
    body: Element,
    rows: Vec<Row>,
    chosen: Option<u32>,
    /// The first that is not up to date.
    next: usize,
}

#[derive(Debug)]
struct Row {
    session: u32,
    element: Element,
    cells: [Element; 5],
    /// What they and the row say: asking the page would cost more than most of it.
    said: [String; 5],
}

impl Table {
    /// Without rows.
    pub(super) fn new(body: Element) -> Self {
        Table {
            body,
            rows: Vec::new(),
            chosen: None,
            next: 0,
        }
    }

    /// There is news. Who has left has no row any more.
    pub(super) fn begin(&mut self, known: &SwarmKnown) {
        let is_here = |session| known.peers.iter().any(|peer| peer.session == session);
        self.rows.retain(|row| {
            let stays = is_here(row.session);
            if !stays {
                row.element.remove();
            }
            stays
        });
        self.next = 0;
    }

    /// Shows some more of everybody, the longest connected first. Rows keep their elements. True
    /// while not all are shown as they are.
    pub(super) fn go_on(&mut self, known: &SwarmKnown) -> bool {
        let there = known.peers.iter();
        for (peer, view) in there
            .filter_map(|peer| Some((peer, peer.view.as_ref()?)))
            .skip(self.next)
            .take(AT_ONCE)
        {
            self.next += 1;
            let found = self.rows.iter().position(|row| row.session == peer.session);
            let at = found.unwrap_or_else(|| {
                let row = Row::new(peer.session);
                let added = self.body.append_child(&row.element);
                added.expect("a table takes rows");
                set_flag(
                    &row.element,
                    "data-chosen",
                    Some(row.session) == self.chosen,
                );
                self.rows.push(row);
                self.rows.len() - 1
            });
            self.rows[at].show(view);
        }
        self.next
            < known
                .peers
                .iter()
                .filter(|peer| peer.view.is_some())
                .count()
    }

    /// Marks the row of whoever is looked at closely.
    pub(super) fn choose(&mut self, chosen: Option<u32>) {
        self.chosen = chosen;
        for row in &self.rows {
            set_flag(&row.element, "data-chosen", Some(row.session) == chosen);
        }
    }
}

impl Row {
    fn new(session: u32) -> Self {
        let element = make("swarm-peer");
        let names = ["client", "path", "has", "gives", "gets"];
        Row {
            session,
            cells: names.map(|name| part(&element, &format!("swarm-{name}"))),
            element,
            said: Default::default(),
        }
    }

    fn show(&mut self, view: &PeerView) {
        let attribute = |name, value: &str| set_attribute(&self.element, name, value);
        attribute("data-path", PATHS[index_of(view)]);
        attribute("data-have", &fraction(view.progress));
        let choked = match (view.unchoked_us, view.unchoked) {
            (true, true) => "nobody",
            (true, false) => "them",
            (false, true) => "us",
            (false, false) => "both",
        };
        attribute("data-choked", choked);
        let says = [
            words::client(view),
            words::path(view),
            percent(view.progress),
            words::moved(view.unchoked_us, view.down_rate, view.down),
            words::moved(view.unchoked, view.up_rate, view.up),
        ];
        for ((cell, said), says) in self.cells.iter().zip(&mut self.said).zip(says) {
            if *said != says {
                set_text(cell, &says);
                *said = says;
            }
        }
    }
}
