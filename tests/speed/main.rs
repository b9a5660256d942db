//! The speed of whole commands, as ratios to another command in the same run: the usual way without orchgen
//! (`baseline.py`), a copy of the output, the same command on a smaller registry. Seconds would depend on the machine.
//!
//! `cargo bench --bench speed` needs python3 with `PyYAML` and `Jinja2`. It works in `/dev/shm`, measures each ratio five
//! times and prints the median. It exits with 1 if a ratio is above its limit.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark reads the clock, prints, and stops at the first failure"
)]

#[expect(dead_code, reason = "the tests also use registries with mistakes")]
#[path = "../registries.rs"]
mod registries;

use registries::Language;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

const ROUNDS: usize = 5;
const ORCHGEN: &str = env!("CARGO_BIN_EXE_orchgen");

/// A ratio of two commands, and its limit.
struct Ratio {
    name: String,
    limit: f64,
    ratios: Vec<f64>,
}

impl Ratio {
    fn print(&self) -> bool {
        let (least, median, largest) = spread(&self.ratios);
        let is_met = median <= self.limit;
        let verdict = if is_met { "met" } else { "NOT MET" };
        println!(
            "{:<58} {median:>7.3}  ({least:.3} to {largest:.3})  at most {:.3}: {verdict}",
            self.name, self.limit
        );
        is_met
    }
}

fn main() -> ExitCode {
    let bench = Bench::new();
    let mut ratios = Vec::new();
    bench.compare_with_baseline(&mut ratios);
    bench.compare_with_copy(&mut ratios);
    bench.compare_sizes(&mut ratios);
    bench.memory(&mut ratios);
    // Print all of them, also after the first that is above its limit.
    let met: Vec<bool> = ratios.iter().map(Ratio::print).collect();
    if met.into_iter().all(|one| one) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// A folder in `/dev/shm` with registries of three sizes and the outputs.
struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("orchgen-speed-").tempdir_in("/dev/shm");
        let bench = Self { folder: folder.expect("/dev/shm can be written") };
        for n in [20, 10_000, 100_000] {
            registries::write(&bench.registry(n), Language::Yaml, n, &[]);
        }
        bench
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn registry(&self, n: u32) -> PathBuf {
        self.at(&format!("r{n}"))
    }

    fn check(&self, n: u32) -> Command {
        let mut command = Command::new(ORCHGEN);
        command.args(["check", "--quiet"]).arg(self.registry(n));
        command
    }

    fn build(&self, n: u32, out: &str) -> Command {
        let mut command = Command::new(ORCHGEN);
        command.args(["build", "--quiet", "--out"]).arg(self.at(out)).arg(self.registry(n));
        command
    }

    /// The time of a command that creates a folder. Removes the folder.
    fn once(&self, command: &mut Command, created: &str) -> Duration {
        let time = time(command);
        std::fs::remove_dir_all(self.at(created)).unwrap();
        time
    }

    fn cold(&self, n: u32) -> Duration {
        self.once(&mut self.build(n, "cold"), "cold")
    }

    fn compare_with_baseline(&self, ratios: &mut Vec<Ratio>) {
        for (n, limit) in [(20, 0.05), (10_000, 0.125)] {
            let mut baseline = Command::new("python3");
            let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/speed/baseline.py");
            baseline.arg(script).arg(self.registry(n)).arg(self.at("baseline"));
            ratios.push(Ratio {
                name: format!("check of {n} roles / baseline.py"),
                limit,
                ratios: pairs(|| time(&mut self.check(n)), || time(&mut baseline)),
            });
            std::fs::remove_dir_all(self.at("baseline")).unwrap();
        }
    }

    fn compare_with_copy(&self, ratios: &mut Vec<Ratio>) {
        run(&mut self.build(10_000, "kept"));
        let mut copy = Command::new("cp");
        copy.arg("-r").arg(self.at("kept")).arg(self.at("copied"));
        let mut copying = || self.once(&mut copy, "copied");
        let name = "build of 10000 roles, cold / cp -r of its out".to_owned();
        ratios.push(Ratio { name, limit: 2.5, ratios: pairs(|| self.cold(10_000), &mut copying) });
        let name = "build of 10000 roles, nothing changed / cp -r of its out".to_owned();
        let again = || time(&mut self.build(10_000, "kept"));
        ratios.push(Ratio { name, limit: 2.0, ratios: pairs(again, &mut copying) });
    }

    fn compare_sizes(&self, ratios: &mut Vec<Ratio>) {
        let name = "check of 100000 roles / check of 10000".to_owned();
        let checks = pairs(|| time(&mut self.check(100_000)), || time(&mut self.check(10_000)));
        ratios.push(Ratio { name, limit: 12.0, ratios: checks });
        let name = "build of 100000 roles, cold / build of 10000, cold".to_owned();
        ratios.push(Ratio { name, limit: 12.0, ratios: pairs(|| self.cold(100_000), || self.cold(10_000)) });
    }

    fn memory(&self, ratios: &mut Vec<Ratio>) {
        let input = size(&self.registry(10_000));
        let commands = [
            ("check", self.check(10_000)),
            ("build, cold", self.build(10_000, "cold")),
            ("build, nothing changed", self.build(10_000, "kept")),
        ];
        for (command_name, mut command) in commands {
            let name = format!("peak memory of {command_name} of 10000 roles / input");
            ratios.push(Ratio { name, limit: 25.0, ratios: vec![peak(&mut command) / input] });
        }
    }
}

/// Runs both once to warm up, then in turn, so that a slow phase of the machine affects both.
fn pairs(mut one: impl FnMut() -> Duration, mut other: impl FnMut() -> Duration) -> Vec<f64> {
    one();
    other();
    (0..ROUNDS).map(|_| one().as_secs_f64() / other().as_secs_f64()).collect()
}

fn spread(ratios: &[f64]) -> (f64, f64, f64) {
    let mut sorted = ratios.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = |n: usize| sorted.get(n).copied().unwrap_or(f64::NAN);
    (at(0), at(sorted.len() / 2), at(sorted.len() - 1))
}

fn time(command: &mut Command) -> Duration {
    let start = Instant::now();
    run(command);
    start.elapsed()
}

fn run(command: &mut Command) {
    let output = command.stdin(Stdio::null()).output().expect("the command starts");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// The peak resident memory of a command in bytes.
fn peak(command: &mut Command) -> f64 {
    let script = "import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stderr=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)";
    let output = Command::new("python3")
        .arg("-c")
        .arg(script)
        .arg(command.get_program())
        .args(command.get_args())
        .output();
    let kib: f64 =
        String::from_utf8(output.unwrap().stdout).unwrap().trim().parse().expect("a number of KiB");
    kib * 1024.0
}

fn size(folder: &Path) -> f64 {
    let bytes: u64 =
        std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().metadata().unwrap().len()).sum();
    #[expect(clippy::cast_precision_loss, reason = "a registry has far less than 2^52 bytes")]
    let bytes = bytes as f64;
    bytes
}
