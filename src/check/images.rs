//! The container images of engines, and whether a target serves them.

use crate::derive::Derived;
use crate::diag::{Change, Diagnostic, Diagnostics, Line, words};
use crate::hir::{Engine, Registry, Role, TargetName, Text};

declare_code! {
    /// ## What it finds
    /// An `image` that is not a complete name: `REGISTRY/NAME`, with an optional `:TAG` and the digest `@sha256:` with 64
    /// hexadecimal digits.
    ///
    /// ## Why
    /// podman and Docker complete a name without a registry differently. A wrong digest would only be found at the start of the
    /// container.
    ///
    /// ## Example
    /// ```kdl
    /// engine "cuda" profile="llama.cpp-b11434" image="llama.cpp@sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
    /// role "extra" tier="A" residency="hot" model="plain" port=9000 context=4096 engine="cuda"
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// engine "cuda" profile="llama.cpp-b11434" image="ghcr.io/ggml-org/llama.cpp@sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
    /// role "extra" tier="A" residency="hot" model="plain" port=9000 context=4096 engine="cuda"
    /// ```
    pub(super) static BAD_IMAGE = 611, "bad-image", Error;
}

declare_code! {
    /// ## What it finds
    /// An `image` without a digest.
    ///
    /// ## Why
    /// A tag can name another image tomorrow, with another build of llama.cpp: its options can be different, and the profile of the
    /// engine is then wrong. A digest names exactly one image.
    ///
    /// ## Example
    /// ```kdl
    /// engine "cuda" profile="llama.cpp-b11434" image="ghcr.io/ggml-org/llama.cpp:server-cuda"
    /// role "extra" tier="A" residency="hot" model="plain" port=9000 context=4096 engine="cuda"
    /// ```
    ///
    /// ## Instead
    /// ```kdl
    /// engine "cuda" profile="llama.cpp-b11434" image="ghcr.io/ggml-org/llama.cpp@sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
    /// role "extra" tier="A" residency="hot" model="plain" port=9000 context=4096 engine="cuda"
    /// ```
    pub(super) static IMAGE_WITHOUT_DIGEST = 612, "image-without-digest", Warning;
}

declare_code! {
    /// ## What it finds
    /// - A role whose engine has an `image`, in a stack whose `targets` include neither `quadlet`, `compose` nor `kubernetes`.
    ///   A stack without units (`systemd`) needs only scripts (`bin`).
    /// - An engine with both `bin` and `image`, in a stack without the target `kubernetes`.
    ///
    /// ## Why
    /// The units of `systemd` run programs of the host, so nothing would start the role at boot. If an engine has both, programs
    /// of the host serve its roles, and only the pods of `kubernetes` use the image.
    ///
    /// ## Instead
    /// Add `quadlet` (podman), `compose` (Docker) or `kubernetes` to the `targets` of the stack, or remove one of the fields of
    /// the engine.
    pub(super) static UNSERVED_IMAGE = 614, "unserved-image", Error;
}

/// The algorithm of a digest, and its number of digits.
const DIGEST: (&str, usize) = ("sha256:", 64);

/// Names with these endings are units of podman, not images (`handleImageSource` in `pkg/systemd/quadlet/quadlet.go` of podman 5.8).
const UNITS: [&str; 2] = [".image", ".build"];

pub(super) fn run(derived: &Derived, findings: &mut Diagnostics) {
    for engine in derived.registry.engines.iter() {
        let Some(image) = &engine.image else { continue };
        if let Some(why) = fault(image) {
            let message = format!("`image` of {} is {}, {why}", engine.head, words::quoted(image));
            let finding = BAD_IMAGE.at(image.span, "not a complete name of an image", message);
            findings.report(finding.about(&engine.head).help(
                "write the registry, the name and the digest. The images of llama.cpp are in `ghcr.io/ggml-org/llama.cpp`",
            ));
        } else if !image.contains('@') {
            without_digest(engine, image, findings);
        }
    }
    unserved(derived, findings);
}

fn without_digest(engine: &Engine, image: &Text, findings: &mut Diagnostics) {
    let message = format!("`image` of {} has no digest, so its build can change", engine.head);
    let finding = IMAGE_WITHOUT_DIGEST.at(image.span, "names the newest image with this tag", message);
    let inspect = "image inspect --format '{{index .RepoDigests 0}}'";
    let image = words::printable(image);
    // An image of this machine is not pulled.
    let pull = if image.starts_with("localhost/") {
        String::new()
    } else {
        format!("after `podman pull {image}`, ")
    };
    let help = format!("write the image with its digest: {pull}`podman {inspect} {image}` prints it");
    findings.report(finding.about(&engine.head).help(help));
}

/// Reports engines whose image no target uses.
fn unserved(derived: &Derived, findings: &mut Diagnostics) {
    let registry = &derived.registry;
    let targets = &registry.stack.targets;
    let has = |name| targets.iter().any(|target| target.value == name);
    if registry.stack.has_unread_targets || has(TargetName::Kubernetes) {
        return;
    }
    let has_only_scripts = has(TargetName::Bin) && !has(TargetName::Systemd);
    let is_used =
        targets.is_empty() || has(TargetName::Quadlet) || has(TargetName::Compose) || has_only_scripts;
    for (id, engine) in registry.engines.entries() {
        let Some(image) = &engine.image else { continue };
        if let Some(bin) = &engine.bin {
            findings.report(unused(registry, engine, (image, bin)));
        } else if !is_used {
            let mut roles = registry.served();
            let is_on = |serving: &crate::hir::Serving| serving.engine.is_some_and(|own| own.value == id);
            let role = roles.find(|(_, serving)| is_on(serving));
            let finding = role.and_then(|(role, _)| not_started(registry, engine, image, role));
            if let Some(finding) = finding {
                findings.report(finding);
            }
        }
    }
}

/// A role whose image no target starts.
fn not_started(registry: &Registry, engine: &Engine, image: &Text, role: &Role) -> Option<Diagnostic> {
    let targets = &registry.stack.targets;
    let last = targets.last()?;
    let message = format!(
        "{} has an `image`, but `targets` has neither `quadlet`, `compose` nor `kubernetes`, so nothing starts {role} at boot",
        engine.head
    );
    let finding = UNSERVED_IMAGE.at(image.span, "starts only as a container", message);
    let change = with_target(registry, targets.iter().map(|target| target.value), TargetName::Quadlet);
    let finding = finding.about(&engine.head).also(last.span, "the targets of the stack");
    Some(finding.remedy("write `{}` in the stack, or `compose` for Docker", change))
}

/// An image that no target uses, because the programs of the host serve the roles.
fn unused(registry: &Registry, engine: &Engine, (image, bin): (&Text, &Text)) -> Diagnostic {
    let message =
        format!("{} has both `bin` and `image`, but only the target `kubernetes` uses both", engine.head);
    let finding = UNSERVED_IMAGE.at(image.span, "the programs in a container", message);
    let finding = finding.about(&engine.head).also(bin.span, "the programs on the host");
    let finding = finding.remedy("remove `{}` for containers", Change::remove(bin.span));
    let finding = finding.remedy("or remove `{}` for units and scripts", Change::remove(image.span));
    let declared = registry.stack.targets.iter().map(|target| target.value);
    let all = TargetName::ALL.iter().copied().filter(|name| *name != TargetName::OPT_IN);
    let known: Vec<TargetName> =
        if registry.stack.targets.is_empty() { all.collect() } else { declared.collect() };
    let change = with_target(registry, known.into_iter(), TargetName::Kubernetes);
    finding.remedy("or write `{}` in the stack for both", change)
}

/// These targets of the stack and another one.
fn with_target(registry: &Registry, known: impl Iterator<Item = TargetName>, other: TargetName) -> Change {
    let named = known.chain([other]).map(TargetName::word);
    Change::set(registry.stack.head.span, named.fold(Line::new("targets"), Line::value))
}

/// The reason why a text is not the complete name of an image, as a clause (`reference/regexp.go` of distribution).
fn fault(image: &str) -> Option<&'static str> {
    let (named, digest) =
        image.split_once('@').map_or((image, None), |(named, digest)| (named, Some(digest)));
    let is_hex = |c: char| matches!(c, '0'..='9' | 'a'..='f');
    let is_digest = |digest: &str| {
        digest
            .strip_prefix(DIGEST.0)
            .is_some_and(|digits| digits.len() == DIGEST.1 && digits.chars().all(is_hex))
    };
    if digest.is_some_and(|digest| !is_digest(digest)) {
        return Some("whose digest is not `sha256:` with 64 hexadecimal digits in lower case");
    }
    let Some((registry, path)) = named.split_once('/') else { return Some("which has no registry") };
    if !is_registry(registry) {
        return Some("which does not start with a registry");
    }
    let (path, tag) = path.split_once(':').map_or((path, None), |(path, tag)| (path, Some(tag)));
    if !path.split('/').all(is_part) {
        return Some("whose name has characters that an image cannot have");
    }
    let starts_well = |tag: &str| tag.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
    let is_tag_char = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    if tag.is_some_and(|tag| !starts_well(tag) || tag.len() > 128 || !tag.chars().all(is_tag_char)) {
        return Some("whose tag has characters that a tag cannot have");
    }
    UNITS.iter().any(|end| image.ends_with(end)).then_some("which podman would read as the name of a unit")
}

/// True for a host name with a dot or a port, or `localhost`.
fn is_registry(name: &str) -> bool {
    let is_char = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':');
    let is_host = name.contains(['.', ':']) || name == "localhost";
    is_host && name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.chars().all(is_char)
}

/// True for a part of the name: lower case and digits, with separators between them.
fn is_part(part: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    part.starts_with(is_plain)
        && part.ends_with(is_plain)
        && part.chars().all(|c| is_plain(c) || matches!(c, '.' | '_' | '-'))
}
