use super::{RenderedFile, definition, heading};
use crate::model::{Artifacts, Build, Buildspec, Environment, Phase, Pipeline};
use crate::tree::Tree;

/// `buildspecs/<name>.yml` of each build.
pub(super) fn files(pipeline: &Pipeline) -> impl Iterator<Item = RenderedFile> {
    let definition = definition(pipeline.name);
    pipeline.builds.iter().map(move |build| RenderedFile {
        path: format!("buildspecs/{}.yml", build.name),
        contents: format!(
            "{}# {}. Stacks have the same inline, with the ARNs of their report groups in place of the names.\n{}",
            heading(&definition),
            capitalised(build.summary),
            tree(build, str::to_owned).to_yaml()
        ),
        definition: definition.clone(),
    })
}

/// The buildspec, with its report groups as `group` names them.
pub(super) fn tree(build: &Build, group: impl Fn(&str) -> String) -> Tree {
    let spec = &build.buildspec;
    let mut root = Tree::map([("version", Tree::text("0.2"))]);
    root.insert_some("env", environment(&spec.environment));
    root.insert("phases", phases(spec));
    if !spec.reports.is_empty() {
        let reports = spec.reports.iter().map(|report| {
            let mut tree = Tree::map([("files", Tree::texts(report.files.iter().copied()))]);
            tree.insert_some("base-directory", report.base_directory.map(Tree::text));
            tree.insert("file-format", Tree::text(report.format.as_str()));
            (group(report.group), tree)
        });
        root.insert("reports", Tree::map(reports));
    }
    root.insert_some("artifacts", spec.artifacts.as_ref().map(artifacts));
    if !spec.cache.is_empty() {
        root.insert(
            "cache",
            Tree::map([("paths", Tree::texts(spec.cache.iter().cloned()))]),
        );
    }
    root
}

fn environment(environment: &Environment) -> Option<Tree> {
    let mut tree = Tree::Map(Vec::new());
    tree.insert_some("shell", environment.shell.map(Tree::text));
    let maps = [
        ("variables", &environment.variables),
        ("parameter-store", &environment.parameter_store),
        ("secrets-manager", &environment.secrets_manager),
    ];
    for (key, map) in maps.into_iter().filter(|(_, map)| !map.is_empty()) {
        let entries = map
            .iter()
            .map(|(name, value)| (*name, Tree::text(value.as_str())));
        tree.insert(key, Tree::map(entries));
    }
    if !environment.exported.is_empty() {
        tree.insert(
            "exported-variables",
            Tree::texts(environment.exported.iter().copied()),
        );
    }
    (tree != Tree::Map(Vec::new())).then_some(tree)
}

fn phases(spec: &Buildspec) -> Tree {
    let phases = spec.phases.each();
    let filled = phases.iter().filter(|(_, phase)| !phase.is_empty());
    Tree::map(filled.map(|(name, phase)| (name.as_str(), self::phase(phase))))
}

fn phase(phase: &Phase) -> Tree {
    let mut tree = Tree::Map(Vec::new());
    tree.insert_some(
        "on-failure",
        phase.on_failure.map(|failed| Tree::text(failed.as_str())),
    );
    tree.insert("commands", Tree::texts(phase.commands.iter().cloned()));
    if !phase.finally.is_empty() {
        tree.insert("finally", Tree::texts(phase.finally.iter().cloned()));
    }
    tree
}

fn artifacts(artifacts: &Artifacts) -> Tree {
    let mut tree = Tree::map([("files", Tree::texts(artifacts.files.iter().copied()))]);
    tree.insert_some("base-directory", artifacts.base_directory.map(Tree::text));
    tree.insert_some(
        "discard-paths",
        artifacts.discard_paths.then(|| Tree::text("yes")),
    );
    if !artifacts.secondary.is_empty() {
        let secondary = artifacts.secondary.iter().map(|one| {
            let mut tree = Tree::map([("files", Tree::texts(one.files.iter().copied()))]);
            tree.insert_some("base-directory", one.base_directory.map(Tree::text));
            (one.name, tree)
        });
        tree.insert("secondary-artifacts", Tree::map(secondary));
    }
    tree
}

/// The text with its first letter in upper case.
pub(super) fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|first| first.to_uppercase().to_string());
    first.unwrap_or_default() + chars.as_str()
}
