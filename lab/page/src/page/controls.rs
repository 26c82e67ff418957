//! What a person does.

use std::cell::RefCell;
use std::rc::Rc;

use lab_page::settings::PRESETS;
use page_kit::dom::{after, by_id, listen, part, set_text, window};
use swarm_picture::animation::Animation;
use wasm_bindgen::JsCast;
use web_sys::{Element, Event, KeyboardEvent, MouseEvent};

use super::form;
use super::lab::Lab;
use crate::messages::ToWorker;

/// Virtual seconds of a step.
const STEP: f64 = 1.0;

/// How long a button says that it has done something. Milliseconds.
const SAID_FOR: i32 = 2_000;

type Shared = Rc<RefCell<Lab>>;

pub(super) fn listen_to_everything(lab: &Shared, animation: &Animation) {
    let on = |id: &str, event: &str, handle: fn(&mut Lab, &Event)| {
        let (lab, animation) = (lab.clone(), animation.clone());
        listen(&by_id(id), event, move |event| {
            handle(&mut lab.borrow_mut(), &event);
            animation.request();
        });
    };
    on("presets", "click", choose_preset);
    on("settings", "change", change);
    on("settings", "submit", |_, event| event.prevent_default());
    on("play", "click", |lab, _| play_or_pause(lab));
    on("step", "click", |lab, _| step(lab));
    on("restart", "click", |lab, _| start(lab));
    on("new-seed", "click", |lab, _| {
        lab.settings.set("seed", &new_seed().to_string());
        start(lab);
    });
    on("speed", "change", |lab, event| {
        // "max" is no number.
        let chosen = form::changed(event.target());
        let speed = chosen.and_then(|(_, value)| value.parse().ok());
        lab.speed = speed.unwrap_or(f64::INFINITY);
        lab.show_speed();
    });
    on("copy", "click", |_, _| copy_link());
    on("sides", "pointermove", |lab, event| {
        lab.hovered = peer_at(lab, event);
    });
    on("sides", "pointerout", |lab, _| lab.hovered = None);
    on("sides", "click", |lab, event| {
        let peer = peer_at(lab, event);
        lab.selected = peer.filter(|_| lab.selected != peer);
    });
    on("sides", "keydown", select_by_key);
}

fn choose_preset(lab: &mut Lab, event: &Event) {
    let target: Option<Element> = event.target().and_then(|it| it.dyn_into().ok());
    let key = target.and_then(|it| it.get_attribute("data-preset"));
    if let Some(preset) = PRESETS.iter().find(|it| Some(it.key) == key.as_deref()) {
        lab.settings = preset.settings();
        start(lab);
    }
}

fn change(lab: &mut Lab, event: &Event) {
    if let Some((key, value)) = form::changed(event.target()) {
        lab.settings.set(&key, &value);
        start(lab);
    }
}

/// From the start, with the settings as they are.
pub(super) fn start(lab: &mut Lab) {
    lab.is_playing = true;
    lab.selected = None;
    lab.hovered = None;
    lab.restart();
}

fn play_or_pause(lab: &mut Lab) {
    if lab.is_over {
        start(lab);
    } else {
        lab.is_playing = !lab.is_playing;
        lab.show_speed();
    }
}

fn step(lab: &mut Lab) {
    if lab.is_over {
        return;
    }
    lab.is_playing = false;
    lab.show_speed();
    lab.say(&ToWorker::Step(STEP));
}

/// Small, so that it can be told on a telephone.
pub(super) fn new_seed() -> u32 {
    (js_sys::Math::random() * 9_999.0) as u32 + 1
}

/// The peer whose cell is under the pointer.
fn peer_at(lab: &Lab, event: &Event) -> Option<usize> {
    let mouse: &MouseEvent = event.dyn_ref()?;
    let canvas: Element = event.target()?.dyn_into().ok()?;
    canvas.closest("[data-part=hive]").ok()??;
    let side = canvas.closest("[data-index]").ok()??;
    let index: usize = side.get_attribute("data-index")?.parse().ok()?;
    let (x, y) = (mouse.offset_x().into(), mouse.offset_y().into());
    lab.sides.get(index)?.hive.comb.at(x, y)
}

fn select_by_key(lab: &mut Lab, event: &Event) {
    let Some(key) = event.dyn_ref::<KeyboardEvent>().map(KeyboardEvent::key) else {
        return;
    };
    match &key[..] {
        "ArrowLeft" => lab.select_towards(-1.0, 0.0),
        "ArrowRight" => lab.select_towards(1.0, 0.0),
        "ArrowUp" => lab.select_towards(0.0, -1.0),
        "ArrowDown" => lab.select_towards(0.0, 1.0),
        "Escape" => lab.selected = None,
        _ => return,
    }
    event.prevent_default();
}

fn copy_link() {
    let label = part(&by_id("copy"), "label");
    let clipboard = window().navigator().clipboard();
    // Undefined outside of secure contexts; the address bar has the link, too.
    if clipboard.is_undefined() {
        set_text(&label, "Copy it from the address bar");
        return;
    }
    let address = window().location().href().unwrap_or_default();
    let _ = clipboard.write_text(&address);
    set_text(&label, "Copied");
    after(SAID_FOR, move || set_text(&label, "Copy link"));
}
