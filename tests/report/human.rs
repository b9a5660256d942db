//! The report for terminals: layout, colors, and the mode for screen readers.

use super::{
    ASCII, DRIFT, HOSTS, MEMORY, MODELS, PLAIN, PORT, ROLES, Run, Style, THREADS, UNUSED, columns, max_width,
    one_finding,
};
use crate::support::assert_snapshot;
use orchgen::diag::{NotChecked, Subject};
use orchgen::source::Span;

/// A run with errors, warnings, notes, labels in several files, helps, and checks without a verdict.
fn full_run() -> Run {
    let mut run = Run::default();
    let models = run.file("registry/models.kdl", MODELS);
    let roles = run.file("registry/roles.yaml", ROLES);
    let hosts = run.file("registry/topology.yaml", HOSTS);
    let unit = run.file("out/systemd/frontdoor.service", "");
    let (first, again) = (run.span(roles, "8080", 0), run.span(roles, "8080", 1));
    run.report(
        PORT.at(
            again,
            "taken again here",
            "roles `frontdoor` and `coder_escalation` both listen on 127.0.0.1:8080 of host `epyc-9655`",
        )
        .about(("role", "coder_escalation"))
        .also(first, "first taken here")
        .help("give `coder_escalation` another port: 8081 is free"),
    );
    let (memory, reserve) = (run.span(hosts, "60 GB", 0), run.span(hosts, "10%", 0));
    let (size, role) = (run.span(models, "45 GB", 0), run.span(roles, "131072", 0));
    run.report(
        MEMORY
            .at(memory, "the budget is 54 GB after the reserve", "host `epyc-9655` needs 57.4 GB of 54 GB")
            .about(("host", "epyc-9655"))
            .also(reserve, "10 percent of it are the system's")
            .also(size, "the weights, counted once")
            .also(role, "the context of one request, twice")
            .note("  weights   qwen3-next-80b      45.0 GB\n  cache     coder_escalation    12.0 GB\n  buffers                        0.4 GB\n                                -------\n  sum                           57.4 GB, 3.4 GB over")
            .help("halve `context` of `coder_escalation`: 51.4 GB")
            .help("or set `cache-type` of `coder_escalation` to `q8_0`, which costs a little quality and halves the cache: 51.4 GB"),
    );
    let model =
        run.span(models, "model \"bge\" family=\"bert\" {\n    size \"335 MB\"\n    file \"bge.gguf\"\n}", 0);
    run.report(UNUSED.at(model, "no role names it", "model `bge` is unused"));
    run.report(THREADS.at(
        Span::new(roles, ROLES.len(), ROLES.len()),
        "`threads` is missing",
        "threads are not set",
    ));
    run.report(
        DRIFT
            .at(
                Span::new(unit, 0, 0),
                "line 7 is not what was written",
                "`frontdoor.service` was edited by hand",
            )
            .help("run `orchgen build --force` to write it anew"),
    );
    run.findings.record_not_checked(NotChecked {
        check: "context-beyond-trained",
        subject: Subject::new("role", "coder_escalation"),
        why: "the lock does not say what `qwen3-next-80b` was trained with; run `orchgen lock` where the models are".into(),
    });
    run.findings.record_not_checked(NotChecked {
        check: "missing-shard",
        subject: Subject::new("model", "bge"),
        why: "there is no lock".into(),
    });
    run
}

#[test]
fn a_full_report_at_80_columns() {
    let output = full_run().render(PLAIN);
    assert!(max_width(&output) <= 80, "{output}");
    assert_snapshot!("report", "unicode-80", output);
}

#[test]
fn a_full_verbose_report_at_120_columns() {
    assert_snapshot!(
        "report",
        "unicode-120-verbose",
        full_run().render(Style { width: 120, verbose: true, ..PLAIN })
    );
}

#[test]
fn a_full_report_at_the_minimum_width_of_40_columns() {
    let output = full_run().render(Style { width: 10, ..PLAIN });
    let is_table = |line: &&str| line.contains(" GB") || line.contains("-----");
    let wrapped: Vec<&str> = output.lines().filter(|line| !is_table(line)).collect();
    assert!(max_width(&wrapped.join("\n")) <= 40, "{output}");
    assert_snapshot!("report", "unicode-40", output);
}

#[test]
fn a_full_report_in_ascii() {
    let output = full_run().render(ASCII);
    assert!(output.is_ascii(), "{output}");
    assert_snapshot!("report", "ascii-80", output);
}

#[test]
fn a_full_report_in_color() {
    let output = full_run().render(Style { color: true, ..PLAIN });
    let visible = output.replace('\u{1b}', "\\e");
    assert_snapshot!("report", "color-80", visible);
}

#[test]
fn color_adds_only_escape_sequences() {
    for unicode in [true, false] {
        let output = full_run().render(Style { color: true, unicode, ..PLAIN });
        let mut without_color = String::new();
        let mut parts = output.split("\u{1b}[");
        without_color.push_str(parts.next().unwrap());
        for part in parts {
            without_color.push_str(part.split_once('m').unwrap().1);
        }
        assert_eq!(without_color, full_run().render(Style { unicode, ..PLAIN }));
    }
}

#[test]
fn a_full_report_for_a_screen_reader() {
    let output = full_run().render(Style { screen_reader: true, color: true, ..ASCII });
    assert!(output.is_ascii() && !output.contains('\u{1b}'), "{output}");
    assert_snapshot!("report", "narrated", output);
}

#[test]
fn a_report_without_findings_counts_what_was_not_checked() {
    let mut run = Run::default();
    assert_eq!(run.render(PLAIN), "no findings\n");
    let not_checked = |n: usize| NotChecked {
        check: "missing-shard",
        subject: Subject::new("model", n.to_string()),
        why: "there is no lock".into(),
    };
    run.findings.record_not_checked(not_checked(1));
    assert_eq!(run.render(PLAIN), "no findings; 1 check could not run; --verbose lists it\n");
    run.findings.record_not_checked(not_checked(2));
    run.findings.record_not_checked(not_checked(3));
    assert_eq!(run.render(PLAIN), "no findings; 3 checks could not run; --verbose lists them\n");
    assert!(
        run.render(Style { verbose: true, ..PLAIN }).ends_with("\n\nno findings; 3 checks could not run\n")
    );
}

#[test]
fn the_headline_and_the_place_have_a_fixed_format() {
    let output = one_finding("port: 8080\n", "8080", "here").render(PLAIN);
    assert!(output.contains("error[ORC302] port-conflict: a headline\n"), "{output}");
    assert!(output.contains("[registry/a.yaml:1:7]"), "{output}");
    assert!(output.ends_with("\n\n1 error\nfor more information, run `orchgen explain ORC302`\n"));
}

#[test]
fn the_column_counts_characters() {
    let output = one_finding("ёжик, 模型: 8080\n", "8080", "here").render(PLAIN);
    assert!(output.contains("[registry/a.yaml:1:11]"), "{output}");
}

#[test]
fn a_span_after_the_last_newline_is_printed() {
    for (text, place) in
        [("port: 1\n", "1:8"), ("port: 1\r\n", "1:8"), ("port: 1", "1:8"), ("a: 1\n\n", "2:1")]
    {
        let mut run = Run::default();
        let file = run.file("a.yaml", text);
        run.report(PORT.at(Span::new(file, text.len(), text.len()), "something is missing", "a headline"));
        let output = run.render(PLAIN);
        assert!(output.contains(&format!("[a.yaml:{place}]")), "{output}");
        assert!(output.contains('▲') && output.contains("╰── something is missing"), "{text:?}\n{output}");
    }
}

#[test]
fn a_span_outside_of_its_file_is_printed_without_a_panic() {
    let mut run = Run::default();
    let file = run.file("a.yaml", "port: 1\n");
    run.report(PORT.at(Span::new(orchgen::source::FileId(7), 0, 3), "nowhere", "a headline"));
    run.report(PORT.at(Span::new(file, 500, 600), "beyond", "a headline"));
    run.report(PORT.at(Span::new(file, 3, 600), "partly beyond", "a headline"));
    let output = run.render(PLAIN);
    assert!(output.starts_with("error[ORC302] port-conflict: a headline\n\n"), "{output}");
    assert!(output.contains("╰── beyond") && output.contains("╰── partly beyond"), "{output}");
}

#[test]
fn a_span_inside_a_character_covers_the_character() {
    let mut run = Run::default();
    let file = run.file("a.yaml", "x: 模型\n");
    run.report(PORT.at(Span::new(file, 4, 5), "here", "a headline"));
    assert_eq!(columns(&run.render(PLAIN), "模"), (8, 8));
}

#[test]
fn an_empty_span_is_one_caret() {
    let mut run = Run::default();
    let file = run.file("a.yaml", "port:\nname: x\n");
    run.report(PORT.at(Span::new(file, 5, 5), "a number is missing", "a headline"));
    insta::assert_snapshot!(run.render(PLAIN).lines().skip(1).take(6).collect::<Vec<_>>().join("\n"), @r"
   ╭─[a.yaml:1:6]
 1 │ port:
   ·      ▲
   ·      ╰── a number is missing
 2 │ name: x
   ╰────
");
}

#[test]
fn a_long_line_is_shortened_around_the_mark() {
    let text = format!("a: 1\nlist: [{}needle, {}]\nb: 2\n", "straw, ".repeat(800), "straw, ".repeat(800));
    assert!(text.len() > 10_000);
    for style in [PLAIN, Style { width: 40, ..PLAIN }, Style { width: 200, ..PLAIN }] {
        let output = one_finding(&text, "needle", "it is here").render(style);
        assert!(max_width(&output) <= style.width, "{output}");
        let (word, mark) = columns(&output, "needle");
        assert_eq!(word, mark, "{output}");
        assert_eq!(output.matches('…').count(), 2, "{output}");
    }
    assert_snapshot!("report", "long-line", one_finding(&text, "needle", "it is here").render(PLAIN));
    assert!(one_finding(&text, "needle", "it is here").render(ASCII).is_ascii());
}

#[test]
fn distant_marks_on_a_long_line_have_separate_excerpts() {
    let text = format!("first {} last\n", "x ".repeat(5000));
    let mut run = Run::default();
    let file = run.file("a.yaml", &text);
    let finding = PORT.at(run.span(file, "last", 0), "here", "a headline");
    run.report(finding.also(run.span(file, "first", 0), "and there"));
    let output = run.render(PLAIN);
    assert!(max_width(&output) <= 80, "{output}");
    for word in ["last", "first"] {
        let (word, mark) = columns(&output, word);
        assert_eq!(word, mark, "{output}");
    }
}

#[test]
fn overlapping_marks_stay_in_place() {
    let mut run = Run::default();
    let file = run.file("a.yaml", "a: 1\nport: 8080\nb: 2\n");
    let finding = PORT.at(run.span(file, "port: 8080", 0), "this field", "a headline");
    run.report(
        finding.also(run.span(file, "8080", 0), "this number").also(run.span(file, "8080", 0), "once more"),
    );
    assert_snapshot!("report", "overlap", run.render(PLAIN));
}

#[test]
fn a_long_label_is_wrapped() {
    let label = "this port is taken by the role `frontdoor`, which was declared first and therefore keeps it";
    let text = format!("key: {} 8080\n", "y".repeat(66));
    let output = one_finding(&text, "8080", label).render(PLAIN);
    assert!(max_width(&output) <= 80, "{output}");
    assert_snapshot!("report", "long-label", output);
}

#[test]
fn a_mark_over_many_lines_prints_the_first_line() {
    let text = format!("role \"a\" {{\n{}}}\n", "    port 1\n".repeat(40));
    let output = one_finding(&text, text.trim_end(), "this role").render(PLAIN);
    assert!(output.contains("this role (to line 42)") && output.lines().count() < 12, "{output}");
}

#[test]
fn wide_characters_tabs_and_crlf_keep_marks_in_place() {
    for text in [
        "模型: \"量化模型\" needle\n",
        "emoji: 🚀🚀 needle\n",
        "\tname:\tneedle\n",
        "a: 1\r\nname: needle\r\nb: 2\r\n",
        "e\u{301}te\u{301}: needle\n",
        "\u{1b}[31mred\u{7}\u{202e}\u{0}: needle\n",
    ] {
        let output = one_finding(text, "needle", "here").render(PLAIN);
        let (word, mark) = columns(&output, "needle");
        assert_eq!(word, mark, "{output}");
        assert!(!output.contains(['\r', '\t']), "{output}");
    }
    let wide = one_finding("名前: \"量化模型\" # 🚀\n", "\"量化模型\"", "this name").render(PLAIN);
    assert_snapshot!("report", "wide", wide);
}

#[test]
fn notes_keep_their_columns() {
    let note = "role                                  weights        cache         sum of both\nfrontdoor                             18.6 GB       3.2 GB             21.8 GB\n\n\tindented";
    let mut run = Run::default();
    let file = run.file("a.yaml", "a: 1\n");
    run.report(PORT.at(run.span(file, "1", 0), "", "a headline").note(note));
    let output = run.render(Style { width: 40, ..PLAIN });
    let lines: Vec<&str> = output.lines().skip_while(|line| !line.contains("note:")).collect();
    assert_eq!(lines[0].replacen("note:", "     ", 1).find("weights"), Some(8 + 38));
    assert_eq!(lines[1].find("18.6 GB"), Some(8 + 38));
    assert_eq!(lines[3], "            indented");
}

#[test]
fn the_last_line_names_each_code_once_with_errors_first() {
    let mut run = Run::default();
    let file = run.file("a.yaml", "a: 1\n");
    let span = run.span(file, "1", 0);
    for (n, code) in [&UNUSED, &PORT, &THREADS, &PORT, &DRIFT, &MEMORY].into_iter().enumerate() {
        run.report(code.at(span, "", format!("headline {n}")));
    }
    let output = run.render(PLAIN);
    assert!(output.contains("\n4 errors, 1 warning, 1 note\n"), "{output}");
    let more = output.lines().skip_while(|line| !line.starts_with("for more")).collect::<Vec<_>>().join(" ");
    assert!(more.ends_with("run `orchgen explain ORC302` (also ORC401, ORC310 and 2 others)"), "{more}");
}

#[test]
#[expect(clippy::disallowed_methods, reason = "this test measures time, and no output depends on it")]
fn a_thousand_findings_in_a_large_file_are_printed_quickly() {
    let text = "key: value of some length to make a line of it\n".repeat(110_000);
    assert!(text.len() > 5_000_000);
    let mut run = Run::default();
    let file = run.file("a.yaml", &text);
    for n in 0..1000 {
        let at = n * 5000 - n * 5000 % 47;
        run.report(
            PORT.at(Span::new(file, at, at + 3), "here", "a headline")
                .also(Span::new(file, at + 141, at + 144), "there"),
        );
    }
    let start = std::time::Instant::now();
    let output = run.render(PLAIN);
    // A generous limit for a debug build on a shared machine. If each label rescanned the file, it would take minutes.
    assert!(start.elapsed().as_secs() < 5, "{:?}", start.elapsed());
    assert!(output.lines().count() > 9000);
}
