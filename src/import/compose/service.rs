//! A service with llama.cpp: its image, its command, its environment, and the settings around them.

use super::Variables;
use super::files::{Part, Project, Setting};
use super::image::{self, ImageKind};
use super::interpolate::interpolate;
use super::{network, settings};
use crate::import::inline;
use crate::import::plain;
use crate::import::prefix::{base_name, is_server, is_server_command};
use crate::import::source::{At, Change, Loss, Program, Reader, Server, Start, Surroundings, Word};
use crate::import::words::{self, Lined, MAX_COMMAND, is_secret, secret_loss, split_compose};
use crate::syntax::yaml::{Tree, TreeEntry};
use std::collections::BTreeSet;

/// The maximum number of variables of a service.
const MAX_VARIABLES: usize = 1000;

/// A service that is being read.
pub(super) struct ServiceReader<'s, 'r> {
    pub(super) reader: &'s mut Reader<'r>,
    pub(super) around: &'r dyn Surroundings,
    pub(super) variables: &'s Variables<'r>,
    /// The folder of the compose file.
    pub(super) folder: String,
    pub(super) server: Server,
    /// True if variables beyond the limit were reported.
    has_too_many: bool,
    /// The names of the variables with a secret.
    secrets: BTreeSet<String>,
    /// True if a variable is an option of llama.cpp.
    pub(super) has_option: bool,
    /// The reason why the image is not known.
    pub(super) image_problem: Option<Loss>,
}

/// Reads a service. Services without a server of llama.cpp are reported.
pub(super) fn read<'r>(
    reader: &mut Reader<'r>,
    project: &Project,
    variables: &Variables<'r>,
    entry: &TreeEntry,
) {
    let Some(file) = project.files.first().map(|source| source.file) else { return };
    let at = At { file, line: entry.line };
    let lookup = |name: &str| variables.get(name);
    let (settings, problem) = project.settings(entry, &lookup);
    let around = reader.around;
    let folder = reader.folder_of(file);
    let server = Server::new(entry.key.clone(), at, Program::Path(Word::new("", at)));
    let mut service = ServiceReader {
        reader,
        around,
        variables,
        folder,
        server,
        has_too_many: false,
        secrets: BTreeSet::new(),
        has_option: false,
        image_problem: None,
    };
    service.server.last_line = entry.value.last_line.max(entry.line);
    let image = service.image(&settings);
    if let Some(problem) = problem {
        service.server.lose(format!("extends: {}", entry.key), at, problem);
    }
    service.environment(&settings);
    match service.command(&settings, &image) {
        Ok(()) => {
            service.fields(&settings);
            let mut server = service.server;
            server.unreadable = service.image_problem.or(server.unreadable);
            words::drop_secrets(&mut server);
            words::hide_secrets(&mut server);
            reader.found.servers.push(server);
        }
        Err(why) => {
            let shown = if image.text.is_empty() { String::new() } else { format!(": {}", image.text) };
            let why = service.image_problem.filter(|_| image.text.is_empty()).map_or(why, |loss| loss.why);
            service.reader.lose(format!("{}{shown}", entry.key), at, why);
        }
    }
}

/// The last part of a setting.
pub(super) fn last<'p>(settings: &[Setting<'p>], key: &str) -> Option<Part<'p>> {
    let setting = settings.iter().find(|setting| setting.key == key)?;
    setting.parts.last().copied().filter(|part| !part.value.is_null())
}

/// All parts of a setting.
fn parts<'a, 'p>(settings: &'a [Setting<'p>], key: &str) -> &'a [Part<'p>] {
    settings.iter().find(|setting| setting.key == key).map_or(&[], |setting| &setting.parts)
}

impl ServiceReader<'_, '_> {
    /// The value of a scalar, with its variables replaced.
    pub(super) fn lined(&mut self, part: Part<'_>, tree: &Tree) -> Lined {
        let lookup = |name: &str| self.variables.get(name);
        interpolate(&Lined::of(tree, part.source.file), &lookup, &mut self.server.losses)
    }

    /// The text of a scalar, with its variables replaced.
    pub(super) fn text(&mut self, part: Part<'_>, tree: &Tree) -> String {
        self.lined(part, tree).text().to_owned()
    }

    /// The variables of the process: `environment` wins over `env_file`.
    fn environment(&mut self, settings: &[Setting<'_>]) {
        for part in parts(settings, "env_file") {
            if part.value.items().is_empty() {
                self.env_file(*part, part.value);
            }
            for item in part.value.items() {
                self.env_file(*part, item);
            }
        }
        for part in parts(settings, "environment") {
            for item in part.value.items() {
                let written = item.scalar().and_then(|scalar| scalar.text.split_once('='));
                if let Some((name, _)) = written.filter(|(name, _)| is_secret(name)) {
                    self.set_variable(name, Word::new("", At { file: part.source.file, line: item.line }));
                    continue;
                }
                let word = self.lined(*part, item).word();
                match word.text.split_once('=') {
                    Some((name, value)) => {
                        let value = Word { text: value.to_owned(), ..word };
                        self.set_variable(name, value);
                    }
                    None => self.inherited(&word.text, word.at),
                }
            }
            for entry in part.value.entries() {
                let at = At { file: part.source.file, line: entry.line };
                if is_secret(&entry.key) {
                    self.set_variable(&entry.key, Word::new("", at));
                    continue;
                }
                if entry.value.is_null() {
                    self.inherited(&entry.key, at);
                    continue;
                }
                let mut word = self.lined(*part, &entry.value).word();
                let is_number =
                    entry.value.scalar().is_some_and(|scalar| scalar.is_plain && scalar.text == word.text);
                if is_number {
                    word.text = plain::shown(&word.text);
                }
                self.set_variable(&entry.key, word);
            }
        }
    }

    /// A variable without a value has that of the environment of compose.
    fn inherited(&mut self, name: &str, at: At) {
        if is_secret(name) {
            return self.set_variable(name, Word::new("", at));
        }
        match self.variables.get(name) {
            Some(value) => self.set_variable(name, Word::new(value, at)),
            None => {
                let why = "it is not set, so the container does not have it; set it for the import";
                self.server.lose(format!("environment: {name}"), at, why);
            }
        }
    }

    fn set_variable(&mut self, name: impl Into<String>, value: Word) {
        let name = name.into();
        self.has_option |= name.starts_with("LLAMA_ARG_");
        if is_secret(&name) && self.secrets.len() < MAX_VARIABLES {
            let loss = secret_loss(&name, value.at);
            if self.secrets.insert(name) {
                self.server.losses.push(loss);
            }
        } else if self.server.env.len() < MAX_VARIABLES && !is_secret(&name) {
            self.server.set_variable(name, value);
        } else if !std::mem::replace(&mut self.has_too_many, true) {
            let why = format!("a server has at most {MAX_VARIABLES} variables");
            self.server.lose("environment: further variables", value.at, why);
        }
    }

    /// A file of `env_file`: its path, or a mapping with `path`, `required` and `format`.
    fn env_file(&mut self, part: Part<'_>, item: &Tree) {
        let at = At { file: part.source.file, line: item.line };
        let mut field =
            |key: &str| item.get(key).map(|entry| self.text(part, &entry.value)).unwrap_or_default();
        let [path, required, format] = ["path", "required", "format"].map(&mut field);
        let path = if item.scalar().is_some() { self.text(part, item) } else { path };
        if path.is_empty() {
            return;
        }
        let Some(file) = self.reader.companion(part.source.file, &path) else {
            let is_required = plain::boolean(&required) != Some(false);
            let why = if is_required {
                "the file cannot be read, so its variables are unknown"
            } else {
                "the file does not exist"
            };
            return self.server.lose(format!("env_file: {path}"), at, why);
        };
        let text = self.reader.found.files.get(file).map(|file| file.text.clone()).unwrap_or_default();
        let lookup = |name: &str| self.variables.get(name);
        let found = if format == "raw" {
            super::dotenv::read_raw(&text, file)
        } else {
            super::dotenv::read(&text, file, &lookup)
        };
        self.server.losses.extend(found.losses);
        for (name, value) in found.variables {
            self.set_variable(name, value);
        }
    }

    /// The words of `entrypoint` or `command`. `None` if the setting is not given.
    fn words(&mut self, settings: &[Setting<'_>], key: &str) -> Option<Vec<Lined>> {
        let part = last(settings, key)?;
        if part.value.scalar().is_none() {
            return Some(part.value.items().iter().map(|item| self.lined(part, item)).collect());
        }
        let text = self.lined(part, part.value);
        if text.text().len() > MAX_COMMAND {
            let why = format!("it is longer than {MAX_COMMAND} bytes, so Linux cannot start it");
            self.server.unreadable = Some(Loss { what: key.to_owned(), at: part.at(), why });
            return Some(Vec::new());
        }
        match split_compose(&text) {
            Ok((words, None)) => Some(words),
            Ok((words, Some(end))) => {
                let rest = text.part(end..text.text().len());
                let why = "compose starts no shell, and drops the text from this character on";
                self.server.lose(format!("{key}: {}", rest.text().trim()), rest.start(), why);
                Some(words)
            }
            Err(why) => {
                let why = format!("compose refuses the text: {why}");
                self.server.unreadable = Some(Loss {
                    what: format!("{key}: {}", words::without_secrets(text.text())),
                    at: part.at(),
                    why,
                });
                Some(Vec::new())
            }
        }
    }

    /// Sets the program and its arguments. An error is the reason why the service has no server of llama.cpp.
    fn command(&mut self, settings: &[Setting<'_>], image: &Word) -> Result<(), String> {
        let entrypoint = self.words(settings, "entrypoint");
        let command = self.words(settings, "command").unwrap_or_default();
        let mut kind = image::kind(&image.text);
        let names_server =
            |words: &[Lined]| words.iter().any(|word| word.text().split_whitespace().any(is_server));
        let is_named = names_server(&command) || entrypoint.as_deref().is_some_and(names_server);
        let is_recognized = kind == ImageKind::Other && !is_named && self.has_options(&command, image);
        if kind == ImageKind::Other && !is_named && !is_recognized {
            return Err("it is no server of llama.cpp".to_owned());
        }
        if is_recognized {
            kind = ImageKind::Server;
        }
        self.built(settings);
        let is_program =
            |word: &Lined| is_server(word.text()) || (is_recognized && !word.text().starts_with('-'));
        let starts_program = entrypoint.is_some()
            || kind == ImageKind::Other
            || (kind == ImageKind::Server && command.first().is_some_and(is_program));
        let mut words = entrypoint.unwrap_or_default();
        words.extend(command);
        let image = image.clone();
        if starts_program {
            return self.program(&words, image, kind);
        }
        let mut args: Vec<Word> = words.iter().map(Lined::word).collect();
        match kind {
            ImageKind::Full => {
                let starts_server =
                    args.first().is_some_and(|word| matches!(word.text.as_str(), "--server" | "-s"));
                if !starts_server {
                    return Err("the first argument of the image is not `--server`, so it starts no server"
                        .to_owned());
                }
                args.remove(0);
            }
            ImageKind::Cli => return Err("the image has no server".to_owned()),
            ImageKind::Server | ImageKind::Other => {}
        }
        self.server.program = Program::Image { image, tool: None };
        self.server.args = args;
        Ok(())
    }

    /// A command that names its program.
    fn program(&mut self, words: &[Lined], image: Word, kind: ImageKind) -> Result<(), String> {
        let at = self.server.at;
        let words = inline::program_words(words, &mut self.server);
        let is_known = is_server_command(&words);
        let mut rest = words.into_iter();
        let tool = rest.next();
        let name = tool.as_ref().map(|tool| tool.text.clone()).unwrap_or_default();
        self.server.args = rest.collect();
        if self.server.unreadable.is_none() && !is_known {
            let is_llama = base_name(&name).starts_with("llama");
            if kind == ImageKind::Other || is_llama {
                return Err(format!("it starts `{name}`, which is no server of llama.cpp"));
            }
            let at = tool.as_ref().map_or(at, |tool| tool.at);
            let why = "the program is unknown; write the command of the server as `entrypoint`".to_owned();
            self.server.unreadable = Some(Loss { what: format!("entrypoint: {name}"), at, why });
        }
        self.server.program = Program::Image { image, tool };
        Ok(())
    }

    /// Reads the settings that have a field, and reports the others.
    fn fields(&mut self, settings: &[Setting<'_>]) {
        if let Program::Image { image, .. } = &self.server.program {
            self.server.gpus = image::gpus(&image.text);
        }
        self.restart(settings);
        for setting in settings {
            for part in &setting.parts {
                match setting.key {
                    "image" | "command" | "entrypoint" | "environment" | "env_file" | "restart" => {}
                    "build" if last(settings, "image").is_none() => {}
                    "ports" => network::ports(self, *part),
                    "volumes" => network::volumes(self, *part),
                    "working_dir" => {
                        let folder = self.lined(*part, part.value).word();
                        self.server.folder = Some(folder);
                    }
                    _ => settings::lose(self, setting, *part),
                }
            }
        }
    }

    /// `restart`, or `deploy.restart_policy`: containers with these policies start with the machine.
    fn restart(&mut self, settings: &[Setting<'_>]) {
        let own = last(settings, "restart").map(|part| (part, part.value, part.line));
        let deployed = || {
            let part = last(settings, "deploy")?;
            let condition = part.value.get("restart_policy")?.value.get("condition")?;
            Some((part, &condition.value, condition.line))
        };
        let Some((part, value, line)) = own.or_else(deployed) else { return };
        let at = At { file: part.source.file, line };
        let policy = self.text(part, value);
        let is = match policy.as_str() {
            "" | "no" | "none" | "false" => return,
            "always" | "unless-stopped" | "any" => {
                self.server.start = (Start::Boot, Some(at));
                "starts at boot, and systemd restarts it"
            }
            _ => "systemd restarts it",
        };
        let why = "the unit has its own restart policy".to_owned();
        self.server.changes.push(Change {
            option: "restart".to_owned(),
            was: policy,
            is: is.to_owned(),
            why,
            at,
        });
    }
}
