//! Unused items.

use crate::source::Spanned;

use super::{Engine, EngineOption, Family, Gateway, Id, Model, Residency};

/// Items without a reference from another item, by kind, in the order of declaration. A name that occurs in unparsed
/// text counts as referenced, because the text might refer to it.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Unused {
    /// Engines that neither the stack nor a role uses.
    pub engines: Vec<Id<Engine>>,
    /// Families without a model or a rule.
    pub families: Vec<Id<Family>>,
    /// Gateways without a role.
    pub gateways: Vec<Id<Gateway>>,
    /// Residencies without a role, not even one that could not be read.
    pub residencies: Vec<Id<Residency>>,
    /// Models without a role, a rule or a quirk.
    pub models: Vec<Id<Model>>,
    /// Values of `defaults` that no role takes.
    pub defaults: Vec<UnusedDefault>,
}

/// A value of `defaults` that no role takes.
#[derive(Clone, PartialEq, Debug)]
pub struct UnusedDefault {
    /// The field.
    pub field: &'static str,
    /// The name of an option, an override, a variable or a field of `placement`. `None` for a whole field, with the place
    /// of its value.
    pub name: Spanned<Option<Box<str>>>,
    /// The option, if it is one that could be read.
    pub option: Option<EngineOption>,
}
