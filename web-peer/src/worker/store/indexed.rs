//! The store in IndexedDB.
//!
//! Straight on `web-sys`: the few calls needed here are shorter than a wrapper's weight
//! in the page, and keep the browser's own exceptions, whose names tell a full disk from
//! a broken one.
//!
//! Durability is left at the browser's default: what is complete survives a reload and a
//! crash of the browser. A power cut may undo the last transactions as a whole, pieces
//! and keys alike, and those pieces are downloaded again.

use std::cell::RefCell;
use std::future::Future;
use std::ops::Range;
use std::rc::Rc;
use std::time::Duration;

use js_sys::{Array, ArrayBuffer, Function, Promise, Uint8Array};
use swarm_core::engine::StoreError;
use swarm_core::id::InfoHash;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Blob, IdbDatabase, IdbObjectStore, IdbOpenDbRequest, IdbRequest, IdbTransaction,
    IdbTransactionMode, IdbVersionChangeEvent,
};

use super::schema::{self, PIECES, PLACES, Record, SOURCES, STRETCHES, TORRENTS};
use super::{Key, Place, Stretch};
use crate::worker::js::{pause, scope, store_error};

/// Whom to tell that the browser closed the database, as it does when a person clears its
/// storage.
type OnClosed = Rc<RefCell<Option<Box<dyn Fn()>>>>;

/// How long to wait before a database that the browser closed is tried again. Milliseconds.
const RETRIES: [u64; 5] = [100, 200, 400, 800, 1600];

/// An open database.
pub(super) struct Indexed {
    name: String,
    database: RefCell<IdbDatabase>,
    on_closed: OnClosed,
}

impl std::fmt::Debug for Indexed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Indexed").field(&self.name).finish()
    }
}

impl Indexed {
    pub(super) async fn open(name: &str) -> Result<Self, StoreError> {
        let on_closed = OnClosed::default();
        let database = open(name, &on_closed).await?;
        Ok(Indexed {
            name: name.to_owned(),
            database: RefCell::new(database),
            on_closed,
        })
    }

    /// Calls back when the browser has closed the database.
    pub(super) fn on_closed(&self, callback: Box<dyn Fn()>) {
        self.on_closed.replace(Some(callback));
    }

    /// Opens it anew; what was in it may be gone.
    pub(super) async fn reopen(&self) -> Result<(), StoreError> {
        let mut tries = RETRIES.iter();
        let database = loop {
            match (open(&self.name, &self.on_closed).await, tries.next()) {
                (Ok(database), _) => break database,
                // It may still be busy with clearing.
                (Err(_), Some(delay)) => pause(Duration::from_millis(*delay)).await,
                (Err(error), None) => return Err(error),
            }
        };
        // Somebody else may have been faster; what is under way there comes to its end.
        self.database.replace(database).close();
        Ok(())
    }

    /// As a browser does that clears it.
    #[cfg(test)]
    pub(super) fn close(&self) {
        self.database.borrow().close();
    }

    pub(super) async fn write(&self, batch: &[(Place, Uint8Array)]) -> Result<(), StoreError> {
        // No more stores than are needed, so that whoever reads another does not wait.
        let has = |store| batch.iter().any(|(place, _)| place.store() == store);
        let stores = [PIECES, STRETCHES].into_iter().filter(|store| has(*store));
        let stores: Vec<&str> = stores.collect();
        let written = self.change(&stores, |transaction| {
            for (place, data) in batch {
                let store = transaction.object_store(place.store())?;
                let key = match *place {
                    Place::Piece(key) => schema::piece_key(key),
                    Place::Stretch(key, begin) => {
                        // What an earlier try left, which may have been cut in other places.
                        let bytes = begin..begin + data.length();
                        let range = schema::stretch_range(key, bytes)?;
                        store.delete(&range)?;
                        schema::stretch_key(key, begin)
                    }
                };
                store.put_with_key(&data.buffer(), &key)?;
            }
            Ok(())
        });
        complete(written).await
    }

    pub(super) async fn stretches(
        &self,
        key: Key,
        bytes: Range<u32>,
    ) -> Result<Vec<Stretch>, StoreError> {
        let range = schema::stretch_range(key, bytes).map_err(|error| store_error(&error))?;
        let (begins, stretches) = match self.readable(STRETCHES) {
            // Both are asked before the first is awaited, or the transaction would end.
            Ok(store) => (
                answer(store.get_all_keys_with_key(&range)),
                answer(store.get_all_with_key(&range)),
            ),
            Err(error) => return Err(store_error(&error)),
        };
        let begins = begins.await?.unchecked_into::<Array>();
        let stretches = stretches.await?.unchecked_into::<Array>();
        let found = begins.iter().zip(stretches.iter());
        let found = found.filter_map(|(key, data)| {
            let begin = schema::begin_of_key(&key)?;
            Some((begin, data.dyn_into::<ArrayBuffer>().ok()?))
        });
        Ok(found.collect())
    }

    pub(super) async fn confirm(&self, key: Key) -> Result<(), StoreError> {
        complete(self.put(PIECES, &schema::piece_key(key), &JsValue::TRUE)).await
    }

    pub(super) async fn forget_stretches(
        &self,
        info_hash: InfoHash,
        ranges: &[(u32, Option<u32>)],
    ) -> Result<(), StoreError> {
        let forgotten = self.change(&[STRETCHES], |transaction| {
            let store = transaction.object_store(STRETCHES)?;
            for (first, end) in ranges {
                let range = schema::stretches_of(info_hash, *first, *end)?;
                store.delete(&range)?;
            }
            Ok(())
        });
        complete(forgotten).await
    }

    pub(super) async fn read(&self, keys: &[Key]) -> Vec<Result<ArrayBuffer, StoreError>> {
        // All are asked before the first is awaited, or the transaction would end.
        let requests: Vec<_> = match self.readable(PIECES) {
            Ok(store) => keys
                .iter()
                .map(|key| answer(store.get(&schema::piece_key(*key))))
                .collect(),
            Err(error) => return keys.iter().map(|_| Err(store_error(&error))).collect(),
        };
        let mut results = Vec::with_capacity(keys.len());
        for request in requests {
            let piece = request.await;
            results.push(piece.and_then(|piece| piece.dyn_into().map_err(|_| StoreError::Missing)));
        }
        results
    }

    pub(super) async fn pieces(&self, info_hash: InfoHash) -> Result<Vec<u32>, StoreError> {
        let range = schema::piece_range(info_hash).map_err(|error| store_error(&error))?;
        let store = self.readable(PIECES);
        let keys = answer(store.and_then(|store| store.get_all_keys_with_key(&range))).await?;
        let keys = keys.unchecked_into::<Array>();
        Ok(keys
            .iter()
            .filter_map(|key| schema::piece_of_key(&key))
            .collect())
    }

    pub(super) async fn put_record(&self, record: &Record) -> Result<(), StoreError> {
        let key = schema::torrent_key(record.info_hash);
        complete(self.put(TORRENTS, &key, &record.encode())).await
    }

    pub(super) async fn records(&self) -> Result<Vec<Record>, StoreError> {
        let store = self.readable(TORRENTS);
        let records = answer(store.and_then(|store| store.get_all())).await?;
        let records = records.unchecked_into::<Array>();
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
        complete(self.put(SOURCES, &schema::torrent_key(info_hash), source)).await
    }

    pub(super) async fn source(&self, info_hash: InfoHash) -> Result<Option<Blob>, StoreError> {
        let store = self.readable(SOURCES);
        let key = schema::torrent_key(info_hash);
        let source = answer(store.and_then(|store| store.get(&key))).await?;
        Ok(source.dyn_into().ok())
    }

    pub(super) async fn remove(&self, info_hash: InfoHash) -> Result<(), StoreError> {
        // All in one, or a torrent that is added again at once could lose new pieces.
        let removed = self.change(
            &[TORRENTS, SOURCES, PIECES, STRETCHES, PLACES],
            |transaction| {
                let key = schema::torrent_key(info_hash);
                let pieces = schema::piece_range(info_hash)?;
                transaction.object_store(TORRENTS)?.delete(&key)?;
                transaction.object_store(SOURCES)?.delete(&key)?;
                transaction.object_store(PIECES)?.delete(&pieces)?;
                transaction.object_store(STRETCHES)?.delete(&pieces)?;
                transaction.object_store(PLACES)?.delete(&pieces)?;
                Ok(())
            },
        );
        complete(removed).await
    }

    fn put(&self, store: &str, key: &JsValue, value: &JsValue) -> Result<IdbTransaction, JsValue> {
        self.change(&[store], |transaction| {
            let store = transaction.object_store(store)?;
            store.put_with_key(value, key).map(|_| ())
        })
    }

    pub(super) fn readable(&self, store: &str) -> Result<IdbObjectStore, JsValue> {
        self.database
            .borrow()
            .transaction_with_str(store)?
            .object_store(store)
    }

    /// Begins a transaction that writes; it is undone as a whole if a request fails.
    pub(super) fn change(
        &self,
        stores: &[&str],
        requests: impl FnOnce(&IdbTransaction) -> Result<(), JsValue>,
    ) -> Result<IdbTransaction, JsValue> {
        let stores: Array = stores
            .iter()
            .map(|store| JsValue::from_str(store))
            .collect();
        let mode = IdbTransactionMode::Readwrite;
        let begun = self
            .database
            .borrow()
            .transaction_with_str_sequence_and_mode(&stores, mode);
        begun.and_then(|transaction| {
            let requested = requests(&transaction);
            if requested.is_err() {
                // It has ended already if the browser found this out before we did.
                let _ = transaction.abort();
            }
            requested.map(|()| transaction)
        })
    }
}

impl Place {
    fn store(&self) -> &'static str {
        match self {
            Place::Piece(_) => PIECES,
            Place::Stretch(..) => STRETCHES,
        }
    }
}

async fn open(name: &str, on_closed: &OnClosed) -> Result<IdbDatabase, StoreError> {
    let factory = scope().indexed_db().map_err(|error| store_error(&error))?;
    let factory =
        factory.ok_or_else(|| StoreError::Failed("this browser has no IndexedDB here".into()))?;
    let open = factory
        .open_with_u32(name, schema::VERSION)
        .map_err(|error| store_error(&error))?;

    let request: IdbOpenDbRequest = open.clone();
    let upgrade =
        Closure::<dyn FnMut(IdbVersionChangeEvent)>::new(move |event: IdbVersionChangeEvent| {
            if let Ok(database) = request.result()
                && let Err(error) =
                    schema::migrate(database.unchecked_ref(), event.old_version() as u32)
            {
                web_sys::console::error_2(&"the database could not be upgraded".into(), &error);
            }
        });
    open.set_onupgradeneeded(Some(upgrade.as_ref().unchecked_ref()));
    let database = answer(Ok(open.clone().into())).await?;
    let database: IdbDatabase = database.unchecked_into();
    let on_closed = Rc::clone(on_closed);
    let listener = Closure::<dyn FnMut()>::new(move || {
        if let Some(callback) = &*on_closed.borrow() {
            callback();
        }
    });
    database
        .add_event_listener_with_callback("close", listener.as_ref().unchecked_ref())
        .map_err(|error| store_error(&error))?;
    // A tab has one database, and seldom another.
    listener.forget();
    Ok(database)
}

/// The end of a transaction: only then is anything kept.
pub(super) async fn complete(
    transaction: Result<IdbTransaction, JsValue>,
) -> Result<(), StoreError> {
    let transaction = transaction.map_err(|error| store_error(&error))?;
    let complete = Promise::new(&mut |resolve: Function, reject: Function| {
        transaction.set_oncomplete(Some(&resolve));
        transaction.set_onabort(Some(&reject));
    });
    match JsFuture::from(complete).await {
        Ok(_) => Ok(()),
        Err(_) => Err(match transaction.error() {
            Some(error) => store_error(&error),
            None => StoreError::Failed("the browser gave up the transaction".into()),
        }),
    }
}

/// A request's result. Listens from now on, not from the first poll.
pub(super) fn answer(
    request: Result<IdbRequest, JsValue>,
) -> impl Future<Output = Result<JsValue, StoreError>> + use<> {
    let request = request.map(|request| {
        let settled = Promise::new(&mut |resolve: Function, reject: Function| {
            request.set_onsuccess(Some(&resolve));
            request.set_onerror(Some(&reject));
        });
        (request, settled)
    });
    async move {
        let (request, settled) = request.map_err(|error| store_error(&error))?;
        let result = match JsFuture::from(settled).await {
            Ok(_) => request.result(),
            Err(event) => Err(request.error().ok().flatten().map_or(event, JsValue::from)),
        };
        result.map_err(|error| store_error(&error))
    }
}
