//! A download folder.
//!
//! Every file is opened anew for every span, part by part from the folder's handle, and
//! no part may be a symbolic link: so nothing that is put into the folder, before or
//! while we write, leads a write outside of it, and two of the torrent's files can't be
//! one. That costs microseconds a piece, and a file that vanishes is noticed.
//!
//! Nothing is flushed to the disk before [`Store::finish`]: after a loss of power, as
//! after any other end, what is there is hashed again before it counts. Holes in files
//! take no room where the file system knows sparse files.

use std::collections::BTreeSet;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use cap_fs_ext::{DirExt, FollowSymlinks, OpenOptionsFollowExt};
use cap_std::fs::{Dir, File, OpenOptions};
use swarm_core::engine::StoreError;
use swarm_core::metainfo::{self, Metainfo, SafePath};
use swarm_core::pieces::PieceIndex;

use super::{Store, store_error};
use crate::text::{plain, shown};

/// See the module.
#[derive(Debug)]
pub struct FileStore {
    root: Dir,
    root_path: PathBuf,
    metainfo: Metainfo,
    begun: bool,
    left_out: BTreeSet<usize>,
}

impl FileStore {
    /// The torrent's files below `folder`, which must exist. Files that are there are
    /// taken for an earlier part of the download; one that is longer than the torrent says
    /// can't be that, and is refused rather than cut. Nothing is written yet.
    pub fn open(folder: &Path, metainfo: &Metainfo) -> Result<Self, StoreError> {
        let root = Dir::open_ambient_dir(folder, cap_std::ambient_authority())
            .map_err(|error| store_error(&shown(folder), &error))?;
        let mut store = FileStore {
            root,
            root_path: folder.to_owned(),
            metainfo: metainfo.clone(),
            begun: false,
            left_out: BTreeSet::new(),
        };
        for file in metainfo.files() {
            store.begun |= store.inspect(file)?;
        }
        Ok(store)
    }

    /// Some files, by their indices, are not to be complete in the end: nothing is made in
    /// their places but of pieces that they share with others.
    pub fn leaving_out(mut self, files: BTreeSet<usize>) -> Self {
        self.left_out = files;
        self
    }

    /// Some of the torrent's bytes may be here.
    pub fn has_something(&self) -> bool {
        self.begun
    }

    /// Looks at what is in a file's place; true if there are bytes of it.
    fn inspect(&self, file: &metainfo::File) -> Result<bool, StoreError> {
        let refuse = |what: &str| {
            Err(StoreError::Failed(format!(
                "{} {what}: move it away, or choose another folder",
                self.shown(&file.path)
            )))
        };
        let mut folder = None;
        let (name, folders) = split(&file.path);
        for part in folders {
            let parent = folder.as_ref().unwrap_or(&self.root);
            match parent.symlink_metadata(part) {
                Ok(there) if there.is_symlink() => return refuse("is behind a symbolic link"),
                Ok(there) if !there.is_dir() => {
                    return refuse("has a file in the place of its folder");
                }
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
                Err(error) => return Err(self.error(&file.path, &error)),
            }
            folder = Some(
                parent
                    .open_dir_nofollow(part)
                    .map_err(|error| self.error(&file.path, &error))?,
            );
        }
        match folder.as_ref().unwrap_or(&self.root).symlink_metadata(name) {
            Ok(there) if there.is_symlink() => refuse("is a symbolic link"),
            Ok(there) if there.is_dir() => refuse("is a folder, not a file"),
            Ok(there) if !there.is_file() => refuse("is not an ordinary file"),
            Ok(there) if there.len() > file.length => refuse(&format!(
                "has {} bytes, more than the torrent's {}",
                there.len(),
                file.length
            )),
            Ok(there) => Ok(there.len() > 0),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(self.error(&file.path, &error)),
        }
    }

    fn open_to_read(&self, path: &SafePath) -> io::Result<File> {
        let (name, folders) = split(path);
        let mut options = OpenOptions::new();
        options.read(true).follow(FollowSymlinks::No);
        in_folder(&self.root, folders, false, |folder| {
            folder.open_with(name, &options)
        })
    }

    fn open_to_write(&self, path: &SafePath) -> io::Result<File> {
        let (name, folders) = split(path);
        let mut options = OpenOptions::new();
        options.write(true).create(true).follow(FollowSymlinks::No);
        in_folder(&self.root, folders, true, |folder| {
            folder.open_with(name, &options)
        })
    }

    fn shown(&self, path: &SafePath) -> String {
        let mut whole = self.root_path.clone();
        whole.extend(path.parts());
        shown(&whole)
    }

    fn error(&self, path: &SafePath, error: &io::Error) -> StoreError {
        store_error(&self.shown(path), error)
    }
}

impl Store for FileStore {
    fn read(&self, piece: PieceIndex) -> Result<Bytes, StoreError> {
        // What no span covers is padding: zeros.
        let mut buffer = vec![0; self.metainfo.layout().length(piece) as usize];
        for span in self.metainfo.piece_spans(piece) {
            let path = &self.metainfo.files()[span.file].path;
            let here = &mut buffer[span.begin as usize..][..span.length as usize];
            let mut read = || -> io::Result<()> {
                let mut file = self.open_to_read(path)?;
                file.seek(SeekFrom::Start(span.offset))?;
                file.read_exact(here)
            };
            use io::ErrorKind::{NotFound, UnexpectedEof};
            match read() {
                Ok(()) => {}
                Err(error) if matches!(error.kind(), NotFound | UnexpectedEof) => {
                    return Err(StoreError::Missing);
                }
                Err(error) => {
                    return Err(StoreError::Unreadable(plain(&format!(
                        "{}: {error}",
                        self.shown(path)
                    ))));
                }
            }
        }
        Ok(buffer.into())
    }

    fn write(&self, piece: PieceIndex, data: &[u8]) -> Result<(), StoreError> {
        for span in self.metainfo.piece_spans(piece) {
            let path = &self.metainfo.files()[span.file].path;
            let here = &data[span.begin as usize..][..span.length as usize];
            let write = || -> io::Result<()> {
                let mut file = self.open_to_write(path)?;
                file.seek(SeekFrom::Start(span.offset))?;
                file.write_all(here)
            };
            write().map_err(|error| self.error(path, &error))?;
        }
        Ok(())
    }

    fn finish(&self) -> Result<(), StoreError> {
        for (index, file) in self.metainfo.files().iter().enumerate() {
            if self.left_out.contains(&index) {
                continue;
            }
            // Empty files are part of no piece: this is where they come into being.
            let finish = || -> io::Result<u64> {
                let file = self.open_to_write(&file.path)?;
                file.sync_all()?;
                Ok(file.metadata()?.len())
            };
            let length = finish().map_err(|error| self.error(&file.path, &error))?;
            if length != file.length {
                let path = self.shown(&file.path);
                return Err(StoreError::Failed(format!(
                    "{path} has {length} bytes instead of {}: did something else write to it?",
                    file.length
                )));
            }
        }
        Ok(())
    }
}

/// A file's name and the folders that it is in.
fn split(path: &SafePath) -> (&str, &[String]) {
    let (name, folders) = path
        .parts()
        .split_last()
        .expect("a path has at least one part");
    (name, folders)
}

/// Goes down from `root` without following links, then does something there.
fn in_folder<T>(
    root: &Dir,
    folders: &[String],
    create: bool,
    then: impl FnOnce(&Dir) -> io::Result<T>,
) -> io::Result<T> {
    let mut folder = None;
    for part in folders {
        let parent = folder.as_ref().unwrap_or(root);
        let opened = match parent.open_dir_nofollow(part) {
            Err(error) if create && error.kind() == io::ErrorKind::NotFound => {
                match parent.create_dir(part) {
                    // Another thread was faster.
                    Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                    result => result?,
                }
                parent.open_dir_nofollow(part)
            }
            result => result,
        };
        folder = Some(opened?);
    }
    then(folder.as_ref().unwrap_or(root))
}

#[cfg(test)]
mod tests;
