//! The template environment: strict, with automatic quoting. This is the only file that uses minijinja.
//!
//! Values are quoted for the language of the file, which is the extension before `.j2` (`LANGUAGES`). In other
//! positions, a filter selects the quoting (`FILTERS`). `assignment(value)` prints an entry of `Environment=`, and
//! `safe` a text that is already quoted. Other filters, such as `join`, make a text that is still to be quoted.
//!
//! A tag alone on a line produces no output. After other text, `+%}` keeps the line break.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Enumerator, Object, ObjectRepr, Serde, Value, ValueKind};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, Output, State, UndefinedBehavior};
use serde::{Serialize, Serializer};

use super::artifact::RenderError;
use super::quote;
use super::stencil::{
    BAD_MARK, FieldForm, Quote, Stencil, collect_fields, field_form, has_mark, mark, with_blanks,
};
use crate::plan::Bytes;

/// The extensions of files, each with the quoting of a printed value.
const LANGUAGES: &[(&str, Quote)] = &[
    ("sh", quote::shell),
    ("service", quote::systemd_word),
    ("socket", quote::systemd_word),
    ("slice", quote::systemd_word),
    ("target", quote::systemd_word),
    ("md", quote::markdown_cell),
    ("html", quote::html),
    ("yaml", quote::yaml),
];

/// The filters that quote a text for another position.
const FILTERS: &[(&str, Quote)] = &[
    ("shell", quote::shell),
    ("program", quote::systemd_program),
    ("value", quote::systemd_value),
    ("path", quote::systemd_path),
    ("text", quote::markdown_text),
    ("code", |text| Cow::Owned(quote::markdown_code(text))),
    ("code_cell", |text| Cow::Owned(quote::markdown_code_cell(text))),
    ("line", quote::line),
    ("prose", |text| Cow::Owned(quote::html_prose(text))),
];

/// A template; its name determines its language. Declared with [`template!`](crate::template!).
pub struct Template {
    name: &'static str,
    source: &'static str,
    /// True if it makes many similar files, so that a stencil is worth its memory.
    is_repeated: bool,
}

/// A text that a template only prints, or leaves out if it is empty. In a repeated template it is a blank of a stencil.
pub struct Field<'p>(pub Cow<'p, str>);

/// A field that is printed as it is, because it is already quoted. Copies share it.
#[derive(Clone)]
pub struct Quoted(Arc<str>);

/// A long list. An item becomes a value when the template reads it, so that not all are in memory as values.
#[derive(Debug)]
pub struct Items<T>(pub Arc<[T]>);

/// A blank of a stencil, as a value.
#[derive(Debug)]
struct Blank {
    number: usize,
    is_quoted: bool,
}

/// All compiled templates, shared between threads.
pub struct Templates {
    environment: Environment<'static>,
    /// The stencils of repeated templates, by the name of the template and the shape of its data.
    stencils: Mutex<BTreeMap<(&'static str, String), Arc<Stencil>>>,
}

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

impl From<String> for Quoted {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl<'p> From<&'p str> for Field<'p> {
    fn from(text: &'p str) -> Self {
        Self(Cow::Borrowed(text))
    }
}

impl From<String> for Field<'_> {
    fn from(text: String) -> Self {
        Self(Cow::Owned(text))
    }
}

impl Serialize for Field<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match field_form(&self.0) {
            FieldForm::Text => serializer.serialize_str(&self.0),
            FieldForm::Collected => serializer.serialize_bool(true),
            FieldForm::Blank(number) => {
                Value::from_object(Blank { number, is_quoted: false }).serialize(serializer)
            }
        }
    }
}

impl Serialize for Quoted {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match field_form(&self.0) {
            FieldForm::Text => Value::from_safe_string(self.0.to_string()).serialize(serializer),
            FieldForm::Collected => serializer.serialize_bool(true),
            FieldForm::Blank(number) => {
                Value::from_object(Blank { number, is_quoted: true }).serialize(serializer)
            }
        }
    }
}

impl<T: Serialize + fmt::Debug + Send + Sync + 'static> Serialize for Items<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Value::from_object(Items(Arc::clone(&self.0))).serialize(serializer)
    }
}

impl<T: Serialize + fmt::Debug + Send + Sync + 'static> Object for Items<T> {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, index: &Value) -> Option<Value> {
        self.0.get(index.as_usize()?).map(|item| Value::from(Serde(item)))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Seq(self.0.len())
    }
}

impl Object for Blank {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(BAD_MARK)
    }
}

impl Template {
    /// A template with this source. The name ends with the extension of the language and `.j2`.
    pub const fn new(name: &'static str, source: &'static str) -> Self {
        Self { name, source, is_repeated: false }
    }

    /// The template of many similar files.
    #[must_use]
    pub const fn repeated(mut self) -> Self {
        self.is_repeated = true;
        self
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
        Self { environment, stencils: Mutex::default() }
    }

    /// Renders a template with the data of `view`.
    pub fn render(&self, template: &Template, view: &impl Serialize) -> Result<String, RenderError> {
        if !template.is_repeated {
            return self.run(template, view);
        }
        let (shape, fields) = collect_fields(|| serde_json::to_string(view));
        let Some(shape) = shape.ok().filter(|shape| !has_mark(shape)) else {
            return self.run(template, view);
        };
        let key = (template.name, shape);
        if let Some(stencil) = self.stencils.lock().ok().and_then(|stencils| stencils.get(&key).cloned()) {
            let text = stencil.fill(&fields);
            debug_assert_eq!(Ok(&text), self.run(template, view).as_ref(), "{}", template.name);
            return Ok(text);
        }
        let blank = with_blanks(|| self.run(template, view)).ok();
        let Some(stencil) = blank.and_then(|text| Stencil::new(&text, &quotes())) else {
            return self.run(template, view);
        };
        let text = stencil.fill(&fields);
        debug_assert_eq!(Ok(&text), self.run(template, view).as_ref(), "{}", template.name);
        if let Ok(mut stencils) = self.stencils.lock() {
            stencils.insert(key, Arc::new(stencil));
        }
        Ok(text)
    }

    fn run(&self, template: &Template, view: &impl Serialize) -> Result<String, RenderError> {
        let to_error = |error| RenderError::new(template.name, &describe(&error));
        let compiled = self
            .environment
            .get_template(template.name)
            .or_else(|_| self.environment.template_from_named_str(template.name, template.source));
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
    let language = if let AutoEscape::Custom(language) = state.auto_escape() { language } else { "" };
    let at = LANGUAGES.iter().position(|(known, _)| *known == language);
    if let Some(Blank { number, is_quoted }) = value.downcast_object_ref() {
        let quote = if *is_quoted { 0 } else { at.map_or(usize::MAX, |at| at + 1) };
        return out.write_str(&mark(*number, quote)).map_err(Error::from);
    }
    let text = plain(value)?;
    if value.is_safe() || value.kind() != ValueKind::String {
        return out.write_str(&text).map_err(Error::from);
    }
    match at.and_then(|at| LANGUAGES.get(at)) {
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
    for (at, (name, quote)) in FILTERS.iter().enumerate() {
        environment.add_filter(*name, move |value: &Value| -> Result<Value, Error> {
            Ok(Value::from_safe_string(match value.downcast_object_ref() {
                Some(Blank { number, .. }) => mark(*number, 1 + LANGUAGES.len() + at),
                None => quote(&plain(value)?).into_owned(),
            }))
        });
    }
    environment.add_filter("assignment", |name: &Value, value: &Value| -> Result<Value, Error> {
        Ok(Value::from_safe_string(quote::systemd_assignment(&plain(name)?, &plain(value)?)))
    });
    environment.add_filter("safe", |value: &Value| -> Result<Value, Error> {
        Ok(Value::from_safe_string(match value.downcast_object_ref() {
            Some(Blank { number, .. }) => mark(*number, 0),
            None => plain(value)?.into_owned(),
        }))
    });
    environment.add_test("none", |value: &Value| value.is_none());
    environment.add_filter("upper", |text: &str| text.to_uppercase());
    environment.add_filter("clause", |text: &str| clause(text).to_owned());
    environment.add_filter("bytes", |bytes: u64| Bytes(bytes).to_string());
    environment.add_filter("size", |bytes: u64| approximate_size(Bytes(bytes)));
    environment.add_filter("join", |list: &Value, separator: &str| -> Result<String, Error> {
        let texts: Vec<String> = list.try_iter()?.map(|text| text.to_string()).collect();
        Ok(texts.join(separator))
    });
}

/// The quotings of the blanks of stencils: none, those of the languages and those of the filters.
fn quotes() -> Vec<Quote> {
    let as_is: Quote = |text| Cow::Borrowed(text);
    let others = LANGUAGES.iter().chain(FILTERS).map(|(_, quote)| *quote);
    std::iter::once(as_is).chain(others).collect()
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
