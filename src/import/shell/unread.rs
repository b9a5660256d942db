//! Commands and words that are reported, because orchgen does not read them: servers of other programs, and lists that grow at run time.

use super::launch::{MENTIONS, mentions_server};
use super::run::Run;
use super::tree::Command;
use super::variables::Value;
use crate::import::prefix::{base_name, is_name};
use crate::import::source::{Server, Word};

/// Programs that serve models, with the command that starts the server. An empty command is any.
const OTHER_SERVERS: &[(&str, &str)] = &[
    ("ollama", "serve"),
    ("vllm", "serve"),
    ("lms", "server"),
    ("tabby", "serve"),
    ("koboldcpp", ""),
    ("litellm", ""),
    ("local-ai", ""),
    ("text-generation-launcher", ""),
];

/// Commands of tmux that start a program, and those that type its command.
const WINDOWS: &[&str] =
    &["new", "new-session", "neww", "new-window", "splitw", "split-window", "respawnp", "respawn-pane"];
const KEYS: &[&str] = &["send", "send-keys"];

const NO_SERVER: &str = "no server of llama.cpp; write it as a role with `command`";
const UNKNOWN: &str =
    "no server that orchgen knows; write the command of its server, or a role with `command`";

/// True if the program is llama-swap.
pub(super) fn is_llama_swap(words: &[Word]) -> bool {
    let name = words.first().map_or("", |word| base_name(&word.text));
    name.strip_prefix("llama-swap").is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '_', '.']))
}

/// The reason why a command with a model is not imported. `None` for commands that start no server.
pub(super) fn reason(words: &[Word]) -> Option<String> {
    let program = words.first().map(|word| base_name(&word.text))?;
    if is_llama_swap(words) {
        let path = values(words, &["-config", "--config"]).next().filter(|path| !path.is_dynamic);
        return Some(match path {
            Some(path) => format!("import its configuration file (`orchgen import {}`)", path.text),
            None => "import its configuration file".to_owned(),
        });
    }
    let command = words.get(1).map_or("", |word| word.text.as_str());
    let is_other = |(name, start): &(&str, &str)| *name == program && (start.is_empty() || *start == command);
    if OTHER_SERVERS.iter().any(is_other) {
        return Some(NO_SERVER.to_owned());
    }
    let has_model = values(words, &["-m", "--model"]).any(|model| model.text.contains(".gguf"));
    if !has_model || MENTIONS.contains(&program) {
        return None;
    }
    let is_script = |word: &&Word| !word.is_dynamic && word.text.strip_suffix(".sh").is_some();
    let path = words.first().filter(is_script);
    Some(match path {
        Some(path) => format!("the script is not read: import it too (`orchgen import {}`)", path.text),
        None if program.starts_with("llama-") => "this program of llama.cpp is no server".to_owned(),
        None => UNKNOWN.to_owned(),
    })
}

/// The values of the options with one of these names.
fn values(words: &[Word], names: &[&str]) -> impl Iterator<Item = Word> {
    let next = words.iter().skip(1).map(Some).chain([None]);
    words.iter().zip(next).filter_map(|(word, next)| match word.text.split_once('=') {
        Some((name, text)) if names.contains(&name) => Some(Word { text: text.to_owned(), ..*word }),
        None if names.contains(&word.text.as_str()) => next.cloned(),
        _ => None,
    })
}

impl Run<'_, '_> {
    /// Follows the command in a window of tmux, and reports it if it starts no known server. False for other commands.
    pub(super) fn window(&mut self, words: &[Word], command: &Command, server: &Server) -> bool {
        let mut rest = words.iter();
        let is_tmux = rest.next().is_some_and(|word| base_name(&word.text) == "tmux");
        let Some(kind) =
            rest.find(|word| WINDOWS.contains(&word.text.as_str()) || KEYS.contains(&word.text.as_str()))
        else {
            return false;
        };
        if !is_tmux || self.is_ended {
            return false;
        }
        let is_window = WINDOWS.contains(&kind.text.as_str());
        let mut given: Vec<&Word> = Vec::new();
        let mut is_value = false;
        for word in rest {
            let is_option = given.is_empty() && word.text.starts_with('-') && !is_value;
            if !is_option && !is_value {
                given.push(word);
            }
            is_value = is_option && word.text.ends_with(['c', 'e', 'f', 'F', 'l', 'n', 's', 't', 'x', 'y']);
        }
        given.truncate(if is_window { usize::MAX } else { 1 });
        let Some(first) = given.first() else { return false };
        let text = given.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ");
        let is_dynamic = given.iter().any(|word| word.is_dynamic);
        let before = (self.found.len(), self.others.len(), self.reader.found.losses.len());
        if is_dynamic && !is_window && !mentions_server(&text) {
            return false;
        }
        self.string(&Word { text, at: first.at, is_dynamic }, command, server);
        if is_window && before == (self.found.len(), self.others.len(), self.reader.found.losses.len()) {
            self.lose(command.head.clone(), command.at, NO_SERVER);
        }
        true
    }

    /// Removes and reports words that can be any number of words: arrays that grow at run time.
    pub(super) fn without_unknown_lists(&mut self, words: Vec<Word>, server: &mut Server) -> Vec<Word> {
        let (lists, words): (Vec<Word>, Vec<Word>) =
            words.into_iter().partition(|word| word.is_dynamic && list_name(&word.text).is_some());
        for list in lists {
            let name = list_name(&list.text).unwrap_or_default();
            let has_start = |value: &Value| matches!(value, Value::List(_) | Value::Text(_));
            let why = if self.variables.get(name).is_some_and(|variable| has_start(&variable.value)) {
                "more words follow if a condition is true at run time"
            } else {
                "its words are known only when the script runs"
            };
            if !server.losses.iter().any(|loss| loss.what == list.text) {
                server.lose(list.text, list.at, why);
            }
        }
        words
    }
}

/// The name in a word such as `${X[@]}`.
fn list_name(text: &str) -> Option<&str> {
    let (name, rest) = text.strip_prefix("${")?.split_once('[')?;
    let rest = rest.strip_prefix(['@', '*'])?.strip_prefix(']')?;
    let is_whole = rest.find('}') == Some(rest.len().saturating_sub(1));
    (is_name(name) && is_whole).then_some(name)
}
