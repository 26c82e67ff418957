//! Finding and changing elements.
//!
//! All markup is in a page's `index.html`: what is always there under ids, what comes and goes as
//! templates. Their changing parts carry `data-part`. Setting what is set already touches
//! nothing, so snapshots may be shown as often as they come.

use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Document, Element, Event, EventTarget, HtmlElement, HtmlTemplateElement, Window};

use crate::format;

const HAS_IT: &str = "index.html has every part that the page asks for";

/// The window that the page is in.
pub fn window() -> Window {
    web_sys::window().expect("the page runs in a window")
}

/// The page.
pub fn document() -> Document {
    window().document().expect("a window has a document")
}

/// What is always there.
pub fn by_id(id: &str) -> Element {
    document().get_element_by_id(id).expect(HAS_IT)
}

/// A new element, made after a template.
pub fn make(template: &str) -> Element {
    let template: HtmlTemplateElement = by_id(template).unchecked_into();
    let original = template.content().first_element_child().expect(HAS_IT);
    let copy = original.clone_node_with_deep(true);
    copy.expect("elements can be copied").unchecked_into()
}

/// The part of that name.
pub fn part(element: &Element, name: &str) -> Element {
    let found = element.query_selector(&format!("[data-part={name}]"));
    found.ok().flatten().expect(HAS_IT)
}

/// Changes what an element says.
pub fn set_text(element: &Element, text: &str) {
    if element.text_content().as_deref() != Some(text) {
        element.set_text_content(Some(text));
    }
}

/// Changes an attribute.
pub fn set_attribute(element: &Element, name: &str, value: &str) {
    if element.get_attribute(name).as_deref() != Some(value) {
        element
            .set_attribute(name, value)
            .expect("the names of attributes are valid");
    }
}

/// An attribute that says something by being there.
pub fn set_flag(element: &Element, name: &str, flag: bool) {
    if element.has_attribute(name) != flag {
        element
            .toggle_attribute_with_force(name, flag)
            .expect("the names of attributes are valid");
    }
}

/// Gives an element a class, or takes it away.
pub fn set_class(element: &Element, class: &str, is: bool) {
    let list = element.class_list();
    list.toggle_with_force(class, is)
        .expect("the names of classes are valid");
}

/// How far a bar is filled, for eyes and for screen readers; none while nobody knows.
pub fn set_bar(bar: &Element, progress: Option<f64>) {
    match progress {
        Some(progress) => set_attribute(
            bar,
            "aria-valuenow",
            &format::floored_percent(progress).to_string(),
        ),
        None => set_flag(bar, "aria-valuenow", false),
    }
    if let Some(fill) = bar.first_element_child() {
        let style = fill.unchecked_into::<HtmlElement>().style();
        style
            .set_property("width", &format::css_percent(progress.unwrap_or(0.0)))
            .expect("a width is a style");
    }
}

/// Calls `handler` for every such event as long as the page lives.
pub fn listen(target: &EventTarget, event: &str, handler: impl FnMut(Event) + 'static) {
    let handler = Closure::<dyn FnMut(Event)>::new(handler);
    // Captured, because some events don't bubble.
    let listening = target.add_event_listener_with_callback_and_bool(
        event,
        handler.as_ref().unchecked_ref(),
        true,
    );
    listening.expect("everything can be listened to");
    handler.forget();
}

/// Calls `then` after so many milliseconds.
pub fn after(milliseconds: i32, then: impl FnOnce() + 'static) {
    let then = Closure::once_into_js(then);
    let set = window()
        .set_timeout_with_callback_and_timeout_and_arguments_0(then.unchecked_ref(), milliseconds);
    set.expect("a window has timers");
}

/// The object has such a member.
pub fn has(object: &JsValue, member: &str) -> bool {
    js_sys::Reflect::has(object, &JsValue::from_str(member)).unwrap_or(false)
}
