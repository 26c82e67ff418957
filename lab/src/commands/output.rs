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
    target: Target,
}

enum Target {
    /// What standard output goes to, by whatever name. Opened once more, a file would be written from
    /// its beginning by each, the one over the other.
    Out,
    File(File),
}

impl Destination {
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        let target = Target::open(path).with_context(|| cannot_write(path))?;
        let path = path.to_owned();
        Ok(Destination { path, target })
    }

    /// The same, if a file is named.
    pub(crate) fn named(path: Option<&PathBuf>) -> anyhow::Result<Option<Self>> {
        path.map(|path| Destination::open(path)).transpose()
    }

    /// This is all of it.
    pub(crate) fn fill(mut self, bytes: &[u8]) -> anyhow::Result<()> {
        let written = self.target.clear().and_then(|()| {
            self.target.write_all(bytes)?;
            self.target.end_line(bytes)
        });
        written.with_context(|| cannot_write(&self.path))
    }

    /// For what is written bit by bit, from now on.
    pub(crate) fn writer(mut self) -> anyhow::Result<impl Write + Send + 'static> {
        let cleared = self.target.clear();
        cleared.with_context(|| cannot_write(&self.path))?;
        Ok(self.target)
    }
}

impl Target {
    fn open(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        let file = options
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)?;
        Ok(if is_out(&file)? {
            Target::Out
        } else {
            Target::File(file)
        })
    }

    fn clear(&mut self) -> io::Result<()> {
        match self {
            // A pipe has nothing that could be replaced.
            Target::File(file) if file.metadata()?.is_file() => file.set_len(0),
            _ => Ok(()),
        }
    }

    /// Something else may follow.
    fn end_line(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Target::Out if !bytes.ends_with(b"\n") => self.write_all(b"\n"),
            _ => Ok(()),
        }
    }
}

impl Write for Target {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Target::Out => out().write(bytes),
            Target::File(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Target::Out => out().flush(),
            Target::File(file) => file.flush(),
        }
    }
}

#[cfg(unix)]
fn is_out(file: &File) -> io::Result<bool> {
    use std::os::fd::AsFd;
    use std::os::unix::fs::MetadataExt;
    let out = File::from(io::stdout().as_fd().try_clone_to_owned()?);
    let (out, file) = (out.metadata()?, file.metadata()?);
    Ok((out.dev(), out.ino()) == (file.dev(), file.ino()))
}

/// There it has no name.
#[cfg(not(unix))]
fn is_out(_: &File) -> io::Result<bool> {
    Ok(false)
}

fn cannot_write(path: &Path) -> String {
    format!("cannot write {}", path.display())
}
