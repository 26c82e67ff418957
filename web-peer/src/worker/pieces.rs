//! Whole pieces out of the store.

use js_sys::{ArrayBuffer, Uint8Array};
use swarm_core::engine::StoreError;
use swarm_core::metainfo::Metainfo;
use swarm_core::pieces::PieceIndex;

use super::sha1::Hasher;
use super::store::Store;

/// A piece, with or without the padding at its end, in the browser's memory. It is compared with
/// its hash where the store can't answer for it.
pub(super) async fn read_piece(
    store: &Store,
    hasher: &Hasher,
    metainfo: &Metainfo,
    piece: PieceIndex,
) -> Result<ArrayBuffer, StoreError> {
    let key = (metainfo.info_hash(), piece.get());
    let buffer = store.read(key).await?;
    let length = metainfo.layout().length(piece);
    let has_length = [metainfo.kept_length(piece), length].contains(&buffer.byte_length());
    if has_length && store.is_proven(key) {
        return Ok(buffer);
    }
    let is_right = has_length && {
        let mut bytes = Uint8Array::new(&buffer);
        if bytes.length() < length {
            let whole = Uint8Array::new_with_length(length);
            whole.set(&bytes, 0);
            bytes = whole;
        }
        hasher.hash(&bytes).await == metainfo.piece_hash(piece)
    };
    store.prove(key, is_right).await?;
    match is_right {
        true => Ok(buffer),
        false => Err(StoreError::Unreadable(format!(
            "what the browser kept of piece {} is not what was written",
            piece.get()
        ))),
    }
}
