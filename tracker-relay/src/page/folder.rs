//! A page's files on disk.

use std::collections::{HashMap, VecDeque};
use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, SystemTime};

use super::file::File;

/// Bytes of files that are kept though nobody is sending them: several times what our page has.
const KEPT: usize = 32 << 20;
/// A file that was written so lately may change once more without its time showing it: the clocks of
/// some file systems tick every other second.
const FRESH: Duration = Duration::from_secs(3);
/// Files that are kept at most, and names that are remembered before those are forgotten that nobody
/// is sending.
const NAMES: usize = 1000;

/// Reads a file when it changed, and holds it once however many are sending it: many that read slowly
/// would else make as many copies.
#[derive(Clone, Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    held: Arc<Mutex<Held>>,
}

/// Files that are kept, or that somebody is sending.
#[derive(Debug, Default)]
struct Held {
    files: HashMap<String, (Version, Weak<File>)>,
    /// Whoever was asked for last is last.
    kept: VecDeque<Arc<File>>,
}

/// What a name stood for when it was read. A link may lead elsewhere since, to a file that is as long
/// and, where whoever puts the page there sets all times alike, as old.
#[derive(Debug, PartialEq)]
struct Version {
    /// Without links.
    path: PathBuf,
    length: u64,
    modified: Option<SystemTime>,
    #[cfg(unix)]
    changed: Changed,
}

/// Which file it is, and when it changed last in any way, which nobody can set.
#[cfg(unix)]
#[derive(Debug, PartialEq)]
struct Changed {
    device: u64,
    inode: u64,
    seconds: i64,
    nanoseconds: i64,
}

impl Folder {
    pub(super) fn new(path: PathBuf) -> Self {
        let held = Arc::default();
        Folder { path, held }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// A file; none if there is no such file.
    pub(super) async fn load(&self, name: &str) -> Option<Arc<File>> {
        let (folder, name) = (self.clone(), name.to_owned());
        let read = tokio::task::spawn_blocking(move || folder.read(&name)).await;
        read.ok()?.ok()
    }

    fn read(&self, name: &str) -> io::Result<Arc<File>> {
        // A link in the folder may lead to another file of it, and not out of it.
        let path = self.path.join(name).canonicalize()?;
        let metadata = fs::metadata(&path)?;
        if !path.starts_with(self.path.canonicalize()?) || !metadata.is_file() {
            return Err(io::ErrorKind::NotFound.into());
        }
        let version = Version::of(path, &metadata);
        let held = || self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = held().get(name, &version) {
            return Ok(file);
        }
        let content = fs::read(&version.path)?;
        let mut held = held();
        // Somebody else may have read it meanwhile.
        if let Some(file) = held.get(name, &version) {
            return Ok(file);
        }
        let file = File::of(content.into());
        held.insert(name, version, &file);
        Ok(file)
    }
}

impl Version {
    fn of(path: PathBuf, metadata: &Metadata) -> Self {
        Version {
            path,
            length: metadata.len(),
            modified: metadata.modified().ok(),
            #[cfg(unix)]
            changed: Changed::of(metadata),
        }
    }

    /// It may change once more without looking different.
    fn is_fresh(&self) -> bool {
        let age = self.modified.and_then(|at| at.elapsed().ok());
        age.is_none_or(|age| age < FRESH)
    }
}

#[cfg(unix)]
impl Changed {
    fn of(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        Changed {
            device: metadata.dev(),
            inode: metadata.ino(),
            seconds: metadata.ctime(),
            nanoseconds: metadata.ctime_nsec(),
        }
    }
}

impl Held {
    /// The file of that name, if it is here as it is on the disk.
    fn get(&mut self, name: &str, version: &Version) -> Option<Arc<File>> {
        let (known, file) = self.files.get(name)?;
        let is_same = known == version;
        let file = file.upgrade();
        if !is_same {
            self.files.remove(name);
        }
        if let Some(file) = &file {
            self.kept.retain(|kept| !Arc::ptr_eq(kept, file));
        }
        let file = file.filter(|_| is_same)?;
        self.keep(version.is_fresh(), &file);
        Some(file)
    }

    fn insert(&mut self, name: &str, version: Version, file: &Arc<File>) {
        if self.files.len() >= NAMES {
            self.files.retain(|_, (_, file)| file.strong_count() > 0);
        }
        self.keep(version.is_fresh(), file);
        let known = (version, Arc::downgrade(file));
        self.files.insert(name.to_owned(), known);
    }

    /// Keeps a file, at the expense of those that were not asked for since.
    fn keep(&mut self, is_fresh: bool, file: &Arc<File>) {
        if is_fresh || file.len() > KEPT {
            return;
        }
        self.kept.push_back(file.clone());
        let mut bytes: usize = self.kept.iter().map(|file| file.len()).sum();
        while (bytes > KEPT || self.kept.len() > NAMES)
            && let Some(oldest) = self.kept.pop_front()
        {
            bytes -= oldest.len();
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "in a test it is how to fail")]

    use super::*;

    /// A file that was written long ago.
    fn write(path: &Path, content: impl AsRef<[u8]>, age: Duration) {
        fs::write(path, content).unwrap();
        let file = fs::OpenOptions::new().write(true).open(path).unwrap();
        file.set_modified(SystemTime::now() - age).unwrap();
    }

    #[tokio::test]
    async fn a_file_is_held_once_and_read_anew_when_it_changed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("page.js");
        fs::write(&path, "first").unwrap();
        let page = Folder::new(folder.path().to_owned());
        let one = page.load("page.js").await.unwrap();
        let two = page.load("page.js").await.unwrap();
        assert!(Arc::ptr_eq(&one, &two));
        fs::write(&path, "the second").unwrap();
        assert_eq!(page.load("page.js").await.unwrap().bytes(), "the second");
        assert_eq!(one.bytes(), "first");
    }

    #[tokio::test]
    async fn what_was_not_changed_lately_is_kept_and_the_rest_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let page = Folder::new(folder.path().to_owned());
        let is_kept = async |name: &str| {
            let file = Arc::downgrade(&page.load(name).await.unwrap());
            file.strong_count() > 0
        };
        let hour = Duration::from_hours(1);
        let path = |name| folder.path().join(name);
        write(&path("old.js"), "old", hour);
        assert!(is_kept("old.js").await);
        let before = page.load("old.js").await.unwrap();
        assert!(Arc::ptr_eq(&before, &page.load("old.js").await.unwrap()));
        // As long, and at another time.
        write(&path("old.js"), "new", 2 * hour);
        assert_eq!(page.load("old.js").await.unwrap().bytes(), "new");
        assert_eq!(Arc::strong_count(&before), 1, "nothing keeps what it was");

        write(&path("fresh.js"), "fresh", Duration::ZERO);
        assert!(!is_kept("fresh.js").await);
        write(&path("huge.bin"), vec![0; KEPT + 1], hour);
        assert!(!is_kept("huge.bin").await);
    }

    #[tokio::test]
    async fn what_is_asked_for_is_kept_longest() {
        let folder = tempfile::tempdir().unwrap();
        let page = Folder::new(folder.path().to_owned());
        let third = vec![0; KEPT / 3];
        for name in ["a", "b", "c", "d"] {
            write(&folder.path().join(name), &third, Duration::from_hours(1));
        }
        let mut held = Vec::new();
        for name in ["a", "b", "c", "a", "d"] {
            held.push(Arc::downgrade(&page.load(name).await.unwrap()));
        }
        let kept: Vec<bool> = held.iter().map(|it| it.strong_count() > 0).collect();
        assert_eq!(kept, [true, false, true, true, true]);
    }

    #[test]
    fn no_more_are_kept_than_have_names() {
        let folder = tempfile::tempdir().unwrap();
        let page = Folder::new(folder.path().to_owned());
        let mut held = Vec::new();
        for number in 0..NAMES + 2 {
            let name = number.to_string();
            write(&folder.path().join(&name), &name, Duration::from_hours(1));
            held.push(Arc::downgrade(&page.read(&name).unwrap()));
        }
        let is_kept = |it: &Weak<File>| it.strong_count() > 0;
        assert!(!held[..2].iter().any(is_kept));
        assert!(held[2..].iter().all(is_kept));
        let held = page.held.lock().unwrap();
        assert!(held.files.len() <= NAMES + 1, "{}", held.files.len());
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn what_looks_alike_and_is_another_file_is_read() {
        use std::os::unix::fs::symlink;
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let put = |name: &str, content: &str| {
            fs::write(path(name), content).unwrap();
            let file = fs::OpenOptions::new().write(true).open(path(name));
            file.unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
        };
        for (release, content) in [("one", "first"), ("two", "other")] {
            fs::create_dir(path(release)).unwrap();
            put(&format!("{release}/page.js"), content);
        }
        let whole = Folder::new(folder.path().to_owned());
        let current = Folder::new(path("current"));
        for (release, content) in [("one", "first"), ("two", "other"), ("one", "first")] {
            symlink(release, path("next")).unwrap();
            fs::rename(path("next"), path("current")).unwrap();
            for (page, name) in [(&current, "page.js"), (&whole, "current/page.js")] {
                let file = page.load(name).await.unwrap();
                assert_eq!(file.bytes(), content);
                assert!(Arc::ptr_eq(&file, &page.load(name).await.unwrap()));
            }
        }
        // In its place under the same name.
        put("next", "third");
        fs::rename(path("next"), path("one/page.js")).unwrap();
        assert_eq!(current.load("page.js").await.unwrap().bytes(), "third");
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_link_leads_to_files_of_the_page_alone() {
        use std::os::unix::fs::symlink;
        let folder = tempfile::tempdir().unwrap();
        let (page, secret) = (folder.path().join("page"), folder.path().join("secret"));
        fs::create_dir(&page).unwrap();
        fs::write(&secret, "secret").unwrap();
        fs::write(page.join("real.txt"), "real").unwrap();
        symlink(page.join("real.txt"), page.join("link.txt")).unwrap();
        symlink(&secret, page.join("secret.txt")).unwrap();
        symlink(folder.path(), page.join("up")).unwrap();
        // The folder itself may be a link.
        symlink(&page, folder.path().join("current")).unwrap();
        let page = Folder::new(folder.path().join("current"));
        assert_eq!(page.load("link.txt").await.unwrap().bytes(), "real");
        for outside in ["secret.txt", "up/secret", "up"] {
            assert!(page.load(outside).await.is_none(), "{outside}");
        }
    }
}
