//! What a report looks like.

use super::{
    ASCII, DRIFT, HOSTS, MEMORY, MODELS, PLAIN, PORT, ROLES, Run, Style, THREADS, UNUSED, aligned, one,
    widest,
};
use orchgen::diag::{NotChecked, Subject};
use orchgen::source::Span;

macro_rules! shows {
    ($name:literal, $text:expr) => {
        insta::with_settings!({
            snapshot_path => "../snapshots/report", prepend_module_to_snapshot => false, omit_expression => true,
        }, { insta::assert_snapshot!($name, $text) })
    };
}

/// One finding of every kind that there is to draw.
fn everything() -> Run {
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
        .about("role", "coder_escalation")
        .also(first, "first taken here")
        .help("give `coder_escalation` another port: 8081 is free"),
    );
    let (memory, reserve) = (run.span(hosts, "60 GB", 0), run.span(hosts, "10%", 0));
    let (size, role) = (run.span(models, "45 GB", 0), run.span(roles, "131072", 0));
    run.report(
        MEMORY
            .at(memory, "the budget is 54 GB after the reserve", "host `epyc-9655` needs 57.4 GB of 54 GB")
            .about("host", "epyc-9655")
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
fn everything_at_80_columns() {
    let shown = everything().shown(PLAIN);
    assert!(widest(&shown) <= 80, "{shown}");
    shows!("unicode-80", shown);
}

#[test]
fn everything_at_120_columns_with_what_was_not_checked() {
    shows!("unicode-120-verbose", everything().shown(Style { width: 120, verbose: true, ..PLAIN }));
}

#[test]
fn everything_at_40_columns() {
    let shown = everything().shown(Style { width: 10, ..PLAIN });
    let sum = |line: &&str| line.contains(" GB") || line.contains("-----");
    let drawn: Vec<&str> = shown.lines().filter(|line| !sum(line)).collect();
    assert!(widest(&drawn.join("\n")) <= 40, "{shown}");
    shows!("unicode-40", shown);
}

#[test]
fn everything_in_ascii() {
    let shown = everything().shown(ASCII);
    assert!(shown.is_ascii(), "{shown}");
    shows!("ascii-80", shown);
}

#[test]
fn everything_in_colour() {
    let shown = everything().shown(Style { colour: true, ..PLAIN });
    let visible = shown.replace('\u{1b}', "\\e");
    shows!("colour-80", visible);
}

#[test]
fn colour_changes_nothing_but_colours() {
    for unicode in [true, false] {
        let shown = everything().shown(Style { colour: true, unicode, ..PLAIN });
        let mut bare = String::new();
        let mut parts = shown.split("\u{1b}[");
        bare.push_str(parts.next().unwrap());
        for part in parts {
            bare.push_str(part.split_once('m').unwrap().1);
        }
        assert_eq!(bare, everything().shown(Style { unicode, ..PLAIN }));
    }
}

#[test]
fn everything_for_a_screen_reader() {
    let shown = everything().shown(Style { narrated: true, colour: true, ..ASCII });
    assert!(shown.is_ascii() && !shown.contains('\u{1b}'), "{shown}");
    shows!("narrated", shown);
}

#[test]
fn nothing_found() {
    let mut run = Run::default();
    assert_eq!(run.shown(PLAIN), "no findings\n");
    let left = |n: usize| NotChecked {
        check: "missing-shard",
        subject: Subject::new("model", n.to_string()),
        why: "there is no lock".into(),
    };
    run.findings.record_not_checked(left(1));
    assert_eq!(run.shown(PLAIN), "no findings; 1 thing was not checked; --verbose lists it\n");
    run.findings.record_not_checked(left(2));
    run.findings.record_not_checked(left(3));
    assert_eq!(run.shown(PLAIN), "no findings; 3 things were not checked; --verbose lists them\n");
    assert!(
        run.shown(Style { verbose: true, ..PLAIN }).ends_with("\n\nno findings; 3 things were not checked\n")
    );
}

#[test]
fn the_head_and_the_place_can_be_searched_for() {
    let shown = one("port: 8080\n", "8080", "here").shown(PLAIN);
    assert!(shown.contains("error[ORC302] port-conflict: a headline\n"), "{shown}");
    assert!(shown.contains("[registry/a.yaml:1:7]"), "{shown}");
    assert!(
        shown.ends_with("\n\n1 error\nfor what it means and how to cure it, run `orchgen explain ORC302`\n")
    );
}

#[test]
fn the_column_counts_characters() {
    let shown = one("ёжик, 模型: 8080\n", "8080", "here").shown(PLAIN);
    assert!(shown.contains("[registry/a.yaml:1:11]"), "{shown}");
}

#[test]
fn a_place_after_the_last_newline_is_seen() {
    for (text, place) in
        [("port: 1\n", "1:8"), ("port: 1\r\n", "1:8"), ("port: 1", "1:8"), ("a: 1\n\n", "2:1")]
    {
        let mut run = Run::default();
        let file = run.file("a.yaml", text);
        run.report(PORT.at(Span::new(file, text.len(), text.len()), "something is missing", "a headline"));
        let shown = run.shown(PLAIN);
        assert!(shown.contains(&format!("[a.yaml:{place}]")), "{shown}");
        assert!(shown.contains('▲') && shown.contains("╰── something is missing"), "{text:?}\n{shown}");
    }
}

#[test]
fn a_place_that_is_in_no_file_or_beyond_its_end_is_no_fault() {
    let mut run = Run::default();
    let file = run.file("a.yaml", "port: 1\n");
    run.report(PORT.at(Span::new(orchgen::source::FileId(7), 0, 3), "nowhere", "a headline"));
    run.report(PORT.at(Span::new(file, 500, 600), "beyond", "a headline"));
    run.report(PORT.at(Span::new(file, 3, 600), "partly beyond", "a headline"));
    let shown = run.shown(PLAIN);
    assert!(shown.starts_with("error[ORC302] port-conflict: a headline\n\n"), "{shown}");
    assert!(shown.contains("╰── beyond") && shown.contains("╰── partly beyond"), "{shown}");
}

#[test]
fn a_place_within_a_character_is_widened_to_all_of_it() {
    let mut run = Run::default();
    let file = run.file("a.yaml", "x: 模型\n");
    run.report(PORT.at(Span::new(file, 4, 5), "here", "a headline"));
    assert_eq!(aligned(&run.shown(PLAIN), "模"), (8, 8));
}

#[test]
fn an_empty_place_is_one_caret() {
    let mut run = Run::default();
    let file = run.file("a.yaml", "port:\nname: x\n");
    run.report(PORT.at(Span::new(file, 5, 5), "a number is missing", "a headline"));
    insta::assert_snapshot!(run.shown(PLAIN).lines().skip(1).take(6).collect::<Vec<_>>().join("\n"), @r"
   ╭─[a.yaml:1:6]
 1 │ port:
   ·      ▲
   ·      ╰── a number is missing
 2 │ name: x
   ╰────
");
}

#[test]
fn a_long_line_is_cut_around_the_mark() {
    let text = format!("a: 1\nlist: [{}needle, {}]\nb: 2\n", "straw, ".repeat(800), "straw, ".repeat(800));
    assert!(text.len() > 10_000);
    for style in [PLAIN, Style { width: 40, ..PLAIN }, Style { width: 200, ..PLAIN }] {
        let shown = one(&text, "needle", "it is here").shown(style);
        assert!(widest(&shown) <= style.width, "{shown}");
        let (word, mark) = aligned(&shown, "needle");
        assert_eq!(word, mark, "{shown}");
        assert_eq!(shown.matches('…').count(), 2, "{shown}");
    }
    shows!("long-line", one(&text, "needle", "it is here").shown(PLAIN));
    assert!(one(&text, "needle", "it is here").shown(ASCII).is_ascii());
}

#[test]
fn marks_far_apart_on_a_long_line_have_a_window_each() {
    let text = format!("first {} last\n", "x ".repeat(5000));
    let mut run = Run::default();
    let file = run.file("a.yaml", &text);
    let finding = PORT.at(run.span(file, "last", 0), "here", "a headline");
    run.report(finding.also(run.span(file, "first", 0), "and there"));
    let shown = run.shown(PLAIN);
    assert!(widest(&shown) <= 80, "{shown}");
    for word in ["last", "first"] {
        let (word, mark) = aligned(&shown, word);
        assert_eq!(word, mark, "{shown}");
    }
}

#[test]
fn marks_that_overlap_do_not_push_each_other_aside() {
    let mut run = Run::default();
    let file = run.file("a.yaml", "a: 1\nport: 8080\nb: 2\n");
    let finding = PORT.at(run.span(file, "port: 8080", 0), "this field", "a headline");
    run.report(
        finding.also(run.span(file, "8080", 0), "this number").also(run.span(file, "8080", 0), "once more"),
    );
    shows!("overlap", run.shown(PLAIN));
}

#[test]
fn a_long_label_is_wrapped_and_has_room() {
    let label = "this port is taken by the role `frontdoor`, which was declared first and therefore keeps it";
    let text = format!("key: {} 8080\n", "y".repeat(66));
    let shown = one(&text, "8080", label).shown(PLAIN);
    assert!(widest(&shown) <= 80, "{shown}");
    shows!("long-label", shown);
}

#[test]
fn a_mark_over_many_lines_shows_its_first() {
    let text = format!("role \"a\" {{\n{}}}\n", "    port 1\n".repeat(40));
    let shown = one(&text, text.trim_end(), "this role").shown(PLAIN);
    assert!(shown.contains("this role (to line 42)") && shown.lines().count() < 12, "{shown}");
}

#[test]
fn wide_characters_tabs_and_foreign_line_ends_keep_marks_in_place() {
    for text in [
        "模型: \"量化模型\" needle\n",
        "emoji: 🚀🚀 needle\n",
        "\tname:\tneedle\n",
        "a: 1\r\nname: needle\r\nb: 2\r\n",
        "e\u{301}te\u{301}: needle\n",
        "\u{1b}[31mred\u{7}\u{202e}\u{0}: needle\n",
    ] {
        let shown = one(text, "needle", "here").shown(PLAIN);
        let (word, mark) = aligned(&shown, "needle");
        assert_eq!(word, mark, "{shown}");
        assert!(!shown.contains(['\r', '\t']), "{shown}");
    }
    let wide = one("名前: \"量化模型\" # 🚀\n", "\"量化模型\"", "this name").shown(PLAIN);
    shows!("wide", wide);
}

#[test]
fn notes_keep_their_columns() {
    let note = "role                                  weights        cache         sum of both\nfrontdoor                             18.6 GB       3.2 GB             21.8 GB\n\n\tindented";
    let mut run = Run::default();
    let file = run.file("a.yaml", "a: 1\n");
    run.report(PORT.at(run.span(file, "1", 0), "", "a headline").note(note));
    let shown = run.shown(Style { width: 40, ..PLAIN });
    let lines: Vec<&str> = shown.lines().skip_while(|line| !line.contains("note:")).collect();
    assert_eq!(lines[0].replacen("note:", "     ", 1).find("weights"), Some(8 + 38));
    assert_eq!(lines[1].find("18.6 GB"), Some(8 + 38));
    assert_eq!(lines[3], "            indented");
}

#[test]
fn codes_are_named_once_errors_first() {
    let mut run = Run::default();
    let file = run.file("a.yaml", "a: 1\n");
    let span = run.span(file, "1", 0);
    for code in [&UNUSED, &PORT, &THREADS, &PORT, &DRIFT, &MEMORY] {
        run.report(code.at(span, "", "a headline"));
    }
    let shown = run.shown(PLAIN);
    assert!(shown.contains("\n4 errors, 1 warning, 1 note\n"), "{shown}");
    let more = shown.lines().skip_while(|line| !line.starts_with("for what")).collect::<Vec<_>>().join(" ");
    assert!(more.ends_with("run `orchgen explain ORC302` (likewise ORC401, ORC310 and 2 others)"), "{more}");
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "speed is what is tested; nothing that is written depends on it"
)]
fn a_thousand_findings_in_a_large_file_are_quick() {
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
    let shown = run.shown(PLAIN);
    // Without optimisation on a shared machine; a rescan for each label takes minutes then.
    assert!(start.elapsed().as_secs() < 5, "{:?}", start.elapsed());
    assert!(shown.lines().count() > 9000);
}
