//! A folder of the origin private file system.
//!
//! It is there in secure contexts only, and not in every private window; files that can be
//! read and written without waiting are there in dedicated workers only.

use std::cell::RefCell;
use std::time::Duration;

use js_sys::{IteratorNext, Reflect};
use swarm_core::engine::StoreError;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    FileSystemDirectoryHandle, FileSystemFileHandle, FileSystemGetDirectoryOptions,
    FileSystemGetFileOptions, FileSystemSyncAccessHandle,
};

use crate::worker::js::{message_of, name_of, pause, scope, store_error};

/// How long to wait before a file is tried again that somebody has open, milliseconds. When a
/// worker ends, the browser frees its lock on the slot and its files in no certain order, and
/// tells nobody about the files.
const RETRIES: [u64; 7] = [5, 20, 50, 100, 200, 400, 800];

/// Opened and removed to find out whether that is possible.
const TRIAL: &str = "trial";

/// See the module.
#[derive(Debug)]
pub(super) struct Folder {
    name: String,
    handle: RefCell<FileSystemDirectoryHandle>,
}

impl Folder {
    /// None where this browser has no such files for us.
    pub(super) async fn open(name: &str) -> Option<Self> {
        let folder = Folder {
            name: name.to_owned(),
            handle: RefCell::new(handle(name).await.ok()?),
        };
        let file = folder.file(TRIAL).await.ok()?;
        // In the browsers that had this first, it is a promise.
        let is_now = file.get_size().is_ok_and(|size| size >= 0.0);
        file.close();
        folder.remove(TRIAL).await;
        is_now.then_some(folder)
    }

    /// Opens it again, should the browser have cleared it.
    pub(super) async fn reopen(&self) -> Result<(), StoreError> {
        let handle = handle(&self.name).await;
        self.handle
            .replace(handle.map_err(|error| file_error(&error))?);
        Ok(())
    }

    /// Opens a file, which is made if there is none, for us alone.
    pub(super) async fn file(&self, name: &str) -> Result<FileSystemSyncAccessHandle, StoreError> {
        let mut retries = RETRIES.iter();
        loop {
            let error = match self.try_file(name).await {
                Ok(file) => return Ok(file),
                Err(error) => error,
            };
            // Somebody has it open, or is just removing it.
            let kind = name_of(&error);
            let passes = ["NoModificationAllowedError", "NotFoundError"].contains(&kind.as_str());
            match retries.next().filter(|_| passes) {
                Some(delay) => pause(Duration::from_millis(*delay)).await,
                None => return Err(file_error(&error)),
            }
        }
    }

    async fn try_file(&self, name: &str) -> Result<FileSystemSyncAccessHandle, JsValue> {
        let options = FileSystemGetFileOptions::new();
        options.set_create(true);
        let found = self
            .handle
            .borrow()
            .get_file_handle_with_options(name, &options);
        let found: FileSystemFileHandle = JsFuture::from(found).await?.unchecked_into();
        if !Reflect::has(&found, &"createSyncAccessHandle".into())? {
            return Err("this browser opens no files in a worker".into());
        }
        let file = JsFuture::from(found.create_sync_access_handle()).await?;
        Ok(file.unchecked_into())
    }

    /// Whether there is a file of this name.
    pub(super) async fn has(&self, name: &str) -> bool {
        let found = self.handle.borrow().get_file_handle(name);
        JsFuture::from(found).await.is_ok()
    }

    /// Removes a file if that is possible now; what stays is found at the next start.
    pub(super) async fn remove(&self, name: &str) {
        let removed = self.handle.borrow().remove_entry(name);
        let _ = JsFuture::from(removed).await;
    }

    /// The names of the files in it.
    pub(super) async fn names(&self) -> Result<Vec<String>, JsValue> {
        let keys = self.handle.borrow().keys();
        let mut names = Vec::new();
        loop {
            let next: IteratorNext = JsFuture::from(keys.next()?).await?.unchecked_into();
            if next.done() {
                return Ok(names);
            }
            names.extend(next.value().as_string());
        }
    }
}

/// What an exception means to the engine.
pub(super) fn file_error(error: &JsValue) -> StoreError {
    match store_error(error) {
        // It speaks of files that somebody shares.
        StoreError::Unreadable(_) => StoreError::Failed(message_of(error)),
        other => other,
    }
}

async fn handle(name: &str) -> Result<FileSystemDirectoryHandle, JsValue> {
    let storage = Reflect::get(&scope().navigator(), &"storage".into())?;
    if !storage.is_object() || !Reflect::has(&storage, &"getDirectory".into())? {
        return Err("this browser has no files for this page".into());
    }
    let storage: web_sys::StorageManager = storage.unchecked_into();
    let root: FileSystemDirectoryHandle = JsFuture::from(storage.get_directory())
        .await?
        .unchecked_into();
    let options = FileSystemGetDirectoryOptions::new();
    options.set_create(true);
    let folder = root.get_directory_handle_with_options(name, &options);
    JsFuture::from(folder).await.map(JsCast::unchecked_into)
}
