//! The template environment: strict, with automatic quoting. This is the only file that uses minijinja.
//!
//! Values are quoted for the language of the file, which is the extension before `.j2`:
//! - `sh`: a word of bash,
//! - `service`, `socket` and other units: a word of a command line,
//! - `md`: a table cell.
//!
//! In other positions, a filter selects the quoting:
//! - in units: `program`, `value`, `path`, `assignment(value)`,
//! - in documents: `text`, `code`,
//! - anywhere: `shell`, `words` (a list), `line`, `lines` (arguments on several lines of a script), `continued` (the
//!   same in a unit), `safe` (not quoted).
//!
//! A tag alone on a line produces no output. After other text, `+%}` keeps the line break.

pub(super) mod skeleton;

use std::borrow::Cow;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, Value, ValueKind};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, Output, State, UndefinedBehavior, filters};
use serde::Serialize;

use super::artifact::RenderError;
use skeleton::{Quoting, assignment};

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

    /// The path below `templates/`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The source text.
    pub fn source(&self) -> &'static str {
        self.source
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
        let all: Vec<&'static Template> = templates.into_iter().collect();
        for template in &all {
            // Ignore compile errors here; `render` compiles again and reports them.
            environment.add_template_owned(template.name, inline_includes(template.source, &all)).ok();
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

/// Replaces each `include` line with the source of the included template. This avoids a lookup per rendering, because
/// templates are rendered thousands of times.
fn inline_includes(source: &str, all: &[&'static Template]) -> String {
    let mut text = String::with_capacity(source.len());
    for line in source.split_inclusive('\n') {
        let name = line.trim().strip_prefix("{% include \"").and_then(|rest| rest.strip_suffix("\" %}"));
        match name.and_then(|name| all.iter().find(|template| template.name == name)) {
            Some(part) => text.push_str(&inline_includes(part.source, all)),
            None => text.push_str(line),
        }
    }
    text
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
    let file = name.rsplit('/').next().unwrap_or(name);
    let language = match file.strip_suffix(".j2").and_then(|file| file.rsplit('.').next()) {
        Some("sh") => "shell",
        Some("service" | "socket" | "slice" | "target") => "systemd",
        Some("md") => "markdown",
        _ => return AutoEscape::None,
    };
    AutoEscape::Custom(Cow::Borrowed(language))
}

/// Prints a value for the language of the file.
fn print(out: &mut Output, state: &mut State, value: &Value) -> Result<(), Error> {
    let text = plain(value)?;
    if value.is_safe() || value.kind() != ValueKind::String {
        return out.write_str(&text).map_err(Error::from);
    }
    let language = if let AutoEscape::Custom(language) = state.auto_escape() { language } else { "" };
    let quoting = match language {
        "shell" => Quoting::Shell,
        "systemd" => Quoting::SystemdWord,
        "markdown" => Quoting::Cell,
        _ => return Err(unprintable("text in a file of unknown language")),
    };
    out.write_str(&quoting.of(&text)).map_err(Error::from)
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

fn add_filters(environment: &mut Environment<'static>) {
    add(environment, "shell", Quoting::Shell);
    add(environment, "program", Quoting::Program);
    add(environment, "value", Quoting::Value);
    add(environment, "path", Quoting::Path);
    add(environment, "text", Quoting::Prose);
    add(environment, "code", Quoting::Code);
    add(environment, "line", Quoting::Line);
    add(environment, "lines", Quoting::Lines);
    add(environment, "continued", Quoting::Continued);
    environment.add_filter("words", |list: &Value| -> Result<Value, Error> {
        let mut words = String::new();
        for (n, word) in list.try_iter()?.enumerate() {
            words.push_str(if n == 0 { "" } else { " " });
            Quoting::Shell.push(&mut words, &plain(&word)?);
        }
        Ok(Value::from_safe_string(words))
    });
    environment.add_filter("assignment", |name: &Value, value: &Value| -> Result<Value, Error> {
        Ok(Value::from_safe_string(assignment(&plain(name)?, &plain(value)?)))
    });
    environment.add_filter("safe", filters::safe);
}

/// Adds a filter whose result is not quoted again.
fn add(environment: &mut Environment<'static>, name: &'static str, quoting: Quoting) {
    environment.add_filter(name, move |value: &Value| -> Result<Value, Error> {
        Ok(Value::from_safe_string(quoting.of(&plain(value)?)))
    });
}

fn unprintable(what: &str) -> Error {
    Error::new(ErrorKind::InvalidOperation, format!("cannot print {what}"))
}

/// The error with its causes, for example in an included template.
fn describe(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
