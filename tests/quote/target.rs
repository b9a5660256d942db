//! A new output target needs a template or a writer, and nothing in other targets.

use crate::support::compile;
use orchgen::plan::{Plan, plan};
use orchgen::render::template::Template;
use orchgen::render::{ArtifactCollector, OutputTarget, RenderError, render_targets, templates_of};
use serde_json::json;

static TEMPLATE: Template =
    Template::new("hosts/roles.sh.j2", "{% for role in roles %}\nserve {{ role }}\n{% endfor %}\n");
static ROLES: OutputTarget = OutputTarget::new("roles", &[&TEMPLATE], roles);

fn roles<'p>(plan: &'p Plan, collector: &mut ArtifactCollector<'p>) {
    let names = || plan.roles.iter().map(|role| format!("{}'s", role.name)).collect::<Vec<_>>();
    collector.file("roles/all".to_owned(), &TEMPLATE, move || Ok(json!({"roles": names()})));
    collector.text("roles/stack.txt".to_owned(), || Ok(plan.stack.to_string()));
}

fn outside<'p>(_: &'p Plan, collector: &mut ArtifactCollector<'p>) {
    collector.text("../roles".to_owned(), || Ok(String::new()));
}

/// The files of targets: path, text, and true if the file is executable.
fn files(targets: &[&'static OutputTarget]) -> Result<Vec<(String, String, bool)>, RenderError> {
    let compiled = compile(&[("kitchen.kdl", include_str!("../documents/small.kdl"))]);
    let (plan, templates) = (plan(compiled.checked().clone()), templates_of(targets.iter().copied()));
    let set = render_targets(&plan, &templates, targets.iter().copied())?;
    set.iter()
        .map(|artifact| Ok((artifact.path().to_string(), artifact.text()?, artifact.is_executable())))
        .collect()
}

#[test]
fn a_target_is_a_template_or_a_writer_and_one_entry() {
    let [(script, text, true), (writer, stack, false)] = &files(&[&ROLES]).unwrap()[..] else {
        panic!("two files, and the script is executable")
    };
    assert_eq!((&**script, &**writer), ("roles/all", "roles/stack.txt"));
    assert!(text.starts_with("serve \"") && text.ends_with("'s\"\n"), "{text}");
    assert!(!stack.is_empty());
}

#[test]
fn two_files_with_one_path_and_a_path_outside_the_folder_are_errors() {
    static OUTSIDE: OutputTarget = OutputTarget::new("..", &[], outside);
    static OTHER: OutputTarget = OutputTarget::new("role", &[], roles);
    assert!(files(&[&ROLES, &ROLES]).unwrap_err().to_string().contains("cannot render roles/all"));
    for target in [&OUTSIDE, &OTHER] {
        assert!(files(&[target]).unwrap_err().to_string().contains("outside the folder"));
    }
}
