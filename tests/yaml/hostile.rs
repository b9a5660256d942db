//! Malicious texts: each is parsed with bounded memory and few findings.

use super::{count, depth, many, read};

/// The maximum number of copied nodes and scalars.
const MAX_COPIES: usize = 100_000;

fn check(name: &str, text: &str, codes: &[&str]) {
    let (document, findings) = read(text);
    let mut found: Vec<_> = findings.findings().iter().map(|finding| finding.code.name).collect();
    found.dedup();
    assert_eq!(found, codes, "{name}");
    assert!(findings.findings().len() <= 101, "{name}: {}", findings.findings().len());
    assert!(depth(&document.nodes) <= 65, "{name}");
    let written = text.len();
    assert!(count(&document.nodes) <= written + MAX_COPIES, "{name}: {}", count(&document.nodes));
}

#[test]
fn deep_nesting_is_one_finding() {
    for open in ["[", "{a: ", "- ", "? ", "a: {b: [", "{? ", "[a: "] {
        let (_, findings) = read(&open.repeat(100_000));
        assert!((1..=2).contains(&findings.findings().len()), "{open} {:?}", findings.findings());
        let (_, findings) = read(&format!("x: {}", open.repeat(100_000)));
        assert!((1..=2).contains(&findings.findings().len()), "{open} {:?}", findings.findings());
    }
    let stairs = many(2000, |n| format!("{}a:\n", " ".repeat(n)));
    check("stairs", &stairs, &["nesting-too-deep"]);
}

#[test]
fn alias_bombs_stay_small() {
    let levels = |first: &str, next: &dyn Fn(usize, usize) -> String| {
        format!("a0: &a0 {first}\n{}", many(30, |m| format!("a{n}: &a{n} {}\n", next(m, m + 1), n = m + 1)))
    };
    let lists = levels("[lol, lol, lol]", &|m, _| format!("[{}]", vec![format!("*a{m}"); 10].join(", ")));
    let maps = levels("{x: 1, y: 2}", &|m, _| format!("{{x: *a{m}, y: *a{m}}}"));
    let merges = levels("{x: 1}", &|m, n| format!("{{k{n}: 1, <<: [*a{m}, *a{m}]}}"));
    check("lists", &lists, &["unexpected-shape"]);
    check("maps", &maps, &["bad-alias"]);
    check("merges", &merges, &[]);
    let (document, findings) = read(&maps);
    assert_eq!(findings.findings().len(), 1);
    assert!(count(&document.nodes) < 30_000, "{}", count(&document.nodes));
}

#[test]
fn too_many_copies_are_one_finding() {
    let items = vec!["x"; 20_000].join(", ");
    let aliases = vec!["*a"; 20_000].join(", ");
    check("list", &format!("a: &a [{items}]\nb: [{aliases}]\n"), &["unexpected-shape"]);
    let keyed = many(20_000, |n| format!("k{n}: *a\n"));
    let text = format!("a: &a [{items}]\n{keyed}");
    check("list by keys", &text, &["bad-alias"]);
    assert_eq!(read(&text).1.findings().len(), 1);
    check("maps", &format!("a: &a {{b: [{items}]}}\nb: [{aliases}]\n"), &["bad-alias"]);
    let long = format!("a: &a \"\\n{}\"\nb: [{aliases}]\n", "x".repeat(100_000));
    let (document, findings) = read(&long);
    assert_eq!(findings.findings().len(), 1);
    let bytes: usize = document.nodes[1].args.len() * 100_000;
    assert!(bytes <= 64 * MAX_COPIES, "{bytes}");
}

#[test]
fn nested_anchors_and_cycles_are_bounded() {
    let opening = many(60, |n| format!("{{k{n}: &a{n} "));
    let items = vec!["x"; 20_000].join(", ");
    check("onion", &format!("{opening}[{items}]{}", "}".repeat(60)), &[]);
    check("self", "a: &a [*a]\n", &["bad-alias"]);
    check("self by merge", "a: &a {<<: *a}\n", &["bad-alias"]);
    check("mutual", "a: &a {b: &b {c: *a, d: *b}}\n", &["bad-alias"]);
    let anchors = many(50_000, |n| format!("k{n}: &a{n} x\n"));
    check("anchors", &anchors, &[]);
    let undefined = many(100, |n| format!("k{n}: *a{n}\n"));
    check("undefined", &undefined, &["bad-alias"]);
}

#[test]
fn long_texts_are_parsed() {
    let keys = many(200_000, |n| format!("k{n}: 1\n"));
    let (document, findings) = read(&keys);
    assert!(findings.is_empty());
    assert_eq!(document.nodes.len(), 200_000);
    check("long line", &format!("a: {}\n", "x ".repeat(500_000)), &[]);
    check("long key", &format!("{}: 1\nb: 1\n", "x".repeat(2000)), &["yaml-syntax"]);
    check("comments", &"# c\n".repeat(200_000), &[]);
    check("blank lines", &"\n".repeat(500_000), &[]);
    check("block", &format!("a: |\n{}", "  x\n".repeat(200_000)), &[]);
    check("trailing blanks", &format!("a: |\n  x\n{}", "\n".repeat(500_000)), &[]);
    check("merges", &format!("a: &a {{x: 1}}\nb: {{<<: [{}]}}\n", vec!["*a"; 5000].join(", ")), &[]);
}

#[test]
fn many_errors_take_linear_time() {
    for section in [
        "a: \"\\\n",
        "a: [x,\n",
        "a: {x: [\n",
        "a: 'x\n",
        "a: @\n",
        "=======\n",
        "a: \t- x\n",
        "k\n",
        "a: *\n",
        "<<<<<<< x\na: 1\n",
    ] {
        let (_, findings) = read(&section.repeat(50_000));
        assert!(findings.findings().len() <= 101, "{section} {}", findings.findings().len());
    }
    for mark in [
        "---\n",
        "...\n",
        "--- a\n",
        "%YAML 1.2\n",
        "!x\n",
        "&a\n",
        "\t\n",
        "?\n",
        ":\n",
        "-\n",
        "}\n",
        "|\n",
    ] {
        let (_, findings) = read(&mark.repeat(50_000));
        assert!(findings.findings().len() <= 101, "{mark} {}", findings.findings().len());
    }
}

#[test]
fn unusual_characters_are_handled() {
    for odd in ["\0", "\u{1}", "\u{7f}", "\u{85}", "\u{2028}", "\u{feff}", "\r", "\u{fffe}", "\t", "\u{202e}"]
    {
        for shape in [
            "{}",
            "a: {}\nb: 1\n",
            "a: \"{}\"\nb: 1\n",
            "a{}: 1\nb: 1\n",
            "{}a: 1\nb: 1\n",
            "a: |\n  {}x\nb: 1\n",
            "# {}\na: 1\n",
        ] {
            let text = shape.replace("{}", odd);
            let (_, findings) = read(&text);
            assert!(findings.findings().len() <= 2, "{text:?} {:?}", findings.findings());
        }
    }
}
