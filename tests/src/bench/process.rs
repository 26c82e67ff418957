//! Processor time and memory of other processes, as Linux tells them (proc(5)).

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Ticks of `/proc/PID/stat` in a second; fixed in Linux's interface to programs.
const TICKS: f64 = 100.0;

/// Seconds of processor time that a process has used.
pub fn cpu_seconds(pid: u32) -> f64 {
    stat(pid).map_or(0.0, |stat| stat.ticks / TICKS)
}

/// Seconds of processor time of all descendants of this process, `except` and what is below it.
pub fn cpu_seconds_below(root: u32, except: u32) -> f64 {
    below(root, except)
        .values()
        .map(|stat| stat.ticks / TICKS)
        .sum()
}

/// Seconds of processor time of the dedicated workers of all browser tabs below this process.
pub fn cpu_seconds_of_workers(root: u32) -> f64 {
    let tasks = below(root, 0).into_keys().flat_map(|pid| {
        let tasks = fs::read_dir(format!("/proc/{pid}/task"));
        tasks.into_iter().flatten().filter_map(Result::ok)
    });
    let stats = tasks.filter_map(|task| {
        // Chromium names its threads; the system keeps 15 bytes of that.
        let name = fs::read_to_string(task.path().join("comm")).ok()?;
        let is_worker = name.starts_with("DedicatedWorker");
        is_worker.then(|| read_stat(&task.path().join("stat")))?
    });
    stats.map(|stat| stat.ticks / TICKS).sum()
}

/// The most memory that any browser tab below this process has ever had resident, in MiB.
pub fn peak_mib_of_tabs(root: u32) -> f64 {
    most_of_tabs(root, peak_mib)
}

/// The most memory that any browser tab below this process has resident just now, in MiB.
pub fn resident_mib_of_tabs(root: u32) -> f64 {
    most_of_tabs(root, |pid| status_mib(pid, "VmRSS:"))
}

/// From now on, the most that each of them had is what it has now.
pub fn forget_peaks_of_tabs(root: u32) {
    for pid in tabs(root) {
        // 5 is the peak (proc(5)). One that has just ended has none.
        let _ = fs::write(format!("/proc/{pid}/clear_refs"), "5");
    }
}

fn most_of_tabs(root: u32, measure: impl Fn(u32) -> f64) -> f64 {
    tabs(root).map(measure).fold(0.0, f64::max)
}

fn tabs(root: u32) -> impl Iterator<Item = u32> {
    // Chromium joins its arguments with spaces there.
    let is_tab = |pid: &u32| {
        let arguments = fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        arguments.contains("--type=renderer")
    };
    below(root, 0).into_keys().filter(is_tab)
}

fn below(root: u32, except: u32) -> BTreeMap<u32, Stat> {
    let mut stats: BTreeMap<u32, Stat> = fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter_map(|pid| Some((pid, stat(pid)?)))
        .collect();
    let is_below = |mut pid: u32| {
        while let Some(stat) = stats.get(&pid) {
            if pid == except {
                return false;
            }
            if stat.parent == root {
                return true;
            }
            pid = stat.parent;
        }
        false
    };
    let found: Vec<u32> = stats.keys().copied().filter(|pid| is_below(*pid)).collect();
    stats.retain(|pid, _| found.contains(pid));
    stats
}

/// The most memory that a process has ever had resident, in MiB.
pub fn peak_mib(pid: u32) -> f64 {
    status_mib(pid, "VmHWM:")
}

fn status_mib(pid: u32, field: &str) -> f64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    let kib: f64 = line
        .and_then(|line| line.trim().trim_end_matches(" kB").parse().ok())
        .unwrap_or(0.0);
    kib / 1024.0
}

struct Stat {
    parent: u32,
    ticks: f64,
}

fn stat(pid: u32) -> Option<Stat> {
    read_stat(Path::new(&format!("/proc/{pid}/stat")))
}

fn read_stat(path: &Path) -> Option<Stat> {
    let stat = fs::read_to_string(path).ok()?;
    // The name, in parentheses, may contain anything.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let number = |field: usize| fields.get(field)?.parse::<f64>().ok();
    Some(Stat {
        parent: fields.get(1)?.parse().ok()?,
        ticks: number(11)? + number(12)?,
    })
}
