//! A recording of a session in a file: for `lab replay`.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use swarm_core::record::{Part, Sink};

use crate::Error;

/// Small entries are gathered before they are written.
const BUFFER: usize = 256 << 10;

/// See the module. Written to as the session goes on; what a full disk does not take ends
/// the recording and nothing else.
#[derive(Debug)]
pub struct Recording {
    path: PathBuf,
    file: BufWriter<File>,
    length: u64,
    error: Option<io::Error>,
}

impl Recording {
    /// Makes the file. One that is there is somebody's, and stays.
    pub fn create(path: &Path) -> Result<Self, Error> {
        let file = File::create_new(path).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => Error::RecordingExists(path.to_owned()),
            _ => Error::file("create the recording", path)(error),
        })?;
        Ok(Recording {
            path: path.to_owned(),
            file: BufWriter::with_capacity(BUFFER, file),
            length: 0,
            error: None,
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes what was gathered; the recording's length in bytes.
    pub fn finish(mut self) -> Result<u64, Error> {
        let flushed = match self.error {
            Some(error) => Err(error),
            None => self.file.flush(),
        };
        flushed.map_err(Error::file("go on writing", &self.path))?;
        Ok(self.length)
    }
}

impl Sink for Recording {
    fn record(&mut self, part: Part) -> bool {
        if self.error.is_some() {
            return false;
        }
        let written = self.file.write_all(&part.head);
        match written.and_then(|()| self.file.write_all(&part.body)) {
            Ok(()) => {
                self.length += part.head.len() as u64 + part.body.len() as u64;
                true
            }
            Err(error) => {
                self.error = Some(error);
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_there_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("there");
        std::fs::write(&path, "precious").unwrap();
        let error = Recording::create(&path).unwrap_err().to_string();
        assert!(error.contains("is there already"), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), b"precious");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_ends_the_recording() {
        // Opened, never created: a device must not become a file.
        let device = File::options().write(true).open("/dev/full").unwrap();
        let mut recording = Recording {
            path: "/dev/full".into(),
            file: BufWriter::with_capacity(4, device),
            length: 0,
            error: None,
        };
        let part = || Part {
            head: vec![1; 8],
            body: bytes::Bytes::new(),
        };
        assert!(!recording.record(part()));
        assert!(!recording.record(part()));
        let error = recording.finish().unwrap_err().to_string();
        assert!(error.contains("/dev/full"), "{error}");
    }
}
