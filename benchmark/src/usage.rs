//! Owns what the kernel says of this process or another one, its CPU time and memory, and of the whole machine's CPU. Reads
//! `/proc`, so Linux only. Asks for nothing but descriptors.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::fmt;
use std::fs;
use std::io;
use std::time::Duration;

/// CPU time of all living threads, user and kernel, to the nanosecond as the scheduler counts it.
///
/// Worker threads live as long as the process, so nothing is lost with threads that ended.
///
/// # Errors
/// When the kernel does not offer `/proc/self/task/*/schedstat`.
pub(crate) fn cpu_time() -> io::Result<Duration> {
    cpu_time_of("self")
}

/// As [`cpu_time`], of the process with this number.
///
/// # Errors
/// As [`cpu_time`], and when there is no such process.
pub(crate) fn cpu_time_of(process: impl fmt::Display) -> io::Result<Duration> {
    let mut nanos = 0;
    for thread in fs::read_dir(format!("/proc/{process}/task"))? {
        match fs::read_to_string(thread?.path().join("schedstat")) {
            Ok(text) => nanos += run_time(&text)?,
            Err(error) if has_ended(&error) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(Duration::from_nanos(nanos))
}

/// Whether a thread ended while we looked: before its file was opened, or between that and reading it.
fn has_ended(error: &io::Error) -> bool {
    /// "No such process", which the standard library has no kind for.
    const ESRCH: i32 = 3;
    error.kind() == io::ErrorKind::NotFound || error.raw_os_error() == Some(ESRCH)
}

/// The most memory that this process ever had resident, in bytes (`VmHWM`).
///
/// # Errors
/// When the kernel does not offer `/proc/self/status`.
pub(crate) fn peak_rss() -> io::Result<u64> {
    kilobytes("VmHWM:", &fs::read_to_string("/proc/self/status")?)
}

/// Memory that the process with this number has resident for itself, in bytes: heap and stacks, no code and no files.
///
/// # Errors
/// When the kernel does not offer `smaps_rollup`, or there is no such process.
pub(crate) fn memory_of(process: impl fmt::Display) -> io::Result<u64> {
    kilobytes("Anonymous:", &fs::read_to_string(format!("/proc/{process}/smaps_rollup"))?)
}

/// Lets this process, and those that it starts, open so many files and sockets, or as many as the system allows. Gives how many
/// they are.
pub(crate) fn raise_open_files(wanted: u64) -> u64 {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let files = current.unwrap_or(u64::MAX);
    if files >= wanted {
        return files;
    }
    let raised = maximum.unwrap_or(wanted).min(wanted);
    match setrlimit(Resource::Nofile, Rlimit { current: Some(raised), maximum }) {
        Ok(()) => raised,
        Err(_) => files,
    }
}

/// Files and sockets that the process with this number has open.
///
/// # Errors
/// When there is no such process.
pub(crate) fn open_files_of(process: impl fmt::Display) -> io::Result<usize> {
    Ok(fs::read_dir(format!("/proc/{process}/fd"))?.count())
}

/// CPU time of all cores since the machine started, in the kernel's ticks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Machine {
    idle: u64,
    total: u64,
}

impl Machine {
    /// # Errors
    /// When the kernel does not offer `/proc/stat`.
    pub(crate) fn now() -> io::Result<Self> {
        all_cores(&fs::read_to_string("/proc/stat")?)
    }

    /// The share of all cores, 0 to 1, that was used since `earlier`, by whomever: also by other guests of the host.
    /// 0 if no tick has passed.
    pub(crate) fn busy_since(self, earlier: Self) -> f64 {
        let total = self.total.saturating_sub(earlier.total);
        let idle = self.idle.saturating_sub(earlier.idle).min(total);
        if total == 0 { 0.0 } else { (total - idle) as f64 / total as f64 }
    }
}

/// `schedstat` is: nanoseconds run, nanoseconds waited, slices.
fn run_time(schedstat: &str) -> io::Result<u64> {
    schedstat
        .split_ascii_whitespace()
        .next()
        .and_then(|nanos| nanos.parse().ok())
        .ok_or_else(|| unexpected("nanoseconds at the start of schedstat", schedstat))
}

/// The line with this name, in bytes.
fn kilobytes(name: &str, text: &str) -> io::Result<u64> {
    text.lines()
        .find_map(|line| line.strip_prefix(name)?.trim().strip_suffix("kB")?.trim().parse::<u64>().ok())
        .map(|kilobytes| kilobytes * 1024)
        .ok_or_else(|| unexpected(&format!("a line `{name} .. kB`"), text))
}

/// The first line is: `cpu`, user, nice, system, idle, waiting for I/O, interrupts, soft interrupts, stolen, and guest
/// times that are counted in user and nice already.
fn all_cores(stat: &str) -> io::Result<Machine> {
    let parse = || {
        let ticks = stat.lines().next()?.strip_prefix("cpu ")?.split_ascii_whitespace().take(8);
        let ticks = ticks.map(|ticks| ticks.parse().ok()).collect::<Option<Vec<u64>>>()?;
        let &[_, _, _, idle, waiting, ..] = &*ticks else { return None };
        Some(Machine { idle: idle + waiting, total: ticks.iter().sum() })
    };
    parse().ok_or_else(|| unexpected("a first line `cpu` with at least 5 numbers in stat", stat))
}

fn unexpected(expected: &str, got: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("expected {expected}, got {got:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_that_end_meanwhile_are_no_error() {
        std::thread::scope(|scope| {
            let starter = scope.spawn(|| {
                for _ in 0..3_000 {
                    let _ = std::thread::spawn(|| {}).join();
                }
            });
            while !starter.is_finished() {
                cpu_time().unwrap();
            }
        });
    }

    #[test]
    fn the_first_number_of_schedstat_is_the_run_time() {
        assert_eq!(run_time("175438 144630 2\n").unwrap(), 175_438);
        assert!(run_time("").is_err());
    }

    #[test]
    fn the_high_water_mark_is_in_bytes() {
        let status = "VmPeak:\t 9 kB\nVmHWM:\t    1536 kB\nVmRSS:\t 1 kB\n";
        assert_eq!(kilobytes("VmHWM:", status).unwrap(), 1536 * 1024);
        assert!(kilobytes("VmHWM:", "VmRSS:\t 1 kB\n").is_err());
    }

    #[test]
    fn a_machine_is_busy_when_it_is_neither_idle_nor_waiting_for_io() {
        let before = all_cores("cpu  10 0 10 70 10 0 0 0 5 0\ncpu0 1 1 1 1").unwrap();
        let after = all_cores("cpu  40 0 20 80 20 5 5 20 9 0\n").unwrap();
        // 90 ticks have passed, 20 of them idle.
        assert!((after.busy_since(before) - 70.0 / 90.0).abs() < 1e-9);
        assert!(before.busy_since(before).abs() < 1e-9);
        assert!(all_cores("cpu  1 2 3\n").is_err());
        assert!(all_cores("").is_err());
    }

    #[test]
    fn this_process_has_both() {
        assert!(cpu_time().unwrap() > Duration::ZERO);
        assert!(peak_rss().unwrap() > 0);
    }

    #[test]
    fn memory_that_is_used_is_seen_by_the_number_of_the_process() {
        let before = memory_of(std::process::id()).unwrap();
        let used = std::hint::black_box(vec![1_u8; 64 << 20]);
        let after = memory_of(std::process::id()).unwrap();
        assert!(after >= before + (32 << 20), "{before}, then {after} with {} more", used.len());
    }
}
