//! Templates: values are quoted by the type of the file, and undefined values are errors.

use orchgen::render::template::{Template, Templates};
use serde::Serialize;
use serde_json::json;

fn render(name: &'static str, source: &'static str, view: &impl Serialize) -> String {
    let template = Template::new(name, source);
    Templates::new([]).render(&template, view).unwrap()
}

fn render_error(name: &'static str, source: &'static str, view: &impl Serialize) -> String {
    let template = Template::new(name, source);
    Templates::new([]).render(&template, view).unwrap_err().to_string()
}

#[test]
fn a_value_is_quoted_for_the_language_of_its_file() {
    let view = json!({"v": "a b|$x%n"});
    for (name, text) in [
        ("bin/role.sh.j2", "\"a b|\\$x%n\""),
        ("bin/sh.j2", "\"a b|\\$x%n\""),
        ("systemd/service.j2", "\"a b|$$x%%n\""),
        ("systemd/backend.service.j2", "\"a b|$$x%%n\""),
        ("systemd/x.socket.j2", "\"a b|$$x%%n\""),
        ("systemd/x.slice.j2", "\"a b|$$x%%n\""),
        ("systemd/x.target.j2", "\"a b|$$x%%n\""),
        ("docs/reference.md.j2", "a b\\|$x%n"),
    ] {
        assert_eq!(render(name, "{{ v }}", &view), text, "{name}");
        assert_eq!(render(name, "{{ v|safe }}", &view), "a b|$x%n", "{name}");
    }
    assert!(render_error("x.json.j2", "{{ v }}", &view).contains("unknown language"));
    assert_eq!(render("x.json.j2", "{{ v|safe }}", &view), "a b|$x%n");
}

#[test]
fn filters_select_other_quoting() {
    let view = json!({"v": "/a b/%x\"", "n": "A", "c": "x`|y", "l": "a\nb", "p": "/a b/$x"});
    let unit = |source| render("x.service.j2", source, &view);
    assert_eq!(unit("{{ p|program }}"), "\"/a b/$x\"");
    assert_eq!(unit("{{ v|value }}"), "/a b/%%x\"");
    assert_eq!(unit("{{ v|path }}"), "\"/a b/%%x\"'\"'\"\"");
    assert_eq!(unit("{{ n|assignment(p) }}"), "\"A=/a b/$x\"");
    assert_eq!(unit("{{ p|shell }}"), "\"/a b/\\$x\"");
    assert_eq!(unit("{{ l|line }}"), "a b");
    let document = |source| render("x.md.j2", source, &view);
    assert_eq!(document("{{ c }} {{ c|text }} {{ c|code }}"), "x\\`\\|y x\\`|y ``x`|y``");
    assert_eq!(document("{{ p|shell }}"), "\"/a b/\\$x\"");
}

#[test]
fn a_joined_list_is_quoted_as_one_text() {
    let view = json!({"list": ["a b", "|", 1], "none": []});
    assert_eq!(render("x.md.j2", "{{ list|join(', ') }}|{{ none|join(', ') }}|", &view), "a b, \\|, 1||");
    assert_eq!(render("x.md.j2", "{{ list|join(', ')|text }}", &view), "a b, |, 1");
}

#[test]
fn sizes_and_clauses_are_shortened() {
    let view = json!({"small": 9_990_000_000_u64, "large": 10_400_000_000_u64, "text": "It fails. "});
    assert_eq!(render("x.md.j2", "{{ small|size }}, {{ large|size }}", &view), "9.99 GB, 10 GB");
    assert_eq!(render("x.md.j2", "{{ text|clause }}: no", &view), "It fails: no");
}

#[test]
fn numbers_and_booleans_are_printed_unquoted() {
    let view = json!({"n": 8080, "f": 5.4, "b": true, "neg": -1});
    assert_eq!(
        render("x.sh.j2", "{{ n }} {{ f }} {{ b }} {{ neg }} {{ n|shell }}", &view),
        "8080 5.4 true -1 8080"
    );
}

#[test]
fn values_without_text_and_unknown_names_are_errors() {
    let view = json!({"list": ["a"], "map": {"a": 1}, "none": null});
    for source in [
        "{{ list }}",
        "{{ map }}",
        "{{ none }}",
        "{{ nothing }}",
        "{{ map.b }}",
        "{{ list|shell }}",
        "{{ none|line }}",
    ] {
        let message = render_error("bin/x.sh.j2", source, &view);
        assert!(message.starts_with("this is a bug in orchgen: cannot render bin/x.sh.j2: "), "{message}");
    }
    assert!(render_error("x.sh.j2", "{% if nothing %}{% endif %}", &view).contains("undefined"));
    assert!(render_error("x.sh.j2", "\n{{ nothing }}", &view).contains("x.sh.j2:2"));
    assert!(render_error("x.sh.j2", "{% for %}", &view).contains("syntax error"));
    assert!(render_error("x.sh.j2", "{{ list|words }}", &view).contains("unknown filter"));
    assert_eq!(render("x.sh.j2", "{% if none %}x{% endif %}", &view), "");
}

#[test]
fn concatenated_text_is_quoted_once() {
    let view = json!({"v": "a b"});
    assert_eq!(render("x.sh.j2", "{{ v ~ '/$x' }}", &view), "\"a b/\\$x\"");
    assert_eq!(render("x.sh.j2", "{% set w %}{{ v }} c{% endset %}{{ w }}", &view), "'a b' c");
    assert_eq!(render("x.sh.j2", "{{ v|shell|safe }}", &view), "'a b'");
}

#[test]
fn a_tag_on_its_own_line_prints_no_line_and_plus_keeps_a_line_break() {
    let view = json!({"words": ["a", "b c"], "on": true});
    let source = "ExecStart=/x{% for w in words %} \\\n    {{ w }}{% endfor +%}\n{% if on %}\nUser=y\n{% endif %}\nEnd=z\n";
    assert_eq!(
        render("x.service.j2", source, &view),
        "ExecStart=/x \\\n    a \\\n    \"b c\"\nUser=y\nEnd=z\n"
    );
}

/// The lines that end with a tag, which removes the line break, although the line has other text.
fn lines_without_break(source: &str) -> Vec<&str> {
    let loses_break = |line: &&str| {
        let line = line.trim_end();
        let tag = line.rfind("{%").unwrap_or_default();
        let other = line[..tag].split("{%").map(|part| part.rsplit("%}").next().unwrap_or_default());
        line.ends_with("%}")
            && !line.ends_with("+%}")
            && other.into_iter().any(|text| !text.trim().is_empty())
    };
    source.lines().filter(loses_break).collect()
}

#[test]
fn no_template_loses_a_line_break_by_accident() {
    assert_eq!(lines_without_break("a{% endfor %}\n  {% if x %}\nb{% endif +%}\nc {{ d }}\n").len(), 1);
    assert!(lines_without_break("{% if x %}{% endif %}\n{% if x %}a{% endif +%}\n").is_empty());
    let mut folders = vec![crate::support::repository().join("templates")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let found = std::fs::read_to_string(&path).unwrap();
                assert!(
                    lines_without_break(&found).is_empty(),
                    "{}: {:#?}",
                    path.display(),
                    lines_without_break(&found)
                );
            }
        }
    }
}

#[test]
fn an_included_template_is_quoted_in_its_own_language() {
    static PART: Template = Template::new("systemd/part.service.j2", "User={{ user }}\n");
    static WHOLE: Template =
        Template::new("systemd/x.service.j2", "[Service]\n{% include 'systemd/part.service.j2' %}\n");
    let templates = Templates::new([&PART, &WHOLE]);
    let text = templates.render(&WHOLE, &json!({"user": "a b"})).unwrap();
    assert_eq!(text, "[Service]\nUser=\"a b\"\n");
    let message = templates.render(&WHOLE, &json!({})).unwrap_err().to_string();
    assert!(message.contains("systemd/part.service.j2:1"), "{message}");
}

#[test]
fn templates_are_shared_between_threads() {
    static UNIT: Template = Template::new("x.service.j2", "{{ v }}");
    let templates = &Templates::new([&UNIT]);
    std::thread::scope(|scope| {
        for i in 0..4 {
            scope
                .spawn(move || assert_eq!(templates.render(&UNIT, &json!({"v": i})).unwrap(), i.to_string()));
        }
    });
}
