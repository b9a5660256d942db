//! A booted systemd with a real llama.cpp, in a root of its own; one test at a time has it.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "how long the real thing takes is what these tests print"
)]

use crate::support::{python, rig_root, shared, without_rig};
use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

/// The system of the rig, booted for one test and ended with it.
pub(crate) struct Rig {
    pub(crate) root: PathBuf,
    script: PathBuf,
    _alone: File,
    begun: Instant,
}

impl Rig {
    /// Boots it, with a new `/srv/models` and none of the units of earlier tests. Says in a line why there is none where there
    /// is none; fails then only if the environment asks for the rig.
    #[track_caller]
    pub(crate) fn boot(test: &str) -> Option<Self> {
        let rig = Self::find(test)?;
        rig.stop();
        rig.clear();
        rig.models();
        let output = rig.script(&["boot"]);
        if !output.status.success() {
            without_rig(test, &format!("it does not boot: {}", text(&output.stderr)));
            return None;
        }
        rig.report("booted");
        Some(rig)
    }

    /// Ends it as a loss of power would, and boots it again.
    #[track_caller]
    pub(crate) fn reboot(&self) {
        self.stop();
        let output = self.script(&["boot"]);
        assert!(output.status.success(), "{}", text(&output.stderr));
        self.report("booted again");
    }

    /// Its root with the programs in it, not booted.
    #[track_caller]
    pub(crate) fn unbooted(test: &str) -> Option<Self> {
        let rig = Self::find(test)?;
        rig.clear();
        rig.models();
        Some(rig)
    }

    fn find(test: &str) -> Option<Self> {
        let script = shared("rig/systemd-rig");
        let root = rig_root(test)?;
        let id = Command::new("id").arg("-u").output().unwrap();
        if text(&id.stdout).trim() != "0" {
            without_rig(test, "only root can boot it");
            return None;
        }
        let alone = File::create(root.with_extension("lock")).unwrap();
        alone.lock().unwrap();
        Some(Self { root, script, _alone: alone, begun: Instant::now() })
    }

    fn script(&self, args: &[&str]) -> Output {
        Command::new(&self.script).args(args).env("RIG_ROOT", &self.root).output().unwrap()
    }

    fn stop(&self) {
        if self.script(&["run", "true"]).status.success() {
            self.script(&["stop"]);
        }
    }

    /// Removes what tests put there, and what the system said of it.
    fn clear(&self) {
        let journal = self.root.join("var/log/journal");
        if journal.exists() {
            fs::remove_dir_all(&journal).unwrap();
            fs::create_dir(&journal).unwrap();
        }
        let units = self.root.join("etc/systemd/system");
        for entry in fs::read_dir(&units).unwrap().map(|entry| entry.unwrap()) {
            let name = entry.file_name().to_string_lossy().into_owned();
            if ["rig", "slow"].iter().any(|stack| name.starts_with(stack)) {
                fs::remove_file(entry.path()).unwrap();
            }
        }
        for enabled in ["rig.target", "slow.target"] {
            let _ = fs::remove_file(units.join("multi-user.target.wants").join(enabled));
        }
        for folder in ["srv", "etc/llama.cpp"] {
            let folder = self.root.join(folder);
            if folder.exists() {
                fs::remove_dir_all(&folder).unwrap();
            }
            fs::create_dir_all(&folder).unwrap();
        }
    }

    /// The tiny models, made once beside the root.
    #[track_caller]
    fn models(&self) {
        let made = self.root.with_file_name("models");
        if !made.join("embed.gguf").is_file() {
            let maker = shared("rig/make_models.py");
            let output = Command::new(python()).arg(maker).arg(&made).output().unwrap();
            assert!(
                output.status.success(),
                "the tiny models need numpy and gguf from PyPI: {}",
                text(&output.stderr)
            );
        }
        let models = self.root.join("srv/models");
        fs::create_dir_all(&models).unwrap();
        for entry in fs::read_dir(made).unwrap().map(|entry| entry.unwrap()) {
            fs::copy(entry.path(), models.join(entry.file_name())).unwrap();
        }
    }

    /// Builds a registry with the program and installs its units; the rest lies in `/srv/out`.
    #[track_caller]
    pub(crate) fn install(&self, registry: &str) {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("registry")).unwrap();
        fs::write(folder.path().join("registry/stack.kdl"), registry).unwrap();
        let mut build = Command::new(env!("CARGO_BIN_EXE_orchgen"));
        build.arg("build").current_dir(folder.path());
        let output = build.output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
        let out = self.root.join("srv/out");
        let copied = Command::new("cp").arg("-a").arg(folder.path().join("out")).arg(&out).status().unwrap();
        assert!(copied.success());
        for entry in fs::read_dir(out.join("systemd")).unwrap().map(|entry| entry.unwrap()) {
            fs::copy(entry.path(), self.root.join("etc/systemd/system").join(entry.file_name())).unwrap();
        }
    }

    /// Writes a file of the root.
    pub(crate) fn write(&self, path: &str, text: &str, mode: u32) {
        crate::outside::write(&self.root.join(path.trim_start_matches('/')), text, mode);
    }

    /// Runs a program of the booted system.
    pub(crate) fn run(&self, command: &[&str]) -> Output {
        self.script(&[&["run"], command].concat())
    }

    /// A program in the root, without a system around it and with nothing of the environment. It sees the machine's processes and
    /// devices by mounts that end with it.
    pub(crate) fn chroot(&self, command: &[&str]) -> Command {
        let inside = "mount -t proc proc \"$1/proc\"; mount --rbind /dev \"$1/dev\"; exec chroot \"$@\"";
        let mut chroot = Command::new("unshare");
        chroot.args(["--mount", "--", "bash", "-euc", inside, "chroot"]).arg(&self.root).args(command);
        chroot.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        chroot
    }

    /// What a program of the booted system prints, without the last line break; it has to go well.
    #[track_caller]
    pub(crate) fn said(&self, command: &[&str]) -> String {
        let output = self.run(command);
        assert!(output.status.success(), "{command:?}: {}", text(&output.stderr));
        text(&output.stdout).trim_end().to_owned()
    }

    /// One property of a unit.
    #[track_caller]
    pub(crate) fn show(&self, unit: &str, property: &str) -> String {
        self.said(&["systemctl", "show", "--value", "-p", property, unit])
    }

    #[track_caller]
    pub(crate) fn state(&self, unit: &str) -> String {
        self.show(unit, "ActiveState")
    }

    /// The process of a unit, as the booted system counts.
    #[track_caller]
    pub(crate) fn pid(&self, unit: &str) -> String {
        let pid = self.show(unit, "MainPID");
        assert_ne!(pid, "0", "{unit} has no process: {}", self.journal(unit));
        pid
    }

    /// What a unit has said.
    pub(crate) fn journal(&self, unit: &str) -> String {
        text(&self.run(&["journalctl", "--no-pager", "-o", "cat", "-u", unit]).stdout)
    }

    /// A file of `/proc/PID`.
    #[track_caller]
    pub(crate) fn proc(&self, unit: &str, file: &str) -> String {
        self.said(&["cat", &format!("/proc/{}/{file}", self.pid(unit))])
    }

    /// Prints what was reached, and when.
    pub(crate) fn report(&self, what: &str) {
        println!("{:7.2} s  {what}", self.begun.elapsed().as_secs_f64());
    }

    /// Seconds since it was found.
    pub(crate) fn seconds(&self) -> f64 {
        self.begun.elapsed().as_secs_f64()
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.stop();
    }
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Waits until something holds; fails after so many seconds.
#[track_caller]
pub(crate) fn wait(seconds: u64, what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(seconds);
    while !holds() {
        assert!(Instant::now() < end, "not within {seconds} s: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// An answer of a server.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

impl Answer {
    /// The body as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        assert_eq!(self.status, 200, "{}", self.body);
        serde_json::from_str(&self.body).unwrap()
    }
}

/// Asks a server on this machine once: a body makes it a POST. None where the connection is refused or breaks.
pub(crate) fn ask(port: u16, path: &str, body: &str, key: &str) -> Option<Answer> {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(Duration::from_mins(1))).ok()?;
    let verb = if body.is_empty() { "GET" } else { "POST" };
    let key = if key.is_empty() { String::new() } else { format!("Authorization: Bearer {key}\r\n") };
    write!(
        stream,
        "{verb} {path} HTTP/1.0\r\nHost: localhost\r\n{key}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .ok()?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).ok()?;
    let all = text(&bytes);
    let (head, body) = all.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some(Answer { status, body: body.to_owned() })
}
