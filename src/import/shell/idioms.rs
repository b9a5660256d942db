//! Frequent forms whose result is known: the folder of the script, the path of a program, and removed starts and ends.

/// True if a command prints the folder of the script.
pub(super) fn is_folder_of_script(command: &str) -> bool {
    let text: String = command.chars().filter(|c| !c.is_whitespace() && !"\"'{}".contains(*c)).collect();
    let text = text.replace("BASH_SOURCE[0]", "0").replace("$BASH_SOURCE", "$0").replace("--", "");
    let text =
        text.replace("readlink-f", "realpath").replace("$(realpath$0)", "$0").replace("`realpath$0`", "$0");
    let text = text
        .replace(">/dev/null2>&1", "")
        .replace("&>/dev/null", "")
        .replace(">/dev/null", "")
        .replace("pwd-P", "pwd");
    ["dirname$0", "cd$(dirname$0)&&pwd", "cd$(dirname$0);pwd", "realpath$(dirname$0)"]
        .contains(&text.as_str())
}

/// The program whose path a command prints: `which X` and `command -v X`.
pub(super) fn searched_program(command: &str) -> Option<String> {
    let words: Vec<&str> = command.split_ascii_whitespace().collect();
    let name = match words.as_slice() {
        ["which", name] | ["command", "-v", name] | ["type", "-P", name] => *name,
        _ => return None,
    };
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
    name.chars().all(is_plain).then(|| name.to_owned())
}

/// The part that `${X#…}` and `${X%…}` remove.
#[derive(Clone, Copy)]
pub(super) struct Trim {
    /// True for the end.
    pub(super) is_suffix: bool,
    /// True for the longest part.
    pub(super) is_longest: bool,
}

/// A text without the start or end that a pattern matches. `None` if the pattern has a form that is not read.
pub(super) fn trim(text: &str, pattern: &str, trim: Trim) -> Option<String> {
    let Trim { is_suffix, is_longest } = trim;
    let is_literal = |pattern: &str| !pattern.contains(['*', '?', '[', '\\']);
    let cut = if is_suffix {
        match pattern.strip_suffix('*') {
            None if is_literal(pattern) => text.strip_suffix(pattern),
            Some(mark) if is_literal(mark) && !mark.is_empty() => {
                let at = if is_longest { text.find(mark) } else { text.rfind(mark) };
                at.and_then(|at| text.get(..at))
            }
            _ => return None,
        }
    } else {
        match pattern.strip_prefix('*') {
            None if is_literal(pattern) => text.strip_prefix(pattern),
            Some(mark) if is_literal(mark) && !mark.is_empty() => {
                let at = if is_longest { text.rfind(mark) } else { text.find(mark) };
                at.and_then(|at| text.get(at + mark.len()..))
            }
            _ => return None,
        }
    };
    Some(cut.unwrap_or(text).to_owned())
}
