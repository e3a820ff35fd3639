use std::collections::BTreeSet;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path, PathBuf};

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use super::Store;
use crate::{ErrorKind, RunError};

/// Files by patterns, as a buildspec names them.
#[derive(Clone, Debug, Default)]
pub struct Selection<'a> {
    /// Patterns: `a.txt`, `dir/*`, `dir/**/*`.
    pub files: &'a [String],
    /// Where they start, under the folder.
    pub base: Option<&'a str>,
    /// Whether folders are left out of the names.
    pub discard_paths: bool,
}

/// Compiles patterns: `*` stays in its folder, `**` does not.
pub(crate) fn patterns<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<GlobSet, RunError> {
    let fault = |text: &str, error: &globset::Error| {
        RunError::new(
            ErrorKind::Definition,
            format!("`{text}` is no pattern of files"),
        )
        .cause(error.to_string())
    };
    let mut set = GlobSetBuilder::new();
    for text in texts {
        let clean = text.trim_start_matches("./");
        if leaves(Path::new(clean)) {
            return Err(leaving(text));
        }
        let glob = GlobBuilder::new(clean)
            .literal_separator(true)
            .build()
            .map_err(|error| fault(text, &error))?;
        set.add(glob);
        // A folder by its name is everything in it.
        if let Ok(glob) = GlobBuilder::new(&format!("{}/**", clean.trim_end_matches('/'))).build() {
            set.add(glob);
        }
    }
    set.build().map_err(|error| fault("", &error))
}

fn leaves(path: &Path) -> bool {
    path.components()
        .any(|part| !matches!(part, Component::Normal(_) | Component::CurDir))
}

fn leaving(text: &str) -> RunError {
    RunError::new(
        ErrorKind::Definition,
        format!("`{text}` leaves the folder of the sources"),
    )
    .hint("name files by paths under it")
}

/// The files under `root` that are selected: names in the artifact, and where they are; never outside of `root`.
pub(crate) fn select(
    root: &Path,
    selection: &Selection<'_>,
) -> Result<Vec<(String, PathBuf)>, RunError> {
    let base = selection.base.unwrap_or(".");
    if leaves(Path::new(base)) {
        return Err(leaving(base));
    }
    let set = patterns(selection.files.iter().map(String::as_str))?;
    let real = |path: &Path| {
        path.canonicalize()
            .map_err(|error| RunError::io("read", path, &error))
    };
    let (root, start) = (real(root)?, root.join(base));
    let mut found = Vec::new();
    let mut folders = vec![start.clone()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else {
            continue;
        };
        for entry in entries.flatten() {
            let path = entry.path();
            let Ok(kind) = entry.file_type() else {
                continue;
            };
            if kind.is_dir() {
                folders.push(path);
                continue;
            }
            let Some(name) = path.strip_prefix(&start).ok().and_then(Path::to_str) else {
                continue;
            };
            if !set.is_match(name) {
                continue;
            }
            let target = real(&path)?;
            if !target.starts_with(&root) {
                return Err(RunError::new(
                    ErrorKind::Artifact,
                    format!("`{name}` is a link that leaves the folder of the sources"),
                )
                .cause(format!("it leads to {}", target.display())));
            }
            if target.is_file() {
                found.push((name.to_owned(), path));
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Zips the selected files into the store: the same files make the same bytes. Gives the artifact's name.
///
/// # Errors
/// A pattern leaves the folder or finds nothing, a link leaves it, or two files would have one name.
pub fn pack(root: &Path, selection: &Selection<'_>, store: &Store) -> Result<String, RunError> {
    let found = select(root, selection)?;
    if found.is_empty() {
        return Err(RunError::new(
            ErrorKind::Failed,
            format!("no file fits {}", selection.files.join(", ")),
        )
        .hint("correct the `files` of the artifact, or the commands that should make them"));
    }
    let unfinished = tempfile::NamedTempFile::new_in(store.folder())
        .map_err(|error| RunError::io("write in", store.folder(), &error))?;
    let path = unfinished.path().to_owned();
    let fault = |error: std::io::Error| RunError::io("write", &path, &error);
    let mut writer = ZipWriter::new(unfinished.reopen().map_err(fault)?);
    let mut names = BTreeSet::new();
    for (name, file) in found {
        let name = if selection.discard_paths {
            name.rsplit('/').next().unwrap_or(&name).to_owned()
        } else {
            name
        };
        if !names.insert(name.clone()) {
            return Err(RunError::new(
                ErrorKind::Artifact,
                format!("two files would be `{name}` in the artifact"),
            )
            .hint("keep the paths (discard-paths), or name fewer files"));
        }
        let read = |error: std::io::Error| RunError::io("read", &file, &error);
        let mut contents = std::fs::File::open(&file).map_err(read)?;
        let mode = contents.metadata().map_err(read)?.permissions().mode();
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .last_modified_time(DateTime::default())
            .large_file(true)
            .unix_permissions(mode & 0o777);
        writer
            .start_file(name, options)
            .map_err(|error| fault(error.into()))?;
        std::io::copy(&mut contents, &mut writer).map_err(fault)?;
    }
    let mut file = writer.finish().map_err(|error| fault(error.into()))?;
    file.flush().map_err(fault)?;
    let path = unfinished
        .into_temp_path()
        .keep()
        .map_err(|error| RunError::io("write", &error.path, &error.error))?;
    store.take(&path)
}
