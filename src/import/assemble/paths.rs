//! Paths of the sources as paths of the host.

use crate::import::source::{Server, Sources};

/// A path of a source as an absolute path of the host: through the folders of a container, from the working folder of the server, or
/// else from the folder of its file.
pub fn host_path(sources: &Sources, server: &Server, path: &str) -> String {
    let mounted = server.mounts.iter().filter_map(|(inside, outside)| {
        let inside = inside.trim_end_matches('/');
        let rest = path.strip_prefix(inside)?;
        (rest.is_empty() || rest.starts_with('/')).then(|| (inside.len(), format!("{outside}{rest}")))
    });
    let path = mounted.max_by_key(|(length, _)| *length).map_or_else(|| path.to_owned(), |(_, path)| path);
    if path.starts_with('/') {
        return normal_path(&path);
    }
    let file = sources.files.get(server.at.file).map_or("", |file| &file.path);
    let own = file.rsplit_once('/').map_or("", |(folder, _)| folder);
    let own = if own.starts_with('/') { own.to_owned() } else { format!("{}/{own}", sources.folder) };
    match &server.folder {
        Some(folder) if folder.text.starts_with('/') => normal_path(&format!("{}/{path}", folder.text)),
        Some(folder) => normal_path(&format!("{own}/{}/{path}", folder.text)),
        None => normal_path(&format!("{own}/{path}")),
    }
}

/// True if only the folder of the file makes a path absolute: nothing states that the server starts there.
pub fn is_assumed(server: &Server, path: &str) -> bool {
    let is_mounted = |(inside, _): &(String, String)| path.starts_with(inside.as_str());
    !path.starts_with('/') && server.folder.is_none() && !server.mounts.iter().any(is_mounted)
}

/// A path without `.`, `..` and empty parts.
pub(super) fn normal_path(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}
