//! How fast whole commands are, as ratios against something in the same run: what people do today, copying the output, a
//! smaller registry. Machines are noisy, so nothing is said in seconds.
//!
//! `cargo bench --bench speed` needs python3 with PyYAML and Jinja2, and the folder `../shared` (or `ORCHGEN_SHARED`) with
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
    let bench = shared().join("bench");
    let ground = tempfile::Builder::new()
        .prefix("orchgen-speed-")
        .tempdir_in("/dev/shm")
        .expect("/dev/shm can be written");
    let at = |name: &str| ground.path().join(name);
    let sizes = [20, 10_000, 100_000];
    for n in sizes {
        run(Command::new("python3")
            .arg(bench.join("make_registry.py"))
            .arg(n.to_string())
            .arg(at(&format!("r{n}"))));
    }
    let check = |n: usize| {
        let mut command = Command::new(ORCHGEN);
        command.args(["check", "--quiet"]).arg(at(&format!("r{n}")));
        command
    };
    let build = |n: usize, out: &Path| {
        let mut command = Command::new(ORCHGEN);
        command.args(["build", "--quiet", "--out"]).arg(out).arg(at(&format!("r{n}")));
        command
    };
    let baseline = |n: usize| {
        let mut command = Command::new("python3");
        command.arg(bench.join("baseline.py")).arg(at(&format!("r{n}"))).arg(at("baseline-out"));
        command
    };
    let copy = |from: &Path, to: &Path| {
        let mut command = Command::new("cp");
        command.arg("-r").arg(from).arg(to);
        command
    };
    let mut ratios = Vec::new();
    for n in [20, 10_000] {
        ratios.push(Ratio {
            what: format!("check of {n} roles / what people do today"),
            most: 0.05,
            ratios: pairs(|| time(&mut check(n)), || time(&mut baseline(n))),
        });
        let _ = std::fs::remove_dir_all(at("baseline-out"));
    }
    let (kept, cold, copied) = (at("kept"), at("cold"), at("copied"));
    run(&mut build(10_000, &kept));
    let copying = || {
        let taken = time(&mut copy(&kept, &copied));
        std::fs::remove_dir_all(&copied).unwrap();
        taken
    };
    let building = || {
        let taken = time(&mut build(10_000, &cold));
        std::fs::remove_dir_all(&cold).unwrap();
        taken
    };
    ratios.push(Ratio {
        what: "build of 10000 roles, cold / cp -r of its out".into(),
        most: 1.5,
        ratios: pairs(building, copying),
    });
    let again = || time(&mut build(10_000, &kept));
    ratios.push(Ratio {
        what: "build of 10000 roles, nothing changed / cp -r of its out".into(),
        most: 1.0,
        ratios: pairs(again, copying),
    });
    ratios.push(Ratio {
        what: "check of 100000 roles / check of 10000".into(),
        most: 12.0,
        ratios: pairs(|| time(&mut check(100_000)), || time(&mut check(10_000))),
    });
    let building_large = || {
        let taken = time(&mut build(100_000, &cold));
        std::fs::remove_dir_all(&cold).unwrap();
        taken
    };
    ratios.push(Ratio {
        what: "build of 100000 roles, cold / build of 10000, cold".into(),
        most: 12.0,
        ratios: pairs(building_large, building),
    });
    for (what, mut command) in [
        ("check", check(10_000)),
        ("build, cold", build(10_000, &cold)),
        ("build, nothing changed", build(10_000, &kept)),
    ] {
        let input = size(&at("r10000"));
        ratios.push(Ratio {
            what: format!("peak memory of {what} of 10000 roles / input"),
            most: 20.0,
            ratios: vec![peak(&mut command) / input],
        });
    }
    // All are printed, whatever the first says.
    let held = ratios.iter().map(Ratio::print).fold(true, |all, one| all && one);
    if held { ExitCode::SUCCESS } else { ExitCode::FAILURE }
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
    let output = command.stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
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
