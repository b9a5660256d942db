//! Any other program as an engine: a server for speech, images, or models of another format.
//!
//! orchgen knows nothing of its options. The registry gives all words of its command line, the files that it uses and the
//! memory that it needs.

use crate::engine::{Access, PortPart, Word};

/// The word that the port replaces.
pub const PORT: &str = "{port}";
/// The word that the address replaces.
pub const HOST: &str = "{host}";
/// The word that the address and the port replace.
pub const SOCKET_ADDRESS: &str = "{host}:{port}";

/// The specification of a server process.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CommandSpec<'a> {
    /// The program and its arguments. The address and the port replace the exact words `{host}`, `{port}` and
    /// `{host}:{port}`. The port also replaces `{port}` as a part of a word: see [`around_port`]. Other braces have no
    /// meaning.
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
    /// Environment variables. `{host}` and `{port}` are replaced in values as in words.
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
    /// No word and no variable has the port.
    NoPort,
}

/// Lowers a server to its command line.
pub fn lower<'a>(spec: &CommandSpec<'a>) -> Command<'a> {
    let (program, args) = spec.words.split_first().unwrap_or((&"", &[]));
    let args: Vec<Word> = args.iter().map(|word| fill(spec, word)).collect();
    let env: Vec<(&str, Word)> = spec.env.iter().map(|(name, value)| (*name, fill(spec, value))).collect();
    let mut words = args.iter().chain(env.iter().map(|(_, value)| value));
    let no_port = !words.any(|word| word.around_port().is_some());
    let no_port = no_port.then_some(CommandFault::NoPort);
    let faults = faults(spec, program).chain(no_port).collect();
    Command { program, args, env, faults }
}

/// The texts before and after the `{port}` that the port replaces: the first one that is the whole word, or a part of an
/// address or of a value. `None` if there is none.
pub fn around_port(word: &str) -> Option<(&str, &str)> {
    let is_start = |before: &str| before.is_empty() || before.ends_with([':', '=', ',']);
    let is_end = |after: &str| after.is_empty() || after.starts_with([':', '/', ',']);
    let parts =
        word.match_indices(PORT).filter_map(|(at, _)| Some((word.get(..at)?, word.get(at + PORT.len()..)?)));
    parts.into_iter().find(|(before, after)| is_start(before) && is_end(after))
}

/// The meaning of a word. A path that the program reads and writes is written.
fn fill(spec: &CommandSpec<'_>, word: &str) -> Word {
    let path = |access| Word::path(word, access);
    match word {
        HOST => Word::Host(spec.host.into()),
        PORT => Word::Port(spec.port.to_string().into()),
        _ if spec.writes.contains(&word) => path(Access::Write),
        _ if spec.reads.contains(&word) => path(Access::Read),
        SOCKET_ADDRESS => Word::PortPart(PortPart::socket_address(spec.host, spec.port).into()),
        _ => match around_port(word) {
            Some((before, after)) => Word::PortPart(PortPart::new(before, spec.port, after).into()),
            None => Word::from(word.to_owned()),
        },
    }
}

/// The reasons for which its program or its health check cannot work.
fn faults(spec: &CommandSpec<'_>, program: &str) -> impl Iterator<Item = CommandFault> + use<> {
    // The first word of `ExecStart=` may not be quoted with escapes.
    let is_program = program.starts_with('/')
        && !program.ends_with('/')
        && !program.contains(|c: char| c.is_control() || matches!(c, '"' | '\'' | '\\'));
    let is_path = |path: &str| {
        path.starts_with('/') && path.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"'\\".contains(&byte))
    };
    let faults =
        [(!is_program, CommandFault::Program), (!spec.health.is_none_or(is_path), CommandFault::HealthPath)];
    faults.into_iter().filter(|(is_fault, _)| *is_fault).map(|(_, fault)| fault)
}
