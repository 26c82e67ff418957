//! Asking for the info dictionary and taking it (BEP 9): who is asked is [`Fetch`]'s to say.
//!
//! [`Fetch`]: super::fetch::Fetch

use bytes::Bytes;

use super::fetch::{Data, Taken};
use super::{Cx, Ending, Fault, Torrent};
use crate::chunk::Chunk;
use crate::engine::Event;
use crate::metainfo::{Metainfo, MetainfoError};
use crate::peer::{SessionId, Upload};
use crate::wire::extension::MetadataMessage;
use crate::wire::peer::Message;

impl<C: Chunk> Torrent<C> {
    /// Asks those who have the metadata, as far as there is room for more sources.
    pub(super) fn fetch_metadata(&mut self, cx: &mut Cx<'_, C>) {
        let mut able = self.untried_sources();
        self.rng.shuffle(&mut able);
        for (id, size) in able {
            let Some(fetch) = self.phase.fetch_mut() else {
                return;
            };
            if !fetch.add(cx.now, id, size, &cx.config.metadata) {
                return;
            }
            self.ask_for_metadata(cx, id);
        }
    }

    /// Sessions that could be asked and are not, with the length that each claims.
    fn untried_sources(&self) -> Vec<(SessionId, u32)> {
        let Some(fetch) = self.phase.fetch() else {
            return Vec::new();
        };
        let acceptable = 1..=u32::try_from(Metainfo::MAX_LENGTH).expect("the limit is a few MiB");
        let able = self.sessions.iter().filter_map(|(id, session)| {
            let size = session.remote.metadata_size?;
            let able = acceptable.contains(&size) && session.talk.ut_metadata.is_some();
            (able && !fetch.knows(id)).then_some((id, size))
        });
        able.collect()
    }

    fn ask_for_metadata(&mut self, cx: &mut Cx<'_, C>, id: SessionId) {
        let remote = self.sessions.get(id).and_then(|s| s.talk.ut_metadata);
        let (Some(fetch), Some(remote)) = (self.phase.fetch_mut(), remote) else {
            return;
        };
        for piece in fetch.ask(cx.now, id, &cx.config.metadata) {
            let payload = MetadataMessage::Request { piece }.encode();
            let request = Message::Extended {
                id: remote,
                payload,
            };
            self.say(cx, id, &request);
        }
    }

    pub(super) fn handle_metadata(
        &mut self,
        cx: &mut Cx<'_, C>,
        id: SessionId,
        payload: &Bytes,
    ) -> Result<(), Fault> {
        match MetadataMessage::decode(payload)? {
            Some(MetadataMessage::Request { piece }) => {
                let session = self.sessions.find(id)?;
                if session.talk.outbox.upload_count() >= cx.config.max_incoming_requests {
                    return Err(Fault::TooManyRequests);
                }
                // For a while: it is no way to keep a place for ever.
                if cx.now - session.remote.since < cx.config.idle_timeout {
                    session.remote.giving.asked = Some(cx.now);
                }
                session.talk.outbox.push_upload(Upload::Metadata(piece));
                cx.waiting.add((self.info_hash, id));
            }
            Some(MetadataMessage::Data {
                piece,
                total_size,
                data,
            }) => {
                let came = Data {
                    piece,
                    total_size,
                    bytes: &data,
                };
                self.take_metadata(cx, id, &came)?;
            }
            Some(MetadataMessage::Reject { .. }) => self.metadata_source_lost(cx, id),
            None => {}
        }
        Ok(())
    }

    fn take_metadata(
        &mut self,
        cx: &mut Cx<'_, C>,
        id: SessionId,
        came: &Data<'_>,
    ) -> Result<(), Fault> {
        let Some(fetch) = self.phase.fetch_mut() else {
            return Ok(());
        };
        let taken = fetch.take(cx.now, id, came, &cx.config.metadata)?;
        if matches!(taken, Taken::Nothing) {
            return Ok(());
        }
        self.traffic.gain(cx.now);
        if let Some(session) = self.sessions.get_mut(id) {
            session.remote.allowance.earn(cx.config.work.block);
        }
        if let Taken::All(info) = taken {
            self.metadata_complete(cx, id, info);
        } else {
            self.ask_for_metadata(cx, id);
        }
        Ok(())
    }

    /// All that a source promised is here.
    fn metadata_complete(&mut self, cx: &mut Cx<'_, C>, id: SessionId, info: Bytes) {
        match Metainfo::from_info(info, self.info_hash, Vec::new()) {
            Ok(metainfo) => {
                if let Some(reason) = cx.config.refuses(metainfo.layout()) {
                    return self.fail(cx, reason);
                }
                cx.event(Event::Metadata(metainfo.clone()));
                self.begin(cx, metainfo, self.wishes.store());
            }
            Err(MetainfoError::WrongInfoHash) => {
                self.metadata_source_lost(cx, id);
                self.ban(cx, id, &Ending::WrongMetadata);
            }
            // The hash is right, so every peer would send the same.
            Err(error) => self.fail(cx, error.into()),
        }
    }

    /// A session won't send the metadata: others are asked.
    pub(super) fn metadata_source_lost(&mut self, cx: &mut Cx<'_, C>, id: SessionId) {
        let fetch = self.phase.fetch_mut();
        if fetch.is_some_and(|fetch| fetch.give_up(id)) {
            self.go_on_with_metadata(cx);
        }
    }

    /// What was asked of a session will not come; it may be asked again.
    pub(super) fn ask_again_for_metadata(&mut self, id: SessionId) {
        if let Some(fetch) = self.phase.fetch_mut() {
            fetch.forget(id);
        }
    }

    /// Gives up sources that are silent, and gives the turns to those that are fast.
    pub(super) fn metadata_upkeep(&mut self, cx: &mut Cx<'_, C>) {
        let waiting = !self.untried_sources().is_empty();
        let Some(fetch) = self.phase.fetch_mut() else {
            return;
        };
        let is_here = |id| self.sessions.contains(id);
        fetch.give_up_silent(cx.now, waiting, is_here, &cx.config.metadata);
        self.go_on_with_metadata(cx);
    }

    fn go_on_with_metadata(&mut self, cx: &mut Cx<'_, C>) {
        let Some(fetch) = self.phase.fetch_mut() else {
            return;
        };
        fetch.choose(cx.now, &cx.config.metadata);
        for id in fetch.sources() {
            self.ask_for_metadata(cx, id);
        }
        self.fetch_metadata(cx);
    }
}
