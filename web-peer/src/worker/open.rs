//! Opening what others made: links and `.torrent` files.

use std::rc::Rc;

use swarm_core::engine::{Command, Resume};
use swarm_core::id::InfoHash;
use swarm_core::metainfo::{Metainfo, Selection, TorrentLink};
use swarm_core::pieces::Priority;
use wasm_bindgen::JsValue;

use super::commands::record;
use super::host::{Host, Input};
use super::store::{Content, More};
use super::torrents::Torrent;
use crate::messages::ToPage;

impl Host {
    /// Says what became of something that was to be added, with what whoever asked wants attached
    /// to the answer.
    pub(super) fn answer(&self, added: Result<InfoHash, String>, attached: &[JsValue]) {
        let answer = match added {
            Ok(info_hash) => ToPage::Added(info_hash),
            Err(text) => ToPage::Notice { error: true, text },
        };
        self.tell(&answer, attached);
    }

    /// Takes part in what a link names.
    pub(super) fn add_link(self: &Rc<Self>, text: &str) -> Result<InfoHash, String> {
        let link: TorrentLink = text
            .trim()
            .parse()
            .map_err(|error| format!("This link can't be opened: {error}"))?;
        let page_tracker = link.page_tracker();
        let info_hash = link.info_hash;
        let trackers: Vec<String> = page_tracker.into_iter().chain(link.trackers).collect();
        self.add_trackers(info_hash, &trackers);
        if let Some(metainfo) = self.torrents.metainfo(info_hash) {
            self.choose_more(&metainfo, link.files.as_ref());
        } else if !self.torrents.contains(info_hash) {
            let mut record = record(info_hash, Content::Link(link.name.clone()));
            record.web_seeds = link.web_seeds;
            record.more = More {
                trackers,
                files: link.files.map(|files| files.to_string()),
                ..More::default()
            };
            self.insert(Torrent {
                record,
                metainfo: None,
                source: None,
            });
            let (name, check, paused) = (link.name, false, false);
            self.feed(Input::Command(Command::AddLink {
                info_hash,
                name,
                check,
                paused,
            }));
            self.tell_wishes(info_hash);
        }
        Ok(info_hash)
    }

    /// Takes part in what a `.torrent` file called `name` describes.
    pub(super) fn open_torrent(
        self: &Rc<Self>,
        name: &str,
        bytes: &[u8],
    ) -> Result<InfoHash, String> {
        let metainfo = Metainfo::from_torrent(bytes)
            .map_err(|error| format!("“{name}” can't be opened: {error}"))?;
        if self.is_strange(&metainfo) {
            return Err(private(&metainfo));
        }
        let info_hash = metainfo.info_hash();
        self.add_torrent(metainfo);
        Ok(info_hash)
    }

    fn add_torrent(self: &Rc<Self>, metainfo: Metainfo) {
        let info_hash = metainfo.info_hash();
        let known = self
            .torrents
            .look(info_hash, |torrent| torrent.metainfo.is_some());
        if known == Some(false) {
            // The engine knows the link only: the file says everything.
            self.feed(Input::Command(Command::Remove(info_hash)));
        }
        if known != Some(true) {
            let record = record(info_hash, Content::Torrent(metainfo.to_torrent()));
            self.insert(Torrent {
                record,
                metainfo: Some(metainfo.clone()),
                source: None,
            });
            let (resume, paused) = (Resume::Nothing, false);
            self.feed(Input::Command(Command::AddTorrent {
                metainfo,
                resume,
                paused,
            }));
        }
    }

    /// Peers have sent a link's metadata.
    pub(super) fn metadata_is_here(self: &Rc<Self>, metainfo: &Metainfo) {
        let info_hash = metainfo.info_hash();
        let named = self.torrents.look(info_hash, |torrent| {
            let record = torrent.record.clone();
            (record.more, record.web_seeds)
        });
        // It may have been removed in the meantime.
        let Some((
            More {
                trackers, files, ..
            },
            web_seeds,
        )) = named
        else {
            return;
        };
        // Peers send neither; the link named some.
        let metainfo = metainfo.with_trackers(trackers).with_web_seeds(web_seeds);
        if self.is_strange(&metainfo) {
            self.notice(true, private(&metainfo));
            return self.remove(info_hash);
        }
        let torrent_file = metainfo.to_torrent();
        let known = metainfo.clone();
        self.update(info_hash, |torrent| {
            torrent.record.content = Content::Torrent(torrent_file);
            torrent.record.more.files = None;
            torrent.metainfo = Some(known);
        });
        self.follow_trackers();
        let Some(files) = files else { return };
        let files = files.parse::<Selection>().ok();
        match files.and_then(|files| files.priorities(&metainfo)) {
            Some(priorities) => self.set_priorities(info_hash, priorities),
            None => {
                self.tell_wishes(info_hash);
                self.notice(
                    false,
                    format!(
                        "“{}” has none of the files that the link asks for: all are fetched.",
                        metainfo.name()
                    ),
                );
            }
        }
    }

    /// A link asks for files of a torrent that is here already: those too, then.
    fn choose_more(self: &Rc<Self>, metainfo: &Metainfo, files: Option<&Selection>) {
        let info_hash = metainfo.info_hash();
        let asked = files.and_then(|files| files.priorities(metainfo));
        let wishes = self.torrents.look(info_hash, |torrent| {
            torrent.record.wishes.priorities.clone()
        });
        if let (Some(asked), Some(mut priorities)) = (asked, wishes) {
            for (priority, asked) in priorities.iter_mut().zip(asked) {
                if asked == Priority::Normal {
                    *priority = asked;
                }
            }
            self.set_priorities(info_hash, priorities);
        }
    }
}

/// Why a private torrent is not opened.
pub(super) fn private(metainfo: &Metainfo) -> String {
    let trackers = match metainfo.trackers() {
        [] => "it names none".to_owned(),
        [only] => only.clone(),
        [first, rest @ ..] => format!("{first} and {} more", rest.len()),
    };
    format!(
        "“{}” is private: it may be announced to its own trackers only ({trackers}), and this page speaks with \
         none of them. It is not opened here.",
        metainfo.name()
    )
}
