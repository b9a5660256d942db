//! `orchgen add`: adds an item to a registry, in the layout of its file.

mod model;
mod role;

use super::args::OutputArgs;
use super::folders::{RegistryFolder, operand};
use super::{RunStatus, help, session};
use crate::check::NotCheckedPolicy;
use crate::compile::{analyze, lower};
use crate::diag::report::human;
use crate::diag::{Diagnostic, Diagnostics, Line, words};
use crate::emit::{Rewrite, rewrite};
use crate::hir::{ItemKind, Registry};
use crate::render::quote::shell;
use crate::source::{FileId, Loaded, SourceFile};
use crate::syntax::{add_item, parse};
use clap::{Args as Arguments, Subcommand};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

#[derive(Arguments, Debug)]
pub(in crate::cli) struct AddArgs {
    #[command(subcommand)]
    command: AddCommand,
}

#[derive(Subcommand, Debug)]
enum AddCommand {
    /// Add a model file, with the facts of its header
    #[command(after_help = help::after_options(help::ADD_CODES, model::EXAMPLES))]
    Model(model::AddModelArgs),
    /// Add a role: a use of a model, with its own server
    #[command(after_help = help::after_options(help::ADD_CODES, role::EXAMPLES))]
    Role(Box<role::AddRoleArgs>),
}

/// Options of all commands that add items.
#[derive(Arguments, Debug)]
struct TargetArgs {
    /// Folder of the registry. The default is `registry` in the current folder, else in the nearest parent folder that has one
    #[arg(long, value_name = "FOLDER")]
    registry: Option<PathBuf>,
    /// Print the change; write nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(command: &AddArgs, output: OutputArgs) -> RunStatus {
    let done = match &command.command {
        AddCommand::Model(command) => model::run(command, output),
        AddCommand::Role(command) => role::run(command, output),
    };
    done.unwrap_or_else(|status| status)
}

/// A registry to which an item is added.
struct Target<'t> {
    folder: PathBuf,
    loaded: Loaded,
    args: &'t TargetArgs,
}

/// A registry with the new item.
struct Added {
    file: FileId,
    loaded: Loaded,
}

impl<'t> Target<'t> {
    fn read(args: &'t TargetArgs) -> Result<Self, RunStatus> {
        let folder = args.registry.clone().unwrap_or_else(|| RegistryFolder::default().path().to_owned());
        Ok(Self { loaded: session::load_registry(&folder)?, folder, args })
    }

    /// The items that can be read.
    fn registry(&self) -> Registry {
        lower(&self.loaded, &mut Diagnostics::default()).registry
    }

    /// The argument of other commands for the same registry, with a blank before it.
    fn operand(&self) -> String {
        self.args.registry.as_deref().map(operand).unwrap_or_default()
    }

    /// The option of `orchgen add` for the same registry, with a blank before it.
    fn registry_option(&self) -> String {
        let option = |folder: &PathBuf| format!(" --registry {}", shell(&folder.to_string_lossy()));
        self.args.registry.as_ref().map(option).unwrap_or_default()
    }

    /// The registry with a new item, after the last item of its kind.
    fn add(&self, kind: &ItemKind, line: &Line) -> Result<Added, RunStatus> {
        let (file, source) = self.file_for(kind).ok_or(RunStatus::CannotRun)?;
        let mut syntax = Diagnostics::default();
        drop(parse(file, source, &mut syntax));
        if syntax.has_errors() {
            return Err(session::fail(format!(
                "{} has syntax errors: run `orchgen check{}`, and fix them first",
                words::quoted(source.name()),
                self.operand()
            )));
        }
        let new = add_item(file, source, kind.plural, line).map_err(|code| {
            let (name, kind) = (words::quoted(source.name()), kind.word);
            session::fail(format!(
                "{name} has no place where orchgen can add a {kind} without changing other items: write `{code}` into it"
            ))
        })?;
        Ok(Added { file, loaded: self.loaded.with_texts(BTreeMap::from([(file, new)])) })
    }

    /// The file with the last item of a kind, else the last file.
    fn file_for(&self, kind: &ItemKind) -> Option<(FileId, &SourceFile)> {
        let files = || self.loaded.map.files().filter(|(_, source)| !source.is_lock());
        let has_kind = |(file, source): &(FileId, &SourceFile)| {
            let document = parse(*file, source, &mut Diagnostics::default());
            document.nodes.iter().any(|node| node.key == kind.word || node.key == kind.plural)
        };
        files().filter(has_kind).last().or_else(|| files().last())
    }

    /// Prints the change, and writes it unless it causes an error.
    fn finish(&self, added: &Added, output: OutputArgs) -> Result<(), RunStatus> {
        let (Some(old), Some(new)) = (self.loaded.map.get(added.file), added.loaded.map.get(added.file))
        else {
            return Err(RunStatus::CannotRun);
        };
        let (mut findings, had_errors) = self.new_findings(added);
        let has_errors = findings.has_errors();
        let style = session::style(output, &std::io::stderr());
        if has_errors {
            session::print_stderr(&human::human(&findings, &added.loaded.map, style));
            session::print_stderr("error: the registry would have an error, so nothing is written\n");
            return Err(RunStatus::Findings);
        }
        let diff = super::text_diff::unified(old.name(), old.text(), new.text());
        if session::print_stdout(&diff) != RunStatus::Clean {
            return Err(RunStatus::CannotRun);
        }
        findings.sort();
        if !findings.findings().is_empty() {
            session::print_stderr(&human::human(&findings, &added.loaded.map, style));
        }
        if had_errors && !output.quiet {
            let note = "note: the registry has other errors, so it does not build yet";
            session::print_stderr(&format!("{note}: run `orchgen check{}`\n", self.operand()));
        }
        if self.args.dry_run {
            return Ok(());
        }
        let name = Path::new(old.name()).file_name().unwrap_or_default();
        let files = [Rewrite { path: self.folder.join(name), old: old.text(), new: new.text() }];
        rewrite(&files).map_err(session::fail)
    }

    /// The findings that the registry did not have before, and whether it has had errors.
    fn new_findings(&self, added: &Added) -> (Diagnostics, bool) {
        let analyzed = |loaded: &Loaded| {
            let mut findings = Diagnostics::default();
            // The verdict is in the findings.
            let _ = analyze(loaded, NotCheckedPolicy::Count, &mut findings);
            findings
        };
        let key = |finding: &Diagnostic| (finding.code.number, finding.message.clone());
        let old = analyzed(&self.loaded);
        let known: BTreeSet<_> = old.findings().iter().map(key).collect();
        let mut findings = analyzed(&added.loaded);
        // The next command adds a role for a new model.
        let is_new =
            |finding: &Diagnostic| !known.contains(&key(finding)) && finding.code.name != UNUSED_ITEM;
        findings.retain_from(0, is_new);
        (findings, old.has_errors())
    }
}

/// The name of the finding about a model that no role uses.
const UNUSED_ITEM: &str = "unused-item";
