//! Large and deeply nested texts: the time is linear, and the stack is enough.

use super::good;
use crate::fuzz::layout::check_layout;

/// A text of 100 kB. Quadratic time would be minutes.
fn many(part: &str) -> String {
    part.repeat(100_000 / part.len())
}

#[test]
fn large_files_are_formatted_in_linear_time() {
    let kdl = many("role \"x\"   {\n  a 1;b 2 // c\n\n\n}\n");
    assert!(good("a.kdl", &kdl).len() > 50_000);
    let list = format!("a:\n{}", many("   -   {b: 1 ,c: [ 2 ]}  # x\n     # y\n"));
    assert!(good("a.yaml", &list).len() > 50_000);
}

#[test]
fn one_long_line_or_comment_is_formatted_in_linear_time() {
    good("a.kdl", &format!("a{}", many(" /* x */ 1")));
    good("a.kdl", &many("a;"));
    good("a.kdl", &many("a // x\n"));
    good("a.kdl", &format!("a \"\"\"\n{}\n\"\"\" // x", many("x\n")));
    good("a.yaml", &format!("a: [{}]", many("1, ")));
    good("a.yaml", &format!("a:\n{}b: 1", many("# x\n")));
    good("a.yaml", &format!("a: |\n{}b: 1", many("  x\n")));
    good("a.yaml", &format!("a: |+\n{}b: 1", many("\n")));
    good("a.yaml", &format!("a: [\n{}]", many("1, # x\n")));
}

#[test]
fn deep_nesting_is_reported_or_formatted() {
    assert_eq!(check_layout("a.kdl", &"a {".repeat(100_000)), None);
    assert_eq!(check_layout("a.yaml", &"[".repeat(100_000)), None);
    assert_eq!(check_layout("a.yaml", &"- ".repeat(100_000)), None);
    assert_eq!(check_layout("a.yaml", &format!("{}{}", "{a: ".repeat(200), "}".repeat(200))), None);
    good("a.kdl", &format!("{}{}", "a {\n".repeat(60), "}\n".repeat(60)));
    good("a.yaml", &format!("a: {}{}", "[\n".repeat(60), "]\n".repeat(60)));
}
