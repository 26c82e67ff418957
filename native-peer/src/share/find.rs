//! What there is to share below some paths, always in the same order.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fmt;
use std::fs::{self, FileType, Metadata};
use std::path::{Path, PathBuf};

use swarm_core::metainfo::NewFile;

use crate::Error;
use crate::store::Stamp;
use crate::text::{plain, shown};

/// What several paths without a common folder are called.
const NAMELESS: &str = "files";

/// See [`find`].
#[derive(Debug)]
pub struct Found {
    /// The torrent's name if it is a folder of files, none if it is a single file.
    pub folder: Option<String>,
    /// What it is called, either way.
    pub name: String,
    /// The files, in the order of their paths.
    pub files: Vec<FoundFile>,
    /// What a person should know: what is left out, or called otherwise.
    pub remarks: Vec<Remark>,
}

/// Something in a folder that can't be shared as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// Where it is.
    pub path: PathBuf,
    /// What is done about it.
    pub what: What,
}

/// See [`Remark`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A symbolic link, left out: what it leads to was not chosen.
    Link,
    /// A pipe, a socket or a device, left out: it has no length, and reading it may never end.
    Special,
    /// Its name is no text, or would be a path elsewhere: in the torrent it is called this.
    Renamed(String),
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = shown(&self.path);
        match &self.what {
            What::Link => write!(f, "{path} is a symbolic link and is left out"),
            What::Special => write!(f, "{path} is neither a file nor a folder and is left out"),
            What::Renamed(name) => write!(f, "{path} is shared under the name {}", plain(name)),
        }
    }
}

/// A file that was found.
#[derive(Debug)]
pub struct FoundFile {
    /// As the torrent is to describe it.
    pub described: NewFile,
    /// Where it is.
    pub path: PathBuf,
    /// What it looked like.
    pub stamp: Stamp,
}

/// Finds the files that are to be shared: of one file, itself; of one folder, all in it;
/// of several paths, all of them in a folder called `name`, or like the folder that they
/// are in. A symbolic link that is named is followed, one that is met is not.
pub fn find(paths: &[PathBuf], name: Option<&str>) -> Result<Found, Error> {
    if let Some(name) = name.filter(|name| name.contains(['/', '\\']) || name.contains('\0')) {
        return Err(Error::Usage(format!(
            "{} is a path: a name is wanted, without folders",
            plain(name)
        )));
    }
    let mut search = Search {
        files: Vec::new(),
        remarks: Vec::new(),
    };
    let (folder, name) = match paths {
        [path] => {
            let metadata = fs::metadata(path).map_err(Error::file("read", path))?;
            let own = name.map_or_else(|| base_name(path), |name| Ok(name.to_owned()))?;
            if metadata.is_dir() {
                search.folder(path, &[])?;
                (Some(own.clone()), own)
            } else {
                search.file(path, &metadata, vec![own.clone()])?;
                (None, own)
            }
        }
        paths => {
            let mut names = BTreeSet::new();
            for path in paths {
                let own = base_name(path)?;
                if !names.insert(own.clone()) {
                    return Err(Error::Usage(format!(
                        "two of the paths are called {}",
                        shown(own.as_ref())
                    )));
                }
                let metadata = fs::metadata(path).map_err(Error::file("read", path))?;
                if metadata.is_dir() {
                    search.folder(path, &[own])?;
                } else {
                    search.file(path, &metadata, vec![own])?;
                }
            }
            let folder = name.map_or_else(|| common_folder(paths), str::to_owned);
            (Some(folder.clone()), folder)
        }
    };
    let Search { mut files, remarks } = search;
    // By their places too: names that were made safe may have become equal.
    files.sort_by(|a, b| (&a.described.path, &a.path).cmp(&(&b.described.path, &b.path)));
    Ok(Found {
        folder,
        name,
        files,
        remarks,
    })
}

struct Search {
    files: Vec<FoundFile>,
    remarks: Vec<Remark>,
}

impl Search {
    fn folder(&mut self, folder: &Path, below: &[String]) -> Result<(), Error> {
        for entry in fs::read_dir(folder).map_err(Error::file("read", folder))? {
            let entry = entry.map_err(Error::file("read", folder))?;
            let path = entry.path();
            let kind = entry.file_type().map_err(Error::file("read", &path))?;
            if kind.is_symlink() {
                self.remark(&path, What::Link);
                continue;
            }
            if !kind.is_dir() && !kind.is_file() {
                self.remark(&path, What::Special);
                continue;
            }
            let mut parts = below.to_vec();
            parts.push(self.name(&entry.file_name(), &path));
            if kind.is_dir() {
                self.folder(&path, &parts)?;
            } else {
                let metadata = entry.metadata().map_err(Error::file("read", &path))?;
                self.file(&path, &metadata, parts)?;
            }
        }
        Ok(())
    }

    fn remark(&mut self, path: &Path, what: What) {
        self.remarks.push(Remark {
            path: path.to_owned(),
            what,
        });
    }

    /// What something in a folder is called in the torrent: as it is, if every system can
    /// read that, or else with what it can't replaced.
    fn name(&mut self, name: &OsStr, path: &Path) -> String {
        let safe = name
            .to_string_lossy()
            .replace([char::REPLACEMENT_CHARACTER, '\\'], "_");
        if Some(safe.as_str()) != name.to_str() {
            self.remark(path, What::Renamed(safe.clone()));
        }
        safe
    }

    fn file(&mut self, path: &Path, metadata: &Metadata, parts: Vec<String>) -> Result<(), Error> {
        if !FileType::is_file(&metadata.file_type()) {
            return Err(Error::Other(format!(
                "{} is neither a file nor a folder",
                shown(path)
            )));
        }
        let length = metadata.len();
        self.files.push(FoundFile {
            described: NewFile {
                path: parts,
                length,
            },
            path: path.to_owned(),
            stamp: Stamp::from(metadata),
        });
        Ok(())
    }
}

/// The last part of a path, that of the real path for one like `..`.
fn base_name(path: &Path) -> Result<String, Error> {
    if let Some(name) = path.file_name() {
        // Legal here, a path elsewhere.
        return Ok(utf8(name, path)?.replace('\\', "_"));
    }
    let real = path.canonicalize().map_err(Error::file("read", path))?;
    match real.file_name() {
        Some(name) => utf8(name, path),
        None => Ok(NAMELESS.to_owned()),
    }
}

/// The name of the folder that all of these are in, if they are in one.
fn common_folder(paths: &[PathBuf]) -> String {
    let mut parents = paths
        .iter()
        .map(|path| path.canonicalize().ok()?.parent().map(Path::to_owned));
    let first = parents.next().flatten();
    if parents.any(|parent| parent != first) {
        return NAMELESS.to_owned();
    }
    first
        .and_then(|p| Some(p.file_name()?.to_str()?.to_owned()))
        .unwrap_or_else(|| NAMELESS.to_owned())
}

fn utf8(name: &OsStr, path: &Path) -> Result<String, Error> {
    name.to_str()
        .map(str::to_owned)
        .ok_or_else(|| Error::Other(format!("{}: the name is not valid UTF-8", shown(path))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, file).unwrap();
        }
        folder
    }

    fn paths(found: &Found) -> Vec<String> {
        found
            .files
            .iter()
            .map(|f| f.described.path.join("/"))
            .collect()
    }

    #[test]
    fn a_file_is_itself() {
        let tree = tree(&["x/한국어.txt"]);
        let found = find(&[tree.path().join("x/한국어.txt")], None).unwrap();
        assert_eq!(
            (found.folder.as_deref(), found.name.as_str()),
            (None, "한국어.txt")
        );
        assert_eq!(paths(&found), ["한국어.txt"]);
        assert_eq!(found.files[0].stamp.length, "x/한국어.txt".len() as u64);
    }

    #[test]
    fn a_folder_is_everything_in_it_in_order() {
        let tree = tree(&["x/b", "x/a/z", "x/a/y/1", "x/a.b", "x/c"]);
        let found = find(&[tree.path().join("x")], None).unwrap();
        assert_eq!(found.folder.as_deref(), Some("x"));
        assert_eq!(paths(&found), ["a/y/1", "a/z", "a.b", "b", "c"]);
        let found = find(&[tree.path().join("x/a/..")], Some("other")).unwrap();
        assert_eq!(found.name, "other");
    }

    #[test]
    fn several_paths_become_a_folder() {
        let tree = tree(&["x/b", "x/a/z", "y/c"]);
        let [a, b, c] = ["x/a", "x/b", "y/c"].map(|p| tree.path().join(p));
        let found = find(&[b.clone(), a.clone()], None).unwrap();
        assert_eq!(found.folder.as_deref(), Some("x"));
        assert_eq!(paths(&found), ["a/z", "b"]);
        assert_eq!(find(&[a, c], None).unwrap().name, "files");
        let error = find(&[b.clone(), b], None).unwrap_err().to_string();
        assert!(error.contains("two of the paths"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn links_and_special_files_in_folders_are_left_out_in_words() {
        let tree = tree(&["x/a", "y/secret"]);
        let folder = tree.path().join("x");
        std::os::unix::fs::symlink("../y", folder.join("link")).unwrap();
        let found = find(std::slice::from_ref(&folder), None).unwrap();
        assert_eq!(paths(&found), ["a"]);
        let link = Remark {
            path: folder.join("link"),
            what: What::Link,
        };
        assert_eq!(found.remarks, [link]);
        assert_eq!(
            paths(&find(&[folder.join("link")], None).unwrap()),
            ["secret"]
        );

        let socket = folder.join("socket");
        std::os::unix::net::UnixListener::bind(&socket).unwrap();
        let found = find(&[folder], None).unwrap();
        assert_eq!(paths(&found), ["a"]);
        let remarks: Vec<_> = found.remarks.iter().map(Remark::to_string).collect();
        assert!(
            remarks
                .iter()
                .any(|r| r.contains("x/socket is neither a file nor a folder")),
            "{remarks:?}"
        );
        // Whoever names it gets an answer.
        let error = find(&[socket], None).unwrap_err().to_string();
        assert!(error.contains("neither a file nor a folder"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn names_that_others_cannot_have_are_made_safe_in_words() {
        use std::os::unix::ffi::OsStrExt;
        let tree = tree(&["x/a", "x/b\\c", "x/d\\e/f"]);
        let odd = tree
            .path()
            .join("x")
            .join(OsStr::from_bytes(b"\xff\xfe.bin"));
        fs::write(&odd, b"").unwrap();
        let found = find(&[tree.path().join("x")], None).unwrap();
        assert_eq!(paths(&found), ["__.bin", "a", "b_c", "d_e/f"]);
        let mut told: Vec<_> = found.remarks.iter().map(|r| r.what.clone()).collect();
        told.sort_by_key(|what| format!("{what:?}"));
        assert_eq!(
            told,
            ["__.bin", "b_c", "d_e"].map(|name| What::Renamed(name.to_owned()))
        );
        // A name that was typed is another matter: a person can give --name.
        let error = find(&[odd], None).unwrap_err().to_string();
        assert!(error.contains("not valid UTF-8"), "{error}");
    }

    #[test]
    fn a_name_that_is_a_path_is_refused() {
        let tree = tree(&["x/a"]);
        for name in ["../x", "a/b", "a\\b", "/"] {
            let error = find(&[tree.path().join("x")], Some(name));
            let error = error.unwrap_err().to_string();
            assert!(error.contains("a name is wanted"), "{error}");
        }
    }

    #[test]
    fn what_is_not_there_is_named() {
        let error = find(&["/no/such/place".into()], None)
            .unwrap_err()
            .to_string();
        assert!(error.contains("/no/such/place"), "{error}");
    }
}
