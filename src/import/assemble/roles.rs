//! The roles of a registry: one for each server, and one for each of its personas.

use super::engines::server_image;
use super::gpus::{HostGpus, RoleKind, is_visibility};
use super::paths::{host_path, is_assumed};
use super::{Assembly, RoleDraft, slug};
use crate::diag::{Line, Literal};
use crate::engine::Family;
use crate::import::given::Builds;
use crate::import::raise::{DRAFT_MODEL, ModelFile, Raised};
use crate::import::report::{ASSUMED_FOLDER, NOT_SET};
use crate::import::secret::{has_password, is_secret_name};
use crate::import::source::{At, Change, Loss, Program, Server};
use std::collections::BTreeSet;

impl Assembly<'_> {
    /// The role of a server. Returns its name.
    pub(super) fn role(
        &mut self,
        (index, server): (usize, &Server),
        raised: Option<&Raised>,
        gpus: &HostGpus,
        drafts: &mut Vec<RoleDraft>,
    ) -> Option<String> {
        if let Some(loss) = &server.unreadable {
            self.out.losses.push((index, loss.clone()));
            return None;
        }
        let lines = match raised {
            Some(raised) => self.engine_role(index, server, raised, gpus)?,
            None => self.command_role(index, server)?,
        };
        let is_reserved = self.reserved.get(index).copied().unwrap_or(false);
        let name = if is_reserved { server.name.clone() } else { self.names.add("role", &server.name) };
        let mut aliases: Vec<String> = Vec::new();
        if server.is_api_name && server.name != name {
            aliases.push(server.name.clone());
        }
        let given = raised.map(|raised| raised.aliases.as_slice()).unwrap_or_default();
        aliases.extend(server.aliases.iter().map(|alias| alias.text.clone()).chain(given.iter().cloned()));
        let mut own: Vec<String> = Vec::new();
        let mut seen: BTreeSet<String> = BTreeSet::new();
        for alias in aliases {
            let is_persona = server.personas.iter().any(|persona| slug(&persona.name.text) == alias);
            if alias != name && seen.insert(alias.clone()) && !is_persona {
                own.push(alias);
            }
        }
        let mut all = lines;
        let is_ik = raised.is_some() && self.is_ik(server);
        if is_ik {
            for alias in std::mem::take(&mut own) {
                self.lose(index, &format!("--alias {alias}"), server.at, "the server answers to any name");
            }
        }
        let sharers = if raised.is_none() { std::mem::take(&mut own) } else { Vec::new() };
        if !own.is_empty() {
            all.insert(
                1.min(all.len()),
                own.iter().fold(Line::new("alias"), |line, alias| line.value(alias.as_str())),
            );
        }
        self.report_names(index, server, &name, &own);
        drafts.push(RoleDraft { name: name.clone(), lines: all });
        self.sharers((index, server), sharers, &name, drafts);
        self.personas(index, server, &name, drafts);
        Some(name)
    }

    /// Roles for the further names of a program: it has no names at the API, but a role that shares it has one.
    fn sharers(
        &mut self,
        (index, server): (usize, &Server),
        names: Vec<String>,
        role: &str,
        drafts: &mut Vec<RoleDraft>,
    ) {
        for alias in names {
            if slug(&alias) == alias && self.names.is_free("role", &alias) {
                let shared = self.names.add("role", &alias);
                drafts.push(RoleDraft { name: shared, lines: vec![Line::of("shares", role)] });
            } else {
                let why =
                    "a role of another program has only its own name, with letters, digits, `.`, `_` and `-`";
                self.lose(index, &format!("alias: {alias}"), server.at, why);
            }
        }
    }

    /// True if the server of this engine has only one name.
    fn is_ik(&mut self, server: &Server) -> bool {
        let profile = self.engines.profile_of(server, self.sources);
        profile.is_some_and(|profile| profile.family() == Family::IkLlamaCpp)
    }

    /// Reports a program with another name or path. `None` if it is not known.
    fn program(&mut self, index: usize, server: &Server) -> Option<()> {
        let Program::Path(program) = &server.program else { return Some(()) };
        if program.is_dynamic {
            let why = "the path of the program is known only when the source runs";
            self.lose(index, &program.text, program.at, why);
            return None;
        }
        let own = Family::LlamaCpp.server();
        let name = program.text.rsplit('/').next().unwrap_or_default();
        if name != own && name != "llama" {
            let why = "an engine runs the program of this name in its folder: add a link with this name";
            self.change(index, ("program", &program.text, own), program.at, why.to_owned());
        }
        if program.text.contains('/') && is_assumed(server, &program.text) {
            let path = host_path(self.sources, server, &program.text);
            self.change(index, ("program", &program.text, &path), program.at, ASSUMED_FOLDER.to_owned());
        }
        Some(())
    }

    fn engine_role(
        &mut self,
        index: usize,
        server: &Server,
        raised: &Raised,
        gpus: &HostGpus,
    ) -> Option<Vec<Line>> {
        let Some(model) = &raised.model else {
            self.lose(
                index,
                "--model",
                server.at,
                "the source names no model file that is known without running it",
            );
            return None;
        };
        self.program(index, server)?;
        self.engines.register(server, self.sources);
        let model = self.on_host(server, model);
        let projector = raised.projector.as_ref().map(|projector| {
            let mut projector = projector.clone();
            projector.file = host_path(self.sources, server, &projector.file);
            projector
        });
        if let Program::Image { image, .. } = &server.program {
            let own = server_image(&image.text);
            if own != image.text {
                let why = "the entry point of the image must be the server";
                self.change(index, ("image", &image.text, &own), image.at, why.to_owned());
            }
            if !raised.has_host {
                let why =
                    "a container listens on all of its addresses: the published one is that for clients";
                self.reform(index, ("--host", NOT_SET, "0.0.0.0"), server.at, why);
            }
        }
        let mut lines = vec![Line::of("model", self.models.add(&model, projector.as_ref()))];
        lines.extend(self.address(index, server, raised.port, &raised.listen));
        if server.gateway.is_none_or(|gateway| !self.is_router(gateway))
            && let Some(engine) = self.engines.name_of(server, self.sources)
        {
            lines.push(Line::of("engine", engine));
        }
        lines.extend(raised.fields.iter().map(|line| self.with_names(server, raised, line)));
        if raised.placement.is_locked && self.is_user {
            let why = "only root can raise the limit on locked memory, and the units are those of a user";
            self.lose(index, "--mlock", server.at, why);
        }
        lines.extend(self.placement(server, raised, gpus));
        lines.extend(self.options(server, raised));
        lines.extend(self.env(index, server));
        Some(lines)
    }

    /// The options without own field, with paths of the host.
    fn options(&self, server: &Server, raised: &Raised) -> Option<Line> {
        let options = raised.options.iter().map(|(name, values)| {
            let path = crate::engine::options::row_of(name).and_then(|row| row.path);
            let value = |value: &Literal| match (value, path) {
                (Literal::Text(text), Some(_)) => Literal::Text(host_path(self.sources, server, text)),
                _ => value.clone(),
            };
            Line { values: values.iter().map(value).collect(), ..Line::new(name.as_str()) }
        });
        let options: Vec<Line> = options.collect();
        (!options.is_empty()).then(|| Line::new("options").with_each(options))
    }

    pub(super) fn is_router(&self, gateway: usize) -> bool {
        use crate::import::source::SourceGatewayKind::Router;
        self.sources.gateways.get(gateway).is_some_and(|gateway| gateway.kind == Router)
    }

    /// A model file with an absolute path of the host. A name in a repository stays.
    fn on_host(&self, server: &Server, file: &ModelFile) -> ModelFile {
        match file.repo {
            Some(_) => file.clone(),
            None => ModelFile { file: host_path(self.sources, server, &file.file), ..file.clone() },
        }
    }

    /// A field with the name of the draft model, and with paths of the host.
    fn with_names(&mut self, server: &Server, raised: &Raised, line: &Line) -> Line {
        let mut line = line.clone();
        match line.name.as_str() {
            "draft" => {
                if let Some(draft) =
                    raised.draft.as_ref().filter(|_| line.values == [Literal::from(DRAFT_MODEL)])
                {
                    let draft = self.on_host(server, draft);
                    line.values = vec![Literal::Text(self.models.add(&draft, None))];
                }
                line.fields.extend(raised.placement.gpu.draft.iter().cloned());
            }
            "template" | "lora" | "key-file" => {
                for value in &mut line.values {
                    if let Literal::Text(path) = value {
                        *path = host_path(self.sources, server, path);
                    }
                }
            }
            _ => {}
        }
        line
    }

    fn placement(&mut self, server: &Server, raised: &Raised, gpus: &HostGpus) -> Option<Line> {
        let placed = &raised.placement;
        let mut fields = Vec::new();
        if let Some(numa) = &placed.numa {
            fields.push(Line::of("numa", numa.as_str()));
        }
        if let Some(cpus) = &placed.cpus {
            fields.push(Line::of("cpus", cpus.as_str()));
        }
        if let Some(threads) = placed.threads {
            fields.push(Line::of("threads", threads));
        }
        if placed.is_locked && !self.is_user {
            fields.push(Line::of("lock", true));
        }
        let is_fit = |line: &Line| line.name == "context" && line.values == [Literal::from("fit")];
        let kind = RoleKind { fits_context: raised.fields.iter().any(is_fit), is_ik: self.is_ik(server) };
        fields.extend(gpus.placement(server, &placed.gpu, kind));
        (!fields.is_empty()).then(|| Line::new("placement").with_each(fields))
    }

    /// The variables that are no options.
    fn env(&mut self, index: usize, server: &Server) -> Option<Line> {
        let profile = self.engines.profile_of(server, self.sources);
        let is_option =
            |name: &str| profile.is_some_and(|profile| Builds { profile }.variable(name).is_some());
        let mut env = Vec::new();
        for (name, value) in &server.env {
            if is_option(name) {
                continue;
            }
            let why = if is_secret_name(name) || has_password(&value.text) {
                "a registry has no secrets: set it where the program runs"
            } else if value.is_dynamic {
                "its value is known only when the script runs"
            } else if is_visibility(server, name) {
                "the container gets only the devices of its role, with new numbers"
            } else {
                env.push(Line::of(name.as_str(), value.text.as_str()));
                if matches!(server.program, Program::Image { .. }) {
                    let was = format!("{name}={}", value.text);
                    let why = "a variable of the container";
                    self.reform(index, ("environment", &was, "`env` of the role"), value.at, why);
                }
                continue;
            };
            self.lose(index, name, value.at, why);
        }
        if server.gateway.is_some_and(|gateway| self.is_router(gateway)) {
            self.engines.set_env(server, self.sources, &env);
            return None;
        }
        (!env.is_empty()).then(|| Line::new("env").with_each(env))
    }

    pub(super) fn lose(&mut self, index: usize, what: &str, at: At, why: &str) {
        let loss = Loss { what: what.to_owned(), at, why: why.to_owned() };
        self.out.losses.push((index, loss));
    }

    /// Reports a setting with the same meaning in another form.
    pub(super) fn reform(&mut self, index: usize, (option, was, is): (&str, &str, &str), at: At, why: &str) {
        let change = Change {
            option: option.to_owned(),
            was: was.to_owned(),
            is: is.to_owned(),
            why: why.to_owned(),
            at,
        };
        self.out.forms.push((index, change));
    }

    pub(super) fn change(
        &mut self,
        index: usize,
        (option, was, is): (&str, &str, &str),
        at: At,
        why: String,
    ) {
        let change = Change { option: option.to_owned(), was: was.to_owned(), is: is.to_owned(), why, at };
        self.out.changes.push((index, change));
    }
}
