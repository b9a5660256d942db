//! Reads the configuration of llama-swap (`config.example.yaml` and `internal/config` of llama-swap, August 2026).

mod container;
mod filters;
mod groups;
mod keys;
mod macros;
mod matrix;
mod model;
mod settings;

use super::source::{At, Loss, Reader, Server, SourceGateway, SourceGatewayKind, Start};
use crate::syntax::yaml::{Tree, TreeEntry, tree};
pub use keys::{KEYS, Key, Meaning, Reported};
use macros::{Expander, MacroTable, ModelScope};
use std::collections::BTreeMap;

/// True if a text is a configuration of llama-swap: it has `models` at the top level, and one of them has a command.
pub fn is_llama_swap(text: &str) -> bool {
    if text.trim_start().starts_with('{') {
        let root = tree(text).root.unwrap_or_default();
        let models = root.get("models").map_or(&[][..], |models| models.value.entries());
        return models.iter().any(|model| model.value.get("cmd").is_some());
    }
    let is_key = |line: &str, key: &str| {
        let line = line.trim_start_matches(['"', '\'']);
        let rest = line.strip_prefix(key).map(|rest| rest.trim_start_matches(['"', '\'']).trim_start());
        rest.is_some_and(|rest| rest.starts_with(':'))
    };
    let has_command =
        |line: &str| is_key(line.trim_start(), "cmd") || line.contains("{cmd:") || line.contains("{ cmd:");
    text.lines().any(|line| is_key(line, "models")) && text.lines().any(has_command)
}

/// Reads a file. Its models are servers of one gateway.
pub fn read(reader: &mut Reader<'_>, file: usize) {
    let text = reader.found.files.get(file).map(|file| file.text.clone()).unwrap_or_default();
    let parsed = tree(&macros::with_variables(&text, reader.around));
    for problem in parsed.problems {
        reader.lose(problem.message, At { file, line: problem.line }, "this part is not imported");
    }
    let Some(root) = parsed.root else { return };
    let mut losses = Vec::new();
    let globals = root
        .get("macros")
        .map_or_else(MacroTable::default, |macros| MacroTable::new(&macros.value, file, &mut losses));
    let models = root.get("models").map_or(&[][..], |models| models.value.entries());
    let line = root.get("models").map_or(root.line, |models| models.line);
    let mut swap = SwapFile {
        file,
        root: &root,
        expander: Expander::new(file, globals),
        global: ModelScope::default(),
        losses,
        idle: None,
        sends_loading: false,
        first: reader.found.servers.len(),
        ids: BTreeMap::new(),
    };
    swap.read_defaults();
    let gateway = reader.found.gateways.len();
    let mut servers = Vec::new();
    for entry in models {
        servers.extend(model::read(&mut swap, entry, gateway));
    }
    swap.ids = servers.iter().zip(swap.first..).map(|(server, at)| (server.name.clone(), at)).collect();
    swap.preload(&mut servers);
    let sets = swap.read_sets(&mut servers);
    settings::lose_file_settings(&mut swap);
    reader.found.losses.append(&mut swap.losses);
    reader.found.servers.append(&mut servers);
    reader.found.gateways.push(SourceGateway {
        sets: sets.sets,
        sets_at: sets.at,
        ..SourceGateway::new(SourceGatewayKind::LlamaSwap, At { file, line })
    });
}

/// A file that is being read.
struct SwapFile<'t> {
    file: usize,
    root: &'t Tree,
    expander: Expander,
    /// The scope of settings outside of models: global macros.
    global: ModelScope,
    losses: Vec<Loss>,
    /// `globalTTL`, with its place.
    idle: Option<(u64, At)>,
    /// `sendLoadingState` of the file.
    sends_loading: bool,
    /// The index of the first server of the file.
    first: usize,
    /// The index of each server by its id.
    ids: BTreeMap<String, usize>,
}

/// The sets of servers that may be in memory together, with the place of their declaration.
struct Sets {
    sets: Option<Vec<Vec<usize>>>,
    at: Option<At>,
}

impl<'t> SwapFile<'t> {
    fn at(&self, line: u32) -> At {
        At { file: self.file, line }
    }

    fn lose(&mut self, what: impl Into<String>, line: u32, why: impl Into<String>) {
        let at = self.at(line);
        self.losses.push(Loss { what: what.into(), at, why: why.into() });
    }

    /// The text of a value outside of models.
    fn text(&mut self, tree: &Tree, what: &str) -> String {
        self.expander.expand(tree, &self.global, what, &mut self.losses).text.text().to_owned()
    }

    /// The value at a path of keys.
    fn find(&self, path: &[&str]) -> Option<&'t TreeEntry> {
        let (last, first) = path.split_last()?;
        let mut tree = self.root;
        for key in first {
            tree = &tree.get(key)?.value;
        }
        tree.get(last)
    }

    /// `globalTTL`, and `sendLoadingState` of the file.
    fn read_defaults(&mut self) {
        if let Some(global) = self.find(&["globalTTL"]).filter(|global| !global.value.is_null()) {
            let text = self.text(&global.value, "globalTTL");
            match text.parse() {
                Ok(seconds) => self.idle = Some((seconds, self.at(global.line))),
                Err(_) => self.lose(format!("globalTTL: {text}"), global.line, "it is no number of seconds"),
            }
        }
        let loading = self.find(&["sendLoadingState"]).map(|entry| &entry.value);
        self.sends_loading = loading.is_some_and(|tree| self.text(tree, "sendLoadingState") == "true");
    }

    /// `hooks.on_startup.preload`: the models that start with llama-swap.
    fn preload(&mut self, servers: &mut [Server]) {
        let Some(preload) = self.find(&["hooks", "on_startup", "preload"]) else { return };
        let mut by_name = BTreeMap::new();
        for (at, server) in servers.iter().enumerate() {
            let personas = server.personas.iter().map(|persona| &persona.name);
            for alias in server.aliases.iter().chain(personas) {
                by_name.entry(alias.text.clone()).or_insert(at);
            }
        }
        // An id takes precedence over an alias.
        by_name.extend(servers.iter().enumerate().map(|(at, server)| (server.name.clone(), at)));
        for item in preload.value.items() {
            let name = self.text(item, "preload").trim().to_owned();
            let at = self.at(item.line);
            match by_name.get(&name).and_then(|at| servers.get_mut(*at)) {
                Some(server) => server.start = (Start::Boot, Some(at)),
                None if name.is_empty() => {}
                None => {
                    let why = "there is no such model, so llama-swap ignores it";
                    self.lose(format!("preload: {name}"), at.line, why);
                }
            }
        }
    }

    /// The sets of models that may be in memory together: of groups, or of a matrix.
    fn read_sets(&mut self, servers: &mut [Server]) -> Sets {
        let path = ["routing", "router", "settings"];
        let [new_groups, new_matrix] =
            ["groups", "matrix"].map(|key| self.find(&[&path[..], &[key]].concat()));
        let [old_groups, old_matrix] = ["groups", "matrix"].map(|key| self.find(&[key]));
        let used = self.find(&["routing", "router", "use"]);
        let is_matrix = match used {
            Some(used) => self.text(&used.value, "use") == "matrix",
            None => false,
        };
        let has_old = old_groups.is_some() || old_matrix.is_some();
        let (groups, matrix) = if has_old {
            for unused in [new_groups, new_matrix].into_iter().flatten() {
                self.lose(
                    format!("routing: {}", unused.key),
                    unused.line,
                    "the file also has `groups` or `matrix` at the top level, so llama-swap does not start",
                );
            }
            (old_groups, old_matrix)
        } else {
            let (unused, found) =
                if is_matrix { (new_groups, (None, new_matrix)) } else { (new_matrix, (new_groups, None)) };
            if let Some(unused) = unused {
                self.lose(
                    format!("{}: not in use", unused.key),
                    unused.line,
                    "`routing.router.use` selects the other router",
                );
            }
            found
        };
        match matrix {
            Some(entry) => {
                if let Some(groups) = groups {
                    self.lose(
                        "groups",
                        groups.line,
                        "the file also has a matrix, so llama-swap does not start",
                    );
                }
                matrix::read(self, entry, servers)
            }
            None => groups::read(self, groups, servers),
        }
    }
}
