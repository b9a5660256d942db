//! Reads the GPUs of a role: of its placement and of its draft.

use super::names::ItemRef;
use super::record::Record;
use crate::diag::{Change, Diagnostic, Diagnostics, Line, Suggestion, suggest, words};
use crate::hir::codes::{CONFLICTING_FIELDS, UNKNOWN_NAME, WRONG_TYPE};
use crate::hir::{
    AUTO_GPU, Context, CpuExperts, Draft, Gpu, GpuLayers, GpuPlacement, Head, Host, NO_GPU, Placement,
    SplitMode, Text,
};
use crate::source::{Span, Spanned};

/// The largest share of a split.
const LARGEST_SHARE: u32 = 1_000_000;

/// The names that are alone in a list of GPUs, with the label of a finding about another one.
const ALONE: [(&str, &str); 2] = [(NO_GPU, "means no GPU"), (AUTO_GPU, "means all GPUs")];

/// The fields of a placement that need a GPU.
const PARTS: [&str; 5] = ["layers", "split", "split-mode", "cpu-experts", "kv"];

/// The role whose GPUs are read.
pub(super) struct GpuReader<'r> {
    /// The host. `None` if it is unknown, which is reported.
    pub(super) host: Option<&'r Host>,
    pub(super) head: &'r Head,
    /// The place of the stack, which has the defaults.
    pub(super) stack: Span,
    pub(super) findings: &'r mut Diagnostics,
}

impl GpuReader<'_> {
    /// The GPUs of a placement. `None` without fields about them.
    pub(super) fn placement(&mut self, block: &mut Record) -> Option<Box<GpuPlacement>> {
        let has_gpu = block.has_or_reported("gpu");
        let parts = PARTS.map(|part| (part, block.place(part)));
        let texts: Vec<Text> = block.take_all("gpu");
        let is_default = texts.first().is_some_and(|text| self.is_default(text.span));
        let is_none = texts.iter().flat_map(names).any(|name| name == NO_GPU);
        let named = texts.iter().flat_map(names).count();
        let devices = self.devices(&texts);
        let split = block.text("split").and_then(|text| self.split(&text));
        let gpu = GpuPlacement {
            devices,
            layers: block.take("layers"),
            split,
            split_mode: block.take("split-mode"),
            cpu_experts: block.take("cpu-experts"),
            kv: block.take("kv"),
        };
        if gpu.devices.is_empty() {
            // No layer on a GPU is the same as no GPU.
            let is_off = gpu.layers.is_some_and(|layers| layers.value == GpuLayers::Count(0));
            let parts = parts.into_iter().filter(|(part, _)| !(is_off && *part == "layers"));
            // The finding about unknown GPUs is enough.
            let parts = parts.filter(|_| !has_gpu || is_none);
            for (part, place) in parts.filter_map(|(part, place)| Some((part, place?))) {
                // Defaults are for the roles with GPUs.
                if is_default || !self.is_default(place) {
                    self.report_without_gpu((part, place), (is_none, gpu.split.as_ref()));
                }
            }
            return has_gpu.then(|| Box::new(GpuPlacement::OFF));
        }
        // A GPU that is not known is still one of several.
        let is_complete = gpu.devices.len() == named;
        Some(Box::new(if is_complete {
            self.check_split((gpu, is_default))
        } else {
            GpuPlacement { split: None, ..gpu }
        }))
    }

    /// True if a value is one of the defaults of the stack.
    fn is_default(&self, place: Span) -> bool {
        let stack = self.stack;
        place.file == stack.file && place.start >= stack.start && place.end <= stack.end
    }

    /// The names of GPUs, without those that the host lacks, which are reported. Empty for `none`.
    pub(super) fn devices<'t>(&mut self, texts: &'t [Text]) -> Vec<Text> {
        let one = |text: &'t Text| names(text).map(move |name| (Spanned::new(name.into(), text.span), text));
        let named: Vec<(Text, &Text)> = texts.iter().flat_map(one).collect();
        let mut devices: Vec<Text> = Vec::new();
        for (name, list) in &named {
            if let Some(first) = devices.iter().find(|known| known.value == name.value) {
                let message =
                    format!("{} names the GPU {} twice", self.owner().describe(), words::quoted(name));
                let finding = CONFLICTING_FIELDS.at(name.span, "again", message);
                let finding =
                    if first.span == name.span { finding } else { finding.also(first.span, "first here") };
                self.report(finding.help("name each GPU once"));
            } else if let Some((word, label)) =
                ALONE.iter().find(|(word, _)| named.len() > 1 && *word == &*name.value)
            {
                let message = format!("{} has the GPU `{word}` and others", self.owner().describe());
                let finding = CONFLICTING_FIELDS.at(name.span, *label, message);
                self.report(finding.help(format!("keep either `{word}` or the names of the GPUs")));
            } else if &*name.value != NO_GPU && self.knows(name, list) {
                devices.push(name.clone());
            }
        }
        devices
    }

    /// True if the host has the GPU of a list. Reports an unknown one.
    fn knows(&mut self, name: &Text, list: &Text) -> bool {
        let Some(host) = self.host else { return true };
        if host.gpu(name).is_some() {
            return true;
        }
        let known: Vec<&str> = host.gpus.iter().map(|gpu| &*gpu.name.value).collect();
        let message = format!(
            "`gpu` of {} is {}, which is no GPU of {host}",
            self.owner().describe(),
            words::quoted(name)
        );
        // Another number is another GPU, no spelling error.
        let digits = |name: &str| name.trim_start_matches(|c: char| !c.is_ascii_digit()).to_owned();
        let near = suggest(name, known.iter().copied().filter(|known| digits(known) == digits(name)));
        let is_new = |near: &Suggestion| names(list).all(|one| one != near.name);
        let finding = match near.filter(|near| *name.value != *list.value && is_new(near)) {
            // A fix replaces the whole list.
            Some(near) => {
                let names: Vec<&str> =
                    names(list).map(|one| if *one == *name.value { near.name } else { one }).collect();
                let change = Change::Value { span: name.span, to: names.join(",").into() };
                let finding = UNKNOWN_NAME.at(name.span, format!("did you mean `{}`?", near.name), message);
                finding.remedy("write `{}`", change)
            }
            None => UNKNOWN_NAME.at_unknown(name.span, (near, "no GPU of the host"), message),
        };
        let finding = finding.about(host);
        let declared: Vec<String> = known.iter().map(|name| words::quoted(name)).collect();
        let print = "the name and the memory that `llama-server --list-devices` prints";
        let line = Line::of("gpu", &*name.value).principal("name");
        let is_auto = *name.value == *AUTO_GPU;
        let line = if is_auto { line } else { line.with(Line::of("memory", "24 GB")) };
        self.report(match declared.as_slice() {
            [] if is_auto => {
                let title = format!("write `{{}}` in {host}, which means all its GPUs");
                finding.remedy(title, Change::set(host.head.span, line))
            }
            names if is_auto => finding.help(format!(
                "the GPUs of {host} are {}; `{AUTO_GPU}` is for a host that declares `gpu` `{AUTO_GPU}` and no other",
                words::all_of(names)
            )),
            _ if host.gpu(AUTO_GPU).is_some() => {
                let change = Change::rewrite(list.span, Line::of("gpu", AUTO_GPU));
                let finding = finding.remedy(format!("write `{{}}`: {host} does not name its GPUs"), change);
                finding.help(format!("or declare each `gpu` of {host} instead, with {print}"))
            }
            [] if has_form_of_device(name) => {
                let title = format!("write `{{}}` in {host}, with {print}");
                finding.remedy(title, Change::set(host.head.span, line))
            }
            [] => finding.help(format!("declare the GPUs in {host}, each as `gpu` with {print}")),
            names => {
                let names = words::all_of(names);
                finding
                    .help(format!("the GPUs of {host} are {names}; another one needs a `gpu` with {print}"))
            }
        });
        false
    }

    /// Reports a part of the placement that has an effect only with GPUs.
    fn report_without_gpu(
        &mut self,
        (part, place): (&'static str, Span),
        (is_none, split): (bool, Option<&Spanned<Vec<u32>>>),
    ) {
        let owner = self.owner().describe();
        let message = format!("`{part}` of {owner} has no effect without a GPU");
        let finding = CONFLICTING_FIELDS.at(place, "needs `gpu`", message);
        let gpus = self.host.map(|host| host.gpus.as_slice()).unwrap_or_default();
        // A split needs a GPU for each share, and its mode needs several.
        let count = split.map_or(1, |split| split.value.len()).max(if part == "split-mode" { 2 } else { 1 });
        let count = if gpus.iter().any(Gpu::is_auto) { 1 } else { count };
        let names: Vec<&str> = gpus.iter().map(|gpu| &*gpu.name.value).take(count).collect();
        let finding = match names.as_slice() {
            names if !is_none && names.len() == count => {
                let line = Line::of("gpu", names.join(","));
                finding.remedy("add `{}`", Change::set_in(self.head.span, "placement", line))
            }
            _ if !is_none && !gpus.is_empty() => finding,
            _ if !is_none && self.host.is_some() => finding.help(
                "declare the GPUs in the host, each as `gpu` with its name and `memory`, or all as `gpu` `auto`, and name them in \
                 `gpu` of `placement`",
            ),
            _ => finding,
        };
        let or = if finding.help.is_empty() && finding.proposed_fixes.is_empty() { "" } else { "or " };
        self.report(finding.remedy(format!("{or}remove `{{}}`"), Change::remove(place)));
    }

    /// The shares of a split: numbers with colons.
    fn split(&mut self, text: &Text) -> Option<Spanned<Vec<u32>>> {
        let share = |part: &str| {
            let digits = part.trim_matches(' ');
            let share = digits.parse::<u32>().ok().filter(|_| digits.bytes().all(|c| c.is_ascii_digit()));
            share.filter(|share| (1..=LARGEST_SHARE).contains(share))
        };
        let shares: Option<Vec<u32>> = text.value.split(':').map(share).collect();
        if let Some(shares) = shares {
            return Some(Spanned::new(shares, text.span));
        }
        let message = format!(
            "`split` of {} must be shares such as `2:1`, not {}",
            self.owner().describe(),
            words::quoted(text)
        );
        let finding = WRONG_TYPE.at(text.span, "whole numbers with `:` between them", message);
        let with_colons = text.value.replace([',', '/', ' ', ';'], ":");
        let is_split = with_colons.split(':').all(|part| share(part).is_some()) && with_colons != *text.value;
        let finding = if is_split {
            finding.remedy("write `{}`", Change::rewrite(text.span, Line::of("split", with_colons)))
        } else {
            finding
                .help("write the share of each GPU as a whole number, such as 3 and 2 for 60 and 40 percent")
        };
        self.report(finding);
        None
    }

    /// The placement without a split that does not match its GPUs, which is reported.
    fn check_split(&mut self, (mut gpu, is_default): (GpuPlacement, bool)) -> GpuPlacement {
        let count = gpu.devices.len();
        self.check_undivided(&mut gpu);
        if gpu.is_auto() {
            return gpu;
        }
        if !is_default {
            // Defaults are for the roles with the GPUs of the defaults.
            gpu.split.take_if(|split| split.value.len() != count && self.is_default(split.span));
            gpu.split_mode.take_if(|mode| count == 1 && self.is_default(mode.span));
        }
        if let Some(split) = gpu.split.take_if(|split| split.value.len() != count) {
            let owner = self.owner().describe();
            let message = format!(
                "`split` of {owner} has {} for {}",
                words::count(split.value.len(), "share"),
                words::count(count, "GPU")
            );
            let finding = CONFLICTING_FIELDS.at(split.span, "one share for each GPU", message);
            let finding = finding.also_each(gpu.devices.first().map(|first| (first.span, "the GPUs")));
            let shares = split.value.iter().copied().chain(std::iter::repeat(1)).take(count);
            let shares: Vec<String> = shares.map(|share| share.to_string()).collect();
            let line = Line::of("split", shares.join(":"));
            let finding = match count {
                1 => finding.remedy("remove `{}`: one GPU has everything", Change::remove(split.span)),
                _ if shares.iter().all(|share| share == "0") => {
                    finding.remedy("remove `{}`", Change::remove(split.span))
                }
                _ => finding.remedy("write `{}`", Change::rewrite(split.span, line)),
            };
            self.report(finding);
        }
        if let Some(mode) = gpu.split_mode.take_if(|_| count == 1) {
            let message = format!("`split-mode` of {} has no effect with one GPU", self.owner().describe());
            let finding = CONFLICTING_FIELDS.at(mode.span, "needs several GPUs", message);
            self.report(finding.remedy("remove `{}`", Change::remove(mode.span)));
        }
        gpu
    }

    /// Removes a split of a model that is not divided, and reports it.
    fn check_undivided(&mut self, gpu: &mut GpuPlacement) {
        let Some(mode) = gpu.split_mode.filter(|mode| mode.value == SplitMode::None) else { return };
        // A split of the defaults is for the roles that are divided.
        let is_own = |split: &Spanned<_>| self.is_default(mode.span) || !self.is_default(split.span);
        if let Some(split) = gpu.split.take().filter(is_own) {
            let message =
                format!("`split` of {} has no effect with `split-mode` `none`", self.owner().describe());
            let finding = CONFLICTING_FIELDS.at(split.span, "is for several GPUs", message);
            let finding = finding.also(mode.span, "one GPU has everything");
            self.report(finding.remedy("remove `{}`", Change::remove(split.span)));
        }
    }

    /// Reports what keeps the engine from fitting, next to a context or layers that it fits: it gives up with a number of
    /// layers, a split, experts on the host, and a split by other than layers (`common_params_fit_impl` in `common/fit.cpp`
    /// of llama.cpp b11434).
    pub(super) fn check_fit(&mut self, placement: &Placement, context: Spanned<Context>) {
        let Some(gpu) = placement.gpu.as_deref().filter(|gpu| !gpu.devices.is_empty()) else { return };
        let fitted = gpu.layers.filter(|layers| layers.value == GpuLayers::Fit);
        let (field, reason) = match fitted {
            _ if matches!(context.value, Context::Fit(_)) => ("context", context.span),
            Some(layers) => ("layers", layers.span),
            None => return,
        };
        let layers = gpu.layers.filter(|layers| layers.value != GpuLayers::Fit);
        let experts = gpu.cpu_experts.filter(|experts| experts.value != CpuExperts::Count(0));
        let mode = gpu.split_mode.filter(|mode| !matches!(mode.value, SplitMode::Layer | SplitMode::None));
        let fixed = [
            layers.map(|layers| ("layers", layers.span)),
            gpu.split.as_ref().map(|split| ("split", split.span)),
            mode.map(|mode| ("split-mode", mode.span)),
            experts.map(|experts| ("cpu-experts", experts.span)),
        ];
        for (part, place) in fixed.into_iter().flatten() {
            let owner = self.owner().describe();
            let message =
                format!("{owner} has `{field}` `fit` and `{part}`, with which the engine does not fit");
            let finding = CONFLICTING_FIELDS.at(place, "keeps the engine from fitting", message);
            let finding = finding.also(reason, format!("the engine fits the {field}"));
            let finding = finding.remedy("remove `{}`", Change::remove(place));
            self.report(finding.help(format!("or give `{field}` a number")));
        }
    }

    /// Resolves the GPUs of a draft, and reports its parts that have no effect.
    pub(super) fn check_draft(&mut self, draft: &mut Draft, placement: Option<&GpuPlacement>) {
        let texts = std::mem::take(&mut draft.gpu);
        let none = texts.iter().find(|text| &*text.value == NO_GPU).cloned();
        draft.gpu = self.devices(&texts);
        let own = draft.own.filter(|own| own.value);
        if let Some(auto) = draft.gpu.iter().find(|name| *name.value == *AUTO_GPU) {
            // Builds give a draft without a list of devices those of its model.
            if placement.is_none_or(|gpu| gpu.devices.is_empty()) {
                let owner = self.owner().describe();
                let message = format!("the draft of {owner} is on all GPUs, but its model is on none");
                let finding = CONFLICTING_FIELDS.at(auto.span, "needs `gpu` of `placement`", message);
                let line = Line::of("gpu", AUTO_GPU);
                let finding = finding.remedy("add `{}`", Change::set_in(self.head.span, "placement", line));
                self.report(finding.remedy("or remove `{}`", Change::remove(auto.span)));
            }
        }
        let is_off = draft.gpu.is_empty() && none.is_some();
        let follows = !is_off && placement.is_some_and(|gpu| !gpu.devices.is_empty());
        // The finding about unknown GPUs is enough.
        let is_unknown = draft.gpu.is_empty() && !texts.is_empty() && none.is_none();
        let has_gpu = !draft.gpu.is_empty() || follows || is_unknown;
        draft.gpu.extend(none.filter(|_| is_off));
        let parts = [
            ("gpu", texts.first().map(|text| text.span)),
            ("layers", draft.layers.map(|layers| layers.span)),
            ("cpu-experts", draft.cpu_experts.map(|experts| experts.span)),
        ];
        for (part, place) in parts.into_iter().filter_map(|(part, place)| Some((part, place?))) {
            let owner = self.owner().describe();
            if let Some(own) = own {
                let message = format!("`draft` of {owner} has `self` and `{part}`");
                let finding = CONFLICTING_FIELDS.at(place, "the layers are where the model is", message);
                self.report(
                    finding
                        .also(own.span, "the model drafts itself")
                        .remedy("remove `{}`", Change::remove(place)),
                );
            } else if part != "gpu" && !has_gpu {
                let message = format!("`{part}` of the draft of {owner} has no effect without a GPU");
                let finding = CONFLICTING_FIELDS.at(place, "needs `gpu`", message);
                self.report(finding.remedy("remove `{}`", Change::remove(place)));
            }
        }
    }

    fn owner(&self) -> ItemRef<'_> {
        ItemRef::new(self.head.kind, &self.head.name)
    }

    fn report(&mut self, finding: Diagnostic) {
        ItemRef::new(self.head.kind, &self.head.name).report(finding, self.findings);
    }
}

/// True if a name looks like one that `llama-server --list-devices` prints, such as `CUDA0`. Product names do not.
pub(super) fn has_form_of_device(name: &str) -> bool {
    let back_end = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let is_short = (1..=2).contains(&name.len().saturating_sub(back_end.len()));
    is_short
        && back_end.starts_with(|c: char| c.is_ascii_uppercase())
        && back_end.bytes().all(|c| c.is_ascii_alphabetic())
}

/// The names in a list with commas.
fn names(text: &Text) -> impl Iterator<Item = &str> {
    text.value.split(',').map(str::trim).filter(|name| !name.is_empty())
}
