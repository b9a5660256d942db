//! Any other program as an engine: a server for speech, images, or models of another format.
//!
//! orchgen knows nothing of its options. The registry gives all words of its command line, the files that it uses and the
//! memory that it needs.

use crate::engine::{Access, Word};

/// The word that the port replaces.
pub const PORT: &str = "{port}";
/// The word that the address replaces.
pub const HOST: &str = "{host}";

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
    /// The path that answers with a success as soon as the server is ready. `None` if there is no such path.
    pub health: Option<&'a str>,
    /// Files and folders that it reads.
    pub reads: &'a [&'a str],
    /// Folders in which it reads, creates and changes files.
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
    /// The environment.
    pub env: Vec<(&'a str, Word)>,
    /// The reasons why it cannot serve.
    pub faults: Vec<CommandFault>,
}

/// A reason why a command cannot serve.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CommandFault {
    /// The first word is not the full path of a program that a unit can name.
    Program,
    /// The path of the health check is not one that a request line can contain.
    HealthPath,
    /// No word and no variable is `{port}`.
    NoPort,
}

/// Lowers a server to its command line.
pub fn lower<'a>(spec: &CommandSpec<'a>) -> Command<'a> {
    let (program, args) = spec.words.split_first().unwrap_or((&"", &[]));
    Command {
        program,
        args: args.iter().map(|word| fill(spec, word)).collect(),
        env: spec.env.iter().map(|(name, value)| (*name, fill(spec, value))).collect(),
        faults: faults(spec, program),
    }
}

/// The meaning of a word. A path that the program reads and writes is written.
fn fill(spec: &CommandSpec<'_>, word: &str) -> Word {
    let path = |access| Word::path(word, access);
    match word {
        HOST => Word::Host(spec.host.into()),
        PORT => Word::Port(spec.port.to_string().into()),
        _ if spec.writes.contains(&word) => path(Access::Write),
        _ if spec.reads.contains(&word) => path(Access::Read),
        _ => Word::from(word.to_owned()),
    }
}

fn faults(spec: &CommandSpec<'_>, program: &str) -> Vec<CommandFault> {
    // The first word of `ExecStart=` may not be quoted with escapes.
    let is_program = program.starts_with('/')
        && !program.ends_with('/')
        && !program.contains(|c: char| c.is_control() || matches!(c, '"' | '\'' | '\\'));
    let is_path = |path: &str| {
        path.starts_with('/') && path.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"'\\".contains(&byte))
    };
    let mut given = spec.words.iter().chain(spec.env.iter().map(|(_, value)| value));
    let names_port = given.any(|word| *word == PORT);
    let faults = [
        (!is_program, CommandFault::Program),
        (!spec.health.is_none_or(is_path), CommandFault::HealthPath),
        (!names_port, CommandFault::NoPort),
    ];
    faults.into_iter().filter(|(is_fault, _)| *is_fault).map(|(_, fault)| fault).collect()
}
