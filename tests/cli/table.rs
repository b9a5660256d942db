//! The tables of all commands, at several widths, with and without color.

use super::{Workspace, exit_code, text};
use crate::support::{assert_snapshot, visible};
use orchgen::cli::table::{Column, Section, Spacing, Table, Text, Tone, cut_middle, hanging};
use orchgen::diag::report::{Style, width};
use std::fs;

const UNICODE: Style = Style {
    width: 60,
    color: false,
    unicode: true,
    verbose: false,
    max_findings: usize::MAX,
    screen_reader: false,
    links: None,
};

/// A table with names of several widths, sizes, and texts with meanings.
fn table() -> Table {
    let row = |name: &str, size: &str, text: Text| vec![name.into(), size.into(), text];
    let over = Text::from("of 640 GB: ").and(Tone::Bad, "2 GB over").and(Tone::Open, "; may grow to 79.3 GB");
    let command = Text::new(Tone::Open, "not checked: run `orchgen lock somewhere` where the file is");
    let columns = vec![Column::words("role"), Column::numbers("size"), Column::words("limit")];
    let first = Section {
        title: Some(Text::new(Tone::Strong, "first")),
        columns: columns.clone(),
        rows: vec![row("模型", "36.3 GB", over), row("e\u{301}té", "0.5 GB", command)],
    };
    let path = Text::path("/srv/models/a-very-long-folder/and-another-one/with-a-file.gguf");
    let rows = vec![row("plain", "?", path), row("empty", "", Text::default())];
    Table::new(vec![first, Section { title: Some("second".into()), columns, rows }])
}

/// The lines that are wider than a number of columns.
fn wide(text: &str, columns: usize) -> Vec<&str> {
    text.lines().filter(|line| width(line) > columns).collect()
}

#[test]
fn columns_are_aligned_over_all_sections() {
    let shown = table().print(UNICODE);
    assert_snapshot!("cli", "table_60", &shown);
    let narrow = table().print(Style { width: 40, ..UNICODE });
    assert_snapshot!("cli", "table_40", &narrow);
    assert!(wide(&shown, 60).is_empty() && wide(&narrow, 40).is_empty(), "{shown}{narrow}");
    let ascii = table().print(Style { width: 40, unicode: false, ..UNICODE });
    assert!(ascii.contains("/srv/models/a-v...with-a-file.gguf"), "{ascii}");
}

/// Colors repeat what the words mean, and are neither counted as columns nor left open at the end of a line.
#[test]
fn colors_do_not_change_the_text() {
    for columns in [40, 60, 80, 100] {
        let style = Style { width: columns, ..UNICODE };
        let (plain, colored) = (table().print(style), table().print(Style { color: true, ..style }));
        assert_eq!(visible(&colored), plain, "{columns}");
        assert!(!plain.contains('\u{1b}') && colored.contains("\u{1b}[31m2 GB"), "{colored:?}");
        for line in colored.lines().filter(|line| line.contains('\u{1b}')) {
            assert_eq!(line.matches("\u{1b}[").count(), 2 * line.matches("\u{1b}[0m").count(), "{line:?}");
        }
    }
}

#[test]
fn screen_readers_get_a_line_for_each_row() {
    let shown = table().print(Style { screen_reader: true, color: true, ..UNICODE });
    assert_eq!(
        shown,
        "first\n模型: size 36.3 GB, limit of 640 GB: 2 GB over; may grow to 79.3 GB\n\
         e\u{301}té: size 0.5 GB, limit not checked: run `orchgen lock somewhere` where the file is\n\nsecond\n\
         plain: size ?, limit /srv/models/a-very-long-folder/and-another-one/with-a-file.gguf\nempty\n"
    );
}

/// More columns than the terminal has room for.
#[test]
fn each_cell_has_a_line_if_the_terminal_is_too_narrow() {
    let columns = ["gpu0", "gpu1", "gpu2", "gpu3", "gpu4"].map(Column::numbers);
    let columns: Vec<Column> =
        [Column::words("part")].into_iter().chain(columns).chain([Column::words("")]).collect();
    let row = ["weights", "10.5 GB", "10.5 GB", "", "10.5 GB", "10.5 GB", "at most"].map(Text::from);
    let section = Section { title: None, columns, rows: vec![row.to_vec()] };
    let shown = Table::new(vec![section]).print(Style { width: 40, ..UNICODE });
    let expected =
        "weights\n    gpu0 10.5 GB\n    gpu1 10.5 GB\n    gpu3 10.5 GB\n    gpu4 10.5 GB\n    at most\n";
    assert_eq!(shown, expected);
}

#[test]
fn long_names_have_their_own_line() {
    let name = "a-name-".repeat(6);
    let rows = vec![(name.as_str().into(), "one two three four five".into()), ("b".into(), "six".into())];
    let table = Table { spacing: Spacing::Tight, ..Table::new(vec![Section::pairs(None, rows)]) };
    let shown = table.print(Style { width: 40, ..UNICODE });
    assert_eq!(shown, format!("{name}\n    one two three four five\nb{}six\n", " ".repeat(21)));
}

#[test]
fn long_texts_are_cut_in_the_middle_and_wrapped_below_their_prefix() {
    assert_eq!(cut_middle("short", 5, UNICODE), "short");
    assert_eq!(cut_middle("abcdefghij", 7, UNICODE), "abc…hij");
    assert_eq!(cut_middle("模型模型模型", 7, UNICODE), "模…型");
    let prefix = Text::from("  - ").and(Tone::Strong, "a-role-with-a-long-name: ");
    let shown = hanging(&prefix, &"runs with other arguments".into(), Style { width: 40, ..UNICODE });
    assert_eq!(shown, "  - a-role-with-a-long-name:\n      runs with other arguments\n");
}

#[test]
fn lists_of_codes_and_profiles_are_tables() {
    let workspace = Workspace::new("");
    let listed = text(&workspace.run(&["explain"]).stdout);
    assert!(listed.starts_with("code    name  ") && listed.contains("\nORC302  port-conflict  "), "{listed}");
    let command = |columns: &str, args: &[&str]| {
        let output = workspace.command(args).env("COLUMNS", columns).env("LANG", "C.UTF-8").output().unwrap();
        assert_eq!(exit_code(&output), 0);
        text(&output.stdout)
    };
    for columns in ["60", "100"] {
        let listed = command(columns, &["engine", "list"]);
        assert!(wide(&listed, columns.parse().unwrap()).is_empty(), "{listed}");
        assert_snapshot!("cli", format!("engine_list_{columns}"), &listed);
    }
    let narrow = command("60", &["engine", "show", "llama.cpp-b10434", "mlock", "--color", "always"]);
    assert_snapshot!("cli", "engine_show_color", narrow.replace('\u{1b}', "\\e"));
}

/// Colored tables of `memory`, with a limit that is exceeded.
#[test]
fn exceeded_budgets_are_red_and_unknown_sizes_are_yellow() {
    let workspace = super::memory::workspace();
    let registry = fs::read_to_string(workspace.at("registry/base.kdl")).unwrap();
    let small = "residency \"less\" title=\"less\" start=\"boot\" budget=\"1 GB\"\n\
                 role \"over\" tier=\"A\" residency=\"less\" model=\"plain\" port=9100 context=4096\n";
    fs::write(workspace.at("registry/base.kdl"), format!("{registry}{small}")).unwrap();
    let run = |columns: &str, color: &str| {
        let args = ["memory", "--color", color];
        text(&workspace.command(&args).env("COLUMNS", columns).output().unwrap().stdout)
    };
    let colored = run("100", "always");
    assert_snapshot!("cli", "memory_color", colored.replace('\u{1b}', "\\e"));
    assert_eq!(visible(&colored), run("100", "never"));
    assert_snapshot!("cli", "memory_60", run("60", "never"));
    let spoken = workspace.command(&["memory"]).env("NO_GRAPHICS", "1").output().unwrap();
    assert_snapshot!("cli", "memory_screen_reader", text(&spoken.stdout));
}
