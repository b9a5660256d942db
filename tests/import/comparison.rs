//! Compares the expectations of a case with the report of the import and with the output of the build.
//!
//! Each setting is kept, or the report names it as changed or lost. Otherwise it is silent, and the case fails.

use super::emitted::Emitted;
use super::expectation::{Case, Kind, Wanted};
use super::options::{Options, plain, title};
use super::permitted::is_permitted;
use serde_json::Value;
use std::collections::BTreeSet;

/// The result for one setting.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Verdict {
    Kept,
    Changed,
    Lost,
    Silent,
}

/// The results for a server.
#[derive(Clone, Debug)]
pub(super) struct Judged {
    pub(super) server: String,
    /// True if the server may be lost as a whole.
    pub(super) is_unknown: bool,
    pub(super) settings: Vec<(Verdict, String)>,
}

impl Judged {
    pub(super) fn count(&self, verdict: Verdict) -> usize {
        self.settings.iter().filter(|(own, _)| *own == verdict).count()
    }
}

/// An entry of the report about a server. An entry that only reports another form states that the meaning is kept, so it is
/// no evidence of a loss.
#[derive(Clone, Debug)]
struct Entry {
    verdict: Verdict,
    /// The main name of the option, or the name of the setting.
    option: Option<String>,
    /// The value that the report states.
    is: Option<String>,
    /// Everything that the entry names.
    text: String,
    line: u64,
}

/// Compares all servers, then the losses that the report must name.
pub(super) fn judge(case: &Case, report: &Value, emitted: &[Emitted]) -> Vec<Judged> {
    let roles: Vec<Option<String>> = case.servers.iter().map(|wanted| role_of(report, wanted)).collect();
    let mut all: Vec<Judged> = Vec::new();
    for (wanted, role) in case.servers.iter().zip(&roles) {
        let process = emitted.iter().find(|process| Some(&process.role) == role.as_ref());
        let mut judge = Judge { entries: entries(report, wanted), settings: Vec::new() };
        match process {
            Some(process) => {
                judge.server(wanted, process);
                judge.sets(process, apart(case, &roles, wanted), emitted);
            }
            None => judge.missing(wanted),
        }
        all.push(Judged {
            server: wanted.name.clone(),
            is_unknown: wanted.is_unknown,
            settings: judge.settings,
        });
    }
    let mut files = Judged { server: "(files)".to_owned(), is_unknown: true, settings: Vec::new() };
    for process in emitted.iter().filter(|process| !roles.contains(&Some(process.role.clone()))) {
        files.settings.push((Verdict::Silent, format!("role {} is of no server", process.role)));
    }
    for loss in &case.losses {
        let is_named = entries_of_file(report, &loss.file)
            .iter()
            .any(|entry| entry.line == loss.line && entry.text.contains(&loss.word));
        let verdict = if is_named { Verdict::Lost } else { Verdict::Silent };
        files.settings.push((verdict, format!("{}:{}: {}", loss.file, loss.line, loss.word)));
    }
    all.push(files);
    all
}

/// The reports of the servers that begin within the lines of a server. Several of them differ in their role.
fn about<'r>(report: &'r Value, wanted: &Wanted) -> Vec<&'r Value> {
    let servers = report["servers"].as_array().unwrap().iter();
    let (first, last) = wanted.lines;
    let is_inside = |own: &&Value| {
        let line = own["from"]["line"].as_u64().unwrap();
        own["from"]["file"] == *wanted.file && (first..=last).contains(&line)
    };
    let inside: Vec<&Value> = servers.filter(is_inside).collect();
    let named: Vec<&Value> =
        inside.iter().copied().filter(|own| own["role"].as_str() == wanted.role.as_deref()).collect();
    if named.is_empty() { inside } else { named }
}

fn role_of(report: &Value, wanted: &Wanted) -> Option<String> {
    about(report, wanted).first().and_then(|own| own["role"].as_str()).map(str::to_owned)
}

/// The roles of the servers that must not be in memory at the same time.
fn apart(case: &Case, roles: &[Option<String>], wanted: &Wanted) -> Option<BTreeSet<String>> {
    let names = wanted.apart.as_ref()?;
    let named = case.servers.iter().zip(roles).filter(|(server, _)| names.contains(&server.name));
    Some(named.filter_map(|(_, role)| role.clone()).collect())
}

fn entry(value: &Value, verdict: Verdict) -> Entry {
    let text = |key: &str| value[key].as_str().unwrap_or_default().to_owned();
    Entry {
        verdict,
        option: value["option"].as_str().map(title),
        is: value["is"].as_str().map(str::to_owned),
        text: ["option", "what", "was", "is"].map(text).join(" "),
        line: value["line"].as_u64().unwrap(),
    }
}

fn entries_of(own: &Value) -> Vec<Entry> {
    let of = |key: &str, verdict| {
        let all = own[key].as_array().unwrap().iter().filter(|value| value["form_only"].is_null());
        all.map(|value| entry(value, verdict)).collect::<Vec<_>>()
    };
    [of("changed", Verdict::Changed), of("lost", Verdict::Lost)].concat()
}

fn lost_of_files<'r>(report: &'r Value, file: &'r str) -> impl Iterator<Item = Entry> + 'r {
    let lost = report["lost"].as_array().unwrap().iter();
    lost.filter(move |loss| loss["file"] == *file).map(|loss| entry(loss, Verdict::Lost))
}

/// The entries about a server: its own, and those about its lines.
fn entries(report: &Value, wanted: &Wanted) -> Vec<Entry> {
    let own: Vec<Entry> = about(report, wanted).into_iter().flat_map(entries_of).collect();
    let lines = wanted.lines.0..=wanted.lines.1;
    let of_file = lost_of_files(report, &wanted.file).filter(|entry| lines.contains(&entry.line));
    own.into_iter().chain(of_file).collect()
}

fn entries_of_file(report: &Value, file: &str) -> Vec<Entry> {
    let servers = report["servers"].as_array().unwrap().iter();
    let own = servers.filter(|own| own["from"]["file"] == *file).flat_map(entries_of);
    own.chain(lost_of_files(report, file)).collect()
}

/// The results for one server, as they are found.
struct Judge {
    entries: Vec<Entry>,
    settings: Vec<(Verdict, String)>,
}

impl Judge {
    /// Adds a setting. If it is not kept, an entry must name it by one of the words. `is` is its value in the output.
    fn setting(&mut self, (what, is_kept): (String, bool), names: &[&str], is: Option<&str>) {
        let verdict = if is_kept { Verdict::Kept } else { self.reported(names, is) };
        let now = is.filter(|_| !is_kept).map(|is| format!(" (is {is})")).unwrap_or_default();
        self.settings.push((verdict, format!("{what}{now}")));
    }

    fn reported(&self, names: &[&str], is: Option<&str>) -> Verdict {
        let is_about = |entry: &&Entry| {
            let option = entry.option.as_deref();
            let is_named = |name: &&str| !name.is_empty() && has_word(&entry.text, name);
            names.iter().any(|name| if name.starts_with('-') { option == Some(name) } else { is_named(name) })
        };
        let is_true = |entry: &&Entry| match (entry.verdict, &entry.is, is) {
            (Verdict::Changed, Some(stated), Some(is)) => states(stated, is),
            _ => true,
        };
        self.entries
            .iter()
            .find(|entry| is_about(entry) && is_true(entry))
            .map_or(Verdict::Silent, |entry| entry.verdict)
    }

    /// True if the report states that another option has become this one.
    fn becomes(&self, name: &str, value: &str) -> bool {
        let states_it = |entry: &&Entry| {
            let (option, rest) = entry.is.as_deref()?.split_once(' ')?;
            (option.starts_with('-') && title(option) == name && states(rest, value)).then_some(())
        };
        self.entries.iter().any(|entry| entry.verdict == Verdict::Changed && states_it(&entry).is_some())
    }

    /// A server without a process: each of its words is lost, if the report names the server.
    fn missing(&mut self, wanted: &Wanted) {
        let verdict = if self.entries.is_empty() { Verdict::Silent } else { Verdict::Lost };
        let words = Options::read(wanted.words.get(1..).unwrap_or_default());
        let names = words.values.into_keys().chain(wanted.env.iter().map(|(name, _)| name.clone()));
        self.settings.extend(names.map(|name| (verdict, name)));
        self.settings.push((verdict, format!("server {}", wanted.name)));
    }

    fn server(&mut self, wanted: &Wanted, process: &Emitted) {
        if let Some(role) = &wanted.role {
            self.setting(
                (format!("name {role}"), *role == process.role),
                &[role.as_str(), &wanted.name],
                None,
            );
        }
        if wanted.kind == Kind::Other {
            self.words(wanted, process);
        } else {
            self.options(wanted, process);
        }
        if wanted.kind != Kind::EngineAnywhere {
            let (was, is) = (&wanted.words[0], &process.words[0]);
            self.setting((format!("program {was}"), was == is), &["program", "command", "image"], Some(is));
        }
        self.address(wanted, process);
        self.environment(wanted, process);
        self.residency(wanted, process);
    }

    fn options(&mut self, wanted: &Wanted, process: &Emitted) {
        let (want, have) = (Options::read(&wanted.words[1..]), Options::read(&process.words[1..]));
        let of_address = ["--host", "--port", "--alias"];
        for (name, was) in want.values.iter().filter(|(name, _)| !of_address.contains(&name.as_str())) {
            let now = have.values.get(name);
            let is = now.map(String::as_str);
            self.setting((format!("{name} {was}"), now == Some(was)), &[name.as_str()], is);
        }
        for word in &want.rest {
            self.setting((word.clone(), have.rest.contains(word)), &[word.as_str()], None);
        }
        for (name, is) in have.values.iter().filter(|(name, _)| !of_address.contains(&name.as_str())) {
            if want.values.contains_key(name) || is_permitted((name, is), &want, wanted) {
                continue;
            }
            let verdict = if self.becomes(name, is) {
                Verdict::Changed
            } else {
                self.reported(&[name.as_str()], Some(is))
            };
            self.settings.push((verdict, format!("{name} {is}, added (is {is})")));
        }
    }

    /// The words of another program: those in front of the first option, and each option with the words after it.
    fn words(&mut self, wanted: &Wanted, process: &Emitted) {
        let text = |words: &[String]| -> Vec<String> {
            let mut groups: Vec<String> = vec![String::new()];
            for word in &words[1..] {
                if word.starts_with('-') {
                    groups.push(word.replace("{port}", "18000"));
                } else if let Some(last) = groups.last_mut() {
                    *last = format!("{last} {}", word.replace("{port}", "18000"));
                }
            }
            groups
        };
        let (want, mut have) = (text(&wanted.words), text(&process.words));
        for group in want {
            let at = have.iter().position(|other| *other == group);
            at.map(|at| have.remove(at));
            let option = group.split(' ').next().unwrap_or_default().to_owned();
            self.setting((group, at.is_some()), &[&option], None);
        }
        for group in have {
            self.setting((format!("{group}, added"), false), &[], None);
        }
    }

    fn address(&mut self, wanted: &Wanted, process: &Emitted) {
        match wanted.port {
            Some(Some(port)) => {
                let is = process.ports.iter().map(u16::to_string).collect::<Vec<_>>().join(",");
                self.setting((format!("port {port}"), process.ports.contains(&port)), &["--port"], Some(&is));
            }
            Some(None) => self.setting(("port".to_owned(), !process.ports.is_empty()), &["--port"], None),
            None => {}
        }
        if let Some(host) = &wanted.host {
            self.setting((format!("host {host}"), *host == process.host), &["--host"], Some(&process.host));
        }
        for name in &wanted.names {
            self.setting((format!("name {name}"), process.names.contains(name)), &[name.as_str()], None);
        }
    }

    fn environment(&mut self, wanted: &Wanted, process: &Emitted) {
        for (name, value) in &wanted.env {
            let is_kept = process.env.get(name) == Some(value);
            self.setting((format!("variable {name}"), is_kept), &[name.as_str()], None);
        }
        // orchgen sets these in units and containers.
        let own = ["XDG_CONFIG_HOME", "XDG_CACHE_HOME", "CUDA_DEVICE_ORDER", "LLAMA_CACHE"];
        for name in process.env.keys().filter(|name| !own.contains(&name.as_str())) {
            if wanted.env.iter().all(|(known, _)| known != name) {
                self.setting((format!("variable {name}, added"), false), &[name.as_str()], None);
            }
        }
        if let Some((policy, nodes)) = &wanted.placement {
            let have = process.memory.clone().unwrap_or_default();
            let is_kept = have.0 == *policy && numbers(&have.1) == numbers(nodes);
            self.setting((format!("placement {policy} {nodes}"), is_kept), &["placement", "numactl"], None);
        }
        if let Some(cpus) = &wanted.cpus {
            let is_kept = process.cpus.as_ref().is_some_and(|have| numbers(have) == numbers(cpus));
            self.setting((format!("CPUs {cpus}"), is_kept), &["placement", "taskset", "CPUAffinity"], None);
        }
    }

    fn residency(&mut self, wanted: &Wanted, process: &Emitted) {
        if let Some(start) = &wanted.start {
            let names = ["start", "preload", "load-on-startup", "WantedBy"];
            self.setting((format!("start {start}"), *start == process.start), &names, None);
        }
        if let Some(idle) = wanted.idle {
            self.setting((format!("idle {idle}"), idle == process.idle), &["ttl", "globalTTL"], None);
        }
    }

    /// The servers behind the same gateway that are never in memory at the same time.
    fn sets(&mut self, process: &Emitted, apart: Option<BTreeSet<String>>, emitted: &[Emitted]) {
        let (Some(apart), Some(together)) = (apart, &process.together) else { return };
        let behind = emitted.iter().filter(|other| other.together.is_some() && other.role != process.role);
        let now: BTreeSet<String> =
            behind.map(|other| other.role.clone()).filter(|role| !together.contains(role)).collect();
        let what = format!("apart from {apart:?}, is {now:?}");
        self.setting((what, now == apart), &["groups", "matrix", "sets"], None);
    }
}

/// True if the value that the report states is that of the output.
fn states(stated: &str, is: &str) -> bool {
    let is_switch = ["on", "off"].contains(&is);
    let words = stated.split_whitespace().map(plain);
    (is_switch && !["on", "off"].contains(&stated))
        || stated.contains(is)
        || words.chain([plain(stated)]).any(|word| word == is)
}

/// True if a text has a word: letters, digits and signs of names do not continue it.
fn has_word(text: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).any(|(at, _)| {
        let (before, after) = (text[..at].chars().next_back(), text[at + word.len()..].chars().next());
        !before.is_some_and(is_part) && !after.is_some_and(is_part)
    })
}

/// The numbers of a list such as `0-3,8`. `all` is a text.
fn numbers(list: &str) -> BTreeSet<String> {
    let range = |part: &str| -> Vec<String> {
        match part.split_once('-').map(|(first, last)| (first.parse::<u32>(), last.parse::<u32>())) {
            Some((Ok(first), Ok(last))) => (first..=last).map(|number| number.to_string()).collect(),
            _ => vec![part.to_owned()],
        }
    };
    list.split([',', ' ']).filter(|part| !part.is_empty()).flat_map(range).collect()
}
