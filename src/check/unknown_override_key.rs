//! An override key that the engine would ignore.

use super::{Check, profile_of};
use crate::diag::{Diagnostics, NotChecked, Subject, nearest, words};
use crate::engine::Profile;
use crate::engine::keys::{KeyVerdict, key, spelled};
use crate::hir::{Family, Override, Registry};

declare_code! {
    /// ## What it finds
    /// A metadata override whose key the engine does not know for the model's architecture.
    ///
    /// ## Why
    /// A key with another architecture before its first dot, or one that no build ever had, is ignored in silence: the server
    /// starts, answers, and serves with the file's value.
    ///
    /// ## Example
    /// ```yaml
    /// roles:
    ///   extra:
    ///     {tier: A, residency: hot, model: mixture, port: 9000, context: 4096, override: {key: qwen3next.expert_used_count, value: 4}}
    /// ```
    ///
    /// ## Instead
    /// ```yaml
    /// roles:
    ///   extra:
    ///     {tier: A, residency: hot, model: mixture, port: 9000, context: 4096, override: {key: qwen3moe.expert_used_count, value: 4}}
    /// ```
    static UNKNOWN_OVERRIDE_KEY = 305, "unknown-override-key", Error;
}

pub(super) static CHECK: Check = Check { code: &UNKNOWN_OVERRIDE_KEY, run };

/// The item whose overrides are read.
struct Owner<'r> {
    kind: &'static str,
    name: &'r str,
    family: &'r Family,
}

fn run(registry: &Registry, findings: &mut Diagnostics) {
    let pinned = registry
        .stack
        .engine
        .and_then(|engine| Profile::built_in(&registry.engines.get(engine.value).profile));
    for family in registry.families.iter() {
        let Some(profile) = pinned else { continue };
        let owner = Owner { kind: "family", name: &family.head.name, family };
        family.overrides.iter().for_each(|one| judge(&owner, profile, one, findings));
    }
    for role in registry.roles.iter() {
        let Some(serving) = role.serving() else { continue };
        let Some(profile) = profile_of(registry, serving) else { continue };
        let family = registry.families.get(registry.models.get(serving.model.value).family.value);
        let owner = Owner { kind: "role", name: &role.head.name, family };
        serving.overrides.iter().for_each(|one| judge(&owner, profile, one, findings));
    }
}

fn judge(owner: &Owner, profile: &Profile, one: &Override, findings: &mut Diagnostics) {
    let arch: &str = &owner.family.arch;
    let by = format!("{} {}", owner.kind, words::quoted(owner.name));
    let (label, help) = match key(profile, arch, &one.key) {
        KeyVerdict::Known { .. } => return,
        KeyVerdict::NotChecked => {
            let why =
                format!("whether {} knows the key {} is not known", profile.name(), words::quoted(&one.key));
            findings.leave(NotChecked {
                check: UNKNOWN_OVERRIDE_KEY.name,
                subject: Subject::new(owner.kind, owner.name),
                why,
            });
            return;
        }
        KeyVerdict::OtherArchitecture { arch: other } => {
            let own = one.key.strip_prefix(other).map(|rest| format!("{arch}{rest}")).unwrap_or_default();
            (format!("a key of `{other}`"), format!("write `{}`", words::printable(&own)))
        }
        KeyVerdict::Unknown => {
            let known = spelled(arch);
            match nearest(&one.key, known.iter().map(String::as_str)) {
                Some(near) => (format!("did you mean `{near}`?"), format!("write `{near}`")),
                None => (
                    "no build has this key".to_owned(),
                    format!("name a key of `{arch}`, as `{arch}.context_length`"),
                ),
            }
        }
    };
    let message = format!(
        "{by} overrides {}, which the engine ignores for `{}`",
        words::quoted(&one.key),
        words::printable(arch)
    );
    let finding = UNKNOWN_OVERRIDE_KEY
        .at(one.key.span, label, message)
        .about(owner.kind, owner.name)
        .also(owner.family.arch.span, format!("the architecture is `{}`", words::printable(arch)));
    findings.say(finding.help(help));
}
