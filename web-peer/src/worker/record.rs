//! Recording a session, for `lab replay`.
//!
//! An engine is recorded from its beginning or not at all. So a recording begins with a
//! new engine over the same store, as a reloaded tab has: what was under way is asked for
//! again, what is kept stays. The files that are shared stay open meanwhile.

use std::rc::Rc;

use js_sys::{Array, Date, Uint8Array};
use swarm_core::record::{Part, Sink};
use wasm_bindgen::JsValue;
use web_sys::Blob;

use super::host::Host;
use super::js::{concat, message_of};
use super::start::kept;
use crate::messages::ToPage;

/// A recording saves itself when it is longer: browsers keep blobs on the disk, which
/// has an end too.
const MAX_LENGTH: u64 = 2 << 30;
/// Bytes that go into one blob.
const BLOB: usize = 1 << 20;
/// Bodies that are shorter are copied once more, to save calls into the browser.
const SHORT: usize = 4 << 10;

/// What was recorded. The browser has the bytes, not our memory.
#[derive(Debug, Default)]
pub(super) struct Recording {
    blobs: Vec<Blob>,
    /// Buffers for the next blob, and how many bytes they are.
    parts: Array,
    gathered: usize,
    /// What goes into the next buffer.
    short: Vec<u8>,
    length: u64,
    failure: Option<JsValue>,
}

impl Recording {
    /// Bytes so far.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    fn push(&mut self, bytes: &[u8]) {
        self.parts.push(&Uint8Array::from(bytes));
        self.gathered += bytes.len();
    }

    fn pack_short(&mut self) {
        if !self.short.is_empty() {
            let short = std::mem::take(&mut self.short);
            self.push(&short);
        }
    }

    fn pack(&mut self) -> Result<(), JsValue> {
        self.pack_short();
        let parts = std::mem::take(&mut self.parts);
        self.gathered = 0;
        self.blobs.push(Blob::new_with_u8_array_sequence(&parts)?);
        Ok(())
    }

    fn finish(mut self) -> Result<Blob, JsValue> {
        self.pack()?;
        concat(&self.blobs)
    }
}

impl Sink for Recording {
    fn record(&mut self, part: Part) -> bool {
        self.length += (part.head.len() + part.body.len()) as u64;
        self.short.extend_from_slice(&part.head);
        if part.body.len() < SHORT {
            self.short.extend_from_slice(&part.body);
        } else {
            self.pack_short();
            self.push(&part.body);
        }
        if self.gathered + self.short.len() >= BLOB
            && let Err(error) = self.pack()
        {
            self.failure = Some(error);
            return false;
        }
        self.length < MAX_LENGTH
    }
}

impl Host {
    /// Begins a recording with a new engine, or ends it and hands it to the page.
    pub(super) fn set_recording(self: &Rc<Self>, on: bool) {
        let is_on = self.node().recording().is_some();
        if on && !is_on {
            wasm_bindgen_futures::spawn_local(Rc::clone(self).begin_recording());
        } else if !on && let Some(recording) = self.stop_recording() {
            self.save_recording(recording);
        }
    }

    async fn begin_recording(self: Rc<Self>) {
        self.hang_up_all();
        self.renew(Recording::default());
        self.follow_trackers();
        for info_hash in self.torrents.all() {
            let torrent = || self.torrents.look(info_hash, Clone::clone);
            let Some(before) = torrent() else { continue };
            let resume = match kept(&self, &before).await {
                Ok(resume) => resume,
                Err(reason) => {
                    let name = self.torrents.name(info_hash);
                    self.notice(true, format!("“{name}” can't go on: {reason}"));
                    continue;
                }
            };
            // Meanwhile the page may have removed it, paused it, or added it anew.
            let view = self.node().view(self.clock.now());
            let is_new = view.torrents.iter().all(|t| t.info_hash != info_hash);
            if let Some(torrent) = torrent().filter(|_| is_new) {
                self.go_on(&torrent, resume);
            }
        }
        self.connect_all();
        self.show_now();
    }

    /// Saves a recording that ended by itself.
    pub(super) fn look_after_recording(&self) {
        let Some(recording) = self.take_ended_recording() else {
            return;
        };
        let why = match &recording.failure {
            Some(error) => message_of(error),
            None => format!("it has reached {} GiB", MAX_LENGTH >> 30),
        };
        self.notice(
            true,
            format!("The recording ended by itself and is saved: {why}."),
        );
        self.save_recording(recording);
    }

    fn save_recording(&self, recording: Recording) {
        match recording.finish() {
            Ok(blob) => {
                // 2026-01-31T23:59:59.123Z; colons can't be in every file's name.
                let date = String::from(Date::new_0().to_iso_string()).replace(':', "-");
                let date = date.split('.').next().unwrap_or_default();
                let name = format!("tabswarm-{date}.swarmrec");
                self.tell(&ToPage::Saved { name }, &[blob.into()]);
            }
            Err(error) => self.notice(true, message_of(&error)),
        }
    }
}
