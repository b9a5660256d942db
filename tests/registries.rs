//! Generates registries of any size, correct or with known mistakes, for tests and for the benchmark.

use std::fmt::Write as _;
use std::path::Path;

/// The language of the files.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Language {
    Yaml,
    Kdl,
}

/// The number of roles per host.
const ROLES_PER_HOST: u32 = 200;
/// The number of roles per model.
const ROLES_PER_MODEL: u32 = 4;
/// The maximum number of roles per file.
const ROLES_PER_FILE: u32 = 1000;

/// The architecture, and true for a mixture of experts. Each family has the name of its architecture.
const FAMILIES: [(&str, bool); 7] = [
    ("llama", false),
    ("qwen2", false),
    ("qwen3", false),
    ("gemma3", false),
    ("qwen3moe", true),
    ("glm4moe", true),
    ("qwen3next", true),
];

/// A mistake in a role.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Mistake {
    /// The port of the next role on the same host. The finding is at the next role.
    PortConflict,
    /// A draft that does not exist.
    UnknownDraft,
    /// An override key of an architecture that does not exist.
    ForeignOverride,
    /// `contxt` instead of `context`.
    MisspeltField,
}

impl Mistake {
    const ALL: [Self; 4] =
        [Self::PortConflict, Self::UnknownDraft, Self::ForeignOverride, Self::MisspeltField];

    /// The first word of the line that has the finding.
    pub(crate) fn field(self) -> &'static str {
        match self {
            Self::PortConflict => "port",
            Self::UnknownDraft => "draft",
            Self::ForeignOverride => "override",
            Self::MisspeltField => "contxt",
        }
    }
}

/// Spreads `mistakes` mistakes evenly over `roles` roles, with each kind in turn. Returns the role of each.
pub(crate) fn mistakes(roles: u32, mistakes: u32) -> Vec<(u32, Mistake)> {
    let step = roles.checked_div(mistakes).unwrap_or_default();
    (0..mistakes).zip(Mistake::ALL.into_iter().cycle()).map(|(n, mistake)| (n * step, mistake)).collect()
}

/// Creates a folder and writes a registry with this number of roles. The same arguments give the same bytes.
pub(crate) fn write(folder: &Path, language: Language, roles: u32, wrong: &[(u32, Mistake)]) {
    let ending = if language == Language::Yaml { "yaml" } else { "kdl" };
    std::fs::create_dir_all(folder).unwrap();
    let write = |name: String, text: String| {
        std::fs::write(folder.join(format!("{name}.{ending}")), text).unwrap();
    };
    write("stack".to_owned(), text(language, &stack(roles)));
    for first in (0..roles).step_by(ROLES_PER_FILE as usize) {
        let numbers = first..roles.min(first + ROLES_PER_FILE);
        let items: Vec<Item> = numbers.map(|n| role(n, models(roles), mistake(wrong, n))).collect();
        write(format!("roles-{:04}", first / ROLES_PER_FILE), text(language, &items));
    }
}

fn mistake(wrong: &[(u32, Mistake)], role: u32) -> Option<Mistake> {
    wrong.iter().find(|(number, _)| *number == role).map(|(_, mistake)| *mistake)
}

fn models(roles: u32) -> u32 {
    (roles / ROLES_PER_MODEL).max(1)
}

/// A value of a field.
enum Value {
    Number(u32),
    Text(String),
    /// A block: the name and the value of its argument, if any, and its fields.
    Block(Option<(&'static str, String)>, Vec<(&'static str, u32)>),
}

/// An item of a registry: kind, name and fields.
struct Item {
    kind: &'static str,
    name: String,
    fields: Vec<(&'static str, Value)>,
}

impl Item {
    fn new(kind: &'static str, name: impl Into<String>) -> Self {
        Self { kind, name: name.into(), fields: Vec::new() }
    }

    fn text(mut self, field: &'static str, value: impl Into<String>) -> Self {
        self.fields.push((field, Value::Text(value.into())));
        self
    }

    fn number(mut self, field: &'static str, value: u32) -> Self {
        self.fields.push((field, Value::Number(value)));
        self
    }

    fn block(
        mut self,
        field: &'static str,
        argument: Option<(&'static str, &str)>,
        fields: &[(&'static str, u32)],
    ) -> Self {
        let argument = argument.map(|(name, value)| (name, value.to_owned()));
        self.fields.push((field, Value::Block(argument, fields.to_vec())));
        self
    }
}

/// All items except the roles.
fn stack(roles: u32) -> Vec<Item> {
    let mut items = vec![
        Item::new("stack", "bench").text("verified", "2026-02-03").text("engine", "llama.cpp"),
        Item::new("engine", "llama.cpp")
            .text("profile", "llama.cpp-b11434")
            .text("bin", "/opt/llama.cpp/bin"),
        Item::new("residency", "hot")
            .text("title", "always resident")
            .text("budget", "900000 GB")
            .text("start", "boot"),
        Item::new("residency", "warm")
            .text("title", "load on demand")
            .text("budget", "900000 GB")
            .text("start", "on-demand")
            .text("idle", "15 min"),
    ];
    items.extend(
        ["A", "B", "C", "D"].map(|tier| Item::new("tier", tier).text("title", format!("Tier {tier}"))),
    );
    let count = models(roles);
    for (family, has_experts) in FAMILIES.iter().take(count as usize) {
        items.push(Item::new("family", *family).text("arch", *family));
        if !has_experts {
            items.push(
                Item::new("model", format!("draft-{family}"))
                    .text("family", *family)
                    .text("title", format!("Draft {family}"))
                    .text("quant", "Q8_0")
                    .text("size", "1 GB")
                    .text("file", format!("/srv/models/draft-{family}.gguf")),
            );
        }
    }
    items.push(Item::new("family", "bert").text("arch", "bert"));
    items.push(
        Item::new("model", "draft-bert")
            .text("family", "bert")
            .text("title", "Draft bert")
            .text("quant", "Q8_0")
            .text("size", "1 GB")
            .text("file", "/srv/models/draft-bert.gguf"),
    );
    let hosts = 0..roles.div_ceil(ROLES_PER_HOST);
    items.extend(
        hosts.map(|n| Item::new("host", format!("host-{n}")).text("memory", "9000 GB").text("cpus", "0-191")),
    );
    items.extend((0..count).map(model));
    items.extend((0..count.min(20)).map(|n| {
        Item::new("ban", "")
            .text("target", format!("model-{n}"))
            .text("draft", "draft-bert")
            .text("failure", "vocabulary differs")
    }));
    // Sort by kind, because YAML has one section per kind.
    items.sort_by_key(|item| item.kind);
    items
}

fn family(model: u32) -> (&'static str, bool) {
    FAMILIES[model as usize % FAMILIES.len()]
}

fn model(n: u32) -> Item {
    let (family, has_experts) = family(n);
    let item = Item::new("model", format!("model-{n}"))
        .text("family", family)
        .text("title", format!("Model {n}"))
        .text("quant", "Q4_K_M")
        .text("size", format!("{} GB", 1 + n % 40))
        .text("file", format!("/srv/models/{family}/model-{n}.gguf"));
    if has_experts { item.block("experts", None, &[("total", 128), ("default", 8)]) } else { item }
}

fn role(n: u32, models: u32, mistake: Option<Mistake>) -> Item {
    let model = n / ROLES_PER_MODEL % models;
    let (family, has_experts) = family(model);
    let port = if mistake == Some(Mistake::PortConflict) { n + 1 } else { n };
    let context = if mistake == Some(Mistake::MisspeltField) { "contxt" } else { "context" };
    let item = Item::new("role", format!("role-{n}"))
        .text("tier", ["A", "B", "C", "D"][n as usize % 4])
        .text("residency", if n.is_multiple_of(3) { "warm" } else { "hot" })
        .text("host", format!("host-{}", n / ROLES_PER_HOST))
        .text("model", format!("model-{model}"))
        .number("port", 8000 + port % ROLES_PER_HOST)
        .number(context, 8192)
        .number("slots", 1 + n % 4)
        .block("placement", None, &[("threads", 1 + n % 96)]);
    let item = match mistake {
        Some(Mistake::UnknownDraft) => {
            item.block("draft", Some(("model", &format!("draft-none-{n}"))), &[("max", 16)])
        }
        Some(Mistake::ForeignOverride) => {
            item.block("override", Some(("key", "gemma9.expert_used_count")), &[("value", 4)])
        }
        _ => item,
    };
    match n % 3 {
        1 if has_experts => item.number("experts", 4),
        1 if mistake != Some(Mistake::UnknownDraft) => {
            item.block("draft", Some(("model", &format!("draft-{family}"))), &[("max", 16)])
        }
        _ => item,
    }
}

fn text(language: Language, items: &[Item]) -> String {
    match language {
        Language::Kdl => items.iter().map(kdl).collect(),
        Language::Yaml => yaml(items),
    }
}

fn kdl(item: &Item) -> String {
    if item.name.is_empty() {
        let fields = item.fields.iter().map(|(field, value)| format!(" {field}={}", scalar(value)));
        return format!("{}{}\n", item.kind, fields.collect::<String>());
    }
    let mut text = format!("{} \"{}\" {{\n", item.kind, item.name);
    for (field, value) in &item.fields {
        match value {
            Value::Block(argument, fields) => {
                let argument = argument.as_ref().map_or(String::new(), |(_, value)| format!(" \"{value}\""));
                let fields: Vec<String> =
                    fields.iter().map(|(name, value)| format!(" {name}={value}")).collect();
                writeln!(text, "    {field}{argument}{}", fields.concat()).unwrap();
            }
            Value::Number(_) | Value::Text(_) => writeln!(text, "    {field} {}", scalar(value)).unwrap(),
        }
    }
    text + "}\n"
}

/// Writes one section for consecutive items of the same kind.
fn yaml(items: &[Item]) -> String {
    let mut text = String::new();
    let mut section = "";
    for item in items {
        if item.kind == "stack" {
            write!(text, "stack:\n  name: {}\n", item.name).unwrap();
        } else if section != item.kind {
            writeln!(text, "{}:", plural(item.kind)).unwrap();
        }
        section = item.kind;
        let indent = match (item.kind, item.name.is_empty()) {
            ("stack", _) => "  ",
            (_, true) => {
                text += "  -\n";
                "    "
            }
            (_, false) => {
                writeln!(text, "  {}:", item.name).unwrap();
                "    "
            }
        };
        for (field, value) in &item.fields {
            writeln!(text, "{indent}{field}: {}", scalar(value)).unwrap();
        }
    }
    text
}

fn plural(kind: &str) -> String {
    match kind {
        "family" => "families".to_owned(),
        "residency" => "residencies".to_owned(),
        kind => format!("{kind}s"),
    }
}

/// The value on one line of YAML. Numbers and texts are the same in KDL.
fn scalar(value: &Value) -> String {
    match value {
        Value::Number(number) => number.to_string(),
        Value::Text(text) => format!("\"{text}\""),
        Value::Block(argument, fields) => {
            let argument = argument.iter().map(|(name, value)| format!("{name}: \"{value}\""));
            let fields = fields.iter().map(|(name, value)| format!("{name}: {value}"));
            format!("{{{}}}", argument.chain(fields).collect::<Vec<_>>().join(", "))
        }
    }
}
