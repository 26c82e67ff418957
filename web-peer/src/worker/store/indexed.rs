//! The store in IndexedDB.
//!
//! Straight on `web-sys`: the few calls needed here are shorter than a wrapper's weight
//! in the page, and keep the browser's own exceptions, whose names tell a full disk from
//! a broken one.

use std::future::Future;

use js_sys::{Array, ArrayBuffer, Function, Promise, Uint8Array};
use swarm_core::engine::StoreError;
use swarm_core::id::InfoHash;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Blob, IdbDatabase, IdbObjectStore, IdbOpenDbRequest, IdbRequest, IdbTransaction,
    IdbTransactionMode as Mode, IdbVersionChangeEvent,
};

use super::Key;
use super::schema::{self, PIECES, Record, SOURCES, TORRENTS};
use crate::worker::js::{scope, store_error};

/// An open database.
#[derive(Debug)]
pub(super) struct Indexed(IdbDatabase);

impl Indexed {
    pub(super) async fn open(name: &str) -> Result<Self, StoreError> {
        let factory = scope().indexed_db().map_err(|error| store_error(&error))?;
        let factory = factory
            .ok_or_else(|| StoreError::Failed("this browser has no IndexedDB here".into()))?;
        let open = factory
            .open_with_u32(name, schema::VERSION)
            .map_err(|error| store_error(&error))?;

        let request: IdbOpenDbRequest = open.clone();
        let upgrade = Closure::<dyn FnMut(IdbVersionChangeEvent)>::new(
            move |event: IdbVersionChangeEvent| {
                if let Ok(database) = request.result()
                    && let Err(error) =
                        schema::migrate(database.unchecked_ref(), event.old_version() as u32)
                {
                    web_sys::console::error_2(&"the database could not be upgraded".into(), &error);
                }
            },
        );
        open.set_onupgradeneeded(Some(upgrade.as_ref().unchecked_ref()));
        let database = finished(&open).await?;
        Ok(Indexed(database.unchecked_into()))
    }

    pub(super) async fn write(&self, pieces: &[(Key, Uint8Array)]) -> Result<(), StoreError> {
        self.change(PIECES, |store| {
            for (key, data) in pieces {
                store.put_with_key(&data.buffer(), &schema::piece_key(*key))?;
            }
            Ok(())
        })
        .await
    }

    pub(super) async fn read(&self, keys: &[Key]) -> Vec<Result<ArrayBuffer, StoreError>> {
        let requests: Vec<_> = match self.store(PIECES, Mode::Readonly) {
            // All are asked before the first is awaited, or the transaction would end.
            Ok((_, store)) => keys
                .iter()
                .map(|key| ask(store.get(&schema::piece_key(*key))))
                .collect(),
            Err(error) => return keys.iter().map(|_| Err(store_error(&error))).collect(),
        };
        let mut results = Vec::with_capacity(keys.len());
        for request in requests {
            let piece = match request {
                Ok(answer) => answer.await,
                Err(error) => Err(error),
            };
            results.push(piece.and_then(|piece| piece.dyn_into().map_err(|_| StoreError::Missing)));
        }
        results
    }

    pub(super) async fn pieces(&self, info_hash: InfoHash) -> Result<Vec<u32>, StoreError> {
        let keys = self
            .get(PIECES, |store| {
                store.get_all_keys_with_key(schema::piece_range(info_hash)?.as_ref())
            })
            .await?;
        let keys: Array = keys.unchecked_into();
        Ok(keys
            .iter()
            .filter_map(|key| schema::piece_of_key(&key))
            .collect())
    }

    pub(super) async fn put_record(&self, record: &Record) -> Result<(), StoreError> {
        let key = schema::torrent_key(record.info_hash);
        self.change(TORRENTS, |store| {
            store.put_with_key(&record.encode(), &key).map(|_| ())
        })
        .await
    }

    pub(super) async fn records(&self) -> Result<Vec<Record>, StoreError> {
        let records: Array = self
            .get(TORRENTS, IdbObjectStore::get_all)
            .await?
            .unchecked_into();
        records
            .iter()
            .map(|record| Record::decode(&record))
            .collect()
    }

    pub(super) async fn put_source(
        &self,
        info_hash: InfoHash,
        source: &Blob,
    ) -> Result<(), StoreError> {
        let key = schema::torrent_key(info_hash);
        self.change(SOURCES, |store| {
            store.put_with_key(source, &key).map(|_| ())
        })
        .await
    }

    pub(super) async fn source(&self, info_hash: InfoHash) -> Result<Option<Blob>, StoreError> {
        let source = self
            .get(SOURCES, |store| store.get(&schema::torrent_key(info_hash)))
            .await?;
        Ok(source.dyn_into().ok())
    }

    pub(super) async fn remove(&self, info_hash: InfoHash) -> Result<(), StoreError> {
        let key = schema::torrent_key(info_hash);
        // The record goes first: without it nothing else would be found again.
        self.change(TORRENTS, |store| store.delete(&key).map(|_| ()))
            .await?;
        self.change(SOURCES, |store| store.delete(&key).map(|_| ()))
            .await?;
        self.change(PIECES, |store| {
            store
                .delete(schema::piece_range(info_hash)?.as_ref())
                .map(|_| ())
        })
        .await
    }

    fn store(&self, name: &str, mode: Mode) -> Result<(IdbTransaction, IdbObjectStore), JsValue> {
        let transaction = self.0.transaction_with_str_and_mode(name, mode)?;
        let store = transaction.object_store(name)?;
        Ok((transaction, store))
    }

    /// One request, and its answer.
    async fn get(
        &self,
        name: &str,
        request: impl FnOnce(&IdbObjectStore) -> Result<IdbRequest, JsValue>,
    ) -> Result<JsValue, StoreError> {
        let answer = self
            .store(name, Mode::Readonly)
            .and_then(|(_, store)| request(&store));
        ask(answer)?.await
    }

    /// A transaction that writes; returns once it is complete, or undone as a whole.
    async fn change(
        &self,
        name: &str,
        requests: impl FnOnce(&IdbObjectStore) -> Result<(), JsValue>,
    ) -> Result<(), StoreError> {
        let (transaction, store) = self
            .store(name, Mode::Readwrite)
            .map_err(|error| store_error(&error))?;
        if let Err(error) = requests(&store) {
            // It has ended already if the browser found this out before we did.
            let _ = transaction.abort();
            return Err(store_error(&error));
        }
        let complete = Promise::new(&mut |resolve: Function, reject: Function| {
            transaction.set_oncomplete(Some(&resolve));
            transaction.set_onabort(Some(&reject));
        });
        JsFuture::from(complete)
            .await
            .map(|_| ())
            .map_err(|_| match transaction.error() {
                Some(error) => store_error(&error),
                None => StoreError::Failed("the browser gave up the transaction".into()),
            })
    }
}

fn ask(
    request: Result<IdbRequest, JsValue>,
) -> Result<impl Future<Output = Result<JsValue, StoreError>> + use<>, StoreError> {
    request
        .map(|request| finished(&request))
        .map_err(|error| store_error(&error))
}

/// A request's result. Listens from now on, not from the first poll.
fn finished(request: &IdbRequest) -> impl Future<Output = Result<JsValue, StoreError>> + use<> {
    let answer = Promise::new(&mut |resolve: Function, reject: Function| {
        request.set_onsuccess(Some(&resolve));
        request.set_onerror(Some(&reject));
    });
    let request = request.clone();
    async move {
        let result = match JsFuture::from(answer).await {
            Ok(_) => request.result(),
            Err(event) => Err(request.error().ok().flatten().map_or(event, JsValue::from)),
        };
        result.map_err(|error| store_error(&error))
    }
}
