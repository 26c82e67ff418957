//! A long video out of a link: how soon it can be seen, and how soon from elsewhere.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

use super::{Figure, median};
use crate::browser::Browser;
use crate::programs::native_peer;
use crate::server::Server;

/// Seconds that are encoded, and how often the film has them one after the other: encoding all
/// of it would take a minute.
const SECONDS: u32 = 20;
const TIMES: u32 = 30;

/// Bits a second of the picture: together with the sound 200 MB.
const RATE: &str = "2570k";

/// Each is a browser without anything of the page. The median counts.
const RUNS: usize = 3;

/// Where the film has its table of contents: what most programs write, and what is meant for
/// the web.
const FILMS: [(&str, &[&str]); 2] = [
    ("contents at its end", &[]),
    ("contents in front", &["-movflags", "+faststart"]),
];

/// Plays as soon as there is something to click, and then from the middle of its last tenth.
/// Milliseconds: from the beginning of the visit until it could be clicked and to the first
/// picture, and from there on to a picture of the last tenth; and how much was here just then.
const WATCH: &str = r#"
    const done = arguments[arguments.length - 1];
    const found = (id) => document.querySelector(`[data-testid="${id}"]`);
    const change = (is) => new Promise((resolve) => {
        const watch = new MutationObserver(() => look());
        const look = () => {
            if (is()) {
                watch.disconnect();
                resolve(performance.now());
            }
        };
        watch.observe(document.body, { subtree: true, childList: true, attributes: true });
        look();
    });
    const picture = (video, from) => new Promise((resolve) => {
        const look = (_, { mediaTime }) => mediaTime >= from
            ? resolve(performance.now()) : video.requestVideoFrameCallback(look);
        video.requestVideoFrameCallback(look);
    });
    (async () => {
        const clicked = await change(() => found("play")?.checkVisibility());
        found("play").click();
        await change(() => found("playing"));
        const video = found("playing");
        // A browser stops where there is no loudspeaker, or nobody clicked.
        video.muted = true;
        const first = await picture(video, 0);
        const { progress } = found("torrent").dataset;
        const begun = performance.now();
        video.currentTime = video.duration * 0.95;
        const last = await picture(video, video.duration * 0.9) - begun;
        done([clicked, first, last, Number(progress)]);
    })().catch((error) => done(String(error)));
"#;

/// First picture and seeking, in each browser. Nothing where there is no ffmpeg.
pub async fn run() -> Result<Vec<Figure>> {
    let folder = TempDir::new()?;
    let Some(films) = films(folder.path()).await? else {
        eprintln!("There is no ffmpeg to make a film with: `play` is left out.");
        return Ok(Vec::new());
    };
    let mut figures = Vec::new();
    for (film, what) in films.iter().zip(FILMS.map(|(what, _)| what)) {
        for name in ["Chromium", "Firefox"] {
            let mut all = [const { Vec::new() }; 4];
            for _ in 0..RUNS {
                let took = watch(name, film).await?;
                for (index, times) in all.iter_mut().enumerate() {
                    let figure = took[index].as_f64();
                    times.push(figure.with_context(|| format!("no figures: {took}"))?);
                }
            }
            let [clicked, first, last, here] = all.map(median);
            let figure = |what: &str, value: f64, unit: &'static str, against: &str| {
                Figure::new(format!("{name}, 200 MB film, {what}"), value, unit, against)
            };
            figures.extend([
                figure(
                    &format!("{what}: first picture"),
                    first / 1000.0,
                    "s",
                    "2 s at the most",
                ),
                figure(
                    "  from the link to something to click",
                    clicked / 1000.0,
                    "s",
                    "",
                ),
                figure(
                    "  seek to the last tenth",
                    last / 1000.0,
                    "s",
                    "2 s at the most",
                ),
                figure("  of which was here", here * 100.0, "%", ""),
            ]);
        }
    }
    Ok(figures)
}

/// As [`WATCH`] has them. A new server and a new seeder, too: nobody knows anybody.
async fn watch(name: &str, film: &Path) -> Result<Value> {
    let server = Server::start().await?;
    let mut seeder = native_peer()
        .args(["seed", "--no-lsd", "--tracker", &server.tracker()])
        .arg(film)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    let stdout = seeder.stdout.take().context("standard output is piped")?;
    let mut lines = BufReader::new(stdout).lines();
    let link = lines.next_line().await?.context("the link")?;
    let browser = match name {
        "Firefox" => Browser::firefox().await?,
        _ => Browser::start().await?,
    };
    let tab = browser.open(&link).await?;
    let took = tab.run_async(WATCH).await?;
    browser.quit().await?;
    Ok(took)
}

/// The film in each of its forms, unless there is no ffmpeg.
async fn films(folder: &Path) -> Result<Option<Vec<PathBuf>>> {
    let ffmpeg = || {
        let mut command = Command::new("ffmpeg");
        command.args(["-v", "error", "-nostdin"]);
        command
    };
    if ffmpeg()
        .arg("-version")
        .stdout(Stdio::null())
        .status()
        .await
        .is_err()
    {
        return Ok(None);
    }
    let scene = folder.join("scene.mp4");
    let picture = format!("testsrc2=size=1280x720:rate=25:duration={SECONDS}");
    let sound = format!("sine=frequency=440:duration={SECONDS}");
    let made = ffmpeg()
        .args(["-f", "lavfi", "-i", &picture, "-f", "lavfi", "-i", &sound])
        .args([
            "-c:v",
            "libx264",
            "-preset",
            "ultrafast",
            "-pix_fmt",
            "yuv420p",
        ])
        .args([
            "-b:v", RATE, "-minrate", RATE, "-maxrate", RATE, "-bufsize", RATE,
        ])
        // Filled up where the picture needs less.
        .args(["-x264-params", "nal-hrd=cbr", "-c:a", "aac", "-b:a", "96k"])
        .arg(&scene)
        .status()
        .await?;
    ensure!(made.success(), "ffmpeg made no scene");
    let mut films = Vec::new();
    for (number, (_, options)) in (1..).zip(FILMS) {
        let film = folder.join(format!("film {number}.mp4"));
        let made = ffmpeg()
            .args(["-stream_loop", &(TIMES - 1).to_string(), "-i"])
            .arg(&scene)
            .args(["-c", "copy"])
            .args(options)
            .arg(&film)
            .status()
            .await?;
        ensure!(made.success(), "ffmpeg made no film");
        films.push(film);
    }
    Ok(Some(films))
}
