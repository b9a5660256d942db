//! The section `[Container]`.

use super::prefix::assignment;
use super::{image, lose, mounts, ports};
use crate::import::source::{Loss, Reader, Server, Word};
use crate::import::unit::command::{Command, Expander};
use crate::import::unit::env_file;
use crate::import::unit::settings::Settings;
use crate::import::unit::specifiers::Context;
use crate::import::unit::syntax::Setting;
use crate::import::unit::variables::{NamedFile, Variables};
use crate::import::unit::words::{Escapes, Token, split};

const SECTION: &str = "Container";

/// Sets what the section describes.
pub(super) fn apply(
    reader: &mut Reader<'_>,
    settings: &Settings,
    context: &Context<'_>,
    server: &mut Server,
) {
    let mut losses = Vec::new();
    let of_podman = Variables::read(reader, settings, "Service", context, &mut losses);
    for (name, value) in of_podman.iter() {
        let why = "a variable of podman; the container has only those of `[Container]`";
        lose(server, format!("Environment={name}"), value.at, why);
    }
    for key in ["CPUAffinity", "NUMAPolicy", "NUMAMask", "WorkingDirectory", "ExecStart"] {
        if let Some(setting) = settings.last("Service", key) {
            lose(server, setting.written(), setting.at, "it is a setting of podman, not of the container");
        }
    }
    let env = variables(reader, settings, context, &mut losses);
    server.env = env.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    server.losses.append(&mut losses);
    for setting in settings.list(SECTION, "AddDevice") {
        add_device(&setting.value, server);
    }
    for setting in settings.list(SECTION, "PublishPort") {
        publish(&context.expand(&setting.value).text, setting, server);
    }
    for setting in settings.list(SECTION, "Volume") {
        server.mounts.extend(mounts::volume(&setting.value, context));
    }
    for setting in settings.list(SECTION, "Mount") {
        server.mounts.extend(mounts::bind(&setting.value, context));
    }
    for setting in settings.list(SECTION, "PodmanArgs") {
        podman_args(setting, context, server);
    }
    if let Some(setting) = settings.last(SECTION, "WorkingDir") {
        server.folder = Some(word(setting, context));
    }
    program(settings, context, &of_podman, server);
}

fn word(setting: &Setting, context: &Context<'_>) -> Word {
    let expanded = context.expand(&setting.value);
    Word { text: expanded.text, at: setting.at, is_dynamic: expanded.is_dynamic }
}

/// The variables of the container. `Environment=` wins over `EnvironmentFile=`.
fn variables(
    reader: &mut Reader<'_>,
    settings: &Settings,
    context: &Context<'_>,
    losses: &mut Vec<Loss>,
) -> Variables {
    let mut variables = Variables::default();
    for setting in settings.list(SECTION, "EnvironmentFile") {
        for token in split(&setting.value, Escapes::C).unwrap_or_default() {
            let path = context.expand(&token.text).text;
            variables.add_file(reader, &NamedFile { setting, path, parse: env_file::podman }, losses);
        }
    }
    for setting in settings.list(SECTION, "Environment") {
        let tokens = split(&setting.value, Escapes::C);
        let is_known = |tokens: &Vec<Token>| tokens.iter().all(|token| !token.has_unknown_escape);
        let Some(tokens) = tokens.ok().filter(is_known) else {
            losses.push(Loss {
                what: setting.written(),
                at: setting.at,
                why: "podman cannot read it".to_owned(),
            });
            continue;
        };
        for token in tokens {
            let at = setting.place(token.offset);
            let expanded = context.expand(&token.text);
            let entry = Word { text: expanded.text, at, is_dynamic: expanded.is_dynamic };
            match assignment(&entry) {
                Some((name, value)) => variables.insert(name, value, losses),
                None => {
                    let why =
                        "podman takes the value from its own environment; set `env` of the role".to_owned();
                    losses.push(Loss { what: format!("Environment={}", entry.text), at, why });
                }
            }
        }
    }
    variables
}

fn add_device(text: &str, server: &mut Server) {
    for device in text.split_whitespace() {
        let kind = image::gpus_of_device(device);
        // A render node alone is for Vulkan; next to another device it belongs to that.
        if server.gpus.is_none_or(|known| known == "Vulkan") {
            server.gpus = kind.or(server.gpus);
        }
    }
}

fn publish(text: &str, setting: &Setting, server: &mut Server) {
    match ports::parse(text, setting.at) {
        Ok(published) => server.published.extend(published),
        Err(why) => lose(server, setting.written(), setting.at, why),
    }
}

/// Reads ports, folders, variables and devices of `PodmanArgs=`. The setting is also reported as a whole.
fn podman_args(setting: &Setting, context: &Context<'_>, server: &mut Server) {
    let tokens = split(&setting.value, Escapes::C).unwrap_or_default();
    let mut tokens = tokens.into_iter().map(|token| context.expand(&token.text).text);
    while let Some(text) = tokens.next() {
        let (name, given) = match text.split_once('=') {
            Some((name, value)) if name.starts_with("--") => (name.to_owned(), Some(value.to_owned())),
            _ => (text, None),
        };
        let mut value = || given.clone().or_else(|| tokens.next()).unwrap_or_default();
        match name.as_str() {
            "-p" | "--publish" => publish(&value(), setting, server),
            "-v" | "--volume" => server.mounts.extend(mounts::volume(&value(), context)),
            "--mount" => server.mounts.extend(mounts::bind(&value(), context)),
            "--device" => add_device(&value(), server),
            "--gpus" => {
                value();
                server.gpus = server.gpus.or(Some("CUDA"));
            }
            "-e" | "--env" => {
                let entry = Word::new(value(), setting.at);
                if let Some((name, value)) = assignment(&entry) {
                    server.set_variable(name, value);
                }
            }
            _ => {}
        }
    }
}

/// The image, its program and its arguments.
fn program(settings: &Settings, context: &Context<'_>, of_podman: &Variables, server: &mut Server) {
    let at = server.at;
    let image = match settings.last(SECTION, "Image") {
        Some(setting) => word(setting, context),
        None => {
            let rootfs = settings.last(SECTION, "Rootfs");
            let what = rootfs.map_or("[Container]: no Image=".to_owned(), Setting::written);
            let at = rootfs.map_or(at, |setting| setting.at);
            let why = "the program of the container is not known".to_owned();
            server.unreadable.get_or_insert(Loss { what, at, why });
            Word::new("", at)
        }
    };
    let entry =
        settings.last(SECTION, "Entrypoint").map(|setting| entrypoint(setting, context)).unwrap_or_default();
    let exec = settings.last(SECTION, "Exec");
    let command = exec.map(|setting| (setting, arguments(setting, context, of_podman)));
    let args = match command {
        Some((_, Ok(command))) => {
            server.losses.extend(command.losses);
            command.words
        }
        Some((setting, Err(why))) => {
            let loss = Loss { what: setting.written(), at: setting.at, why };
            server.unreadable.get_or_insert(loss);
            Vec::new()
        }
        None => Vec::new(),
    };
    image::apply(image, entry, args, server);
}

/// `Entrypoint=`: a program, or a list in JSON.
fn entrypoint(setting: &Setting, context: &Context<'_>) -> Vec<Word> {
    let whole = word(setting, context);
    let list = serde_json::from_str::<Vec<String>>(&whole.text).ok().filter(|list| !list.is_empty());
    match list {
        Some(list) => list.into_iter().map(|text| Word { text, ..whole }).collect(),
        None => vec![whole],
    }
}

/// `Exec=`: systemd replaces variables of the service, which are not those of the container.
fn arguments(setting: &Setting, context: &Context<'_>, of_podman: &Variables) -> Result<Command, String> {
    let tokens = split(&setting.value, Escapes::C).map_err(|why| format!("podman ignores it: {why}"))?;
    if tokens.iter().any(|token| token.has_unknown_escape || token.text == ";" && !token.is_separator) {
        return Err("podman ignores it, because it does not know an escape".to_owned());
    }
    let mut expander = Expander::new(setting, context, of_podman);
    for token in &tokens {
        expander.word(token)?;
    }
    let mut command = expander.finish();
    for name in std::mem::take(&mut command.used) {
        let at = setting.at;
        let what = format!("Exec=: variable {name}");
        command.losses.retain(|loss| loss.what != format!("${{{name}}}") && loss.what != format!("${name}"));
        let why =
            "systemd replaces it by a variable of the service; those of the container are not known there"
                .to_owned();
        command.losses.push(Loss { what, at, why });
    }
    Ok(command)
}
