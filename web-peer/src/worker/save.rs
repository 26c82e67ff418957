//! Handing finished files to a person.
//!
//! A file may be larger than memory: it is read piece by piece, and every few megabytes
//! go to the browser as a blob, which it moves to the disk when it sees fit. The file is
//! the blobs' concatenation, of which nobody ever holds the bytes.

use std::rc::Rc;

use js_sys::{Array, Uint8Array};
use swarm_core::engine::StoreError;
use swarm_core::id::InfoHash;
use swarm_core::metainfo::{File, Metainfo};
use swarm_core::pieces::Priority;
use wasm_bindgen::JsValue;
use web_sys::Blob;

use super::host::Host;
use super::js::{concat, message_of};
use super::show::Work;
use crate::messages::ToPage;

mod crc;
mod reader;
mod zip;

use reader::Reader;

/// Why a save ended without a file.
#[derive(Debug)]
enum SaveError {
    /// The person removed the torrent meanwhile.
    Cancelled,
    /// In words.
    Failed(String),
}

impl From<StoreError> for SaveError {
    fn from(error: StoreError) -> Self {
        SaveError::Failed(error.to_string())
    }
}

impl From<JsValue> for SaveError {
    fn from(error: JsValue) -> Self {
        SaveError::Failed(message_of(&error))
    }
}

impl Host {
    /// Hands over one file by its index, or all that are wanted: one as itself, several as a
    /// ZIP.
    pub(super) async fn save(self: Rc<Self>, info_hash: InfoHash, file: Option<u32>) {
        let Some(metainfo) = self.torrents.metainfo(info_hash) else {
            return self.notice(true, "The torrent’s description has not arrived yet.");
        };
        let source = self.torrents.source(info_hash);
        let id = self.show.borrow_mut().work_id();
        let work = Work::new(id, info_hash);
        let (progress, cancelled) = (Rc::clone(&work.progress), Rc::clone(&work.cancelled));
        self.show.borrow_mut().saving.push(work);
        self.show_now();

        let reader = Reader::new(
            self.store.clone(),
            self.hasher.clone(),
            metainfo.clone(),
            source,
            progress,
            cancelled,
        );
        let files = match file {
            Some(index) => metainfo.files().get(index as usize).into_iter().collect(),
            None => self.wanted(&metainfo),
        };
        let result = match files[..] {
            [file] => whole_file(reader, file).await,
            _ => zip::of(reader, metainfo.name(), &files).await,
        };
        self.show.borrow_mut().saving.retain(|work| work.id != id);
        match result {
            Ok((name, blob)) => self.tell(&ToPage::Saved { name }, &[blob.into()]),
            Err(SaveError::Cancelled) => {}
            Err(SaveError::Failed(reason)) => {
                self.notice(
                    true,
                    format!("“{}” can't be saved: {reason}", metainfo.name()),
                );
            }
        }
        self.show_now();
    }

    /// The files that are not left out.
    fn wanted<'a>(&self, metainfo: &'a Metainfo) -> Vec<&'a File> {
        let wishes = self.torrents.look(metainfo.info_hash(), |torrent| {
            torrent.record.wishes.priorities.clone()
        });
        let priorities = wishes.unwrap_or_default();
        let files = metainfo.files().iter().enumerate();
        files
            .filter(|(index, _)| priorities.get(*index) != Some(&Priority::Skip))
            .map(|(_, file)| file)
            .collect()
    }
}

async fn whole_file(mut reader: Reader, file: &File) -> Result<(String, Blob), SaveError> {
    reader.expect_bytes(file.length);
    let name = file.path.parts().last().cloned().unwrap_or_default();
    let parts = reader.file(file.offset, file.length).await?;
    Ok((name, concat(&parts)?))
}

/// Bytes as a blob.
pub(super) fn blob_of(bytes: &[u8]) -> Result<Blob, JsValue> {
    Blob::new_with_u8_array_sequence(&Array::of1(&Uint8Array::from(bytes)))
}
