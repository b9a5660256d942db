//! The table of the keys of llama-swap: the field that each becomes, or the reason why it is not imported. The reader selects
//! its functions by this table, and the cheat sheet of the guide prints it.

use super::model::{self, Model};
use super::{filters, settings};
use crate::syntax::yaml::TreeEntry;

/// A key of a configuration of llama-swap.
pub struct Key {
    /// Its path. A word in capitals is any name, for example in `models.ID.ttl`.
    pub path: &'static str,
    /// Its use.
    pub meaning: Meaning,
    /// The function that reads the key of a model. `None` if the key is read in a fixed order, or outside of models.
    pub(super) read: Option<ReadKey>,
}

/// Reads a key of a model, or of its filters.
type ReadKey = fn(&mut Model<'_, '_>, &TreeEntry);

/// The use of a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Meaning {
    /// It becomes a field of the registry, such as `role.alias`: the field, and how.
    Field(&'static str, &'static str),
    /// It has no field, but decides how other keys are read.
    Read(&'static str),
    /// It contains other keys.
    Group,
    /// It has the keys of another path.
    SameAs(&'static str),
    /// It is not imported: the reason as a clause, and the form of the report.
    Lost(&'static str, Reported),
}

/// The report of a key that is not imported.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reported {
    /// Its value, unless it is this default.
    Unless(&'static str),
    /// Each of its entries, with this field.
    Entries(&'static str),
    /// The number of its values.
    Count,
}

const fn field(path: &'static str, field: &'static str, how: &'static str) -> Key {
    Key { path, meaning: Meaning::Field(field, how), read: None }
}

const fn used(path: &'static str, how: &'static str) -> Key {
    Key { path, meaning: Meaning::Read(how), read: None }
}

const fn group(path: &'static str) -> Key {
    Key { path, meaning: Meaning::Group, read: None }
}

const fn same_as(path: &'static str, other: &'static str) -> Key {
    Key { path, meaning: Meaning::SameAs(other), read: None }
}

/// A key that is not imported, with its default.
const fn lost(path: &'static str, default: &'static str, why: &'static str) -> Key {
    Key { path, meaning: Meaning::Lost(why, Reported::Unless(default)), read: None }
}

impl Key {
    const fn read_by(self, read: ReadKey) -> Self {
        Self { read: Some(read), ..self }
    }

    const fn reported_as(self, reported: Reported) -> Self {
        match self.meaning {
            Meaning::Lost(why, _) => Self { meaning: Meaning::Lost(why, reported), ..self },
            Meaning::Field(..) | Meaning::Read(_) | Meaning::Group | Meaning::SameAs(_) => self,
        }
    }

    /// The path of the key that contains it, and its last part.
    fn split(&self) -> (&'static str, &'static str) {
        self.path.rsplit_once('.').unwrap_or(("", self.path))
    }
}

/// The key with this name in the key `path`. An empty path is the top level of the file.
pub(super) fn find(path: &str, name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.split() == (path, name))
}

/// The paths of the keys that contain other keys.
pub(super) fn groups() -> impl Iterator<Item = &'static str> {
    KEYS.iter().filter(|key| key.meaning == Meaning::Group).map(|key| key.path)
}

const JOURNAL: &str = "the journal has the output of the servers";
const WEB_PAGE: &str = "it belongs to the web page of llama-swap";
const STOP: &str = "systemd limits the time to stop";
const ONE_ROLE: &str = "each name of a gateway has one role";
/// The reason why `sendLoadingState` is not imported.
pub(super) const ONLY_ANSWER: &str = "the gateway sends only the answer of the server";
const CLIENTS_DECIDE: &str = "clients decide on the settings of a request";

/// All keys (`config-schema.json` and `internal/config` of llama-swap, August 2026). The keys of a free form below them are not listed.
pub static KEYS: &[Key] = &[
    // The models.
    field("models", "role", "each model is a role with this gateway"),
    field("models.ID", "role", "the name of the role, which clients use"),
    used("models.ID.macros", "their values replace `${NAME}` in the model"),
    field(
        "models.ID.cmd",
        "role",
        "the options of llama-server become fields and `options`; another program becomes `command`",
    ),
    used("models.ID.proxy", "only checked: `cmd` must have its port"),
    field("models.ID.ttl", "residency.idle", "0 means that the model is never unloaded"),
    field("models.ID.aliases", "role.alias", "one for each alias").read_by(model::read_aliases),
    field("models.ID.env", "role.env", "a secret is not imported").read_by(model::read_variables),
    field("models.ID.checkEndpoint", "role.health", "only for another program than llama-server")
        .read_by(model::read_health),
    group("models.ID.filters").read_by(filters::read),
    field(
        "models.ID.filters.setParamsByID",
        "role.shares",
        "each name is a role that shares the model, with its settings in `options`",
    )
    .read_by(filters::personas),
    lost("models.ID.filters.setParams", "", "a role has defaults, and requests may override them")
        .read_by(filters::lose_parameters),
    lost("models.ID.filters.stripParams", "", CLIENTS_DECIDE).read_by(filters::lose_stripped),
    lost("models.ID.filters.strip_params", "", CLIENTS_DECIDE).read_by(filters::lose_stripped),
    lost("models.ID.name", "", "clients see the name of the role"),
    lost(
        "models.ID.description",
        "",
        "it is a text for the web page of llama-swap; a comment in the registry can have it",
    ),
    lost("models.ID.cmdStop", "", "orchgen stops the process with a signal"),
    lost("models.ID.unloadTimeout", "0", STOP),
    lost("models.ID.unlisted", "false", "the gateway lists all roles"),
    lost("models.ID.useModelName", "", "the gateway sends the name of the role"),
    lost(
        "models.ID.concurrencyLimit",
        "0",
        "`slots` of the role limits the requests that run at the same time",
    ),
    lost("models.ID.metadata", "", "the list of models has no metadata"),
    lost("models.ID.timeouts", "", "the gateway has no limits of single connections"),
    lost("models.ID.compat", "", "the gateway has no such setting"),
    lost("models.ID.capabilities", "", "the model file decides on its capabilities"),
    lost("models.ID.sendLoadingState", "false", ONLY_ANSWER).read_by(settings::lose_loading_state),
    lost(
        "models.ID.healthCheckTimeout",
        "",
        "llama-swap uses the value of the whole file, and orchgen computes the limit from the size",
    ),
    // The sets of models.
    field("groups", "gateway.set", "the models that may be in memory together, as sets"),
    group("groups.ID"),
    used("groups.ID.swap", "true: one model of the group is in memory"),
    used("groups.ID.exclusive", "true: its models unload those of other groups"),
    used("groups.ID.persistent", "true: other groups do not unload its models"),
    used("groups.ID.members", "the roles of the group"),
    field("matrix", "gateway.set", "each combination of the matrix is a set"),
    used("matrix.vars", "short names of models"),
    used("matrix.sets", "the combinations"),
    lost("matrix.evict_costs", "", "the gateway unloads the model that was not used for the longest time"),
    group("routing"),
    group("routing.router"),
    used("routing.router.use", "selects `groups` or `matrix`"),
    group("routing.router.settings"),
    same_as("routing.router.settings.groups", "groups"),
    same_as("routing.router.settings.matrix", "matrix"),
    group("routing.scheduler"),
    used("routing.scheduler.use", "llama-swap has only `fifo`"),
    group("routing.scheduler.settings"),
    group("routing.scheduler.settings.fifo"),
    lost("routing.scheduler.settings.fifo.priority", "", "requests run in the order in which they arrive"),
    // Other settings of the file.
    used("macros", "their values replace `${NAME}` in all models"),
    field("globalTTL", "residency.idle", "for models without `ttl`"),
    used("includeAliasesInList", "the gateway lists aliases if a role has one"),
    group("hooks"),
    group("hooks.on_startup"),
    field("hooks.on_startup.preload", "residency.start", "`boot` for these models"),
    lost("healthCheckTimeout", "120", "orchgen computes the limit of the start from the size of the model"),
    lost("logRequests", "false", JOURNAL),
    lost("logLevel", "info", JOURNAL),
    lost("logTimeFormat", "", "the journal has the time of each line"),
    lost("logToStdout", "proxy", JOURNAL),
    lost("metricsMaxInMemory", "1000", WEB_PAGE),
    lost("captureBuffer", "5", WEB_PAGE),
    lost("store", "", WEB_PAGE),
    lost("ui", "", WEB_PAGE),
    lost("performance", "", WEB_PAGE),
    lost("unloadTimeout", "10", STOP),
    lost("sendLoadingState", "false", ONLY_ANSWER),
    lost("startPort", "5800", "orchgen selects the hidden ports: `backend` of the gateway"),
    lost("upstream", "", "the gateway has no such path"),
    lost("apiKeys", "", "a key is a secret; write the keys into a file, and name the file in the registry")
        .reported_as(Reported::Count),
    lost("peers", "", "it is a remote server, and the gateway reaches only roles")
        .reported_as(Reported::Entries("proxy")),
    lost("selectors", "", ONE_ROLE).reported_as(Reported::Entries("targets")),
    lost("profiles", "", ONE_ROLE).reported_as(Reported::Entries("pins")),
];
