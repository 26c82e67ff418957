//! The relay's half: channels, and the credit of each.

use std::collections::VecDeque;

use super::super::flow::Flow;
use super::super::{LinkOutput, Output};
use super::RelayLink;
use crate::chunk::Chunk;
use crate::engine::{self, Config};
use crate::id::{ChannelId, InfoHash};
use crate::net::Contact;
use crate::wire::relay::{ClientMessage, Open};

impl RelayLink {
    /// The engine wants something of a channel, or a new one.
    pub(in crate::node) fn carry<C: Chunk>(
        &mut self,
        output: engine::Output<C>,
        config: &Config,
        out: &mut VecDeque<Output<C>>,
    ) {
        match output {
            engine::Output::Dial { info_hash, contact } => {
                self.dial(info_hash, contact, config, out);
            }
            engine::Output::Accept { channel } => {
                let channel = channel.channel;
                let credit = self.open(channel, config);
                self.send(ClientMessage::Accept { channel, credit }, out);
            }
            engine::Output::Close { channel, reason } => {
                let channel = channel.channel;
                self.forget(channel);
                let reason = reason.to_string();
                self.send(ClientMessage::Close { channel, reason }, out);
            }
            engine::Output::Send { channel, parts } if self.welcome.is_some() => {
                let channel = channel.channel;
                let data = LinkOutput::Data { channel, parts };
                out.push_back(Output::Link(self.id, data));
            }
            engine::Output::Consumed { channel, bytes } => {
                let channel = channel.channel;
                if let Some(flow) = self.channels.get_mut(&channel) {
                    let bytes = flow.consume(bytes);
                    self.grant(channel, bytes, out);
                }
            }
            engine::Output::Expect { channel, bytes } => {
                let channel = channel.channel;
                let most = config.far_window.min(self.max_credit());
                let wanted = u32::try_from(bytes).unwrap_or(most).min(most);
                if let Some(flow) = self.channels.get_mut(&channel) {
                    let bytes = flow.expect(wanted, config.receive_window.1);
                    self.grant(channel, bytes, out);
                }
            }
            _ => {}
        }
    }

    fn dial<C: Chunk>(
        &mut self,
        info_hash: InfoHash,
        contact: Contact,
        config: &Config,
        out: &mut VecDeque<Output<C>>,
    ) {
        let Contact::Member { member, .. } = contact else {
            return;
        };
        self.next_request = self.next_request.wrapping_add(1);
        let request = self.next_request;
        self.opening.insert(request, (info_hash, member));
        let open = Open {
            request,
            info_hash,
            member,
            credit: self.first_window(config),
        };
        self.send(ClientMessage::Open(open), out);
    }

    /// A channel is there, with its first credit.
    pub(super) fn open(&mut self, channel: ChannelId, config: &Config) -> u32 {
        let window = self.first_window(config);
        self.channels.insert(channel, Flow::new(window));
        window
    }

    /// A channel is not there any more; false if it was not.
    pub(in crate::node) fn forget(&mut self, channel: ChannelId) -> bool {
        self.channels.remove(&channel).is_some()
    }

    /// The credit that a new channel gets. It grows with what is asked of the peer.
    fn first_window(&self, config: &Config) -> u32 {
        config.receive_window.0.min(self.max_credit())
    }

    /// The most credit that the hub lets a channel have outstanding.
    fn max_credit(&self) -> u32 {
        self.welcome
            .as_ref()
            .map_or(0, |welcome| welcome.max_credit)
    }

    fn grant<C: Chunk>(&self, channel: ChannelId, bytes: u32, out: &mut VecDeque<Output<C>>) {
        if bytes == 0 {
            return;
        }
        self.send(ClientMessage::Credit { channel, bytes }, out);
    }
}
