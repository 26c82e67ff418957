//! `native-peer show`

use std::process::ExitCode;

use serde::Serialize;
use swarm_core::metainfo::{Metainfo, TorrentLink};

use super::source::Source;
use crate::Error;
use crate::arguments::Show;
use crate::status::bytes;
use crate::text::{plain, print};

/// What is known of a torrent. The names are a promise to scripts.
#[derive(Serialize)]
struct Description {
    name: Option<String>,
    info_hash: String,
    piece_length: Option<u32>,
    pieces: Option<u32>,
    length: Option<u64>,
    files: Option<Vec<DescribedFile>>,
    trackers: Vec<String>,
    web_seeds: Vec<String>,
    private: Option<bool>,
}

#[derive(Serialize)]
struct DescribedFile {
    /// With `/` between its parts.
    path: String,
    length: u64,
}

pub(crate) fn run(arguments: &Show) -> Result<ExitCode, Error> {
    let description = match Source::read(&arguments.torrent)? {
        Source::Torrent(metainfo, _) => Description::of(&metainfo),
        Source::Link(link, _) => Description::of_link(link),
    };
    let text = if arguments.json {
        serde_json::to_string(&description).expect("strings and numbers can be JSON")
    } else {
        description.in_words()
    };
    print(&text).map_err(|e| Error::Other(format!("cannot write to standard output: {e}")))?;
    Ok(ExitCode::SUCCESS)
}

impl Description {
    fn of(metainfo: &Metainfo) -> Self {
        let layout = metainfo.layout();
        let files = metainfo.files().iter();
        let files = files.map(|f| DescribedFile {
            path: f.path.parts().join("/"),
            length: f.length,
        });
        Description {
            name: Some(metainfo.name().to_owned()),
            info_hash: metainfo.info_hash().to_string(),
            piece_length: Some(layout.piece_length()),
            pieces: Some(layout.piece_count()),
            length: Some(metainfo.length()),
            files: Some(files.collect()),
            trackers: metainfo.trackers().to_vec(),
            web_seeds: metainfo.web_seeds().to_vec(),
            private: Some(metainfo.is_private()),
        }
    }

    fn of_link(link: TorrentLink) -> Self {
        let trackers = link
            .page_tracker()
            .into_iter()
            .chain(link.trackers)
            .collect();
        Description {
            name: link.name,
            info_hash: link.info_hash.to_string(),
            piece_length: None,
            pieces: None,
            length: None,
            files: None,
            trackers,
            web_seeds: link.web_seeds,
            private: None,
        }
    }

    fn in_words(&self) -> String {
        let mut lines = Vec::new();
        lines.push(format!(
            "name       {}",
            self.name.as_deref().map_or("not known".to_owned(), plain)
        ));
        lines.push(format!("info-hash  {}", self.info_hash));
        if let Some(length) = self.length {
            lines.push(format!("length     {} ({length} bytes)", bytes(length)));
        }
        if let (Some(pieces), Some(length)) = (self.pieces, self.piece_length) {
            lines.push(format!("pieces     {pieces} of {} KiB", length / 1024));
        }
        lines.extend(
            self.trackers
                .iter()
                .map(|tracker| format!("tracker    {}", plain(tracker))),
        );
        let web_seeds = self.web_seeds.iter();
        lines.extend(web_seeds.map(|seed| format!("web seed   {}", plain(seed))));
        if self.private == Some(true) {
            lines.push("private    yes".to_owned());
        }
        match &self.files {
            Some(files) => {
                lines.push(String::new());
                lines.extend(
                    files
                        .iter()
                        .map(|f| format!("{:>14}  {}", f.length, plain(&f.path))),
                );
            }
            None => lines.push("A link tells no more; the rest comes from peers.".to_owned()),
        }
        lines.join("\n")
    }
}
