//! Raising: the fields of a role for the command line and the environment of a server. It is the inverse of lowering, over
//! the same table of options.
//!
//! Each option ends as a field, as an entry of `options`, or as a loss with its reason. Raising knows nothing of files and
//! other roles: it names files by path.

mod files;
mod numa;
mod options;
mod placement;
mod serving;
mod settings;
mod speculation;
mod value;

pub use numa::Numa;
pub use placement::{GpuUse, RaisedPlacement};
pub use speculation::DRAFT_MODEL;
pub use value::{literal, number};

use super::compare::ADDRESS;
use super::given::{Builds, Given, GivenOptions};
use super::secret::is_secret_name;
use super::source::{At, Change, Loss, Server};
use crate::diag::{Line, Literal};
use crate::engine::Family;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// The fields of a role, as far as the command line determines them.
#[derive(Clone, Debug, Default)]
pub struct Raised {
    /// The file of the model.
    pub model: Option<ModelFile>,
    /// The projector of the model.
    pub projector: Option<Projector>,
    /// The file of the draft model.
    pub draft: Option<ModelFile>,
    /// The CPUs, NUMA nodes and GPUs.
    pub placement: RaisedPlacement,
    /// The addresses to listen on. Empty if the command line has none.
    pub listen: Vec<String>,
    /// True if the command line has an address.
    pub has_host: bool,
    /// The port.
    pub port: Option<u16>,
    /// The names of `--alias`.
    pub aliases: Vec<String>,
    /// The other fields, in the order of the schema.
    pub fields: Vec<Line>,
    /// The options without own field: each with its values. A switch has none.
    pub options: Vec<(String, Vec<Literal>)>,
    /// The reasons why options are not in the registry, or have another form there, by the main name of the option.
    pub reasons: BTreeMap<String, String>,
    /// Options of the address and placements that are lost.
    pub lost: Vec<Loss>,
    /// Placements with another meaning.
    pub changed: Vec<Change>,
    /// The words that no build of the family knows, each as a user would write it, with the place.
    pub unknown: Vec<(String, At)>,
}

/// A model file, or the repository that has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelFile {
    /// The path, or the name in the repository.
    pub file: String,
    /// The repository at Hugging Face.
    pub repo: Option<String>,
    /// True if the source names only the repository, so the name of the file follows from a convention.
    pub is_conventional: bool,
    /// The place.
    pub at: At,
}

/// A projector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Projector {
    /// The path.
    pub file: String,
    /// True if it stays off the GPU.
    pub is_on_host: bool,
}

/// A server that is being raised.
pub(super) struct Raiser<'p> {
    builds: Builds<'p>,
    given: GivenOptions<'p>,
    /// True for `--fit off`.
    never_fits: bool,
    raised: Raised,
    /// The fields by name: they are sorted at the end.
    fields: BTreeMap<&'static str, Vec<Line>>,
}

/// The order of the fields of a role.
const ORDER: &[&str] = &[
    "key-file",
    "context",
    "slots",
    "batch",
    "threads-batch",
    "draft",
    "lookup",
    "template",
    "lora",
    "overrides",
    "pooling",
    "cache-type",
    "flash-attention",
    "prompt-cache",
    "checkpoints",
];

/// Raises a server.
pub fn raise(server: &Server, builds: Builds<'_>) -> Raised {
    let mut raiser = Raiser {
        builds,
        given: builds.read(server),
        never_fits: false,
        raised: Raised::default(),
        fields: BTreeMap::new(),
    };
    raiser.drop_dynamic();
    raiser.files();
    raiser.network();
    raiser.serving();
    raiser.speculation();
    raiser.placement(server);
    raiser.settings();
    raiser.other_options();
    raiser.finish()
}

impl<'p> Raiser<'p> {
    /// Removes an option by a name in the table of options.
    fn take(&mut self, name: &str) -> Option<Given<'p>> {
        self.given.take(name)
    }

    /// The text of an option, which is removed.
    fn text(&mut self, name: &str) -> Option<String> {
        self.take(name).map(|given| given.text())
    }

    /// The number of an option, which is removed. An option without a number keeps its place: a check reports it.
    fn number<N: std::str::FromStr>(&mut self, name: &str) -> Option<N> {
        let given = self.given.take(name)?;
        match given.text().trim().parse() {
            Ok(number) => Some(number),
            Err(_) => {
                let why = "its value is no number that the field accepts";
                if ADDRESS.contains(&given.record.title()) {
                    let (what, at) = (given.shown(), given.spelling.at);
                    self.raised.lost.push(Loss { what, at, why: why.to_owned() });
                }
                self.reason(&given, why);
                None
            }
        }
    }

    /// True if a switch is given and on. `None` if it is not given.
    fn switch(&mut self, name: &str) -> Option<bool> {
        self.take(name).map(|given| given.is_on)
    }

    /// Explains an option that the registry has not, or in another form.
    fn reason(&mut self, given: &Given<'_>, why: impl Into<String>) {
        self.raised.reasons.insert(given.record.title().to_owned(), why.into());
    }

    fn field(&mut self, field: &'static str, line: Line) {
        self.fields.entry(field).or_default().push(line);
    }

    fn is_ik(&self) -> bool {
        self.builds.profile.family() == Family::IkLlamaCpp
    }

    /// Removes options whose value is known only when the source runs.
    fn drop_dynamic(&mut self) {
        let (dynamic, known): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.given.all).into_iter().partition(|given| given.is_dynamic);
        self.given.all = known;
        for given in dynamic {
            let why = "its value is known only when the source runs";
            if ADDRESS.contains(&given.record.title()) {
                let what = given.shown();
                self.raised.lost.push(Loss { what, at: given.spelling.at, why: why.to_owned() });
            }
            self.reason(&given, why);
        }
    }

    /// Names and addresses.
    fn network(&mut self) {
        if let Some(given) = self.take("host") {
            self.raised.has_host = true;
            let given_at = given.spelling.at;
            let hosts = given.text();
            let (known, unknown): (Vec<&str>, Vec<&str>) = hosts
                .split(',')
                .map(str::trim)
                .partition(|host| *host == "localhost" || host.parse::<IpAddr>().is_ok());
            self.raised.listen = known.into_iter().map(str::to_owned).collect();
            for host in unknown {
                let why = "a role listens on IP addresses";
                let what = format!("{} {host}", given.spelling.text);
                self.raised.lost.push(Loss { what, at: given_at, why: why.to_owned() });
            }
        }
        // llama-swap replaces the macro of the port.
        let is_automatic = |given: &&Given<'_>| given.name() == "port" && given.text() == "${PORT}";
        if self.given.all.iter().any(|given| is_automatic(&given)) {
            self.take("port");
        }
        self.raised.port = self.number("port").filter(|port| *port > 0);
        if let Some(given) = self.take("alias") {
            let names = given.values.iter().flat_map(|names| names.split(','));
            self.raised.aliases =
                names.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect();
        }
        if let Some(file) = self.text("api-key-file") {
            self.field("key-file", Line::of("key-file", file));
        }
        if let Some(given) = self.take("api-key") {
            self.reason(
                &given,
                "a registry has no secrets: write a new key into a file, and name that file in `key-file`",
            );
        }
    }

    fn finish(mut self) -> Raised {
        for name in ORDER {
            self.raised.fields.append(&mut self.fields.remove(name).unwrap_or_default());
        }
        self.raised.unknown = std::mem::take(&mut self.given.unknown)
            .into_iter()
            .map(|unknown| {
                let name = unknown.word.text.split('=').next().unwrap_or_default();
                if is_secret_name(name) {
                    return (name.to_owned(), unknown.word.at);
                }
                let value = unknown.value.map(|value| format!(" {}", value.text)).unwrap_or_default();
                (format!("{}{value}", unknown.word.text), unknown.word.at)
            })
            .collect();
        self.raised
    }
}
