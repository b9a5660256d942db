//! The pages of the codes: the bad example gives exactly that code, the good one nothing, and both are shown as they are.

use crate::support::compile;
use orchgen::catalogue::{codes, find};
use orchgen::diag::page::{Example, Part};
use orchgen::diag::report::{Style, page::page};

const BASE: &str = include_str!("pages/base.kdl");

#[test]
fn the_base_has_no_fault() {
    let compiled = compile(&[("base.kdl", BASE)]);
    assert!(compiled.findings.is_empty(), "{}", compiled.report());
}

#[test]
fn every_page_says_what_and_why_and_its_examples_do_what_it_says() {
    let mut wrong = Vec::new();
    for code in codes().into_iter().filter(|code| code.number < 400) {
        let page = code.text();
        for heading in ["## What it finds", "## Why", "## Instead"] {
            assert!(page.contains(heading), "{code} {} has no {heading}", code.name);
        }
        let (bad, good) = (code.examples("Example"), code.examples("Instead"));
        let fences = page.lines().filter(|line| line.starts_with("```")).count();
        assert_eq!(fences, 2 * (bad.len() + good.len()), "{code} has examples below other headings");
        let examples = [("Example", &bad), ("Instead", &good)];
        let examples = examples.iter().flat_map(|(heading, all)| {
            // A lock belongs to the registry before it.
            all.chunk_by(|_, next| next.language == "lock").map(move |files| (*heading, files))
        });
        for (heading, files) in examples {
            let name = |Example { language, .. }: &Example| match language.as_str() {
                "lock" => "registry.lock".to_owned(),
                language => format!("example.{language}"),
            };
            let named: Vec<_> = files.iter().map(|file| (name(file), file.text.as_str())).collect();
            let mut all = vec![("base.kdl", BASE)];
            all.extend(named.iter().map(|(name, text)| (name.as_str(), *text)));
            let compiled = compile(&all);
            let expected: &[&str] = if heading == "Example" { &[code.name] } else { &[] };
            if compiled.codes() != expected {
                wrong.push(format!(
                    "{code} {}, {heading}: {:?} {}",
                    code.name,
                    compiled.codes(),
                    compiled.report()
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn numbers_and_names_are_each_used_once() {
    let all = codes();
    for (n, code) in all.iter().enumerate() {
        assert!(
            all[n + 1..].iter().all(|other| other.number != code.number && other.name != code.name),
            "{}",
            code.name
        );
    }
    assert!(all.windows(2).all(|pair| pair[0].number < pair[1].number));
}

/// Whatever the width: no line of prose is longer, no word of the page is lost, and examples are kept to the letter.
#[test]
fn a_page_on_a_terminal_says_all_that_is_written() {
    for width in [40, 72, 300] {
        for code in codes() {
            let drawn = page(code, Style { width, ..Style::default() });
            let head = format!("{}[{code}] {}\n", code.severity.word(), code.name);
            assert!(drawn.starts_with(&head), "{drawn}");
            let said: Vec<&str> = drawn.split_whitespace().collect();
            for section in code.sections() {
                assert!(drawn.lines().any(|line| line == section.title), "{drawn}");
                for part in section.parts {
                    match part {
                        Part::Example(example) => {
                            let lines = example.text.lines().map(|line| format!("    {line}"));
                            let block =
                                lines.map(|line| line.trim_end().to_owned() + "\n").collect::<String>();
                            assert!(drawn.contains(&block), "{drawn}");
                        }
                        Part::Prose(lines) => {
                            let text = lines.join(" ");
                            let words: Vec<&str> = text.split_whitespace().collect();
                            assert!(said.windows(words.len()).any(|part| part == words), "{text}: {drawn}");
                        }
                    }
                }
            }
            let prose = drawn.lines().filter(|line| line.starts_with("  ") && !line.starts_with("    "));
            let limit = width.min(100);
            // What stands between backticks is never torn apart.
            for line in prose.filter(|line| !line.contains('`')) {
                assert!(line.chars().count() <= limit, "{width}: {line}");
            }
        }
    }
}

#[test]
fn colour_is_all_that_colour_adds_to_a_page() {
    for code in codes() {
        let coloured = page(code, Style { colour: true, ..Style::default() });
        let mut plain = String::new();
        for (n, part) in coloured.split('\u{1b}').enumerate() {
            plain.push_str(if n == 0 { part } else { part.split_once('m').unwrap().1 });
        }
        assert_eq!(plain, page(code, Style::default()));
        assert_ne!(plain, coloured);
    }
}

#[test]
fn codes_are_found_by_number_and_name_in_any_case() {
    for word in ["ORC302", "orc302", "Orc302", "302", "port-conflict", "Port-Conflict", "PORT-CONFLICT"] {
        assert_eq!(find(word).map(|code| code.number), Some(302), "{word}");
    }
    for word in ["", "ORC", "+302", "ORC+302", "302 ", "ORC99999999", "port_conflict", "-"] {
        assert!(find(word).is_none(), "{word}");
    }
}

/// Its page has no example: a stack can be declared once, and the base has one.
#[test]
fn a_stack_does_not_take_the_place_of_the_system() {
    for name in ["system", "multi-user", "User", "systemd", "systemd-own", "dbus"] {
        let text = BASE.replace("stack \"page\"", &format!("stack \"{name}\""));
        assert_eq!(compile(&[("base.kdl", &text)]).codes(), ["reserved-unit"], "{name}");
        let scripts =
            text.replace("engine=\"llama.cpp\"\nengine", "engine=\"llama.cpp\" { targets \"bin\" }\nengine");
        assert!(compile(&[("base.kdl", &scripts)]).findings.is_empty(), "{name} makes no units");
    }
    for name in ["systems", "my-system", "users", "home"] {
        let text = BASE.replace("stack \"page\"", &format!("stack \"{name}\""));
        assert!(compile(&[("base.kdl", &text)]).findings.is_empty(), "{name}");
    }
}
