//! Documents.

use super::template::Templates;
use super::{Claims, Target};
use crate::plan::{Plan, TargetName};

pub(super) static TARGET: Target = Target { name: TargetName::Docs, templates: &[], artifacts };

fn artifacts<'p>(plan: &'p Plan, templates: &'p Templates, claims: &mut Claims<'_, 'p>) {
    let _ = (plan, templates, claims);
}
