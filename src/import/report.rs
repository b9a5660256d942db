//! The report of an import: for each server, the settings that are kept, changed and lost.

mod container;
mod reasons;

use super::assemble::{Assembled, ImportedRole, is_assumed};
use super::compare::{Difference, OptionChange};
use super::secret::redacted;
use super::source::{At, Change, Loss, Program, Server, SourceGateway, Sources};
use crate::engine::llama_swap::HEALTH_PATH;
use crate::engine::options::row_of;
use reasons::{fixed_reason, is_written_default};
use serde::Serialize;

/// The report.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Report {
    /// The version of this shape.
    pub format_version: u32,
    /// The servers and gateways, in the order of the sources.
    pub servers: Vec<ServerReport>,
    /// The settings of whole files, or of other files than that of their server, that are lost.
    pub lost: Vec<FileLoss>,
    /// The findings about the imported registry.
    pub findings: Vec<RegistryFinding>,
}

/// The report of one server.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ServerReport {
    /// The role or the gateway. `None` if there is none.
    pub role: Option<String>,
    /// The place.
    pub from: Place,
    /// The settings that are kept.
    pub kept: Vec<String>,
    /// The settings that are changed.
    pub changed: Vec<ReportedChange>,
    /// The settings that are lost.
    pub lost: Vec<ReportedLoss>,
}

/// A place in a source.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The file, as the user wrote it or relative to it.
    pub file: String,
    /// The line, counted from 1.
    pub line: u32,
}

/// A changed setting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReportedChange {
    /// The option or the setting.
    pub option: String,
    /// The value in the source.
    pub was: String,
    /// The value in the registry.
    pub is: String,
    /// The reason.
    pub why: String,
    /// The line in the file of the server.
    pub line: u32,
    /// True if the meaning is the same.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub form_only: bool,
}

/// A lost setting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReportedLoss {
    /// The setting, as the source has it.
    pub what: String,
    /// The option, if it is one.
    pub option: Option<String>,
    /// The reason.
    pub why: String,
    /// The line in the file of the server.
    pub line: u32,
}

/// A lost setting of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FileLoss {
    /// The setting, as the source has it.
    pub what: String,
    /// The file.
    pub file: String,
    /// The line.
    pub line: u32,
    /// The reason.
    pub why: String,
}

/// A finding about the imported registry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RegistryFinding {
    /// The code, such as `ORC302`.
    pub code: String,
    /// `error`, `warning` or `note`.
    pub severity: &'static str,
    /// The message.
    pub message: String,
    /// The place in the source that it is about, if known.
    pub from: Option<Place>,
}

/// The value of an option that the source does not have.
pub const NOT_SET: &str = "not set";

/// The version of the shape of the report.
const FORMAT_VERSION: u32 = 1;

/// A server with the differences of its command lines. `None` if it has no role, or no command line.
pub type Compared = Option<Vec<Difference>>;

/// Makes the report.
pub fn report(
    sources: &Sources,
    assembled: &Assembled,
    compared: &[Compared],
    gateways: &[Vec<String>],
) -> Report {
    let mut maker = Maker { sources, out: Report { format_version: FORMAT_VERSION, ..Report::default() } };
    for (index, server) in sources.servers.iter().enumerate() {
        let differences = compared.get(index).and_then(Option::as_ref);
        maker.server(index, server, assembled, differences);
    }
    for (index, gateway) in sources.gateways.iter().enumerate() {
        let name = assembled.gateways.get(index).cloned();
        maker.gateway(gateway, name, gateways.get(index).cloned().unwrap_or_default());
    }
    for loss in &sources.losses {
        maker.lose_in_file(loss);
    }
    redact(&mut maker.out);
    maker.out
}

/// Removes the values of secrets from all texts.
fn redact(report: &mut Report) {
    for own in &mut report.servers {
        let changed = own.changed.iter_mut().flat_map(|change| [&mut change.was, &mut change.is]);
        let lost = own.lost.iter_mut().map(|loss| &mut loss.what);
        for text in changed.chain(lost).chain(&mut own.kept) {
            *text = redacted(text);
        }
    }
    for loss in &mut report.lost {
        loss.what = redacted(&loss.what);
    }
}

struct Maker<'s> {
    sources: &'s Sources,
    out: Report,
}

impl Maker<'_> {
    fn file(&self, at: At) -> String {
        self.sources.files.get(at.file).map(|file| file.path.clone()).unwrap_or_default()
    }

    fn place(&self, at: At) -> Place {
        Place { file: self.file(at), line: at.line }
    }

    fn lose_in_file(&mut self, loss: &Loss) {
        let Place { file, line } = self.place(loss.at);
        self.out.lost.push(FileLoss { what: loss.what.clone(), file, line, why: loss.why.clone() });
    }

    /// Adds a loss of a server: to the server if it is in the same file.
    fn lose(&mut self, own: &mut ServerReport, server: &Server, option: Option<String>, loss: &Loss) {
        if loss.at.file == server.at.file {
            let Loss { what, at, why } = loss.clone();
            own.lost.push(ReportedLoss { what, option, why, line: at.line });
        } else {
            self.lose_in_file(loss);
            if let Some(option) = option {
                let Loss { what, why, .. } = loss.clone();
                own.lost.push(ReportedLoss { what, option: Some(option), why, line: server.at.line });
            }
        }
    }

    fn change(own: &mut ServerReport, server: &Server, change: Change) {
        let line = if change.at.file == server.at.file { change.at.line } else { server.at.line };
        let Change { option, was, is, why, .. } = change;
        own.changed.push(ReportedChange { option, was, is, why, line, form_only: false });
    }

    fn server(
        &mut self,
        index: usize,
        server: &Server,
        assembled: &Assembled,
        compared: Option<&Vec<Difference>>,
    ) {
        let role = assembled.roles.get(index).and_then(Option::as_ref);
        let mut own = ServerReport {
            role: role.map(|role| role.name.clone()),
            from: self.place(server.at),
            ..ServerReport::default()
        };
        self.health((server, &mut own), role);
        if server.is_user && role.is_some() {
            own.kept.push("scope user".to_owned());
        }
        self.differences((server, &mut own), role, compared);
        let raised = role.and_then(|role| role.raised.as_ref());
        for change in raised.iter().flat_map(|raised| &raised.changed) {
            Self::change(&mut own, server, change.clone());
        }
        for loss in raised.iter().flat_map(|raised| &raised.lost) {
            let option = loss.what.split(' ').next().map(str::to_owned);
            self.lose(&mut own, server, option, loss);
        }
        for (what, at) in raised.iter().flat_map(|raised| &raised.unknown) {
            let option = what.split(' ').next().map(str::to_owned);
            let loss = Loss {
                what: what.clone(),
                at: *at,
                why: "no build of llama.cpp that orchgen knows has it".to_owned(),
            };
            self.lose(&mut own, server, option, &loss);
        }
        let of_assembly =
            assembled.losses.iter().filter(|(server, _)| *server == index).map(|(_, loss)| loss);
        for loss in server.losses.iter().chain(of_assembly) {
            self.lose(&mut own, server, None, loss);
        }
        let of_assembly =
            assembled.changes.iter().filter(|(server, _)| *server == index).map(|(_, change)| change);
        for change in server.changes.iter().chain(of_assembly) {
            Self::change(&mut own, server, change.clone());
        }
        for (_, change) in assembled.forms.iter().filter(|(server, _)| *server == index) {
            Self::change(&mut own, server, change.clone());
            own.changed.iter_mut().next_back().into_iter().for_each(|change| change.form_only = true);
        }
        if role.is_some() && matches!(server.program, Program::Image { .. }) {
            container::keep(server, &mut own);
        }
        self.out.servers.push(own);
    }

    /// The path of the health check. A role of an engine has only that of its server.
    fn health(&mut self, (server, own): (&Server, &mut ServerReport), role: Option<&ImportedRole>) {
        let is_engine = role.is_some_and(|role| role.raised.is_some());
        match server.health.as_ref().filter(|_| role.is_some()) {
            Some(health) if is_engine && health.text != HEALTH_PATH => {
                let why = format!("orchgen asks `{HEALTH_PATH}` of each llama-server");
                let loss = Loss { what: format!("checkEndpoint: {}", health.text), at: health.at, why };
                self.lose(own, server, None, &loss);
            }
            Some(health) => own.kept.push(format!("checkEndpoint {}", health.text)),
            None => {}
        }
    }

    /// Adds the differences of the command lines.
    fn differences(
        &mut self,
        (server, own): (&Server, &mut ServerReport),
        role: Option<&ImportedRole>,
        compared: Option<&Vec<Difference>>,
    ) {
        let raised = role.and_then(|role| role.raised.as_ref());
        let why_of = |option: &str| raised.and_then(|raised| raised.reasons.get(option)).cloned();
        let profile = role.and_then(|role| role.profile).map_or("", |profile| profile.name());
        for difference in compared.into_iter().flatten() {
            match difference {
                Difference::Kept(option) => own.kept.push(option.clone()),
                Difference::Changed(OptionChange { option, was, is, at }) => {
                    let path = was.rsplit(' ').next().unwrap_or(was);
                    let is_relative =
                        !path.starts_with('/') && is.starts_with('/') && is_assumed(server, path);
                    let assumed = is_relative.then(|| ASSUMED_FOLDER.to_owned());
                    let why = assumed.or_else(|| why_of(option));
                    let why = why.or_else(|| fixed_reason(option, is).map(str::to_owned));
                    let why =
                        why.unwrap_or_else(|| format!("{profile} or the field of the role has another form"));
                    let (option, was, is) = (option.clone(), was.clone(), is.clone());
                    Self::change(own, server, Change { option, was, is, why, at: *at });
                }
                Difference::Lost { option, .. }
                    if role.is_some_and(|role| role.has_faults && has_option(role, option)) =>
                {
                    own.kept.push(option.clone());
                }
                Difference::Lost { option, what, at } => {
                    let why = why_of(option)
                        .unwrap_or_else(|| "the command line of the role does not have it".to_owned());
                    let loss = Loss { what: what.clone(), at: *at, why };
                    self.lose(own, server, Some(option.clone()), &loss);
                }
                Difference::Added { option, is } => {
                    if is_written_default(option, is, compared) && !profile.starts_with("ik_") {
                        continue;
                    }
                    let why = why_of(option).or_else(|| fixed_reason(option, is).map(str::to_owned));
                    let why = why.unwrap_or_else(|| "orchgen always writes it".to_owned());
                    let (option, was, is) = (option.clone(), NOT_SET.to_owned(), is.clone());
                    let is_default =
                        row_of(&option).and_then(|row| row.default).is_some_and(|known| known.value == is);
                    Self::change(own, server, Change { option, was, is, why, at: server.at });
                    own.changed
                        .iter_mut()
                        .next_back()
                        .into_iter()
                        .for_each(|change| change.form_only = is_default);
                }
            }
        }
    }

    fn gateway(&mut self, gateway: &SourceGateway, name: Option<String>, kept: Vec<String>) {
        let from = self.place(gateway.at);
        let mut own = ServerReport { role: name, from, kept, ..ServerReport::default() };
        if let Some((most, at)) =
            gateway.most.filter(|(most, _)| !own.kept.contains(&format!("--models-max {most}")))
        {
            let why = "roles with several load policies have no common limit: set `at-once` of a residency";
            let line = if at.file == gateway.at.file { at.line } else { gateway.at.line };
            let option = Some("--models-max".to_owned());
            own.lost.push(ReportedLoss {
                what: format!("--models-max {most}"),
                option,
                why: why.to_owned(),
                line,
            });
        }
        self.out.servers.push(own);
    }
}

/// True if a role has an option in its fields or its `options`: a finding reports its value.
fn has_option(role: &ImportedRole, option: &str) -> bool {
    let Some(raised) = &role.raised else { return false };
    let name = option.trim_start_matches('-');
    let owner = row_of(option).and_then(|row| row.owner);
    raised.options.iter().any(|(known, _)| known == name)
        || owner.is_some_and(|owner| raised.fields.iter().any(|line| line.name == owner.field))
}

/// The reason for the path of a source without a working folder.
pub const ASSUMED_FOLDER: &str =
    "the path is relative, and the source has no working folder: its own folder is assumed";
