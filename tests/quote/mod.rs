//! Quoting for bash, systemd units and Markdown, verified with the programs that parse it.

mod html;
mod markdown;
mod shell;
mod systemd;
mod target;
mod template;

use proptest::prelude::*;

/// Words with special characters or keywords of at least one of the languages.
pub(crate) const NASTY: &[&str] = &[
    "",
    " ",
    "  a  b  ",
    "it's",
    "say \"x\"",
    "$(id)",
    "${HOME}",
    "$HOME",
    "$$",
    "$",
    "5$",
    "%n",
    "%%",
    "%",
    "%i x",
    ";",
    "a;b",
    "a && b",
    "a | b",
    "a|b",
    "#x",
    "x # y",
    "\n",
    "a\nb",
    "\na",
    "a\n",
    "\r",
    "a\r\nb",
    "\t",
    "a\tb",
    "\\",
    "a\\",
    "\\\\",
    "\\x41",
    "\\n",
    "a\\\\b",
    "`id`",
    "`",
    "!",
    "!x",
    "x!y",
    "*",
    "a*b",
    "?",
    "[0]=x",
    "[a]",
    "]",
    "~",
    "~/x",
    "~root",
    "a~b",
    "a:~/b",
    "-n",
    "--",
    "-",
    "--x=y z",
    "=",
    "=x",
    "x=",
    "foo=bar",
    "foo+=bar",
    "1=2",
    "k.e_c=int:4",
    "a,b",
    "{a,b}",
    "{",
    "}",
    "(",
    ")",
    "(a)",
    "<x",
    ">x",
    "a>b",
    "&",
    "^",
    "a^b",
    "@x",
    ":x",
    "+x",
    "|x",
    "done",
    "do",
    "then",
    "fi",
    "if",
    "in",
    "time",
    "esac",
    "[",
    "[[",
    "function",
    "select",
    "🦀",
    "é",
    "日本",
    "\u{202e}abc",
    "\u{2028}",
    "\u{a0}",
    "\u{85}",
    "\u{200b}",
    "\u{feff}",
    "\u{7f}",
    "\u{1}",
    "a\u{1}b",
    "\u{1b}[0m",
    "\u{1f}",
    "\u{201c}q\u{201d}",
    "\u{2018}q\u{2019}",
    "\u{2018}\u{201c}",
    "\u{2033}",
    "\u{2036}",
    "\u{2018}$x",
    "\u{201c}$x",
    "{\"a\": \"$b\"}",
    "{\"a\": 1}",
    "'",
    "''",
    "\"",
    "\"\"",
    "'\"",
    "a'b\"c$d`e\\f",
    "$'x'",
    "\\'",
    "don't $x",
    "shellcheck disable=SC2086",
    "EOF",
    "\\\n",
    "x\\\ny",
    "a  b",
    "$x$y",
    "echo",
    "test",
    "0",
    "007",
    "null",
    "true",
    "/mnt/a b/c'd.gguf",
    "C:\\x\\y",
    "$$(id)",
    "%%n",
    "$${x}",
    "#",
    "%d/key",
];

/// Lists of random words: of any characters, of special characters mixed with others, and from [`NASTY`].
pub(crate) fn words() -> impl Strategy<Value = Vec<String>> {
    // A registry cannot contain NUL or Unicode noncharacters: systemd rejects a line with one.
    let is_allowed =
        |c: &char| *c != '\0' && !matches!(c, '\u{fdd0}'..='\u{fdef}') && u32::from(*c) & 0xfffe != 0xfffe;
    let any = prop::collection::vec(any::<char>().prop_filter("allowed in a registry", is_allowed), 0..12)
        .prop_map(String::from_iter);
    let syntax = prop::collection::vec(
        prop::sample::select(
            " '\"$`\\%;|&(){}[]<>~!#*?=,:@+-_./\n\t\r\u{1}\u{7f}\u{201c}\u{2019}nxX041u"
                .chars()
                .collect::<Vec<_>>(),
        ),
        0..10,
    )
    .prop_map(String::from_iter);
    let nasty = prop::sample::select(NASTY).prop_map(str::to_owned);
    let word = prop_oneof![2 => any, 5 => syntax, 1 => nasty];
    prop::collection::vec(word, 1..120)
}

/// A configuration with this number of cases, because external programs are slow, and without files of old failures.
pub(crate) fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}
