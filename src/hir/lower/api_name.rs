//! Reads names for other systems: the API, Hugging Face, accounts, Kubernetes. Reads hashes.

use super::quantity::ReadResult;
use super::scalar::{FieldRef, ValueForm};
use super::typed_value::TypedValue;
use crate::diag::{Change, Line, words};
use crate::hir::codes::OUT_OF_RANGE;
use crate::syntax::Scalar;

/// Reads a name that the engine keeps as it is. It splits the value of `--alias` at commas and removes the blanks around
/// each name (llama.cpp b11434, `common/arg.cpp`).
pub(super) fn read(scalar: &Scalar, text: &str, field: &FieldRef) -> ReadResult {
    let names: Vec<&str> = text.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
    if names == [text] {
        return Ok(TypedValue::Text(text.into()));
    }
    let (fault, label) = if text.contains(',') {
        ("has a comma, at which the engine splits it", "expected one name without a comma")
    } else {
        ("has blanks around the name, which the engine removes", "expected a name without blanks around it")
    };
    let message = format!("{} is {}, which {fault}", field.describe(), words::quoted(text));
    let finding = OUT_OF_RANGE.at(scalar.span, label, message);
    Err(Box::new(match (names.as_slice(), field.row.filter(|_| field.form == ValueForm::Keyed)) {
        ([], _) => field.write_example(finding, scalar.span, "a name"),
        ([name], _) => field.write(finding, scalar.span, *name),
        (names, Some(row)) => {
            let line = names.iter().fold(Line::new(row.name), |line, name| line.value(*name));
            finding.remedy("write `{}`", Change::rewrite(scalar.span, line))
        }
        (names, None) => {
            let names: Vec<String> = names.iter().map(|name| words::quoted(name)).collect();
            finding.help(format!("write {} as separate values", words::all_of(&names)))
        }
    }))
}

/// Reads the name of a repository: `org/name`.
pub(super) fn repository(scalar: &Scalar, text: &str, field: &FieldRef) -> ReadResult {
    let is_name = |name: &str| {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.chars().all(is_plain)
    };
    let is_valid = |text: &str| text.split_once('/').is_some_and(|(org, name)| is_name(org) && is_name(name));
    if is_valid(text) {
        return Ok(TypedValue::Text(text.into()));
    }
    let message = format!("{} is {}, which is not `org/name`", field.describe(), words::quoted(text));
    let finding = OUT_OF_RANGE.at(scalar.span, "expected the name of a repository", message);
    let start = ["https://huggingface.co/", "huggingface.co/", "https://hf.co/", "hf.co/"];
    let bare = start.into_iter().find_map(|start| text.strip_prefix(start)).unwrap_or(text);
    let bare = bare.split_once(':').map_or(bare, |(bare, _)| bare).trim_end_matches('/');
    Err(Box::new(if is_valid(bare) {
        field.write(finding, scalar.span, bare)
    } else {
        field.write_example(finding, scalar.span, "the name of a repository")
    }))
}

/// Reads a SHA-256.
pub(super) fn sha256(scalar: &Scalar, text: &str, field: &FieldRef) -> ReadResult {
    let digits = text.strip_prefix("sha256:").unwrap_or(text).to_ascii_lowercase();
    let is_hash = digits.len() == 64 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    if is_hash && digits == text {
        return Ok(TypedValue::Text(text.into()));
    }
    let message = format!("{} is {}, which is not a SHA-256", field.describe(), words::quoted(text));
    let finding = OUT_OF_RANGE.at(scalar.span, "expected 64 digits from 0 to f", message);
    Err(Box::new(if is_hash {
        field.write(finding, scalar.span, digits)
    } else {
        finding.help("write the hash that `sha256sum` prints for the file, or that the hub shows")
    }))
}

/// Reads an account name that systemd accepts for `User=` (`valid_user_group_name`, strict, of systemd 252).
pub(super) fn account(scalar: &Scalar, text: &str, field: &FieldRef) -> ReadResult {
    let starts_well = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if starts_well
        && text.len() <= 31
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
    {
        return Ok(TypedValue::Text(text.into()));
    }
    let message =
        format!("{} is {}, which is not a valid account name", field.describe(), words::quoted(text));
    let label = "expected up to 31 letters, digits, `_` and `-`, beginning with a letter or `_`";
    let help = "write the name of an account, such as `llm`";
    Err(Box::new(OUT_OF_RANGE.at(scalar.span, label, message).help(help)))
}

/// Reads the name of an object in a cluster: a DNS subdomain (`IsDNS1123Subdomain` of Kubernetes 1.35,
/// `staging/src/k8s.io/apimachinery/pkg/util/validation/validation.go`).
pub(super) fn object(scalar: &Scalar, text: &str, field: &FieldRef) -> ReadResult {
    if is_subdomain(text) {
        return Ok(TypedValue::Text(text.into()));
    }
    let message = format!(
        "{} is {}, which is not a DNS name of at most {MAX_SUBDOMAIN} characters",
        field.describe(),
        words::quoted(text)
    );
    let label =
        "expected lower-case letters, digits, `-` and `.`, starting and ending with a letter or a digit";
    let finding = OUT_OF_RANGE.at(scalar.span, label, message);
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '.' { c.to_ascii_lowercase() } else { '-' };
    let plain: String = text.chars().map(plain).collect();
    let labels = plain.split('.').map(|label| label.trim_matches('-')).filter(|label| !label.is_empty());
    let plain = labels.collect::<Vec<_>>().join(".");
    Err(Box::new(if is_subdomain(&plain) {
        field.write(finding, scalar.span, plain)
    } else {
        field.write_example(finding, scalar.span, "the name of an object")
    }))
}

/// The maximum number of characters of a DNS subdomain.
const MAX_SUBDOMAIN: usize = 253;

fn is_subdomain(text: &str) -> bool {
    let is_end = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let is_label = |label: &str| {
        label.starts_with(is_end) && label.ends_with(is_end) && label.chars().all(|c| is_end(c) || c == '-')
    };
    text.len() <= MAX_SUBDOMAIN && text.split('.').all(is_label)
}
