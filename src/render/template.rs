//! The template environment: strict, with automatic quoting. This is the only file that uses minijinja.
//!
//! Values are quoted for the language of the file, which is the extension before `.j2` (`LANGUAGES`). In other
//! positions, a filter selects the quoting (`FILTERS`). `assignment(value)` prints an entry of `Environment=`, and
//! `safe` a text that is already quoted. Other filters, such as `join`, make a text that is still to be quoted.
//!
//! A tag alone on a line produces no output. After other text, `+%}` keeps the line break.

use std::borrow::Cow;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, Value, ValueKind};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, Output, State, UndefinedBehavior, filters};
use serde::Serialize;

use super::artifact::RenderError;
use super::quote;
use crate::plan::Bytes;

/// A function that quotes a text.
type Quote = fn(&str) -> Cow<'_, str>;

/// The extensions of files, each with the quoting of a printed value.
const LANGUAGES: &[(&str, Quote)] = &[
    ("sh", quote::shell),
    ("service", quote::systemd_word),
    ("socket", quote::systemd_word),
    ("slice", quote::systemd_word),
    ("target", quote::systemd_word),
    ("md", quote::markdown_cell),
];

/// The filters that quote a text for another position.
const FILTERS: &[(&str, Quote)] = &[
    ("shell", quote::shell),
    ("program", quote::systemd_program),
    ("value", quote::systemd_value),
    ("path", quote::systemd_path),
    ("text", quote::markdown_text),
    ("code", |text| Cow::Owned(quote::markdown_code(text))),
    ("line", quote::line),
];

/// A template; its name determines its language. Declared with [`template!`](crate::template!).
pub struct Template {
    name: &'static str,
    source: &'static str,
}

/// All compiled templates, shared between threads.
pub struct Templates(Environment<'static>);

/// Embeds a template from `templates/`. A missing file is a compile error.
#[macro_export]
macro_rules! template {
    ($name:literal) => {
        $crate::render::template::Template::new(
            $name,
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/templates/", $name)),
        )
    };
}

impl Template {
    /// A template with this source. The name ends with the extension of the language and `.j2`.
    pub const fn new(name: &'static str, source: &'static str) -> Self {
        Self { name, source }
    }

    /// True if it makes a shell script.
    pub fn is_script(&self) -> bool {
        self.name.ends_with(".sh.j2")
    }
}

impl Templates {
    /// Compiles the templates. Each may include the others by name.
    pub fn new(templates: impl IntoIterator<Item = &'static Template>) -> Self {
        let mut environment = Environment::empty();
        environment.set_syntax(syntax());
        environment.set_debug(false);
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(auto_escape);
        environment.set_formatter(print);
        add_filters(&mut environment);
        for template in templates {
            // Ignore compile errors here; `render` compiles again and reports them.
            environment.add_template(template.name, template.source).ok();
        }
        Self(environment)
    }

    /// Renders a template with the data of `view`.
    pub fn render(&self, template: &Template, view: &impl Serialize) -> Result<String, RenderError> {
        let to_error = |error| RenderError::new(template.name, &describe(&error));
        let compiled = self
            .0
            .get_template(template.name)
            .or_else(|_| self.0.template_from_named_str(template.name, template.source));
        compiled.and_then(|compiled| compiled.render(Serde(view))).map_err(to_error)
    }
}

fn syntax() -> SyntaxConfig {
    SyntaxConfig::builder()
        .trim_blocks(true)
        .lstrip_blocks(true)
        .keep_trailing_newline(true)
        .build()
        .unwrap_or_default()
}

/// The language of a file, determined by its name.
fn auto_escape(name: &str) -> AutoEscape {
    let extension = name.strip_suffix(".j2").and_then(|file| file.rsplit(['.', '/']).next());
    let language = LANGUAGES.iter().find(|(language, _)| Some(*language) == extension);
    language.map_or(AutoEscape::None, |(language, _)| AutoEscape::Custom(Cow::Borrowed(language)))
}

/// Prints a value for the language of the file.
fn print(out: &mut Output, state: &mut State, value: &Value) -> Result<(), Error> {
    let text = plain(value)?;
    if value.is_safe() || value.kind() != ValueKind::String {
        return out.write_str(&text).map_err(Error::from);
    }
    let language = if let AutoEscape::Custom(language) = state.auto_escape() { language } else { "" };
    match LANGUAGES.iter().find(|(known, _)| *known == language) {
        Some((_, quote)) => out.write_str(&quote(&text)).map_err(Error::from),
        None => Err(unprintable("text in a file of unknown language")),
    }
}

/// The unquoted text of a string, a number or a Boolean.
fn plain(value: &Value) -> Result<Cow<'_, str>, Error> {
    if let Some(text) = value.as_str() {
        return Ok(Cow::Borrowed(text));
    }
    if value.kind() == ValueKind::Bool {
        return Ok(Cow::Borrowed(if value.is_true() { "true" } else { "false" }));
    }
    if value.is_number() {
        return Ok(Cow::Owned(value.to_string()));
    }
    Err(unprintable(&format!("a value of type {}", value.kind())))
}

/// Adds the filters. The result of a filter that quotes is not quoted again.
fn add_filters(environment: &mut Environment<'static>) {
    for (name, quote) in FILTERS {
        environment.add_filter(*name, |value: &Value| -> Result<Value, Error> {
            Ok(Value::from_safe_string(quote(&plain(value)?).into_owned()))
        });
    }
    environment.add_filter("assignment", |name: &Value, value: &Value| -> Result<Value, Error> {
        Ok(Value::from_safe_string(quote::systemd_assignment(&plain(name)?, &plain(value)?)))
    });
    environment.add_filter("safe", filters::safe);
    environment.add_filter("upper", |text: &str| text.to_uppercase());
    environment.add_filter("clause", |text: &str| clause(text).to_owned());
    environment.add_filter("size", |bytes: u64| approximate_size(Bytes(bytes)));
    environment.add_filter("join", |list: &Value, separator: &str| -> Result<String, Error> {
        let texts: Vec<String> = list.try_iter()?.map(|text| text.to_string()).collect();
        Ok(texts.join(separator))
    });
}

/// The text without a full stop at its end.
fn clause(text: &str) -> &str {
    let text = text.trim_end();
    text.strip_suffix('.').unwrap_or(text)
}

/// A sum of file sizes, which may be declared values: in whole gigabytes from 10 GB on.
fn approximate_size(bytes: Bytes) -> String {
    if bytes < Bytes(10_000_000_000) { bytes.to_string() } else { bytes.whole_gb() }
}

fn unprintable(what: &str) -> Error {
    Error::new(ErrorKind::InvalidOperation, format!("cannot print {what}"))
}

/// The error with its causes, for example in an included template.
fn describe(error: &Error) -> String {
    let causes = std::iter::successors(std::error::Error::source(error), |error| error.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
