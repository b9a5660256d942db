//! The expectations of a case: `expect.txt`, written by hand. `cases.rs` describes its format.

use crate::llama_swap::words::split;

/// A case: the import, and everything that it must keep or report.
#[derive(Clone, Debug, Default)]
pub(super) struct Case {
    /// The files to import.
    pub(super) files: Vec<String>,
    /// Further arguments of the import.
    pub(super) options: Vec<String>,
    /// Variables of the import.
    pub(super) variables: Vec<(String, String)>,
    /// The servers of the sources.
    pub(super) servers: Vec<Wanted>,
    /// The settings that the report must name.
    pub(super) losses: Vec<WantedLoss>,
}

/// The kind of the program of a server.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Kind {
    /// A server of llama.cpp at the path of the first word.
    #[default]
    Engine,
    /// A server of llama.cpp; the sources do not name its path.
    EngineAnywhere,
    /// Another program: its words are compared as texts.
    Other,
}

/// A server of the sources.
#[derive(Clone, Debug, Default)]
pub(super) struct Wanted {
    pub(super) name: String,
    /// The name of its role. `None` for any.
    pub(super) role: Option<String>,
    pub(super) file: String,
    pub(super) lines: (u64, u64),
    pub(super) words: Vec<String>,
    pub(super) kind: Kind,
    /// `Some(None)` for a port that the gateway selects.
    pub(super) port: Option<Option<u16>>,
    pub(super) host: Option<String>,
    /// Further names at the API.
    pub(super) names: Vec<String>,
    pub(super) env: Vec<(String, String)>,
    /// The memory policy and its nodes.
    pub(super) placement: Option<(String, String)>,
    pub(super) cpus: Option<String>,
    pub(super) start: Option<String>,
    pub(super) idle: Option<u64>,
    /// The servers that are never in memory at the same time.
    pub(super) apart: Option<Vec<String>>,
    /// True if it is known only when its source runs, so it may be lost as a whole.
    pub(super) is_unknown: bool,
}

/// A setting that the report must name.
#[derive(Clone, Debug)]
pub(super) struct WantedLoss {
    pub(super) file: String,
    pub(super) line: u64,
    pub(super) word: String,
}

impl Case {
    /// Parses `expect.txt`.
    #[track_caller]
    pub(super) fn parse(text: &str) -> Self {
        let mut case = Self::default();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let (key, rest) = line.split_once(' ').unwrap_or((line, ""));
            let words = split(rest, &[]);
            match key {
                "import" => case.files.extend(words),
                "options" => case.options.extend(words),
                "variable" => case.variables.extend(words.iter().map(|word| pair(word, '='))),
                "server" => case.servers.push(Wanted {
                    name: rest.to_owned(),
                    role: Some(rest.to_owned()),
                    ..Wanted::default()
                }),
                "lost" => {
                    let [file, line, word] = rest.split(':').map(str::trim).collect::<Vec<_>>()[..] else {
                        panic!("{rest}")
                    };
                    let (file, word) = (file.to_owned(), word.to_owned());
                    case.losses.push(WantedLoss { file, line: line.parse().unwrap(), word });
                }
                _ => case.servers.last_mut().unwrap().set(key, rest, words),
            }
        }
        assert!(!case.files.is_empty() && !case.servers.is_empty(), "{text}");
        case
    }
}

impl Wanted {
    #[track_caller]
    fn set(&mut self, key: &str, rest: &str, words: Vec<String>) {
        match key {
            "role" => self.role = (rest != "*").then(|| rest.to_owned()),
            "from" => {
                let (file, lines) = rest.split_once(':').unwrap();
                let (first, last) = lines.split_once('-').unwrap();
                file.clone_into(&mut self.file);
                self.lines = (first.parse().unwrap(), last.parse().unwrap());
            }
            "words" => self.words.extend(words),
            "program" => {
                self.kind = match rest {
                    "any" => Kind::EngineAnywhere,
                    "other" => Kind::Other,
                    _ => panic!("program {rest}"),
                };
            }
            "port" => self.port = Some((rest != "automatic").then(|| rest.parse().unwrap())),
            "host" => self.host = Some(rest.to_owned()),
            "names" => self.names = words,
            "env" => self.env.push(pair(&words[0], '=')),
            "placement" => self.placement = Some(pair(rest, ' ')),
            "cpus" => self.cpus = Some(rest.to_owned()),
            "start" => self.start = Some(rest.replace("demand", "on-demand")),
            "idle" => self.idle = Some(rest.parse().unwrap()),
            "apart" => self.apart = Some(words),
            "unknown" => self.is_unknown = true,
            _ => panic!("{key} is no key of a server"),
        }
    }
}

#[track_caller]
fn pair(text: &str, separator: char) -> (String, String) {
    let (name, value) = text.split_once(separator).unwrap_or_else(|| panic!("{text}"));
    (name.to_owned(), value.to_owned())
}
