//! Handing files to a person.
//!
//! A file may be larger than memory: it is read piece by piece, and goes on a few megabytes at a
//! time ([`sink`]) to where the person wants it, several files as a folder, or as one ZIP. What is
//! not here yet is waited for, so that a save may begin before the download has ended.

use std::cell::Cell;
use std::rc::Rc;

use js_sys::Uint8Array;
use swarm_core::engine::StoreError;
use swarm_core::id::InfoHash;
use swarm_core::metainfo::{File, Metainfo};
use swarm_core::pieces::Priority;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Blob, FileSystemDirectoryHandle, FileSystemFileHandle};

use super::host::Host;
use super::js::{message_of, slice};
use super::line::{Ear, Line};
use super::reader::Reader;
use super::show::Work;
use crate::media;
use crate::messages::ToPage;

mod crc;
mod folder;
mod sink;
mod zip;

use crc::Crc;
use sink::Sink;
pub(super) use sink::blob_of;

/// Bytes that go on at once, and that are read ahead.
const CHUNK: u64 = 8 << 20;

/// Where somebody wants files.
#[derive(Debug)]
pub(super) enum Target {
    /// As a blob, which the page hands to the browser.
    Page,
    /// In a file on the disk.
    File(FileSystemFileHandle),
    /// In a new folder in this one.
    Folder(FileSystemDirectoryHandle),
    /// As a download that the service worker answers.
    Download(Line),
}

impl Target {
    /// As [`crate::messages::ToWorker::Save`] has it attached.
    pub(super) fn of(attached: Option<JsValue>) -> Self {
        let Some(place) = attached else {
            return Target::Page;
        };
        match place.dyn_into::<FileSystemFileHandle>() {
            Ok(file) => Target::File(file),
            Err(place) => Target::Folder(place.unchecked_into()),
        }
    }
}

/// Why a save ended without a file.
#[derive(Debug)]
enum SaveError {
    /// The person removed the torrent meanwhile, or does not want it any more.
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

/// A save under way.
struct Saving {
    host: Rc<Host>,
    info_hash: InfoHash,
    reader: Reader,
    sink: Sink,
    /// Made for the first file that needs it.
    crc: Option<Crc>,
    /// Bytes read, of how many.
    done: u64,
    total: u64,
    progress: Rc<Cell<f64>>,
    /// Hears that nobody wants it any more, and of pieces that come.
    ear: Rc<Ear>,
}

impl Host {
    /// Hands over one file by its index, or all that are wanted: one as itself, several as a
    /// ZIP or in a folder.
    pub(super) async fn save(self: Rc<Self>, info_hash: InfoHash, file: Option<u32>, to: Target) {
        let Some(metainfo) = self.torrents.metainfo(info_hash) else {
            if let Target::Download(line) = to {
                line.refuse("");
            }
            return self.notice(true, "The torrent’s description has not arrived yet.");
        };
        let files: Vec<&File> = match file {
            Some(index) => metainfo.files().get(index as usize).into_iter().collect(),
            None => self.wanted(&metainfo),
        };
        let id = self.show.borrow_mut().work_id();
        let ear = match &to {
            Target::Download(line) => Rc::clone(line.ear()),
            Target::Page | Target::File(_) | Target::Folder(_) => Rc::default(),
        };
        let work = Work::new(id, (info_hash, Rc::clone(&ear)));
        let progress = Rc::clone(&work.progress);
        self.show.borrow_mut().saving.push(work);
        self.show_now();

        let saving = Saving {
            host: Rc::clone(&self),
            info_hash,
            reader: Reader::new(&self, metainfo.clone()),
            sink: Sink::Nowhere,
            crc: None,
            done: 0,
            total: files.iter().map(|file| file.length).sum(),
            progress,
            ear,
        };
        let result = saving.run(&metainfo, &files, to).await;
        self.show.borrow_mut().saving.retain(|work| work.id != id);
        match result {
            Ok(Some((name, blob))) => self.tell(&ToPage::Saved { name }, &[blob.into()]),
            Ok(None) => self.notice(false, format!("“{}” is saved.", metainfo.name())),
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

impl Saving {
    /// Writes everything; a blob and its name, if it is for the page.
    async fn run(
        mut self,
        metainfo: &Metainfo,
        files: &[&File],
        to: Target,
    ) -> Result<Option<(String, Blob)>, SaveError> {
        let (name, length) = match files {
            [file] => (last_part(file).to_owned(), file.length),
            _ => (format!("{}.zip", metainfo.name()), zip::length(files)),
        };
        self.sink = match to {
            Target::Folder(folder) => {
                folder::write(&mut self, files, &folder).await?;
                return Ok(None);
            }
            Target::Page => Sink::Blobs(Vec::new()),
            Target::File(file) => Sink::open(&file).await?,
            Target::Download(line) => {
                line.describe(length, media::OTHER, &name);
                Sink::Line(line)
            }
        };
        let written = match files {
            [file] => self.copy(file).await,
            _ => {
                // Their checksums come before them.
                self.total *= 2;
                zip::write(&mut self, files).await
            }
        };
        let blob = self.sink.finish(written).await?;
        Ok(blob.map(|blob| (name, blob)))
    }

    /// Writes all of a file.
    async fn copy(&mut self, file: &File) -> Result<(), SaveError> {
        let (mut from, end) = (file.offset, file.offset + file.length);
        if let Some(source) = self.reader.whole_source()
            && self.sink.takes_blobs()
        {
            // Straight from the source: the browser copies it, if it has to.
            let blob = slice(source, from, end)?;
            self.sink.put_blob(blob).await?;
            self.advance(file.length);
            from = end;
        }
        while from < end {
            let to = end.min(from + CHUNK);
            let parts = self.read(from, to).await?;
            self.sink.put(&parts).await?;
            self.advance(to - from);
            from = to;
        }
        Ok(())
    }

    /// The CRC-32 of a file.
    async fn crc_of(&mut self, file: &File) -> Result<u32, SaveError> {
        let mut crc = self.crc.take().unwrap_or_else(Crc::new);
        let (mut from, end) = (file.offset, file.offset + file.length);
        while from < end {
            let to = end.min(from + CHUNK);
            for part in self.read(from, to).await? {
                crc.update(&part.to_vec());
            }
            self.advance(to - from);
            from = to;
        }
        let value = crc.take();
        self.crc = Some(crc);
        Ok(value)
    }

    /// These bytes of the torrent, once all of them are here.
    async fn read(&mut self, from: u64, to: u64) -> Result<Vec<Uint8Array>, SaveError> {
        self.check()?;
        let mut next = from;
        while next < to {
            let (piece, end) = self.reader.piece_at(next)?;
            let come = self
                .host
                .await_piece(&self.ear, self.info_hash, piece, None);
            come.await.map_err(SaveError::Failed)?;
            self.check()?;
            next = end;
        }
        Ok(self.reader.read(from, to).await?)
    }

    /// Writes these bytes.
    async fn put(&mut self, bytes: &[u8]) -> Result<(), SaveError> {
        self.sink.put(&[Uint8Array::from(bytes)]).await
    }

    fn advance(&mut self, bytes: u64) {
        self.done += bytes;
        let total = self.total.max(1);
        self.progress.set(self.done as f64 / total as f64);
    }

    fn check(&self) -> Result<(), SaveError> {
        match self.ear.is_gone() {
            true => Err(SaveError::Cancelled),
            false => Ok(()),
        }
    }
}

fn last_part(file: &File) -> &str {
    file.path.parts().last().map_or("", String::as_str)
}
