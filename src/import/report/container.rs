//! The settings of containers that their roles have in another form.

use super::{ReportedChange, ReportedLoss, ServerReport};
use crate::import::source::{Program, Server};

/// The settings of a container that its role has: the image and the policy of restarts, the folders of its files, and its GPUs.
const OF_CONTAINERS: &[&str] = &["image", "Image", "restart", "volumes", "Volume"];
const OF_GPUS: &[&str] =
    &["devices", "deploy.resources.reservations.devices", "AddDevice", "gpus", "runtime"];

/// The name of a setting, without its value.
fn first_name(what: &str) -> &str {
    what.split([':', '=', ' ']).next().unwrap_or(what)
}

/// Moves these settings to those that are kept.
pub(super) fn keep(server: &Server, own: &mut ServerReport) {
    let is_kept = |name: &str| {
        let name = first_name(name);
        OF_CONTAINERS.contains(&name) || server.gpus.is_some() && OF_GPUS.contains(&name)
    };
    let is_image_changed = own.changed.iter().any(|change| change.option == "image");
    if let Program::Image { image, .. } = &server.program
        && !is_image_changed
    {
        own.kept.push(format!("image {}", image.text));
    }
    let is_mounted = |what: &str| server.mounts.iter().any(|(inside, _)| what.contains(inside.as_str()));
    let is_gpu = |what: &str| ["kfd", "dri", "nvidia", "gpu"].iter().any(|word| what.contains(word));
    let is_kept = |name: &str, what: &str| {
        is_kept(name)
            && (!name.starts_with(['V', 'v']) || is_mounted(what))
            && (!OF_GPUS.contains(&first_name(name)) || is_gpu(what))
    };
    let (kept, changed): (Vec<ReportedChange>, Vec<ReportedChange>) = std::mem::take(&mut own.changed)
        .into_iter()
        .partition(|change| change.option != "image" && is_kept(&change.option, &change.was));
    own.changed = changed;
    own.kept.extend(kept.into_iter().map(|change| format!("{} {}", change.option, change.was)));
    let (kept, lost): (Vec<ReportedLoss>, Vec<ReportedLoss>) =
        std::mem::take(&mut own.lost).into_iter().partition(|loss| is_kept(&loss.what, &loss.what));
    own.lost = lost;
    own.kept.extend(kept.into_iter().map(|loss| loss.what));
    own.kept.extend(server.placement.cpus.iter().map(|cpus| format!("cpuset {}", cpus.text)));
}
