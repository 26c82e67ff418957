//! `native-peer seed`

use std::process::ExitCode;
use std::sync::Arc;

use swarm_core::engine::{Command, Enough, Resume};
use swarm_core::pieces::Bitfield;

use super::network::Network;
use super::session::{Reached, Session, run_on_runtime, tell_remarks};
use crate::Error;
use crate::arguments::Seed;
use crate::pace::Pace;
use crate::recording::Recording;
use crate::screen::Screen;
use crate::share::{Made, Options, make};
use crate::text::print;

pub(crate) fn run(arguments: Seed) -> Result<ExitCode, Error> {
    let Seed {
        paths,
        shape,
        ways,
        pace,
        enough,
        record,
    } = arguments;
    let network = Network::new(&ways, &[])?;
    let options = Options {
        name: shape.name,
        piece_length: shape.piece_length,
        web_seeds: shape.web_seeds,
        ..Options::default()
    };
    let screen = Screen::new();
    let made = make(&paths, options, &screen)?;
    screen.clear();
    let recording = record.begin()?;
    tell_remarks(&made.remarks);
    let link = network.link(&made.metainfo);
    print(&link).map_err(|e| Error::Other(format!("cannot write to standard output: {e}")))?;
    let (webrtc, limits) = (network.webrtc, (pace, enough.enough()));
    run_on_runtime(webrtc, seed(made, network, limits, recording))?
}

async fn seed(
    made: Made,
    network: Network,
    (pace, enough): (Pace, Enough),
    recording: Option<Recording>,
) -> Result<ExitCode, Error> {
    let Made {
        metainfo, files, ..
    } = made;
    // They were hashed a moment ago.
    let resume = Resume::Pieces(Bitfield::full(metainfo.layout().piece_count()));
    let count = metainfo.files().len();
    let command = Command::AddTorrent {
        metainfo,
        resume,
        paused: false,
    };
    let mut session = Session::begin(&network, Screen::new(), command, recording)?;
    // Files that are shared are never written to: what is lost of them stays lost.
    session.only_give(count);
    session.attach(Arc::new(files));
    session.set_rates(pace.rates());
    let result = until_stopped(&mut session, enough).await;
    session.end().await;
    result.map(|()| ExitCode::SUCCESS)
}

/// Shares what is complete until somebody stops it, or there was enough of that.
pub(super) async fn until_stopped(session: &mut Session, enough: Enough) -> Result<(), Error> {
    session.share_until(enough);
    loop {
        match session.run().await? {
            Reached::Stopped(_) | Reached::GaveEnough => return Ok(()),
            Reached::NothingLeft => {
                return Err(Error::Other("nothing is left to share".to_owned()));
            }
            Reached::Metadata(_) | Reached::Checked(_) | Reached::Completed => {}
        }
    }
}
