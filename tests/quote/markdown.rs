//! Quoting of text in Markdown documents. The escapes are those that a GitHub Markdown parser was found to need.

use orchgen::render::quote::{markdown_cell, markdown_code, markdown_code_cell, markdown_text};

#[test]
fn ordinary_prose_is_not_escaped() {
    for text in [
        "Qwen3-Coder-30B-A3B",
        "llama_cpp",
        "coder_escalation",
        "F16 (x)",
        "BOS token mismatch (`BOS=','`)",
        "Qwen3-Next-*",
        "Qwen3-* (non-coder)",
        "~15 t/s",
        "MoE 4 experts (NO SPEC!)",
        "—",
        "5.4x (w/ lookup)",
        "AT&T & co.",
        "a < b > c",
        "6 (quality), 4 (fast)",
        "`a_b*c` and ``x`y``",
        "C# and F#",
        "18.3 t/s",
        "x [draft]",
        "",
    ] {
        assert_eq!(markdown_text(text), text);
        assert_eq!(markdown_cell(text), text);
    }
}

#[test]
fn characters_that_would_be_markup_are_escaped() {
    for (text, escaped) in [
        ("a <b>x</b>", "a \\<b>x\\</b>"),
        ("*x*", "\\*x*"),
        ("**x**", "\\*\\*x**"),
        ("_x_", "\\_x_"),
        ("__init__", "\\_\\_init__"),
        ("[a](b)", "\\[a\\](b)"),
        ("&amp; &#38;", "\\&amp; \\&#38;"),
        ("a\\b", "a\\\\b"),
        ("~a~", "~a\\~"),
        ("one ` alone", "one \\` alone"),
        ("``a`", "\\`\\`a\\`"),
        ("# a", "\\# a"),
        ("- a", "\\- a"),
        ("1. a", "1\\. a"),
        ("---", "\\---"),
        ("> a", "\\> a"),
        ("a ##", "a \\#\\#"),
        (" a\nb\t", "a b"),
    ] {
        assert_eq!(markdown_text(text), escaped);
        assert_eq!(markdown_cell(text), escaped);
    }
}

#[test]
fn a_pipe_in_a_table_cell_is_escaped() {
    assert_eq!(markdown_text("a|b"), "a|b");
    assert_eq!(markdown_cell("a|b"), "a\\|b");
    assert_eq!(markdown_cell("a\\|b"), "a\\\\\\|b");
    assert_eq!(markdown_cell("`a|b`"), "`a\\|b`");
    assert_eq!(markdown_cell("`a\\|b`"), "`a\\\\\\|b`");
}

#[test]
fn code_is_delimited_by_one_backtick_more_than_its_longest_run() {
    for (text, code) in [
        ("a", "`a`"),
        ("a`b", "``a`b``"),
        ("`", "`` ` ``"),
        ("``a`", "``` ``a` ```"),
        (" a ", "`  a  `"),
        ("a\nb", "`a b`"),
        ("", ""),
    ] {
        assert_eq!(markdown_code(text), code);
    }
}

#[test]
fn a_pipe_in_code_in_a_table_cell_is_escaped() {
    for (text, code) in
        [("a", "`a`"), ("a|b", "`a\\|b`"), ("a\\|b", "`a\\\\\\|b`"), ("`|", "`` `\\| ``"), ("", "")]
    {
        assert_eq!(markdown_code_cell(text), code);
    }
}
