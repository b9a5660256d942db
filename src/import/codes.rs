//! The findings of an import: settings of a source that the registry has in another form, or not at all.

use crate::diag::Code;

declare_code! {
    /// ## What it finds
    /// A setting of an imported configuration that the registry does not have.
    ///
    /// ## Why
    /// orchgen generates the setting differently, or has no field for it. The finding names the reason. The program that was
    /// configured by the source may behave differently without the setting.
    ///
    /// ## Instead
    /// Read the reason. If the setting matters, write it where the reason names a field, or keep it outside of orchgen, for
    /// example in a drop-in of the unit. `orchgen import --strict` fails if there are such settings.
    pub static SETTING_LOST = 701, "setting-lost", Warning;
}

declare_code! {
    /// ## What it finds
    /// A setting of an imported configuration that has another value or another form in the registry.
    ///
    /// ## Why
    /// The engine build of the registry spells the option differently, orchgen always writes the option with a fixed value, or
    /// two servers of the sources cannot have the same port. The finding names the old and the new value, and the reason.
    ///
    /// ## Instead
    /// Nothing, if the new value is right. Otherwise change the field of the role.
    pub static SETTING_CHANGED = 702, "setting-changed", Note;
}

/// The codes of this room.
pub const ALL: &[&Code] = &[&SETTING_LOST, &SETTING_CHANGED];
