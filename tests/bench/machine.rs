//! The machine, and what the kernel knows of a process.

use anyhow::Context;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Duration;

/// Ticks per second in `/proc/<pid>/stat`: USER_HZ, 100 on every Linux that we run on.
const TICKS_PER_S: u32 = 100;

/// What a figure must be read with.
#[derive(Debug, Clone)]
pub(crate) struct Machine {
    cores: usize,
    model: String,
    memory_gib: u64,
    profile: &'static str,
    load: String,
}

impl Machine {
    /// Looks at it now.
    pub(crate) fn look() -> Self {
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let after = |text: &str, key: &str| {
            let line = text.lines().find(|line| line.starts_with(key));
            line.and_then(|line| line.split_once(':'))
                .map(|(_, value)| value.trim().to_owned())
        };
        let memory_kib = after(&read("/proc/meminfo"), "MemTotal")
            .and_then(|value| value.trim_end_matches(" kB").parse::<u64>().ok())
            .unwrap_or(0);
        Self {
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            model: after(&read("/proc/cpuinfo"), "model name")
                .unwrap_or_else(|| std::env::consts::ARCH.to_owned()),
            memory_gib: (memory_kib + (1 << 19)) >> 20,
            profile: if cfg!(debug_assertions) {
                "dev (unoptimised)"
            } else {
                "release"
            },
            load: read("/proc/loadavg")
                .split(' ')
                .next()
                .unwrap_or("?")
                .to_owned(),
        }
    }

    /// For programs.
    pub(crate) fn to_json(&self) -> Value {
        json!({
            "cores": self.cores, "model": self.model, "memory_gib": self.memory_gib,
            "profile": self.profile, "load_before": self.load,
        })
    }
}

impl std::fmt::Display for Machine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Machine: {} cores, {}, {} GiB; profile: {}; load before the run: {}",
            self.cores, self.model, self.memory_gib, self.profile, self.load
        )?;
        if self.load.parse::<f64>().is_ok_and(|load| load > 0.7) {
            write!(f, " (NOT idle: times are worse than they should be)")?;
        }
        Ok(())
    }
}

/// `bench.json` in the target folder that this program was built in.
pub(crate) fn json_path() -> PathBuf {
    let exe = std::env::current_exe().unwrap_or_default();
    let folder = exe.parent().and_then(|profile| profile.parent());
    folder.map_or_else(
        || PathBuf::from("bench.json"),
        |target| target.join("bench.json"),
    )
}

/// Resident memory of a process, bytes.
pub(crate) fn resident(pid: u32) -> anyhow::Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .context("VmRSS is missing")?;
    let kib: u64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kib * 1024)
}

/// Resident memory once it stands still for two seconds, or after 15.
pub(crate) async fn settled(pid: u32) -> anyhow::Result<u64> {
    let mut seen = vec![resident(pid)?];
    for _ in 0..30 {
        tokio::time::sleep(Duration::from_millis(500)).await;
        seen.push(resident(pid)?);
        if let [.., a, b, c, d, e] = seen[..] {
            let of = [a, b, c, d, e];
            let (least, most) = (of.iter().min().unwrap_or(&a), of.iter().max().unwrap_or(&a));
            if (most - least) * 500 < *most {
                break;
            }
        }
    }
    resident(pid)
}

/// CPU that a process has used, in the kernel and outside.
pub(crate) fn cpu(pid: u32) -> anyhow::Result<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name in parentheses may hold anything.
    let (_, fields) = stat.rsplit_once(") ").context("no process name")?;
    let mut fields = fields.split(' ').skip(11);
    let mut ticks = || {
        fields
            .next()
            .and_then(|field| field.parse::<u32>().ok())
            .context("no such field")
    };
    Ok((Duration::from_secs(1) * (ticks()? + ticks()?)) / TICKS_PER_S)
}

/// Fails where this many open files would not fit, saying what to do.
pub(crate) fn need_files(wanted: usize) -> anyhow::Result<()> {
    let limits = std::fs::read_to_string("/proc/self/limits")?;
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))
        .unwrap_or_default();
    let soft: usize = line
        .split_whitespace()
        .next()
        .and_then(|number| number.parse().ok())
        .unwrap_or(usize::MAX);
    anyhow::ensure!(
        soft >= wanted,
        "this needs {wanted} open files and may have {soft}; run `ulimit -n {wanted}` first (make bench does it)"
    );
    Ok(())
}
