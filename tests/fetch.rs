//! The scripts `bin/fetch/MODEL`, which are executed against a server that behaves like the hub.

mod hub;

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use crate::outside;
use crate::support::compile;
use hub::{Host, Hub, sha256};
use tempfile::TempDir;

const REGISTRY: &str = include_str!("fetch/registry.kdl");

/// The address of the file of the model `one`, below the hub.
const ONE: &str = "lab/Finch-GGUF/resolve/main/quants/one%20file.gguf";
/// The path of this file below the store.
const ONE_FILE: &str = "lab/Finch-GGUF/quants/one file.gguf";

/// A content that differs in each piece.
fn content(length: usize) -> Vec<u8> {
    (0..length).map(|at| u8::try_from((at / 7 + at / 1009) % 251).unwrap()).collect()
}

/// The generated scripts and an empty store, with a hub.
struct Store {
    dir: TempDir,
    hub: Hub,
}

impl Store {
    fn new(change: impl Fn(String) -> String) -> Self {
        let dir = outside::folder();
        let text = change(REGISTRY.replace("/rig", dir.path().to_str().unwrap()));
        compile(&[("registry.kdl", &text)]).write(&dir.path().join("out"));
        Self { dir, hub: Hub::start() }
    }

    fn models(&self) -> PathBuf {
        self.dir.path().join("models")
    }

    /// The script of a model, with the hub as its endpoint and no other setting of the user.
    fn command(&self, model: &str) -> Command {
        let mut command = Command::new(self.dir.path().join("out/bin/fetch").join(model));
        command.env_remove("HF_TOKEN").env("HF_ENDPOINT", self.hub.endpoint());
        command.env("HOME", self.dir.path()).env_remove("http_proxy").env_remove("all_proxy");
        command
    }

    fn run(&self, model: &str) -> Output {
        outside::run(&mut self.command(model), "curl")
    }

    /// Starts a script in a separate process group, and waits until it has this number of bytes.
    fn start(&self, model: &str, bytes: u64) -> Child {
        let mut command = self.command(model);
        let child = command.process_group(0).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let is_there = || self.parts().first().is_some_and(|part| fs::metadata(part).unwrap().len() >= bytes);
        let mut tries = 0..2000;
        while !is_there() && tries.next().is_some() {
            std::thread::sleep(Duration::from_millis(10));
        }
        assert!(is_there(), "the download does not begin");
        child
    }

    fn files(&self) -> Vec<PathBuf> {
        fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
            for entry in fs::read_dir(folder).into_iter().flatten() {
                let path = entry.unwrap().path();
                if path.is_dir() { walk(&path, files) } else { files.push(path) }
            }
        }
        let mut files = Vec::new();
        walk(&self.models(), &mut files);
        files
    }

    /// The files that are not complete.
    fn parts(&self) -> Vec<PathBuf> {
        let is_part = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "part");
        self.files().into_iter().filter(is_part).collect()
    }

    #[track_caller]
    fn assert_has(&self, file: &str, content: &[u8]) {
        assert!(fs::read(self.models().join(file)).unwrap() == content, "{file} differs");
        assert!(self.parts().is_empty(), "{:?}", self.parts());
    }

    /// Asserts that a script fails with this code and reason.
    #[track_caller]
    fn assert_refuses(&self, model: &str, code: i32, reason: &str) {
        let output = self.run(model);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{stderr}");
        assert!(stderr.contains(reason), "{stderr}");
    }
}

#[track_caller]
fn assert_success(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    String::from_utf8(output.stdout.clone()).unwrap()
}

mod tools {
    use super::*;

    #[test]
    fn bash_and_shellcheck_accept_the_scripts() {
        let store = Store::new(|text| text);
        let scripts =
            ["one", "exact", "shards"].map(|model| store.dir.path().join("out/bin/fetch").join(model));
        for script in &scripts {
            let output = outside::run(Command::new("bash").arg("-n").arg(script), "bash");
            assert!(output.status.success() && output.stderr.is_empty(), "{}", script.display());
        }
        assert_eq!(outside::shellcheck(&scripts), "");
    }

    #[test]
    fn help_and_a_dry_run_need_no_hub() {
        let store = Store::new(|text| text);
        let help = assert_success(&outside::run(store.command("shards").arg("--help"), "curl"));
        assert!(help.contains("lab/Finch-GGUF, revision main") && help.contains("HF_TOKEN"), "{help}");
        let lines = assert_success(&outside::run(store.command("shards").arg("--dry-run"), "curl"));
        let (hub, models) = (store.hub.endpoint(), store.models());
        let line = |name: &str| {
            format!("{hub}lab/Finch-GGUF/resolve/main/{name} -> {}/lab/Finch-GGUF/{name}\n", models.display())
        };
        let names = ["big-00001-of-00002.gguf", "big-00002-of-00002.gguf", "mmproj.gguf"];
        assert_eq!(lines, names.map(line).concat());
        let lines = outside::run(store.command("exact").arg("--dry-run").env_remove("HF_ENDPOINT"), "curl");
        let lines = assert_success(&lines);
        let address = "https://huggingface.co/lab/Finch-GGUF/resolve/refs%2Fpr%2F1/exact.gguf -> ";
        assert!(lines.starts_with(address), "{lines}");
        let output = outside::run(store.command("one").arg("now"), "curl");
        assert_eq!(output.status.code(), Some(64));
        assert!(store.hub.take_requests().is_empty() && store.files().is_empty());
    }

    #[test]
    fn each_host_has_its_folder() {
        let store = Store::new(|text| {
            let hosts = "host \"big\" memory=\"64 GB\"\nhost \"small\" memory=\"64 GB\"\nstore";
            let mounts = " { mount \"big\"; mount \"small\" path=\"/nonexistent/small\"; }\nmodel \"one\"";
            let text = text.replace("store", hosts).replace("\nmodel \"one\"", mounts);
            text.replace("port=9001", "port=9001 host=\"small\"")
        });
        let script = store.dir.path().join("out/bin/fetch/one");
        assert_eq!(outside::shellcheck(&[script]), "");
        let run = |name: &str, args: &[&str]| {
            outside::run(store.command("one").args(args).env("HOSTNAME", name), "curl")
        };
        let bytes = content(1000);
        store.hub.add(ONE, bytes.clone());
        assert_success(&run("big", &[]));
        store.assert_has(ONE_FILE, &bytes);
        let of_small = format!(" -> /nonexistent/small/{ONE_FILE}\n");
        for (name, args) in [("small", &["--dry-run"][..]), ("big", &["--dry-run", "--host", "small"])] {
            let line = assert_success(&run(name, args));
            assert!(line.ends_with(&of_small), "{line}");
        }
        assert!(assert_success(&run("third", &["--help"])).contains("big, small; default: the name of"));
        for args in [&["--host", "third"][..], &["--host"], &[]] {
            let output = run("third", args);
            let stderr = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(64), "{stderr}");
            assert!(stderr.contains("big, small"), "{stderr}");
        }
    }

    #[test]
    fn a_file_arrives_complete_under_its_name_and_only_once() {
        let store = Store::new(|text| text);
        let bytes = content(50_000);
        store.hub.add(ONE, bytes.clone());
        assert!(assert_success(&store.run("one")).contains("50000 of 50000 bytes are missing"));
        store.assert_has(ONE_FILE, &bytes);
        let requests = store.hub.take_requests();
        let seen: Vec<(&str, Host)> =
            requests.iter().map(|request| (&*request.method, request.host)).collect();
        assert_eq!(seen, [("HEAD", Host::Hub), ("GET", Host::Content)]);
        assert!(assert_success(&store.run("one")).contains("one file.gguf: already there"));
        assert!(store.hub.take_requests().is_empty());
    }

    #[test]
    fn all_shards_and_the_projector_arrive_also_from_a_renamed_repository() {
        let store = Store::new(|text| text);
        store.hub.state().renames = 1;
        let names = ["big-00001-of-00002.gguf", "big-00002-of-00002.gguf", "mmproj.gguf"];
        for (name, length) in names.iter().zip([30_000, 20_000, 10_000]) {
            store.hub.add(&format!("lab/Finch-GGUF/resolve/main/{name}"), content(length));
        }
        // The hub itself has small files.
        store.hub.change("lab/Finch-GGUF/resolve/main/mmproj.gguf", |file| file.is_lfs = false);
        assert_success(&store.run("shards"));
        for (name, length) in names.iter().zip([30_000, 20_000, 10_000]) {
            store.assert_has(&format!("lab/Finch-GGUF/{name}"), &content(length));
        }
    }

    #[test]
    fn a_killed_download_resumes_where_it_stopped() {
        // The script with curl, or only the script.
        for target in ["-", ""] {
            assert_resumes(target);
        }
    }

    /// Kills a download, and asserts that the next one continues. The target is the sign of the process ID.
    fn assert_resumes(target: &str) {
        let store = Store::new(|text| text);
        let bytes = content(1_000_000);
        store.hub.add(ONE, bytes.clone());
        store.hub.state().stop_after = Some(400_000);
        let mut child = store.start("one", 300_000);
        let kill = format!("kill -KILL {target}{}", child.id());
        outside::run(Command::new("bash").args(["-c", &kill]), "bash");
        assert!(!child.wait().unwrap().success());
        assert!(!store.models().join(ONE_FILE).exists());
        let have = fs::metadata(&store.parts()[0]).unwrap().len();
        store.hub.take_requests();
        store.hub.state().stop_after = None;
        assert_success(&store.run("one"));
        store.assert_has(ONE_FILE, &bytes);
        let requests = store.hub.take_requests();
        assert_eq!(requests[1].range, Some(format!("bytes={have}-")));
        assert_eq!(store.hub.state().sent[1], 1_000_000 - usize::try_from(have).unwrap());
    }

    #[test]
    fn a_host_without_ranges_sends_the_file_again() {
        let store = Store::new(|text| text);
        let bytes = content(90_000);
        store.hub.add(ONE, bytes.clone());
        store.hub.state().ignores_ranges = true;
        let part = format!("{ONE_FILE}.{}.part", &sha256(&bytes)[..16]);
        outside::write(&store.models().join(part), "the start", 0o644);
        assert!(store.run("one").status.success());
        store.assert_has(ONE_FILE, &bytes);
    }

    #[test]
    fn a_new_version_at_the_hub_does_not_continue_the_old_part() {
        let store = Store::new(|text| text);
        store.hub.add(ONE, content(90_000));
        let old = format!("{ONE_FILE}.{}.part", &sha256(b"old version")[..16]);
        outside::write(&store.models().join(&old), "old version", 0o644);
        assert_success(&store.run("one"));
        assert!(fs::read(store.models().join(ONE_FILE)).unwrap() == content(90_000));
    }

    #[test]
    fn a_wrong_size_is_refused() {
        let store = Store::new(|text| text);
        for size in [89_999, 90_001] {
            store.hub.add(ONE, content(90_000));
            store.hub.change(ONE, |file| file.size = size);
            store.assert_refuses("one", 65, &format!("has 90000 bytes, not {size}"));
            assert!(store.files().is_empty(), "{:?}", store.files());
        }
    }

    #[test]
    fn a_wrong_sum_of_the_hub_is_refused() {
        let store = Store::new(|text| text);
        store.hub.add(ONE, content(90_000));
        store.hub.change(ONE, |file| file.content[70_000] ^= 1);
        store.assert_refuses("one", 65, &format!(", not {}", sha256(&content(90_000))));
        assert!(store.files().is_empty(), "{:?}", store.files());
    }

    #[test]
    fn a_wrong_sum_of_the_registry_is_refused_before_the_download() {
        const EXACT: &str = "lab/Finch-GGUF/resolve/refs%2Fpr%2F1/exact.gguf";
        let store = Store::new(|text| text);
        store.hub.add(EXACT, content(90_000));
        store.assert_refuses("exact", 65, "the hub has another file");
        assert!(store.files().is_empty() && store.hub.state().sent.is_empty());
        // A hub that does not know the sum.
        store.hub.change(EXACT, |file| file.is_lfs = false);
        store.assert_refuses("exact", 65, &format!(", not {}", "0".repeat(64)));
        assert!(store.files().is_empty(), "{:?}", store.files());
        let right = Store::new(|text| text.replace(&"0".repeat(64), &sha256(&content(90_000))));
        right.hub.add(EXACT, content(90_000));
        assert_success(&right.run("exact"));
        right.assert_has("lab/Finch-GGUF/exact.gguf", &content(90_000));
    }

    #[test]
    fn a_gated_repository_asks_for_the_token_and_only_the_hub_gets_it() {
        let store = Store::new(|text| text);
        store.hub.add(ONE, content(90_000));
        store.hub.state().token = Some("hf_secret");
        store.assert_refuses("one", 77, "check this name, set HF_TOKEN");
        let output = outside::run(store.command("one").env("HF_TOKEN", "hf_other"), "curl");
        assert_eq!(output.status.code(), Some(77));
        store.hub.take_requests();
        let mut command = store.command("one");
        let output = outside::run(command.env("HF_TOKEN", "hf_secret").env("ORCHGEN_TRACE", "1"), "curl");
        let trace = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success() && trace.contains("+ curl") && !trace.contains("hf_secret"),
            "{trace}"
        );
        store.assert_has(ONE_FILE, &content(90_000));
        let requests = store.hub.take_requests();
        let tokens: Vec<_> =
            requests.iter().map(|request| (request.host, request.token.as_deref())).collect();
        assert_eq!(tokens, [(Host::Hub, Some("Bearer hf_secret")), (Host::Content, None)]);
    }

    #[test]
    fn a_hub_that_redirects_without_end_is_reported() {
        let store = Store::new(|text| text);
        store.hub.add(ONE, content(90_000));
        store.hub.state().renames = 100;
        store.assert_refuses("one", 74, "redirects too often");
        assert!(store.files().is_empty(), "{:?}", store.files());
    }

    #[test]
    fn a_file_that_does_not_exist_and_a_hub_that_does_not_answer_are_reported() {
        let store = Store::new(|text| text);
        store.assert_refuses("one", 66, "one%20file.gguf does not exist");
        let output = outside::run(store.command("one").env("HF_ENDPOINT", "http://127.0.0.1:1"), "curl");
        assert_eq!(output.status.code(), Some(74));
        assert!(store.files().is_empty());
    }

    #[test]
    fn two_runs_at_once_do_not_damage_the_file() {
        let store = Store::new(|text| text);
        let bytes = content(1_000_000);
        store.hub.add(ONE, bytes.clone());
        store.hub.state().stop_after = Some(400_000);
        let mut first = store.start("one", 300_000);
        store.assert_refuses("one", 74, "another process downloads");
        store.hub.state().stop_after = None;
        assert!(first.wait().unwrap().success());
        store.assert_has(ONE_FILE, &bytes);
    }

    #[test]
    fn many_runs_at_once_leave_one_complete_file() {
        let store = Store::new(|text| text);
        let bytes = content(200_000);
        store.hub.add(ONE, bytes.clone());
        let start = || {
            let mut command = store.command("one");
            command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
        };
        let children: Vec<Child> = (0..8).map(|_| start()).collect();
        let codes: Vec<Option<i32>> =
            children.into_iter().map(|mut child| child.wait().unwrap().code()).collect();
        assert!(codes.contains(&Some(0)), "{codes:?}");
        assert!(codes.iter().all(|code| matches!(code, Some(0 | 74))), "{codes:?}");
        store.assert_has(ONE_FILE, &bytes);
    }
}
