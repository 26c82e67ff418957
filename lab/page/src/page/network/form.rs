//! The choices as a form, the presets as buttons, the network as a link.

use lab_page::dht::{Choices, PRESETS};
use page_kit::dom::{by_id, document, make, set_attribute, set_text, window};
use wasm_bindgen::JsCast;
use web_sys::HtmlInputElement;

use super::super::form::write_address;

/// The network that the page's address names, if it names one.
pub(in crate::page) fn from_address() -> Option<Choices> {
    let hash = window().location().hash().unwrap_or_default();
    Choices::from_fragment(hash.trim_start_matches('#'))
}

/// What one begins with.
pub(super) fn first() -> Choices {
    PRESETS[0].choices()
}

/// A button for each preset.
pub(super) fn make_presets() {
    let list = by_id("net-presets");
    for preset in &PRESETS {
        let button = make("preset");
        set_text(&button, preset.name);
        set_attribute(&button, "data-preset", preset.key);
        set_attribute(&button, "data-testid", "net-preset");
        list.append_child(&button).expect("the list takes buttons");
    }
}

/// Shows the choices, and puts them into the page's address.
pub(super) fn show(choices: &Choices) {
    for key in Choices::keys() {
        if let Some(field) = field(key) {
            let value = choices.get(key);
            if field.value() != value {
                field.set_value(&value);
            }
        }
    }
    let preset = choices.preset();
    set_text(&by_id("net-what"), preset.words);
    let buttons = by_id("net-presets").children();
    for index in 0..buttons.length() {
        if let Some(button) = buttons.item(index) {
            let is_it = button.get_attribute("data-preset").as_deref() == Some(preset.key);
            let pressed = if is_it { "true" } else { "false" };
            set_attribute(&button, "aria-pressed", pressed);
        }
    }
    disable("joins", choices.get("start") == "ready");
    disable("trouble-at", choices.trouble().is_none());
    write_address(&choices.to_fragment(), "mode-network");
}

fn field(key: &str) -> Option<HtmlInputElement> {
    let found = document().query_selector(&format!("#net-settings [name={key}]"));
    found.ok().flatten().map(JsCast::unchecked_into)
}

fn disable(key: &str, is: bool) {
    if let Some(field) = field(key) {
        field.set_disabled(is);
    }
}
