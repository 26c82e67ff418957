//! `native-peer get`

use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use swarm_core::engine::{Command, Resume, StoreError};
use swarm_core::metainfo::Metainfo;
use tokio::task::spawn_blocking;

use super::seed::until_stopped;
use super::session::{Reached, Session, runtime};
use super::source::Source;
use crate::Error;
use crate::address::TrackerAddress;
use crate::cli::Get;
use crate::recording::Recording;
use crate::screen::Screen;
use crate::status::bytes;
use crate::store::{FileStore, Store};
use crate::text::{plain, shown};

pub(crate) fn run(arguments: &Get) -> Result<ExitCode, Error> {
    let source = Source::read(&arguments.torrent)?;
    let tracker = match &arguments.tracker {
        Some(text) => text.parse()?,
        None => own_tracker(&source).map_or_else(TrackerAddress::from_environment, Ok)?,
    };
    make_folder(&arguments.output)?;
    let recording = arguments.record.begin()?;
    runtime()?.block_on(get(source, tracker, arguments, recording))
}

/// The tracker that the torrent or the link names.
fn own_tracker(source: &Source) -> Option<TrackerAddress> {
    match source {
        Source::Torrent(metainfo) => TrackerAddress::first_of(metainfo.trackers()),
        Source::Link(link) => link
            .page_tracker()
            .and_then(|tracker| tracker.parse().ok())
            .or_else(|| TrackerAddress::first_of(&link.trackers)),
    }
}

/// Makes the folder if it is not there, and tries whether it can be written to: better
/// now than after the first piece.
fn make_folder(folder: &Path) -> Result<(), Error> {
    fs::create_dir_all(folder).map_err(Error::file("create the folder", folder))?;
    tempfile::tempfile_in(folder).map_err(Error::file("write to", folder))?;
    Ok(())
}

async fn get(
    source: Source,
    tracker: TrackerAddress,
    arguments: &Get,
    recording: Option<Recording>,
) -> Result<ExitCode, Error> {
    let folder = &arguments.output;
    let (command, opened) = match source {
        Source::Torrent(metainfo) => {
            let store = open(folder, &metainfo).await?;
            let resume = if store.has_something() {
                Resume::Check
            } else {
                Resume::Nothing
            };
            (
                Command::AddTorrent {
                    metainfo: metainfo.clone(),
                    resume,
                    paused: false,
                },
                Some((metainfo, store)),
            )
        }
        Source::Link(link) => {
            let (info_hash, name) = (link.info_hash, link.name);
            (
                Command::AddLink {
                    info_hash,
                    name,
                    check: true,
                    paused: false,
                },
                None,
            )
        }
    };
    let mut session = Session::begin(tracker, Screen::new(), command, recording)?;
    let result = fetch(&mut session, folder, opened, arguments.seed).await;
    session.end().await;
    result.map(ExitCode::from)
}

/// Everything between the beginning and the end; returns the exit code.
async fn fetch(
    session: &mut Session,
    folder: &Path,
    opened: Option<(Metainfo, Arc<FileStore>)>,
    keep_seeding: bool,
) -> Result<u8, Error> {
    let mut current = None;
    if let Some((metainfo, store)) = opened {
        session.attach(store.clone());
        current = Some((metainfo, store));
    }
    loop {
        match session.run().await? {
            Reached::Metadata(metainfo) => {
                let store = open(folder, &metainfo).await?;
                session.attach(store.clone());
                current = Some((metainfo, store));
            }
            Reached::Stopped(code) => {
                tell_how_to_go_on(session);
                return Ok(code);
            }
            Reached::Completed => {
                let (metainfo, store) = current.expect("nothing completes without a store");
                match session.run_beside(finish(store)).await? {
                    Ok(result) => result?,
                    Err(code) => return Ok(code),
                }
                let length = bytes(metainfo.layout().total_length());
                session.screen.say(&format!(
                    "{}, {length}, is in {}",
                    plain(metainfo.name()),
                    shown(folder)
                ));
                if keep_seeding {
                    until_stopped(session).await?;
                }
                return Ok(0);
            }
        }
    }
}

async fn open(folder: &Path, metainfo: &Metainfo) -> Result<Arc<FileStore>, StoreError> {
    let (folder, metainfo) = (folder.to_owned(), metainfo.clone());
    blocking(move || FileStore::open(&folder, &metainfo))
        .await
        .map(Arc::new)
}

async fn finish(store: Arc<FileStore>) -> Result<(), StoreError> {
    blocking(move || store.finish()).await
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

fn tell_how_to_go_on(session: &Session) {
    let done = session.progress().map_or(String::new(), |p| {
        format!(" at {:.0}%", (p * 100.0).floor())
    });
    session.screen.say(&format!(
        "stopped{done}; the same command goes on from here"
    ));
}
