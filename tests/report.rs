//! Tests of the report: a registry with findings, and what is said of them in each format.

mod drawing;
mod fingerprint;
mod hostile;
mod json;
mod programs;
pub(crate) mod sarif;
pub(crate) mod schema;
mod words;

use orchgen::diag::report::{Style, human::human};
use orchgen::diag::{Code, Diagnostic, Diagnostics, Severity};
use orchgen::source::{FileId, SourceMap, Span};

static PORT: Code =
    Code { number: 302, name: "port-conflict", severity: Severity::Error, page: " # two on a port\n" };
static MEMORY: Code =
    Code { number: 310, name: "memory-over-budget", severity: Severity::Error, page: " # too much\n" };
static UNUSED: Code =
    Code { number: 320, name: "unused-model", severity: Severity::Warning, page: " # unused\n" };
static THREADS: Code =
    Code { number: 330, name: "threads-above-cores", severity: Severity::Note, page: " # threads\n" };
static DRIFT: Code =
    Code { number: 401, name: "edited-by-hand", severity: Severity::Error, page: " # drift\n" };

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

const PLAIN: Style =
    Style { unicode: true, width: 80, colour: false, verbose: false, most: usize::MAX, narrated: false };
const ASCII: Style = Style { unicode: false, ..PLAIN };

/// A run: its files, and what was found in them.
#[derive(Default, Debug)]
struct Run {
    map: SourceMap,
    findings: Diagnostics,
}

impl Run {
    fn file(&mut self, name: &str, text: &str) -> FileId {
        self.map.add(name, text)
    }

    /// The `nth` place, from 0, where `what` stands in the file.
    fn span(&self, file: FileId, what: &str, nth: usize) -> Span {
        let text = self.map.get(file).unwrap().text();
        let (at, _) = text.match_indices(what).nth(nth).unwrap();
        Span::new(file, at, at + what.len())
    }

    fn report(&mut self, finding: Diagnostic) {
        self.findings.report(finding);
    }

    fn shown(&self, style: Style) -> String {
        human(&self.findings, &self.map, style)
    }
}

/// One file with one mark at `what`.
fn one(text: &str, what: &str, label: &str) -> Run {
    let mut run = Run::default();
    let file = run.file("registry/a.yaml", text);
    let span = run.span(file, what, 0);
    run.report(PORT.at(span, label, "a headline"));
    run
}

/// The column of the first mark under a line, and that of the first of its words in it, as a terminal counts them.
fn aligned(shown: &str, what: &str) -> (usize, usize) {
    let lines: Vec<&str> = shown.lines().collect();
    let at = lines.iter().position(|line| line.contains('│') && line.contains(what)).unwrap();
    let column = |line: &str, end: usize| line[..end].chars().map(wide).sum::<usize>();
    let marks = lines[at + 1];
    let mark = marks.char_indices().find(|(_, c)| matches!(c, '─' | '┬' | '▲')).unwrap().0;
    (column(lines[at], lines[at].find(what).unwrap()), column(marks, mark))
}

fn wide(c: char) -> usize {
    match u32::from(c) {
        0x300..=0x36f | 0x200d | 0xfe0f => 0,
        0x1100..=0x115f | 0x2e80..=0xa4cf | 0xac00..=0xd7a3 | 0xff00..=0xff60 | 0x1f300..=0x1faff => 2,
        _ => 1,
    }
}

fn widest(shown: &str) -> usize {
    shown.lines().map(|line| line.chars().map(wide).sum()).max().unwrap_or(0)
}
