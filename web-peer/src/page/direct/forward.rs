//! A data channel that can't leave the page: what comes through it is passed on through a
//! message port, without copying, and the other way round.
//!
//! Through the port go buffers, and besides `"open"` and `"closed"`, and numbers: so many bytes
//! have left.

use std::cell::Cell;
use std::rc::Rc;

use js_sys::{Array, ArrayBuffer};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{
    Event, MessageChannel, MessageEvent, MessagePort, RtcDataChannel, RtcDataChannelState,
    RtcDataChannelType,
};

/// The worker's end.
pub(super) fn through(channel: RtcDataChannel) -> MessagePort {
    let pair = MessageChannel::new().expect("every browser has message channels");
    let port = pair.port1();
    channel.set_binary_type(RtcDataChannelType::Arraybuffer);

    // What was taken from the worker, and not yet reported as sent.
    let unreported = Rc::new(Cell::new(0_u32));
    let (to, of, taken) = (port.clone(), channel.clone(), unreported.clone());
    let on_event = Closure::<dyn FnMut(Event)>::new(move |event: Event| {
        if let Some(message) = event.dyn_ref::<MessageEvent>() {
            // Text is nothing of ours, and is dropped.
            if let Ok(buffer) = message.data().dyn_into::<ArrayBuffer>() {
                let _ = to.post_message_with_transferable(&buffer, &Array::of1(&buffer));
            }
            return;
        }
        let _ = match of.ready_state() {
            RtcDataChannelState::Open if event.type_() == "open" => to.post_message(&"open".into()),
            RtcDataChannelState::Open => report(&to, &of, &taken),
            _ => to.post_message(&"closed".into()),
        };
    });
    let listener = Some(on_event.as_ref().unchecked_ref());
    channel.set_onopen(listener);
    channel.set_onmessage(listener);
    channel.set_onbufferedamountlow(listener);
    channel.set_onclose(listener);
    on_event.forget();

    let to = port.clone();
    let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
        match event.data().dyn_into::<ArrayBuffer>() {
            Ok(buffer) => {
                // It closes when it breaks, which is said then.
                let _ = channel.send_with_array_buffer(&buffer);
                unreported.set(unreported.get() + buffer.byte_length());
                channel.set_buffered_amount_low_threshold(channel.buffered_amount() / 2);
                let _ = report(&to, &channel, &unreported);
            }
            Err(_) => channel.close(),
        }
    });
    port.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
    on_message.forget();
    pair.port2()
}

/// Says how much has left since this was last said.
fn report(
    to: &MessagePort,
    channel: &RtcDataChannel,
    unreported: &Cell<u32>,
) -> Result<(), JsValue> {
    let waiting = channel.buffered_amount().min(unreported.get());
    let sent = unreported.replace(waiting) - waiting;
    match sent {
        0 => Ok(()),
        _ => to.post_message(&sent.into()),
    }
}
