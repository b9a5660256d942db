//! `prometheus/STACK.json`: the processes with metrics, for `file_sd_configs` of Prometheus.
//!
//! ```json
//! [
//!   {
//!     "targets": ["192.0.2.7:8080"],
//!     "labels": {"stack": "home", "host": "box", "role": "chat", "tier": "A", "model": "qwen3-8b"}
//!   }
//! ]
//! ```
//!
//! - `targets` has one address: that for clients, as in `stack.json`. Prometheus makes the label `instance` from it.
//! - `tier` is missing if the role has none. `number` is the number of the instance, if the role has several.
//! - Behind a gateway, `gateway` is its name, and labels with `__` are the request: `__param_model` and `__param_autoload` for a
//!   router, `__metrics_path__` for llama-swap. Prometheus removes them from the metrics.
//! - `__meta_orchgen_key_file` is the key file of the server, for `relabel_configs`. Prometheus removes it too.
//!
//! If all processes are pods, the address is that of the Service, so Prometheus must run in the cluster. Requests then reach one of the
//! pods of a role with several.
//!
//! The names of labels are constants of the form `[a-zA-Z_][a-zA-Z0-9_]*`, which all versions of Prometheus accept. Values are any
//! text. Without a process with metrics there is no file.

use super::{ArtifactCollector, OutputTarget, RenderError};
use crate::plan::{Plan, Scrape, base_url, client_address};
use serde::Serialize;
use std::collections::BTreeMap;

pub(super) static TARGET: OutputTarget = OutputTarget::new("prometheus", &[], artifacts);

#[derive(Serialize)]
struct TargetGroup<'p> {
    targets: [String; 1],
    labels: Labels<'p>,
}

#[derive(Serialize)]
struct Labels<'p> {
    stack: &'p str,
    host: &'p str,
    role: &'p str,
    #[serde(skip_serializing_if = "Option::is_none")]
    tier: Option<&'p str>,
    model: &'p str,
    #[serde(skip_serializing_if = "Option::is_none")]
    number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gateway: Option<&'p str>,
    #[serde(rename = "__metrics_path__", skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    #[serde(flatten)]
    parameters: BTreeMap<String, &'p str>,
    #[serde(rename = "__meta_orchgen_key_file", skip_serializing_if = "Option::is_none")]
    key_file: Option<&'p str>,
}

fn artifacts<'p>(plan: &'p Plan, collector: &mut ArtifactCollector<'p>) {
    if plan.scrapes().next().is_none() {
        return;
    }
    let path = format!("prometheus/{}.json", plan.stack);
    let error = path.clone();
    collector.text(path, move || {
        let groups: Vec<TargetGroup<'_>> = scrapes(plan).filter_map(|scrape| group(plan, scrape)).collect();
        let text = serde_json::to_string_pretty(&groups);
        let text = text.map_err(|why| RenderError::new(&error, &why.to_string()))?;
        Ok(text + "\n")
    });
}

/// The processes with metrics. All pods of a role have one Service, with one port.
fn scrapes(plan: &Plan) -> impl Iterator<Item = Scrape<'_>> {
    let is_first = |scrape: &Scrape<'_>| scrape.process.instance.unwrap_or(0) == 0;
    plan.scrapes().filter(move |scrape| is_first(scrape) || !plan.has_only_pods())
}

fn group<'p>(plan: &'p Plan, scrape: Scrape<'p>) -> Option<TargetGroup<'p>> {
    let Scrape { role, tier, gateway, server, process, path, parameters, key_file } = scrape;
    let host = plan.hosts.get(server.host as usize)?;
    let url = base_url(&client_address(&server.addresses, host.address.as_deref()), process.port);
    let parameters = parameters.into_iter().map(|(name, value)| (format!("__param_{name}"), value));
    let labels = Labels {
        stack: &plan.stack,
        host: &host.name,
        role: &role.name,
        tier,
        model: &role.engine()?.model,
        number: process.instance.filter(|_| !plan.has_only_pods()).map(|number| number.to_string()),
        gateway,
        path,
        parameters: parameters.collect(),
        key_file: key_file.map(|file| &**file),
    };
    Some(TargetGroup { targets: [url.trim_start_matches("http://").to_owned()], labels })
}
