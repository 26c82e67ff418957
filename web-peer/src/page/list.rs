//! Lists whose elements stay.

use web_sys::Element;

/// What is made of one view in a list.
pub(crate) trait Row {
    /// What it shows.
    type View;
    /// What to know it by.
    type Key: PartialEq;

    /// The key of what a view is about.
    fn key(view: &Self::View) -> Self::Key;
    /// A new row; [`Row::show`] follows.
    fn new(view: &Self::View) -> Self;
    /// Shows the present state.
    fn show(&mut self, view: Self::View);
    /// Its element.
    fn element(&self) -> &Element;
}

/// The rows inside one element.
pub(crate) struct List<R: Row> {
    parent: Element,
    rows: Vec<(R::Key, R)>,
}

impl<R: Row> List<R> {
    /// An empty list.
    pub(crate) fn new(parent: Element) -> Self {
        List {
            parent,
            rows: Vec::new(),
        }
    }

    /// Makes the rows those of `views`, in that order. A row whose view was there before
    /// keeps its element, which moves only if the order changed: so nothing flickers, and
    /// nobody loses the focus. Of views with one key only the first is shown.
    pub(crate) fn show(&mut self, views: Vec<R::View>) {
        self.rows.retain(|(key, row)| {
            let stays = views.iter().any(|view| R::key(view) == *key);
            if !stays {
                row.element().remove();
            }
            stays
        });
        let mut next = self.parent.first_element_child();
        let mut shown = 0;
        for view in views {
            let key = R::key(&view);
            match self.rows.iter().position(|(old, _)| *old == key) {
                Some(earlier) if earlier < shown => continue,
                Some(at) => {
                    let row = self.rows.remove(at);
                    self.rows.insert(shown, row);
                }
                None => self.rows.insert(shown, (key, R::new(&view))),
            }
            let (_, row) = &mut self.rows[shown];
            shown += 1;
            if next
                .as_ref()
                .is_some_and(|next| row.element().is_same_node(Some(next)))
            {
                next = next.and_then(|next| next.next_element_sibling());
            } else {
                let inserted = self.parent.insert_before(row.element(), next.as_deref());
                inserted.expect("the next one is inside the list");
            }
            row.show(view);
        }
    }

    /// The row of that key.
    pub(crate) fn get(&mut self, key: &R::Key) -> Option<&mut R> {
        let found = self.rows.iter_mut().find(|(known, _)| known == key);
        found.map(|(_, row)| row)
    }

    /// All rows.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &R> {
        self.rows.iter().map(|(_, row)| row)
    }
}
