//! Any other program as an engine: a server for speech, images, or models of another format.
//!
//! orchgen knows nothing of its options. The registry gives all words of its command line, the files that it uses and the
//! memory that it needs.

use crate::engine::dialect::{FaultKind, Intent, LoweringFault};
use crate::engine::{Access, Word};

/// The specification of a server process.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CommandSpec<'a> {
    /// The program and its arguments. The address and the port replace the exact words `{host}` and `{port}`. Other
    /// braces have no meaning.
    pub words: &'a [&'a str],
    /// The address to listen on.
    pub host: &'a str,
    /// The port to listen on.
    pub port: u16,
    /// The path that answers with status 200 as soon as the server is ready. `None` if there is no such path.
    pub health: Option<&'a str>,
    /// The memory in bytes, if it is declared.
    pub memory: Option<u64>,
    /// Files and folders that it reads.
    pub reads: &'a [&'a str],
    /// Files and folders that it reads, creates and changes.
    pub writes: &'a [&'a str],
    /// Environment variables. A value can be one of the words in braces too.
    pub env: &'a [(&'a str, &'a str)],
}

/// A server process of another program.
#[derive(Clone, Debug)]
pub struct Command<'a> {
    /// The full path of the program.
    pub program: &'a str,
    /// The arguments after the program.
    pub args: Vec<Word>,
    /// The reasons why it cannot serve.
    pub errors: Vec<LoweringFault>,
    /// The environment.
    pub env: Vec<(&'a str, Word)>,
    /// The path of the health check.
    pub health: Option<&'a str>,
    /// The declared memory in bytes. `None` means not known.
    pub memory: Option<u64>,
    /// The files and folders that it uses, each with its access.
    pub files: Vec<(&'a str, Access)>,
}

/// Lowers a server to its command line.
pub fn lower<'a>(spec: &CommandSpec<'a>) -> Command<'a> {
    let (program, args) = spec.words.split_first().unwrap_or((&"", &[]));
    let reads = spec.reads.iter().map(|path| (*path, Access::Read));
    let writes = spec.writes.iter().map(|path| (*path, Access::Write));
    Command {
        program,
        args: args.iter().map(|word| fill(spec, word)).collect(),
        errors: faults(spec, program),
        env: spec.env.iter().map(|(name, value)| (*name, fill(spec, value))).collect(),
        health: spec.health,
        memory: spec.memory,
        files: reads.chain(writes).collect(),
    }
}

/// The meaning of a word. A path that the program reads and writes is written.
fn fill(spec: &CommandSpec<'_>, word: &str) -> Word {
    let path = |access| Word::path(word, access);
    match word {
        "{host}" => Word::Host(spec.host.into()),
        "{port}" => Word::Port(spec.port.to_string().into()),
        _ if spec.writes.contains(&word) => path(Access::Write),
        _ if spec.reads.contains(&word) => path(Access::Read),
        _ => Word::from(word.to_owned()),
    }
}

fn faults(spec: &CommandSpec<'_>, program: &str) -> Vec<LoweringFault> {
    let mut faults = Vec::new();
    let mut add = |intent, why: &str| {
        let (kind, why) = (FaultKind::NotExpressible, why.to_owned());
        faults.push(LoweringFault { intent, kind, why, help: None, builds: Vec::new() });
    };
    if !program.starts_with('/') {
        add(Intent::Tool, "the first word must be the absolute path of a program");
    }
    if spec.words.iter().any(|word| word.contains('\0')) {
        add(Intent::Tool, "a word contains a zero byte");
    }
    if spec.health.is_some_and(|path| !path.starts_with('/')) {
        add(Intent::Tool, "the path of the health check must begin with `/`");
    }
    if spec.port == 0 {
        add(Intent::Port, "port 0 means any free port");
    }
    let names_port = spec.words.iter().chain(spec.env.iter().map(|(_, value)| value));
    if !names_port.clone().any(|word| *word == "{port}") {
        add(Intent::Port, "no word is `{port}`, so the program does not learn its port");
    }
    faults
}
