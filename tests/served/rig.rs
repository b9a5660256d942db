//! The rig: a separate root folder with a booted systemd and a real llama.cpp. One test at a time uses it.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "these tests print the time of each step"
)]

use crate::support::{repository, rig_root};
use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

/// The system of the rig, booted for one test and stopped after it.
pub(crate) struct Rig {
    pub(crate) root: PathBuf,
    /// Locked, because only one test at a time can use the root. `None` for a host of a fleet.
    _lock: Option<File>,
    /// The network namespace of a host of a fleet.
    net: Option<String>,
    start: Instant,
}

impl Rig {
    /// Boots the rig with a new `/srv/models` and without the units of earlier tests.
    #[track_caller]
    pub(crate) fn boot() -> Self {
        let rig = Self::new();
        rig.stop();
        rig.clear();
        rig.models();
        rig.script_succeeds(&["boot"]);
        rig.report("booted");
        rig
    }

    /// Kills the system like a power failure, and boots it again.
    #[track_caller]
    pub(crate) fn reboot(&self) {
        self.stop();
        self.script_succeeds(&["boot"]);
        self.report("booted again");
    }

    /// The root folder with its programs, not booted.
    #[track_caller]
    pub(crate) fn unbooted() -> Self {
        let rig = Self::new();
        rig.clear();
        rig.models();
        rig
    }

    #[track_caller]
    fn new() -> Self {
        let root = rig_root();
        let lock = File::create(root.with_extension("lock"));
        let lock = lock.unwrap_or_else(|error| panic!("only root can use the rig: {error}"));
        lock.lock().unwrap();
        Self { root, _lock: Some(lock), net: None, start: Instant::now() }
    }

    /// Boots a system with another root folder in a network namespace.
    #[track_caller]
    pub(crate) fn boot_in(root: PathBuf, net: &str) -> Self {
        let rig = Self { root, _lock: None, net: Some(net.to_owned()), start: Instant::now() };
        rig.script_succeeds(&["boot"]);
        rig.report(&format!("{net} booted"));
        rig
    }

    fn script(&self, args: &[&str]) -> Output {
        let mut script = Command::new(repository().join("tests/rig"));
        script.args(args).env("RIG_ROOT", &self.root);
        script.envs(self.net.as_ref().map(|net| ("RIG_NET", net))).output().unwrap()
    }

    #[track_caller]
    fn script_succeeds(&self, args: &[&str]) {
        let output = self.script(args);
        assert!(output.status.success(), "{}", text(&output.stderr));
    }

    /// Kills the system like a power failure.
    pub(crate) fn stop(&self) {
        if self.script(&["run", "true"]).status.success() {
            self.script(&["stop"]);
        }
    }

    /// Removes the files of earlier tests, and the journal.
    fn clear(&self) {
        let journal = self.root.join("var/log/journal");
        if journal.exists() {
            fs::remove_dir_all(&journal).unwrap();
            fs::create_dir(&journal).unwrap();
        }
        let units = self.root.join("etc/systemd/system");
        for entry in fs::read_dir(&units).unwrap().map(|entry| entry.unwrap()) {
            let name = entry.file_name().to_string_lossy().into_owned();
            if ["rig", "slow", "home"].iter().any(|stack| name.starts_with(stack)) {
                // Drop-ins are in folders.
                let is_folder = entry.file_type().unwrap().is_dir();
                if is_folder { fs::remove_dir_all(entry.path()) } else { fs::remove_file(entry.path()) }
                    .unwrap();
            }
        }
        let _ = fs::remove_file(self.root.join("usr/local/sbin/systemctl"));
        for enabled in ["rig.target", "slow.target", "home.target"] {
            let _ = fs::remove_file(units.join("multi-user.target.wants").join(enabled));
        }
        // The user of `user.rs` would have a service manager in each test.
        let _ = fs::remove_file(self.root.join("var/lib/systemd/linger/ada"));
        for folder in [
            "srv",
            "etc/llama.cpp",
            "etc/orchgen",
            "home/ada",
            "etc/systemd/system/user@.service.d",
            "var/lib/orchgen",
        ] {
            let folder = self.root.join(folder);
            if folder.exists() {
                fs::remove_dir_all(&folder).unwrap();
            }
            fs::create_dir_all(&folder).unwrap();
        }
    }

    /// Writes the tiny models.
    #[track_caller]
    fn models(&self) {
        let mut python = crate::outside::python();
        python.arg(repository().join("tests/served/tiny.py")).arg(self.root.join("srv/models"));
        let output = python.output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
    }

    /// Builds a registry with orchgen, installs its units and preset files, and copies all output to `/srv/out`. Returns the last line of
    /// the build.
    #[track_caller]
    pub(crate) fn install(&self, registry: &str) -> String {
        let last_line = self.build(registry);
        for entry in fs::read_dir(self.root.join("srv/out/systemd")).unwrap().map(|entry| entry.unwrap()) {
            fs::copy(entry.path(), self.root.join("etc/systemd/system").join(entry.file_name())).unwrap();
        }
        let presets = fs::read_dir(self.root.join("srv/out/router")).into_iter().flatten();
        for entry in presets.map(|entry| entry.unwrap()) {
            let text = fs::read_to_string(entry.path()).unwrap();
            self.write(&format!("/etc/orchgen/rig/{}", entry.file_name().to_string_lossy()), &text, 0o644);
        }
        last_line
    }

    /// Builds a registry with orchgen, and copies all output to `/srv/out`. Returns the last line of the build.
    #[track_caller]
    pub(crate) fn build(&self, registry: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("registry")).unwrap();
        fs::write(folder.path().join("registry/stack.kdl"), registry).unwrap();
        let mut build = Command::new(crate::support::orchgen());
        build.arg("build").current_dir(folder.path());
        let output = build.output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
        let out = self.root.join("srv/out");
        let status = Command::new("cp").arg("-a").arg(folder.path().join("out")).arg(&out).status().unwrap();
        assert!(status.success());
        text(&output.stderr).lines().last().unwrap_or_default().to_owned()
    }

    /// Writes a file below the root folder.
    pub(crate) fn write(&self, path: &str, text: &str, mode: u32) {
        crate::outside::write(&self.root.join(path.trim_start_matches('/')), text, mode);
    }

    /// Runs a program of the booted system.
    pub(crate) fn run(&self, command: &[&str]) -> Output {
        self.script(&[&["run"], command].concat())
    }

    /// A program in the root folder without a booted system, with a clean environment. It sees the processes and devices of the
    /// machine through mounts that end with it.
    pub(crate) fn chroot(&self, command: &[&str]) -> Command {
        let inside = "mount -t proc proc \"$1/proc\"; mount --rbind /dev \"$1/dev\"; exec chroot \"$@\"";
        let mut chroot = Command::new("unshare");
        chroot.args(["--mount", "--", "bash", "-euc", inside, "chroot"]).arg(&self.root).args(command);
        chroot.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        chroot
    }

    /// The output of a program of the booted system, without the last line break. The program must succeed.
    #[track_caller]
    pub(crate) fn output(&self, command: &[&str]) -> String {
        let output = self.run(command);
        assert!(output.status.success(), "{command:?}: {}", text(&output.stderr));
        text(&output.stdout).trim_end().to_owned()
    }

    /// One property of a unit.
    #[track_caller]
    pub(crate) fn show(&self, unit: &str, property: &str) -> String {
        self.output(&["systemctl", "show", "--value", "-p", property, unit])
    }

    #[track_caller]
    pub(crate) fn state(&self, unit: &str) -> String {
        self.show(unit, "ActiveState")
    }

    /// The process id of a unit inside the booted system.
    #[track_caller]
    pub(crate) fn pid(&self, unit: &str) -> String {
        let pid = self.show(unit, "MainPID");
        assert_ne!(pid, "0", "{unit} has no process: {}", self.journal(unit));
        pid
    }

    /// The log of a unit.
    pub(crate) fn journal(&self, unit: &str) -> String {
        text(&self.run(&["journalctl", "--no-pager", "-o", "cat", "-u", unit]).stdout)
    }

    /// A file in `/proc/PID` of a unit.
    #[track_caller]
    pub(crate) fn proc(&self, unit: &str, file: &str) -> String {
        self.output(&["cat", &format!("/proc/{}/{file}", self.pid(unit))])
    }

    /// Prints a step of the test and its time.
    pub(crate) fn report(&self, what: &str) {
        println!("{:7.2} s  {what}", self.start.elapsed().as_secs_f64());
    }

    /// Seconds since the start of the test.
    pub(crate) fn seconds(&self) -> f64 {
        self.start.elapsed().as_secs_f64()
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

/// Waits until a condition is true. Fails after this number of seconds.
#[track_caller]
pub(crate) fn wait(seconds: u64, what: &str, mut condition: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(seconds);
    while !condition() {
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

/// Sends one request to a server on this machine: a POST if there is a body. Returns `None` if the connection fails.
pub(crate) fn ask(port: u16, path: &str, body: &str, key: &str) -> Option<Answer> {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(Duration::from_mins(1))).ok()?;
    let method = if body.is_empty() { "GET" } else { "POST" };
    let key = if key.is_empty() { String::new() } else { format!("Authorization: Bearer {key}\r\n") };
    write!(
        stream,
        "{method} {path} HTTP/1.0\r\nHost: localhost\r\n{key}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .ok()?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).ok()?;
    let all = text(&bytes);
    let (head, body) = all.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    // A router sends the answers of its models in chunks, also to a client of HTTP/1.0.
    let is_chunked = head.to_lowercase().contains("transfer-encoding: chunked");
    Some(Answer { status, body: if is_chunked { joined(body)? } else { body.to_owned() } })
}

/// The text of chunks. `None` if the last one, which is empty, is missing.
fn joined(mut chunks: &str) -> Option<String> {
    let mut body = String::new();
    loop {
        let (size, rest) = chunks.split_once("\r\n")?;
        match usize::from_str_radix(size.trim(), 16).ok()? {
            0 => return Some(body),
            size => {
                body.push_str(rest.get(..size)?);
                chunks = rest.get(size..)?.strip_prefix("\r\n")?;
            }
        }
    }
}
