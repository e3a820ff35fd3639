use std::path::Path;

use serde::{Deserialize, Serialize};

/// What a build found of a path that its `cache` names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CacheRun {
    /// The path, as the buildspec has it.
    pub path: String,
    /// What was there.
    pub found: Found,
}

/// What was there when the build began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Found {
    /// Files of an earlier build.
    Hit,
    /// Nothing.
    Miss,
    /// The path is outside of the sources: it is this machine's own, cached or not.
    OfTheMachine,
}

impl Found {
    /// In a word or three.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Miss => "miss",
            Self::OfTheMachine => "of this machine",
        }
    }
}

impl CacheRun {
    /// Looks at each path under `folder`, before the build.
    pub(crate) fn look(folder: &Path, paths: &[String]) -> Vec<Self> {
        let found = |path: &str| {
            if path.starts_with(['/', '~']) {
                return Found::OfTheMachine;
            }
            // What stands before the first pattern is a folder or a file.
            let parts = path
                .split('/')
                .take_while(|part| !part.contains(['*', '?', '[', '{']));
            let start = folder.join(parts.collect::<Vec<_>>().join("/"));
            let has_entries =
                std::fs::read_dir(&start).is_ok_and(|mut entries| entries.next().is_some());
            if has_entries || start.is_file() {
                Found::Hit
            } else {
                Found::Miss
            }
        };
        paths
            .iter()
            .map(|path| Self {
                path: path.clone(),
                found: found(path),
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_build_finds_is_told_by_path() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        };
        write("target/debug/a");
        write("one.txt");
        std::fs::create_dir(folder.path().join("empty")).unwrap();
        for (path, expected) in [
            ("target/**/*", Found::Hit),
            ("one.txt", Found::Hit),
            ("empty/**/*", Found::Miss),
            ("none/**/*", Found::Miss),
            ("/root/.cargo/registry/**/*", Found::OfTheMachine),
        ] {
            let looked = CacheRun::look(folder.path(), &[path.to_owned()]);
            assert_eq!(looked[0].found, expected, "{path}");
        }
    }
}
