//! Merges the `defaults` of the stack into a role. The role wins: options, overrides and variables are replaced by name,
//! `placement` by field, and other fields as a whole.

use super::defaults::Defaults;
use super::engine_word::EngineWords;
use super::names::ItemRef;
use super::record::Record;
use super::serving;
use super::typed_value::TypedValue;
use crate::diag::{Change, Diagnostic, Diagnostics, words};
use crate::hir::codes::{CONFLICTING_FIELDS, UNKNOWN_NAME};
use crate::hir::{Text, UnusedDefault};
use crate::source::{Span, Spanned};
use std::cell::Cell;
use std::collections::BTreeSet;

/// The defaults of the stack, and which of them a role takes.
pub(super) struct Merge<'d> {
    record: &'d Record,
    values: Vec<DefaultValue<'d>>,
    option_title: fn(&str) -> Option<&'static str>,
    /// True if there is any role.
    has_roles: Cell<bool>,
    /// True if a role could not be read: it may take any default.
    is_any_unread: Cell<bool>,
}

/// A value of the defaults that a role takes or replaces.
struct DefaultValue<'d> {
    field: &'static str,
    part: Part<'d>,
    is_used: Cell<bool>,
}

/// The unit of merging: a whole field, or a part with a name.
enum Part<'d> {
    Field(&'d Spanned<TypedValue>),
    /// One `option` or `override`, with its name as written.
    Named(Text, &'d Spanned<TypedValue>),
    /// A variable of `env`.
    Variable(&'d (Text, Text), Span),
    /// A field of `placement`.
    Inner(&'static str, &'d Spanned<TypedValue>, Span),
}

impl Part<'_> {
    fn name<'n>(&'n self, field: &'n str) -> &'n str {
        match self {
            Self::Field(_) => field,
            Self::Named(name, _) | Self::Variable((name, _), _) => name,
            Self::Inner(name, ..) => name,
        }
    }

    /// The place of the name, or of the value of a whole field.
    fn place(&self) -> Span {
        match self {
            Self::Field(value) | Self::Inner(_, value, _) => value.span,
            Self::Named(name, _) | Self::Variable((name, _), _) => name.span,
        }
    }
}

/// Fields whose parts are merged by name, and the fields of their entries.
const BLOCKS: &[(&str, &str)] =
    &[("options", "option"), ("overrides", "override"), ("placement", "placement"), ("env", "env")];

/// The field with the name in a block that merges by name.
fn name_field(field: &str) -> Option<&'static str> {
    match field {
        "option" => Some("name"),
        "override" => Some("key"),
        _ => None,
    }
}

impl<'d> Merge<'d> {
    pub(super) fn new(defaults: &'d Defaults, engine: EngineWords) -> Self {
        let record = &defaults.record;
        let mut values = Vec::new();
        let mut add = |field, part| values.push(DefaultValue { field, part, is_used: Cell::new(false) });
        for (field, value) in record.entries().filter(|(field, _)| *field != "store") {
            if let TypedValue::Map(entries) = &value.value {
                for entry in entries {
                    add(*field, Part::Variable(entry, value.span));
                }
            } else if let TypedValue::Block(block) = &value.value
                && *field == "placement"
            {
                for (name, inner) in block.entries() {
                    add(*field, Part::Inner(name, inner, value.span));
                }
            } else if let TypedValue::Block(block) = &value.value
                && let Some(name) = name_field(field).and_then(|name| block.peek_text(name))
            {
                add(*field, Part::Named(name, value));
            } else {
                add(*field, Part::Field(value));
            }
        }
        let (has_roles, is_any_unread) = (Cell::new(false), Cell::new(false));
        Self { record, values, option_title: engine.title, has_roles, is_any_unread }
    }

    /// Adds the defaults that a role does not replace or remove. `is_wanted` selects the fields that it can use.
    pub(super) fn fill(
        &self,
        record: &mut Record,
        is_wanted: impl Fn(&str) -> bool,
        owner: &ItemRef,
        findings: &mut Diagnostics,
    ) {
        let unset: Vec<Text> =
            record.take_values("unset").into_iter().filter_map(Spanned::<TypedValue>::into_text).collect();
        self.report_unset(&unset, (record, &is_wanted), owner, findings);
        self.has_roles.set(true);
        self.is_any_unread.set(self.is_any_unread.get() || record.is_unread());
        let is_kept = |value: &&DefaultValue| {
            is_wanted(value.field)
                && !self.is_own(record, value)
                && !unset.iter().any(|name| self.is_same(value, name))
        };
        // The role does not replace a part because of another part of the same field.
        let kept: Vec<&DefaultValue> = self.values.iter().filter(is_kept).collect();
        for DefaultValue { field, part, is_used } in kept {
            is_used.set(true);
            match part {
                Part::Field(value) | Part::Named(_, value) => record.add(field, (*value).clone()),
                Part::Variable(entry, span) => record.add_to_map(field, (*entry).clone(), *span),
                Part::Inner(name, value, span) => record.add_to_block(field, (name, (*value).clone()), *span),
            }
        }
        record.join_reported(self.record);
    }

    /// True if the role sets the value itself, or a finding explains why not.
    fn is_own(&self, record: &Record, DefaultValue { field, part, .. }: &DefaultValue) -> bool {
        match part {
            Part::Field(_) => record.has_or_reported(field),
            Part::Named(name, _) => {
                let mut own = record.blocks(field).filter_map(|own| own.peek_text(name_field(field)?));
                own.any(|own| self.is_same_name(field, name, &own))
            }
            Part::Variable((name, _), _) => match record.peek(field).map(|own| &own.value) {
                Some(TypedValue::Map(own)) => own.iter().any(|(own, _)| own.value == name.value),
                _ => false,
            },
            Part::Inner(name, ..) => {
                record.is_reported(field) || record.blocks(field).any(|own| own.has_or_reported(name))
            }
        }
    }

    /// True if the name means this default.
    fn is_same(&self, value: &DefaultValue, name: &str) -> bool {
        let is_whole = value.field == name && !matches!(value.field, "option" | "override");
        is_whole || self.is_same_name(value.field, value.part.name(value.field), name)
    }

    /// Compares names. An option has several: `temp`, `--temp` and `temperature`.
    fn is_same_name(&self, field: &str, a: &str, b: &str) -> bool {
        if field != "option" || a == b {
            return a == b;
        }
        let bare = |name: &str| name.trim_start_matches('-').replace('_', "-");
        let title = self.option_title;
        bare(a) == bare(b) || title(a).is_some_and(|name| title(b) == Some(name))
    }

    /// Reports each `unset` that removes nothing.
    fn report_unset(
        &self,
        unset: &[Text],
        (record, is_wanted): (&Record, &impl Fn(&str) -> bool),
        owner: &ItemRef,
        findings: &mut Diagnostics,
    ) {
        let readable: Vec<&Text> = unset.iter().filter(|name| !self.may_be_unread(name, findings)).collect();
        for name in readable {
            let mut same = self.values.iter().filter(|value| self.is_same(value, name)).peekable();
            if same.peek().is_none() {
                owner.report(self.unknown_unset(name, owner), findings);
            } else if same.all(|value| !is_wanted(value.field) || self.is_own(record, value)) {
                let shown = words::quoted(name);
                let message =
                    format!("{} unsets {shown}, but it does not take this default", owner.describe());
                let finding = CONFLICTING_FIELDS.at(name.span, "has no effect", message);
                owner.report(
                    finding.remedy("remove `{}`", Change::RemoveValue { place: name.span }),
                    findings,
                );
            }
        }
    }

    /// True if the name may mean a default that could not be read (already reported).
    fn may_be_unread(&self, name: &str, findings: &Diagnostics) -> bool {
        let is_reported = |field: &str| self.record.is_reported(field);
        // A map of names is never in the record, only its entries are.
        let is_map = |field: &str| matches!(field, "options" | "overrides");
        name.split('.').any(|part| !is_map(part) && is_reported(part))
            || BLOCKS
                .iter()
                .any(|(map, field)| is_reported(field) || findings.has_errors() && is_reported(map))
            || self.record.blocks("placement").any(|block| block.is_reported(name))
    }

    /// The finding for an `unset` of a name that no default has.
    fn unknown_unset(&self, name: &Text, owner: &ItemRef) -> Diagnostic {
        let (owner, shown) = (owner.describe(), words::quoted(name));
        let meant: Vec<&str> = self.meant(name).into_iter().collect();
        let [first, rest @ ..] = meant.as_slice() else {
            let message = format!("{owner} unsets {shown}, which `defaults` do not set");
            let finding = UNKNOWN_NAME.at(name.span, "not a default", message);
            return finding.remedy("remove `{}`", Change::RemoveValue { place: name.span });
        };
        let message = format!("{owner} unsets {shown}, which is not the name of a default");
        let finding = UNKNOWN_NAME.at(name.span, "expected the name of one default", message);
        if rest.is_empty() {
            let change = Change::Word { span: name.span, replacement: (*first).to_owned() };
            return finding.remedy("write `{}`", change);
        }
        let names: Vec<String> = meant.iter().map(|name| words::quoted(name)).collect();
        finding.help(format!("name each default that the role does not take: {}", words::all_of(&names)))
    }

    /// The names of the defaults that a block, or a path with a dot, means: `numa` for `placement.numa`.
    fn meant(&self, name: &str) -> BTreeSet<&str> {
        let (block, part) = name.split_once('.').map_or((name, None), |(block, part)| (block, Some(part)));
        let field = BLOCKS.iter().find(|(plural, _)| *plural == block).map_or(block, |(_, field)| field);
        let is_part = |value: &&DefaultValue| {
            let has_name = |part| self.is_same_name(field, value.part.name(field), part);
            part.is_none_or(|part| matches!(value.part, Part::Field(_)) || has_name(part))
        };
        let values = self.values.iter().filter(|value| value.field == field).filter(is_part);
        values.map(|value| value.part.name(value.field)).collect()
    }

    /// The defaults that no role takes.
    pub(super) fn unused(&self) -> Vec<UnusedDefault> {
        if !self.has_roles.get() || self.is_any_unread.get() || self.record.is_unread() {
            return Vec::new();
        }
        let unused = self.values.iter().filter(|value| !value.is_used.get());
        let unused = unused.map(|DefaultValue { field, part, .. }| {
            let name = part.name(field);
            let name = if name == *field { None } else { Some(name.into()) };
            let option = if let Part::Named(_, Spanned { value: TypedValue::Block(block), .. }) = part
                && *field == "option"
            {
                serving::option(&mut (**block).clone())
            } else {
                None
            };
            UnusedDefault { field, name: Spanned::new(name, part.place()), option }
        });
        unused.collect()
    }
}
