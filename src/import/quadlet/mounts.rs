//! `Volume=`, `Mount=` and `--volume`: folders of the host in a container.

use super::absolute;
use crate::import::unit::specifiers::Context;

/// A folder in the container, with that on the host.
pub(super) type Mount = (String, String);

/// The mount of `SOURCE:TARGET[:OPTIONS]`. `None` if the source is no folder of the host.
pub(super) fn volume(text: &str, context: &Context<'_>) -> Option<Mount> {
    let mut parts = text.splitn(3, ':');
    let (source, target) = (parts.next()?, parts.next()?);
    pair(source, target, context)
}

/// The mount of `type=bind,source=SOURCE,target=TARGET`.
pub(super) fn bind(text: &str, context: &Context<'_>) -> Option<Mount> {
    let value = |names: &[&str]| {
        let mut fields = text.split(',').filter_map(|field| field.split_once('='));
        fields.find(|(name, _)| names.contains(name)).map(|(_, value)| value)
    };
    if value(&["type"])? != "bind" {
        return None;
    }
    pair(value(&["source", "src"])?, value(&["target", "destination", "dst"])?, context)
}

fn pair(source: &str, target: &str, context: &Context<'_>) -> Option<Mount> {
    if !source.starts_with(['/', '.', '%']) {
        return None;
    }
    let target = context.expand(target);
    let known = context.expand(source);
    (!known.is_dynamic && !target.is_dynamic).then(|| (target.text, absolute(source, context)))
}
