//! A folder in which files are reached without following links.
//!
//! Every file is opened anew, part by part from the folder's handle, and no part may be a
//! symbolic link: so nothing that is put into the folder, before or while we write, leads a
//! write outside of it, and two of the torrent's files can't be one.

use std::io;
use std::path::{Path, PathBuf};

use cap_fs_ext::{DirExt, FollowSymlinks, OpenOptionsFollowExt};
use cap_std::fs::{Dir, File, OpenOptions};

use crate::text::shown;

/// See the module.
#[derive(Debug)]
pub(super) struct Folder {
    root: Dir,
    path: PathBuf,
}

/// A file below a [`Folder`]: the folders that it is in, and its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) folders: Vec<String>,
    pub(super) name: String,
}

/// What is in a file's place.
pub(super) enum There {
    Nothing,
    /// An ordinary file of so many bytes.
    File(u64),
    /// Something else, or something on the way to it, in words.
    Obstacle(&'static str),
}

impl Folder {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let root = Dir::open_ambient_dir(path, cap_std::ambient_authority())?;
        Ok(Folder {
            root,
            path: path.to_owned(),
        })
    }

    pub(super) fn root(&self) -> &Dir {
        &self.root
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// A file's whole path, for a person.
    pub(super) fn shown(&self, place: &Place) -> String {
        let mut whole = self.path.clone();
        whole.extend(&place.folders);
        whole.push(&place.name);
        shown(&whole)
    }

    pub(super) fn read(&self, place: &Place) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.read(true).follow(FollowSymlinks::No);
        self.within(place, false, |folder| {
            folder.open_with(&place.name, &options)
        })
    }

    /// Opens a file to write to; `create` makes it, and the folders that it is in, if it is
    /// not there.
    pub(super) fn write(&self, place: &Place, create: bool) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options
            .write(true)
            .create(create)
            .follow(FollowSymlinks::No);
        self.within(place, create, |folder| {
            folder.open_with(&place.name, &options)
        })
    }

    /// Makes an empty file where nothing is.
    pub(super) fn create_new(&self, place: &Place) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options
            .write(true)
            .create_new(true)
            .follow(FollowSymlinks::No);
        self.within(place, true, |folder| {
            folder.open_with(&place.name, &options)
        })
    }

    pub(super) fn remove(&self, place: &Place) -> io::Result<()> {
        self.within(place, false, |folder| folder.remove_file(&place.name))
    }

    /// Gives a file another name in the folder that it is in. What has that name already
    /// stays, and is an error of the kind [`io::ErrorKind::AlreadyExists`], unless it is to be
    /// replaced.
    pub(super) fn rename(&self, from: &Place, to: &str, replace: bool) -> io::Result<()> {
        self.within(from, false, |folder| {
            if replace {
                return folder.rename(&from.name, folder, to);
            }
            // A second name and not a rename, which would replace what has the name by now.
            match folder.hard_link(&from.name, folder, to) {
                Ok(()) => folder.remove_file(&from.name),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(error),
                // The file system knows no second names.
                Err(_) => match folder.symlink_metadata(to) {
                    Ok(_) => Err(io::ErrorKind::AlreadyExists.into()),
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {
                        folder.rename(&from.name, folder, to)
                    }
                    Err(error) => Err(error),
                },
            }
        })
    }

    /// Looks at what is in a file's place, and on the way to it.
    pub(super) fn inspect(&self, place: &Place) -> io::Result<There> {
        let mut folder = None;
        for part in &place.folders {
            let parent = folder.as_ref().unwrap_or(&self.root);
            match parent.symlink_metadata(part) {
                Ok(there) if there.is_symlink() => {
                    return Ok(There::Obstacle("is behind a symbolic link"));
                }
                Ok(there) if !there.is_dir() => {
                    return Ok(There::Obstacle("has a file in the place of its folder"));
                }
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    return Ok(There::Nothing);
                }
                Err(error) => return Err(error),
            }
            folder = Some(parent.open_dir_nofollow(part)?);
        }
        let folder = folder.as_ref().unwrap_or(&self.root);
        match folder.symlink_metadata(&place.name) {
            Ok(there) if there.is_symlink() => Ok(There::Obstacle("is a symbolic link")),
            Ok(there) if there.is_dir() => Ok(There::Obstacle("is a folder, not a file")),
            Ok(there) if !there.is_file() => Ok(There::Obstacle("is not an ordinary file")),
            Ok(there) => Ok(There::File(there.len())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(There::Nothing),
            Err(error) => Err(error),
        }
    }

    /// Lets a file's folder survive a loss of power, as far as the system can be asked to.
    pub(super) fn sync(&self, folders: &[String]) {
        let place = Place {
            folders: folders.to_vec(),
            name: ".".to_owned(),
        };
        let synced = self.within(&place, false, |folder| folder.open(".")?.sync_all());
        // Not every system can; the files themselves are safe.
        drop(synced);
    }

    /// Goes down to a file's folder without following links, then does something there.
    fn within<T>(
        &self,
        place: &Place,
        create: bool,
        then: impl FnOnce(&Dir) -> io::Result<T>,
    ) -> io::Result<T> {
        let mut folder = None;
        for part in &place.folders {
            let parent = folder.as_ref().unwrap_or(&self.root);
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
        then(folder.as_ref().unwrap_or(&self.root))
    }
}
