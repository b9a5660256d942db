//! Files of variables: that of `EnvironmentFile=` (systemd.exec(5)), and that of `podman run --env-file`.

/// A variable of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Variable {
    /// The name.
    pub(crate) name: String,
    /// The value.
    pub(crate) value: String,
    /// The line of the name.
    pub(crate) line: u32,
}

/// The variables of a file, and lines that need a report: the line, its text and the reason.
#[derive(Debug, Default)]
pub(crate) struct EnvFile {
    /// The variables in their order.
    pub(crate) variables: Vec<Variable>,
    /// Lines that need a report.
    pub(crate) faults: Vec<(u32, String, &'static str)>,
}

/// The maximum number of variables of a file. Larger files are read to this point.
const MAX_VARIABLES: usize = 4096;

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    BeforeKey,
    Key,
    BeforeValue,
    Value,
    Quoted(char),
    Comment,
}

/// Reads a file of `EnvironmentFile=`: quotes count only at the beginning of a value, and may have several lines.
pub(crate) fn systemd(text: &str) -> EnvFile {
    let mut file = EnvFile::default();
    let mut parser = Parser::default();
    let mut state = State::BeforeKey;
    let mut chars = text.chars().peekable();
    let mut line = 1;
    while let Some(c) = chars.next() {
        let escaped = if c == '\\' && state.has_escapes() { chars.next() } else { None };
        if file.variables.len() + file.faults.len() >= MAX_VARIABLES {
            file.faults.push((
                line,
                "further variables".into(),
                "orchgen reads at most 4096 variables of a file",
            ));
            return file;
        }
        state = match escaped {
            Some(next) => parser.escape(state, next, line, &mut file),
            None => parser.step(state, c, line, &mut file),
        };
        line += u32::from(c == '\n') + u32::from(escaped == Some('\n'));
    }
    match state {
        State::BeforeValue | State::Value => parser.finish(state, &mut file),
        State::Quoted(_) => {
            let what = std::mem::take(&mut parser.key);
            file.faults.push((parser.line, what, "systemd ignores it: a quote is not closed"));
        }
        State::BeforeKey | State::Key | State::Comment => {}
    }
    file
}

impl State {
    fn has_escapes(self) -> bool {
        !matches!(self, Self::BeforeKey | Self::Key | Self::Quoted('\''))
    }
}

#[derive(Default)]
struct Parser {
    key: String,
    value: String,
    /// The length of the value up to its last part that is no blank.
    length: usize,
    line: u32,
}

impl Parser {
    fn escape(&mut self, state: State, next: char, line: u32, file: &mut EnvFile) -> State {
        match state {
            State::Comment if next == '\n' => {
                let why = "a comment ends with a backslash: systemd before 254 ignores the next line";
                file.faults.push((line, "comment".to_owned(), why));
                State::BeforeKey
            }
            State::Comment => state,
            State::Quoted(_) => {
                if !"\"\\`$\n".contains(next) {
                    self.value.push('\\');
                }
                self.keep(next);
                state
            }
            State::BeforeKey | State::Key | State::BeforeValue | State::Value => {
                self.keep(next);
                State::Value
            }
        }
    }

    fn keep(&mut self, c: char) {
        if c != '\n' {
            self.value.push(c);
        }
        self.length = self.value.len();
    }

    fn step(&mut self, state: State, c: char, line: u32, file: &mut EnvFile) -> State {
        match (state, c) {
            (State::Comment, '\n') => State::BeforeKey,
            (State::BeforeKey, '#' | ';') => State::Comment,
            (State::BeforeKey, c) if c.is_ascii_whitespace() => state,
            (State::BeforeKey, c) => {
                (self.key, self.line) = (c.to_string(), line);
                State::Key
            }
            (State::Key, '\n' | '\r') => {
                file.faults.push((line, std::mem::take(&mut self.key), "systemd ignores lines without `=`"));
                State::BeforeKey
            }
            (State::Key, '=') => State::BeforeValue,
            (State::Key, c) => {
                self.key.push(c);
                state
            }
            (State::BeforeValue | State::Value, '\n' | '\r') => {
                self.finish(state, file);
                State::BeforeKey
            }
            (State::BeforeValue, '"' | '\'') => State::Quoted(c),
            (State::BeforeValue, ' ' | '\t') | (State::Comment, _) => state,
            (State::BeforeValue, c) => {
                self.keep(c);
                State::Value
            }
            (State::Value, ' ' | '\t') => {
                self.value.push(c);
                state
            }
            (State::Value, c) => {
                self.keep(c);
                state
            }
            (State::Quoted(quote), c) if c == quote => State::BeforeValue,
            (State::Quoted(_), c) => {
                self.value.push(c);
                self.length = self.value.len();
                state
            }
        }
    }

    fn finish(&mut self, state: State, file: &mut EnvFile) {
        let mut value = std::mem::take(&mut self.value);
        if state == State::Value {
            value.truncate(self.length);
        }
        self.length = 0;
        let name = std::mem::take(&mut self.key).trim_end().to_owned();
        file.variables.push(Variable { name, value, line: self.line });
    }
}

/// Reads a file of `--env-file`: the rest of a line is the value, with its quotes.
pub(crate) fn podman(text: &str) -> EnvFile {
    let mut file = EnvFile::default();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim_start_matches([' ', '\t']);
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match line.split_once('=') {
            Some((name, value)) => {
                file.variables.push(Variable { name: name.into(), value: value.into(), line: number });
            }
            None => {
                let why = "podman takes the value from its own environment";
                file.faults.push((number, line.to_owned(), why));
            }
        }
        if file.variables.len() + file.faults.len() >= MAX_VARIABLES {
            file.faults.push((
                number,
                "further variables".into(),
                "orchgen reads at most 4096 variables of a file",
            ));
            break;
        }
    }
    file
}
