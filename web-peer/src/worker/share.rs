//! Making torrents out of the files that a person drops.
//!
//! The files' bytes never enter our memory: the browser reads and hashes them, beside
//! the worker's thread, a few stretches at a time.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use futures_channel::oneshot;
use js_sys::Uint8Array;
use swarm_core::id::InfoHash;
use swarm_core::metainfo::{Builder, NewFile};
use swarm_core::pieces::{Layout, PieceIndex};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::spawn_local;
use web_sys::{Blob, File};

use super::host::Host;
use super::js::{concat, message_of, read_blob, slice, store_error};
use super::sha1::Hasher;

/// Bytes to read at once, if the pieces are not longer.
const STRETCH: u32 = 4 << 20;
/// Bytes in the browser's memory at a time.
const IN_FLIGHT: u32 = 32 << 20;

impl Host {
    /// Hashes the files, then seeds them; the answer has `attached`, as [`Host::answer`] says.
    pub(super) async fn share(
        self: Rc<Self>,
        folder: Option<String>,
        paths: Vec<Vec<String>>,
        files: Vec<File>,
        attached: Vec<JsValue>,
    ) {
        let name = folder
            .clone()
            .or_else(|| paths.first()?.last().cloned())
            .unwrap_or_default();
        let shared = self.try_share(&name, folder, paths, files).await;
        let shared = shared.map_err(|reason| format!("“{name}” can't be shared: {reason}"));
        // Nothing is said where somebody gave it up.
        if let Some(shared) = shared.transpose() {
            self.answer(shared, &attached);
        }
        self.show_now();
    }

    /// Names that are changed because others could not write them.
    fn tell_renamed(&self, paths: &[Vec<String>]) {
        let mut parts = paths.iter().flatten();
        if let Some(part) = parts.find(|part| in_one_part(part) != **part) {
            let shared_as = in_one_part(part);
            self.notice(
                false,
                format!("“{part}” is shared as “{shared_as}”: on other systems a backslash begins a folder."),
            );
        }
    }

    async fn try_share(
        self: &Rc<Self>,
        name: &str,
        folder: Option<String>,
        paths: Vec<Vec<String>>,
        files: Vec<File>,
    ) -> Result<Option<InfoHash>, String> {
        if paths.len() != files.len() {
            return Err("the page sent something that is no file".to_owned());
        }
        self.tell_renamed(&paths);
        let name = &in_one_part(name);
        let folder = folder.map(|folder| in_one_part(&folder));
        let paths = paths
            .into_iter()
            .map(|path| path.iter().map(|part| in_one_part(part)).collect());
        let mut entries: Vec<(Vec<String>, File)> = paths.zip(files).collect();
        // The order in which browsers walk a folder must not make another torrent of it.
        entries.sort_by(|(a, _), (b, _)| a.cmp(b));
        let (new_files, blobs): (Vec<NewFile>, Vec<Blob>) = entries
            .into_iter()
            .map(|(path, file)| {
                (
                    NewFile {
                        path,
                        length: file.size() as u64,
                    },
                    file.unchecked_into::<Blob>(),
                )
            })
            .unzip();
        let length = new_files.iter().map(|file| file.length).sum();
        let builder =
            Builder::new(folder.as_deref(), new_files, None).map_err(|error| error.to_string())?;
        let source = concat(&blobs).map_err(|error| message_of(&error))?;

        let work = self.begin_hashing(name.to_owned(), length);
        let hashes = hash_all(
            &self.hasher,
            &source,
            *builder.layout(),
            Rc::clone(&work.progress),
            Rc::clone(&work.cancelled),
        )
        .await;
        self.end_hashing(work.id);
        if work.cancelled.get() {
            return Ok(None);
        }
        let metainfo = builder.finish(hashes?, vec![self.tracker.clone()], false);
        let info_hash = metainfo.info_hash();
        self.seed(metainfo, source);
        Ok(Some(info_hash))
    }
}

/// A file's name as others can write it: elsewhere a backslash begins another folder.
fn in_one_part(name: &str) -> String {
    name.replace('\\', "_")
}

/// What the readers of one source share.
struct Hashing {
    hasher: Hasher,
    source: Blob,
    layout: Layout,
    /// The next piece that nobody reads yet.
    next: Cell<u32>,
    done: Cell<u32>,
    hashes: RefCell<Vec<u8>>,
    progress: Rc<Cell<f64>>,
    stop: Rc<Cell<bool>>,
}

/// The hashes of all pieces. Unfinished when `stop` is set; sets it when it fails.
async fn hash_all(
    hasher: &Hasher,
    source: &Blob,
    layout: Layout,
    progress: Rc<Cell<f64>>,
    stop: Rc<Cell<bool>>,
) -> Result<Vec<u8>, String> {
    let per_stretch = (STRETCH / layout.piece_length()).max(1);
    let readers = (IN_FLIGHT / (per_stretch * layout.piece_length())).clamp(1, 6);
    let hashing = Rc::new(Hashing {
        hasher: hasher.clone(),
        source: source.clone(),
        layout,
        next: Cell::new(0),
        done: Cell::new(0),
        hashes: RefCell::new(vec![0; layout.piece_count() as usize * 20]),
        progress,
        stop,
    });
    let readers: Vec<_> = (0..readers)
        .map(|_| {
            let (done, result) = oneshot::channel();
            let hashing = Rc::clone(&hashing);
            spawn_local(async move {
                let _ = done.send(hashing.read_on(per_stretch).await);
            });
            result
        })
        .collect();
    let mut result = Ok(());
    for reader in readers {
        let read = reader.await.expect("a reader ends with a result");
        result = result.and(read);
    }
    result.map_err(|error| store_error(&error).to_string())?;
    Ok(hashing.hashes.take())
}

impl Hashing {
    /// Reads and hashes stretches of pieces until there are no more.
    async fn read_on(&self, per_stretch: u32) -> Result<(), JsValue> {
        while !self.stop.get() {
            let first = self.next.get();
            self.next.set(first.saturating_add(per_stretch));
            let stretch: Vec<PieceIndex> = (first..first.saturating_add(per_stretch))
                .map_while(|index| self.layout.piece(index))
                .collect();
            let (Some(first), Some(last)) = (stretch.first(), stretch.last()) else {
                break;
            };
            let start = self.layout.offset(*first);
            let end = self.layout.offset(*last) + u64::from(self.layout.length(*last));
            if let Err(error) = self.hash(&stretch, start, end).await {
                // The other readers' work would be for nothing.
                self.next.set(self.layout.piece_count());
                return Err(error);
            }
        }
        Ok(())
    }

    async fn hash(&self, stretch: &[PieceIndex], start: u64, end: u64) -> Result<(), JsValue> {
        let buffer = read_blob(&slice(&self.source, start, end)?).await?;
        let bytes = Uint8Array::new(&buffer);
        for piece in stretch {
            let from =
                u32::try_from(self.layout.offset(*piece) - start).expect("a stretch is short");
            let part = bytes.subarray(from, from + self.layout.length(*piece));
            let digest = self.hasher.hash(&part).await;
            self.hashes.borrow_mut()[piece.as_usize() * 20..][..20].copy_from_slice(&digest);
            self.done.set(self.done.get() + 1);
            self.progress
                .set(f64::from(self.done.get()) / f64::from(self.layout.piece_count()));
        }
        Ok(())
    }
}
