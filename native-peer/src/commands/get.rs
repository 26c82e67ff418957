//! `native-peer get`

use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use swarm_core::engine::{Command, Resume, StoreError};
use swarm_core::metainfo::{Metainfo, Selection};
use swarm_core::pieces::{PieceIndex, Strategy};
use tokio::task::spawn_blocking;

use super::choose::Chosen;
use super::network::Network;
use super::seed::until_stopped;
use super::session::{Reached, Session, run_on_runtime};
use super::source::Source;
use crate::Error;
use crate::arguments::Get;
use crate::recording::Recording;
use crate::screen::Screen;
use crate::status::bytes;
use crate::store::file::Wishes;
use crate::store::{FileStore, Store};
use crate::text::{plain, shown};

/// So often is fetched again what was changed on the disk before it was read back.
const MAX_ROUNDS: u32 = 3;
const NOT_KEPT: &str =
    "the disk does not keep what is written to it, or something else goes on writing to it";
const STORE: &str = "there is a store as soon as the metadata is known";

pub(crate) fn run(arguments: Get) -> Result<ExitCode, Error> {
    let source = Source::read(&arguments.torrent)?;
    let network = network(&source, &arguments)?;
    if let Source::Torrent(metainfo, _) = &source {
        // Before anything is made.
        Chosen::of(&arguments.choice, None, metainfo)?;
    }
    make_folder(&arguments.output)?;
    let recording = arguments.record.begin()?;
    run_on_runtime(network.webrtc, async move {
        get(source, network, &arguments, recording).await
    })?
}

/// Where to meet others: at the trackers that are named on the command line, in the torrent
/// or in the link, or else at the usual one.
fn network(source: &Source, arguments: &Get) -> Result<Network, Error> {
    match source {
        Source::Torrent(torrent, nodes) => {
            let own: Vec<Vec<String>> = torrent.tiers().map(<[String]>::to_vec).collect();
            let mut network = match torrent.is_private() {
                true => Network::private(&arguments.ways, torrent.name(), &own)?,
                false => Network::new(&arguments.ways, &own)?,
            };
            network.ask_web_seeds(torrent.web_seeds());
            network.join_by(nodes);
            Ok(network)
        }
        Source::Link(link, peers) => {
            let own = link.page_tracker().into_iter().chain(link.trackers.clone());
            let own: Vec<Vec<String>> = own.map(|tracker| vec![tracker]).collect();
            let mut network = Network::new(&arguments.ways, &own)?;
            network.ask_web_seeds(&link.web_seeds);
            network.call_too(peers);
            Ok(network)
        }
    }
}

/// Makes the folder if it is not there.
fn make_folder(folder: &Path) -> Result<(), Error> {
    fs::create_dir_all(folder).map_err(Error::file("create the folder", folder))
}

/// Tries whether a folder can be written to: better now than after the first piece.
fn try_to_write(folder: &Path) -> Result<(), Error> {
    tempfile::tempfile_in(folder).map_err(Error::file("write to", folder))?;
    Ok(())
}

async fn get(
    source: Source,
    network: Network,
    arguments: &Get,
    recording: Option<Recording>,
) -> Result<ExitCode, Error> {
    let named = network.named;
    let asked = match &source {
        Source::Link(link, _) => link.files.clone(),
        Source::Torrent(..) => None,
    };
    let (command, opened) = match source {
        Source::Torrent(metainfo, _) => {
            let opened = Opened::new(arguments, None, metainfo.clone()).await?;
            let resume = if opened.store.has_something() {
                Resume::Check
            } else {
                Resume::Nothing
            };
            (
                Command::AddTorrent {
                    metainfo,
                    resume,
                    paused: false,
                },
                Some(opened),
            )
        }
        Source::Link(link, _) => {
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
    let mut session = Session::begin(&network, Screen::new(), command, recording)?;
    session.set_rates(arguments.pace.rates());
    if arguments.sequential {
        session.set_strategy(Strategy::Sequential);
    }
    let result = fetch(&mut session, arguments, asked, named, opened).await;
    session.end().await;
    result.map(ExitCode::from)
}

/// Everything between the beginning and the end; returns the exit code. `asked` are the files
/// that a link asks for; `named` says that it names trackers, or a person does.
async fn fetch(
    session: &mut Session,
    arguments: &Get,
    asked: Option<Selection>,
    named: bool,
    mut opened: Option<Opened>,
) -> Result<u8, Error> {
    if let Some(opened) = &opened {
        opened.begin(session);
    }
    let mut rounds = 0;
    loop {
        match session.run().await? {
            Reached::Metadata(metainfo) => {
                if metainfo.is_private() && !named {
                    let name = plain(metainfo.name());
                    return Err(Error::Usage(format!(
                        "{name} is private, and the link names none of its trackers: use its .torrent file"
                    )));
                }
                opened
                    .insert(Opened::new(arguments, asked.as_ref(), metainfo).await?)
                    .begin(session);
            }
            Reached::Checked(have) => {
                let store = opened.as_ref().expect(STORE).store.clone();
                blocking(move || store.checked(&have)).await?;
            }
            Reached::Stopped(code) => {
                tell_how_to_go_on(session);
                return Ok(code);
            }
            // What is lost is fetched again; nothing is shared on yet.
            Reached::NothingLeft | Reached::GaveEnough => {}
            Reached::Completed => {
                let opened = opened.as_ref().expect(STORE);
                let store = opened.store.clone();
                let bad = match session.run_beside(blocking(move || finish(&store))).await? {
                    Ok(result) => result?,
                    Err(code) => return Ok(code),
                };
                if !bad.is_empty() {
                    rounds += 1;
                    if rounds >= MAX_ROUNDS {
                        return Err(Error::Other(NOT_KEPT.to_owned()));
                    }
                    session.screen.say(&changed_in_words(bad.len()));
                    session.lose(bad);
                    continue;
                }
                for line in opened.words(&arguments.output) {
                    session.screen.say(&line);
                }
                let enough = arguments.enough.enough();
                if arguments.seed || enough.is_set() {
                    session.only_give(opened.metainfo.files().len());
                    until_stopped(session, enough).await?;
                }
                return Ok(0);
            }
        }
    }
}

/// A torrent, what is wanted of it, and where it goes.
struct Opened {
    metainfo: Metainfo,
    chosen: Chosen,
    store: Arc<FileStore>,
}

impl Opened {
    async fn new(
        arguments: &Get,
        asked: Option<&Selection>,
        metainfo: Metainfo,
    ) -> Result<Self, Error> {
        let chosen = Chosen::of(&arguments.choice, asked, &metainfo)?;
        let (folder, torrent) = (arguments.output.clone(), metainfo.clone());
        let wishes = Wishes {
            left_out: chosen.left_out(),
            overwrite: arguments.overwrite,
        };
        let store = blocking(move || {
            let store = FileStore::open(&folder, &torrent, wishes)?;
            if store.will_write() {
                try_to_write(&folder)?;
            }
            Ok::<_, Error>(store)
        });
        Ok(Opened {
            store: Arc::new(store.await?),
            metainfo,
            chosen,
        })
    }

    /// Says what is wanted before the engine hears what is here.
    fn begin(&self, session: &mut Session) {
        session.set_priorities(self.chosen.priorities());
        session.attach(self.store.clone());
    }

    /// What was fetched, and what not.
    fn words(&self, folder: &Path) -> Vec<String> {
        let (count, length) = self.chosen.size(&self.metainfo);
        let (name, length) = (plain(self.metainfo.name()), bytes(length));
        let (all, folder) = (self.metainfo.files().len(), shown(folder));
        let fetched = match count {
            _ if count == all => format!("{name}, {length}, is in {folder}"),
            1 => format!("1 of {all} files of {name}, {length}, is in {folder}"),
            _ => format!("{count} of {all} files of {name}, {length}, are in {folder}"),
        };
        let left_out = self.chosen.words(&self.metainfo);
        [fetched].into_iter().chain(left_out).collect()
    }
}

/// Reads back what was written; returns the pieces that something else has changed, or
/// finishes.
fn finish(store: &FileStore) -> Result<Vec<PieceIndex>, StoreError> {
    let bad = store.read_back()?;
    if bad.is_empty() {
        store.finish()?;
    }
    Ok(bad)
}

fn changed_in_words(pieces: usize) -> String {
    let pieces = match pieces {
        1 => "1 piece was".to_owned(),
        n => format!("{n} pieces were"),
    };
    format!("read back: {pieces} changed by something else since, and fetched again")
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
