//! Reports: the same findings in each output format.

mod echo;
mod fingerprint;
mod formats;
mod hostile;
mod human;
mod json;
pub(crate) mod sarif;
pub(crate) mod schema;
mod words;

use orchgen::diag::report::{Style, human::human};
use orchgen::diag::{Code, Diagnostic, Diagnostics, Severity};
use orchgen::source::{FileId, SourceMap, Span};

static PORT: Code = Code {
    number: 302,
    name: "port-conflict",
    severity: Severity::Error,
    page: " # two on a port\n",
    absence: None,
};
static MEMORY: Code = Code {
    number: 310,
    name: "memory-over-budget",
    severity: Severity::Error,
    page: " # too much\n",
    absence: None,
};
static UNUSED: Code = Code {
    number: 320,
    name: "unused-model",
    severity: Severity::Warning,
    page: " # unused\n",
    absence: None,
};
static THREADS: Code = Code {
    number: 330,
    name: "threads-above-cores",
    severity: Severity::Note,
    page: " # threads\n",
    absence: None,
};
static DRIFT: Code = Code {
    number: 401,
    name: "edited-by-hand",
    severity: Severity::Error,
    page: " # drift\n",
    absence: None,
};

const ROLES: &str = "\
roles:
  frontdoor:
    tier: A
    port: 8080
    model: qwen3-coder-30b

  coder_escalation:
    tier: B
    port: 8080
    context: 131072
";
const MODELS: &str = "model \"qwen3-next-80b\" family=\"qwen3-next\" size=\"45 GB\"\nmodel \"bge\" family=\"bert\" {\n    size \"335 MB\"\n    file \"bge.gguf\"\n}\n";
const HOSTS: &str = "hosts:\n  epyc-9655:\n    memory: 60 GB\n    reserve: 10%\n";

const PLAIN: Style = Style {
    unicode: true,
    width: 80,
    color: false,
    verbose: false,
    max_findings: usize::MAX,
    screen_reader: false,
    links: None,
};
const ASCII: Style = Style { unicode: false, ..PLAIN };

/// The files of a run and its findings.
#[derive(Default, Debug)]
struct Run {
    map: SourceMap,
    findings: Diagnostics,
}

impl Run {
    fn file(&mut self, name: &str, text: &str) -> FileId {
        self.map.add(name, text)
    }

    /// The span of the `nth` occurrence of `word` in the file, counted from 0.
    fn span(&self, file: FileId, word: &str, nth: usize) -> Span {
        let text = self.map.get(file).unwrap().text();
        let (at, _) = text.match_indices(word).nth(nth).unwrap();
        Span::new(file, at, at + word.len())
    }

    fn report(&mut self, finding: Diagnostic) {
        self.findings.report(finding);
    }

    fn render(&self, style: Style) -> String {
        human(&self.findings, &self.map, style)
    }
}

/// A run with one file and one finding at `word`.
fn one_finding(text: &str, word: &str, label: &str) -> Run {
    let mut run = Run::default();
    let file = run.file("registry/a.yaml", text);
    let span = run.span(file, word, 0);
    run.report(PORT.at(span, label, "a headline"));
    run
}

/// The terminal columns of `word` and of the first mark on the next line.
fn columns(output: &str, word: &str) -> (usize, usize) {
    let lines: Vec<&str> = output.lines().collect();
    let at = lines.iter().position(|line| line.contains('│') && line.contains(word)).unwrap();
    let column = |line: &str, end: usize| line[..end].chars().map(char_width).sum::<usize>();
    let marks = lines[at + 1];
    let mark = marks.char_indices().find(|(_, c)| matches!(c, '─' | '┬' | '▲')).unwrap().0;
    (column(lines[at], lines[at].find(word).unwrap()), column(marks, mark))
}

/// The number of terminal columns of a character.
fn char_width(c: char) -> usize {
    match u32::from(c) {
        0x300..=0x36f | 0x200d | 0xfe0f => 0,
        0x1100..=0x115f | 0x2e80..=0xa4cf | 0xac00..=0xd7a3 | 0xff00..=0xff60 | 0x1f300..=0x1faff => 2,
        _ => 1,
    }
}

fn max_width(output: &str) -> usize {
    output.lines().map(|line| line.chars().map(char_width).sum()).max().unwrap_or(0)
}
