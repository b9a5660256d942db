//! A temporary folder in which the commands of a page run that need neither systemd nor a real llama-server.

use super::models;
use super::page::{Machine, Page};
use crate::support::{compile_folder, orchgen};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The folders of a page that are below the temporary folder.
const MOVED: [&str; 2] = ["/srv/models", "/opt/llama.cpp"];

const HELP: &str = include_str!("../probe/help.txt");

/// The folder.
pub(super) struct Folder(tempfile::TempDir);

impl Folder {
    /// A folder with orchgen, the model files of a page, and a `llama-server` of which only the help text is real.
    pub(super) fn of(page: &Page) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        for sub in ["work", "bin", "srv/models", "opt/llama.cpp/bin"] {
            fs::create_dir_all(folder.at(sub)).unwrap();
        }
        symlink(orchgen(), folder.at("bin/orchgen")).unwrap();
        for file in models::of_page(page.text()) {
            file.write(&folder.at("srv/models"));
        }
        fs::write(folder.at("opt/llama.cpp/help"), HELP).unwrap();
        let server = format!(
            "#!/bin/bash\ncase $1 in --version) echo 'version: 0.9.0 (build 13001, commit abcdef0)' >&2;; \
             --help) exec cat '{}';; *) exit 1;; esac\n",
            folder.at("opt/llama.cpp/help").display()
        );
        crate::outside::write(&folder.at("opt/llama.cpp/bin/llama-server"), &server, 0o755);
        folder
    }

    fn at(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    /// The lock that a command of the page wrote, for a registry with errors without it.
    pub(super) fn lock(&self) -> Option<String> {
        let stack = fs::read_to_string(self.at("work/registry/stack.kdl")).ok()?;
        let needs_lock = stack.contains("\"kubernetes\"");
        fs::read_to_string(self.at("work/registry/registry.lock")).ok().filter(|_| needs_lock)
    }

    fn path(&self) -> &str {
        self.0.path().to_str().unwrap()
    }

    /// A text of the page with the paths of this folder.
    fn moved(&self, text: &str) -> String {
        MOVED.iter().fold(text.to_owned(), |text, path| text.replace(path, &format!("{}{path}", self.path())))
    }

    /// A text with the paths of the page.
    fn restored(&self, text: &str) -> String {
        text.replace(self.path(), "")
    }
}

impl Machine for Folder {
    fn has_systemd(&self) -> bool {
        false
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.at("work").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, self.moved(text)).unwrap();
        let is_script = path.extension().is_some_and(|ending| ending == "sh");
        let mode = if is_script { 0o755 } else { 0o644 };
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    }

    fn read(&self, path: &str) -> String {
        let path = self.at("work").join(path);
        self.restored(
            &fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())),
        )
    }

    fn check(&self) {
        let registry: &Path = &self.at("work/registry");
        let compiled = compile_folder(registry);
        assert!(compiled.findings.is_empty(), "{}", compiled.report());
    }

    fn run(&self, commands: &str) -> (String, i32) {
        let mut bash = Command::new("bash");
        // Both streams go into one pipe, in the order of a terminal.
        bash.args(["-euc", &format!("exec 2>&1\n{}", self.moved(commands).replace("sudo ", ""))]);
        bash.current_dir(self.at("work")).env_clear().stdin(Stdio::null());
        bash.env("PATH", format!("{}:/usr/bin:/bin", self.at("bin").display())).env("HOME", self.at("work"));
        let output = bash.output().unwrap();
        (self.restored(&String::from_utf8_lossy(&output.stdout)), output.status.code().unwrap())
    }
}
