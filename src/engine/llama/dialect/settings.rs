//! Writes the fields of a role that are plain options of the engine.

use super::argv::{ArgvBuilder, Origin};
use super::{Intent, OverrideValue};
use crate::engine::options::{Owner, ROWS, Setter};
use std::sync::Arc;

/// Writes each field with all options whose row names it.
pub(super) fn write(argv: &mut ArgvBuilder<'_>, settings: &[(Owner, OverrideValue<'_>)]) {
    for (at, (field, value)) in settings.iter().enumerate() {
        for setter in setters(*field) {
            write_one(argv, (Intent::Setting(at), field.field), setter, *value);
        }
    }
}

/// Writes each field whose options the program has, and lists the other options as left out.
pub(super) fn write_possible(argv: &mut ArgvBuilder<'_>, settings: &[(Owner, OverrideValue<'_>)]) {
    for (at, (field, value)) in settings.iter().enumerate() {
        for setter in setters(*field) {
            if argv.find_option(setter.spellings).is_some() {
                write_one(argv, (Intent::Setting(at), field.field), setter, *value);
            } else {
                argv.left_out.extend(setter.spellings.last().map(|name| Arc::from(*name)));
            }
        }
    }
}

/// The options that a field, or the part of it, sets.
fn setters(field: Owner) -> impl Iterator<Item = Setter> {
    ROWS.iter().filter_map(|row| row.setter).filter(move |setter| setter.is_set_by(field))
}

fn write_one(argv: &mut ArgvBuilder<'_>, origin: Origin, setter: Setter, value: OverrideValue<'_>) {
    let text = setter.text(value);
    let switch = argv.find_option(setter.spellings).filter(|(_, option)| option.arity() == 0);
    match (switch, &*text) {
        (None, _) => {
            argv.write_option(origin, setter.spellings, text);
        }
        (Some(_), "on" | "true") => argv.write_flag(origin, setter.spellings),
        // A switch without a negative form is off by default.
        (Some((_, option)), "off" | "false") => {
            argv.written.push((option, origin.1));
            if let Some(negative) = option.negative.first() {
                argv.push(option, negative.clone().into(), None);
            }
        }
        (Some((spelling, _)), _) => {
            let why = format!("`{spelling}` of {} is a switch: only on and off are possible", argv.build());
            argv.add_error(origin.0, why);
        }
    }
}
