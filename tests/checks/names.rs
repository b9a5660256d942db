//! Names that collide in a unit or file name.

use super::{assert_codes, role, single_finding};

const COLLISION: &[&str] = &["name-collision"];

fn warm(name: &str, port: u16) -> String {
    role(name, &format!("port={port}")).replace("\"hot\"", "\"warm\"")
}

#[test]
fn a_backend_collides_with_a_role_of_its_name() {
    assert_codes(COLLISION, &(warm("a", 9000) + &role("a-backend", "port=9001")));
    assert_codes(COLLISION, &(role("a-backend", "port=9001") + &warm("a", 9000)));
    assert_codes(COLLISION, &(warm("a", 9000) + &warm("A-Backend", 9001)));
    assert_codes(&[], &(role("a", "port=9000") + &role("a-backend", "port=9001")));
    let finding = single_finding(&(role("a-backend", "port=9001") + &warm("a", 9000)));
    assert_eq!(finding.subject.unwrap().name, "a", "the finding is about the later item");
    assert_eq!(finding.message, "the backend of role `a` and role `a-backend` would have the same name");
}

#[test]
fn an_instance_collides_with_a_role_of_its_name() {
    assert_codes(COLLISION, &(role("e", "ports=\"9000-9002\"") + &role("e-0", "port=9003")));
    assert_codes(COLLISION, &(role("e", "ports=\"9000-9002\"") + &role("e-2", "port=9003")));
    assert_codes(&[], &(role("e", "ports=\"9000-9002\"") + &role("e-3", "port=9003")));
    assert_codes(&[], &(role("e", "port=9000") + &role("e-0", "port=9003")));
    let backends = warm("e", 9000).replace("port=9000", "ports=\"9000-9002\"");
    assert_codes(COLLISION, &(backends + &role("e-1-backend", "port=9003")));
}

#[test]
fn a_served_role_is_not_named_like_the_prompt_folder() {
    assert_codes(COLLISION, &role("prompt", "port=9000"));
    assert_codes(COLLISION, &role("Prompt", "port=9000"));
    assert_codes(&[], &role("prompts", "port=9000"));
    assert_codes(&[], "role \"prompt\" tier=\"A\" model=\"plain\"");
}

#[test]
fn names_that_differ_only_in_case_collide() {
    assert_codes(COLLISION, &(role("alpha", "port=9000") + &role("Alpha", "port=9001")));
    assert_codes(
        COLLISION,
        "model \"PLAIN\" family=\"qwen2\" title=\"P\" quant=\"q\" size=\"1 GB\" file=\"p\"\nquirk \"q\" models=\"PLAIN\" issue=\"i\"",
    );
    assert_codes(COLLISION, "residency \"HOT\" title=\"t\" start=\"boot\"");
}

#[test]
fn residencies_that_differ_in_a_dash_and_an_underscore_collide() {
    let two = |a: &str, b: &str| {
        format!("residency \"{a}\" title=\"t\" start=\"boot\"\nresidency \"{b}\" title=\"t\" start=\"boot\"")
    };
    assert_codes(COLLISION, &two("on-call", "on_call"));
    assert_codes(&[], &two("on-call", "oncall"));
    // Unit names of roles keep their dashes.
    assert_codes(&[], &(role("a-b", "port=9000") + &role("a_b", "port=9001")));
}
