//! A page's files on disk.

use std::collections::HashMap;
use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::SystemTime;

use bytes::Bytes;

/// Reads each time it is asked, and holds a file once however many are sending it: many that
/// read slowly would else make as many copies.
#[derive(Clone, Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    held: Arc<Mutex<HashMap<String, Held>>>,
}

/// A file that somebody is sending.
#[derive(Debug)]
struct Held {
    length: u64,
    modified: Option<SystemTime>,
    content: Weak<Vec<u8>>,
}

impl Folder {
    pub(super) fn new(path: PathBuf) -> Self {
        let held = Arc::default();
        Folder { path, held }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// A file's content; none if there is no such file.
    pub(super) async fn load(&self, name: &str) -> Option<Bytes> {
        let (folder, name) = (self.clone(), name.to_owned());
        let read = tokio::task::spawn_blocking(move || folder.read(&name)).await;
        let content = read.ok()?.ok()?;
        Some(Bytes::from_owner(Shared(content)))
    }

    fn read(&self, name: &str) -> io::Result<Arc<Vec<u8>>> {
        // A link in the folder may lead to another file of it, and not out of it.
        let file = self.path.join(name).canonicalize()?;
        let metadata = fs::metadata(&file)?;
        if !file.starts_with(self.path.canonicalize()?) || !metadata.is_file() {
            return Err(io::ErrorKind::NotFound.into());
        }
        if let Some(content) = self.held(name, &metadata) {
            return Ok(content);
        }
        let content = fs::read(file)?;
        // Somebody else may have read it meanwhile.
        if let Some(content) = self.held(name, &metadata) {
            return Ok(content);
        }
        let content = Arc::new(content);
        let held = Held {
            length: metadata.len(),
            modified: metadata.modified().ok(),
            content: Arc::downgrade(&content),
        };
        let mut all = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(name.to_owned(), held);
        Ok(content)
    }

    fn held(&self, name: &str, metadata: &Metadata) -> Option<Arc<Vec<u8>>> {
        let mut all = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let held = all.get(name)?;
        let is_same = held.length == metadata.len() && held.modified == metadata.modified().ok();
        let content = held.content.upgrade().filter(|_| is_same);
        if content.is_none() {
            all.remove(name);
        }
        content
    }
}

struct Shared(Arc<Vec<u8>>);

impl AsRef<[u8]> for Shared {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "in a test it is how to fail")]

    use super::*;

    #[tokio::test]
    async fn a_file_is_held_once_and_read_anew_when_it_changed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("page.js");
        fs::write(&path, "first").unwrap();
        let page = Folder::new(folder.path().to_owned());
        let one = page.load("page.js").await.unwrap();
        let two = page.load("page.js").await.unwrap();
        assert_eq!(one.as_ptr(), two.as_ptr());
        fs::write(&path, "the second").unwrap();
        assert_eq!(page.load("page.js").await.unwrap(), "the second");
        assert_eq!(one, "first");
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
        assert_eq!(page.load("link.txt").await.unwrap(), "real");
        for outside in ["secret.txt", "up/secret", "up"] {
            assert!(page.load(outside).await.is_none(), "{outside}");
        }
    }
}
