use std::collections::{BTreeMap, BTreeSet};

use crate::naming::Naming;
use crate::stack_def::{STACK_SET_ROLES, STACKS};

/// What an environment's functions, builds and pipelines are called behind its stem, as the templates name them.
const FUNCTIONS: &[&str] = &["api", "pre-traffic", "release-check", "rotation"];
const STATE_MACHINES: &[&str] = &["release"];
const HTTP_APIS: &[&str] = &["api"];
const TASKS: &[&str] = &["container"];
const BUILDS: &[&str] = &["test"];
const PIPELINES: &[&str] = &["application", "deployment"];
const REPORT_GROUPS: &[&str] = &["test-junit", "test-coverage"];
const REPOSITORIES: &[&str] = &["api"];

/// Whose a thing is: the one rule by which `destroy` takes it or lets it stand.
///
/// A thing is this environment's if its tags say so (`project` and `environment`), or if it has one of the exact names
/// that the templates give and no tag speaks against it. That a name begins like ours proves nothing: environment `dev`
/// is a prefix of `dev-2`, and `stackway` of `stackway-tools`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    naming: Naming,
    account: String,
}

impl Owner {
    /// The environment that `naming` speaks of, in this account.
    pub fn new(naming: &Naming, account: &str) -> Self {
        Self {
            naming: naming.clone(),
            account: account.to_owned(),
        }
    }

    /// The project's name.
    pub fn project(&self) -> &str {
        &self.naming.project
    }

    /// The environment's name.
    pub fn environment(&self) -> &str {
        &self.naming.environment
    }

    /// The region whose things these are.
    pub fn region(&self) -> &str {
        &self.naming.region
    }

    /// What every name of the environment begins with. It proves nothing by itself.
    pub fn stem(&self) -> String {
        self.naming.stack("")
    }

    fn named(&self, before: &str, whats: &[&str]) -> Vec<String> {
        whats
            .iter()
            .map(|what| format!("{before}{}", self.naming.stack(what)))
            .collect()
    }

    /// Every name that a stack of this environment has.
    pub fn stack_names(&self) -> BTreeSet<String> {
        STACKS
            .iter()
            .chain(STACK_SET_ROLES)
            .map(|def| self.naming.stack(def.name))
            .collect()
    }

    /// The pipelines' names.
    pub fn pipelines(&self) -> Vec<String> {
        self.named("", PIPELINES)
    }

    /// The bucket that has a name of its own; the others are named by CloudFormation.
    pub fn buckets(&self) -> Vec<String> {
        let Naming {
            project,
            region,
            environment,
        } = &self.naming;
        vec![format!("{project}-{}-{region}-{environment}", self.account)]
    }

    /// The image repositories' names.
    pub fn repositories(&self) -> Vec<String> {
        self.named("", REPOSITORIES)
    }

    /// The log groups that services write to for this environment, whether a stack declared them or the service made
    /// them at its first write.
    pub fn log_groups(&self) -> Vec<String> {
        [
            ("/aws/lambda/", FUNCTIONS),
            ("/aws/http-api/", HTTP_APIS),
            ("/aws/ecs/", TASKS),
            ("/aws/codebuild/", BUILDS),
            ("/aws/codepipeline/", PIPELINES),
            ("/aws/vendedlogs/states/", STATE_MACHINES),
        ]
        .iter()
        .flat_map(|(before, whats)| self.named(before, whats))
        .collect()
    }

    /// Whether a report group has one of our names. A bare report name in a buildspec makes a group
    /// `<build project>-<report>`, which no stack owns: the build's whole name and a hyphen are in front of it.
    pub fn is_report_group(&self, name: &str) -> bool {
        self.named("", REPORT_GROUPS)
            .iter()
            .any(|ours| ours == name)
            || self.named("", BUILDS).iter().any(|build| {
                name.strip_prefix(build.as_str())
                    .is_some_and(|rest| rest.len() > 1 && rest.starts_with('-'))
            })
    }

    /// What the tags say: ours, somebody else's, or nothing.
    pub fn by_tags(&self, tags: &BTreeMap<String, String>) -> Option<bool> {
        let project = tags.get("project");
        let environment = tags.get("environment");
        if project.is_none() && environment.is_none() {
            return None;
        }
        Some(
            project.is_some_and(|project| *project == self.naming.project)
                && environment.is_some_and(|environment| *environment == self.naming.environment),
        )
    }

    /// Whether a thing with these tags is ours, where `named` says whether it has one of our exact names.
    pub fn owns(&self, named: bool, tags: &BTreeMap<String, String>) -> bool {
        self.by_tags(tags).unwrap_or(named)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner() -> Owner {
        let naming = Naming {
            project: "stackway".into(),
            region: "eu-west-2".into(),
            environment: "dev".into(),
        };
        Owner::new(&naming, "111122223333")
    }

    #[test]
    fn a_stack_is_ours_by_its_tags_or_its_exact_name() {
        let ours = "stackway-eu-west-2-dev-table";
        for (name, tags, expected) in [
            (ours, &[][..], true),
            (
                ours,
                &[("project", "stackway"), ("environment", "dev")],
                true,
            ),
            (ours, &[("team", "a")], true),
            (
                "any",
                &[("project", "stackway"), ("environment", "dev")],
                true,
            ),
            // These only look like ours.
            (ours, &[("project", "other"), ("environment", "dev")], false),
            (
                ours,
                &[("project", "stackway"), ("environment", "prod")],
                false,
            ),
            ("any", &[("project", "stackway")], false),
            ("any", &[("environment", "dev")], false),
            ("stackway-eu-west-2-dev-tables", &[], false),
            ("stackway-eu-west-2-dev-table-2", &[], false),
            ("stackway-eu-west-2-dev-2-table", &[], false),
            ("stackway-eu-west-1-dev-table", &[], false),
            ("stackway-tools-eu-west-2-dev-table", &[], false),
            ("stackway-eu-west-2-dev-", &[], false),
        ] {
            let tags = tags
                .iter()
                .map(|&(key, value)| (key.to_owned(), value.to_owned()))
                .collect();
            let named = owner().stack_names().contains(name);
            assert_eq!(owner().owns(named, &tags), expected, "{name} {tags:?}");
        }
    }

    #[test]
    fn a_report_group_is_ours_by_its_build() {
        for (name, expected) in [
            ("stackway-eu-west-2-dev-test-junit", true),
            ("stackway-eu-west-2-dev-test-anything", true),
            ("stackway-eu-west-2-dev-test-", false),
            ("stackway-eu-west-2-dev-test", false),
            ("stackway-eu-west-2-dev-testing-junit", false),
            ("stackway-eu-west-2-dev-2-test-junit", false),
        ] {
            assert_eq!(owner().is_report_group(name), expected, "{name}");
        }
    }

    #[test]
    fn names_are_those_of_the_templates() {
        insta::assert_snapshot!(
            [owner().pipelines(), owner().buckets(), owner().repositories(), owner().log_groups()]
                .concat()
                .join("\n"),
            @r"
        stackway-eu-west-2-dev-application
        stackway-eu-west-2-dev-deployment
        stackway-111122223333-eu-west-2-dev
        stackway-eu-west-2-dev-api
        /aws/lambda/stackway-eu-west-2-dev-api
        /aws/lambda/stackway-eu-west-2-dev-pre-traffic
        /aws/lambda/stackway-eu-west-2-dev-release-check
        /aws/lambda/stackway-eu-west-2-dev-rotation
        /aws/http-api/stackway-eu-west-2-dev-api
        /aws/ecs/stackway-eu-west-2-dev-container
        /aws/codebuild/stackway-eu-west-2-dev-test
        /aws/codepipeline/stackway-eu-west-2-dev-application
        /aws/codepipeline/stackway-eu-west-2-dev-deployment
        /aws/vendedlogs/states/stackway-eu-west-2-dev-release
        "
        );
        // A name that a template gives and this file does not know would be left behind.
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../cloudformation");
        let mut known: BTreeSet<&str> = BTreeSet::new();
        let owners = [FUNCTIONS, TASKS, BUILDS, PIPELINES, STATE_MACHINES];
        known.extend(owners.into_iter().flatten());
        for template in std::fs::read_dir(folder).unwrap() {
            let path = template.unwrap().path();
            if path.is_dir() {
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            for line in text
                .lines()
                .filter(|line| line.trim().starts_with("LogGroupName: !Sub"))
            {
                let what = line
                    .trim()
                    .trim_end_matches('"')
                    .rsplit("${Environment}-")
                    .next();
                assert!(known.contains(what.unwrap()), "{}: {line}", path.display());
            }
        }
    }
}
