//! Slots without Web Locks: on plain HTTP the tabs of an origin ask each other.
//!
//! A tab claims a slot on a broadcast channel and waits a moment. A tab that holds it
//! objects; of two that claim it at once, the one with the higher random number yields.
//! This is weaker than a lock (a tab that is frozen can't object), and better than
//! refusing to work: two tabs in one slot would share their pieces, all verified.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use futures_channel::oneshot;
use js_sys::Array;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{BroadcastChannel, MessageEvent};

use crate::worker::js::Timer;

/// Another tab's worker answers within a few milliseconds; a busy one needs longer.
const PATIENCE: Duration = Duration::from_millis(150);

/// What a tab says: `[slot, number]`. A holder's number is 0, which beats every claim.
struct Claim {
    slot: Cell<u32>,
    number: Cell<f64>,
    lost: Cell<bool>,
}

/// Takes the first of `candidates` to which no other tab objects.
pub(super) async fn take(candidates: Vec<u32>) -> Result<u32, String> {
    let channel = BroadcastChannel::new("tabswarm-slots")
        .map_err(|error| super::super::js::message_of(&error))?;
    let number = js_sys::Math::random() + f64::MIN_POSITIVE;
    let claim = Rc::new(Claim {
        slot: Cell::new(0),
        number: Cell::new(number),
        lost: Cell::new(false),
    });

    let (ours, answer) = (Rc::clone(&claim), channel.clone());
    let listener = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
        if let Some((slot, number)) = read(&event.data())
            && slot == ours.slot.get()
        {
            if number < ours.number.get() {
                ours.lost.set(true);
            } else {
                say(&answer, slot, ours.number.get());
            }
        }
    });
    channel.set_onmessage(Some(listener.as_ref().unchecked_ref()));
    // It answers for as long as the worker lives.
    listener.forget();

    for slot in candidates {
        claim.slot.set(slot);
        claim.lost.set(false);
        say(&channel, slot, number);
        pause().await;
        if !claim.lost.get() {
            claim.number.set(0.0);
            return Ok(slot);
        }
    }
    Err("too many tabs of this page are open".to_owned())
}

fn say(channel: &BroadcastChannel, slot: u32, number: f64) {
    let message = Array::of2(
        &JsValue::from_f64(f64::from(slot)),
        &JsValue::from_f64(number),
    );
    // It fails only once the channel is closed, which it never is.
    let _ = channel.post_message(&message);
}

fn read(data: &JsValue) -> Option<(u32, f64)> {
    let array = data.dyn_ref::<Array>()?;
    let slot = array.get(0).as_f64()?;
    Some((slot as u32, array.get(1).as_f64()?))
}

async fn pause() {
    let (done, over) = oneshot::channel();
    let done = RefCell::new(Some(done));
    let _timer = Timer::after(PATIENCE, move || {
        if let Some(done) = done.borrow_mut().take() {
            let _ = done.send(());
        }
    });
    let _ = over.await;
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;

    #[wasm_bindgen_test]
    async fn a_held_slot_is_not_taken_again() {
        assert_eq!(take(vec![3, 0, 1]).await, Ok(3));
        assert_eq!(take(vec![3, 0, 1]).await, Ok(0));
    }
}
