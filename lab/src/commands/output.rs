//! Where commands write: to standard output, and to files that a person names.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, StdoutLock, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;

/// Standard output. A reader that went away is no error: it has seen what it wanted.
pub(crate) struct Out(StdoutLock<'static>);

/// The only one at a time.
pub(crate) fn out() -> Out {
    Out(io::stdout().lock())
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.0.write(bytes) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(bytes.len()),
            result => result,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self.0.flush() {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            result => result,
        }
    }
}

/// A file for what takes long to make. It is opened before: what can't be written is better known
/// then. What is in it stays until there is something new.
pub(crate) struct Destination {
    path: PathBuf,
    file: File,
}

impl Destination {
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        let mut options = OpenOptions::new();
        let file = options.write(true).create(true).truncate(false).open(path);
        Ok(Destination {
            path: path.to_owned(),
            file: file.with_context(|| cannot_write(path))?,
        })
    }

    /// The same, if a file is named.
    pub(crate) fn named(path: Option<&PathBuf>) -> anyhow::Result<Option<Self>> {
        path.map(|path| Destination::open(path)).transpose()
    }

    pub(crate) fn write(mut self, bytes: &[u8]) -> anyhow::Result<()> {
        let written = self.replace(bytes);
        written.with_context(|| cannot_write(&self.path))
    }

    fn replace(&mut self, bytes: &[u8]) -> io::Result<()> {
        // A pipe has nothing that could be replaced.
        if self.file.metadata()?.is_file() {
            self.file.set_len(0)?;
        }
        self.file.write_all(bytes)
    }
}

fn cannot_write(path: &Path) -> String {
    format!("cannot write {}", path.display())
}
