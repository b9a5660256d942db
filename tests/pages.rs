//! The pages of the codes: the bad example gives exactly that code, the good one nothing.

use crate::support::compile;
use orchgen::catalogue::codes;

const BASE: &str = include_str!("pages/base.kdl");

/// The fenced blocks of a page, by heading, as (language, text).
fn blocks(page: &str) -> Vec<(String, String, String)> {
    let (mut heading, mut found) = (String::new(), Vec::new());
    let mut open: Option<(String, Vec<&str>)> = None;
    for line in page.lines() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(language)) => open = Some((language.to_owned(), Vec::new())),
            (Some(_), Some(_)) => {
                let (language, lines) = open.take().unwrap();
                found.push((heading.clone(), language, lines.join("\n") + "\n"));
            }
            (Some((_, lines)), None) => lines.push(line),
            (None, None) => {
                if let Some(title) = line.strip_prefix("## ") {
                    title.clone_into(&mut heading);
                }
            }
        }
    }
    found
}

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
        for (heading, language, text) in blocks(&page) {
            let file = format!("example.{language}");
            let compiled = compile(&[("base.kdl", BASE), (&file, &text)]);
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
