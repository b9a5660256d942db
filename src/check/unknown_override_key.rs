//! An override key that the engine ignores.

use super::overrides::{self, DeclaredOverride};
use crate::derive::Derived;
use crate::diag::{Diagnostics, Safety, suggest, words};
use crate::engine::keys::{KeyVerdict, check_key, keys_for_architecture};

declare_code! {
    /// ## What it finds
    /// A metadata override with a key that the engine does not use for the model's architecture.
    ///
    /// ## Why
    /// The engine silently ignores a key that starts with another architecture, and a key that no build ever had. The
    /// server starts and uses the value of the file.
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
    pub(super) static UNKNOWN_OVERRIDE_KEY = 305, "unknown-override-key", Error;
}

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    overrides::each(derived).for_each(|one| check_one(&one, findings));
}

fn check_one(one: &DeclaredOverride, findings: &mut Diagnostics) {
    let (profile, arch, written): (_, &str, _) = (one.profile, &one.family.arch, &one.entry.key);
    let mut suggestion: Option<(String, Safety)> = None;
    let (label, help) = match check_key(profile, arch, written) {
        KeyVerdict::Known { .. } => return,
        KeyVerdict::NotChecked => {
            let why = format!("it is unknown if {} has the key {}", profile.name(), words::quoted(written));
            findings.skip(&UNKNOWN_OVERRIDE_KEY, (one.kind, one.name), why);
            return;
        }
        KeyVerdict::OtherArchitecture { arch: other } => {
            let own = written.strip_prefix(other).map(|rest| format!("{arch}{rest}")).unwrap_or_default();
            let help = format!("write `{}`", words::printable(&own));
            // The `arch` of the family could be the wrong value.
            suggestion = Some((own, Safety::Unsafe));
            (format!("a key of `{other}`"), help)
        }
        KeyVerdict::Unknown => {
            let known = keys_for_architecture(arch);
            match suggest(written, known.iter().map(String::as_str)) {
                Some(near) => {
                    suggestion = near.safety().map(|safety| (near.name.to_owned(), safety));
                    (format!("did you mean `{}`?", near.name), format!("write `{}`", near.name))
                }
                None => (
                    "no build has this key".to_owned(),
                    format!("use a key of `{arch}`, such as `{arch}.context_length`"),
                ),
            }
        }
    };
    let message = format!(
        "{} overrides {}, which the engine ignores for the architecture `{}`",
        one.owner(),
        words::quoted(written),
        words::printable(arch)
    );
    let finding = UNKNOWN_OVERRIDE_KEY
        .at(written.span, label, message)
        .about((one.kind, one.name))
        .also(one.family.arch.span, format!("the architecture is `{}`", words::printable(arch)));
    let finding = finding.help(help);
    findings.report(match suggestion {
        Some((key, safety)) => finding.suggest_word(&key, written.span, safety),
        None => finding,
    });
}
