//! Files that a person shares, wherever they are: read, never written.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::time::SystemTime;

use bytes::Bytes;
use swarm_core::engine::StoreError;
use swarm_core::pieces::{Layout, PieceIndex};

use super::Store;
use crate::text::shown;

/// See the module.
#[derive(Debug)]
pub struct SharedFiles {
    layout: Layout,
    files: Vec<SharedFile>,
}

#[derive(Debug)]
struct SharedFile {
    path: PathBuf,
    /// Its first byte within the torrent.
    offset: u64,
    length: u64,
    modified: Option<SystemTime>,
}

impl SharedFiles {
    /// These files, in the order in which the torrent has them, with the length and time of
    /// modification that they had when they were found.
    pub fn new(
        layout: Layout,
        files: impl IntoIterator<Item = (PathBuf, u64, Option<SystemTime>)>,
    ) -> Self {
        let mut end = 0;
        let files = files.into_iter().map(|(path, length, modified)| {
            let offset = end;
            end += length;
            SharedFile {
                path,
                offset,
                length,
                modified,
            }
        });
        SharedFiles {
            layout,
            files: files.collect(),
        }
    }

    /// How the files are cut into pieces.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The files that `offset..end` of the torrent touches, empty ones left out.
    fn overlapping(&self, offset: u64, end: u64) -> impl Iterator<Item = &SharedFile> {
        let first = self
            .files
            .partition_point(|f| f.offset + f.length <= offset);
        self.files[first..]
            .iter()
            .take_while(move |f| f.offset < end)
            .filter(|f| f.length > 0)
    }
}

impl Store for SharedFiles {
    fn read(&self, piece: PieceIndex) -> Result<Bytes, StoreError> {
        let start = self.layout.offset(piece);
        let length = self.layout.length(piece);
        let end = start + u64::from(length);
        let mut buffer = Vec::with_capacity(length as usize);
        for file in self.overlapping(start, end) {
            let from = start.max(file.offset);
            let to = end.min(file.offset + file.length);
            file.read(from - file.offset, to - from, &mut buffer)
                .map_err(|error| {
                    StoreError::Unreadable(format!("{}: {error}", shown(&file.path)))
                })?;
        }
        Ok(buffer.into())
    }

    fn write(&self, _piece: PieceIndex, _data: &[u8]) -> Result<(), StoreError> {
        Err(StoreError::Failed(
            "files that are shared are never written to".to_owned(),
        ))
    }

    fn finish(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

impl SharedFile {
    /// Appends `length` bytes from `offset` to `buffer`. A file that is not what it was
    /// is refused: peers would take its bytes for an attack.
    fn read(&self, offset: u64, length: u64, buffer: &mut Vec<u8>) -> io::Result<()> {
        let mut file = File::open(&self.path)?;
        let now = file.metadata()?;
        if now.len() != self.length || now.modified().ok() != self.modified {
            return Err(io::Error::other("it changed since it was hashed"));
        }
        file.seek(SeekFrom::Start(offset))?;
        if file.take(length).read_to_end(buffer)? as u64 != length {
            return Err(io::Error::other("it became shorter"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;
    use crate::store::conformance::PIECE;

    fn shared(folder: &Path, files: &[(&str, &[u8])]) -> SharedFiles {
        let total = files.iter().map(|(_, bytes)| bytes.len() as u64).sum();
        let places = files.iter().map(|(name, bytes)| {
            let path = folder.join(name);
            fs::write(&path, bytes).unwrap();
            let modified = fs::metadata(&path).unwrap().modified().ok();
            (path, bytes.len() as u64, modified)
        });
        SharedFiles::new(
            Layout::new(total, PIECE).unwrap(),
            places.collect::<Vec<_>>(),
        )
    }

    #[test]
    fn pieces_go_across_files() {
        let folder = tempfile::tempdir().unwrap();
        let long: Vec<u8> = (0..PIECE * 2 + 9).map(|i| (i % 253) as u8).collect();
        let files = shared(
            folder.path(),
            &[
                ("0", b""),
                ("1", &long),
                ("2", b""),
                ("3", b"x"),
                ("4", b"yz"),
                ("5", b""),
            ],
        );
        let read: Vec<u8> = files
            .layout()
            .pieces()
            .flat_map(|p| files.read(p).unwrap())
            .collect();
        assert_eq!(read, [&long[..], b"xyz"].concat());
    }

    #[test]
    fn a_file_that_changed_or_vanished_is_told_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let files = shared(folder.path(), &[("a", b"1234"), ("b", b"5678")]);
        let piece = files.layout().piece(0).unwrap();
        fs::write(folder.path().join("b"), b"56789").unwrap();
        let Err(StoreError::Unreadable(reason)) = files.read(piece) else {
            panic!("it changed")
        };
        assert!(
            reason.contains('b') && reason.contains("changed since it was hashed"),
            "{reason}"
        );
        fs::remove_file(folder.path().join("b")).unwrap();
        assert!(matches!(files.read(piece), Err(StoreError::Unreadable(_))));
    }
}
