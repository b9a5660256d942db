//! Scripts of `bash` and `sh`, and files of command lines: the servers that they start. The source of truth is bash(1), version 5.2.
//!
//! Nothing is executed. A value that is known only when the script runs makes its word dynamic, and commands whose effect is not known
//! are reported.

mod arithmetic;
mod braces;
mod braces_list;
mod commands;
mod compound;
mod expand;
mod functions;
mod idioms;
mod launch;
mod lookup;
mod name;
mod parse;
mod run;
mod substitution;
mod tree;
mod unread;
mod variables;
mod words;

use super::prefix;
use super::source::{At, Program, Reader, Word};
use run::{Kind, Run};
use words::Lines;

/// The maximum number of servers of a script.
const MAX_SERVERS: usize = 4096;

/// Reads a script.
pub fn read(reader: &mut Reader<'_>, file: usize) {
    follow(reader, file, Kind::Script);
}

/// Reads a file of command lines: `exec` and `exit` do not end it, and a line may begin with the prompt `$`.
pub fn read_commands(reader: &mut Reader<'_>, file: usize) {
    follow(reader, file, Kind::Commands);
}

/// A name for a command: its first alias, or the name of its model.
pub(super) fn derive_name(words: &[Word], otherwise: String) -> String {
    name::derive(words, None, otherwise)
}

fn follow(reader: &mut Reader<'_>, file: usize, kind: Kind) {
    let text = reader.found.files.get(file).map(|file| file.text.clone()).unwrap_or_default();
    let (items, losses) = parse::parse(&text, At { file, line: 1 }, Lines::Counted);
    reader.found.losses.extend(losses);
    let mut run = Run::new(reader, file, kind);
    run.items(&items);
    run.finish();
    if run.is_exhausted() {
        run.lose(
            "script",
            At { file, line: 1 },
            "its values are too many or too long, so some of them are unknown",
        );
    }
    let (mut found, others) = (std::mem::take(&mut run.found), std::mem::take(&mut run.others));
    if found.is_empty() {
        found = others;
    } else {
        for other in others {
            let Program::Path(program) = &other.program else { continue };
            reader.lose(
                prefix::base_name(&program.text),
                other.at,
                "it is no server of llama.cpp; import it from a separate script",
            );
        }
    }
    if let Some(server) = found.get(MAX_SERVERS) {
        reader.lose("servers", server.at, format!("a script may start at most {MAX_SERVERS} servers"));
        found.truncate(MAX_SERVERS);
    }
    name::distinguish(&mut found);
    reader.found.servers.extend(found);
}
