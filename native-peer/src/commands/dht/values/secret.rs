//! The key that signs values, in a file.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use swarm_core::dht::SecretKey;

use crate::Error;
use crate::arguments::hex;
use crate::text::shown;

/// The key in a file: 64 hexadecimal digits, on one line. If there is no such file it is made,
/// for nobody else to read.
pub(super) fn open(path: &Path) -> Result<SecretKey, Error> {
    match fs::read_to_string(path) {
        Ok(text) => match hex(text.trim()) {
            Some(seed) => Ok(SecretKey::from_seed(seed)),
            None => Err(Error::Other(format!(
                "{} is no secret key: it has to hold 64 hexadecimal digits",
                shown(path)
            ))),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => make(path),
        Err(error) => Err(Error::file("read", path)(error)),
    }
}

fn make(path: &Path) -> Result<SecretKey, Error> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed)
        .map_err(|e| Error::Other(format!("the system has no randomness: {e}")))?;
    let text = seed.map(|byte| format!("{byte:02x}")).concat();
    create(path)
        .and_then(|mut file| writeln!(file, "{text}"))
        .map_err(Error::file("create", path))?;
    Ok(SecretKey::from_seed(seed))
}

fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
