//! What follows from the pipelines' definitions, and the files as they are: one list for writing and for checking.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::Path;

use stackway_infra::config::{Config, Environment};
use stackway_infra::naming::{Naming, Source};
use stackway_pipeline_defs::pipelines::STACK;
use stackway_pipeline_defs::render::{
    EnvironmentInput, RenderError, RenderedFile, Workspace, render,
};

use crate::failure::{Failure, Kind};
use crate::project::Project;

/// Folders that hold nothing but what is rendered.
const FOLDERS: [&str; 2] = ["buildspecs", "cloudformation/configuration"];
const TEMPLATE: &str = "cloudformation/delivery.yaml";
/// What stands for the commit in a template configuration; the pipeline puts the commit there.
const COMMIT: &str = "COMMIT_ID";

/// A file that is not as it should be.
#[derive(Debug)]
pub(crate) enum Drift {
    /// It differs from its definition, or is not there.
    Differs {
        file: RenderedFile,
        found: Option<String>,
    },
    /// Nothing defines it any longer.
    Stale { path: String },
}

impl Drift {
    pub(crate) fn path(&self) -> &str {
        match self {
            Self::Differs { file, .. } => &file.path,
            Self::Stale { path } => path,
        }
    }
}

/// Renders everything that is committed.
pub(crate) fn rendered(project: &Project) -> Result<Vec<RenderedFile>, Failure> {
    let config = Config::load(&project.path("stackway.toml"))
        .map_err(|error| Failure::new(Kind::Configuration, error.to_string()))?;
    let path = project.path(TEMPLATE);
    let workspace = Workspace {
        delivery_template: std::fs::read_to_string(&path)
            .map_err(|error| Failure::io("read", &path, &error))?,
        environments: config
            .environments
            .values()
            .map(|environment| input(&config, environment))
            .collect(),
    };
    render(&workspace).map_err(render_failure)
}

/// What the environment gives the stack that the pipelines deploy.
fn input(config: &Config, environment: &Environment) -> EnvironmentInput {
    let naming = Naming {
        project: config.project.name.to_string(),
        region: environment
            .regions
            .first()
            .map(ToString::to_string)
            .unwrap_or_default(),
        environment: environment.name.to_string(),
    };
    let source = Source {
        commit: Some(COMMIT.to_owned()),
        repository: config.project.repository.clone(),
    };
    let own = environment
        .parameters
        .iter()
        .find(|(stack, _)| stack.as_str() == STACK);
    let mut parameters = own.map(|(_, all)| all.clone()).unwrap_or_default();
    parameters.insert("Project".to_owned(), naming.project.clone());
    parameters.insert("Environment".to_owned(), naming.environment.clone());
    EnvironmentInput {
        name: naming.environment.clone(),
        parameters,
        tags: naming.tags(STACK, &source, &environment.tags),
    }
}

/// A definition that does not hold.
pub(crate) fn render_failure(error: RenderError) -> Failure {
    let failure = Failure::new(Kind::Configuration, "the pipelines cannot be rendered");
    let failure = error.to_string().lines().fold(failure, Failure::cause);
    failure.hint("correct the definition in crates/pipeline-defs/src/pipelines, or the template")
}

/// What under `root` is not as `files` say.
pub(crate) fn drift(root: &Path, files: Vec<RenderedFile>) -> Result<Vec<Drift>, Failure> {
    let known: BTreeSet<_> = files.iter().map(|file| file.path.clone()).collect();
    let mut all = Vec::new();
    for file in files {
        let path = root.join(&file.path);
        let found = match std::fs::read_to_string(&path) {
            Ok(text) => Some(text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(Failure::io("read", &path, &error)),
        };
        if found.as_deref() != Some(file.contents.as_str()) {
            all.push(Drift::Differs { file, found });
        }
    }
    for folder in FOLDERS {
        for path in files_under(root, &root.join(folder))? {
            if !known.contains(&path) {
                all.push(Drift::Stale { path });
            }
        }
    }
    Ok(all)
}

/// Paths of files from `root`, with `/` between.
fn files_under(root: &Path, folder: &Path) -> Result<Vec<String>, Failure> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Failure::io("read", folder, &error)),
    };
    let mut all = Vec::new();
    for entry in entries {
        let path = entry
            .map_err(|error| Failure::io("read", folder, &error))?
            .path();
        if path.is_dir() {
            all.extend(files_under(root, &path)?);
        } else if let Ok(path) = path.strip_prefix(root) {
            let parts: Vec<_> = path
                .components()
                .map(|part| part.as_os_str().to_string_lossy())
                .collect();
            all.push(parts.join("/"));
        }
    }
    all.sort();
    Ok(all)
}

/// Makes the files under `root` what they should be.
pub(crate) fn settle(root: &Path, drift: &[Drift]) -> Result<(), Failure> {
    for one in drift {
        let path = root.join(one.path());
        match one {
            Drift::Differs { file, .. } => write(&path, &file.contents)?,
            Drift::Stale { .. } => {
                std::fs::remove_file(&path)
                    .map_err(|error| Failure::io("remove", &path, &error))?;
            }
        }
    }
    Ok(())
}

/// Writes a file whole or not at all, and keeps its permissions those of a file that anyone may read.
pub(crate) fn write(path: &Path, contents: &str) -> Result<(), Failure> {
    let fault = |error: &std::io::Error| Failure::io("write", path, error);
    let folder = path.parent().unwrap_or(path);
    std::fs::create_dir_all(folder).map_err(|error| Failure::io("create", folder, &error))?;
    let mut file = tempfile::Builder::new()
        .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644))
        .tempfile_in(folder)
        .map_err(|error| fault(&error))?;
    file.write_all(contents.as_bytes())
        .map_err(|error| fault(&error))?;
    file.persist(path).map_err(|error| fault(&error.error))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, contents: &str) -> RenderedFile {
        RenderedFile {
            path: path.to_owned(),
            contents: contents.to_owned(),
            definition: "stackway.toml".to_owned(),
        }
    }

    #[track_caller]
    fn check(root: &Path, files: &[RenderedFile], expected: &[&str]) {
        let found = drift(root, files.to_vec()).unwrap();
        let paths: Vec<_> = found.iter().map(Drift::path).collect();
        assert_eq!(paths, expected);
    }

    #[test]
    fn what_is_written_is_what_is_checked() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let files = [file("buildspecs/a.yml", "a"), file("b.yml", "b")];
        check(root, &files, &["buildspecs/a.yml", "b.yml"]);
        settle(root, &drift(root, files.to_vec()).unwrap()).unwrap();
        check(root, &files, &[]);

        std::fs::write(root.join("b.yml"), "edited").unwrap();
        std::fs::write(root.join("buildspecs/old.yml"), "").unwrap();
        check(root, &files, &["b.yml", "buildspecs/old.yml"]);
        settle(root, &drift(root, files.to_vec()).unwrap()).unwrap();
        check(root, &files, &[]);
        assert!(!root.join("buildspecs/old.yml").exists());
        assert_eq!(std::fs::read_to_string(root.join("b.yml")).unwrap(), "b");
    }
}
