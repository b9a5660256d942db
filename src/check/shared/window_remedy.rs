//! The fields `context` and `slots` for options of the engine that have another form there.

use super::faults::FaultyRole;
use crate::diag::Line;
use crate::hir::{EngineOption, Setting};
use crate::source::Span;

/// The field `slots` or `context` for options whose value has another form there, a shared cache and a fitted context, and
/// the place of that field in the role.
pub(super) fn window_line(role: &FaultyRole, option: &EngineOption) -> Option<(Option<Span>, Line)> {
    let (head, serving) = (&role.role.head, role.serving);
    let own = |place: Span| {
        let is_inside =
            place.file == head.span.file && place.start > head.name.span.end && place.end <= head.span.end;
        is_inside.then_some(place)
    };
    let count = serving.slots.value.count;
    let value = option.value.as_ref().map(|value| &value.value);
    let (place, line) = match (option.name.trim_start_matches('-'), value) {
        ("kv-unified" | "kvu", None | Some(Setting::Flag(true))) if count > 1 => {
            let line = Line::of("slots", u64::from(count)).principal("n");
            (serving.slots.span, line.with(Line::of("shared", true)))
        }
        ("fit-ctx" | "fitc", Some(Setting::Integer(least))) => {
            let least = u64::try_from(*least).ok().filter(|least| (1..=1 << 31).contains(least))?;
            let line = Line::of("context", "fit").principal("tokens");
            (serving.context.span, line.with(Line::of("least", least)))
        }
        ("fit", Some(Setting::Text(word))) if &**word == "on" => {
            (serving.context.span, Line::of("context", "fit"))
        }
        _ => return None,
    };
    Some((own(place), line))
}
