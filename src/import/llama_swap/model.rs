//! A model of llama-swap: its command, its variables, and the settings around it.

use super::SwapFile;
use super::container;
use super::keys::{self, Meaning};
use super::macros::{MacroTable, ModelScope, PORT, Value, as_written};
use super::settings;
use crate::import::inline;
use crate::import::plain;
use crate::import::prefix;
use crate::import::source::{Loss, Program, Server, Start, Word};
use crate::import::words::{self, Lined, MAX_COMMAND, split_posix};
use crate::syntax::yaml::{Tree, TreeEntry};

/// The maximum number of variables of a model.
const MAX_VARIABLES: usize = 1000;

/// The names of the host itself.
const LOOPBACK: &[&str] = &["localhost", "127.0.0.1", "0.0.0.0", "[::1]"];

/// Reads a model. `None` if it is no mapping.
pub(super) fn read(swap: &mut SwapFile<'_>, entry: &TreeEntry, gateway: usize) -> Option<Server> {
    let at = swap.at(entry.line);
    if entry.value.entries().is_empty() {
        swap.lose(
            format!("models: {}", entry.key),
            entry.line,
            "it has no settings, so llama-swap cannot start it",
        );
        return None;
    }
    let mut server = Server::new(entry.key.clone(), at, Program::Path(Word::new("", at)));
    server.is_api_name = true;
    server.last_line = entry.value.last_line.max(entry.line);
    server.gateway = Some(gateway);
    server.start = (Start::OnDemand, None);
    let own = entry.value.get("macros").map_or_else(MacroTable::default, |macros| {
        MacroTable::new(&macros.value, swap.file, &mut server.losses)
    });
    let mut scope = ModelScope::new(&entry.key, own);
    let command = command(swap, &entry.value, &mut scope, &mut server);
    let mut model = Model { swap, scope, server };
    for field in entry.value.entries() {
        model.field(field);
    }
    model.idle(&entry.value);
    model.command(command);
    model.proxy(entry.value.get("proxy"));
    words::hide_secrets(&mut model.server);
    Some(model.server)
}

/// The command with its macros replaced. Sets whether the model has an automatic port.
fn command(
    swap: &mut SwapFile<'_>,
    tree: &Tree,
    scope: &mut ModelScope,
    server: &mut Server,
) -> Option<Lined> {
    let entry = tree.get("cmd").filter(|entry| entry.value.scalar().is_some() && !entry.value.is_null())?;
    let text = Lined::of(&entry.value, swap.file).without_comments();
    // A port that is left is no error, so the first expansion must accept it.
    scope.has_port = true;
    let before = server.losses.len();
    let found = swap.expander.expand_value(Value { text, is_plain: false }, scope, "cmd", &mut server.losses);
    if server.losses.len() > before {
        // A part of the command is not known.
        server.unreadable = Some(server.losses.remove(before));
    }
    scope.has_port = found.text.text().contains(PORT);
    server.is_port_automatic = scope.has_port;
    Some(found.text)
}

/// A model that is being read.
pub(super) struct Model<'m, 't> {
    pub(super) swap: &'m mut SwapFile<'t>,
    pub(super) scope: ModelScope,
    pub(super) server: Server,
}

impl Model<'_, '_> {
    /// The value of a scalar.
    pub(super) fn value(&mut self, tree: &Tree, what: &str) -> Value {
        self.swap.expander.expand(tree, &self.scope, what, &mut self.server.losses)
    }

    /// The text of a scalar, on its first line.
    pub(super) fn word(&mut self, tree: &Tree, what: &str) -> Word {
        self.value(tree, what).text.word()
    }

    pub(super) fn lose(&mut self, what: impl Into<String>, line: u32, why: impl Into<String>) {
        let at = self.swap.at(line);
        self.server.lose(what, at, why);
    }

    fn field(&mut self, field: &TreeEntry) {
        let key = keys::find("models.ID", &field.key);
        match key.map(|key| (key.read, key.meaning)) {
            Some((Some(read), _)) => read(self, field),
            Some((None, Meaning::Lost(..))) | None => settings::lose_model_setting(self, field, key),
            // The caller reads these keys after the others.
            Some((None, _)) => {}
        }
    }

    fn variable(&mut self, item: &Tree) {
        let mut word = self.word(item, "env");
        if word.is_dynamic {
            // A part of the value has no value, which is reported.
            return;
        }
        // The port is known only to llama-swap.
        word.is_dynamic |= word.text.contains(PORT);
        match word.text.split_once('=') {
            Some((name, value)) if !name.is_empty() => {
                let value = Word { text: value.to_owned(), ..word };
                self.server.set_variable(name, value);
            }
            _ => self.server.lose(format!("env: {}", word.text), word.at, "it has no `=`"),
        }
    }

    /// `ttl`, or `globalTTL` if it is not set or -1.
    fn idle(&mut self, tree: &Tree) {
        if let Some(ttl) = tree.get("ttl").filter(|ttl| !ttl.value.is_null()) {
            let word = self.word(&ttl.value, "ttl");
            match word.text.parse::<i64>() {
                Ok(-1) => {}
                Ok(seconds) if seconds >= 0 => {
                    self.server.idle = Some((seconds.unsigned_abs(), self.swap.at(ttl.line)));
                    return;
                }
                _ => self.lose(format!("ttl: {}", word.text), ttl.line, "it is no number of seconds"),
            }
        }
        self.server.idle = self.swap.idle;
    }

    /// Sets the program and its arguments.
    fn command(&mut self, command: Option<Lined>) {
        if command.as_ref().is_some_and(|command| command.text().len() > MAX_COMMAND) {
            let why = format!("it is longer than {MAX_COMMAND} bytes, so Linux cannot start it");
            self.server.unreadable = Some(Loss { what: "cmd".to_owned(), at: self.server.at, why });
            return;
        }
        if let Some(path) = command.as_ref().and_then(windows_path) {
            let why = "a path of Windows: orchgen writes units of Linux".to_owned();
            self.server.unreadable = Some(Loss { what: path.text().to_owned(), at: path.start(), why });
        }
        let words = command.map_or_else(Vec::new, |command| split_posix(&command.without_continuations()));
        if words.is_empty() && self.server.unreadable.is_none() {
            let why = "the model has no command, so llama-swap cannot start it".to_owned();
            self.server.unreadable = Some(Loss { what: "cmd".to_owned(), at: self.server.at, why });
            return;
        }
        let server = &mut self.server;
        if server.unreadable.is_some() {
            server.set_command(words.iter().map(Lined::word).collect());
            words::drop_secrets(server);
            return;
        }
        let words = inline::program_words(&words, server);
        if server.unreadable.is_some() {
            server.set_command(words);
        } else {
            prefix::apply(words, server);
        }
        container::pass_secrets(server);
        words::drop_secrets(server);
        check_words(server);
        if server.unreadable.is_none() {
            container::note(server);
        }
    }

    /// `proxy` has no field. It is reported unless it is the host with the port of the command.
    fn proxy(&mut self, entry: Option<&TreeEntry>) {
        let Some(entry) = entry.filter(|entry| !entry.value.is_null()) else {
            if !self.server.is_port_automatic {
                let why = "neither the command nor `proxy` has a port, so llama-swap does not start";
                let at = self.server.at;
                self.server.lose("proxy", at, why);
            }
            return;
        };
        let proxy = self.word(&entry.value, "proxy");
        let server = &self.server;
        let has = |text: &str| {
            let variables = server.env.iter().map(|(_, value)| &value.text);
            server.args.iter().map(|word| &word.text).chain(variables).any(|word| names_part(word, text))
        };
        let address = proxy.text.strip_prefix("http://").map(|address| address.trim_end_matches('/'));
        let why = match address.and_then(|address| address.rsplit_once(':')) {
            Some((_, port)) if port.contains('/') => "the clients of a role use its address without a path",
            Some((host, port)) if LOOPBACK.contains(&host) || has(host) => {
                if port == PORT || has(port) {
                    return;
                }
                "the command does not have this port; set `port` of the role"
            }
            Some(_) => "a role is on its own host, and the gateway reaches it there",
            None => "it is no address such as `http://localhost:8080`",
        };
        self.lose(format!("proxy: {}", proxy.text), entry.line, why);
    }
}

/// Reads `aliases`.
pub(super) fn read_aliases(model: &mut Model<'_, '_>, field: &TreeEntry) {
    for item in field.value.items() {
        let alias = model.word(item, "aliases");
        model.server.aliases.push(alias);
    }
}

/// Reads `checkEndpoint`.
pub(super) fn read_health(model: &mut Model<'_, '_>, field: &TreeEntry) {
    let path = model.word(&field.value, "checkEndpoint");
    let is_default = path.text.strip_prefix('/') == Some("health");
    model.server.health = Some(path).filter(|path| !is_default && !path.text.is_empty());
}

/// Reads `env`.
pub(super) fn read_variables(model: &mut Model<'_, '_>, field: &TreeEntry) {
    for item in field.value.items().iter().take(MAX_VARIABLES) {
        model.variable(item);
    }
    if let Some(item) = field.value.items().get(MAX_VARIABLES) {
        let why = format!("a server has at most {MAX_VARIABLES} variables");
        model.lose("env: further variables", item.line, why);
    }
}

/// True if a word has a text that is no part of a longer number or name.
fn names_part(word: &str, text: &str) -> bool {
    let is_inside = |c: char| c.is_ascii_alphanumeric();
    word.match_indices(text).any(|(at, _)| {
        let (before, after) = (word.get(..at), word.get(at + text.len()..));
        !before.is_some_and(|before| before.ends_with(is_inside))
            && !after.is_some_and(|after| after.starts_with(is_inside))
    })
}

/// Sets `unreadable` of a server whose program has a secret, or that is no engine and has words that are known only to a shell.
fn check_words(server: &mut Server) {
    let Program::Path(program) = &server.program else { return };
    let loss = |word: &Word| {
        let why = "it is known only when the shell runs; write its value into the command".to_owned();
        Loss { what: format!("cmd: {}", word.text), at: word.at, why }
    };
    // llama-swap replaces the port before the shell starts.
    for word in server.args.iter_mut().filter(|word| word.text.contains(PORT)) {
        word.is_dynamic &= word.text.replace(PORT, "").contains(['$', '`']);
    }
    let is_engine = prefix::is_server(&program.text);
    let dynamic = server.args.iter().find(|word| word.is_dynamic && !is_engine).map(loss);
    let secret = words::uses_secret(&program.text)
        .then(|| words::secret_loss(&format!("cmd: {}", program.text), program.at));
    server.unreadable = server.unreadable.take().or(secret).or(dynamic);
}

/// The first word of a command that is a path of Windows, such as `C:\\llama\\llama-server.exe`, as it is written.
fn windows_path(command: &Lined) -> Option<Lined> {
    let text = command.text();
    let is_path = |path: &str| {
        let mut chars = path.chars();
        let drive = (chars.next(), chars.next(), chars.next());
        matches!(drive, (Some(letter), Some(':'), Some('\\' | '/')) if letter.is_ascii_alphabetic())
            || path.starts_with(".\\")
    };
    let mut from = 0;
    for word in text.split([' ', '\t', '\n']) {
        let start = from;
        from += word.len() + 1;
        let path = word.trim_start_matches(['"', '\'']);
        if !is_path(path) {
            continue;
        }
        let start = start + word.len() - path.len();
        let quote = word.chars().next().filter(|_| path.len() < word.len());
        let rest = text.get(start..).unwrap_or_default();
        let end = quote.map_or(path.len(), |quote| rest.find([quote, '\n']).unwrap_or(rest.len()));
        return Some(command.part(start..start + end));
    }
    None
}

/// The text of a plain scalar, or of another value as a count of its parts.
pub(super) fn summary(tree: &Tree) -> String {
    const MOST: usize = 120;
    let short = |text: &str| match text.char_indices().nth(MOST) {
        Some((at, _)) => format!("{} …", text.get(..at).unwrap_or_default().trim_end()),
        None => text.trim_end().to_owned(),
    };
    if let Some(scalar) = tree.scalar() {
        let text = if scalar.is_plain { plain::shown(&scalar.text) } else { scalar.text.clone() };
        return short(&as_written(&text.replace('\n', " ")));
    }
    let keys = tree.entries().iter().map(|entry| entry.key.as_str());
    let items = tree.items().iter().map(|item| item.scalar().map_or("…", |scalar| scalar.text.as_str()));
    let mut shown: Vec<&str> = keys.chain(items).take(7).collect();
    if shown.len() == 7 {
        shown.pop();
        shown.push("…");
    }
    short(&as_written(&shown.join(", ")))
}
