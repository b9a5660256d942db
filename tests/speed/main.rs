//! How fast whole commands are, as ratios against something in the same run: what people do today, copying the output, a
//! smaller registry. Machines are noisy, so nothing is said in seconds.
//!
//! `cargo bench --bench speed` needs python3 with `PyYAML` and `Jinja2`, and the folder `../shared` (or `ORCHGEN_SHARED`) with
//! `bench/make_registry.py` and `bench/baseline.py`. It works below `/dev/shm`, five rounds each, and prints medians; a bound
//! that does not hold makes it exit with 1.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark reads the clock, prints, and ends where it cannot go on"
)]

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

const ROUNDS: usize = 5;
const ORCHGEN: &str = env!("CARGO_BIN_EXE_orchgen");

/// A ratio of two commands, and the most that it may be.
struct Ratio {
    what: String,
    most: f64,
    ratios: Vec<f64>,
}

impl Ratio {
    fn print(&self) -> bool {
        let (least, median, largest) = spread(&self.ratios);
        let holds = median <= self.most;
        let verdict = if holds { "holds" } else { "DOES NOT HOLD" };
        println!(
            "{:<58} {median:>7.3}  ({least:.3} to {largest:.3})  at most {:.3}: {verdict}",
            self.what, self.most
        );
        holds
    }
}

fn main() -> ExitCode {
    let ground = Ground::new();
    let mut ratios = Vec::new();
    ground.against_today(&mut ratios);
    ground.against_copying(&mut ratios);
    ground.against_smaller(&mut ratios);
    ground.memory(&mut ratios);
    // All are printed, whatever the first says.
    let held: Vec<bool> = ratios.iter().map(Ratio::print).collect();
    if held.into_iter().all(|one| one) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Registries of three sizes below `/dev/shm`, and room for what is made of them.
struct Ground {
    folder: tempfile::TempDir,
    bench: PathBuf,
}

impl Ground {
    fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("orchgen-speed-").tempdir_in("/dev/shm");
        let ground = Self { folder: folder.expect("/dev/shm can be written"), bench: shared().join("bench") };
        for n in [20, 10_000, 100_000] {
            let mut make = Command::new("python3");
            run(make.arg(ground.bench.join("make_registry.py")).arg(n.to_string()).arg(ground.registry(n)));
        }
        ground
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn registry(&self, n: usize) -> PathBuf {
        self.at(&format!("r{n}"))
    }

    fn check(&self, n: usize) -> Command {
        let mut command = Command::new(ORCHGEN);
        command.args(["check", "--quiet"]).arg(self.registry(n));
        command
    }

    fn build(&self, n: usize, out: &str) -> Command {
        let mut command = Command::new(ORCHGEN);
        command.args(["build", "--quiet", "--out"]).arg(self.at(out)).arg(self.registry(n));
        command
    }

    /// The time of a command that makes a folder, which is gone afterwards.
    fn once(&self, command: &mut Command, made: &str) -> Duration {
        let taken = time(command);
        std::fs::remove_dir_all(self.at(made)).unwrap();
        taken
    }

    fn cold(&self, n: usize) -> Duration {
        self.once(&mut self.build(n, "cold"), "cold")
    }

    fn against_today(&self, ratios: &mut Vec<Ratio>) {
        for n in [20, 10_000] {
            let mut today = Command::new("python3");
            today.arg(self.bench.join("baseline.py")).arg(self.registry(n)).arg(self.at("today"));
            let what = format!("check of {n} roles / what people do today");
            ratios.push(Ratio {
                what,
                most: 0.05,
                ratios: pairs(|| time(&mut self.check(n)), || time(&mut today)),
            });
            std::fs::remove_dir_all(self.at("today")).unwrap();
        }
    }

    fn against_copying(&self, ratios: &mut Vec<Ratio>) {
        run(&mut self.build(10_000, "kept"));
        let mut copy = Command::new("cp");
        copy.arg("-r").arg(self.at("kept")).arg(self.at("copied"));
        let mut copying = || self.once(&mut copy, "copied");
        let what = "build of 10000 roles, cold / cp -r of its out".to_owned();
        ratios.push(Ratio { what, most: 1.5, ratios: pairs(|| self.cold(10_000), &mut copying) });
        let what = "build of 10000 roles, nothing changed / cp -r of its out".to_owned();
        let again = || time(&mut self.build(10_000, "kept"));
        ratios.push(Ratio { what, most: 1.0, ratios: pairs(again, &mut copying) });
    }

    fn against_smaller(&self, ratios: &mut Vec<Ratio>) {
        let what = "check of 100000 roles / check of 10000".to_owned();
        let checks = pairs(|| time(&mut self.check(100_000)), || time(&mut self.check(10_000)));
        ratios.push(Ratio { what, most: 12.0, ratios: checks });
        let what = "build of 100000 roles, cold / build of 10000, cold".to_owned();
        ratios.push(Ratio { what, most: 12.0, ratios: pairs(|| self.cold(100_000), || self.cold(10_000)) });
    }

    fn memory(&self, ratios: &mut Vec<Ratio>) {
        let input = size(&self.registry(10_000));
        let commands = [
            ("check", self.check(10_000)),
            ("build, cold", self.build(10_000, "cold")),
            ("build, nothing changed", self.build(10_000, "kept")),
        ];
        for (name, mut command) in commands {
            let what = format!("peak memory of {name} of 10000 roles / input");
            ratios.push(Ratio { what, most: 20.0, ratios: vec![peak(&mut command) / input] });
        }
    }
}

/// The folder that is handed out beside the project.
fn shared() -> PathBuf {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let shared = std::env::var_os("ORCHGEN_SHARED").map_or(beside, PathBuf::from);
    assert!(
        shared.join("bench/baseline.py").is_file(),
        "{} has no bench/baseline.py: set ORCHGEN_SHARED",
        shared.display()
    );
    shared
}

/// A warm-up of each, then the ratios of both in turn, so that a drift of the machine meets both.
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

/// The most memory of a command in bytes, as the system counted it.
fn peak(command: &mut Command) -> f64 {
    let counted = "import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stderr=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)";
    let output = Command::new("python3")
        .arg("-c")
        .arg(counted)
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
