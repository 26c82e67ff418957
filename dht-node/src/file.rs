//! Whom a node knew when its program ended, in a file.
//!
//! Programs that use one file at once don't write over each other, nor are they the same node
//! at two ports: the first of them has the file until it ends, the others only read from it.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use swarm_core::dht::{Contact, Family, NodeId, Saved};

/// The first line of a file, with the version of what follows.
const HEAD: &str = "tabswarm dht 1";
/// What the families are called in it. That of tabs has no sockets.
const FAMILIES: [(&str, Family); 2] = [("ipv4", Family::V4), ("ipv6", Family::V6)];

/// Bytes of a file that are read; ours have some ten thousand.
const MAX_LENGTH: u64 = 1 << 20;

/// See the module.
#[derive(Debug)]
pub struct TableFile {
    path: PathBuf,
    /// Ours until it is closed.
    lock: Option<File>,
}

impl TableFile {
    /// The file at a path, in a folder that is made if it is not there. It need not be there
    /// itself.
    pub fn open(path: PathBuf) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let lock = File::create(path.with_extension("lock"))?;
        let lock = match lock.try_lock() {
            Ok(()) => Some(lock),
            Err(TryLockError::WouldBlock) => None,
            Err(TryLockError::Error(error)) => return Err(error),
        };
        Ok(TableFile { path, lock })
    }

    /// What is in it, without the identifiers if another program uses those; none if there is
    /// no file. Fails, in words, if it is not one of ours or can't be read.
    pub(crate) fn read(&mut self) -> Result<Option<Saved>, String> {
        let text = match read(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.trouble("can't be read", &error)),
        };
        let mut saved =
            parse(&text).map_err(|error| self.trouble("is damaged, and begun anew", &error))?;
        if self.lock.is_none() {
            saved.ids.clear();
        }
        Ok(Some(saved))
    }

    /// Replaces what is in it, all or nothing, unless another program has it.
    pub(crate) fn write(&mut self, saved: &Saved) -> Result<(), String> {
        if self.lock.is_none() {
            return Ok(());
        }
        write(&self.path, &format(saved)).map_err(|error| self.trouble("can't be written", &error))
    }

    fn trouble(&self, what: &str, error: &dyn std::fmt::Display) -> String {
        let path = self.path.display();
        format!("the table of the DHT, {path}, {what}: {error}")
    }
}

/// Why a text is none of ours.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum Damage {
    #[error("it does not begin with “{HEAD}”")]
    Head,
    #[error("line {0} is not understood")]
    Line(usize),
}

/// A line for each identifier of ours and each node, for people too.
fn format(saved: &Saved) -> String {
    let mut text = format!("{HEAD}\n");
    for (family, id) in &saved.ids {
        if let Some((name, _)) = FAMILIES.iter().find(|(_, it)| it == family) {
            text += &format!("we {name} {id}\n");
        }
    }
    for contact in &saved.contacts {
        if let Some(address) = contact.address.socket() {
            text += &format!("node {address} {}\n", contact.id);
        }
    }
    text
}

fn parse(text: &str) -> Result<Saved, Damage> {
    let mut lines = (1..).zip(text.lines());
    if lines.next().is_none_or(|(_, head)| head != HEAD) {
        return Err(Damage::Head);
    }
    let mut saved = Saved::default();
    for (number, line) in lines {
        parse_line(line, &mut saved).ok_or(Damage::Line(number))?;
    }
    Ok(saved)
}

fn parse_line(line: &str, saved: &mut Saved) -> Option<()> {
    let mut words = line.split(' ');
    let (kind, name, id) = (words.next()?, words.next()?, words.next()?);
    let id: NodeId = id.parse().ok()?;
    match kind {
        "we" => {
            let (_, family) = FAMILIES.iter().find(|(it, _)| *it == name)?;
            saved.ids.push((*family, id));
        }
        "node" => {
            let address: SocketAddr = name.parse().ok()?;
            let address = address.into();
            saved.contacts.push(Contact { id, address });
        }
        _ => return None,
    }
    words.next().is_none().then_some(())
}

fn read(path: &Path) -> io::Result<String> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_LENGTH).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests;
