//! The settings as a form, the presets as buttons, the experiment as a link.

use lab_page::settings::{PRESETS, Settings};
use page_kit::dom::{by_id, document, make, set_attribute, set_text, window};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, HtmlInputElement};

/// A button for each preset.
pub(super) fn make_presets() {
    let list = by_id("presets");
    for preset in &PRESETS {
        let button = make("preset");
        set_text(&button, preset.name);
        set_attribute(&button, "data-preset", preset.key);
        list.append_child(&button).expect("the list takes buttons");
    }
}

/// Shows the settings, and puts them into the page's address.
pub(super) fn show(settings: &Settings) {
    for key in Settings::keys() {
        if let Some(field) = field(key) {
            let value = settings.get(key);
            if field.value() != value {
                field.set_value(&value);
            }
        }
    }
    let preset = settings.preset();
    set_text(&by_id("what"), preset.words);
    let buttons = by_id("presets").children();
    for index in 0..buttons.length() {
        if let Some(button) = buttons.item(index) {
            let is_it = button.get_attribute("data-preset").as_deref() == Some(preset.key);
            set_attribute(
                &button,
                "aria-pressed",
                if is_it { "true" } else { "false" },
            );
        }
    }
    let spread_out = settings.get("start") == "spread-out";
    for key in ["seeders", "seeder-leaves", "seeder-up", "arrivals"] {
        disable(key, spread_out);
    }
    disable("mean-stay", settings.get("stay") != "anytime");
    let alone = settings.get("compare") == "no";
    for key in ["b", "b-choking", "b-relay", "b-spared"] {
        disable(key, alone);
    }
    write_address(&settings.to_fragment(), "mode-swarm");
}

/// Puts what is played into the page's address, and into the link that leads back to it from the
/// page's other half.
pub(super) fn write_address(fragment: &str, link: &str) {
    let address = format!("#{fragment}");
    set_attribute(&by_id(link), "href", &address);
    // The history would be full of experiments.
    let history = window().history();
    let replaced =
        history.and_then(|it| it.replace_state_with_url(&JsValue::NULL, "", Some(&address)));
    // Where there is no history to write, the link is only not in the address bar.
    let _ = replaced;
}

/// The experiment that the page's address names.
pub(super) fn from_address() -> Settings {
    let hash = window().location().hash().unwrap_or_default();
    Settings::from_fragment(hash.trim_start_matches('#'))
}

/// The key and value of the field that an event comes from.
pub(super) fn changed(target: Option<web_sys::EventTarget>) -> Option<(String, String)> {
    let element: Element = target?.dyn_into().ok()?;
    let key = element.get_attribute("name")?;
    // A select, too, has a value.
    let field: HtmlInputElement = element.unchecked_into();
    Some((key, field.value()))
}

fn field(key: &str) -> Option<HtmlInputElement> {
    let found = document().query_selector(&format!("#settings [name={key}]"));
    found.ok().flatten().map(JsCast::unchecked_into)
}

fn disable(key: &str, is: bool) {
    if let Some(field) = field(key) {
        field.set_disabled(is);
    }
}
