//! The build script, and the files of a release, which `.ci/release` makes: program, archive, Debian package, checksums.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Runs a command that must succeed, and returns its standard output.
#[track_caller]
fn run_ok(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The folder of the files of a release.
#[track_caller]
fn files() -> PathBuf {
    let folder = crate::support::repository().join("target/release-files");
    assert!(folder.join("SHA256SUMS").is_file(), "there is no release: run `bash .ci/release`");
    folder
}

/// The file of the release with this ending.
#[track_caller]
fn file(ending: &str) -> PathBuf {
    let entries = fs::read_dir(files()).unwrap().map(|entry| entry.unwrap().path());
    let mut found = entries.filter(|path| path.to_str().unwrap().ends_with(ending));
    let first = found.next().unwrap_or_else(|| panic!("no file ends with {ending}"));
    assert!(found.next().is_none(), "several files end with {ending}");
    first
}

/// The folder of the unpacked archive.
#[track_caller]
fn unpacked(into: &Path) -> PathBuf {
    let archive = file("-linux.tar.gz");
    run_ok(Command::new("tar").arg("-xzf").arg(&archive).arg("-C").arg(into));
    into.join(archive.file_name().unwrap().to_str().unwrap().trim_end_matches(".tar.gz"))
}

mod tools {
    use super::*;

    /// A folder with a git repository of one commit, and the compiled build script.
    struct Sources {
        folder: tempfile::TempDir,
        commit: String,
    }

    impl Sources {
        fn new() -> Self {
            let sources = Self { folder: tempfile::tempdir().unwrap(), commit: String::new() };
            fs::create_dir(sources.at("checkout")).unwrap();
            let script = crate::support::repository().join("src/build.rs");
            let mut rustc = Command::new("rustc");
            rustc.args(["--edition", "2024", "-o"]).arg(sources.at("script")).arg(script);
            run_ok(rustc.arg("--out-dir").arg(sources.folder.path()));
            sources.git("checkout", &["init", "--quiet", "--initial-branch", "main"]);
            let author = ["-c", "user.name=t", "-c", "user.email=t@localhost"];
            let commit = ["commit", "--quiet", "--allow-empty", "--message", "m"];
            sources.git("checkout", &[&author[..], &commit].concat());
            let commit = sources.git("checkout", &["rev-parse", "HEAD"]).trim().to_owned();
            Self { commit, ..sources }
        }

        fn at(&self, path: &str) -> PathBuf {
            self.folder.path().join(path)
        }

        fn git(&self, folder: &str, args: &[&str]) -> String {
            let mut git = Command::new("git");
            git.args(args).current_dir(self.at(folder)).env("GIT_CONFIG_GLOBAL", "/dev/null");
            run_ok(git.env("GIT_COMMITTER_DATE", "2026-11-29T23:30:00+0100"))
        }

        /// The values that the script gives to cargo for the sources in a folder.
        fn instructions(&self, folder: &str, variables: &[(&str, &str)]) -> Vec<(String, String)> {
            let mut script = Command::new(self.at("script"));
            script.env("CARGO_MANIFEST_DIR", self.at(folder)).env("CARGO_PKG_VERSION", "1.2.3");
            script.env("PROFILE", "release").env_remove("ORCHGEN_COMMIT").env_remove("ORCHGEN_COMMIT_DATE");
            let output = run_ok(script.envs(variables.iter().copied()));
            let line = |line: &str| {
                let (key, value) = line.strip_prefix("cargo::").unwrap().split_once('=').unwrap();
                (key.to_owned(), value.to_owned())
            };
            output.lines().map(line).collect()
        }

        /// The text of `--version` after the name.
        fn version(&self, folder: &str, variables: &[(&str, &str)]) -> String {
            let instructions = self.instructions(folder, variables);
            let value = |name: &str| {
                let found = instructions
                    .iter()
                    .find_map(|(key, value)| value.strip_prefix(name).filter(|_| key == "rustc-env"));
                found.unwrap().to_owned()
            };
            let (version, date) = (value("ORCHGEN_VERSION="), value("ORCHGEN_DATE="));
            assert!(version.contains(&date), "{version} lacks {date}");
            version
        }

        /// The files whose change runs the script again. All exist.
        fn watched(&self, folder: &str) -> Vec<PathBuf> {
            let instructions = self.instructions(folder, &[]).into_iter();
            let files =
                instructions.filter(|(key, _)| key == "rerun-if-changed").map(|(_, file)| file.into());
            let files: Vec<PathBuf> = files.filter(|file| file != Path::new("src/build.rs")).collect();
            assert!(files.iter().all(|file| file.is_file()), "{files:?}");
            files
        }
    }

    #[test]
    fn the_build_script_names_the_commit_of_a_checkout() {
        let sources = Sources::new();
        let expected = format!("1.2.3 ({} 2026-11-29)", &sources.commit[..9]);
        assert_eq!(sources.version("checkout", &[]), expected);
        let ends_with =
            |folder: &str, end: &str| sources.watched(folder).iter().any(|file| file.ends_with(end));
        assert!(ends_with("checkout", ".git/HEAD") && ends_with("checkout", ".git/refs/heads/main"));
        sources.git("checkout", &["worktree", "add", "--quiet", "-b", "other", "../worktree"]);
        assert_eq!(sources.version("worktree", &[]), expected);
        assert!(
            ends_with("worktree", "worktrees/worktree/HEAD") && ends_with("worktree", "refs/heads/other")
        );
        sources.git("checkout", &["pack-refs", "--all"]);
        sources.git("checkout", &["checkout", "--quiet", "--detach"]);
        assert_eq!(sources.version("checkout", &[]), expected);
        assert!(ends_with("checkout", ".git/logs/HEAD") && ends_with("checkout", ".git/packed-refs"));
    }

    #[test]
    fn the_build_script_prints_the_plain_version_without_a_commit() {
        let sources = Sources::new();
        // A package in a folder of another repository.
        fs::create_dir(sources.at("checkout/package")).unwrap();
        fs::create_dir(sources.at("tarball")).unwrap();
        fs::create_dir_all(sources.at("empty/.git")).unwrap();
        for folder in ["checkout/package", "tarball", "empty", "missing"] {
            assert_eq!(sources.version(folder, &[]), "1.2.3", "{folder}");
        }
        assert_eq!(sources.version("checkout", &[("PROFILE", "debug")]), "1.2.3");
        assert_eq!(sources.version("checkout", &[("PATH", "/nonexistent")]), "1.2.3");
    }

    #[test]
    fn the_environment_names_the_commit_of_a_tarball() {
        let sources = Sources::new();
        fs::create_dir(sources.at("tarball")).unwrap();
        let commit = ("ORCHGEN_COMMIT", "1a2b3c4d5e6f7a8b");
        let date = ("ORCHGEN_COMMIT_DATE", "2026-11-30");
        for folder in ["tarball", "checkout"] {
            assert_eq!(sources.version(folder, &[commit, date]), "1.2.3 (1a2b3c4d5 2026-11-30)");
        }
        assert_eq!(sources.version("tarball", &[commit]), "1.2.3 (1a2b3c4d5)");
        let hostile = ("ORCHGEN_COMMIT", "1a\ncargo::error=x");
        assert_eq!(sources.version("tarball", &[hostile]), "1.2.3 (1acargoer)");
    }

    #[test]
    fn checksums_list_all_files_of_the_release() {
        let sums = fs::read_to_string(files().join("SHA256SUMS")).unwrap();
        let entries = fs::read_dir(files()).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<String> = entries.map(|name| name.into_string().unwrap()).collect();
        names.sort();
        names.retain(|name| name != "SHA256SUMS");
        let listed: Vec<&str> = sums.lines().map(|line| line.split_once("  ").unwrap().1).collect();
        assert_eq!(listed, names);
        assert_eq!(names.len(), 3, "program, archive, package: {names:?}");
        run_ok(Command::new("sha256sum").args(["--check", "--strict", "SHA256SUMS"]).current_dir(files()));
    }

    #[test]
    fn the_archive_has_the_program_and_its_documents() {
        let folder = tempfile::tempdir().unwrap();
        let unpacked = unpacked(folder.path());
        let program = fs::read(unpacked.join("orchgen")).unwrap();
        assert!(program == fs::read(file("-linux")).unwrap());
        let version = run_ok(Command::new(unpacked.join("orchgen")).arg("--version"));
        let (name, commit) = version.trim_end().split_once(" (").unwrap();
        assert_eq!(name, concat!("orchgen ", env!("CARGO_PKG_VERSION")));
        let (hash, date) = commit.trim_end_matches(')').split_once(' ').unwrap();
        assert!(hash.len() == 9 && hash.chars().all(|c| c.is_ascii_hexdigit()), "{version}");
        assert!(date.len() == 10 && date.split('-').count() == 3, "{version}");
        for name in ["README.md", "CHANGELOG.md", "LICENSE-APACHE", "LICENSE-MIT"] {
            assert!(unpacked.join(name).is_file(), "{name}");
        }
        let page = fs::read_to_string(unpacked.join("share/doc/orchgen/guide/codes/ORC302.html")).unwrap();
        assert!(page.contains("<h1>ORC302 port-conflict</h1>"), "{page}");
        for (shell, name) in [("bash", "orchgen.bash"), ("zsh", "_orchgen"), ("fish", "orchgen.fish")] {
            let script = run_ok(Command::new(unpacked.join("orchgen")).args(["completions", shell]));
            assert_eq!(fs::read_to_string(unpacked.join("completions").join(name)).unwrap(), script);
        }
    }

    #[test]
    fn mandoc_accepts_the_pages_of_the_release() {
        let folder = tempfile::tempdir().unwrap();
        let pages = unpacked(folder.path()).join("man/man1");
        let names: Vec<_> = fs::read_dir(&pages).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert!(names.len() > 15);
        let mut mandoc = Command::new("mandoc");
        mandoc.args(["-T", "lint", "-W", "warning"]).args(names).current_dir(pages);
        let output = crate::outside::run(&mut mandoc, "mandoc");
        assert_eq!(String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr), "");
    }
}

mod rig {
    use super::*;
    use crate::served::rig::Rig;
    use std::collections::BTreeSet;

    /// All files and folders of the rig, without the records of dpkg.
    fn tree(rig: &Rig) -> BTreeSet<String> {
        let listed = run_ok(&mut rig.chroot(&["find", "/", "-xdev", "-print0"]));
        let records = ["/var/lib/dpkg/status-old", "/var/lib/dpkg/diversions-old", "/var/log/"];
        let is_record = |path: &&str| records.iter().any(|record| path.starts_with(record));
        listed.split('\0').filter(|path| !is_record(path)).map(str::to_owned).collect()
    }

    #[test]
    fn the_package_installs_works_and_leaves_no_file() {
        let rig = Rig::unbooted();
        run_ok(&mut rig.chroot(&["dpkg", "--purge", "orchgen"]));
        fs::copy(file(".deb"), rig.root.join("srv/orchgen.deb")).unwrap();
        let before = tree(&rig);
        run_ok(&mut rig.chroot(&["dpkg", "--install", "/srv/orchgen.deb"]));
        let version = run_ok(&mut rig.chroot(&["orchgen", "--version"]));
        assert_eq!(version, run_ok(Command::new(file("-linux")).arg("--version")));
        let status = run_ok(&mut rig.chroot(&["dpkg", "--status", "orchgen"]));
        for line in ["Status: install ok installed", "Section: utils", "Priority: optional"] {
            assert!(status.contains(line), "{status}");
        }
        assert!(status.contains(concat!("Version: ", env!("CARGO_PKG_VERSION"), "-1")), "{status}");

        let added: BTreeSet<String> = tree(&rig).difference(&before).cloned().collect();
        for path in [
            "/usr/bin/orchgen",
            "/usr/share/man/man1/orchgen.1.gz",
            "/usr/share/man/man1/orchgen-engine-probe.1.gz",
            "/usr/share/bash-completion/completions/orchgen",
            "/usr/share/zsh/vendor-completions/_orchgen",
            "/usr/share/fish/vendor_completions.d/orchgen.fish",
            "/usr/share/doc/orchgen/README.md",
            "/usr/share/doc/orchgen/guide/index.html",
            "/usr/share/doc/orchgen/guide/codes/ORC302.html",
            "/usr/share/doc/orchgen/changelog.gz",
            "/usr/share/doc/orchgen/copyright",
            "/usr/share/doc/orchgen/LICENSE-APACHE",
        ] {
            assert!(added.contains(path), "{path} is missing from {added:#?}");
        }
        let complete = "source /usr/share/bash-completion/completions/orchgen
            complete -p orchgen
            COMP_WORDS=(orchgen engine pro) COMP_CWORD=2; _orchgen orchgen pro engine; echo \"${COMPREPLY[*]}\"";
        let completed = run_ok(&mut rig.chroot(&["bash", "-euc", complete]));
        assert!(completed.ends_with("\nprobe \n"), "{completed}");
        // The pages are where links of the program lead to.
        let listed = run_ok(&mut rig.chroot(&["env", "FORCE_HYPERLINK=1", "orchgen", "explain"]));
        assert!(
            listed.contains("]8;;file:///usr/share/doc/orchgen/guide/codes/ORC302.html\u{1b}\\ORC302"),
            "{listed}"
        );
        let page = run_ok(&mut rig.chroot(&["gzip", "-dc", "/usr/share/man/man1/orchgen.1.gz"]));
        assert!(page.contains(".TH ORCHGEN 1 "), "{page}");

        run_ok(&mut rig.chroot(&["dpkg", "--remove", "orchgen"]));
        run_ok(&mut rig.chroot(&["dpkg", "--purge", "orchgen"]));
        assert_eq!(tree(&rig), before);
    }
}
