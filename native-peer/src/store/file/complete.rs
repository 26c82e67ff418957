//! Files become complete, and get their names.

use std::collections::BTreeSet;
use std::io::{self, Read, Seek, SeekFrom};
use std::thread;

use swarm_core::engine::StoreError;
use swarm_core::pieces::PieceIndex;

use super::{FileStore, Lies, Stamp, There};

/// So many files wait for the disk at once.
const AT_ONCE: usize = 16;

impl FileStore {
    /// These pieces are here now.
    pub(super) fn count_in(&self, pieces: &[PieceIndex]) -> Result<(), StoreError> {
        let mut complete = Vec::new();
        let mut state = self.state();
        for &piece in pieces {
            if !state.had.insert(piece) {
                continue;
            }
            for span in self.metainfo.piece_spans(piece) {
                let file = &mut state.files[span.file];
                file.lacking -= 1;
                let named = matches!(file.lies, Lies::Named { .. });
                if file.lacking == 0 && !named && self.is_wanted(span.file) {
                    complete.push(span.file);
                }
            }
        }
        drop(state);
        self.complete_all(&complete)
    }

    /// All of these files is here. Each waits for the disk: of many small ones, several wait
    /// at once, which the disk makes one of.
    fn complete_all(&self, files: &[usize]) -> Result<(), StoreError> {
        if files.len() < AT_ONCE {
            return files.iter().try_for_each(|file| self.complete(*file));
        }
        thread::scope(|scope| {
            let threads: Vec<_> = files
                .chunks(files.len().div_ceil(AT_ONCE))
                .map(|files| scope.spawn(|| files.iter().try_for_each(|file| self.complete(*file))))
                .collect();
            threads
                .into_iter()
                .try_for_each(|t| t.join().unwrap_or_else(|e| std::panic::resume_unwind(e)))
        })
    }

    /// All of a file is here: it gets its name.
    fn complete(&self, file: usize) -> Result<(), StoreError> {
        let names = &self.names[file];
        let length = self.metainfo.files()[file].length;
        let mut trail = self.trail(file);
        let mut ready = || -> io::Result<()> {
            let part = self.folder.write(&names.part, length == 0)?;
            if part.metadata()?.len() > length {
                part.set_len(length)?;
            }
            // Before it has a name that promises something.
            self.flusher.settle(file)?;
            part.sync_all()?;
            if !trail.is_at(&part.metadata()?) {
                trail.give_up();
            }
            drop(part);
            self.folder
                .rename(&names.part, &names.named.name, self.wishes.overwrite)
        };
        let ours = match ready() {
            Ok(()) => true,
            // Another process was faster.
            Err(error) if error.kind() == io::ErrorKind::NotFound => false,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                if !self.is_the_same(file).unwrap_or(false) {
                    let part = self.folder.shown(&names.part);
                    return Err(StoreError::Failed(format!(
                        "{} has come into being while it was fetched, and is left alone; what was fetched is in {part}",
                        self.shown(file)
                    )));
                }
                let removed = self.folder.remove(&names.part);
                // The other process may remove it too.
                drop(removed);
                false
            }
            Err(error) => return Err(self.error(file, &error)),
        };
        let named = self.folder.read(&names.named);
        let metadata = named.and_then(|named| named.metadata());
        let metadata = metadata.map_err(|e| self.error(file, &e))?;
        // The new name counts as a change.
        trail.leave(&metadata);
        if !ours {
            trail.give_up();
        }
        let stamp = Stamp::from(&metadata);
        self.set_lies(file, Lies::Named { ours, stamp });
        Ok(())
    }

    /// A file under its own name has these bytes there.
    pub(super) fn is_there(&self, file: usize, offset: u64, data: &[u8]) -> io::Result<bool> {
        let mut opened = self.folder.read(&self.names[file].named)?;
        if opened.metadata()?.len() != self.metainfo.files()[file].length {
            return Ok(false);
        }
        opened.seek(SeekFrom::Start(offset))?;
        let mut there = Vec::with_capacity(data.len());
        opened.take(data.len() as u64).read_to_end(&mut there)?;
        Ok(there == data)
    }

    /// A file in the making has the bytes of the one that has its name.
    fn is_the_same(&self, file: usize) -> io::Result<bool> {
        let names = &self.names[file];
        let mut one = io::BufReader::new(self.folder.read(&names.part)?);
        let mut two = io::BufReader::new(self.folder.read(&names.named)?);
        let (mut a, mut b) = (vec![0; 1 << 16], vec![0; 1 << 16]);
        loop {
            let read = one.read(&mut a)?;
            if read == 0 {
                return Ok(two.read(&mut b)? == 0);
            }
            match two.read_exact(&mut b[..read]) {
                Ok(()) if a[..read] == b[..read] => {}
                Ok(()) => return Ok(false),
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(false),
                Err(error) => return Err(error),
            }
        }
    }

    /// Sees to it that all wanted files are there under their names, and stay.
    pub(super) fn all_are_there(&self) -> Result<(), StoreError> {
        let mut folders = BTreeSet::new();
        for file in 0..self.names.len() {
            if !self.is_wanted(file) {
                continue;
            }
            let state = self.state().files[file];
            if state.lacking > 0 {
                return Err(StoreError::Missing);
            }
            if matches!(state.lies, Lies::InTheMaking) {
                // Empty files are part of no piece: this is where they come into being.
                self.complete(file)?;
            }
            let length = self.metainfo.files()[file].length;
            match self.folder.inspect(&self.names[file].named) {
                Ok(There::File(there)) if there == length => {}
                Ok(_) => {
                    let path = self.shown(file);
                    return Err(StoreError::Failed(format!(
                        "{path} is not there as it was: did something else change it?"
                    )));
                }
                Err(error) => return Err(self.error(file, &error)),
            }
            if matches!(self.lies(file), Lies::Named { ours: true, .. }) {
                folders.insert(&self.names[file].named.folders);
            }
        }
        for folder in folders {
            self.folder.sync(folder);
        }
        Ok(())
    }
}
