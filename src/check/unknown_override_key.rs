//! An override key that the engine would ignore.

use super::GroundCheck;
use super::ground::Ground;
use super::overrides::{self, Placed};
use crate::diag::{Diagnostics, NotChecked, Safety, Subject, near, words};
use crate::engine::keys::{KeyVerdict, key, spelled};

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

pub(super) static CHECK: GroundCheck = GroundCheck { code: &UNKNOWN_OVERRIDE_KEY, run };

fn run(ground: &Ground, findings: &mut Diagnostics) {
    overrides::each(ground).for_each(|one| judge(&one, findings));
}

fn judge(one: &Placed, findings: &mut Diagnostics) {
    let (profile, arch, said): (_, &str, _) = (one.profile, &one.family.arch, &one.said.key);
    let mut meant: Option<(String, Safety)> = None;
    let (label, help) = match key(profile, arch, said) {
        KeyVerdict::Known { .. } => return,
        KeyVerdict::NotChecked => {
            let why =
                format!("whether {} knows the key {} is not known", profile.name(), words::quoted(said));
            findings.record_not_checked(NotChecked {
                check: UNKNOWN_OVERRIDE_KEY.name,
                subject: Subject::new(one.kind, one.name),
                why,
            });
            return;
        }
        KeyVerdict::OtherArchitecture { arch: other } => {
            let own = said.strip_prefix(other).map(|rest| format!("{arch}{rest}")).unwrap_or_default();
            let help = format!("write `{}`", words::printable(&own));
            // The family may be the one that is wrong.
            meant = Some((own, Safety::Unsafe));
            (format!("a key of `{other}`"), help)
        }
        KeyVerdict::Unknown => {
            let known = spelled(arch);
            match near(said, known.iter().map(String::as_str)) {
                Some(near) => {
                    meant = near.safety().map(|safety| (near.name.to_owned(), safety));
                    (format!("did you mean `{}`?", near.name), format!("write `{}`", near.name))
                }
                None => (
                    "no build has this key".to_owned(),
                    format!("name a key of `{arch}`, as `{arch}.context_length`"),
                ),
            }
        }
    };
    let message = format!(
        "{} overrides {}, which the engine ignores for `{}`",
        one.owner(),
        words::quoted(said),
        words::printable(arch)
    );
    let finding = UNKNOWN_OVERRIDE_KEY
        .at(said.span, label, message)
        .about(one.kind, one.name)
        .also(one.family.arch.span, format!("the architecture is `{}`", words::printable(arch)));
    let finding = finding.help(help);
    findings.report(match meant {
        Some((key, safety)) => finding.write(&key, said.span, safety),
        None => finding,
    });
}
