//! Whatever lies in the folder of a registry: a finding, or exit 2 with a sentence; never a hang, and memory stays within
//! fifty times the input.

use std::fs::{self, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

const BASE: &str = include_str!("../pages/base.kdl");

/// What a run may take for each byte that it reads.
const TIMES: u64 = 50;
/// What it may take besides, for tables that are made once and for the allocator.
const SLACK: u64 = 12 << 20;

/// A role that takes the port of another.
const SAME: &str = "{tier: A, residency: hot, model: plain, port: 9000, context: 4096}";

/// How a run ended, and the most memory that it had in bytes.
#[derive(Debug)]
struct Ended {
    code: i64,
    said: String,
    peak: u64,
}

/// Runs the program as the system sees it: with its memory counted, and killed after two minutes.
#[track_caller]
fn measured(program: &Path, args: &[&str], folder: &Path) -> Ended {
    let counted = "import json, resource, subprocess, sys
run = subprocess.run(sys.argv[1:], capture_output=True, timeout=120, stdin=subprocess.DEVNULL)
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
said = (run.stderr + run.stdout)[:200000].decode(errors='replace')
print(json.dumps({'code': run.returncode, 'peak': peak, 'said': said}))";
    let mut command = Command::new("python3");
    command.args(["-c", counted]).arg(program).args(args).current_dir(folder).env("RAYON_NUM_THREADS", "2");
    let output = command.output().unwrap();
    let ended: serde_json::Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("it did not end: {}", String::from_utf8_lossy(&output.stderr)));
    Ended {
        code: ended["code"].as_i64().unwrap(),
        said: ended["said"].as_str().unwrap().to_owned(),
        peak: ended["peak"].as_u64().unwrap(),
    }
}

fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_orchgen"))
}

/// A folder with a registry of one file beside which more can be put.
fn ground() -> tempfile::TempDir {
    let ground = tempfile::tempdir().unwrap();
    fs::create_dir(ground.path().join("registry")).unwrap();
    fs::write(ground.path().join("registry/base.kdl"), BASE).unwrap();
    ground
}

/// Names and texts of about a megabyte each, made to need more than they are worth.
fn monsters() -> Vec<(&'static str, String)> {
    let many = |count: usize, of: &dyn Fn(usize) -> String| (0..count).map(of).collect::<String>();
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
        ("a.yaml", format!("roles:\n{}", many(15_000, &|n| format!(" a{n}: {SAME}\n")))),
        ("a.yaml", format!("tiers: {{a: {{title: \"{}\"}}}}\n", "x".repeat(1 << 20))),
        ("a.kdl", format!("tier \"{}\" title=\"t\"\n", "x".repeat(1 << 20))),
        ("a.kdl", format!("family \"a\" arch=\"{}\"\n", "x".repeat(1 << 20))),
        ("a.yaml", "\u{0}".repeat(1 << 20)),
        ("a.kdl", "\u{0}".repeat(1 << 20)),
        ("a.yaml", "\r\n".repeat(1 << 19)),
        ("a.kdl", "\u{feff}".repeat(1 << 18)),
    ]
}

#[test]
fn no_text_takes_more_than_fifty_times_its_size() {
    let empty = ground();
    let least = measured(program(), &["check"], empty.path());
    assert_eq!(least.code, 0, "{}", least.said);
    for (name, text) in monsters() {
        for format in ["human", "json"] {
            let ground = ground();
            fs::write(ground.path().join("registry").join(name), &text).unwrap();
            let ended = measured(program(), &["check", "--output-format", format], ground.path());
            let shown: String = text.chars().take(20).collect();
            let bound = least.peak + TIMES * text.len() as u64 + SLACK;
            let mib = |bytes: u64| bytes >> 20;
            assert!([0, 1].contains(&ended.code), "{shown:?} in {name}: {ended:?}");
            assert!(
                ended.peak <= bound,
                "{shown:?} in {name}, {format}: {} MiB of {} MiB",
                mib(ended.peak),
                mib(bound)
            );
        }
    }
}

#[test]
fn a_file_of_two_hundred_megabytes_is_not_even_read() {
    let ground = ground();
    let least = measured(program(), &["check"], ground.path());
    let large = fs::File::create(ground.path().join("registry/large.yaml")).unwrap();
    large.set_len(200 << 20).unwrap();
    let ended = measured(program(), &["check"], ground.path());
    assert_eq!(ended.code, 1);
    assert!(ended.said.contains("ORC102") && ended.said.contains("large.yaml"), "{}", ended.said);
    assert!(ended.peak < least.peak + SLACK, "{} of {}", ended.peak, least.peak);
}

#[test]
fn what_is_odd_in_a_text_is_read_or_said_at_its_place() {
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
        let ground = ground();
        fs::write(ground.path().join("registry").join(name), bytes).unwrap();
        let ended = measured(program(), &["check"], ground.path());
        assert_eq!(ended.code, i64::from(!expected.is_empty()), "{bytes:?}: {}", ended.said);
        assert!(expected.iter().all(|text| ended.said.contains(text)), "{bytes:?}: {}", ended.said);
    }
}

/// Makes something that is no file where one is looked for.
fn made(command: &str, path: &Path) {
    assert!(Command::new(command).arg(path).status().unwrap().success());
}

#[test]
fn what_is_no_file_ends_the_run_with_a_sentence() {
    type Make = fn(&Path);
    let cases: [(&str, Make, &str); 7] = [
        ("a.yaml", |path| made("mkdir", path), "it is not a file"),
        ("a.kdl", |path| made("mkfifo", path), "it is not a file"),
        ("a.yml", |path| symlink("/dev/zero", path).unwrap(), "it is not a file"),
        ("a.kdl", |path| symlink("/dev/tty", path).unwrap(), "it is not a file"),
        ("a.yaml", |path| symlink("..", path).unwrap(), "it is not a file"),
        ("a.yaml", |path| symlink("nowhere", path).unwrap(), "there is no such folder or file"),
        (
            "a.yaml",
            |path| symlink("a.yaml", path).unwrap(),
            "Too many levels of symbolic links (os error 40)",
        ),
    ];
    for (name, make, expected) in cases {
        let ground = ground();
        make(&ground.path().join("registry").join(name));
        for command in ["check", "build"] {
            let ended = measured(program(), &[command], ground.path());
            assert_eq!(ended.code, 2, "{}", ended.said);
            assert_eq!(ended.said, format!("error: cannot read `registry/{name}`: {expected}\n"));
        }
        assert!(!ground.path().join("out").exists());
    }
    let ground = ground();
    let odd = std::ffi::OsStr::from_bytes(b"a\xff.yaml");
    fs::write(ground.path().join("registry").join(odd), "tiers: {}\n").unwrap();
    let ended = measured(program(), &["check"], ground.path());
    assert!(ended.code == 2 && ended.said.ends_with("its name is not UTF-8\n"), "{}", ended.said);
}

#[test]
fn folders_that_lead_nowhere_or_in_circles_are_said() {
    let ground = ground();
    symlink("loop", ground.path().join("loop")).unwrap();
    symlink("registry", ground.path().join("link")).unwrap();
    symlink(".", ground.path().join("registry/self")).unwrap();
    fs::create_dir(ground.path().join("registry/below")).unwrap();
    fs::write(ground.path().join("registry/below/a.yaml"), "nonsense").unwrap();
    let check = |folder: &str| measured(program(), &["check", folder], ground.path());
    assert_eq!(check("link").code, 0, "a registry behind a symlink is one");
    assert_eq!(check("registry/self/self/self").code, 0);
    let ended = check("loop");
    assert_eq!(
        (ended.code, &*ended.said),
        (2, "error: cannot read `loop`: Too many levels of symbolic links (os error 40)\n")
    );
    let ended = check("registry/base.kdl");
    assert_eq!(
        (ended.code, &*ended.said),
        (2, "error: cannot read `registry/base.kdl`: it is not a folder\n")
    );
}

/// Root reads everything, so somebody else asks.
#[test]
fn what_may_not_be_read_is_said() {
    let ground = ground();
    let own = ground.path().join("orchgen");
    fs::copy(program(), &own).unwrap();
    fs::set_permissions(ground.path(), Permissions::from_mode(0o755)).unwrap();
    let secret = ground.path().join("registry/secret.yaml");
    fs::write(&secret, "tiers: {B: {title: b}}\n").unwrap();
    let is_root = String::from_utf8(Command::new("id").arg("-u").output().unwrap().stdout).unwrap() == "0\n";
    let as_other = |args: &[&str]| {
        let own = own.to_str().unwrap();
        let with: &[&str] = if is_root { &["--reuid", "65534", "--clear-groups", "--", own] } else { &[] };
        let program = if is_root { Path::new("setpriv") } else { Path::new(own) };
        measured(program, &[with, args].concat(), ground.path())
    };
    assert_eq!(as_other(&["check"]).code, 0);
    fs::set_permissions(&secret, Permissions::from_mode(0o000)).unwrap();
    let ended = as_other(&["check"]);
    assert_eq!(
        (ended.code, &*ended.said),
        (2, "error: cannot read `registry/secret.yaml`: permission denied\n")
    );
    fs::remove_file(&secret).unwrap();
    let folder = ground.path().join("registry");
    fs::set_permissions(&folder, Permissions::from_mode(0o000)).unwrap();
    let ended = as_other(&["check"]);
    fs::set_permissions(&folder, Permissions::from_mode(0o755)).unwrap();
    assert_eq!((ended.code, &*ended.said), (2, "error: cannot read `registry`: permission denied\n"));
}
