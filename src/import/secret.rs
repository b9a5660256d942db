//! Secrets in sources: no registry, report or excerpt has their values.

/// The parts of names whose values are secrets.
const PARTS: &[&str] = &[
    "token",
    "key",
    "keys",
    "apikey",
    "apikeys",
    "secret",
    "password",
    "passwd",
    "pass",
    "pat",
    "credential",
    "credentials",
    "bearer",
    "authorization",
    "pwd",
];

/// True if the value of an option or a variable with this name is a secret. The name of a file with secrets is none.
pub fn is_secret_name(name: &str) -> bool {
    let name = name.trim_start_matches('-');
    let mut parts: Vec<String> = Vec::new();
    let mut was_lower = false;
    for part in name.split(|c: char| !c.is_ascii_alphanumeric()) {
        let mut word = String::new();
        for c in part.chars() {
            if c.is_ascii_uppercase() && was_lower {
                parts.push(std::mem::take(&mut word));
            }
            was_lower = c.is_ascii_lowercase();
            word.push(c.to_ascii_lowercase());
        }
        was_lower = false;
        parts.push(word);
    }
    let is_path =
        parts.last().is_some_and(|last| matches!(last.as_str(), "file" | "path" | "dir" | "id" | "name"));
    let is_secret = |part: &String| PARTS.contains(&part.as_str());
    parts.iter().any(is_secret) && (!is_path || parts.iter().any(|part| part == "secret"))
}

/// A text in which the values of secrets are asterisks. It has the same length in bytes.
pub fn redacted(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut in_list = false;
    for line in text.split_inclusive('\n') {
        let is_item = line.trim_start().starts_with('-') && !line.trim_start().starts_with("--");
        in_list = if in_list && is_item { true } else { is_list_of_secrets(line) };
        let is_masked = in_list && is_item;
        redact_line(&mut out, line, if is_masked { Mask::Line } else { Mask::Values });
    }
    out
}

/// True for a line such as `apiKeys:`, whose items are secrets.
fn is_list_of_secrets(line: &str) -> bool {
    line.trim().strip_suffix(':').is_some_and(|name| is_secret_name(name.trim_start_matches("- ")))
}

/// The words of a line that are secrets.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mask {
    /// All of them.
    Line,
    /// Those after the names of secrets.
    Values,
}

fn redact_line(out: &mut String, line: &str, mask: Mask) {
    let is_masked = mask == Mask::Line;
    let is_word = |c: char| {
        !c.is_whitespace() && !matches!(c, '"' | '\'' | '=' | ',' | '[' | ']' | '{' | '}' | '(' | ')')
    };
    let mut rest = line;
    let mut is_secret = is_masked;
    while let Some(first) = rest.chars().next() {
        let end = rest.find(|c: char| is_word(c) != is_word(first)).unwrap_or(rest.len());
        let (part, after) = rest.split_at(end);
        rest = after;
        if !is_word(first) {
            out.push_str(part);
            continue;
        }
        let bare = part.trim_end_matches(':');
        let is_list_marker = part == "-";
        if is_secret && !is_list_marker && !part.starts_with("--") {
            out.extend(std::iter::repeat_n('*', part.len()));
            is_secret = is_masked || is_scheme(part);
            continue;
        }
        match with_password(part) {
            Some((before, password, after)) => {
                out.push_str(before);
                out.extend(std::iter::repeat_n('*', password.len()));
                out.push_str(after);
            }
            None => out.push_str(part),
        }
        is_secret = is_masked || is_secret_name(bare);
    }
}

/// True for a word between the name and the value of a secret: `Authorization: Bearer KEY`.
fn is_scheme(part: &str) -> bool {
    part.eq_ignore_ascii_case("bearer") || part.eq_ignore_ascii_case("basic")
}

/// A URL with a password: the parts before and after the password.
fn with_password(word: &str) -> Option<(&str, &str, &str)> {
    let start = word.find("://")? + 3;
    let end = start + word.get(start..)?.find('@')?;
    let colon = start + word.get(start..end)?.find(':')? + 1;
    Some((word.get(..colon)?, word.get(colon..end)?, word.get(end..)?))
}

/// True if a value is a secret with any name: a URL with a password.
pub fn has_password(value: &str) -> bool {
    with_password(value).is_some()
}
