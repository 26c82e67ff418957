//! The files of a torrent.

use swarm_core::engine::view::Known;
use swarm_core::pieces::Priority;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlInputElement};

use super::piece_map::Pieces;
use crate::media::{Kind, kind_of};
use crate::page::dom::{make, part, set_attribute, set_class, set_flag, set_text};
use crate::page::format;
use crate::page::words::{self, Value, key, say};

/// Rows made at once: thousands would hold the page up.
const BATCH: usize = 200;

/// The files, when there are several. Rows are made once somebody looks.
pub(crate) struct Files {
    details: Element,
    rows: Vec<FileRow>,
    most: usize,
    /// How many are wanted, as the box for all shows it; none before it was shown.
    wanted: Option<usize>,
}

struct FileRow {
    element: Element,
    /// Bytes from the torrent's beginning.
    start: u64,
    length: u64,
    is_here: bool,
    /// As the box shows it; none before it was shown.
    is_wanted: Option<bool>,
}

/// It is to be fetched.
fn is_wanted(known: &Known, index: usize) -> bool {
    known.priorities.get(index) != Some(&Priority::Skip)
}

/// What is wanted of a torrent's files.
#[derive(Default)]
pub(crate) struct Choice {
    /// How many files there are; none while nobody knows.
    pub(crate) files: usize,
    /// How many are to be fetched.
    pub(crate) wanted: usize,
    /// Bytes of those.
    pub(crate) length: u64,
    /// The first of them, if there is any.
    first: Option<u32>,
    /// The longest of those that the page can open.
    pub(crate) to_open: Option<u32>,
}

impl Choice {
    /// As somebody made it.
    pub(crate) fn of(known: &Known) -> Self {
        let files = &known.description.files;
        let mut choice = Choice {
            files: files.len(),
            ..Choice::default()
        };
        let mut longest = 0;
        let wanted = files.iter().enumerate();
        for (index, (path, length)) in wanted.filter(|(index, _)| is_wanted(known, *index)) {
            let number = u32::try_from(index).ok();
            choice.wanted += 1;
            choice.length += length;
            choice.first = choice.first.or(number);
            if *length > longest && kind_of(path).is_some() {
                longest = *length;
                choice.to_open = number;
            }
        }
        choice
    }

    /// The only one that is to be fetched.
    pub(crate) fn only(&self) -> Option<u32> {
        self.first.filter(|_| self.wanted == 1)
    }

    /// No file is left out.
    pub(crate) fn is_all(&self) -> bool {
        self.wanted == self.files
    }

    /// How many files there are; of how many, if some are left out.
    pub(crate) fn count(&self) -> String {
        match self.is_all() {
            true => say!("{n} file{s}", n = self.files),
            false => say!(
                "{wanted} of {n} file{s}",
                wanted = self.wanted,
                n = self.files
            ),
        }
    }
}

impl Files {
    /// No rows yet.
    pub(crate) fn new(details: Element) -> Self {
        Files {
            details,
            rows: Vec::new(),
            most: BATCH,
            wanted: None,
        }
    }

    /// Shows which are here.
    pub(crate) fn show(&mut self, known: &Known, choice: &Choice) {
        let files = &known.description.files;
        set_flag(&self.details, "hidden", files.len() < 2);
        set_text(&part(&self.details, "number"), &choice.count());
        if !self.details.has_attribute("open") {
            return;
        }
        let list = part(&self.details, "list");
        let missing = files
            .iter()
            .enumerate()
            .take(self.most)
            .skip(self.rows.len());
        // All of them begin with the torrent's own name, which is above them.
        let root = format!("{}/", known.description.name);
        for (index, (path, length)) in missing {
            let path = path.strip_prefix(&root).unwrap_or(path);
            let start = known
                .description
                .offsets
                .get(index)
                .copied()
                .unwrap_or_default();
            let row = FileRow::new(index, path, start, *length);
            list.append_child(&row.element).expect("a list takes rows");
            self.rows.push(row);
        }
        let pieces = Pieces::of(known);
        for row in self.rows.iter_mut().filter(|row| !row.is_here) {
            row.is_here = pieces.has_bytes(row.start, row.length);
            set_class(&row.element, "here", row.is_here);
            set_flag(&part(&row.element, "save"), "disabled", !row.is_here);
        }
        if self.wanted.replace(choice.wanted) != Some(choice.wanted) {
            let tick: HtmlInputElement = part(&self.details, "all").unchecked_into();
            tick.set_checked(choice.is_all());
            tick.set_indeterminate(choice.wanted > 0 && !choice.is_all());
        }
        for (index, row) in self.rows.iter_mut().enumerate() {
            // A snapshot that is older than a click must not undo it.
            let wanted = Some(is_wanted(known, index));
            if row.is_wanted != wanted {
                row.is_wanted = wanted;
                let tick: HtmlInputElement = part(&row.element, "want").unchecked_into();
                tick.set_checked(wanted == Some(true));
            }
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

/// The page plays such a file, and doesn't only show it.
fn is_played(path: &str) -> bool {
    matches!(kind_of(path), Some(Kind::Video | Kind::Audio))
}

/// What a page does with a file.
pub(crate) fn verb(path: &str) -> String {
    match is_played(path) {
        true => say!("Play"),
        false => say!("Open"),
    }
}

/// What a button says that opens a file.
pub(crate) fn show_opener(button: &Element, file: u32, path: &str) {
    set_attribute(button, "data-number", &file.to_string());
    let icon = match is_played(path) {
        true => "#icon-resume",
        false => "#icon-look",
    };
    set_attribute(&part(button, "icon"), "href", icon);
}

impl FileRow {
    fn new(index: usize, path: &str, start: u64, length: u64) -> Self {
        let element = make("file");
        let name_at = path.rfind('/').map_or(0, |slash| slash + 1);
        let (folder, name) = path.split_at(name_at);
        set_text(&part(&element, "folder"), folder);
        set_text(&part(&element, "name"), name);
        set_text(&part(&element, "size"), &format::bytes(length));
        let play = part(&element, "play");
        if kind_of(name).is_some() {
            show_opener(&play, index as u32, path);
            set_flag(&play, "hidden", false);
        }
        let open = match is_played(path) {
            true => key!("Play {path}"),
            false => key!("Open {path}"),
        };
        let fetch = key!("Fetch {path}");
        let save = key!("Save {path}");
        for (name, label) in [("want", fetch), ("save", save), ("play", open)] {
            let button = part(&element, name);
            let label = words::with(label, &[("path", Value::of(&path))]);
            set_attribute(&button, "aria-label", &label);
            set_attribute(&button, "data-number", &index.to_string());
        }
        FileRow {
            element,
            start,
            length,
            is_here: false,
            is_wanted: None,
        }
    }
}
