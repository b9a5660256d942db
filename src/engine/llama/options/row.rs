//! The functions with which a row of the table of options is written.

use super::{Default, Exposure, Given, Idle, MemoryEffect, MemoryOptions, Numbers, OptionRow, Owner};
use super::{PathForm, PathUse, Refusal, Setter, Unit};
use crate::engine::Access;

/// One file that is read.
const READS: PathUse = PathUse { access: Access::Read, is_folder: false, form: PathForm::One };

pub(super) const fn row(names: &'static [&'static str]) -> OptionRow {
    OptionRow {
        names,
        owner: None,
        setter: None,
        refusal: None,
        numbers: None,
        is_object: false,
        path: None,
        exposure: None,
        is_secret: false,
        places_threads: false,
        idle: None,
        memory: MemoryEffect::None,
        default: None,
    }
}

impl OptionRow {
    pub(super) const fn owner(mut self, field: &'static str) -> Self {
        self.owner = Some(Owner::of(field));
        self
    }

    /// The field becomes the option as it is.
    pub(super) const fn set_by(
        self,
        field: &'static str,
        spellings: &'static [&'static str],
        unit: Unit,
    ) -> Self {
        self.setter(Owner::of(field), spellings, unit)
    }

    /// The part of a field becomes the option as it is. So does the whole field, with all its parts.
    pub(super) const fn set_by_part(
        self,
        (field, part): (&'static str, &'static str),
        spellings: &'static [&'static str],
    ) -> Self {
        self.setter(Owner { field, part: Some(part) }, spellings, Unit::Same)
    }

    pub(super) const fn setter(
        mut self,
        owner: Owner,
        spellings: &'static [&'static str],
        unit: Unit,
    ) -> Self {
        self.setter = Some(Setter { owner, spellings, unit });
        self.owner = Some(owner);
        self
    }

    pub(super) const fn part(mut self, field: &'static str, part: &'static str) -> Self {
        self.owner = Some(Owner { field, part: Some(part) });
        self
    }

    pub(super) const fn refused(mut self, why: Refusal) -> Self {
        self.refusal = Some(why);
        self
    }

    pub(super) const fn numbers(mut self, numbers: Numbers) -> Self {
        self.numbers = Some(numbers);
        self
    }

    pub(super) const fn object(mut self) -> Self {
        self.is_object = true;
        self
    }

    pub(super) const fn path(mut self, used: PathUse) -> Self {
        self.path = Some(used);
        self
    }

    pub(super) const fn reads(self) -> Self {
        self.path(READS)
    }

    pub(super) const fn reads_folder(self) -> Self {
        self.path(PathUse { is_folder: true, ..READS })
    }

    pub(super) const fn reads_list(self, form: PathForm) -> Self {
        self.path(PathUse { form, ..READS })
    }

    pub(super) const fn writes(self) -> Self {
        self.path(PathUse { access: Access::Write, ..READS })
    }

    pub(super) const fn writes_folder(self) -> Self {
        self.path(PathUse { access: Access::Write, is_folder: true, ..READS })
    }

    pub(super) const fn exposes(mut self, exposure: Exposure) -> Self {
        self.exposure = Some(exposure);
        self
    }

    pub(super) const fn secret(mut self) -> Self {
        self.is_secret = true;
        self
    }

    pub(super) const fn places_threads(mut self) -> Self {
        self.places_threads = true;
        self
    }

    pub(super) const fn idle(mut self, idle: Idle) -> Self {
        self.idle = Some(idle);
        self
    }

    pub(super) const fn memory(mut self, apply: fn(&mut MemoryOptions, Given<'_>)) -> Self {
        self.memory = MemoryEffect::Known(apply);
        self
    }

    pub(super) const fn memory_unknown(mut self, why: &'static str) -> Self {
        self.memory = MemoryEffect::Unknown(why);
        self
    }

    pub(super) const fn default(mut self, value: &'static str, source: &'static str) -> Self {
        self.default = Some(Default { value, source, is_new: false });
        self
    }

    pub(super) const fn default_if_known(mut self, value: &'static str, source: &'static str) -> Self {
        self.default = Some(Default { value, source, is_new: true });
        self
    }
}
