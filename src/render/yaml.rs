//! Writes YAML from serializable types.

use super::RenderError;
use super::quote::yaml;
use serde::Serialize;
use serde_yaml::Value;

/// The YAML text of a value. `subject` is what the file describes.
///
/// A text on one line that parsers of YAML could read as another type is in double quotes: `serde_yaml` follows other rules than
/// the parsers of other programs for `1_000`, `2025-01-01` or `<<`.
pub(super) fn to_yaml(subject: &str, value: &impl Serialize) -> Result<String, RenderError> {
    let fail = |why: serde_yaml::Error| RenderError::new(subject, &why.to_string());
    let mut value = serde_yaml::to_value(value).map_err(fail)?;
    let mut quoted = Quoted { mark: mark(&value), texts: Vec::new() };
    quoted.replace(&mut value);
    let mut text = quoted.restore(&serde_yaml::to_string(&value).map_err(fail)?);
    if !text.ends_with('\n') {
        text.push('\n');
    }
    Ok(text)
}

/// Texts that are replaced by short words while `serde_yaml` writes the file.
struct Quoted {
    /// The beginning and the end of the words. No other text has it.
    mark: String,
    texts: Vec<String>,
}

impl Quoted {
    fn replace(&mut self, value: &mut Value) {
        match value {
            Value::String(text) => {
                if is_changed(text) {
                    let word = format!("{0}{1}{0}", self.mark, self.texts.len());
                    self.texts.push(std::mem::replace(text, word));
                }
            }
            Value::Sequence(list) => list.iter_mut().for_each(|one| self.replace(one)),
            Value::Mapping(entries) => {
                let old = std::mem::take(entries);
                entries.extend(old.into_iter().map(|(mut key, mut value)| {
                    self.replace(&mut key);
                    self.replace(&mut value);
                    (key, value)
                }));
            }
            Value::Tagged(tagged) => self.replace(&mut tagged.value),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn restore(&self, text: &str) -> String {
        let parts = text.split(&self.mark).enumerate();
        let restored = parts.map(|(at, part)| {
            let number = (at % 2 == 1).then(|| part.parse::<usize>().ok()).flatten();
            number.and_then(|number| self.texts.get(number)).map_or(part.into(), |text| yaml(text))
        });
        restored.collect()
    }
}

/// True for a text that is in double quotes.
fn is_changed(text: &str) -> bool {
    !text.contains('\n') && !is_plain(text)
}

/// True for a text that is text without quotes for all parsers of YAML.
fn is_plain(text: &str) -> bool {
    const WORDS: [&str; 9] = ["true", "false", "yes", "no", "on", "off", "y", "n", "null"];
    let is_safe = |c: char| c.is_ascii_alphanumeric() || "_./-".contains(c);
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
        && text.chars().all(is_safe)
        && !WORDS.contains(&&*text.to_ascii_lowercase())
}

/// A word of `q` that is longer than each one in the texts that are not replaced.
fn mark(value: &Value) -> String {
    let longest = |text: &str| text.split(|c| c != 'q').map(str::len).max().unwrap_or(0);
    let mut most = 0;
    let mut open = vec![value];
    while let Some(value) = open.pop() {
        match value {
            Value::String(text) if !is_changed(text) => most = most.max(longest(text)),
            Value::Sequence(list) => open.extend(list),
            Value::Mapping(entries) => open.extend(entries.iter().flat_map(|(key, value)| [key, value])),
            Value::Tagged(tagged) => open.push(&tagged.value),
            Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    "q".repeat(most + 1)
}
