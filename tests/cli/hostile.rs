//! Any content of a registry folder gives findings, or exit code 2 with one error message. orchgen never hangs, and its
//! memory stays below fifty times the size of the input.

use std::fs::{self, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

const BASE: &str = include_str!("../pages/base.kdl");

/// The maximum memory of a run for each byte that it reads.
const MAX_BYTES_PER_INPUT_BYTE: u64 = 50;
/// The memory that a run may use in addition, for tables that are built once and for the allocator.
const FIXED_OVERHEAD: u64 = 12 << 20;

/// A role whose port another role uses too.
const CONFLICTING_ROLE: &str = "{tier: A, residency: hot, model: plain, port: 9000, context: 4096}";

/// The result of a run: the exit code, both output streams, and the peak memory in bytes.
#[derive(Debug)]
struct RunResult {
    exit_code: i64,
    output: String,
    peak: u64,
}

/// Runs a program and measures its peak memory. It is killed after two minutes.
#[track_caller]
fn run_measured(program: &Path, args: &[&str], folder: &Path) -> RunResult {
    let script = "import json, resource, subprocess, sys
run = subprocess.run(sys.argv[1:], capture_output=True, timeout=120, stdin=subprocess.DEVNULL)
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
output = (run.stderr + run.stdout)[:200000].decode(errors='replace')
print(json.dumps({'code': run.returncode, 'peak': peak, 'output': output}))";
    let mut command = Command::new("python3");
    command.args(["-c", script]).arg(program).args(args).current_dir(folder).env("RAYON_NUM_THREADS", "2");
    let output = command.output().unwrap();
    let result: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| {
        panic!("no result, perhaps because of the timeout: {}", String::from_utf8_lossy(&output.stderr))
    });
    RunResult {
        exit_code: result["code"].as_i64().unwrap(),
        output: result["output"].as_str().unwrap().to_owned(),
        peak: result["peak"].as_u64().unwrap(),
    }
}

fn program() -> &'static Path {
    Path::new(crate::support::orchgen())
}

/// A folder with a registry of one valid file. Tests add more files.
fn workspace() -> tempfile::TempDir {
    let workspace = tempfile::tempdir().unwrap();
    fs::create_dir(workspace.path().join("registry")).unwrap();
    fs::write(workspace.path().join("registry/base.kdl"), BASE).unwrap();
    workspace
}

/// File names and texts of up to about 1 MiB that try to make orchgen use much memory or time.
fn hostile_texts() -> Vec<(&'static str, String)> {
    let many = |count: usize, line: &dyn Fn(usize) -> String| (0..count).map(line).collect::<String>();
    let laughs = many(30, &|n| match n {
        0 => "a0: &a0 {x: 1, y: 2}\n".to_owned(),
        _ => format!("a{n}: &a{n} {{x: *a{m}, y: *a{m}}}\n", m = n - 1),
    });
    let merges = many(30, &|n| match n {
        0 => "m0: &m0 {x: 1}\n".to_owned(),
        _ => format!("m{n}: &m{n} {{k{n}: 1, <<: [*m{m}, *m{m}]}}\n", m = n - 1),
    });
    vec![
        ("a.yaml", "[".repeat(1 << 20)),
        ("a.yaml", "{a: ".repeat(1 << 18)),
        ("a.yaml", "- ".repeat(1 << 19)),
        ("a.kdl", "a{".repeat(1 << 19)),
        ("a.kdl", "/*".repeat(1 << 19)),
        ("a.yaml", laughs),
        ("a.yaml", merges),
        (
            "a.yaml",
            format!("a: &a [{}]\nb: [{}]\n", vec!["x"; 100_000].join(", "), vec!["*a"; 100_000].join(", ")),
        ),
        ("a.yaml", many(40_000, &|n| format!("k{n}: &a{n} x\n"))),
        ("a.yaml", "a: @\n".repeat(200_000)),
        ("a.kdl", "a 1x\n".repeat(200_000)),
        ("a.kdl", "x\n".repeat(200_000)),
        ("a.kdl", "pair\n".repeat(200_000)),
        ("a.yaml", format!("tiers:\n{}", many(60_000, &|n| format!(" a{n}: {{title: t}}\n")))),
        ("a.kdl", many(50_000, &|n| format!("tier \"a{n}\" title=\"t\"\n"))),
        ("a.kdl", "tier \"a\" title=\"t\"\n".repeat(50_000)),
        ("a.yaml", format!("roles:\n{}", many(20_000, &|n| format!(" a{n}: {{tier: A, shares: basic}}\n")))),
        ("a.yaml", format!("roles:\n{}", many(15_000, &|n| format!(" a{n}: {CONFLICTING_ROLE}\n")))),
        ("a.yaml", format!("tiers: {{a: {{title: \"{}\"}}}}\n", "x".repeat(1 << 20))),
        ("a.kdl", format!("tier \"{}\" title=\"t\"\n", "x".repeat(1 << 20))),
        ("a.kdl", format!("family \"a\" arch=\"{}\"\n", "x".repeat(1 << 20))),
        ("a.yaml", "\u{0}".repeat(1 << 20)),
        ("a.kdl", "\u{0}".repeat(1 << 20)),
        ("a.yaml", "\r\n".repeat(1 << 19)),
        ("a.kdl", "\u{feff}".repeat(1 << 18)),
    ]
}

/// Runs a command such as `mkfifo`, which creates something at the path that is not a regular file.
fn run_on(command: &str, path: &Path) {
    assert!(Command::new(command).arg(path).status().unwrap().success());
}

mod tools {
    use super::*;

    #[test]
    fn memory_stays_below_fifty_times_the_size_of_a_text() {
        let empty = workspace();
        let baseline = run_measured(program(), &["check"], empty.path());
        assert_eq!(baseline.exit_code, 0, "{}", baseline.output);
        for (name, text) in hostile_texts() {
            for format in ["human", "json"] {
                let workspace = workspace();
                fs::write(workspace.path().join("registry").join(name), &text).unwrap();
                let result = run_measured(program(), &["check", "--output-format", format], workspace.path());
                let start: String = text.chars().take(20).collect();
                let bound = baseline.peak + MAX_BYTES_PER_INPUT_BYTE * text.len() as u64 + FIXED_OVERHEAD;
                let mib = |bytes: u64| bytes >> 20;
                assert!([0, 1].contains(&result.exit_code), "{start:?} in {name}: {result:?}");
                assert!(
                    result.peak <= bound,
                    "{start:?} in {name}, {format}: peak memory {} MiB, limit {} MiB",
                    mib(result.peak),
                    mib(bound)
                );
            }
        }
    }

    #[test]
    fn a_file_of_two_hundred_megabytes_is_not_read_into_memory() {
        let workspace = workspace();
        let baseline = run_measured(program(), &["check"], workspace.path());
        let large = fs::File::create(workspace.path().join("registry/large.yaml")).unwrap();
        large.set_len(200 << 20).unwrap();
        let result = run_measured(program(), &["check"], workspace.path());
        assert_eq!(result.exit_code, 1);
        assert!(
            result.output.contains("ORC102") && result.output.contains("large.yaml"),
            "{}",
            result.output
        );
        assert!(
            result.peak < baseline.peak + FIXED_OVERHEAD,
            "peak memory {}, without the large file {}",
            result.peak,
            baseline.peak
        );
    }

    #[test]
    fn unusual_bytes_are_read_or_reported_at_their_place() {
        let cases: [(&str, &[u8], &[&str]); 9] = [
            ("a.yaml", b"tiers: {B: {title: b}}\r\n", &[]),
            ("a.kdl", b"tier \"B\" title=\"b\"\r\n", &[]),
            ("a.yaml", b"\xef\xbb\xbftiers: {B: {title: b}}\n", &[]),
            ("a.kdl", b"\xef\xbb\xbftier \"B\" title=\"b\"\n", &[]),
            ("a.yaml", b"tiers: {B: {title: \"caf\xe9\"}}\n", &["ORC101", "a.yaml:1:24"]),
            ("a.kdl", b"tier \"B\" title=\"caf\xe9\"\n", &["ORC101", "a.kdl:1:20"]),
            ("a.yaml", b"tiers: {B: {title: \"\0\"}}\n", &["error[ORC1", "a.yaml:1:2"]),
            ("a.kdl", b"tier \"B\" title=\"\0\"\n", &["error[ORC", "a.kdl:1:1"]),
            ("a.kdl", b"\xff\xfet\0i\0e\0r\0", &["ORC101", "registry/a.kdl"]),
        ];
        for (name, bytes, expected) in cases {
            let workspace = workspace();
            fs::write(workspace.path().join("registry").join(name), bytes).unwrap();
            let result = run_measured(program(), &["check"], workspace.path());
            assert_eq!(result.exit_code, i64::from(!expected.is_empty()), "{bytes:?}: {}", result.output);
            assert!(expected.iter().all(|text| result.output.contains(text)), "{bytes:?}: {}", result.output);
        }
    }

    #[test]
    fn a_path_that_is_not_a_regular_file_ends_the_run_with_one_error() {
        type Make = fn(&Path);
        let cases: [(&str, Make, &str); 7] = [
            ("a.yaml", |path| run_on("mkdir", path), "not a file"),
            ("a.kdl", |path| run_on("mkfifo", path), "not a file"),
            ("a.yml", |path| symlink("/dev/zero", path).unwrap(), "not a file"),
            ("a.kdl", |path| symlink("/dev/tty", path).unwrap(), "not a file"),
            ("a.yaml", |path| symlink("..", path).unwrap(), "not a file"),
            ("a.yaml", |path| symlink("nowhere", path).unwrap(), "no such file or folder"),
            (
                "a.yaml",
                |path| symlink("a.yaml", path).unwrap(),
                "Too many levels of symbolic links (os error 40)",
            ),
        ];
        for (name, make, expected) in cases {
            let workspace = workspace();
            make(&workspace.path().join("registry").join(name));
            for command in ["check", "build"] {
                let result = run_measured(program(), &[command], workspace.path());
                assert_eq!(result.exit_code, 2, "{}", result.output);
                assert_eq!(result.output, format!("error: cannot read `registry/{name}`: {expected}\n"));
            }
            assert!(!workspace.path().join("out").exists());
        }
        let workspace = workspace();
        let odd = std::ffi::OsStr::from_bytes(b"a\xff.yaml");
        fs::write(workspace.path().join("registry").join(odd), "tiers: {}\n").unwrap();
        let result = run_measured(program(), &["check"], workspace.path());
        assert!(
            result.exit_code == 2 && result.output.ends_with("the name is not UTF-8\n"),
            "{}",
            result.output
        );
    }

    #[test]
    fn symlink_loops_and_files_as_registry_folders_are_reported() {
        let workspace = workspace();
        symlink("loop", workspace.path().join("loop")).unwrap();
        symlink("registry", workspace.path().join("link")).unwrap();
        symlink(".", workspace.path().join("registry/self")).unwrap();
        fs::create_dir(workspace.path().join("registry/below")).unwrap();
        fs::write(workspace.path().join("registry/below/a.yaml"), "nonsense").unwrap();
        let check = |folder: &str| run_measured(program(), &["check", folder], workspace.path());
        assert_eq!(check("link").exit_code, 0, "the registry may be a symlink");
        assert_eq!(check("registry/self/self/self").exit_code, 0);
        let result = check("loop");
        assert_eq!(
            (result.exit_code, &*result.output),
            (2, "error: cannot read `loop`: Too many levels of symbolic links (os error 40)\n")
        );
        let result = check("registry/base.kdl");
        assert_eq!(
            (result.exit_code, &*result.output),
            (
                2,
                "error: cannot read `registry/base.kdl`: not a folder\nwrite the folder of the registry, not a file of it: `registry`\n"
            )
        );
    }

    /// Root can read every file, so another user runs orchgen.
    #[test]
    fn missing_read_permissions_are_reported() {
        let workspace = workspace();
        let copy = workspace.path().join("orchgen");
        fs::copy(program(), &copy).unwrap();
        fs::set_permissions(workspace.path(), Permissions::from_mode(0o755)).unwrap();
        let secret = workspace.path().join("registry/secret.yaml");
        fs::write(&secret, "tiers: {B: {title: b}}\n").unwrap();
        let is_root =
            String::from_utf8(Command::new("id").arg("-u").output().unwrap().stdout).unwrap() == "0\n";
        let as_other = |args: &[&str]| {
            let copy = copy.to_str().unwrap();
            let prefix: &[&str] =
                if is_root { &["--reuid", "65534", "--clear-groups", "--", copy] } else { &[] };
            let program = if is_root { Path::new("setpriv") } else { Path::new(copy) };
            run_measured(program, &[prefix, args].concat(), workspace.path())
        };
        assert_eq!(as_other(&["check"]).exit_code, 0);
        fs::set_permissions(&secret, Permissions::from_mode(0o000)).unwrap();
        let result = as_other(&["check"]);
        assert_eq!(
            (result.exit_code, &*result.output),
            (2, "error: cannot read `registry/secret.yaml`: permission denied\n")
        );
        fs::remove_file(&secret).unwrap();
        let folder = workspace.path().join("registry");
        fs::set_permissions(&folder, Permissions::from_mode(0o000)).unwrap();
        let result = as_other(&["check"]);
        fs::set_permissions(&folder, Permissions::from_mode(0o755)).unwrap();
        assert_eq!(
            (result.exit_code, &*result.output),
            (2, "error: cannot read `registry`: permission denied\n")
        );
    }
}
