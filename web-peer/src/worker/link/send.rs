//! What leaves through a link, and how much of it the browser has sent.

use std::rc::Rc;

use swarm_core::id::{ChannelId, LinkId};
use swarm_core::net::Parts;
use swarm_core::node::LinkInput;
use swarm_core::wire::relay::ClientMessage;

use super::super::chunk::TabChunk;
use super::super::frames::compose;
use super::super::headroom::LOOK_AGAIN;
use super::super::host::{Host, Input};
use super::super::js::Timer;
use super::super::language::Language;
use super::{Link, Socket};

impl Host {
    /// Sends a message; without a connection it is dropped, as the engine expects.
    pub(in crate::worker) fn send(&self, id: LinkId, message: ClientMessage) {
        self.with_link(id, |link| {
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
        });
    }

    /// Sends a tracker of WebTorrent's kind a message; without a connection it is dropped.
    pub(in crate::worker) fn send_text(self: &Rc<Self>, id: LinkId, text: &str) {
        self.with_link(id, |link| {
            if let Some(socket) = link.socket.as_ref().filter(|socket| socket.open) {
                // A connection that broke is closed, which is said then.
                let _ = socket.socket.send_with_str(text);
            }
        });
        self.listen_for(id, Language::Foreign);
    }

    /// Sends a stretch of a channel; without a connection it is dropped.
    pub(in crate::worker) fn send_data(
        &self,
        id: LinkId,
        channel: ChannelId,
        parts: &Parts<TabChunk>,
    ) {
        self.with_link(id, |link| {
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
            } = link
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
        });
    }

    /// How many bytes the browser has sent through each link since this was last asked. While
    /// there are more to come, the engine is told soon.
    pub(in crate::worker) fn take_sent(self: &Rc<Self>) -> Vec<(LinkId, usize)> {
        let ids = self.links.borrow().ids();
        let sent = ids.into_iter().map(|id| (id, self.take_sent_by(id)));
        sent.filter(|(_, sent)| *sent > 0).collect()
    }

    fn take_sent_by(self: &Rc<Self>, id: LinkId) -> usize {
        let sent = self.with_link(id, |link| {
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
                    host.with_link(id, |link| link.look = None);
                    let sent = host.take_sent_by(id);
                    if sent > 0 {
                        host.feed(Input::Link(id, LinkInput::Sent(sent)));
                    }
                }));
            }
            sent
        });
        sent.unwrap_or_default()
    }
}
