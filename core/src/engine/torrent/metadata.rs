//! Getting and giving the info dictionary (BEP 9), so that an info-hash is enough.
//!
//! One peer at a time is asked for all of it: if the hash is wrong then, it is clear
//! who lied.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;

use super::messages::fault;
use super::{Cx, Fault, Phase, Torrent};
use crate::engine::{Event, Resume};
use crate::metainfo::{Metainfo, MetainfoError};
use crate::peer::{SessionId, Upload};
use crate::time::Time;
use crate::wire::extension::{METADATA_PIECE, MetadataMessage};
use crate::wire::peer::Message;

/// Requests under way at once.
const PIPELINE: u32 = 8;
/// A source that sends nothing for this long is given up.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The state of a fetch.
#[derive(Debug, Default)]
pub(super) struct Fetch {
    source: Option<Source>,
    /// Sessions that could not, or would not, send it.
    tried: BTreeSet<SessionId>,
}

#[derive(Debug)]
struct Source {
    session: SessionId,
    /// Bytes, as it says.
    size: u32,
    /// What came so far, in order; grows as it comes, not as it was promised.
    received: Vec<u8>,
    /// The next piece to ask for.
    next: u32,
    last_progress: Time,
}

impl Source {
    fn pieces(&self) -> u32 {
        self.size.div_ceil(METADATA_PIECE)
    }
}

impl Torrent {
    /// Finds somebody to ask, if nobody is being asked.
    pub(super) fn fetch_metadata(&mut self, cx: &mut Cx<'_>) {
        let Phase::Metadata(fetch) = &mut self.phase else {
            return;
        };
        if fetch.source.is_some() {
            return;
        }
        let acceptable = 1..=u32::try_from(Metainfo::MAX_LENGTH).expect("the limit is a few MiB");
        let able = self.sessions.iter().filter_map(|(&id, session)| {
            let size = session
                .metadata_size
                .filter(|size| acceptable.contains(size))?;
            (session.ut_metadata.is_some() && !fetch.tried.contains(&id)).then_some((id, size))
        });
        let able: Vec<_> = able.collect();
        let Some(&(session, size)) = self.rng.choose(&able) else {
            return;
        };
        fetch.source = Some(Source {
            session,
            size,
            received: Vec::new(),
            next: 0,
            last_progress: cx.now,
        });
        self.ask_for_metadata(cx);
    }

    fn ask_for_metadata(&mut self, cx: &mut Cx<'_>) {
        let Phase::Metadata(Fetch {
            source: Some(source),
            ..
        }) = &mut self.phase
        else {
            return;
        };
        let id = source.session;
        let Some(remote) = self
            .sessions
            .get(&id)
            .and_then(|session| session.ut_metadata)
        else {
            return;
        };
        let here = u32::try_from(source.received.len()).unwrap_or(u32::MAX) / METADATA_PIECE;
        let until = source.pieces().min(here + PIPELINE);
        let wanted = source.next..until;
        source.next = source.next.max(until);
        for piece in wanted {
            let payload = MetadataMessage::Request { piece }.encode();
            self.say(
                cx,
                id,
                &Message::Extended {
                    id: remote,
                    payload,
                },
            );
        }
    }

    pub(super) fn handle_metadata(
        &mut self,
        cx: &mut Cx<'_>,
        id: SessionId,
        payload: &Bytes,
    ) -> Result<(), Fault> {
        match MetadataMessage::decode(payload)? {
            Some(MetadataMessage::Request { piece }) => {
                let session = self.session(id)?;
                if session.outbox.upload_count() >= cx.config.max_incoming_requests {
                    return Err(fault("too many requests at once"));
                }
                // For a while: it is no way to keep a place for ever.
                if cx.now - session.since < cx.config.idle_timeout {
                    session.asked = Some(cx.now);
                }
                session.outbox.push_upload(Upload::Metadata(piece));
                cx.link.ready.insert((self.info_hash, id));
            }
            Some(MetadataMessage::Data {
                piece,
                total_size,
                data,
            }) => {
                self.take_metadata(cx, id, piece, total_size, &data)?;
            }
            Some(MetadataMessage::Reject { .. }) => self.metadata_source_lost(cx, id),
            None => {}
        }
        Ok(())
    }

    fn take_metadata(
        &mut self,
        cx: &mut Cx<'_>,
        id: SessionId,
        piece: u32,
        total_size: u32,
        data: &[u8],
    ) -> Result<(), Fault> {
        let Phase::Metadata(Fetch {
            source: Some(source),
            ..
        }) = &mut self.phase
        else {
            return Ok(());
        };
        if source.session != id {
            return Ok(());
        }
        // A channel keeps the order of what was asked.
        let begin = source.received.len() as u64;
        let expected = u64::from(METADATA_PIECE).min(u64::from(source.size) - begin);
        let in_order = u64::from(piece) * u64::from(METADATA_PIECE) == begin;
        if total_size != source.size || !in_order || data.len() as u64 != expected {
            return Err(fault("metadata that was not asked for"));
        }
        source.received.extend_from_slice(data);
        source.last_progress = cx.now;
        self.gained = cx.now;
        if source.received.len() < source.size as usize {
            self.ask_for_metadata(cx);
            return Ok(());
        }
        let info = Bytes::from(std::mem::take(&mut source.received));
        match Metainfo::from_info(info, self.info_hash, Vec::new()) {
            Ok(metainfo) => {
                cx.event(Event::Metadata(metainfo.clone()));
                let resume = if self.check_store {
                    Resume::Check
                } else {
                    Resume::Nothing
                };
                self.begin(cx, metainfo, resume);
            }
            Err(MetainfoError::WrongInfoHash) => {
                self.ban(cx, id, "sent wrong metadata");
                self.fetch_metadata(cx);
            }
            // The hash is right, so every peer would send the same.
            Err(error) => self.fail(cx, error.to_string()),
        }
        Ok(())
    }

    /// A session won't send the metadata: another is asked.
    pub(super) fn metadata_source_lost(&mut self, cx: &mut Cx<'_>, id: SessionId) {
        let Phase::Metadata(fetch) = &mut self.phase else {
            return;
        };
        if fetch
            .source
            .as_ref()
            .is_some_and(|source| source.session == id)
        {
            fetch.source = None;
            fetch.tried.insert(id);
            self.fetch_metadata(cx);
        }
    }

    /// Gives up a source that is silent; when all were tried, begins again.
    pub(super) fn metadata_upkeep(&mut self, cx: &mut Cx<'_>) {
        let Phase::Metadata(fetch) = &mut self.phase else {
            return;
        };
        match &fetch.source {
            Some(source) if cx.now - source.last_progress >= TIMEOUT => {
                let id = source.session;
                self.metadata_source_lost(cx, id);
            }
            Some(_) => {}
            None => {
                fetch.tried.clear();
                self.fetch_metadata(cx);
            }
        }
    }
}
