//! The WebSocket to a tracker: stays up, or comes back by itself.

mod send;
#[cfg(test)]
mod tests;

use std::rc::Rc;
use std::time::Duration;

use js_sys::{Array, ArrayBuffer, JsString, Uint8Array};
use swarm_core::id::LinkId;
use swarm_core::net::Backoff;
use swarm_core::node::{LinkInput, WebTorrentInput};
use swarm_core::time::Time;
use swarm_core::wire::relay::SUBPROTOCOL;
use swarm_core::wire::webtorrent::ServerMessage;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{BinaryType, CloseEvent, Event, MessageEvent, WebSocket};

use super::frames::read;
use super::headroom::Headroom;
use super::host::{Host, Input};
use super::js::{Timer, message_of};
use super::json;
use super::language::{FOREIGN, FOREIGN_AGAIN, Language, SPEAKS_WITHIN};
use super::links::TRACKER;
use crate::messages::TrackerState;

/// A connection that is not open by then is given up.
const OPEN_WITHIN: Duration = Duration::from_secs(15);
/// The close code for a tracker that does not speak our protocol (4000 and up are ours).
const BAD_MESSAGE: u16 = 4002;

/// See the module.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) id: LinkId,
    pub(super) url: String,
    socket: Option<Socket>,
    language: Language,
    /// Why the browser makes no connection to this address, if it says so.
    barred: Option<String>,
    /// When it is tried again.
    backoff: Backoff,
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
    /// Since when it speaks.
    spoke: Option<Time>,
    /// Gives up when it takes too long to open, or to speak.
    timeout: Option<Timer>,
    _on_event: Closure<dyn FnMut(Event)>,
}

impl Link {
    /// A link to the page's own server, or to one that somebody named.
    pub(super) fn new(id: LinkId, url: String) -> Self {
        Link {
            id,
            url,
            socket: None,
            language: match id {
                TRACKER => Language::Ours,
                _ => Language::Unknown,
            },
            barred: None,
            backoff: Backoff::default(),
            retry: None,
            look: None,
            unreported: 0,
            scratch: Uint8Array::new_with_length(0),
        }
    }

    /// How often it was not to be had, or not for long, since it last was; none while it speaks.
    pub(super) fn failures(&self) -> u32 {
        let speaks = self.socket.as_ref().is_some_and(|it| it.spoke.is_some());
        if speaks { 0 } else { self.backoff.failures() }
    }

    /// It is being opened, or is about to be for the first time.
    pub(super) fn is_coming(&self) -> bool {
        let begins = self.socket.is_some() || self.backoff.failures() == 0;
        begins && self.retry.is_none() && self.barred.is_none()
    }

    /// Seconds until the next try, if there is one to come.
    pub(super) fn reconnect_in(&self, now: Time) -> Option<u32> {
        let (at, _) = self.retry.as_ref()?;
        Some(at.saturating_since(now).as_secs_f64().ceil() as u32)
    }

    /// How it is, as long as the server has not welcomed us.
    pub(super) fn state(&self) -> TrackerState {
        match (&self.barred, self.language) {
            (Some(reason), _) => TrackerState::Refused(reason.clone()),
            (None, Language::Foreign) => TrackerState::Unsupported(FOREIGN.to_owned()),
            (None, _) if self.backoff.failures() > 0 => TrackerState::Down,
            (None, _) => TrackerState::Connecting,
        }
    }
}

impl Host {
    fn with_link<T>(&self, id: LinkId, look: impl FnOnce(&mut Link) -> T) -> Option<T> {
        let mut links = self.links.borrow_mut();
        links.get_mut(id).map(look)
    }

    /// Connects to a tracker.
    pub(super) fn connect(self: &Rc<Self>, id: LinkId) {
        let Some((url, language)) = self.with_link(id, |link| {
            link.retry = None;
            link.barred = None;
            (link.url.clone(), link.language)
        }) else {
            return;
        };
        let protocols = match language.is_ours() {
            true => Array::of1(&SUBPROTOCOL.into()),
            false => Array::new(),
        };
        let socket = match WebSocket::new_with_str_sequence(&url, &protocols) {
            Ok(socket) => socket,
            // Only an address that is none, or one that this page may not talk to.
            Err(error) => {
                let reason = message_of(&error);
                if id == TRACKER {
                    self.notice(true, format!("The tracker can't be reached: {reason}"));
                }
                self.with_link(id, |link| link.barred = Some(reason));
                return;
            }
        };
        socket.set_binary_type(BinaryType::Arraybuffer);

        let (host, of) = (Rc::clone(self), socket.clone());
        let on_event = Closure::<dyn FnMut(Event)>::new(move |event: Event| {
            host.handle_socket_event(id, &of, &event);
        });
        let listener = Some(on_event.as_ref().unchecked_ref());
        socket.set_onopen(listener);
        socket.set_onmessage(listener);
        socket.set_onclose(listener);

        let (host, of) = (Rc::clone(self), socket.clone());
        let timeout = Timer::after(OPEN_WITHIN, move || {
            if of.ready_state() == WebSocket::CONNECTING {
                let _ = of.close();
                host.lost(id);
            }
        });
        let socket = Socket {
            socket,
            open: false,
            headroom: Headroom::new(self.clock.now()),
            spoke: None,
            timeout: Some(timeout),
            _on_event: on_event,
        };
        self.with_link(id, |link| link.socket = Some(socket));
    }

    fn handle_socket_event(self: &Rc<Self>, id: LinkId, of: &WebSocket, event: &Event) {
        let known = self.with_link(id, |link| {
            let socket = link.socket.as_ref();
            let is_current = socket.is_some_and(|socket| socket.socket == *of);
            is_current.then(|| (link.count(self.clock.now()), link.language))
        });
        let Some((failures, language)) = known.flatten() else {
            return;
        };
        if let Some(event) = event.dyn_ref::<MessageEvent>() {
            self.receive(id, of, &event.data());
        } else if let Some(event) = event.dyn_ref::<CloseEvent>() {
            // Once is enough while it goes on refusing us.
            if id == TRACKER && !event.reason().is_empty() && failures == 0 {
                // No error: the page says already that it reconnects.
                self.notice(
                    false,
                    format!("The tracker closed the connection: {}", event.reason()),
                );
            }
            self.lost(id);
        } else if language == Language::Asked {
            // Somebody is there, and we have nothing to say in its language.
            self.try_again(id, Language::Doubted);
        } else {
            self.with_link(id, |link| {
                if let Some(socket) = &mut link.socket {
                    socket.open = true;
                    socket.timeout = None;
                }
            });
            if !language.is_ours() {
                return self.feed(Input::WebTorrent(id, WebTorrentInput::Up));
            }
            if language != Language::Ours {
                self.listen_for(id, Language::WebTorrent);
            }
            self.feed(Input::Link(id, LinkInput::Up));
        }
    }

    /// Whoever says nothing soon is taken for somebody of another language.
    fn listen_for(self: &Rc<Self>, id: LinkId, otherwise: Language) {
        self.with_link(id, |link| {
            let silent = link.socket.as_mut().filter(|socket| socket.spoke.is_none());
            if let Some(socket) = silent.filter(|socket| socket.timeout.is_none()) {
                let host = Rc::clone(self);
                let silent = move || host.try_again(id, otherwise);
                socket.timeout = Some(Timer::after(SPEAKS_WITHIN, silent));
            }
        });
    }

    fn receive(self: &Rc<Self>, id: LinkId, socket: &WebSocket, data: &JsValue) {
        if let Some(text) = data.dyn_ref::<JsString>()
            && let Some(message) = self.read_text(id, text)
        {
            return message.map_or((), |message| {
                self.feed(Input::WebTorrent(id, WebTorrentInput::Message(message)));
            });
        }
        let input = match data.dyn_ref::<ArrayBuffer>() {
            Some(buffer) => read(buffer).map_err(|error| error.to_string()),
            None => Err("text instead of bytes".to_owned()),
        };
        match input {
            Ok(input) => {
                self.with_link(id, |link| link.hears(self.clock.now(), Language::Ours));
                self.feed(Input::Link(id, input));
            }
            Err(reason) => {
                if id == TRACKER {
                    self.notice(
                        true,
                        format!("The tracker does not speak our language: {reason}"),
                    );
                }
                let reason = reason.chars().take(30).collect::<String>();
                let _ = socket.close_with_code_and_reason(BAD_MESSAGE, &reason);
                match id {
                    TRACKER => self.lost(id),
                    _ => self.try_again(id, Language::Foreign),
                }
            }
        }
    }

    /// Reads what a tracker of WebTorrent's kind says, if it is one; nothing of it may be of
    /// interest.
    fn read_text(&self, id: LinkId, text: &JsString) -> Option<Option<ServerMessage>> {
        let ours = self.with_link(id, |link| link.language.is_ours());
        let message = (ours == Some(false)).then(|| json::decode(text))?;
        if message.is_some() {
            self.with_link(id, |link| {
                link.hears(self.clock.now(), Language::WebTorrent);
            });
        }
        Some(message)
    }

    /// Lets a connection go.
    pub(super) fn hang_up(&self, id: LinkId) {
        self.with_link(id, Link::hang_up);
    }

    /// Lets a connection go, and tries again after a while.
    pub(super) fn lost(self: &Rc<Self>, id: LinkId) {
        if let Some(language) = self.with_link(id, |link| link.language.of_no_answer()) {
            self.try_again(id, language);
        }
    }

    fn try_again(self: &Rc<Self>, id: LinkId, language: Language) {
        // Our own server says first whether any is to be met beside its relay.
        let own = self.with_link(TRACKER, |own| {
            let silent = own
                .socket
                .as_ref()
                .is_some_and(|socket| socket.spoke.is_none());
            silent && own.backoff.failures() == 0
        });
        let language = match language {
            Language::WebTorrent if own == Some(true) => Language::Unknown,
            language => language,
        };
        let host = Rc::clone(self);
        self.with_link(id, |link| {
            link.count(self.clock.now());
            link.hang_up();
            link.language = language;
            let delay = link.backoff.next_delay(js_sys::Math::random());
            let delay = match language {
                Language::Foreign => FOREIGN_AGAIN,
                // Somebody is there.
                Language::Doubted | Language::WebTorrent => Duration::ZERO,
                _ => delay,
            };
            let timer = Timer::after(delay, move || host.connect(id));
            link.retry = Some((self.clock.now() + delay, timer));
        });
        self.feed(Input::Link(id, LinkInput::Down));
    }

    /// The browser has a network again: whoever waits tries at once.
    pub(super) fn connect_waiting(self: &Rc<Self>) {
        let waiting = self.links.borrow_mut().waiting();
        for id in waiting {
            self.connect(id);
        }
    }
}

impl Link {
    /// How often it was not to be had since it last was for a while.
    fn count(&mut self, now: Time) -> u32 {
        let spoke = self.socket.as_ref().and_then(|socket| socket.spoke);
        let worked_for = spoke.map(|since| now - since);
        self.backoff.worked_for(worked_for.unwrap_or_default());
        self.backoff.failures()
    }

    /// It speaks, and in this language.
    fn hears(&mut self, now: Time, language: Language) {
        self.language = language;
        if let Some(socket) = &mut self.socket {
            socket.spoke.get_or_insert(now);
            socket.timeout = None;
        }
    }

    fn hang_up(&mut self) {
        if let Some(Socket { socket, .. }) = self.socket.take() {
            socket.set_onopen(None);
            socket.set_onmessage(None);
            socket.set_onclose(None);
            // Most often it is closed already.
            let _ = socket.close();
        }
        self.look = None;
        self.retry = None;
        self.unreported = 0;
    }

    /// It waits before it tries again; from now on as after the first failure.
    pub(super) fn stop_waiting(&mut self) -> bool {
        let waits = self.retry.is_some();
        if waits {
            self.backoff.reset();
        }
        waits
    }
}
