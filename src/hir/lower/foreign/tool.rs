//! Recognizes configurations of other tools in YAML by their keys.

use super::super::engine_word::{EngineWord, EngineWords};
use super::super::guess::number;
use super::super::items::USUAL_PORT;
use super::super::names::example;
use crate::diag::words::{self, quoted};
use crate::diag::{Diagnostic, Line};
use crate::hir::codes::UNKNOWN_KIND;
use crate::syntax::{Document, Language, Node, Scalar, Value, write_line};

/// The name of the engine in a help.
const ENGINE: &str = "llama.cpp";

/// The finding for a YAML document that configures another tool. Nothing else of the file is read.
pub(in crate::hir::lower) fn other_tool(document: &Document, engine: EngineWords) -> Option<Diagnostic> {
    if document.language != Language::Yaml {
        return None;
    }
    let section = |key: &str| document.nodes.iter().find(|node| node.key == key);
    let entries = |key: &str| section(key).map_or(&[][..], |section| &section.fields);
    let place_of = |key: &str, keys: &[&str]| {
        entries(key).iter().find_map(|entry| field(entry, keys)).map(|field| field.key_span)
    };
    if let Some(span) = place_of("models", &["cmd"]) {
        let message = "this file is a configuration of llama-swap, not a registry";
        let finding = UNKNOWN_KIND.at(span, "a registry has no command lines", message);
        let server = |entry| Server::of_command(entry, &words_of(field(entry, &["cmd"])), engine);
        return Some(write_registry(finding, &entries("models").iter().map(server).collect::<Vec<_>>()));
    }
    if let Some(span) = place_of("services", &["image", "build", "command"]) {
        let message = "this file is for Docker Compose, not a registry";
        let finding = UNKNOWN_KIND.at(span, "a registry has no containers", message);
        let server = |entry| {
            let words =
                [words_of(field(entry, &["entrypoint"])), words_of(field(entry, &["command"]))].concat();
            Server::of_command(entry, &words, engine).on_host(entry)
        };
        return Some(write_registry(finding, &entries("services").iter().map(server).collect::<Vec<_>>()));
    }
    let tools = [("model_list", "a configuration of LiteLLM"), ("apiVersion", "a manifest of Kubernetes")];
    let (key, what) = tools.iter().find(|(key, _)| section(key).is_some())?;
    let node = section(key)?;
    let message = format!("this file is {what}, not a registry");
    let finding = UNKNOWN_KIND.at(node.key_span, "not a kind of item", message);
    Some(
        finding.help("move it out of this folder; `orchgen init NEW_FOLDER` writes an example of a registry"),
    )
}

fn field<'n, 'd>(node: &'n Node<'d>, keys: &[&str]) -> Option<&'n Node<'d>> {
    node.fields.iter().find(|field| keys.contains(&&*field.key))
}

/// The words of all values of a field, without quotes. `--port=8080` is two words.
fn words_of(node: Option<&Node>) -> Vec<String> {
    let text = |arg: &Scalar| match &arg.value {
        Value::String(text) => text.to_string(),
        Value::Integer(number) => number.to_string(),
        Value::Null | Value::Bool(_) | Value::Float(_) => String::new(),
    };
    let args = node.into_iter().flat_map(|node| &node.args).map(text);
    let mut words: Vec<String> = Vec::new();
    for word in args.flat_map(|text| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>()) {
        match word.split_once('=').filter(|(name, _)| name.starts_with('-')) {
            _ if word == "\\" => {}
            Some((name, value)) => words.extend([name.to_owned(), value.to_owned()]),
            None => words.push(word),
        }
    }
    words.iter().map(|word| word.trim_matches(['"', '\'']).to_owned()).collect()
}

/// The maximum number of entries of a file in a help.
const MAX_SERVERS: usize = 8;

/// A server as the file of another tool describes it.
#[derive(Default)]
struct Server {
    name: String,
    /// The absolute path of the model file.
    file: Option<String>,
    /// True if this is the path in a container, and that on the host is not known.
    is_inside: bool,
    port: Option<u64>,
    context: Option<u64>,
    /// The folder of its program.
    bin: Option<String>,
    /// The names of options that are not here.
    others: Vec<String>,
}

impl Server {
    /// Reads a command line of the engine.
    fn of_command(entry: &Node, words: &[String], engine: EngineWords) -> Self {
        // Another word can be the name of an item, if its own name cannot.
        let name = super::super::guess::name::similar(&entry.key).unwrap_or_else(|| "chat".to_owned());
        let mut server = Self { name, ..Self::default() };
        let program = words.first().filter(|word| word.starts_with('/'));
        server.bin = program.and_then(|word| word.rsplit_once('/')).map(|(folder, _)| folder.to_owned());
        for (at, word) in words.iter().enumerate().filter(|(_, word)| word.starts_with('-')) {
            let value = words.get(at + 1).map_or("", String::as_str);
            match (engine.meaning)(word) {
                Some(EngineWord::Field("model", None)) if has_model_file(value) => {
                    server.file = Some(value.to_owned());
                }
                // A tool that chooses the port writes a variable.
                Some(EngineWord::Field("port", None)) => server.port = value.parse().ok(),
                Some(EngineWord::Field("context", None)) if value.parse::<u64>().is_ok() => {
                    server.context = value.parse().ok();
                }
                _ if word.parse::<f64>().is_ok() => {}
                _ => server.others.push(word.clone()),
            }
        }
        server.file = server.file.filter(|file| file.starts_with('/') && !file.contains('$'));
        server
    }

    /// Takes the port and the folder of the host that a container has.
    fn on_host(mut self, entry: &Node) -> Self {
        let ports = words_of(field(entry, &["ports"]));
        self.port = ports.iter().find_map(|text| number::port(text)).map(|(port, _)| u64::from(port));
        let volumes = words_of(field(entry, &["volumes"]));
        let on_host = |file: &String| {
            volumes.iter().find_map(|volume| {
                let mut parts = volume.split(':');
                let (host, inner) = (parts.next()?, parts.next()?);
                let rest = file.strip_prefix(inner.trim_end_matches('/'))?.strip_prefix('/')?;
                host.starts_with('/').then(|| format!("{}/{rest}", host.trim_end_matches('/')))
            })
        };
        match self.file.as_ref().and_then(on_host) {
            Some(file) => self.file = Some(file),
            None => self.is_inside = true,
        }
        // The program of a container is not one of the host.
        self.bin = None;
        self
    }

    fn model(&self) -> Option<Line> {
        Some(Line::new(&*self.name).with(Line::of("file", self.file.as_deref()?)))
    }

    fn role(&self, port: u64) -> Line {
        let context = self.context.filter(|context| *context > 0);
        let role = Line::new(&*self.name).with(Line::of("model", &*self.name)).with(Line::of("port", port));
        role.with_each(context.map(|context| Line::of("context", context)))
    }
}

fn has_model_file(word: &str) -> bool {
    let extension = std::path::Path::new(word).extension();
    extension.is_some_and(|extension| extension.eq_ignore_ascii_case("gguf"))
}

/// Adds the helps: a registry with the servers that name a model file, or where to find an example.
fn write_registry(finding: Diagnostic, servers: &[Server]) -> Diagnostic {
    let (known, unknown): (Vec<&Server>, Vec<&Server>) =
        servers.iter().partition(|server| server.file.is_some());
    let quoted_names = |servers: &[&Server]| {
        words::all_of(&servers.iter().map(|server| quoted(&server.name)).collect::<Vec<_>>())
    };
    if known.is_empty() || servers.len() > MAX_SERVERS {
        let fault = if known.is_empty() { "no full path of a model file" } else { "many servers" };
        return finding.help(format!(
            "move it out of this folder: it has {fault}; `orchgen init NEW_FOLDER` writes an example of a registry"
        ));
    }
    let mut free = USUAL_PORT..;
    let taken: Vec<u64> = known.iter().filter_map(|server| server.port).collect();
    let mut next = || free.find(|port| !taken.contains(port)).unwrap_or(USUAL_PORT);
    let models = known.iter().filter_map(|server| server.model());
    let models = models.fold(Line::new("models"), Line::with);
    let roles = known.iter().map(|server| server.role(server.port.unwrap_or_else(&mut next)));
    let roles = roles.fold(Line::new("roles"), Line::with);
    let bin = known.iter().find_map(|server| server.bin.as_deref());
    let engine = example("engine", ENGINE).map(|(plural, line)| {
        let fields = line.fields.into_iter().map(|field| match (&*field.name, bin) {
            ("bin", Some(bin)) => Line::of("bin", bin),
            _ => field,
        });
        Line::new(plural).with(Line::new(ENGINE).with_each(fields))
    });
    let stack = Line::new("stack").with(Line::of("name", "home"));
    let lines = std::iter::once(stack).chain(engine).chain([models, roles]);
    let lines: Vec<String> = lines.map(|line| format!("  {}", write_line(Language::Yaml, &line))).collect();
    let own = if bin.is_some() { "" } else { " and the folder of its programs" };
    let finding = finding
        .help(format!("write this instead, with the profile of your build{own}\n{}", lines.join("\n")));
    let inside: Vec<String> = known
        .iter()
        .filter(|server| server.is_inside)
        .filter_map(|server| server.file.as_deref())
        .map(quoted)
        .collect();
    let inside = (!inside.is_empty()).then(|| {
        format!("and with the path on this host for {}, which is in the container", words::all_of(&inside))
    });
    let mut others: Vec<String> =
        known.iter().flat_map(|server| &server.others).map(|name| quoted(name)).collect();
    others.sort_unstable();
    others.dedup();
    let others = (!others.is_empty()).then(|| {
        format!(
            "then add {} as fields of the roles: `orchgen check` names the field of each",
            words::all_of(&others)
        )
    });
    let unknown = (!unknown.is_empty())
        .then(|| format!("{} names no model file: declare it yourself", quoted_names(&unknown)));
    finding.maybe_help(inside).maybe_help(others).maybe_help(unknown)
}
