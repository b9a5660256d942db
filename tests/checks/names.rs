//! Names that meet in one unit or file.

use super::{gives, only, role};

const MEET: &[&str] = &["name-collision"];

fn warm(name: &str, port: u16) -> String {
    role(name, &format!("port={port}")).replace("\"hot\"", "\"warm\"")
}

#[test]
fn a_backend_meets_a_role_of_its_name() {
    gives(MEET, &(warm("a", 9000) + &role("a-backend", "port=9001")));
    gives(MEET, &(role("a-backend", "port=9001") + &warm("a", 9000)));
    gives(MEET, &(warm("a", 9000) + &warm("A-Backend", 9001)));
    gives(&[], &(role("a", "port=9000") + &role("a-backend", "port=9001")));
    let finding = only(&(role("a-backend", "port=9001") + &warm("a", 9000)));
    assert_eq!(finding.subject.unwrap().name, "a", "said at the later one");
    assert_eq!(finding.message, "the backend of role `a` and role `a-backend` would have one name");
}

#[test]
fn an_instance_meets_a_role_of_its_name() {
    gives(MEET, &(role("e", "ports=\"9000-9002\"") + &role("e-0", "port=9003")));
    gives(MEET, &(role("e", "ports=\"9000-9002\"") + &role("e-2", "port=9003")));
    gives(&[], &(role("e", "ports=\"9000-9002\"") + &role("e-3", "port=9003")));
    gives(&[], &(role("e", "port=9000") + &role("e-0", "port=9003")));
    let backends = warm("e", 9000).replace("port=9000", "ports=\"9000-9002\"");
    gives(MEET, &(backends + &role("e-1-backend", "port=9003")));
}

#[test]
fn a_role_is_not_called_as_the_folder_of_commands() {
    gives(MEET, &role("prompt", "port=9000"));
    gives(MEET, &role("Prompt", "port=9000"));
    gives(&[], &role("prompts", "port=9000"));
    gives(&[], "role \"prompt\" tier=\"A\" model=\"plain\"");
}

#[test]
fn names_that_differ_only_in_case_meet() {
    gives(MEET, &(role("alpha", "port=9000") + &role("Alpha", "port=9001")));
    gives(
        MEET,
        "model \"PLAIN\" family=\"qwen2\" title=\"P\" quant=\"q\" size=\"1 GB\" file=\"p\"\nquirk \"q\" models=\"PLAIN\" issue=\"i\"",
    );
    gives(MEET, "residency \"HOT\" title=\"t\" start=\"boot\"");
}

#[test]
fn residencies_meet_where_a_dash_is_folded() {
    let two = |a: &str, b: &str| {
        format!("residency \"{a}\" title=\"t\" start=\"boot\"\nresidency \"{b}\" title=\"t\" start=\"boot\"")
    };
    gives(MEET, &two("on-call", "on_call"));
    gives(&[], &two("on-call", "oncall"));
    // The units of roles keep their dashes.
    gives(&[], &(role("a-b", "port=9000") + &role("a_b", "port=9001")));
}
