//! Where the bytes of a save go.

use js_sys::{Array, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, FileSystemFileHandle, FileSystemWritableFileStream, WritableStream};

use super::SaveError;
use crate::worker::js::concat;
use crate::worker::line::Line;

/// See the module.
#[derive(Debug)]
pub(super) enum Sink {
    Nowhere,
    /// To the browser, which moves blobs to the disk when it sees fit. What it gets in the end is
    /// their concatenation, of which nobody ever holds the bytes.
    Blobs(Vec<Blob>),
    /// To a file on the disk, which is there once it is complete.
    File(FileSystemWritableFileStream),
    /// To a download, as fast as it takes them.
    Line(Line),
}

impl Sink {
    /// Begins to write a file anew.
    pub(super) async fn open(file: &FileSystemFileHandle) -> Result<Self, SaveError> {
        let stream = JsFuture::from(file.create_writable()).await?;
        Ok(Sink::File(stream.unchecked_into()))
    }

    pub(super) fn takes_blobs(&self) -> bool {
        !matches!(self, Sink::Line(_))
    }

    /// Takes bytes, and holds them no longer than it takes to write them.
    pub(super) async fn put(&mut self, parts: &[Uint8Array]) -> Result<(), SaveError> {
        match self {
            Sink::Nowhere => {}
            Sink::Blobs(blobs) => blobs.push(Blob::new_with_u8_array_sequence(
                &parts.iter().collect::<Array>(),
            )?),
            Sink::File(file) => {
                for part in parts {
                    JsFuture::from(file.write_with_js_u8_array(part)?).await?;
                }
            }
            Sink::Line(line) => {
                for part in parts.iter().filter(|part| part.length() > 0) {
                    line.asked().await.ok_or(SaveError::Cancelled)?;
                    line.give(part);
                }
            }
        }
        Ok(())
    }

    pub(super) async fn put_blob(&mut self, blob: Blob) -> Result<(), SaveError> {
        match self {
            Sink::Blobs(blobs) => blobs.push(blob),
            Sink::File(file) => {
                JsFuture::from(file.write_with_blob(&blob)?).await?;
            }
            Sink::Nowhere | Sink::Line(_) => {}
        }
        Ok(())
    }

    /// Ends it: nothing is left of what is not complete.
    pub(super) async fn finish(
        self,
        written: Result<(), SaveError>,
    ) -> Result<Option<Blob>, SaveError> {
        match (self, &written) {
            (Sink::Blobs(blobs), Ok(())) => return Ok(Some(concat(&blobs)?)),
            (Sink::File(file), Ok(())) => {
                JsFuture::from(file.unchecked_into::<WritableStream>().close()).await?;
            }
            (Sink::File(file), Err(_)) => {
                // Whatever comes of it, the first failure is what matters.
                let _ = JsFuture::from(file.unchecked_into::<WritableStream>().abort()).await;
            }
            (Sink::Line(line), Err(error)) => {
                // It may be waiting for the next bytes.
                line.refuse(match error {
                    SaveError::Cancelled => "it is not wanted any more",
                    SaveError::Failed(reason) => reason,
                });
            }
            (Sink::Nowhere | Sink::Blobs(_) | Sink::Line(_), _) => {}
        }
        written.map(|()| None)
    }
}

/// Bytes as a blob.
pub(in crate::worker) fn blob_of(bytes: &[u8]) -> Result<Blob, JsValue> {
    Blob::new_with_u8_array_sequence(&Array::of1(&Uint8Array::from(bytes)))
}
