//! The marks in IndexedDB that say what is in the files.

use js_sys::Array;
use swarm_core::engine::StoreError;
use swarm_core::id::InfoHash;
use wasm_bindgen::{JsCast, JsValue};

use super::super::indexed::{Indexed, answer, complete};
use super::super::schema::{self, Extent, PIECES, PLACES, STRETCHES, TORRENTS};
use super::index::Spot;
use crate::worker::js::store_error;

/// Where everything of a torrent was put in its file; no extent for a mark that is not sound.
pub(super) async fn load(
    indexed: &Indexed,
    info_hash: InfoHash,
) -> Result<Vec<(Spot, Option<Extent>)>, StoreError> {
    let range = schema::piece_range(info_hash).map_err(|error| store_error(&error))?;
    let (keys, extents) = match indexed.readable(PLACES) {
        // Both are asked before the first is awaited, or the transaction would end.
        Ok(store) => (
            answer(store.get_all_keys_with_key(&range)),
            answer(store.get_all_with_key(&range)),
        ),
        Err(error) => return Err(store_error(&error)),
    };
    let keys = keys.await?.unchecked_into::<Array>();
    let extents = extents.await?.unchecked_into::<Array>();
    let marks = keys.iter().zip(extents.iter());
    let marks = marks.filter_map(|(key, extent)| {
        let spot = (schema::piece_of_key(&key)?, schema::begin_of_key(&key));
        Some((spot, Extent::decode(&extent)))
    });
    Ok(marks.collect())
}

/// Marks where bytes are that have been written. The transaction begins at once.
pub(super) async fn put(
    indexed: &Indexed,
    written: &[(InfoHash, Spot, Extent)],
) -> Result<(), StoreError> {
    // No more stores than are needed, so that whoever reads another does not wait.
    let has_stretches = written.iter().any(|(_, (_, begin), _)| begin.is_some());
    let stores = match has_stretches {
        true => &[PLACES, STRETCHES][..],
        false => &[PLACES],
    };
    let marked = indexed.change(stores, |transaction| {
        let places = transaction.object_store(PLACES)?;
        for (info_hash, spot, extent) in written {
            let (key, begin) = ((*info_hash, spot.0), spot.1);
            if let Some(begin) = begin {
                // What an earlier try left, which may have been cut in other places.
                let bytes = begin..begin.saturating_add(extent.length);
                let range = schema::stretch_range(key, bytes)?;
                places.delete(&range)?;
                transaction.object_store(STRETCHES)?.delete(&range)?;
            }
            places.put_with_key(&extent.encode(), &place_key(*info_hash, *spot))?;
        }
        Ok(())
    });
    complete(marked).await
}

/// Forgets what is not there any more: pieces, and stretches with the word that their pieces
/// are verified.
pub(super) async fn forget(
    indexed: &Indexed,
    info_hash: InfoHash,
    gone: &[Spot],
) -> Result<(), StoreError> {
    let forgotten = indexed.change(&[PIECES, PLACES], |transaction| {
        let places = transaction.object_store(PLACES)?;
        for spot in gone {
            places.delete(&place_key(info_hash, *spot))?;
            if spot.1.is_some() {
                let key = schema::piece_key((info_hash, spot.0));
                transaction.object_store(PIECES)?.delete(&key)?;
            }
        }
        Ok(())
    });
    complete(forgotten).await
}

/// Forgets stretches, and all that are values from `first` on, up to `end` if there is one.
pub(super) async fn forget_stretches(
    indexed: &Indexed,
    info_hash: InfoHash,
    ranges: &[(u32, Option<u32>)],
    stretches: &[Spot],
) -> Result<(), StoreError> {
    let forgotten = indexed.change(&[STRETCHES, PLACES], |transaction| {
        let values = transaction.object_store(STRETCHES)?;
        for (first, end) in ranges {
            let range = schema::stretches_of(info_hash, *first, *end)?;
            values.delete(&range)?;
        }
        let places = transaction.object_store(PLACES)?;
        for spot in stretches {
            places.delete(&place_key(info_hash, *spot))?;
        }
        Ok(())
    });
    complete(forgotten).await
}

/// The names of the files that belong to torrents.
pub(super) async fn torrents(indexed: &Indexed) -> Result<Array, StoreError> {
    let store = indexed.readable(TORRENTS);
    let keys = answer(store.and_then(|store| store.get_all_keys())).await?;
    Ok(keys.unchecked_into())
}

/// Forgets everything about the pieces of a torrent that is not known.
pub(super) async fn forget_pieces(
    indexed: &Indexed,
    info_hash: InfoHash,
) -> Result<(), StoreError> {
    let stores = [PIECES, STRETCHES, PLACES];
    let forgotten = indexed.change(&stores, |transaction| {
        let range = schema::piece_range(info_hash)?;
        for store in stores {
            transaction.object_store(store)?.delete(&range)?;
        }
        Ok(())
    });
    complete(forgotten).await
}

fn place_key(info_hash: InfoHash, (piece, begin): Spot) -> JsValue {
    let key = (info_hash, piece);
    match begin {
        Some(begin) => schema::stretch_key(key, begin),
        None => schema::piece_key(key),
    }
}
