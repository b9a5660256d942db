//! `numactl` and `taskset`: the CPUs and NUMA nodes of a server.

use super::options::{Given, joined, parse};
use crate::import::source::{MemoryPolicy, Server, Word};
use std::collections::VecDeque;

/// The largest number of a CPU or a node that Linux supports, plus one.
const MAX_NUMBER: u32 = 8192;

const NUMACTL: &[&str] = &[
    "--interleave",
    "--weighted-interleave",
    "--preferred",
    "--preferred-many",
    "--cpubind",
    "--cpunodebind",
    "--physcpubind",
    "--membind",
    "--shm",
    "--file",
    "--offset",
    "--length",
    "--shmmode",
    "--shmid",
];

/// Options without a value. They are listed because getopt accepts unique starts of long names.
const NUMACTL_FLAGS: &[&str] =
    &["--localalloc", "--balancing", "--strict", "--all", "--show", "--hardware", "--huge", "--touch"];

/// Reads `numactl` with its options.
pub(super) fn numactl(words: &mut VecDeque<Word>, server: &mut Server) {
    let head = words.pop_front().unwrap_or_default();
    let mut same: Option<Word> = None;
    for given in parse(words, "iwpPcNCmSfoLMI", NUMACTL) {
        let value = match &given.value {
            Some(value) if value.text == "same" => same.clone().or_else(|| given.value.clone()),
            value => value.clone(),
        };
        same = value.clone().or(same);
        if let Err(why) = numactl_option(&given, value, server) {
            server.lose(format!("{} {}", head.text, given.written), given.at, why);
        }
    }
}

fn numactl_option(given: &Given, value: Option<Word>, server: &mut Server) -> Result<(), &'static str> {
    let mut flags = NUMACTL_FLAGS.iter().filter(|flag| flag.starts_with(&given.name) && given.name.len() > 2);
    let name = match (flags.next(), flags.next()) {
        (Some(flag), None) => flag,
        _ => given.name.as_str(),
    };
    match (name, value) {
        ("-l" | "--localalloc", _) => set_memory(MemoryPolicy::Local, Vec::new(), given, server),
        ("-i" | "--interleave", Some(value)) => {
            set_memory(MemoryPolicy::Interleave, nodes(&value)?, given, server);
        }
        ("-m" | "--membind", Some(value)) => set_memory(MemoryPolicy::Bind, nodes(&value)?, given, server),
        ("-p" | "--preferred" | "-P" | "--preferred-many", Some(value)) => {
            let nodes = nodes(&value)?;
            if nodes.len() != 1 {
                return Err("the registry prefers one node only; name one node, or use `interleave`");
            }
            set_memory(MemoryPolicy::Preferred, nodes, given, server);
        }
        ("-N" | "--cpunodebind" | "-c" | "--cpubind", Some(value)) => {
            let nodes = nodes(&value)?;
            if nodes.is_empty() {
                return Err("it allows every CPU, which is the default");
            }
            replace_cpus(server);
            server.placement.cpu_nodes = Some((nodes, as_written(given)));
        }
        ("-C" | "--physcpubind", Some(value)) => set_cpus(cpu_list(&value)?, server),
        ("-w" | "--weighted-interleave", _) => return Err("systemd has no such policy; use `interleave`"),
        ("-b" | "--balancing", _) => return Err("systemd has no such setting"),
        ("-t" | "--strict", _) => return Err("numactl ignores it for a process"),
        ("-a" | "--all" | "--", _) => {}
        _ => return Err("it is no setting of a process"),
    }
    Ok(())
}

/// Reads `taskset` with its options, and the CPUs as a list or as a mask.
pub(super) fn taskset(words: &mut VecDeque<Word>, server: &mut Server) {
    let head = words.pop_front().unwrap_or_default();
    // `-c0-7` and `--cpu-list=0-7` are written, although taskset accepts the list only as the next word.
    let attached = words.front().and_then(attached_list);
    let given = parse(words, "", &[]);
    let is_list = given.iter().any(|given| ["-c", "--cpu-list"].contains(&given.name.as_str()));
    let is_attached = attached.is_some();
    let Some(value) = attached.or_else(|| words.pop_front()) else { return };
    let is_list = is_list || is_attached;
    let cpus = if is_list { cpu_list(&value) } else { mask(&value) };
    match cpus {
        Ok(cpus) => set_cpus(cpus, server),
        Err(why) => {
            let written = given.iter().map(|given| given.written.as_str()).collect::<Vec<_>>().join(" ");
            let what = joined([&head, &Word::new(written, head.at), &value].into_iter()).replace("  ", " ");
            server.lose(what, value.at, why);
        }
    }
}

/// The list in `-c0-7` and `--cpu-list=0-7`.
fn attached_list(word: &Word) -> Option<Word> {
    let list = word.text.strip_prefix("--cpu-list=").or_else(|| word.text.strip_prefix("-c"))?;
    let is_list = list.starts_with(|c: char| c.is_ascii_digit());
    is_list.then(|| Word { text: list.to_owned(), ..*word })
}

fn as_written(given: &Given) -> Word {
    Word {
        text: given.written.clone(),
        at: given.at,
        is_dynamic: given.value.as_ref().is_some_and(|v| v.is_dynamic),
    }
}

fn set_memory(policy: MemoryPolicy, nodes: Vec<u32>, given: &Given, server: &mut Server) {
    server.placement.memory = Some((policy, nodes, as_written(given)));
}

fn set_cpus(cpus: Word, server: &mut Server) {
    replace_cpus(server);
    server.placement.cpus = Some(cpus);
}

/// A program that binds to CPUs replaces the CPUs of the programs in front of it.
fn replace_cpus(server: &mut Server) {
    let old = [server.placement.cpus.take(), server.placement.cpu_nodes.take().map(|(_, word)| word)];
    for old in old.into_iter().flatten() {
        server.lose(format!("CPU affinity {}", old.text), old.at, "a later word replaces it");
    }
}

/// The numbers of a set of nodes. Empty for `all`.
fn nodes(value: &Word) -> Result<Vec<u32>, &'static str> {
    if value.text == "all" {
        return check(value).map(|()| Vec::new());
    }
    let ranges = ranges(value)?;
    let mut nodes: Vec<u32> =
        ranges.into_iter().flat_map(|(from, to, step)| (from..=to).step_by(step)).collect();
    nodes.sort_unstable();
    nodes.dedup();
    Ok(nodes)
}

/// A list of CPUs such as `0-7,16`. A range with a step becomes single numbers.
fn cpu_list(value: &Word) -> Result<Word, &'static str> {
    if value.text == "all" {
        return Err("it allows every CPU, which is the default");
    }
    let parts = ranges(value)?;
    let mut texts = Vec::new();
    for (from, to, step) in parts {
        match (from == to, step) {
            (true, _) => texts.push(from.to_string()),
            (false, 1) => texts.push(format!("{from}-{to}")),
            (false, step) => texts.extend((from..=to).step_by(step).map(|cpu| cpu.to_string())),
        }
    }
    Ok(Word { text: texts.join(","), ..*value })
}

fn check(value: &Word) -> Result<(), &'static str> {
    if value.is_dynamic { Err("its value is known only when it runs; write numbers") } else { Ok(()) }
}

/// The ranges of a list, each with its step.
fn ranges(value: &Word) -> Result<Vec<(u32, u32, usize)>, &'static str> {
    check(value)?;
    match value.text.chars().next() {
        Some('+') => {
            return Err("the numbers are relative to the allowed ones of the caller; write absolute numbers");
        }
        Some('!') => return Err("the other numbers depend on the machine; write them"),
        Some(c) if c.is_ascii_alphabetic() => return Err("the numbers depend on the machine; write them"),
        _ => {}
    }
    let range = |part: &str| {
        let (part, step) = part.split_once(':').unwrap_or((part, "1"));
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        let number = |text: &str| text.trim().parse::<u32>().ok().filter(|number| *number < MAX_NUMBER);
        let range = (number(from)?, number(to)?, usize::try_from(number(step)?).ok()?);
        (range.0 <= range.1 && range.2 > 0).then_some(range)
    };
    let parts: Option<Vec<_>> = value.text.split(',').take(1024).map(range).collect();
    parts.ok_or("the list is not valid")
}

/// The CPUs of a mask in hexadecimal digits, as a list.
fn mask(value: &Word) -> Result<Word, &'static str> {
    check(value)?;
    let text: String = value.text.chars().filter(|c| *c != ',').collect();
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(&text);
    let mut cpus: Vec<u32> = Vec::new();
    for (digit, first) in digits.chars().rev().zip((0..MAX_NUMBER).step_by(4)) {
        let bits = digit.to_digit(16).ok_or("the mask is not valid")?;
        cpus.extend((0..4).filter(|bit| bits >> bit & 1 == 1).map(|bit| first + bit));
    }
    if cpus.is_empty() {
        return Err("the mask is not valid");
    }
    Ok(Word { text: list(&cpus), ..*value })
}

/// Ascending numbers as a list of ranges.
fn list(numbers: &[u32]) -> String {
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for number in numbers {
        match ranges.last_mut().filter(|(_, last)| last.checked_add(1) == Some(*number)) {
            Some((_, last)) => *last = *number,
            None => ranges.push((*number, *number)),
        }
    }
    let text = |(from, to): &(u32, u32)| if from == to { from.to_string() } else { format!("{from}-{to}") };
    ranges.iter().map(text).collect::<Vec<_>>().join(",")
}
