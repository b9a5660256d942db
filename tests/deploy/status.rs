//! `orchgen status`, with a model of a service manager and with real processes.
#![expect(clippy::disallowed_methods, reason = "start times of processes are compared with times of files")]

use crate::support::{assert_snapshot, visible};
use orchgen::cli::deploy::status::human;
use orchgen::deploy::{
    DeployError, DifferenceKind, FailedHost, Layout, LoadRequest, Manager, OutFolder, RoleState,
    STATUS_VERSION, StackStatus, StatusInput, StatusReport, Tree, TreeFile, UnitState, Verdict, Web,
    WebAnswer, installable, status,
};
use orchgen::diag::report::Style;
use orchgen::render::deployment::{
    DeployedHost, DeployedMemory, DeployedProcess, DeployedRole, Deployment, FORMAT_VERSION, PATH, Place,
};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const PROGRAM: &str = "/usr/bin/llama-server";

/// A host in a temporary folder, with processes of this test.
struct Host {
    folder: tempfile::TempDir,
    layout: Layout,
    deployment: Deployment,
    units: BTreeMap<String, UnitState>,
    messages: BTreeMap<String, String>,
    answers: BTreeMap<(u16, String), WebAnswer>,
    asked: Mutex<Vec<(u16, String)>>,
    changed: RefCell<Vec<String>>,
    children: Vec<Child>,
}

impl Drop for Host {
    fn drop(&mut self) {
        for child in &mut self.children {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Manager for Host {
    fn states(&self, units: &BTreeSet<String>) -> Result<BTreeMap<String, UnitState>, DeployError> {
        let absent = || UnitState { load: "not-found".to_owned(), ..unit("inactive", "dead") };
        let state = |name: &String| self.units.get(name).cloned().unwrap_or_else(absent);
        Ok(units.iter().map(|name| (name.clone(), state(name))).collect())
    }

    fn systemctl(&self, args: &[&str], _: Duration) -> Result<(), DeployError> {
        self.changed.borrow_mut().push(args.join(" "));
        Ok(())
    }

    fn load(&self, step: &LoadRequest<'_>) -> Result<(), DeployError> {
        self.changed.borrow_mut().push(format!("load {}", step.unit));
        Ok(())
    }

    fn last_message(&self, unit: &str) -> Option<String> {
        self.messages.get(unit).cloned()
    }

    fn enable_linger(&self) -> Result<(), DeployError> {
        self.changed.borrow_mut().push("enable-linger".to_owned());
        Ok(())
    }
}

/// The answers of servers. A [`Host`] is not `Sync`.
struct Answers<'h> {
    answers: &'h BTreeMap<(u16, String), WebAnswer>,
    asked: &'h Mutex<Vec<(u16, String)>>,
}

impl Web for Answers<'_> {
    fn get(&self, _: &str, port: u16, path: &str) -> Result<WebAnswer, String> {
        let question = (port, path.to_owned());
        self.asked.lock().unwrap().push(question.clone());
        let found = self.answers.get(&question).cloned().unwrap_or_else(|| answer(200, "{}"));
        if found.status == 0 { Err("no answer".to_owned()) } else { Ok(found) }
    }
}

/// An answer. Status 0 means that there is none.
fn answer(status: u16, body: &str) -> WebAnswer {
    WebAnswer { status, body: body.as_bytes().to_vec() }
}

fn unit(active: &str, sub: &str) -> UnitState {
    UnitState {
        load: "loaded".to_owned(),
        active: active.to_owned(),
        sub: sub.to_owned(),
        result: "success".to_owned(),
        enabled: "static".to_owned(),
        ..UnitState::default()
    }
}

fn words(text: &str) -> Vec<String> {
    text.split(' ').map(str::to_owned).collect()
}

/// A role with one process that starts at boot.
fn role(name: &str, port: u16, files: &[&Path]) -> DeployedRole {
    let process = DeployedProcess {
        unit: format!("rig-{name}.service"),
        address: "127.0.0.1".to_owned(),
        port,
        health: Some("/health".to_owned()),
        command: words(&format!("{PROGRAM} --port {port} --api-key-file {{key-file}} -c 512")),
        files: files.iter().map(|path| path.display().to_string()).collect(),
        memory: vec![DeployedMemory { place: "RAM".to_owned(), bytes: 48 << 20, file: None }],
        ..DeployedProcess::default()
    };
    DeployedRole {
        name: name.to_owned(),
        kind: "role".to_owned(),
        processes: vec![process],
        ..DeployedRole::default()
    }
}

/// A role that is loaded by its first request.
fn on_demand(name: &str, port: u16, files: &[&Path]) -> DeployedRole {
    let mut role = role(name, port, files);
    role.on_demand = true;
    let process = &mut role.processes[0];
    process.unit = format!("rig-{name}-backend.service");
    process.socket = Some(format!("rig-{name}.socket"));
    process.proxy = Some(format!("rig-{name}.service"));
    process.backend = Some(port + 10_000);
    role
}

fn gateway(name: &str, port: u16, configuration: &str) -> DeployedRole {
    let mut role = role(name, port, &[]);
    "gateway".clone_into(&mut role.kind);
    role.processes[0].configuration = vec![configuration.to_owned()];
    role
}

fn behind(name: &str, gateway: &str) -> DeployedRole {
    DeployedRole {
        name: name.to_owned(),
        kind: "role".to_owned(),
        settings: vec![("gateway".to_owned(), gateway.to_owned())],
        ..DeployedRole::default()
    }
}

fn write(path: &Path, bytes: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

impl Host {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::new(folder.path(), None, "rig");
        let host = DeployedHost {
            name: "box".to_owned(),
            address: None,
            units: Some("systemd".to_owned()),
            containers: None,
            target: Some("rig.target".to_owned()),
            places: vec![Place { name: "RAM".to_owned(), bytes: Some(1 << 30) }],
            roles: Vec::new(),
        };
        let deployment = Deployment {
            format_version: FORMAT_VERSION,
            stack: "rig".to_owned(),
            scope: "system".to_owned(),
            hosts: vec![host],
        };
        let enabled = UnitState { enabled: "enabled".to_owned(), ..unit("active", "active") };
        Self {
            folder,
            layout,
            deployment,
            units: BTreeMap::from([("rig.target".to_owned(), enabled)]),
            messages: BTreeMap::new(),
            answers: BTreeMap::new(),
            asked: Mutex::default(),
            changed: RefCell::default(),
            children: Vec::new(),
        }
    }

    /// A file that can run as a program: running programs map their file, as servers map models.
    fn model(&self, name: &str) -> PathBuf {
        let path = self.folder.path().join("srv").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::copy("/bin/sh", &path).unwrap();
        // Files are older than their processes.
        std::thread::sleep(Duration::from_millis(30));
        path
    }

    fn add(&mut self, role: DeployedRole) {
        self.deployment.hosts[0].roles.push(role);
    }

    /// Starts a shell that waits, with these words after its own.
    fn spawn(&mut self, shell: &Path, script: &str, args: &[String]) -> u32 {
        let mut command = Command::new(shell);
        command.args(["-c", script]).args(args).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // The shell prints a line when it is ready.
        let mut byte = [0];
        std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut byte).unwrap();
        let pid = child.id();
        self.children.push(child);
        pid
    }

    /// Starts a process of a role with arguments, and marks its unit as active.
    fn start(&mut self, unit_name: &str, shell: &Path, args: &str) {
        let pid = self.spawn(shell, "echo; read _", &words(args));
        self.units.insert(unit_name.to_owned(), UnitState { pid, ..unit("active", "running") });
    }

    /// Starts all roles with the planned arguments. Roles on demand are not loaded.
    fn start_all(&mut self) {
        for role in self.deployment.hosts[0].roles.clone() {
            for process in &role.processes {
                if let Some(socket) = &process.socket {
                    self.units.insert(socket.clone(), unit("active", "listening"));
                    self.units.insert(process.unit.clone(), unit("inactive", "dead"));
                } else {
                    let shell = process.files.first().map_or("/bin/sh", String::as_str);
                    let args = process.command.join(" ").replace("{key-file}", "/run/credentials/key");
                    self.start(&process.unit.clone(), Path::new(shell), &args);
                }
            }
        }
    }

    fn tree(&self) -> Tree {
        let mut files = BTreeMap::new();
        let mut add = |path: String, text: &str| {
            files.insert(path, TreeFile { bytes: text.as_bytes().to_vec(), executable: false });
        };
        add(PATH.to_owned(), &serde_json::to_string(&self.deployment).unwrap());
        add("systemd/rig.target".to_owned(), "[Unit]\n");
        for process in self.deployment.hosts[0].roles.iter().flat_map(|role| &role.processes) {
            process.units().for_each(|unit| add(format!("systemd/{unit}"), "[Service]\n"));
            process.configuration.iter().for_each(|path| add(path.clone(), "text\n"));
        }
        Tree::new(files, "test").unwrap()
    }

    /// Installs the files, without a generation.
    fn install(&self) {
        let tree = self.tree();
        for (key, file) in installable(&tree, &tree.deployment.hosts[0]) {
            write(&self.layout.path(&key), &file.bytes);
        }
    }

    /// Installs the files as generation 3.
    fn apply(&self) {
        self.install();
        let generation = self.layout.state.join("generations/3");
        for (path, file) in self.tree().files {
            write(&generation.join("out").join(path), &file.bytes);
        }
        let digest = orchgen::deploy::digest(&self.tree().files);
        let description =
            format!(r#"{{"number": 3, "host": "box", "created": 1795982389, "digest": "{digest}"}}"#);
        write(&generation.join("generation.json"), description.as_bytes());
        write(&self.layout.state.join("current"), b"3\n");
    }

    fn status(&self, out: Option<&Tree>) -> Result<StackStatus, DeployError> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros();
        let before = contents(self.folder.path());
        let found = status(&StatusInput {
            layout: &self.layout,
            manager: Some(self),
            web: &Answers { answers: &self.answers, asked: &self.asked },
            out: out.map(|tree| OutFolder { name: "out", is_default: true, tree }),
            host: None,
            is_remote: false,
            now: u64::try_from(now).unwrap(),
        });
        assert_eq!(contents(self.folder.path()), before, "`status` changed a file");
        assert!(self.changed.borrow().is_empty(), "`status` changed a unit");
        found
    }

    #[track_caller]
    fn kinds(&self) -> Vec<DifferenceKind> {
        let status = self.status(None).unwrap();
        status.all_differences().map(|(_, difference)| difference.kind).collect()
    }

    /// The report without numbers and folders that differ between runs.
    fn report(&self, out: Option<&Tree>) -> StatusReport {
        let mut stack = self.status(out).unwrap();
        let folder = self.folder.path().display().to_string();
        let differences = stack.roles.iter_mut().flat_map(|role| &mut role.differences);
        for difference in differences.chain(&mut stack.differences) {
            difference.text = difference.text.replace(&folder, "");
            difference.item = difference.item.as_ref().map(|item| item.replace(&folder, ""));
        }
        let processes = stack.roles.iter_mut().flat_map(|role| &mut role.processes);
        for (process, number) in processes.zip(1001..) {
            process.pid = process.pid.map(|_| number);
            process.memory.resident = process.memory.resident.map(|_| 40 << 20);
        }
        let agrees = stack.all_differences().next().is_none();
        StatusReport { format_version: STATUS_VERSION, agrees, stacks: vec![stack], failed: Vec::new() }
    }
}

/// All files below a folder.
fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            all.extend(contents(&entry));
        } else {
            all.insert(entry.clone(), fs::read(&entry).unwrap_or_default());
        }
    }
    all
}

/// A host with every kind of role, without differences.
fn complete() -> Host {
    let mut host = Host::new();
    let model = host.model("model.gguf");
    host.add(role("chat", 18080, &[&model]));
    let mut vectors = role("vectors", 18090, &[&model]);
    vectors.processes.push(vectors.processes[0].clone());
    for (process, number) in vectors.processes.iter_mut().zip(0..) {
        process.unit = format!("rig-vectors-{number}.service");
        process.port += number;
    }
    host.add(vectors);
    host.add(on_demand("lazy", 18086, &[&model]));
    host.add(gateway("front", 18500, "router/front.ini"));
    for name in ["first", "second", "third"] {
        host.add(behind(name, "front"));
    }
    host.answers.insert(
        (18500, "/v1/models".to_owned()),
        answer(
            200,
            r#"{"data": [{"id": "first", "status": {"value": "loaded"}}, {"id": "second", "status": {"value": "loading"}},
            {"id": "third", "status": {"value": "unloaded"}}]}"#,
        ),
    );
    host.start_all();
    host.apply();
    host
}

/// A host with every difference.
fn different() -> Host {
    let mut host = Host::new();
    let [model, replaced, gone] = ["model.gguf", "replaced.gguf", "gone.gguf"].map(|name| host.model(name));
    host.add(role("chat", 18080, &[&model]));
    host.add(role("other", 18081, &[&model]));
    host.add(role("old", 18082, &[&replaced]));
    host.add(role("broken", 18083, &[&gone]));
    host.add(role("again", 18084, &[]));
    host.add(role("off", 18085, &[]));
    host.add(role("ill", 18086, &[]));
    host.add(role("busy", 18087, &[]));
    host.add(on_demand("lazy", 18088, &[]));
    host.add(on_demand("deaf", 18089, &[]));
    host.add(gateway("front", 18500, "router/front.ini"));
    host.add(behind("first", "front"));
    host.start_all();
    host.apply();
    let args = format!("{PROGRAM} --port 18081 --api-key-file /run/key -c 4096 --mlock");
    host.start("rig-other.service", Path::new("/bin/sh"), &args);
    fs::copy("/bin/sh", replaced.with_extension("new")).unwrap();
    fs::rename(replaced.with_extension("new"), &replaced).unwrap();
    fs::remove_file(&gone).unwrap();
    let failed = UnitState { result: "exit-code".to_owned(), ..unit("failed", "failed") };
    let broken = "load: error: cannot open \u{1b}[31mgone.gguf".to_owned();
    host.messages.insert("rig-broken.service".to_owned(), broken);
    host.units.insert("rig-broken.service".to_owned(), failed.clone());
    host.units.insert(
        "rig-again.service".to_owned(),
        UnitState { result: "oom-kill".to_owned(), ..unit("activating", "auto-restart") },
    );
    host.units.insert("rig-off.service".to_owned(), unit("inactive", "dead"));
    host.units.insert("rig-busy.service".to_owned(), unit("activating", "start-post"));
    host.units.insert("rig-deaf.socket".to_owned(), failed);
    host.answers.insert((18086, "/health".to_owned()), answer(500, ""));
    host.answers.insert(
        (18500, "/v1/models".to_owned()),
        answer(200, r#"{"data": [{"id": "first", "status": {"value": "unloaded", "failed": true}}]}"#),
    );
    "disabled".clone_into(&mut host.units.get_mut("rig.target").unwrap().enabled);
    host.units.get_mut("rig-chat.service").unwrap().drop_ins = vec![
        "/usr/lib/systemd/system/service.d/10-all.conf".to_owned(),
        "/etc/systemd/system/rig-chat.service.d/override.conf".to_owned(),
    ];
    write(&host.layout.path("units/rig-ill.service"), b"[Service]\nNice=1\n");
    fs::remove_file(host.layout.path("configuration/front.ini")).unwrap();
    write(&host.layout.state.join("journal"), b"begin generation 4\nrestart rig-chat.service\n");
    host
}

/// Output that differs from the installed one.
fn newer(host: &Host) -> Tree {
    let mut tree = host.tree();
    tree.files.get_mut("systemd/rig-chat.service").unwrap().bytes.extend(b"Nice=2\n");
    tree
}

#[test]
fn a_host_without_differences() {
    let host = complete();
    let report = host.report(Some(&host.tree()));
    assert!(report.agrees, "{report:#?}");
    assert_snapshot!("deploy", "status_same", human(&report, Style::default()));
    let processes: Vec<_> = report.stacks[0].roles.iter().flat_map(|role| &role.processes).collect();
    let chat = processes[0];
    let verdicts = [chat.health, chat.arguments, chat.files, chat.memory.verdict];
    assert_eq!(verdicts, [Verdict::Ok; 4], "{chat:#?}");
    // A question would load the role on demand.
    let asked = host.asked.lock().unwrap();
    assert!(asked.iter().all(|(port, _)| ![18086, 28086].contains(port)), "{asked:?}");
}

#[test]
fn every_difference_is_reported() {
    let host = different();
    let report = host.report(Some(&newer(&host)));
    assert!(!report.agrees);
    assert_snapshot!("deploy", "status_different", human(&report, Style::default()));
    for width in [60, 100] {
        let shown = human(&report, Style { width, ..Style::default() });
        assert!(shown.lines().all(|line| line.len() <= width), "{shown}");
        assert_snapshot!("deploy", format!("status_{width}"), shown);
    }
    let spoken = Style { screen_reader: true, ..Style::default() };
    assert_snapshot!("deploy", "status_screen_reader", human(&report, spoken));
    let narrow = Style { width: 40, color: true, ..Style::default() };
    let colored = human(&report, narrow);
    assert_eq!(visible(&colored), human(&report, Style { color: false, ..narrow }));
    assert_snapshot!("deploy", "status_color", colored.replace('\u{1b}', "\\e"));
    assert!(colored.contains("\u{1b}[31mfailed\u{1b}[0m"), "{colored}");
    assert!(!colored.contains("\u{1b}[31mgone"), "{colored}");
}

#[test]
fn a_loaded_role_is_asked_at_its_backend() {
    let mut host = complete();
    let args = format!("{PROGRAM} --port 18086 --api-key-file /run/key -c 512");
    let model = host.folder.path().join("srv/model.gguf");
    host.start("rig-lazy-backend.service", &model, &args);
    host.answers.insert((28086, "/health".to_owned()), answer(503, ""));
    let status = host.status(None).unwrap();
    let state = |name: &str| status.roles.iter().find(|role| role.name == name).unwrap().state;
    assert_eq!(state("lazy"), RoleState::Loading);
    assert_eq!((state("first"), state("second")), (RoleState::Serving, RoleState::Loading));
    assert!(host.asked.lock().unwrap().contains(&(28086, "/health".to_owned())));
    assert_eq!(host.kinds(), []);
}

#[test]
fn models_of_llama_swap_are_known() {
    let mut host = Host::new();
    host.add(gateway("swap", 18501, "llama-swap/swap.yaml"));
    host.add(behind("one", "swap"));
    host.add(behind("two", "swap"));
    host.start_all();
    host.apply();
    let states =
        |host: &Host| host.status(None).unwrap().roles.iter().map(|role| role.state).collect::<Vec<_>>();
    let question = (18501, "/running".to_owned());
    host.answers
        .insert(question.clone(), answer(200, r#"{"running": [{"model": "one", "state": "ready"}]}"#));
    assert_eq!(states(&host), [RoleState::Serving, RoleState::Serving, RoleState::Idle]);
    for bad in [answer(401, "{}"), answer(200, "["), answer(200, "{}"), answer(0, "")] {
        host.answers.insert(question.clone(), bad);
        assert_eq!(states(&host), [RoleState::Serving, RoleState::BehindGateway, RoleState::BehindGateway]);
    }
    host.units.insert("rig-swap.service".to_owned(), unit("inactive", "dead"));
    assert_eq!(states(&host), [RoleState::Stopped, RoleState::BehindGateway, RoleState::BehindGateway]);
    assert_eq!(host.kinds(), [DifferenceKind::NotRunning]);
}

#[test]
fn changed_model_files_are_found() {
    let mut host = Host::new();
    let [mapped, read] = ["mapped.gguf", "read.gguf"].map(|name| host.model(name));
    let link = host.folder.path().join("srv/link.gguf");
    std::os::unix::fs::symlink("mapped.gguf", &link).unwrap();
    host.add(role("chat", 18080, &[&mapped, &read, &link]));
    std::thread::sleep(Duration::from_millis(30));
    host.start_all();
    host.apply();
    assert_eq!(host.kinds(), []);
    // The kernel knows the start of a process in hundredths of a second.
    std::thread::sleep(Duration::from_millis(60));
    // An older file takes the place of one that is not mapped.
    let before = File::open(&read).unwrap().metadata().unwrap().modified().unwrap();
    fs::copy("/bin/sh", read.with_extension("new")).unwrap();
    let new = File::options().write(true).open(read.with_extension("new")).unwrap();
    new.set_modified(before - Duration::from_hours(1)).unwrap();
    drop(new);
    fs::rename(read.with_extension("new"), &read).unwrap();
    assert_eq!(host.kinds(), [DifferenceKind::ReplacedModel]);
    // The link leads to another file.
    fs::remove_file(&link).unwrap();
    std::os::unix::fs::symlink("other.gguf", &link).unwrap();
    fs::copy("/bin/sh", host.folder.path().join("srv/other.gguf")).unwrap();
    assert_eq!(host.kinds(), [DifferenceKind::ReplacedModel; 2]);
    // The mapped file moves away, and its path is free.
    fs::rename(&mapped, mapped.with_extension("old")).unwrap();
    let all = [DifferenceKind::MissingModel, DifferenceKind::ReplacedModel, DifferenceKind::ReplacedModel];
    assert_eq!(host.kinds(), all);
}

#[test]
fn a_mapped_file_that_was_written_is_found() {
    let mut host = Host::new();
    let mapped = host.model("mapped.gguf");
    host.add(role("chat", 18080, &[&mapped]));
    host.start_all();
    host.apply();
    // A change of the mode is no change of the content.
    let mode = fs::metadata(&mapped).unwrap().permissions();
    std::thread::sleep(Duration::from_millis(30));
    fs::set_permissions(&mapped, mode).unwrap();
    assert_eq!(host.kinds(), []);
    File::open(&mapped).unwrap().set_modified(SystemTime::now()).unwrap();
    assert_eq!(host.kinds(), [DifferenceKind::ReplacedModel]);
}

#[test]
fn memory_above_the_plan_is_a_note() {
    let mut host = Host::new();
    host.add(role("chat", 18080, &[]));
    host.start_all();
    host.apply();
    let script = "x=$(head -c 130000000 /dev/zero | tr '\\0' a); echo; read _";
    let args = words(&format!("{PROGRAM} --port 18080 --api-key-file /run/key -c 512"));
    let pid = host.spawn(Path::new("/bin/sh"), script, &args);
    host.units.get_mut("rig-chat.service").unwrap().pid = pid;
    let status = host.status(None).unwrap();
    let memory = status.roles[0].processes[0].memory;
    assert_eq!(memory.verdict, Verdict::Differs, "{memory:?}");
    assert_eq!(status.all_differences().count(), 0, "{status:#?}");
    let notes: Vec<_> = status.all_notes().collect();
    assert!(notes[0].1.contains("more than planned"), "{notes:?}");
    let memory = |host: &mut Host, change: &dyn Fn(&mut DeployedMemory)| {
        change(&mut host.deployment.hosts[0].roles[0].processes[0].memory[0]);
        host.apply();
        host.status(None).unwrap().roles[0].processes[0].memory
    };
    // The size of a file alone is no plan.
    let unknown = memory(&mut host, &|part| part.file = Some("/srv/model.gguf".to_owned()));
    assert_eq!((unknown.planned, unknown.verdict), (None, Verdict::NotChecked));
    let memory = memory(&mut host, &|part| part.place = "gpu0".to_owned());
    assert_eq!(
        (memory.planned, memory.verdict, memory.gpu),
        (None, Verdict::NotChecked, Some(Verdict::NotChecked))
    );
}

#[test]
fn output_that_was_not_applied() {
    let mut host = Host::new();
    host.add(role("chat", 18080, &[]));
    let tree = host.tree();
    assert!(host.status(None).unwrap_err().to_string().contains("orchgen apply"));
    host.units.clear();
    let report = host.report(Some(&tree));
    assert_snapshot!("deploy", "status_not_applied", human(&report, Style::default()));
    // Installed without `orchgen apply`.
    host.start_all();
    host.units.insert(
        "rig.target".to_owned(),
        UnitState { enabled: "enabled".to_owned(), ..unit("active", "active") },
    );
    host.install();
    let status = host.status(Some(&tree)).unwrap();
    assert_eq!(status.all_differences().count(), 0, "{status:#?}");
    assert_eq!((status.generation, status.roles[0].state), (None, RoleState::Serving));
    assert!(status.notes[0].starts_with("nothing was applied yet"));
}

#[test]
fn masked_and_unknown_units() {
    let mut host = Host::new();
    host.add(role("chat", 18080, &[]));
    host.add(role("mask", 18081, &[]));
    host.start_all();
    host.apply();
    host.units.remove("rig-chat.service");
    host.units.get_mut("rig-mask.service").unwrap().load = "masked".to_owned();
    let status = host.status(None).unwrap();
    let all: Vec<_> =
        status.all_differences().map(|(_, one)| (one.kind, one.help.as_deref().unwrap())).collect();
    assert_eq!(
        all,
        [
            (DifferenceKind::Masked, "run `systemctl unmask rig-mask.service`"),
            (DifferenceKind::NotRunning, "run `systemctl daemon-reload`"),
        ]
    );
    let link = host.layout.path("units/rig-mask.service");
    fs::remove_file(&link).unwrap();
    std::os::unix::fs::symlink("/dev/null", &link).unwrap();
    assert_eq!(host.kinds(), [DifferenceKind::Masked, DifferenceKind::NotRunning]);
}

#[test]
fn a_run_that_still_changes_the_host_is_a_note() {
    let host = complete();
    write(&host.layout.state.join("journal"), b"begin generation 4\n");
    assert_eq!(host.kinds(), [DifferenceKind::Unfinished]);
    let lock = File::create(host.layout.state.join("lock")).unwrap();
    lock.lock().unwrap();
    assert_eq!(host.kinds(), []);
    drop(lock);
    assert_eq!(host.kinds(), [DifferenceKind::Unfinished]);
}

/// The command: files of a system that does not run.
#[test]
fn the_command_compares_files_below_a_root() {
    let host = complete();
    let folder = host.folder.path();
    let out = folder.join("work/out");
    for (path, file) in host.tree().files {
        write(&out.join(path), &file.bytes);
    }
    let run = |args: &[&str]| {
        let mut command = Command::new(crate::support::orchgen());
        let command =
            command.arg("status").args(args).arg("--root").arg(folder).current_dir(folder.join("work"));
        let output = command.env("COLUMNS", "100").env("HOME", folder.join("home")).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let (code, text, _) = run(&[]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.starts_with("stack rig: 7 roles, only files are compared, no differences\n"), "{text}");
    write(&out.join("systemd/rig.target"), b"[Unit]\nAfter=x\n");
    let (code, text, _) = run(&["--output-format", "json"]);
    let report: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((code, &report["stacks"][0]["differences"][0]["kind"]), (Some(1), &"out-differs".into()));
    let (_, text, _) = run(&["--out", "out"]);
    assert!(text.contains("help: run `sudo orchgen apply --out out`"), "{text}");
    let (code, _, error) = run(&["--stack", "other"]);
    assert_eq!((code, &*error), (Some(2), "error: `other` is not installed, only `rig`\n"));
    let (code, _, error) = run(&["--out", "missing"]);
    assert_eq!(code, Some(2), "{error}");
    write(&out.join("deploy.json"), b"{");
    assert_eq!(run(&[]).0, Some(0), "a damaged default folder is ignored");
    fs::remove_dir_all(folder.join("var")).unwrap();
    let (code, _, error) = run(&[]);
    assert_eq!(code, Some(2));
    assert!(error.starts_with("error: no stack is installed"), "{error}");
}

mod tools {
    use super::*;
    use crate::outside::python_tool;

    #[test]
    fn reports_have_the_schema() {
        let folder = tempfile::tempdir().unwrap();
        let (same, different) = (complete(), different());
        let silent = FailedHost { host: "small".to_owned(), reason: "no answer".to_owned() };
        let silent = StatusReport { agrees: false, failed: vec![silent], ..same.report(None) };
        for (name, report) in [
            ("same.json", same.report(None)),
            ("different.json", different.report(Some(&newer(&different)))),
            ("silent.json", silent),
        ] {
            fs::write(folder.path().join(name), serde_json::to_string(&report).unwrap()).unwrap();
        }
        let schema = crate::support::repository().join("tests/deploy/status.schema.json");
        let mut command = python_tool("check-jsonschema");
        command.arg("--schemafile").arg(schema).args(["same.json", "different.json", "silent.json"]);
        let output = command.current_dir(folder.path()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
}
