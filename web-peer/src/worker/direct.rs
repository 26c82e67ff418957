//! Direct links, the worker's half: the page makes them, their channels are ours.

use std::cell::Cell;
use std::rc::Rc;

use swarm_core::sorted::SortedMap;

use js_sys::{Array, ArrayBuffer, JsString, Uint8Array};
use swarm_core::engine::{DirectId, DirectWork};
use swarm_core::id::LinkId;
use swarm_core::net::Parts;
use swarm_core::node::{DirectInput, WireInput, WireOutput};
use swarm_core::pieces::BLOCK;
use swarm_core::wire::peer::PIECE_HEAD;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{
    Event, MessageEvent, MessagePort, RtcDataChannel, RtcDataChannelState, RtcDataChannelType, Url,
};

use super::chunk::TabChunk;
use super::frames;
use super::host::{Host, Input};
use crate::messages::ToPage;

/// Bytes of a message: three blocks, so that none is cut in two, which both ends would have to
/// copy once more. Whoever says nothing takes 64 KiB (RFC 8841, section 6), browsers four times
/// that; longer messages are no faster, and keep others waiting.
const MAX_PAYLOAD: usize = 3 * (PIECE_HEAD + BLOCK as usize);
/// Messages before a channel is open: a handshake or two, and what else a peer says at once.
const MAX_EARLY: usize = 16;
/// The first number of a wire, above those of links to servers.
const FIRST_WIRE: u32 = 1 << 16;

/// See the module.
#[derive(Debug)]
pub(super) struct Directs {
    /// Channels that are not open yet.
    making: SortedMap<DirectId, Channel>,
    wires: SortedMap<LinkId, (DirectId, Channel)>,
    next_wire: u32,
    /// Where messages are put together.
    scratch: Uint8Array,
}

/// A channel, and what listens to it.
#[derive(Debug)]
struct Channel {
    pipe: Pipe,
    /// Its wire, once it is open. What listens to it knows it too.
    wire: Rc<Cell<Option<LinkId>>>,
    /// Bytes sent and not yet reported to the node.
    unreported: usize,
    /// Those of them that the page has and says nothing of, where it passes everything on.
    at_page: usize,
    /// What came before it was open: one that was handed over may bring bytes before it says
    /// that it is, and takes none until then. It is a handshake, and little more.
    early: Vec<TabChunk>,
    _on_event: Closure<dyn FnMut(Event)>,
}

impl Drop for Channel {
    /// What is forgotten is closed, and not listened to any more: its listener goes with it, and a
    /// late event would find none.
    fn drop(&mut self) {
        self.pipe.close();
    }
}

impl Channel {
    /// Bytes that have left since this was last asked.
    fn take_sent(&mut self) -> usize {
        let waiting = match &self.pipe {
            Pipe::Channel(channel) => channel.buffered_amount() as usize,
            Pipe::Port(_) => self.at_page,
        };
        let waiting = waiting.min(self.unreported);
        std::mem::replace(&mut self.unreported, waiting) - waiting
    }
}

/// What carries its bytes.
#[derive(Clone, Debug)]
enum Pipe {
    Channel(RtcDataChannel),
    /// The page passes everything on.
    Port(MessagePort),
}

impl Default for Directs {
    fn default() -> Self {
        Directs {
            making: SortedMap::new(),
            wires: SortedMap::new(),
            next_wire: FIRST_WIRE,
            scratch: Uint8Array::new_with_length(0),
        }
    }
}

impl Directs {
    fn wire_of(&self, id: DirectId) -> Option<LinkId> {
        let mut wires = self.wires.iter();
        let found = wires.find(|(_, (of, _))| *of == id);
        found.map(|(wire, _)| *wire)
    }
}

impl Host {
    /// Has the page do what the node says about a direct link.
    pub(super) fn make_direct(&self, id: DirectId, work: DirectWork) {
        if let DirectWork::Drop = work {
            self.directs.borrow_mut().making.remove(&id);
        }
        let node = self.node();
        let mut stun = Vec::new();
        if let Some((link, servers)) = node.stun(id).filter(|(_, servers)| !servers.is_empty()) {
            let url = self.links.borrow().get(link).map(|link| link.url.clone());
            let hub = url.and_then(|url| Url::new(&url).ok());
            let hub = hub.map(|url| url.hostname()).unwrap_or_default();
            stun.extend(servers.iter().map(|server| server.url(&hub)));
        }
        self.tell(&ToPage::Direct { id, work, stun }, &[]);
    }

    /// The page says what became of a direct link.
    pub(super) fn hear_of_direct(self: &Rc<Self>, id: DirectId, description: Option<String>) {
        if let Some(description) = description {
            return self.feed(Input::Direct(id, DirectInput::Described(description)));
        }
        self.directs.borrow_mut().making.remove(&id);
        let wire = self.directs.borrow().wire_of(id);
        match wire {
            Some(wire) => self.lose_wire(wire),
            None => self.feed(Input::Direct(id, DirectInput::Failed)),
        }
    }

    /// The page hands over a channel, which may be open already.
    pub(super) fn take_channel(self: &Rc<Self>, id: DirectId, channel: JsValue) {
        let host = Rc::clone(self);
        let wire = Rc::<Cell<Option<LinkId>>>::default();
        let known = Rc::clone(&wire);
        let on_event = Closure::<dyn FnMut(Event)>::new(move |event: Event| {
            host.hear_channel(id, known.get(), &event);
        });
        let listener = on_event.as_ref().unchecked_ref();
        let pipe = match channel.dyn_into::<RtcDataChannel>() {
            Ok(channel) => {
                channel.set_binary_type(RtcDataChannelType::Arraybuffer);
                channel.set_onopen(Some(listener));
                channel.set_onmessage(Some(listener));
                channel.set_onbufferedamountlow(Some(listener));
                channel.set_onclose(Some(listener));
                Pipe::Channel(channel)
            }
            Err(port) => {
                let port: MessagePort = port.unchecked_into();
                port.set_onmessage(Some(listener));
                Pipe::Port(port)
            }
        };
        let is_open = pipe.is_open();
        let channel = Channel {
            pipe,
            wire,
            unreported: 0,
            at_page: 0,
            early: Vec::new(),
            _on_event: on_event,
        };
        self.directs.borrow_mut().making.insert(id, channel);
        if is_open {
            self.link_directly(id);
        }
    }

    fn hear_channel(self: &Rc<Self>, id: DirectId, wire: Option<LinkId>, event: &Event) {
        let said = event.dyn_ref::<MessageEvent>().map(MessageEvent::data);
        let buffer = said.as_ref().and_then(|data| data.dyn_ref::<ArrayBuffer>());
        if let Some(buffer) = buffer {
            let bytes = TabChunk::of_array(Uint8Array::new(buffer));
            return match (wire, self.directs.borrow_mut().making.get_mut(&id)) {
                (Some(wire), _) => self.feed(Input::Wire(wire, WireInput::Received(bytes))),
                (None, Some(channel)) if channel.early.len() < MAX_EARLY => {
                    channel.early.push(bytes);
                }
                // A stretch that is missing ends it, with a reason, as soon as it is open.
                (None, _) => {}
            };
        }
        let word = match &said {
            Some(data) => match data.as_f64() {
                Some(bytes) => return self.has_left_page(wire, bytes as usize),
                None => data.dyn_ref::<JsString>().map(String::from),
            },
            None => Some(event.type_()),
        };
        match (word.as_deref(), wire) {
            (Some("open"), None) => self.link_directly(id),
            (Some("close" | "closed"), Some(wire)) => self.lose_wire(wire),
            (Some("close" | "closed"), None) => {
                // The page's connection outlives its channel, and nobody wants it any more.
                self.make_direct(id, DirectWork::Drop);
                self.hear_of_direct(id, None);
            }
            // Some of it has left, which is looked at wherever outputs are drained.
            (Some("bufferedamountlow"), Some(_)) => self.drain_soon(),
            _ => {}
        }
    }

    /// The channel is open.
    fn link_directly(self: &Rc<Self>, id: DirectId) {
        let mut directs = self.directs.borrow_mut();
        let Some(mut channel) = directs.making.remove(&id) else {
            return;
        };
        let early = std::mem::take(&mut channel.early);
        let wire = LinkId(directs.next_wire);
        directs.next_wire += 1;
        channel.wire.set(Some(wire));
        directs.wires.insert(wire, (id, channel));
        drop(directs);
        let linked = DirectInput::Linked {
            wire,
            max_payload: MAX_PAYLOAD,
        };
        self.feed(Input::Direct(id, linked));
        for bytes in early {
            self.feed(Input::Wire(wire, WireInput::Received(bytes)));
        }
    }

    /// Does what the node says about a wire.
    pub(super) fn work_on_wire(self: &Rc<Self>, output: WireOutput<TabChunk>) {
        match output {
            WireOutput::Dial { .. } => unreachable!("a tab knows no addresses"),
            WireOutput::Send { wire, parts } => self.send_by_wire(wire, &parts),
            WireOutput::Close { wire, .. } => {
                if let Some(id) = self.hang_up_wire(wire) {
                    self.make_direct(id, DirectWork::Drop);
                }
            }
        }
    }

    fn send_by_wire(self: &Rc<Self>, wire: LinkId, parts: &Parts<TabChunk>) {
        let mut directs = self.directs.borrow_mut();
        let Directs { wires, scratch, .. } = &mut *directs;
        let Some((_, channel)) = wires.get_mut(&wire) else {
            return;
        };
        channel.unreported += parts.len();
        let bytes = frames::gather(scratch, &[], parts);
        let sent = match &channel.pipe {
            Pipe::Channel(channel) => {
                let sent = channel.send_with_array_buffer_view(&bytes);
                channel.set_buffered_amount_low_threshold(channel.buffered_amount() / 2);
                sent
            }
            Pipe::Port(port) => {
                channel.at_page += parts.len();
                let copy = bytes.slice(0, bytes.length()).buffer();
                port.post_message_with_transferable(&copy, &Array::of1(&copy))
            }
        };
        drop(directs);
        if sent.is_err() {
            self.lose_wire(wire);
        }
    }

    /// What the wires have sent since this was last asked.
    pub(super) fn take_wires_sent(&self) -> Vec<(LinkId, usize)> {
        let mut directs = self.directs.borrow_mut();
        let sent = directs.wires.iter_mut().filter_map(|(wire, (_, channel))| {
            let sent = channel.take_sent();
            (sent > 0).then_some((*wire, sent))
        });
        sent.collect()
    }

    /// The page has got rid of something that it passes on.
    fn has_left_page(self: &Rc<Self>, wire: Option<LinkId>, bytes: usize) {
        let mut directs = self.directs.borrow_mut();
        let channel = wire.and_then(|wire| directs.wires.get_mut(&wire));
        if let Some((_, channel)) = channel {
            channel.at_page = channel.at_page.saturating_sub(bytes);
            drop(directs);
            self.drain_soon();
        }
    }

    /// A wire broke, or its other end closed it.
    fn lose_wire(self: &Rc<Self>, wire: LinkId) {
        if let Some(id) = self.hang_up_wire(wire) {
            self.make_direct(id, DirectWork::Drop);
            self.feed(Input::Wire(wire, WireInput::Down));
        }
    }

    fn hang_up_wire(&self, wire: LinkId) -> Option<DirectId> {
        let (id, _) = self.directs.borrow_mut().wires.remove(&wire)?;
        Some(id)
    }

    /// Lets all of them go, as whoever has a new node does.
    pub(super) fn drop_directs(&self) {
        let next_wire = self.directs.borrow().next_wire;
        let directs = self.directs.replace(Directs {
            next_wire,
            ..Directs::default()
        });
        let wires = directs.wires.values().map(|(id, _)| *id);
        for id in directs.making.keys().copied().chain(wires) {
            self.make_direct(id, DirectWork::Drop);
        }
    }
}

impl Pipe {
    fn is_open(&self) -> bool {
        match self {
            Pipe::Channel(channel) => channel.ready_state() == RtcDataChannelState::Open,
            Pipe::Port(_) => false,
        }
    }

    /// Closes it, and hears nothing of it any more.
    fn close(&self) {
        match self {
            Pipe::Channel(channel) => {
                channel.set_onopen(None);
                channel.set_onmessage(None);
                channel.set_onbufferedamountlow(None);
                channel.set_onclose(None);
                channel.close();
            }
            Pipe::Port(port) => {
                port.set_onmessage(None);
                let _ = port.post_message(&"close".into());
            }
        }
    }
}
