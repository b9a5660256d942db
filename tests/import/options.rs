//! Options of command lines in one form: one name for all spellings, one text for all ways to write a value.

use orchgen::engine::{Family, OptionRecord, Profile, Switch};
use std::collections::BTreeMap;

/// The profile whose names are used.
const PROFILE: &str = "llama.cpp-b11669";

/// The options whose values add up when they are given several times (`common/arg.cpp` of llama.cpp b11669).
const ADDED: &[&str] = &[
    "--alias",
    "--api-key",
    "--control-vector",
    "--control-vector-scaled",
    "--dry-sequence-breaker",
    "--logit-bias",
    "--lora",
    "--lora-scaled",
    "--override-kv",
    "--override-tensor",
    "--reverse-prompt",
    "--spec-draft-override-tensor",
];

/// The options of a command line.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Options {
    /// The value of each option: `on` or `off` for a switch.
    pub(super) values: BTreeMap<String, String>,
    /// The words that belong to no option.
    pub(super) rest: Vec<String>,
}

/// Finds an option by a spelling: in one profile, then in the others of its family, the latest first.
fn find(family: Family, spelling: &str) -> Option<(&'static OptionRecord, Switch)> {
    if !spelling.starts_with('-') {
        return None;
    }
    let mut all: Vec<&'static Profile> = Profile::built_in_of(family).collect();
    all.reverse();
    all.sort_by_key(|profile| profile.name() != PROFILE);
    let usable = |profile: &&'static Profile| {
        let (record, _, switch) = profile.find(profile.server(), spelling)?;
        record.removed.is_none().then_some((record, switch))
    };
    let (record, switch) = all.iter().find_map(usable)?;
    // Another spelling of the same option can be known to the first profile.
    let first = all.first()?;
    let same = record.spellings().find_map(|(name, on)| {
        let (known, _, now) = first.find(first.server(), name)?;
        (known.removed.is_none() && known.arity() == record.arity()).then_some((known, on == now))
    });
    Some(match same {
        Some((known, true)) => (known, switch),
        Some((known, false)) => (known, if switch == Switch::On { Switch::Off } else { Switch::On }),
        None => (record, switch),
    })
}

/// The main name of an option, as a user or a report writes it.
pub(super) fn title(text: &str) -> String {
    let word = text.split([' ', '=']).next().unwrap_or_default();
    let spellings = [word.to_owned(), format!("--{word}"), format!("-{word}")];
    let found = spellings.iter().find_map(|spelling| find(Family::LlamaCpp, spelling));
    found.map_or_else(|| word.to_owned(), |(record, _)| record.title().to_owned())
}

impl Options {
    /// Reads the words after the program.
    pub(super) fn read(words: &[String]) -> Self {
        Self::read_with(Family::LlamaCpp, words)
    }

    pub(super) fn read_with(family: Family, words: &[String]) -> Self {
        let mut found = Self::default();
        let mut rest = words.iter().peekable();
        while let Some(word) = rest.next() {
            let Some((record, switch)) = find(family, word) else {
                found.add_unknown(word, rest.next_if(|next| word.starts_with('-') && !next.starts_with('-')));
                continue;
            };
            let mut value = if switch == Switch::On { "on" } else { "off" }.to_owned();
            if record.arity() > 0 {
                let is_next = |next: &&String| record.choices.is_empty() || !next.starts_with('-');
                let taken: Vec<String> =
                    (0..record.arity()).filter_map(|_| rest.next_if(is_next).cloned()).collect();
                value = if taken.is_empty() { "on".to_owned() } else { taken.join(" ") };
            }
            found.add(record, normal(&value, record));
        }
        found
    }

    fn add(&mut self, record: &OptionRecord, value: String) {
        let title = record.title().to_owned();
        let adds_up = record.names.iter().any(|name| ADDED.contains(&name.as_str()));
        match self.values.get_mut(&title).filter(|_| adds_up) {
            Some(known) => *known = format!("{known},{value}"),
            None => {
                self.values.insert(title, value);
            }
        }
    }

    fn add_unknown(&mut self, word: &str, value: Option<&String>) {
        if word.starts_with('-') {
            self.values.insert(word.to_owned(), value.cloned().unwrap_or_else(|| "on".to_owned()));
        } else {
            self.rest.push(word.to_owned());
        }
    }
}

/// One text for values with the same meaning.
fn normal(value: &str, record: &OptionRecord) -> String {
    let has = |word: &str| record.choices.iter().any(|choice| choice == word);
    if has("on") && has("off") {
        match value {
            "1" | "true" | "enabled" => return "on".to_owned(),
            "0" | "false" | "disabled" => return "off".to_owned(),
            _ => {}
        }
    }
    plain(value)
}

/// One text for numbers and JSON with the same meaning.
pub(super) fn plain(value: &str) -> String {
    let is_number = value.bytes().all(|byte| byte.is_ascii_digit() || b"+-.".contains(&byte));
    if let Some(number) = value.parse::<f64>().ok().filter(|_| is_number) {
        return number.to_string();
    }
    let json = value.starts_with(['{', '[']).then(|| serde_json::from_str::<serde_json::Value>(value));
    json.and_then(Result::ok).map_or_else(|| value.to_owned(), |value| value.to_string())
}

#[test]
fn spellings_and_values_have_one_form() {
    let read = |line: &str| Options::read(&line.split(' ').map(str::to_owned).collect::<Vec<_>>());
    assert_eq!(
        read("-ngl 99 -fa 1 --temp 0.70 --no-kv-offload"),
        read("-nkvo --gpu-layers 99 -fa on --temp .7")
    );
    assert_eq!(read("-ot a=CPU -ot b=CPU"), read("--override-tensor a=CPU,b=CPU"));
    assert_eq!(
        read("--chat-template-kwargs {\"a\":1,\"b\":2}"),
        read("--chat-template-kwargs {\"b\":2,\"a\":1}")
    );
    assert_ne!(read("--jinja"), read("--no-jinja"));
    assert_eq!(read("-c 1 -c 2"), read("--ctx-size 2"));
    assert_eq!(read("-fa --jinja"), read("--flash-attn on --jinja"));
    assert_eq!(read("x --strange 3").rest, ["x"]);
    assert_eq!(read("--strange 3").values["--strange"], "3");
    assert_eq!(title("no-mmap"), title("--mmap"));
    assert_eq!(title("-b 3"), "--batch-size");
}
