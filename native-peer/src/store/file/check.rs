//! What is in the torrent's places already, and whether it may stay there.

use std::collections::BTreeSet;
use std::io::{self, Read};

use swarm_core::engine::StoreError;
use swarm_core::pieces::{Bitfield, PieceIndex};

use super::{FileStore, Lies, Stamp, There, store_error};
use crate::Error;
use crate::text::{plain, shown};

/// So many files are named; of more only the number is told.
const NAMED: usize = 3;

impl FileStore {
    /// Looks at what is in the places of wanted files.
    pub(super) fn look_around(&mut self) -> Result<(), Error> {
        self.look_at_the_folder()?;
        let mut in_the_way = Vec::new();
        for file in 0..self.names.len() {
            if !self.is_wanted(file) {
                continue;
            }
            let length = self.metainfo.files()[file].length;
            match self.inspect(file, false)? {
                There::File(there) if there == length => {
                    let named = self.folder.read(&self.names[file].named);
                    let metadata = named.and_then(|named| named.metadata());
                    let metadata = metadata.map_err(|e| self.error(file, &e))?;
                    let stamp = Stamp::from(&metadata);
                    self.set_lies(file, Lies::Named { ours: false, stamp });
                    self.trail(file).begin(&metadata);
                    self.begun |= there > 0;
                    continue;
                }
                There::File(_) if self.wishes.overwrite => self.take_over(file)?,
                There::File(_) => in_the_way.push(file),
                There::Nothing | There::Obstacle(_) => {}
            }
            if let There::File(there) = self.inspect(file, true)? {
                self.begun |= there > 0;
                let part = self.folder.read(&self.names[file].part);
                // What can't be read can't be believed either.
                if let Ok(metadata) = part.and_then(|part| part.metadata()) {
                    self.trail(file).begin(&metadata);
                }
            }
        }
        match in_the_way.is_empty() {
            true => Ok(()),
            false => Err(Error::Other(self.in_the_way(&in_the_way))),
        }
    }

    /// What is in a file's place, or in that of it in the making; refuses what is no file.
    fn inspect(&self, file: usize, part: bool) -> Result<There, Error> {
        let names = &self.names[file];
        let place = if part { &names.part } else { &names.named };
        match self.folder.inspect(place) {
            Ok(There::Obstacle(what)) => Err(Error::Other(format!(
                "{} {what}: move it away, or choose another folder",
                self.folder.shown(place)
            ))),
            Ok(there) => Ok(there),
            Err(error) => Err(self.error(file, &error).into()),
        }
    }

    /// A hidden name may mean something to the programs of whoever's folder it is
    /// (`.profile`, `.ssh`): a torrent may use it in a folder of its own.
    fn look_at_the_folder(&self) -> Result<(), Error> {
        let name = self.metainfo.files()[0].path.parts()[0].as_str();
        if !name.starts_with('.') || self.wishes.overwrite {
            return Ok(());
        }
        let path = shown(self.folder.path());
        let entries = self.folder.root().entries();
        let entries = entries.map_err(|error| store_error(&path, &error))?;
        for entry in entries {
            let entry = entry.map_err(|error| store_error(&path, &error))?;
            let there = entry.file_name();
            let there = there.to_string_lossy();
            if there != name && there != self.names[0].part.name {
                return Err(Error::Other(format!(
                    "the torrent has the hidden name {}, which programs may obey: choose an empty folder (or --overwrite)",
                    plain(name)
                )));
            }
        }
        Ok(())
    }

    /// What to say of files that are not what the torrent has.
    pub(super) fn in_the_way(&self, files: &[usize]) -> String {
        let named = files.iter().take(NAMED).map(|file| self.shown(*file));
        let mut names = named.collect::<Vec<_>>().join(", ");
        let more = files.len().saturating_sub(NAMED);
        if more > 0 {
            names = format!("{names} and {more} more");
        }
        let (are, they) = match files.len() {
            1 => ("is", "it differs from"),
            _ => ("are", "they differ from"),
        };
        format!(
            "{names} {are} there already, and {they} what the torrent has: left alone (move away, choose another folder, or --overwrite)"
        )
    }

    /// The engine has read and hashed what is here, and found these pieces. Files that are
    /// complete get their names; those that were there and are not what the torrent has are
    /// refused, or overwritten if that is wished.
    pub fn checked(&self, have: &Bitfield) -> Result<(), Error> {
        let wrong = self.wrong(have);
        if !wrong.is_empty() && !self.wishes.overwrite {
            let wrong: Vec<_> = wrong.into_iter().collect();
            return Err(Error::Other(self.in_the_way(&wrong)));
        }
        for file in wrong {
            self.take_over(file)?;
        }
        let found: Vec<PieceIndex> = have.iter().collect();
        Ok(self.count_in(&found)?)
    }

    /// The files that were there and, as far as can be told, are not what the torrent has.
    fn wrong(&self, have: &Bitfield) -> BTreeSet<usize> {
        let is_named = |file: usize| matches!(self.lies(file), Lies::Named { .. });
        let mut wrong = BTreeSet::new();
        let mut between = Vec::new();
        for piece in self.metainfo.layout().pieces().filter(|p| !have.has(*p)) {
            let files: Vec<_> = self.metainfo.piece_spans(piece).map(|s| s.file).collect();
            if !files.iter().all(|file| is_named(*file)) {
                continue;
            }
            match files[..] {
                [file] => {
                    wrong.insert(file);
                }
                _ => between.push(files),
            }
        }
        for files in between {
            // One of them is, whichever.
            if files.iter().all(|file| !wrong.contains(file)) {
                wrong.extend(files);
            }
        }
        wrong
    }

    /// Makes a file in the making of one that is there: a copy, so that it stays as it is
    /// until the whole of it is replaced.
    pub(super) fn take_over(&self, file: usize) -> Result<(), StoreError> {
        let names = &self.names[file];
        self.set_lies(file, Lies::InTheMaking);
        self.trail(file).give_up();
        let there = self.folder.inspect(&names.part);
        if matches!(there, Ok(There::File(_))) {
            return Ok(());
        }
        let copy = || -> io::Result<()> {
            let from = self.folder.read(&names.named)?;
            let mut to = self.folder.create_new(&names.part)?;
            io::copy(&mut from.take(self.metainfo.files()[file].length), &mut to)?;
            Ok(())
        };
        copy().map_err(|error| self.error(file, &error))
    }
}
