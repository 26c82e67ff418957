//! Which of this browser's peers this tab is.
//!
//! Each tab is a peer of its own, with a database of its own, named by a slot. It takes
//! the slot that it had before a reload, else the lowest free one, and holds a lock on it
//! for as long as its worker lives, so that closing the tab frees the slot with
//! everything in it for the next tab.

use std::cell::RefCell;
use std::ops::Range;
use std::rc::Rc;

use futures_channel::oneshot;
use js_sys::{Function, Object, Promise, Reflect};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};

mod poll;

/// More tabs than anybody opens; a bound on the search.
const MAX_SLOTS: u32 = 256;

/// Slots of our own page.
pub(super) const OWN: Range<u32> = 0..MAX_SLOTS;

/// Slots of pages that embed the swarm.
pub(super) const EMBEDDED: Range<u32> = MAX_SLOTS..2 * MAX_SLOTS;

/// Takes `wanted` if it is one of these and free, else the lowest free slot of them.
pub(super) async fn take(slots: Range<u32>, wanted: Option<u32>) -> Result<u32, String> {
    let candidates = wanted
        .into_iter()
        .filter(|slot| slots.contains(slot))
        .chain(slots.clone());
    let Some(locks) = lock_manager() else {
        return poll::take(candidates.collect()).await;
    };
    for slot in candidates {
        let name = format!("tabswarm-{slot}");
        let held = lock(&locks, &name)
            .await
            .map_err(|error| super::js::message_of(&error))?;
        if held {
            return Ok(slot);
        }
    }
    Err(format!("{MAX_SLOTS} tabs of this page are open"))
}

/// `navigator.locks`: only in secure contexts, and unstable in `web-sys`.
fn lock_manager() -> Option<JsValue> {
    let locks = Reflect::get(&super::js::scope().navigator(), &"locks".into()).ok()?;
    locks.is_object().then_some(locks)
}

/// Tries to lock `name` until this worker ends.
async fn lock(locks: &JsValue, name: &str) -> Result<bool, JsValue> {
    let options = Object::new();
    Reflect::set(&options, &"ifAvailable".into(), &JsValue::TRUE)?;
    let (held, answer) = oneshot::channel();
    let held = Rc::new(RefCell::new(Some(held)));
    let callback = Closure::<dyn FnMut(JsValue) -> JsValue>::new(move |lock: JsValue| {
        let got = !lock.is_null() && !lock.is_undefined();
        if let Some(held) = held.borrow_mut().take() {
            let _ = held.send(got);
        }
        // The lock is held until this promise settles: never.
        if got {
            Promise::new(&mut |_, _| {}).into()
        } else {
            JsValue::UNDEFINED
        }
    });
    let request: Function = Reflect::get(locks, &"request".into())?.dyn_into()?;
    request.call3(locks, &name.into(), &options, callback.as_ref())?;
    Ok(answer.await.unwrap_or(false))
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;

    #[wasm_bindgen_test]
    async fn the_remembered_slot_is_tried_first_then_the_lowest_free_one() {
        let first = take(OWN, Some(7)).await;
        assert_eq!(first, Ok(7));
        assert_eq!(take(OWN, Some(7)).await, Ok(0));
        assert_eq!(take(OWN, None).await, Ok(1));
        assert_eq!(take(EMBEDDED, Some(1)).await, Ok(MAX_SLOTS));
    }
}
