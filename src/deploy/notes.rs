//! Facts of a host that the user should know before a plan is applied.

use super::plan::PlanInput;
use super::steps::Step;
use std::collections::BTreeSet;

/// Facts of the host that matter for the plan.
pub(super) fn notes(input: &PlanInput<'_>, steps: &[Step]) -> Vec<String> {
    let touched: BTreeSet<&String> = steps.iter().flat_map(|step| &step.units).collect();
    let mut notes = lower_limits(input);
    for (name, unit) in &input.seen.units {
        if unit.state.load == "masked"
            && input.new.processes().any(|process| process.units().any(|unit| unit == name))
        {
            notes.push(format!("`{name}` is masked and cannot start: unmask it"));
        }
        for drop_in in unit.state.drop_ins.iter().filter(|_| touched.contains(name)) {
            notes.push(format!("`{name}` has the drop-in {drop_in}, which stays and changes its settings"));
        }
    }
    notes
}

/// Slices whose memory limit falls. It applies at once, before the processes in them restart.
fn lower_limits(input: &PlanInput<'_>) -> Vec<String> {
    let limit = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let line = text.lines().find_map(|line| line.strip_prefix("MemoryMax=").map(str::to_owned));
        line.and_then(|value| value.parse::<u64>().ok())
    };
    let files = input.new.installed_files();
    let slices = files.iter().filter(|(key, _)| matches!(key.rsplit_once('.'), Some((_, "slice"))));
    let falls = slices.filter_map(|(key, file)| {
        let old = input.seen.installed.get(key)?;
        let new = limit(&file.bytes)?;
        let is_lower = limit(&old.bytes).is_none_or(|old| new < old);
        is_lower.then(|| key.trim_start_matches("units/").to_owned())
    });
    falls
        .map(|slice| {
            format!("the memory limit of `{slice}` falls at the reload, before the roles in it restart")
        })
        .collect()
}
