//! What nothing names.

use super::{Engine, Family, Id, Model};

/// The items of each kind that no other item names, in the order of declaration. What is said in text that could not be read counts
/// as named: nobody knows what it would have named.
#[derive(PartialEq, Eq, Debug, Default)]
pub struct Unused {
    /// Engines that neither the stack nor a role names.
    pub engines: Vec<Id<Engine>>,
    /// Families of no model and no rule.
    pub families: Vec<Id<Family>>,
    /// Models of no role, no rule and no quirk.
    pub models: Vec<Id<Model>>,
}
