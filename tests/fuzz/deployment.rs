//! Properties of any two descriptions of units: they are read or rejected, and a plan between them ends.

use orchgen::deploy::{PlanInput, Seen, Target, Tree, TreeFile, plan_host};
use orchgen::render::deployment::DeployedHost;
use std::collections::BTreeMap;

/// Plans between two texts of `deploy.json`, which a NUL separates.
pub(crate) fn check_pair(text: &str) {
    let (old, new) = text.split_once('\0').unwrap_or((text, text));
    let (Some(old), Some(new)) = (tree(old), tree(new)) else { return };
    for host in &new.deployment.hosts {
        let before = old.deployment.hosts.first();
        check((&old, before), (&new, Some(host)));
        check((&new, Some(host)), (&old, before));
        check((&new, Some(host)), (&new, Some(host)));
    }
}

/// The output with this description, and a unit file that none of it names.
fn tree(text: &str) -> Option<Tree> {
    let file = |text: &str| TreeFile { bytes: text.as_bytes().to_vec(), executable: false };
    let files = [("deploy.json", file(text)), ("systemd/s-a.service", file("[Service]\nExecStart=/a"))];
    Tree::new(files.into_iter().map(|(path, file)| (path.to_owned(), file)).collect(), "the text").ok()
}

fn check(old: (&Tree, Option<&DeployedHost>), new: (&Tree, Option<&DeployedHost>)) {
    let target = |(tree, host)| Target { tree, host };
    let (old, new) = (target(old), target(new));
    let seen = old.host.map_or_else(Seen::nothing, |host| Seen::assumed(old.tree, host));
    let known: [BTreeMap<String, &TreeFile>; 1] = [old.installed_files()];
    let plan = plan_host(&PlanInput { old, new, seen: &seen, known: &known });
    assert_eq!(plan.id.len(), 12);
    assert!(serde_json::to_string(&plan).is_ok());
    for unit in plan.steps.iter().flat_map(|step| &step.units) {
        // It becomes an argument of systemctl, and a path.
        assert!(!unit.starts_with('-') && !unit.contains(['/', ' ']) && !unit.is_empty(), "{unit:?}");
    }
}
