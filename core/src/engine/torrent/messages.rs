//! What a peer says, message by message.

use bytes::Bytes;

use super::arrivals::UT_METADATA;
use super::direct::TS_DIRECT;
use super::introduce::TS_INTRODUCE;
use super::pex::UT_PEX;
use super::trackers::TS_TRACKERS;
use super::work::{cost, frame_cost};
use super::{Cx, Ending, Fault, Torrent};
use crate::chunk::Chunk;
use crate::engine::Output;
use crate::engine::tabs::TS_OVERLAY;
use crate::id::ChannelKey;
use crate::peer::{RemotePieces, SessionId, Upload};
use crate::pieces::{Bitfield, PieceIndex};
use crate::wire::extension::HANDSHAKE_ID;
use crate::wire::peer::{BlockRef, Handshake, Message, Received};

impl<C: Chunk> Torrent<C> {
    /// Bytes came through a session's channel.
    pub(in crate::engine) fn receive(
        &mut self,
        cx: &mut Cx<'_, C>,
        id: SessionId,
        channel: ChannelKey,
        bytes: C,
    ) {
        let session = self.sessions.get_mut(id);
        let Some(stream) = session.and_then(|session| session.stream_mut(channel)) else {
            return;
        };
        stream.last_heard = cx.now;
        let length = bytes.len();
        stream.decoder.push(bytes);
        if let Err(fault) = self.charge(cx, id, frame_cost(length, &cx.config.work)) {
            return self.shun(cx, id, fault);
        }
        // What it carries may turn out to be another session's.
        while let Some((_, id)) = cx.channels.session(channel)
            && let Some(session) = self.sessions.get_mut(id)
            && let Some(stream) = session.stream_mut(channel)
        {
            let handled = match stream.decoder.poll() {
                Ok(None) => break,
                Ok(Some(received)) => self.handle_received(cx, id, channel, received),
                Err(error) => Err(Fault::from(error)),
            };
            if let Err(fault) = handled {
                self.shun(cx, id, fault);
            }
        }
        if cx.channels.session(channel).is_some() {
            cx.emit(Output::Consumed {
                channel,
                bytes: length,
            });
        }
    }

    /// We may send more.
    pub(in crate::engine) fn room(
        &mut self,
        cx: &mut Cx<'_, C>,
        id: SessionId,
        channel: ChannelKey,
        bytes: u32,
    ) {
        if bytes < cx.config.work.small_grant
            && let Err(fault) = self.charge(cx, id, cx.config.work.frame)
        {
            return self.shun(cx, id, fault);
        }
        let session = self.sessions.get_mut(id);
        if let Some(stream) = session.and_then(|session| session.stream_mut(channel)) {
            stream.grant(bytes);
            cx.waiting.add((self.info_hash, id));
        }
    }

    pub(super) fn handle_received(
        &mut self,
        cx: &mut Cx<'_, C>,
        id: SessionId,
        channel: ChannelKey,
        received: Received<C>,
    ) -> Result<(), Fault> {
        self.charge(cx, id, cost(&received, &cx.config.work))?;
        match received {
            Received::Handshake(handshake) => self.handle_handshake(cx, id, handshake),
            Received::Message(message) if self.heeds(id, channel) => {
                self.handle_message(cx, id, channel, message)
            }
            Received::Message(message) => self.handle_aside(cx, id, channel, message),
        }
    }

    fn handle_handshake(
        &mut self,
        cx: &mut Cx<'_, C>,
        id: SessionId,
        handshake: Handshake,
    ) -> Result<(), Fault> {
        if handshake.info_hash != self.info_hash {
            return Err(Fault::OtherTorrent);
        }
        if handshake.peer_id == cx.peer_id {
            return Err(Fault::Ourselves);
        }
        let session = self.sessions.find(id)?;
        session.remote.peer_id = Some(handshake.peer_id);
        session.talk.greets(&handshake);
        if !session.talk.extended {
            self.end_double(cx, id)?;
            self.meets_somebody(cx, id);
        }
        self.introduce(id)?;
        self.tell_of_dht(cx, id)?;
        self.greet(cx, id);
        cx.waiting.add((self.info_hash, id));
        Ok(())
    }

    fn heeds(&self, id: SessionId, channel: ChannelKey) -> bool {
        let session = self.sessions.get(id);
        session.is_some_and(|session| session.heeds(channel))
    }

    /// What comes through a channel that does not carry the talk: blocks that we had asked for
    /// through it are as good as any, everything else is said again where it counts.
    fn handle_aside(
        &mut self,
        cx: &mut Cx<'_, C>,
        id: SessionId,
        channel: ChannelKey,
        message: Message<C>,
    ) -> Result<(), Fault> {
        match message {
            Message::Piece { piece, begin, data } => {
                self.handle_block(cx, id, channel, (piece, begin), &data)?;
                self.need_not_again(cx, id, (piece, begin, &data));
                Ok(())
            }
            Message::Extended {
                id: HANDSHAKE_ID,
                payload,
            } => self.handle_extension(cx, id, channel, &payload),
            _ => Ok(()),
        }
    }

    fn handle_message(
        &mut self,
        cx: &mut Cx<'_, C>,
        id: SessionId,
        channel: ChannelKey,
        message: Message<C>,
    ) -> Result<(), Fault> {
        match message {
            Message::KeepAlive | Message::Unknown(_) => {}
            Message::Port(port) => self.hear_of_dht(cx, id, port)?,
            Message::SuggestPiece(index) => self.handle_suggestion(cx, id, index)?,
            Message::AllowedFast(index) => self.handle_allowed_fast(cx, id, index)?,
            Message::Choke => self.handle_choke(cx, id)?,
            Message::Unchoke => {
                self.sessions.find(id)?.remote.getting.unchokes();
                self.refill.ask(id);
            }
            Message::Interested => {
                self.sessions.find(id)?.remote.giving.interested = true;
                self.unchoke_if_free(cx, id);
            }
            Message::NotInterested => {
                let session = self.sessions.find(id)?;
                session.remote.giving.interested = false;
                if session.remote.giving.is_unchoked() {
                    // Its slot may be of use to somebody else.
                    self.slots.give_out_soon(cx.now);
                }
            }
            Message::Have(index) => self.handle_have(cx, id, index)?,
            Message::Bitfield(bytes) => self.handle_bitfield(cx, id, Claim::Bits(bytes))?,
            Message::HaveAll => self.handle_bitfield(cx, id, Claim::All)?,
            Message::HaveNone => self.handle_bitfield(cx, id, Claim::None)?,
            Message::Request(block) => self.handle_request(cx, id, block)?,
            Message::Cancel(block) => self.handle_cancel(cx, id, block)?,
            Message::Piece { piece, begin, data } => {
                self.handle_block(cx, id, channel, (piece, begin), &data)?;
                self.choose_as_blocks_come(cx, id, channel, data.len());
            }
            Message::RejectRequest(block) => self.handle_reject(cx, id, block)?,
            Message::Extended {
                id: HANDSHAKE_ID,
                payload,
            } => self.handle_extension(cx, id, channel, &payload)?,
            Message::Extended {
                id: UT_METADATA,
                payload,
            } => self.handle_metadata(cx, id, &payload)?,
            Message::Extended {
                id: TS_DIRECT,
                payload,
            } => self.handle_signal(cx, id, channel, &payload)?,
            Message::Extended {
                id: TS_INTRODUCE,
                payload,
            } => self.handle_introduction(cx, id, &payload)?,
            Message::Extended {
                id: TS_OVERLAY,
                payload,
            } => self.handle_overlay(cx, id, &payload)?,
            Message::Extended {
                id: TS_TRACKERS,
                payload,
            } => self.handle_trackers(cx, id, &payload)?,
            Message::Extended {
                id: UT_PEX,
                payload,
            } => self.hear_peers(cx, id, channel, &payload)?,
            Message::Extended { .. } => {}
        }
        Ok(())
    }

    fn handle_have(&mut self, cx: &mut Cx<'_, C>, id: SessionId, index: u32) -> Result<(), Fault> {
        let session = self.sessions.find(id)?;
        match &mut session.remote.pieces {
            RemotePieces::Early { haves, .. } => {
                if haves.len() >= cx.config.max_early_haves {
                    return Err(Fault::TooManyHaves);
                }
                haves.push(index);
                self.pay_for_news(cx, id);
                self.show_early_interest(cx, id);
            }
            RemotePieces::Known(pieces) => {
                let (Some(download), Some(metainfo)) =
                    (self.phase.download_mut(), self.about.metainfo())
                else {
                    return Ok(());
                };
                let piece = metainfo
                    .layout()
                    .piece(index)
                    .ok_or(Fault::HasNoSuchPiece)?;
                if pieces.insert(piece) {
                    download.peer_has(id, piece);
                    if !download.have().has(piece) {
                        self.show_interest(cx, id);
                        self.refill.ask(id);
                    }
                    self.follow_piece(cx.now, id, piece);
                    self.deal_to(cx, id);
                    self.pay_for_news(cx, id);
                }
            }
        }
        Ok(())
    }

    /// It says what it has as a whole: as a rule once, and first (BEP 3). Some tell of single
    /// pieces before, and aria2 of all of them again instead of many new ones.
    fn handle_bitfield(
        &mut self,
        cx: &mut Cx<'_, C>,
        id: SessionId,
        claim: Claim,
    ) -> Result<(), Fault> {
        let session = self.sessions.find(id)?;
        let again = std::mem::replace(&mut session.talk.introduced, true);
        match &mut session.remote.pieces {
            RemotePieces::Early { bitfield, all, .. } => {
                match claim {
                    Claim::Bits(bytes) => *bitfield = Some(bytes),
                    Claim::All => *all = true,
                    Claim::None => {}
                }
                self.show_early_interest(cx, id);
            }
            RemotePieces::Known(pieces) => {
                let count = pieces.piece_count();
                let claimed = match claim {
                    Claim::Bits(bytes) => Bitfield::from_bytes(&bytes, count)?,
                    Claim::All => Bitfield::full(count),
                    Claim::None => Bitfield::empty(count),
                };
                if again || !pieces.is_empty() {
                    let new = claimed.iter().filter(|piece| !pieces.has(*piece));
                    let new: Vec<u32> = new.map(PieceIndex::get).collect();
                    for piece in new {
                        self.handle_have(cx, id, piece)?;
                    }
                    return Ok(());
                }
                if let Some(download) = self.phase.download_mut() {
                    download.peer_left(id, pieces);
                    download.peer_joined(id, &claimed);
                }
                *pieces = claimed;
                self.follow_dealt(cx.now, id);
                self.update_interest(cx, id);
                self.allow_fast(cx, id);
                self.refill.ask(id);
            }
        }
        Ok(())
    }

    fn handle_request(
        &mut self,
        cx: &mut Cx<'_, C>,
        id: SessionId,
        asked: BlockRef,
    ) -> Result<(), Fault> {
        let most = cx.config.max_incoming_requests;
        let block = self.about.check_block(asked);
        let session = self.sessions.find(id)?;
        let may = session.remote.giving.is_unchoked()
            || block.is_some_and(|block| session.remote.giving.allowed_fast.contains(&block.piece));
        if !may {
            // It may not have heard of our choke yet.
            if session.talk.fast {
                self.answer(cx, id, &Message::RejectRequest(asked))?;
            }
            return Ok(());
        }
        let block = block.ok_or(Fault::AsksForNoSuchBlock)?;
        let has = self
            .phase
            .download()
            .is_some_and(|download| download.have().has(block.piece));
        let session = self.sessions.find(id)?;
        if !has {
            if session.talk.fast {
                return self.answer(cx, id, &Message::RejectRequest(asked));
            }
            return Err(Fault::AsksForMissingPiece);
        }
        if session.talk.outbox.upload_count() >= most {
            return Err(Fault::TooManyRequests);
        }
        session.remote.giving.asks(cx.now);
        session.talk.outbox.push_upload(Upload::Block(block));
        self.note_taken(id, block.piece);
        cx.waiting.add((self.info_hash, id));
        Ok(())
    }

    /// Sends a small message that the peer's own brought about: one that does not take the
    /// answers is not to make us keep them.
    pub(super) fn answer(
        &mut self,
        cx: &mut Cx<'_, C>,
        id: SessionId,
        message: &Message,
    ) -> Result<(), Fault> {
        let session = self.sessions.find(id)?;
        if session.talk.outbox.ready_len() > cx.config.max_waiting.0 {
            return Err(Fault::TakesNoAnswers);
        }
        self.say(cx, id, message);
        Ok(())
    }

    /// Sends small messages; a peer that never takes them is let go.
    pub(super) fn say(&mut self, cx: &mut Cx<'_, C>, id: SessionId, message: &Message) {
        let Some(session) = self.sessions.get_mut(id) else {
            return;
        };
        session.talk.outbox.push(message);
        if session.talk.outbox.ready_len() > cx.config.max_waiting.1 {
            self.close_session(cx, id, &Ending::TakesNothing);
        } else {
            cx.waiting.add((self.info_hash, id));
        }
    }
}

/// What a bitfield message, or its short forms (BEP 6), says.
enum Claim {
    Bits(Bytes),
    All,
    None,
}
