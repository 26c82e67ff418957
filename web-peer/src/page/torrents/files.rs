//! The files of a torrent.

use web_sys::Element;

use super::piece_map::Pieces;
use crate::page::dom::{make, part, set_attribute, set_class, set_flag, set_text};
use crate::page::format;

/// Rows made at once: thousands would hold the page up.
const BATCH: usize = 200;

/// The files, when there are several. Rows are made once somebody looks.
pub(crate) struct Files {
    details: Element,
    rows: Vec<FileRow>,
    most: usize,
}

struct FileRow {
    element: Element,
    /// Bytes from the torrent's beginning.
    start: u64,
    length: u64,
    is_here: bool,
}

impl Files {
    /// No rows yet.
    pub(crate) fn new(details: Element) -> Self {
        Files {
            details,
            rows: Vec::new(),
            most: BATCH,
        }
    }

    /// Shows which are here.
    pub(crate) fn show(&mut self, files: &[(String, u64)], pieces: &Pieces) {
        set_flag(&self.details, "hidden", files.len() < 2);
        set_text(
            &part(&self.details, "number"),
            &format::count(files.len(), "file"),
        );
        if !self.details.has_attribute("open") {
            return;
        }
        let list = part(&self.details, "list");
        let mut start = self.rows.last().map_or(0, |row| row.start + row.length);
        let missing = files
            .iter()
            .enumerate()
            .take(self.most)
            .skip(self.rows.len());
        for (index, (path, length)) in missing {
            let row = FileRow::new(index, path, start, *length);
            list.append_child(&row.element).expect("a list takes rows");
            start += length;
            self.rows.push(row);
        }
        for row in self.rows.iter_mut().filter(|row| !row.is_here) {
            row.is_here = pieces.has_bytes(row.start, row.length);
            set_class(&row.element, "here", row.is_here);
            set_flag(&part(&row.element, "save"), "disabled", !row.is_here);
        }
        set_flag(
            &part(&self.details, "more"),
            "hidden",
            self.rows.len() == files.len(),
        );
    }

    /// From now on more rows may be made.
    pub(crate) fn allow_more(&mut self) {
        self.most += BATCH;
    }
}

impl FileRow {
    fn new(index: usize, path: &str, start: u64, length: u64) -> Self {
        let element = make("file");
        let name_at = path.rfind('/').map_or(0, |slash| slash + 1);
        let (folder, name) = path.split_at(name_at);
        set_text(&part(&element, "folder"), folder);
        set_text(&part(&element, "name"), name);
        set_text(&part(&element, "size"), &format::bytes(length));
        let save = part(&element, "save");
        set_attribute(&save, "aria-label", &format!("Save {path}"));
        set_attribute(&save, "data-number", &index.to_string());
        FileRow {
            element,
            start,
            length,
            is_here: false,
        }
    }
}
