//! The file of a torrent's pieces.

use std::cell::{Cell, RefCell};

use js_sys::{ArrayBuffer, Uint8Array};
use swarm_core::engine::StoreError;
use wasm_bindgen::JsValue;
use web_sys::{FileSystemReadWriteOptions, FileSystemSyncAccessHandle};

use super::super::schema::Extent;
use super::folder::file_error;
use super::index::{Entry, Index, Spot};
use crate::worker::js::message_of;

/// See the module. It is closed when it is dropped, if not before.
#[derive(Debug)]
pub(super) struct PieceFile {
    handle: FileSystemSyncAccessHandle,
    pub(super) index: RefCell<Index>,
    /// Nothing was written behind this byte.
    length: Cell<u64>,
    closed: Cell<bool>,
    /// The torrent was removed.
    removed: Cell<bool>,
    /// Pieces that were kept and are not there any more, until somebody is told.
    pub(super) lost: Cell<u32>,
}

impl PieceFile {
    /// Takes up what was `kept` in an earlier session, and returns what of it is gone: the
    /// browser or somebody else shortened the file, or made it anew.
    pub(super) fn new(
        handle: FileSystemSyncAccessHandle,
        kept: Vec<(Spot, Option<Extent>)>,
    ) -> Result<(Self, Vec<Spot>), StoreError> {
        let length = handle.get_size().map_err(|error| file_error(&error))? as u64;
        let mut gone = Vec::new();
        let here = kept.into_iter().filter_map(|(spot, extent)| {
            let here = extent.filter(|extent| extent.end() <= length);
            if here.is_none() {
                gone.push(spot);
            }
            Some((spot, here?))
        });
        let index = Index::new(here);
        let mut lost: Vec<u32> = gone.iter().map(|(piece, _)| *piece).collect();
        lost.dedup();
        let file = PieceFile {
            handle,
            index: RefCell::new(index),
            length: Cell::new(length),
            closed: Cell::new(false),
            removed: Cell::new(false),
            lost: Cell::new(lost.len() as u32),
        };
        file.shorten();
        Ok((file, gone))
    }

    /// Writes bytes to where nothing is kept.
    pub(super) fn write(&self, data: &Uint8Array) -> Result<Extent, StoreError> {
        let extent = self.index.borrow_mut().allocate(data.length());
        let options = at(extent);
        let written = self
            .handle
            .write_with_js_u8_array_and_options(data, &options);
        self.length.set(self.length.get().max(extent.end()));
        let error = match written {
            Ok(bytes) if bytes == f64::from(extent.length) => return Ok(extent),
            Ok(_) => StoreError::Full("the browser wrote less than it was given".into()),
            Err(error) => file_error(&error),
        };
        self.release(extent);
        Err(error)
    }

    /// What was written there is not kept after all.
    pub(super) fn release(&self, extent: Extent) {
        self.index.borrow_mut().release(extent);
        self.shorten();
    }

    /// What was written there is kept from now on, in place of what was.
    pub(super) fn insert(&self, (piece, begin): Spot, extent: Extent) {
        if let Some(begin) = begin {
            let end = begin.saturating_add(extent.length);
            self.forget(|entry| {
                entry.spot.0 == piece && entry.spot.1.is_some_and(|at| at >= begin && at < end)
            });
        }
        self.index.borrow_mut().insert((piece, begin), extent);
        self.shorten();
    }

    /// Forgets some of what is kept.
    pub(super) fn forget(&self, which: impl Fn(&Entry) -> bool) {
        self.index.borrow_mut().forget(which);
        self.shorten();
    }

    pub(super) fn read(&self, extent: Extent) -> Result<ArrayBuffer, StoreError> {
        let bytes = Uint8Array::new_with_length(extent.length);
        let options = at(extent);
        let read = self
            .handle
            .read_with_js_u8_array_and_options(&bytes, &options);
        match read {
            Ok(read) if read == f64::from(extent.length) => Ok(bytes.buffer()),
            Ok(_) => Err(StoreError::Missing),
            Err(error) => Err(unreadable(&error)),
        }
    }

    /// Waits until everything that was written would survive a power cut.
    pub(super) fn flush(&self) -> Result<(), StoreError> {
        self.handle.flush().map_err(|error| file_error(&error))
    }

    /// The torrent is removed: what is being written to it is not wanted.
    pub(super) fn remove(&self) {
        self.removed.set(true);
        // Whoever opens it again before it is gone finds it empty.
        let _ = self.handle.truncate_with_u32(0);
        self.close();
    }

    pub(super) fn is_removed(&self) -> bool {
        self.removed.get()
    }

    pub(super) fn close(&self) {
        if !self.closed.replace(true) {
            self.handle.close();
        }
    }

    /// The browser has cleared it: Chromium would not come back from closing it, and closes
    /// it when it collects its garbage.
    pub(super) fn abandon(&self) {
        self.closed.set(true);
    }

    /// Frees what is behind everything that is kept. What could not be freed is used again.
    fn shorten(&self) {
        let end = self.index.borrow().end();
        if end < self.length.get() && self.handle.truncate_with_f64(end as f64).is_ok() {
            self.length.set(end);
        }
    }
}

impl Drop for PieceFile {
    fn drop(&mut self) {
        self.close();
    }
}

fn at(extent: Extent) -> FileSystemReadWriteOptions {
    let options = FileSystemReadWriteOptions::new();
    options.set_at(extent.at as f64);
    options
}

fn unreadable(error: &JsValue) -> StoreError {
    StoreError::Unreadable(format!(
        "the browser does not read its storage: {}",
        message_of(error)
    ))
}
