//! The fenced blocks of a page, and what the tests do with each.

/// The use of a block in a test.
pub(super) enum Step {
    /// Writes a file. If the registry in KDL is followed by the same in YAML, `yaml` is the path and the text of that file.
    File { path: String, text: String, yaml: Option<(String, String)> },
    /// Checks the registry of the page with other items of the same names: in KDL, and the same items in YAML.
    Variant { kdl: String, yaml: Option<String> },
    /// Runs commands.
    Commands(Commands),
    /// Compares a text with the output of the commands before it.
    Output(String),
    /// Compares a text with a part of a file.
    Excerpt { path: String, text: String },
}

/// A block of commands.
pub(super) struct Commands {
    pub(super) text: String,
    /// True if they need systemd and a real llama-server: the test runs them in the rig.
    pub(super) in_rig: bool,
    /// True if the last one fails with the exit code 1.
    pub(super) fails: bool,
}

struct Block<'p> {
    line: usize,
    language: &'p str,
    words: Vec<&'p str>,
    text: String,
    /// True if only an empty line is between the block before and this one.
    follows: bool,
}

impl Block<'_> {
    /// The word of the info string that is a path.
    fn path(&self) -> Option<&str> {
        self.words.iter().copied().find(|word| word.contains(['.', '/']))
    }

    fn has(&self, word: &str) -> bool {
        self.words.contains(&word)
    }

    fn yaml_of(&self, before: &Block<'_>) -> bool {
        self.language == "yaml" && before.language == "kdl" && self.follows
    }
}

fn blocks(page: &str) -> Vec<Block<'_>> {
    let mut found: Vec<Block<'_>> = Vec::new();
    let mut lines = (1..).zip(page.lines());
    let mut end = 0;
    while let Some((line, start)) = lines.next() {
        let Some(info) = start.strip_prefix("```") else { continue };
        let mut words = info.split_whitespace();
        let language = words.next().unwrap_or_default();
        let text: String = lines
            .by_ref()
            .map(|(_, line)| line)
            .take_while(|line| *line != "```")
            .flat_map(|line| [line, "\n"])
            .collect();
        let follows = end > 0 && line == end + 2;
        end = line + text.lines().count() + 1;
        found.push(Block { line, language, words: words.collect(), text, follows });
    }
    found
}

/// The step of the test for each block of a page, with the line of the block. No block is left out.
pub(super) fn steps(page: &str) -> Vec<(usize, Step)> {
    let blocks = blocks(page);
    let is_yaml = |n: usize| n > 0 && blocks[n].yaml_of(&blocks[n - 1]);
    let mut steps = Vec::new();
    for (n, block) in blocks.iter().enumerate().filter(|(n, _)| !is_yaml(*n)) {
        let yaml = blocks.get(n + 1).filter(|next| next.yaml_of(block));
        let text = block.text.clone();
        let step = match (block.language, block.path()) {
            ("text", None) => Step::Output(text),
            ("text", Some(path)) => Step::Excerpt { path: path.to_owned(), text },
            ("sh", None) => {
                Step::Commands(Commands { text, in_rig: block.has("rig"), fails: block.has("fails") })
            }
            ("kdl", None) => Step::Variant { kdl: text, yaml: yaml.map(|yaml| yaml.text.clone()) },
            (_, Some(path)) => {
                let yaml = yaml.map(|yaml| (yaml.path().unwrap().to_owned(), yaml.text.clone()));
                Step::File { path: path.to_owned(), text, yaml }
            }
            (language, None) => panic!("line {}: no test runs a block of `{language}`", block.line),
        };
        steps.push((block.line, step));
    }
    steps
}

/// Fails unless the lines of the output are those of the pattern. The line `…` means any lines, and `…` in a line any
/// characters.
#[track_caller]
pub(super) fn assert_output(place: &str, pattern: &str, output: &str) {
    let lines =
        |text: &str| text.trim_end().lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>();
    assert!(
        lines_match(&lines(pattern), &lines(output)),
        "{place}: the output is\n{output}\nand the page has\n{pattern}"
    );
}

/// Fails unless lines that match the pattern are a part of the text.
#[track_caller]
pub(super) fn assert_part(place: &str, pattern: &str, text: &str) {
    assert_output(place, &format!("…\n{pattern}…\n"), text);
}

fn lines_match(pattern: &[String], output: &[String]) -> bool {
    match pattern.split_first() {
        None => output.is_empty(),
        Some((first, rest)) if first.trim() == "…" => {
            (0..=output.len()).any(|skipped| lines_match(rest, &output[skipped..]))
        }
        Some((first, rest)) => output
            .split_first()
            .is_some_and(|(line, others)| line_matches(first, line) && lines_match(rest, others)),
    }
}

fn line_matches(pattern: &str, line: &str) -> bool {
    let mut parts = pattern.split('…');
    let Some(mut rest) = parts.next().and_then(|start| line.strip_prefix(start)) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        match rest.split_once(part) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[test]
fn left_out_lines_and_characters_match_anything() {
    let is_match = |pattern: &str, line: &str| line_matches(pattern, line);
    assert!(
        is_match("a … c", "a b c") && is_match("a", "a") && is_match("…", "anything") && is_match("a…", "a")
    );
    assert!(!is_match("a … c", "a b") && !is_match("a", "ab") && !is_match("b…", "ab"));
    assert_output("here", "a\n…\nd\n", "a\nb\nc\nd\n");
    assert_part("here", "b\nc\n", "a\nb\nc\nd\n");
}

#[test]
fn a_block_that_no_test_runs_is_an_error() {
    assert!(std::panic::catch_unwind(|| steps("# T\n\n```rust\nfn main() {}\n```\n")).is_err());
    assert!(std::panic::catch_unwind(|| steps("# T\n\n```\ntext\n```\n")).is_err());
}
