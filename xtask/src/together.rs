//! Work that has little to do with other work, side by side.

use std::io::{self, Write};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;

use anyhow::{Result, ensure};
use xshell::Cmd;

use crate::workspace::{Workspace, heading};

/// Does it for every item, the first ones first and as many at once as there are processors; what
/// came of each, in any order. After a failure nothing is begun any more.
pub(crate) fn side_by_side<Item: Sync, Done: Send>(
    workspace: &Workspace,
    items: &[Item],
    work: impl Fn(&Workspace, &Item) -> Result<Done> + Sync,
) -> Result<Vec<Done>> {
    let (waiting, failed) = (Mutex::new(items.iter()), AtomicBool::new(false));
    let next = || waiting.lock().expect("nobody panics with it").next();
    let worker = |workspace: Workspace| {
        let mut done = Vec::new();
        while !failed.load(Relaxed)
            && let Some(item) = next()
        {
            let result = work(&workspace, item);
            failed.fetch_or(result.is_err(), Relaxed);
            done.push(result?);
        }
        Ok(done)
    };
    let processors = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..processors.min(items.len()))
            .map(|_| workspace.clone())
            .map(|workspace| scope.spawn(|| worker(workspace)))
            .collect();
        let mut all = Vec::new();
        for worker in workers {
            let done: Result<Vec<Done>> = worker.join().expect("a worker does not panic");
            all.extend(done?);
        }
        Ok(all)
    })
}

/// Runs a command and says what it said in one piece, under this heading, once it is over.
pub(crate) fn run_in_one_piece(name: &str, command: Cmd<'_>) -> Result<()> {
    eprintln!("{name} …");
    let output = command.quiet().ignore_status().output()?;
    heading(name);
    io::stderr().write_all(&[output.stdout, output.stderr].concat())?;
    ensure!(output.status.success(), "{name} has failed");
    Ok(())
}

#[cfg(test)]
mod tests {
    use anyhow::bail;
    use xshell::cmd;

    use super::*;

    #[test]
    fn all_is_done_and_a_failure_is_told() {
        let workspace = Workspace::open().unwrap();
        let items: Vec<u32> = (0..50).collect();
        let mut done = side_by_side(&workspace, &items, |_, item| Ok(2 * item)).unwrap();
        done.sort_unstable();
        assert_eq!(done, items.iter().map(|item| 2 * item).collect::<Vec<_>>());
        let failed = side_by_side(&workspace, &items, |_, item| match item {
            7 => bail!("seven"),
            _ => Ok(()),
        });
        assert_eq!(failed.unwrap_err().to_string(), "seven");
    }

    #[test]
    fn a_command_that_fails_is_a_failure() {
        let workspace = Workspace::open().unwrap();
        let run = |command| run_in_one_piece("a command", command).is_ok();
        assert!(run(cmd!(workspace.sh, "cargo --version")));
        assert!(!run(cmd!(workspace.sh, "cargo no-such-command")));
    }
}
