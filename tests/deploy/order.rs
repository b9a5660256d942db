//! Orders in which old and new processes fit together at each step.

use super::model::tree;
use orchgen::deploy::{Action, HostPlan, PlanInput, Seen, Target, Tree, TreeFile, plan_host};
use orchgen::render::deployment::{
    DeployedHost, DeployedMemory, DeployedProcess, DeployedRole, Deployment, Place,
};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// The plan between two outputs, if all services of the old one run.
pub(crate) fn plan(old: &Tree, new: &Tree) -> HostPlan {
    let target = |tree| Target { tree, host: tree.host(None) };
    let (old, new) = (target(old), target(new));
    let seen = Seen::assumed(old.tree, old.host.unwrap());
    let known = [old.installed_files()];
    plan_host(&PlanInput { old, new, seen: &seen, known: &known })
}

/// The units of the steps that start something, in order.
fn starts(plan: &HostPlan) -> Vec<String> {
    let is_start = |action| matches!(action, Action::Restart | Action::Start | Action::Load);
    plan.steps.iter().filter(|step| is_start(step.action)).flat_map(|step| step.units.clone()).collect()
}

const SIZES: &str = r#"model "m60" file="m60.gguf" arch="qwen2" size="60 GB"
model "n60" file="n60.gguf" arch="qwen2" size="60 GB"
model "m15" file="m15.gguf" arch="qwen2" size="15 GB"
model "n15" file="n15.gguf" arch="qwen2" size="15 GB"
model "m50" file="m50.gguf" arch="qwen2" size="50 GB"
model "m40" file="m40.gguf" arch="qwen2" size="40 GB"
model "n45" file="n45.gguf" arch="qwen2" size="45 GB"
"#;

fn sized(roles: &str) -> Tree {
    tree(&format!("{SIZES}{roles}"))
}

#[test]
fn the_order_is_that_of_declaration_if_it_fits() {
    let old = sized("role \"one\" model=\"m15\" port=1001\nrole \"two\" model=\"m40\" port=1002");
    let new = sized("role \"one\" model=\"n15\" port=1001\nrole \"two\" model=\"n45\" port=1002");
    let plan = plan(&old, &new);
    assert_eq!(starts(&plan), ["rig-one.service", "rig-two.service"]);
    assert!(plan.reorders.is_empty() && plan.fits());
}

#[test]
fn a_role_that_frees_memory_goes_first() {
    let old = sized("role \"grows\" model=\"m15\" port=1001\nrole \"shrinks\" model=\"n60\" port=1002");
    let new = sized("role \"grows\" model=\"m60\" port=1001\nrole \"shrinks\" model=\"n15\" port=1002");
    let plan = plan(&old, &new);
    assert_eq!(
        starts(&plan),
        ["rig-shrinks.service", "rig-grows.service"],
        "60 and 60 GB do not fit into 95 GB"
    );
    let reorder = &plan.reorders[0];
    assert_eq!(
        (&*reorder.first, &*reorder.unit, &*reorder.lacks),
        ("rig-shrinks.service", "rig-grows.service", "RAM")
    );
    assert!(!reorder.stops);
    let ram = &plan.memory[0];
    assert_eq!(
        (ram.before, ram.peak, ram.after, ram.fits),
        (75_000_000_000, 75_000_000_000, 75_000_000_000, true)
    );
}

#[test]
fn a_removed_role_frees_memory_before_a_new_one_starts() {
    let old = sized("role \"goes\" model=\"m60\" port=1001");
    let new = sized("role \"comes\" model=\"n60\" port=1001");
    let plan = plan(&old, &new);
    assert_eq!(plan.steps[0].action, Action::Stop);
    assert_eq!(plan.steps[0].units, ["rig-goes.service"]);
    assert!(plan.fits());
}

#[test]
fn a_role_stops_early_if_no_order_of_restarts_fits() {
    let old = sized("role \"one\" model=\"m15\" port=1001\nrole \"two\" model=\"m15\" port=1002");
    let new = sized("role \"one\" model=\"m15\" port=1002\nrole \"two\" model=\"m15\" port=1001");
    let plan = plan(&old, &new);
    let steps: Vec<(Action, &str)> = plan
        .steps
        .iter()
        .filter(|step| step.role.is_some())
        .map(|step| (step.action, &*step.units[0]))
        .collect();
    let expected = [
        (Action::Stop, "rig-two.service"),
        (Action::Restart, "rig-one.service"),
        (Action::Start, "rig-two.service"),
    ];
    assert_eq!(steps, expected, "they exchange their ports");
    assert!(plan.reorders[0].stops && plan.reorders[0].lacks == "port 1002");
    let down = |name: &str| plan.roles.iter().find(|role| role.name == name).unwrap().down_seconds.unwrap();
    assert!(down("two") > down("one") + 15.0, "it waits for the restart of the other one");
}

#[test]
fn a_model_that_grows_in_its_file_counts_before_and_afterwards() {
    let old = sized("role \"one\" model=\"m15\" port=1001");
    let larger = SIZES.replace("size=\"15 GB\"", "size=\"30 GB\"");
    let new = tree(&format!("{larger}role \"one\" model=\"m15\" port=1001"));
    let plan = plan(&old, &new);
    let ram = &plan.memory[0];
    assert_eq!((ram.before, ram.after), (15_000_000_000, 30_000_000_000));
    assert_eq!(starts(&plan), Vec::<String>::new(), "the process goes on");
}

#[test]
fn output_that_never_fits_is_reported() {
    let old = sized("role \"one\" model=\"m15\" port=1001");
    let mut new = sized("role \"one\" model=\"m60\" port=1001");
    new.deployment.hosts[0].places[0].bytes = Some(20_000_000_000);
    let plan = plan(&old, &new);
    assert!(!plan.fits());
    assert_eq!(starts(&plan), ["rig-one.service"]);
}

/// A process of a host with 100 bytes of memory and some ports.
#[derive(Clone, Debug)]
struct Small {
    old: Option<(u64, u16)>,
    new: Option<(u64, u16)>,
}

fn host(all: &[Small], side: impl Fn(&Small) -> Option<(u64, u16)>) -> Tree {
    let mut files = BTreeMap::new();
    let mut roles = Vec::new();
    for (number, small) in all.iter().enumerate() {
        let Some((bytes, port)) = side(small) else { continue };
        let unit = format!("s-r{number}.service");
        let text = format!("ExecStart={bytes} {port}\n").into_bytes();
        files.insert(format!("systemd/{unit}"), TreeFile { bytes: text, executable: false });
        let memory = vec![DeployedMemory { place: "RAM".to_owned(), bytes, file: None }];
        let process = DeployedProcess {
            unit,
            port,
            memory,
            address: "127.0.0.1".to_owned(),
            ..DeployedProcess::default()
        };
        let name = format!("r{number}");
        roles.push(DeployedRole {
            name,
            kind: "role".to_owned(),
            processes: vec![process],
            ..DeployedRole::default()
        });
    }
    let places = vec![Place { name: "RAM".to_owned(), bytes: Some(100) }];
    let host = DeployedHost {
        name: "h".to_owned(),
        units: Some("systemd".to_owned()),
        places,
        roles,
        ..DeployedHost::default()
    };
    let deployment = Deployment {
        format_version: 1,
        stack: "s".to_owned(),
        scope: "system".to_owned(),
        hosts: vec![host],
    };
    files.insert(
        "deploy.json".to_owned(),
        TreeFile { bytes: serde_json::to_vec(&deployment).unwrap(), executable: false },
    );
    Tree::new(files, "the test").unwrap()
}

/// Plays the steps. Returns the largest sum, and asserts that no two processes have the same port.
fn play(plan: &HostPlan, old: &Tree, new: &Tree) -> (u64, BTreeMap<String, (u64, u16)>) {
    let all = |tree: &Tree| -> BTreeMap<String, (u64, u16)> {
        let roles = tree.deployment.hosts[0].roles.iter().flat_map(|role| &role.processes);
        roles.map(|process| (process.unit.clone(), (process.memory[0].bytes, process.port))).collect()
    };
    let (mut running, target) = (all(old), all(new));
    let sum = |running: &BTreeMap<String, (u64, u16)>| running.values().map(|(bytes, _)| *bytes).sum::<u64>();
    let mut peak = sum(&running);
    for step in &plan.steps {
        for unit in &step.units {
            match step.action {
                Action::Stop => assert!(running.remove(unit).is_some(), "{unit} stops twice: {plan:#?}"),
                Action::Start | Action::Restart => {
                    let was_up = running.remove(unit).is_some();
                    assert_eq!(was_up, step.action == Action::Restart, "{unit}: {plan:#?}");
                    let (bytes, port) = target[unit];
                    let is_free = running.values().all(|(_, other)| *other != port);
                    assert!(is_free, "port {port} is in use when {unit} starts: {plan:#?}");
                    running.insert(unit.clone(), (bytes, port));
                    peak = peak.max(sum(&running));
                }
                Action::Install | Action::Reload | Action::Load | Action::Enable => {}
            }
        }
    }
    (peak, running)
}

proptest! {
    #[test]
    fn every_order_ends_with_the_new_output_and_never_takes_more_than_needed(
        parts in prop::collection::vec((prop::option::of(1_u64..60), prop::option::of(1_u64..60), any::<bool>()), 1..9),
        ports in Just((1_u16..9).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let small = |(number, (old, new, moves)): (usize, &(Option<u64>, Option<u64>, bool))| {
            let port = u16::try_from(number + 1).unwrap();
            let after = if *moves { ports[number] } else { port };
            Small { old: old.map(|bytes| (bytes, port)), new: new.map(|bytes| (bytes, after)) }
        };
        let mut all: Vec<Small> = parts.iter().enumerate().map(small).collect();
        // Two processes of the new output never have the same port.
        let mut taken = std::collections::BTreeSet::new();
        for small in &mut all {
            if small.new.is_some_and(|(_, port)| !taken.insert(port)) {
                small.new = None;
            }
        }
        let (old, new) = (host(&all, |small| small.old), host(&all, |small| small.new));
        let plan = plan(&old, &new);
        let (peak, running) = play(&plan, &old, &new);
        let sum = |side: &dyn Fn(&Small) -> Option<(u64, u16)>| all.iter().filter_map(side).map(|(bytes, _)| bytes).sum::<u64>();
        let limit = 100.max(sum(&|small| small.old)).max(sum(&|small| small.new));
        prop_assert!(peak <= limit, "{} of {}: {:#?}", peak, limit, plan);
        let ends: Vec<(u64, u16)> = all.iter().filter_map(|small| small.new).collect();
        prop_assert_eq!(running.into_values().collect::<Vec<_>>(), ends);
    }
}
