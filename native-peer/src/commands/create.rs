//! `native-peer create`

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use swarm_core::metainfo::Metainfo;

use super::session;
use crate::Error;
use crate::address::Tracker;
use crate::arguments::Create;
use crate::screen::Screen;
use crate::share::{Options, make};
use crate::status::bytes;
use crate::text::{complain, plain, print, print_bytes, shown};

/// In place of a file's name.
const TO_STANDARD_OUTPUT: &str = "-";

pub(crate) fn run(arguments: Create) -> Result<ExitCode, Error> {
    let Create {
        paths,
        output,
        shape,
        trackers,
        private,
    } = arguments;
    check_place(&output, &paths)?;
    let trackers = trackers
        .iter()
        .map(|t| tracker(t))
        .collect::<Result<_, _>>()?;
    let options = Options {
        name: shape.name,
        piece_length: shape.piece_length,
        trackers,
        web_seeds: shape.web_seeds,
        private,
    };
    let screen = Screen::new();
    let made = make(&paths, options, &screen)?;
    screen.clear();
    session::tell_remarks(&made.remarks);
    let (torrent, info_hash) = (made.metainfo.to_torrent(), made.metainfo.info_hash());
    if output.as_os_str() == TO_STANDARD_OUTPUT {
        print_bytes(&torrent).map_err(|error| not_printed(&error))?;
        complain(&summary("standard output", &made.metainfo));
        complain(&info_hash.to_string());
    } else {
        write(&output, &torrent)?;
        complain(&summary(&shown(&output), &made.metainfo));
        print(&info_hash.to_string()).map_err(|error| not_printed(&error))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn not_printed(error: &io::Error) -> Error {
    Error::Other(format!("cannot write to standard output: {error}"))
}

/// A tracker to name in a torrent.
fn tracker(text: &str) -> Result<String, Error> {
    // By HTTP an announce's address, whatever it is called: no page is meant here.
    match text.parse::<Tracker>() {
        Ok(tracker) => Ok(tracker.to_string()),
        Err(_) => Ok(Tracker::typed(text)?.to_string()),
    }
}

/// What is written must not take the place of what it is about.
fn check_place(output: &Path, paths: &[PathBuf]) -> Result<(), Error> {
    if output.as_os_str() == TO_STANDARD_OUTPUT {
        return Ok(());
    }
    let Ok(there) = output.canonicalize() else {
        return Ok(());
    };
    let shared = paths.iter().filter_map(|path| path.canonicalize().ok());
    if there.is_file() && shared.into_iter().any(|path| there.starts_with(path)) {
        let output = shown(output);
        return Err(Error::Usage(format!(
            "{output} is one of the files to share and would be replaced: name another file, or move it away"
        )));
    }
    Ok(())
}

/// Writes the file so that it is never seen half written.
fn write(path: &Path, contents: &[u8]) -> Result<(), Error> {
    let folder = path
        .parent()
        .filter(|p| !p.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    fs::metadata(folder).map_err(Error::file("write", path))?;
    // A device or a pipe takes it as it comes.
    if fs::metadata(path).is_ok_and(|there| !there.is_file() && !there.is_dir()) {
        return fs::write(path, contents).map_err(Error::file("write", path));
    }
    let write = || {
        // What others may read of it is decided by the umask, as for any other file.
        let mut builder = tempfile::Builder::new();
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let mut file = builder.tempfile_in(folder)?;
        file.write_all(contents)?;
        file.persist(path)?;
        Ok(())
    };
    write().map_err(Error::file("write", path))
}

fn summary(output: &str, metainfo: &Metainfo) -> String {
    let layout = metainfo.layout();
    format!(
        "{output}: {}, {} in pieces of {} KiB",
        plain(metainfo.name()),
        bytes(layout.total_length()),
        layout.piece_length() / 1024
    )
}
