//! Those who ask for more than they may, and what honest nodes have to put up with.

use swarm_lab::network::{Abuse, NetworkResults, NetworkScenario};

use super::super::Writer;
use super::{estimate, figures, head, still};

/// Identities of the party of many names.
const NAMES: u32 = 10_000;

pub(in super::super) fn write(writer: &mut Writer) -> anyhow::Result<()> {
    let nodes = writer.choose(200, 1000);
    let seeds = writer.choose(1, 5);
    let torrents = 25;
    let abusers = 0.1;
    let rate = 100.0;
    let each = f64::from(nodes) * abusers / f64::from(torrents);
    writer.paragraph(&format!(
        "{nodes} nodes, in everybody's tables as others are, of which one in ten begins to ask as \
         soon as {torrents} torrents are announced: each of them sends {rate:.0} queries a second \
         to the eight nodes closest to a torrent, {each:.0} of them to the same eight. They *flood*: \
         ask for peers, and nothing else. They *replay tokens*: announce themselves with those \
         that others were given. They *take keys*: put values under the key of somebody whose \
         signatures they can't make (BEP 44). They themselves tell of nobody, and remember \
         nothing. *Liars* are as above. {NAMES} *names*: identities of one party in one network \
         (/24) around ten torrents, ten times as many as there are nodes. *Found* is of honest nodes' \
         lookups; *stored* is how many false announces and values were taken, *wrong peers* how \
         many of those were told to anybody, *hostile* how many contacts of a table mean no good."
    ));
    let still = || NetworkScenario {
        torrents,
        ..still(nodes)
    };
    let abuse = |abuse| NetworkScenario {
        abusers,
        abuse,
        abuse_rate: rate,
        ..still()
    };
    let variants: Vec<(&str, NetworkScenario)> = vec![
        ("nothing", still()),
        ("flood", abuse(Abuse::Floods)),
        ("replay tokens", abuse(Abuse::ReplaysTokens)),
        ("take keys", abuse(Abuse::TakesKeys)),
        (
            "lie about nodes",
            NetworkScenario {
                liars: abusers,
                ..still()
            },
        ),
        (
            "10,000 names",
            NetworkScenario {
                sybils: writer.choose(NAMES / 10, NAMES),
                torrents: 10,
                ..still()
            },
        ),
    ];
    let played = writer.play_networks("abuse", &variants, |_| seeds)?;
    let mut rows = Vec::new();
    for (what, results) in &played {
        let mut row = vec![(*what).to_owned()];
        row.extend(figures(results));
        let sum =
            |figure: &dyn Fn(&NetworkResults) -> u64| -> u64 { results.iter().map(figure).sum() };
        let asked = sum(&|run| run.abuse.asked);
        row.extend(match asked {
            0 => ["–", "–", "–"].map(str::to_owned),
            _ => [
                format!("{}", asked / results.len() as u64),
                estimate(results, |run| {
                    100.0 * run.abuse.answered as f64 / run.abuse.asked.max(1) as f64
                })
                .to_string()
                    + " %",
                sum(&|run| run.abuse.stored).to_string(),
            ],
        });
        let wrong = |run: &NetworkResults| run.lookups.iter().map(|it| it.wrong as u64).sum();
        row.push(sum(&wrong).to_string());
        row.push(format!(
            "{:.1} of {:.0}",
            estimate(results, |run| run.table.hostile).mean,
            estimate(results, |run| run.table.contacts).mean
        ));
        rows.push(row);
    }
    writer.table(
        &head(
            &["They"],
            &["They asked", "Answered", "Stored", "Wrong peers", "Hostile"],
        ),
        &rows,
    );
    Ok(())
}
