//! What a person does with a network.

use lab_page::dht::{self, PRESETS};
use page_kit::dom::{by_id, listen};
use swarm_core::dht::NodeId;
use swarm_picture::animation::Animation;
use wasm_bindgen::JsCast;
use web_sys::{Element, Event, HtmlInputElement, KeyboardEvent, MouseEvent};

use super::super::controls::new_seed;
use super::super::form::changed;
use super::{Awaited, NetworkPage, Shared};
use crate::messages::{ToNetwork, ToWorker};

/// Virtual seconds of a step,
const STEP: f64 = 1.0;
/// and while a look-up walks: about one answer.
const SMALL_STEP: f64 = 0.02;

pub(super) fn listen_to_everything(page: &Shared, animation: &Animation) {
    let on = |id: &str, event: &str, handle: fn(&mut NetworkPage, &Event)| {
        let (page, animation) = (page.clone(), animation.clone());
        listen(&by_id(id), event, move |event| {
            handle(&mut page.borrow_mut(), &event);
            animation.request();
        });
    };
    on("net-presets", "click", choose_preset);
    on("net-settings", "change", change);
    on("net-settings", "submit", |_, event| event.prevent_default());
    on("net-play", "click", |page, _| {
        page.is_playing = !page.is_playing;
        page.show_speed();
    });
    on("net-step", "click", |page, _| step(page));
    on("net-restart", "click", |page, _| page.restart());
    on("net-seed", "click", |page, _| {
        page.choices.set("seed", &new_seed().to_string());
        page.restart();
    });
    on("net-speed", "change", |page, event| {
        let field = event
            .target()
            .map(JsCast::unchecked_into::<HtmlInputElement>);
        // "max" is no number.
        let speed = field.and_then(|field| field.value().parse().ok());
        page.speed = speed.unwrap_or(f64::INFINITY);
        page.show_speed();
    });
    on("net-introduce", "click", |page, _| {
        page.tell(ToNetwork::Introduce);
    });
    on("net-heal", "click", |page, _| page.tell(ToNetwork::Heal));
    on("net-kill", "click", |page, _| {
        let share: HtmlInputElement = by_id("net-share").unchecked_into();
        let share = share.value().parse().unwrap_or(50.0);
        page.tell(ToNetwork::Kill(share / 100.0));
    });
    on("net-kill-bootstrap", "click", |page, _| {
        page.tell(ToNetwork::KillBootstrap);
    });
    on("net-look", "submit", |page, event| {
        event.prevent_default();
        look_up(page, false);
    });
    on("net-announce", "click", |page, _| look_up(page, true));
    on("net-circle", "click", |page, event| {
        let at: Option<&MouseEvent> = event.dyn_ref();
        let at = at.map(|at| (at.offset_x().into(), at.offset_y().into()));
        let node = at.and_then(|at| page.circle.at(&page.snapshot, at));
        page.select(node.filter(|_| page.selected != node));
    });
    on("net-circle", "keydown", select_by_key);
}

fn choose_preset(page: &mut NetworkPage, event: &Event) {
    let target: Option<Element> = event.target().and_then(|it| it.dyn_into().ok());
    let key = target.and_then(|it| it.get_attribute("data-preset"));
    if let Some(preset) = PRESETS.iter().find(|it| Some(it.key) == key.as_deref()) {
        page.open(preset.choices());
    }
}

fn change(page: &mut NetworkPage, event: &Event) {
    if let Some((key, value)) = changed(event.target()) {
        page.choices.set(&key, &value);
        page.restart();
    }
}

fn step(page: &mut NetworkPage) {
    page.is_playing = false;
    page.show_speed();
    let walk = page.snapshot.walk.as_ref();
    let is_walking = walk.is_some_and(|walk| walk.ended.is_none());
    let seconds = if is_walking { SMALL_STEP } else { STEP };
    page.worker.send(&ToWorker::Step(seconds), &[]);
}

/// From the node that is selected, if it is there; an announce from any, so that who looks
/// afterwards is another.
fn look_up(page: &mut NetworkPage, announces: bool) {
    let field: HtmlInputElement = by_id("net-key").unchecked_into();
    page.awaited = Some(match announces {
        true => Awaited::Announce,
        false => Awaited::LookUp,
    });
    page.tell(ToNetwork::LookUp {
        key: dht::key(&field.value()),
        node: page.selected.filter(|_| !announces),
        announces,
    });
}

/// Puts a key where it can be looked up, unless something was typed.
pub(super) fn offer_key(key: NodeId) {
    let field: HtmlInputElement = by_id("net-key").unchecked_into();
    if field.value().trim().is_empty() {
        field.set_value(&key.to_string());
    }
}

fn select_by_key(page: &mut NetworkPage, event: &Event) {
    let Some(key) = event.dyn_ref::<KeyboardEvent>().map(KeyboardEvent::key) else {
        return;
    };
    let next = |by| page.circle.beside(&page.snapshot, page.selected, by);
    let node = match &key[..] {
        "ArrowRight" | "ArrowDown" => next(1),
        "ArrowLeft" | "ArrowUp" => next(-1),
        "Escape" => None,
        _ => return,
    };
    page.select(node);
    event.prevent_default();
}
