//! What went wrong or happened, in words, until somebody dismisses it.

use web_sys::Element;

use super::dom::{after, by_id, listen, make, part, set_attribute, set_class, set_text};

/// A message that is no error goes away by itself. Milliseconds.
const NOTE_SHOWN: i32 = 8_000;

/// More than these at once nobody reads.
const MOST_SHOWN: u32 = 5;

/// Something went wrong.
pub(crate) fn error(text: &str) {
    let alert = show(text);
    set_class(&alert, "error", true);
    set_attribute(&alert, "data-testid", "alert");
    // The role comes last: a screen reader then reads what is there.
    set_attribute(&alert, "role", "alert");
}

/// Something happened.
pub(crate) fn note(text: &str) {
    let alert = show(text);
    set_attribute(&alert, "data-testid", "notice");
    set_attribute(&alert, "role", "status");
    after(NOTE_SHOWN, move || alert.remove());
}

fn show(text: &str) -> Element {
    let list = by_id("alerts");
    let shown = list.children();
    let alerts = (0..shown.length()).filter_map(|index| shown.item(index));
    // Said again it takes the place of the old one, and is read out again.
    let same = alerts
        .into_iter()
        .find(|alert| part(alert, "text").text_content().as_deref() == Some(text));
    let crowded = || {
        list.first_element_child()
            .filter(|_| shown.length() >= MOST_SHOWN)
    };
    if let Some(old) = same.or_else(crowded) {
        old.remove();
    }
    let alert = make("alert");
    set_text(&part(&alert, "text"), text);
    let dismissed = alert.clone();
    listen(&part(&alert, "dismiss"), "click", move |_| {
        dismissed.remove();
    });
    list.append_child(&alert).expect("the list takes elements");
    alert
}
