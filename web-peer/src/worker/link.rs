//! The WebSocket to the tracker: stays up, or comes back by itself.

use std::rc::Rc;
use std::time::Duration;

use js_sys::{Array, ArrayBuffer, Uint8Array};
use swarm_core::chunk::Chunk as _;
use swarm_core::id::ChannelId;
use swarm_core::net::{Part, Parts};
use swarm_core::node::LinkInput;
use swarm_core::time::Time;
use swarm_core::wire::relay::frame::{self, HEADER};
use swarm_core::wire::relay::{ClientMessage, RelayError, SUBPROTOCOL, ServerMessage};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{BinaryType, CloseEvent, Event, MessageEvent, WebSocket};

use super::backoff;
use super::chunk::{SMALL, TabChunk};
use super::headroom::{Headroom, LOOK_AGAIN};
use super::host::{Host, Input, TRACKER};
use super::js::{Timer, message_of, scope};

/// A connection that is not open by then is given up.
const OPEN_WITHIN: Duration = Duration::from_secs(15);
/// The close code for a tracker that does not speak our protocol (4000 and up are ours).
const BAD_MESSAGE: u16 = 4002;

/// See the module.
#[derive(Debug)]
pub(super) struct Link {
    url: String,
    socket: Option<Socket>,
    /// Tries that failed since the tracker last spoke to us.
    failures: u32,
    /// When to try again.
    retry: Option<(Time, Timer)>,
    /// Looks at `bufferedAmount`.
    look: Option<Timer>,
    /// Bytes sent and not yet reported to the engine.
    unreported: usize,
    /// Where frames are put together: as long as the longest so far, and used again, because
    /// fresh memory costs more than the copying.
    scratch: Uint8Array,
}

#[derive(Debug)]
struct Socket {
    socket: WebSocket,
    open: bool,
    headroom: Headroom,
    /// Gives up when it takes too long to open.
    _timeout: Timer,
    _on_event: Closure<dyn FnMut(Event)>,
}

impl Link {
    pub(super) fn new(url: String) -> Self {
        Link {
            url,
            socket: None,
            failures: 0,
            retry: None,
            look: None,
            unreported: 0,
            scratch: Uint8Array::new_with_length(0),
        }
    }

    /// Seconds until the next try, if there is one to come.
    pub(super) fn reconnect_in(&self, now: Time) -> Option<u32> {
        let (at, _) = self.retry.as_ref()?;
        Some(at.saturating_since(now).as_secs_f64().ceil() as u32)
    }
}

impl Host {
    /// Connects to the tracker, now and whenever it is lost.
    pub(super) fn keep_connected(self: &Rc<Self>) {
        let host = Rc::clone(self);
        let online = Closure::<dyn FnMut()>::new(move || {
            if host.link.borrow().retry.is_some() {
                host.link.borrow_mut().failures = 0;
                host.connect();
            }
        });
        scope().set_ononline(Some(online.as_ref().unchecked_ref()));
        online.forget();
        self.connect();
    }

    pub(super) fn connect(self: &Rc<Self>) {
        let mut link = self.link.borrow_mut();
        link.retry = None;
        let protocols = Array::of1(&SUBPROTOCOL.into());
        let socket = match WebSocket::new_with_str_sequence(&link.url, &protocols) {
            Ok(socket) => socket,
            // Only an address that is none, or one that this page may not talk to.
            Err(error) => {
                let reason = message_of(&error);
                drop(link);
                self.notice(true, format!("The tracker can't be reached: {reason}"));
                return;
            }
        };
        socket.set_binary_type(BinaryType::Arraybuffer);

        let (host, of) = (Rc::clone(self), socket.clone());
        let on_event = Closure::<dyn FnMut(Event)>::new(move |event: Event| {
            host.handle_socket_event(&of, &event);
        });
        let listener = Some(on_event.as_ref().unchecked_ref());
        socket.set_onopen(listener);
        socket.set_onmessage(listener);
        socket.set_onclose(listener);

        let (host, of) = (Rc::clone(self), socket.clone());
        let timeout = Timer::after(OPEN_WITHIN, move || {
            if of.ready_state() == WebSocket::CONNECTING {
                let _ = of.close();
                host.lost();
            }
        });
        link.socket = Some(Socket {
            socket,
            open: false,
            headroom: Headroom::new(self.clock.now()),
            _timeout: timeout,
            _on_event: on_event,
        });
    }

    fn handle_socket_event(self: &Rc<Self>, of: &WebSocket, event: &Event) {
        let current = self
            .link
            .borrow()
            .socket
            .as_ref()
            .is_some_and(|socket| socket.socket == *of);
        if !current {
            return;
        }
        if let Some(event) = event.dyn_ref::<MessageEvent>() {
            self.receive(of, &event.data());
        } else if let Some(event) = event.dyn_ref::<CloseEvent>() {
            // Once is enough while it goes on refusing us.
            if !event.reason().is_empty() && self.link.borrow().failures == 0 {
                // No error: the page says already that it reconnects.
                self.notice(
                    false,
                    format!("The tracker closed the connection: {}", event.reason()),
                );
            }
            self.lost();
        } else {
            if let Some(socket) = &mut self.link.borrow_mut().socket {
                socket.open = true;
            }
            self.feed(Input::Link(TRACKER, LinkInput::Up));
        }
    }

    fn receive(self: &Rc<Self>, socket: &WebSocket, data: &JsValue) {
        let input = match data.dyn_ref::<ArrayBuffer>() {
            Some(buffer) => read(buffer).map_err(|error| error.to_string()),
            None => Err("text instead of bytes".to_owned()),
        };
        match input {
            Ok(input) => {
                self.link.borrow_mut().failures = 0;
                self.feed(Input::Link(TRACKER, input));
            }
            Err(reason) => {
                self.notice(
                    true,
                    format!("The tracker does not speak our language: {reason}"),
                );
                let reason = reason.chars().take(30).collect::<String>();
                let _ = socket.close_with_code_and_reason(BAD_MESSAGE, &reason);
                self.lost();
            }
        }
    }

    /// Lets the connection go.
    pub(super) fn hang_up(&self) {
        let mut link = self.link.borrow_mut();
        if let Some(Socket { socket, .. }) = link.socket.take() {
            socket.set_onopen(None);
            socket.set_onmessage(None);
            socket.set_onclose(None);
            // Most often it is closed already.
            let _ = socket.close();
        }
        link.look = None;
        link.retry = None;
        link.unreported = 0;
    }

    /// Lets the connection go, and tries again after a while.
    pub(super) fn lost(self: &Rc<Self>) {
        self.hang_up();
        let mut link = self.link.borrow_mut();
        link.failures = link.failures.saturating_add(1);
        let delay = backoff::delay(link.failures, js_sys::Math::random());
        let host = Rc::clone(self);
        link.retry = Some((
            self.clock.now() + delay,
            Timer::after(delay, move || host.connect()),
        ));
        drop(link);
        self.feed(Input::Link(TRACKER, LinkInput::Down));
    }

    /// Sends a message; without a connection it is dropped, as the engine expects.
    pub(super) fn send(self: &Rc<Self>, message: ClientMessage) {
        let mut link = self.link.borrow_mut();
        let Some(Socket {
            socket,
            open: true,
            headroom,
            ..
        }) = &mut link.socket
        else {
            return;
        };
        let bytes = message.encode();
        if socket.send_with_u8_array(&bytes).is_ok() {
            headroom.handed(bytes.len());
            link.unreported += bytes.len();
        }
    }

    /// Sends a stretch of a channel; without a connection it is dropped.
    pub(super) fn send_data(self: &Rc<Self>, channel: ChannelId, parts: &Parts<TabChunk>) {
        let mut link = self.link.borrow_mut();
        let Link {
            socket:
                Some(Socket {
                    socket,
                    open: true,
                    headroom,
                    ..
                }),
            scratch,
            unreported,
            ..
        } = &mut *link
        else {
            return;
        };
        let frame = compose(scratch, channel, parts);
        let bytes = frame.length() as usize;
        // The browser copies what it can't send at once.
        if socket.send_with_js_u8_array(&frame).is_ok() {
            headroom.handed(bytes);
            *unreported += bytes;
        }
    }

    /// How many bytes the browser has sent since this was last asked. While there are more
    /// to come, the engine is told soon.
    pub(super) fn take_sent(self: &Rc<Self>) -> usize {
        let mut link = self.link.borrow_mut();
        let Some(Socket {
            socket, headroom, ..
        }) = &mut link.socket
        else {
            return 0;
        };
        let unsent = socket.buffered_amount();
        let headroom = headroom.look(self.clock.now(), unsent);
        let waiting = u64::from(unsent).saturating_sub(headroom) as usize;
        let sent = link.unreported.saturating_sub(waiting);
        link.unreported -= sent;
        if link.unreported == 0 {
            link.look = None;
        } else if link.look.is_none() {
            let host = Rc::clone(self);
            link.look = Some(Timer::after(LOOK_AGAIN, move || {
                host.link.borrow_mut().look = None;
                let sent = host.take_sent();
                if sent > 0 {
                    host.feed(Input::Link(TRACKER, LinkInput::Sent(sent)));
                }
            }));
        }
        sent
    }
}

/// A message of the tracker. Long stretches of channels stay where they are.
fn read(buffer: &ArrayBuffer) -> Result<LinkInput<TabChunk>, RelayError> {
    let array = Uint8Array::new(buffer);
    if array.length() < SMALL {
        return Ok(ServerMessage::decode(array.to_vec().into())?.into());
    }
    let message = TabChunk::of_array(array);
    let mut header = [0; HEADER];
    message.peek(0, &mut header);
    match frame::channel_of(&header) {
        Some(channel) => Ok(LinkInput::Data {
            channel,
            payload: message.slice(HEADER..message.len()),
        }),
        None => Ok(ServerMessage::decode(message.to_bytes())?.into()),
    }
}

/// Puts a frame together; it is good until the next one.
fn compose(scratch: &mut Uint8Array, channel: ChannelId, parts: &Parts<TabChunk>) -> Uint8Array {
    gather(scratch, &frame::header(channel), parts)
}

/// Puts bytes together, small ones first; they are good until the next time.
pub(super) fn gather(scratch: &mut Uint8Array, head: &[u8], parts: &Parts<TabChunk>) -> Uint8Array {
    let length = u32::try_from(head.len() + parts.len()).expect("a message is short");
    if scratch.length() < length {
        *scratch = Uint8Array::new_with_length(length);
    }
    let mut at = 0;
    let mut put = |part: &Part<TabChunk>| {
        match part {
            Part::Head(head) => TabChunk::of(head.clone().into()).copy_to(scratch, at),
            Part::Payload(payload) => payload.copy_to(scratch, at),
        }
        at += u32::try_from(part.len()).expect("a message is short");
    };
    put(&Part::Head(head.to_vec()));
    parts.iter().for_each(put);
    scratch.subarray(0, length)
}
