//! What went wrong or happened, in words.

use web_sys::Element;

use super::dom::{after, by_id, listen, make, part, set_attribute, set_text};

/// A message that is no error goes away by itself. Milliseconds.
const NOTE_SHOWN: i32 = 8_000;

/// More than these at once nobody reads.
const MOST_SHOWN: u32 = 3;

/// What an alert is about, if it may be over.
const OF: &str = "data-of";

/// Something went wrong: stays above everything until somebody dismisses it.
pub(crate) fn error(text: &str) {
    show_error(None, text);
}

/// As [`error`], of something that may end by itself: stays until [`over`] is said of it, too.
pub(crate) fn error_of(what: &str, text: &str) {
    show_error(Some(what), text);
}

/// What was wrong is so no more.
pub(crate) fn over(what: &str) {
    let selector = format!("[{OF}='{what}']");
    if let Ok(Some(alert)) = by_id("alerts").query_selector(&selector) {
        alert.remove();
    }
}

/// A link that a person opened: what was wrong with it is so until they open the next one.
pub(crate) const LINK: &str = "link";

fn show_error(of: Option<&str>, text: &str) {
    let alert = make("alert");
    if let Some(what) = of {
        set_attribute(&alert, OF, what);
    }
    set_text(&part(&alert, "text"), text);
    let dismissed = alert.clone();
    listen(&part(&alert, "dismiss"), "click", move |_| {
        dismissed.remove();
    });
    show(&by_id("alerts"), &alert);
}

/// Something happened: floats over the page for a while, and moves nothing that somebody
/// may be about to click.
pub(crate) fn note(text: &str) {
    let note = make("note");
    set_text(&note, text);
    show(&by_id("notes"), &note);
    after(NOTE_SHOWN, move || note.remove());
}

fn show(list: &Element, message: &Element) {
    let shown = list.children();
    let said = |element: &Element| (element.text_content(), element.get_attribute(OF));
    // Said again of the same it takes the place of the old one, and is read out again.
    let said_before = (0..shown.length())
        .filter_map(|index| shown.item(index))
        .find(|old| said(old) == said(message));
    let crowded = || {
        list.first_element_child()
            .filter(|_| shown.length() >= MOST_SHOWN)
    };
    if let Some(old) = said_before.or_else(crowded) {
        old.remove();
    }
    list.append_child(message).expect("the list takes elements");
}
