use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Component, Path, PathBuf};

use globset::GlobSet;
use zip::ZipArchive;

use super::pack::patterns;
use crate::{ErrorKind, RunError};

/// How much an artifact may be.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Files and folders.
    pub entries: usize,
    /// Bytes of all files together, unpacked.
    pub bytes: u64,
}

impl Limits {
    /// What CodePipeline takes of a source is 7 GB at most; a tenth is plenty here.
    pub const DEFAULT: Self = Self {
        entries: 200_000,
        bytes: 700 << 20,
    };
}

/// What stays in the folder though the artifact does not have it: the cache of a build.
#[derive(Debug)]
pub struct Kept {
    set: GlobSet,
    folders: Vec<PathBuf>,
}

impl Kept {
    /// Paths that a buildspec's cache names. Those outside of the sources are the machine's, and left alone.
    pub fn new(paths: &[String]) -> Result<Self, RunError> {
        let own = || {
            paths
                .iter()
                .map(String::as_str)
                .filter(|path| !path.starts_with('/') && !path.starts_with('~'))
        };
        let whole = own().filter_map(|path| path.strip_suffix("/**/*"));
        Ok(Self {
            set: patterns(own())?,
            folders: whole
                .filter(|path| !path.contains(['*', '?', '[', '{']))
                .map(PathBuf::from)
                .collect(),
        })
    }
}

enum Wanted {
    Folder,
    File { index: usize, mode: u32 },
    Link(String),
}

/// Makes `folder` what the artifact is, and what is `kept`: the rest is removed.
///
/// A file that is the same already keeps its time, so that a build sees what has changed and no more.
///
/// # Errors
/// An entry that would land outside, a link that leads outside, more than the limits. Then nothing of the artifact has
/// been written.
pub fn unpack(zip: &Path, folder: &Path, limits: Limits, kept: &Kept) -> Result<(), RunError> {
    let read = |error: std::io::Error| RunError::io("read", zip, &error);
    let file = std::fs::File::open(zip).map_err(read)?;
    let mut archive = ZipArchive::new(file).map_err(|error| {
        RunError::new(
            ErrorKind::Artifact,
            format!("`{}` is no zip", zip.display()),
        )
        .cause(error.to_string())
    })?;
    let wanted = inspect(&mut archive, limits)?;
    std::fs::create_dir_all(folder).map_err(|error| RunError::io("create", folder, &error))?;
    clear(folder, Path::new(""), &wanted, kept)?;
    let mut left = limits.bytes;
    for (path, what) in &wanted {
        let to = folder.join(path);
        let write = |error: std::io::Error| RunError::io("write", &to, &error);
        match what {
            Wanted::Folder => std::fs::create_dir_all(&to).map_err(write)?,
            Wanted::Link(target) => {
                if std::fs::symlink_metadata(&to).is_err() {
                    symlink(target, &to).map_err(write)?;
                }
            }
            Wanted::File { index, mode } => {
                let entry = archive
                    .by_index(*index)
                    .map_err(|error| read(error.into()))?;
                let mut contents = Vec::new();
                // What the zip says of its sizes is not believed.
                entry
                    .take(left + 1)
                    .read_to_end(&mut contents)
                    .map_err(read)?;
                left = left
                    .checked_sub(contents.len() as u64)
                    .ok_or_else(|| too_large(limits))?;
                if std::fs::read(&to).is_ok_and(|old| old == contents) {
                    continue;
                }
                std::fs::write(&to, &contents).map_err(write)?;
                std::fs::set_permissions(&to, std::fs::Permissions::from_mode(*mode))
                    .map_err(write)?;
            }
        }
    }
    Ok(())
}

fn too_large(limits: Limits) -> RunError {
    RunError::new(
        ErrorKind::Artifact,
        format!(
            "the artifact is larger than {} MiB unpacked",
            limits.bytes >> 20
        ),
    )
    .hint("look at what makes it: it may be a zip bomb")
}

fn refuse(name: &str, why: &str) -> RunError {
    RunError::new(
        ErrorKind::Artifact,
        format!("the artifact has `{name}`, {why}"),
    )
}

/// Reads the names, and refuses what must not be written. Folders above files are wanted too.
fn inspect(
    archive: &mut ZipArchive<std::fs::File>,
    limits: Limits,
) -> Result<BTreeMap<PathBuf, Wanted>, RunError> {
    let broken = |error: zip::result::ZipError| {
        RunError::new(ErrorKind::Artifact, "the artifact cannot be read").cause(error.to_string())
    };
    if archive.len() > limits.entries {
        return Err(RunError::new(
            ErrorKind::Artifact,
            format!("the artifact has more than {} entries", limits.entries),
        ));
    }
    let mut wanted = BTreeMap::new();
    let mut declared: u64 = 0;
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(broken)?;
        let name = entry.name().map_err(broken)?.to_string();
        let path = inside(&name)?;
        if path.as_os_str().is_empty() {
            continue;
        }
        declared = declared.saturating_add(entry.size());
        if declared > limits.bytes {
            return Err(too_large(limits));
        }
        let mode = entry.unix_mode().unwrap_or(0o644);
        let what = if entry.is_dir() {
            Wanted::Folder
        } else if mode & 0o170_000 == 0o120_000 {
            let mut target = String::new();
            (&mut entry)
                .take(4096)
                .read_to_string(&mut target)
                .map_err(|_| refuse(&name, "a link whose target is no text"))?;
            if !stays(&path, &target) {
                return Err(refuse(
                    &name,
                    &format!("a link that leaves the artifact: it leads to `{target}`"),
                ));
            }
            Wanted::Link(target)
        } else if matches!(mode & 0o170_000, 0 | 0o100_000) {
            let mode = if mode & 0o100 == 0 { 0o644 } else { 0o755 };
            Wanted::File { index, mode }
        } else {
            return Err(refuse(&name, "which is neither file, folder nor link"));
        };
        for above in path.ancestors().skip(1) {
            if !above.as_os_str().is_empty() {
                let folder = wanted.entry(above.to_owned()).or_insert(Wanted::Folder);
                if !matches!(folder, Wanted::Folder) {
                    return Err(refuse(&name, "below something that is no folder"));
                }
            }
        }
        match (wanted.get(&path), &what) {
            (None, _) => {
                wanted.insert(path, what);
            }
            (Some(Wanted::Folder), Wanted::Folder) => {}
            _ => return Err(refuse(&name, "twice")),
        }
    }
    let links: BTreeSet<_> = wanted
        .iter()
        .filter(|(_, what)| matches!(what, Wanted::Link(_)))
        .map(|(path, _)| path.clone())
        .collect();
    for path in wanted.keys() {
        if path.ancestors().skip(1).any(|above| links.contains(above)) {
            return Err(refuse(&path.to_string_lossy(), "below a link"));
        }
    }
    Ok(wanted)
}

/// The name as a path under the folder.
fn inside(name: &str) -> Result<PathBuf, RunError> {
    let mut path = PathBuf::new();
    if name.contains(['\\', '\0']) {
        return Err(refuse(name, "a name that no file should have"));
    }
    for part in Path::new(name).components() {
        match part {
            Component::Normal(part) => path.push(part),
            Component::CurDir => {}
            _ => return Err(refuse(name, "which would land outside of its folder")),
        }
    }
    Ok(path)
}

/// Whether a link's target is under the folder, counted from the link. `..` may stand at its start alone: behind a name
/// that is itself a link it would lead elsewhere than it seems.
fn stays(link: &Path, target: &str) -> bool {
    let mut depth = link.components().count() - 1;
    let mut is_down = false;
    for part in Path::new(target).components() {
        match part {
            Component::Normal(_) => is_down = true,
            Component::CurDir => {}
            Component::ParentDir if depth > 0 && !is_down => depth -= 1,
            _ => return false,
        }
    }
    true
}

/// Removes what is neither wanted nor kept, and never follows a link. Tells whether anything is left.
fn clear(
    root: &Path,
    below: &Path,
    wanted: &BTreeMap<PathBuf, Wanted>,
    kept: &Kept,
) -> Result<bool, RunError> {
    let folder = root.join(below);
    let fault = |error: std::io::Error| RunError::io("read", &folder, &error);
    let mut is_used = false;
    for entry in std::fs::read_dir(&folder).map_err(fault)? {
        let entry = entry.map_err(fault)?;
        let (path, kind) = (
            below.join(entry.file_name()),
            entry.file_type().map_err(fault)?,
        );
        let here = entry.path();
        let remove = |error: std::io::Error| RunError::io("remove", &here, &error);
        if kind.is_dir() {
            let stays = match wanted.get(&path) {
                _ if kept.folders.contains(&path) => true,
                Some(Wanted::Folder) => {
                    clear(root, &path, wanted, kept)?;
                    true
                }
                _ => clear(root, &path, wanted, kept)?,
            };
            if stays
                && !matches!(
                    wanted.get(&path),
                    Some(Wanted::File { .. } | Wanted::Link(_))
                )
            {
                is_used = true;
            } else {
                std::fs::remove_dir_all(&here).map_err(remove)?;
            }
            continue;
        }
        let stays = match wanted.get(&path) {
            Some(Wanted::File { .. }) => kind.is_file(),
            Some(Wanted::Link(target)) => {
                std::fs::read_link(&here).is_ok_and(|old| old == Path::new(target))
            }
            Some(Wanted::Folder) => false,
            None => kind.is_file() && kept.set.is_match(&path),
        };
        if stays {
            is_used = true;
        } else {
            std::fs::remove_file(&here).map_err(remove)?;
        }
    }
    Ok(is_used)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

    const SMALL: Limits = Limits {
        entries: 10,
        bytes: 1 << 20,
    };

    enum Entry<'a> {
        File(&'a str, &'a str),
        Link(&'a str, &'a str),
    }

    fn zip(entries: &[Entry<'_>]) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut writer = ZipWriter::new(file.reopen().unwrap());
        let options = SimpleFileOptions::default();
        for entry in entries {
            match entry {
                Entry::File(name, contents) => {
                    writer.start_file(*name, options).unwrap();
                    writer.write_all(contents.as_bytes()).unwrap();
                }
                Entry::Link(name, target) => writer.add_symlink(*name, *target, options).unwrap(),
            }
        }
        writer.finish().unwrap();
        file
    }

    #[track_caller]
    fn refused(entries: &[Entry<'_>], words: &str) {
        let around = tempfile::tempdir().unwrap();
        let folder = around.path().join("src");
        let zip = zip(entries);
        let kept = Kept::new(&[]).unwrap();
        let error = unpack(zip.path(), &folder, SMALL, &kept).unwrap_err();
        assert!(error.message.contains(words), "{}", error.message);
        assert!(!folder.exists(), "nothing is written");
        assert_eq!(std::fs::read_dir(around.path()).unwrap().count(), 0);
    }

    #[test]
    fn what_leaves_its_folder_is_refused() {
        use Entry::{File, Link};
        for name in ["../a", "/a", "a/../../b", "..", "a\\..\\b"] {
            refused(&[File("ok", ""), File(name, "x")], "the artifact has");
        }
        for target in ["/etc/passwd", "../a", "d/../../a", "d/.."] {
            refused(&[Link("link", target)], "a link that leaves");
        }
        refused(&[Link("a", "b"), File("a/c", "")], "below");
        refused(&[File("a", ""), File("a/c", "")], "below");
        refused(&[File("a", ""), File("./a", "")], "twice");
    }

    #[test]
    fn a_bomb_is_refused() {
        let large = "0".repeat(2 << 20);
        refused(&[Entry::File("a", &large)], "larger than 1 MiB");
        let names: Vec<_> = (0..11).map(|number| number.to_string()).collect();
        let many: Vec<_> = names.iter().map(|name| Entry::File(name, "")).collect();
        refused(&many, "more than 10 entries");
    }

    #[test]
    fn a_folder_becomes_what_the_artifact_is_and_keeps_its_cache() {
        use Entry::{File, Link};
        let around = tempfile::tempdir().unwrap();
        let (folder, outside) = (around.path().join("src"), around.path().join("outside"));
        std::fs::create_dir_all(&outside).unwrap();
        std::fs::write(outside.join("kept"), "").unwrap();
        let kept = Kept::new(&["target/**/*".to_owned(), "/root/x/**/*".to_owned()]).unwrap();
        let first = zip(&[File("a", "1"), File("d/b", "2"), Link("l", "d/b")]);
        unpack(first.path(), &folder, SMALL, &kept).unwrap();
        let time = |name: &str| folder.join(name).metadata().unwrap().modified().unwrap();
        let before = time("d/b");
        assert_eq!(std::fs::read_to_string(folder.join("l")).unwrap(), "2");

        // What a build may leave: a cache, rubbish, links out.
        std::fs::create_dir_all(folder.join("target/x")).unwrap();
        std::fs::write(folder.join("target/x/cached"), "").unwrap();
        std::fs::write(folder.join("rubbish"), "").unwrap();
        symlink(&outside, folder.join("out")).unwrap();
        std::fs::remove_file(folder.join("a")).unwrap();
        symlink(outside.join("kept"), folder.join("a")).unwrap();

        let second = zip(&[File("a", "3"), File("d/b", "2")]);
        unpack(second.path(), &folder, SMALL, &kept).unwrap();
        let mut names: Vec<_> = std::fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(names, ["a", "d", "target"]);
        assert!(folder.join("target/x/cached").exists());
        assert_eq!(std::fs::read_to_string(folder.join("a")).unwrap(), "3");
        assert_eq!(std::fs::read_to_string(outside.join("kept")).unwrap(), "");
        assert_eq!(time("d/b"), before, "an equal file keeps its time");
    }
}
