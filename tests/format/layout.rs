//! The layout of each construct of both languages.

use super::good;
use crate::fuzz::layout::check_layout;

#[track_caller]
fn kdl(text: &str, expected: &str) {
    assert_eq!(good("a.kdl", text), expected);
}

#[track_caller]
fn yaml(text: &str, expected: &str) {
    assert_eq!(good("a.yaml", text), expected);
}

#[test]
fn kdl_nodes_have_one_space_between_their_parts() {
    kdl("a   1\t\"b\"  c = 2   d=  #\"x  y\"#  ", "a 1 \"b\" c=2 d=#\"x  y\"#\n");
    kdl("role   \"x\"{port   1}", "role \"x\" { port 1 }\n");
    kdl("a{b 1;c 2 ;d}\ne { }\nf{}", "a { b 1; c 2; d }\ne {}\nf {}\n");
    kdl("a ( t )1 b=( v )\"x\"", "a (t)1 b=(v)\"x\"\n");
}

#[test]
fn kdl_blocks_are_indented() {
    kdl("a {\nb {\n\t\tc 1\n  }\n}\n", "a {\n    b {\n        c 1\n    }\n}\n");
    kdl("a { b {\nc\n}\n}", "a { b {\n    c\n}\n}\n");
    kdl("a { b {\nc\n} }", "a { b {\n    c\n} }\n");
    kdl("a {\n b 1\n c 2 }\n", "a {\n    b 1\n    c 2 }\n");
}

#[test]
fn kdl_blank_lines_are_single_and_between_nodes() {
    kdl("\n\n\na\n\n\n\nb {\n\n\nc\n\n\nd\n\n}\n\n\n", "a\n\nb {\n    c\n\n    d\n}\n");
    kdl("", "");
    kdl("\n \n", "");
}

#[test]
fn kdl_comments_stay_at_their_nodes() {
    kdl("a {// x  \n//y\n   // z\nb/* c */1//d\n}", "a { // x\n    //y\n    // z\n    b /* c */ 1 //d\n}\n");
    kdl("a 1      // x\nb     // y\n", "a 1 // x\nb // y\n");
    kdl("a 1   // x\nbcd   // y\n", "a 1 // x\nbcd // y\n");
    kdl("abc 1   // x\nb  2    // y\n        // z\n// w\n", "abc 1 // x\nb 2   // y\n      // z\n// w\n");
    kdl("/* a\n     b */\n  c", "/* a\n     b */\nc\n");
    kdl("/* a /* b */ c */ d", "/* a /* b */ c */ d\n");
}

#[test]
fn kdl_parts_after_slashdash_stay() {
    kdl("/-  a 1\n/-\n  b {\n/-c\n}\nd /- 1 2 /-{ x }", "/-a 1\n/-\nb {\n    /-c\n}\nd /-1 2 /-{ x }\n");
    kdl("/-   kdl-version   2\na", "/- kdl-version 2\na\n");
}

#[test]
fn kdl_continued_lines_are_indented() {
    kdl("a 1 \\\n2 \\ // c\n  3\nb", "a 1 \\\n    2 \\ // c\n    3\nb\n");
    kdl("x {\na 1\\\n   b=2 {\nc\n}\n}", "x {\n    a 1 \\\n        b=2 {\n        c\n    }\n}\n");
    kdl("a \\\n\n\nb", "a \\\n\nb\n");
}

#[test]
fn kdl_text_in_quotes_stays() {
    let text = "\"\"\"\n      x  \n\n    \ty\n    \"\"\"";
    kdl(&format!("a {{\n b {text}\n}}"), &format!("a {{\n    b {text}\n}}\n"));
    let raw = "##\"\"\"\n  \\  \"\"\"#\n  \"\"\"##";
    kdl(&format!("a   {raw}  1"), &format!("a {raw} 1\n"));
    kdl("a   0xF_F 0b1 1_000 1e3 #nan #-inf \"\\u{41}\"", "a 0xF_F 0b1 1_000 1e3 #nan #-inf \"\\u{41}\"\n");
}

#[test]
fn line_ends_and_byte_order_marks_are_normal() {
    kdl("\u{feff}a 1\r\nb {\r\n  c\r\n}\r\n", "a 1\nb {\n    c\n}\n");
    yaml("\u{feff}a: 1\r\nb:\r\n    c: |\r\n      x\r\n", "a: 1\nb:\n  c: |\n    x\n");
}

#[test]
fn yaml_mappings_have_two_spaces_for_each_level() {
    yaml("a:\n    b:\n        c: 1\n    d:   2\ne : 3\n", "a:\n  b:\n    c: 1\n  d: 2\ne: 3\n");
    yaml("  a: 1\n  b: 2\n", "a: 1\nb: 2\n");
    yaml("a:\n   value\nb:\n   c\n     d\n", "a:\n  value\nb:\n  c\n  d\n");
}

#[test]
fn yaml_lists_keep_their_level() {
    yaml("a:\n- 1\n-   2\nb: 3", "a:\n- 1\n- 2\nb: 3\n");
    yaml("a:\n    - 1\n    -   2\nb: 3", "a:\n  - 1\n  - 2\nb: 3\n");
    yaml("a:\n-   b: 1\n    c:\n    - 2\n-\n    d: 1\n", "a:\n- b: 1\n  c:\n  - 2\n-\n  d: 1\n");
    yaml("-   -  a\n    -  b: 1\n       c: 2\n- d", "- - a\n  - b: 1\n    c: 2\n- d\n");
}

#[test]
fn yaml_braces_and_brackets_have_no_inner_spaces() {
    yaml("a: { b: 1 ,c:   [ 1,2 ] , }\n", "a: {b: 1, c: [1, 2],}\n");
    yaml("{ \"a\":1 ,\"b\" : [ ] }", "{\"a\": 1, \"b\": []}\n");
    yaml("a: [\n 1,\n      { b: 2,\n c: 3 }\n ]\n", "a: [\n  1,\n  {b: 2,\n    c: 3}\n]\n");
    yaml("a:\n  - [\n  1\n  ]\n", "a:\n  - [\n      1\n    ]\n");
    yaml(
        "{\n\"a\": {\n\"b\": 1\n}, \"c\": [{\n\"d\": 1\n}]\n}",
        "{\n  \"a\": {\n    \"b\": 1\n  }, \"c\": [{\n    \"d\": 1\n  }]\n}\n",
    );
}

#[test]
fn yaml_comments_stay_at_their_items() {
    yaml(
        "a:  # x\n\n    # y\n    b: 1 # z\n    # w\n# v\nc: 2",
        "a:  # x\n  # y\n  b: 1  # z\n  # w\n# v\nc: 2\n",
    );
    yaml("a:\n    b: 1\n#c: 2\n    d: 3\n", "a:\n  b: 1\n#c: 2\n  d: 3\n");
    yaml("a: 1     # x\nbcd: 2   # y\n         # z\n", "a: 1    # x\nbcd: 2  # y\n        # z\n");
    yaml("a: [ # x\n# y\n1, # z\n]", "a: [  # x\n  # y\n  1,  # z\n]\n");
}

#[test]
fn yaml_blank_lines_are_single_and_between_items() {
    yaml("\n\na: 1\n\n\nb:\n\n  c: 1\n\n\n  d: 2\n\n\n", "a: 1\n\nb:\n  c: 1\n\n  d: 2\n");
    yaml("a:\n\nb: 1\n", "a:\n\nb: 1\n");
}

#[test]
fn yaml_block_scalars_move_as_a_whole() {
    yaml(
        "a:\n    b: |\n          x\n            y\n\n          z\n\n\n    c: 1",
        "a:\n  b: |\n    x\n      y\n\n    z\n\n  c: 1\n",
    );
    yaml("a:\n    b: >2-   # c\n         x\n\n      y\n", "a:\n  b: >2-  # c\n       x\n\n    y\n");
    yaml("a: |+\n    x\n\n\n\nb: |\n  \n\n   y\n   \n", "a: |+\n  x\n\n\n\nb: |\n\n\n  y\n");
    yaml("-   |\n  x\n- |2\n    y\n", "- |\n  x\n- |2\n    y\n");
    yaml("a: |\n  x\n      \nb: 1", "a: |\n  x\n      \nb: 1\n");
}

#[test]
fn yaml_text_over_several_lines_is_indented() {
    yaml("a:\n    b: one\n        two\n\n        three\n", "a:\n  b: one\n    two\n\n    three\n");
    yaml("a: \"one  \n  two\\\n\t three\\ \n four\"\n", "a: \"one\n  two\\\n  three\\ \n  four\"\n");
    yaml("- 'one\n   two'\n-\n  one\n  two\n", "- 'one\n  two'\n-\n  one\n  two\n");
    yaml("a: {b: one\n  two}\n", "a: {b: one\n  two}\n");
}

#[test]
fn yaml_anchors_tags_and_documents_stay() {
    yaml("a:   &x\n     b:   1\nc:   *x\nd:\n     <<:   *x\n", "a: &x\n  b: 1\nc: *x\nd:\n  <<: *x\n");
    yaml("%YAML 1.2\n---   # c\n\na: !!str   1\n", "%YAML 1.2\n---  # c\na: !!str 1\n");
    yaml("- &a   x:   1\n  y: 2\n- [ *a , *a ]\n- *a : b\n", "- &a x: 1\n  y: 2\n- [*a , *a ]\n- *a : b\n");
    yaml("? a\n:   b\n?   - c\n    - d\n:   - e\n", "? a\n: b\n? - c\n  - d\n: - e\n");
}

#[test]
fn files_with_syntax_errors_are_not_formatted() {
    for (name, text) in [
        ("a.kdl", "a {"),
        ("a.kdl", "a true"),
        ("a.kdl", "a \"x"),
        ("a.yaml", "a: [1"),
        ("a.yaml", "a: 1\n---\nb: 2\n"),
        ("a.yaml", "a: !x!y 1"),
        ("a.yaml", "a:\n\tb: 1\n"),
    ] {
        assert_eq!(check_layout(name, text), None, "{text}");
    }
}
