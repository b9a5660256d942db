//! The pages of the codes: each bad example gives exactly its code, each good one no finding, and pages print both unchanged.

use crate::support::compile;
use orchgen::catalogue::{codes, find};
use orchgen::cli::guide::code_page as page;
use orchgen::diag::page::{Example, Part};
use orchgen::diag::report::Style;

const BASE: &str = include_str!("pages/base.kdl");

#[test]
fn the_base_has_no_finding() {
    let compiled = compile(&[("base.kdl", BASE)]);
    assert!(compiled.findings.is_empty(), "{}", compiled.report());
}

#[test]
fn every_page_is_complete_and_its_examples_give_its_code() {
    let mut wrong = Vec::new();
    for code in codes().into_iter().filter(|code| code.number / 100 != 4) {
        let page = code.text();
        for heading in ["## What it finds", "## Why", "## Instead"] {
            assert!(page.contains(heading), "{code} {} has no {heading}", code.name);
        }
        let (bad, good) = (code.examples("Example"), code.examples("Instead"));
        let fences = page.lines().filter(|line| line.starts_with("```")).count();
        assert_eq!(fences, 2 * (bad.len() + good.len()), "{code} has examples below other headings");
        let examples = [("Example", &bad), ("Instead", &good)];
        let examples = examples.iter().flat_map(|(heading, all)| {
            // A lock belongs to the example before it.
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
fn numbers_and_names_of_codes_are_unique() {
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

/// At any width, no line of prose is longer, no word of the page is missing, and examples are unchanged.
#[test]
fn a_page_on_a_terminal_has_all_its_text() {
    for width in [40, 72, 300] {
        for code in codes() {
            let printed = page(code, Style { width, ..Style::default() });
            let head = format!("{}[{code}] {}\n", code.severity.word(), code.name);
            assert!(printed.starts_with(&head), "{printed}");
            let printed_words: Vec<&str> = printed.split_whitespace().collect();
            for section in code.sections() {
                assert!(printed.lines().any(|line| line == section.title), "{printed}");
                for part in section.parts {
                    match part {
                        Part::Example(example) => {
                            let lines = example.text.lines().map(|line| format!("    {line}"));
                            let block =
                                lines.map(|line| line.trim_end().to_owned() + "\n").collect::<String>();
                            assert!(printed.contains(&block), "{printed}");
                        }
                        Part::Prose(lines) => {
                            let text = lines.join(" ");
                            let words: Vec<&str> = text.split_whitespace().collect();
                            assert!(
                                printed_words.windows(words.len()).any(|part| part == words),
                                "{text}: {printed}"
                            );
                        }
                    }
                }
            }
            let prose = printed.lines().filter(|line| line.starts_with("  ") && !line.starts_with("    "));
            let limit = width.min(100);
            // Text in backquotes is never split.
            for line in prose.filter(|line| !line.contains('`')) {
                assert!(line.chars().count() <= limit, "{width}: {line}");
            }
        }
    }
}

#[test]
fn a_colored_page_without_its_colors_is_the_plain_page() {
    for code in codes() {
        let colored = page(code, Style { color: true, ..Style::default() });
        let mut plain = String::new();
        for (n, part) in colored.split('\u{1b}').enumerate() {
            plain.push_str(if n == 0 { part } else { part.split_once('m').unwrap().1 });
        }
        assert_eq!(plain, page(code, Style::default()));
        assert_ne!(plain, colored);
    }
}

#[test]
fn a_code_is_found_by_number_or_name_in_any_case() {
    for word in ["ORC302", "orc302", "Orc302", "302", "port-conflict", "Port-Conflict", "PORT-CONFLICT"] {
        assert_eq!(find(word).map(|code| code.number), Some(302), "{word}");
    }
    for word in ["", "ORC", "+302", "ORC+302", "302 ", "ORC99999999", "port_conflict", "-"] {
        assert!(find(word).is_none(), "{word}");
    }
}

/// The page of `reserved-unit` has no example: there is only one stack, and the base declares it.
#[test]
fn a_stack_is_not_named_like_a_unit_of_systemd() {
    for name in ["system", "multi-user", "User", "systemd", "systemd-own", "dbus"] {
        let text = BASE.replace("stack \"page\"", &format!("stack \"{name}\""));
        assert_eq!(compile(&[("base.kdl", &text)]).codes(), ["reserved-unit"], "{name}");
        let scripts =
            text.replace("engine=\"llama.cpp\"\nengine", "engine=\"llama.cpp\" { targets \"bin\" }\nengine");
        assert!(compile(&[("base.kdl", &scripts)]).findings.is_empty(), "{name} generates no units");
    }
    for name in ["systems", "my-system", "users", "home"] {
        let text = BASE.replace("stack \"page\"", &format!("stack \"{name}\""));
        assert!(compile(&[("base.kdl", &text)]).findings.is_empty(), "{name}");
    }
}
