//! What of a pipeline runs on this machine; the rest is refused by name before anything begins.

use stackway_pipeline_defs::model::{
    Action, Pipeline, Provider, ProviderKind, Rule, RuleKind, SourceKind, Stage,
};

use super::condition::{build_of, rules};
use super::order::label;
use super::window::Window;
use super::{Order, Runner};
use crate::{ErrorKind, RunError, Service};

/// What this machine does with a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Support {
    /// It runs, in this way.
    Runs(&'static str),
    /// It runs where the environment has the service.
    WhereOffered(Service, &'static str),
    /// It does not, for this reason.
    Refused(&'static str),
}

/// How actions of a provider are carried out.
pub fn of_provider(kind: ProviderKind) -> Support {
    use ProviderKind as K;
    use Support::{Refused, Runs, WhereOffered};
    match kind {
        K::CodeBuild => Runs("the buildspec of the sources, in one shell"),
        K::Commands => Runs("in a folder of the input artifact"),
        K::EcrBuildAndPublish => Runs("an image where a Docker engine answers, and the zip"),
        K::ManualApproval => Runs("asks here, or waits for `pipeline approve`"),
        K::CloudFormation => Runs("every action mode, by the deploy code"),
        K::StackSet | K::StackInstances => WhereOffered(
            Service::StackSets,
            "rolled out by the deploy code; the project's own emulator has none",
        ),
        K::Invocation => Runs("the other pipeline, after this one"),
        K::LambdaInvoke => {
            Runs("the function's return stands for its call to CodePipeline; no output artifacts")
        }
        K::StepFunctions => Runs("a standard machine is waited for; no output artifact"),
        K::LambdaDeploy => {
            Refused("traffic of an alias is shifted by CodeDeploy, which no emulator has")
        }
        K::Ecs => Refused("a service needs a container engine that no emulator brings"),
    }
}

/// How rules are looked at.
pub fn of_rule(kind: RuleKind) -> Support {
    use RuleKind as K;
    use Support::{Runs, WhereOffered};
    match kind {
        K::CloudWatchAlarm => WhereOffered(
            Service::Alarms,
            "the alarm's state; the project's own emulator does not speak the SDK's protocol",
        ),
        K::CodeBuild => Runs("a build of the pipeline itself; other projects are refused"),
        K::Commands => Runs("in a folder of the input artifact"),
        K::DeploymentWindow => Runs("by this machine's clock; waits until the window opens"),
        K::LambdaInvoke => Runs("as the action does"),
        K::VariableCheck => Runs("`MATCHES` in the syntax of Rust's regular expressions"),
    }
}

/// How sources are taken.
pub fn of_source(kind: SourceKind) -> Support {
    match kind {
        SourceKind::CodeConnections => Support::Runs("a commit of this repository, or of a clone"),
        SourceKind::S3 => Support::Refused("a run begins with a commit"),
    }
}

/// The next step where an action cannot run here.
const BEFORE_IT: &str = "end the run before it with --until STAGE, or run the pipeline at AWS";

/// Whether what actions of this kind do is done in a region.
fn calls_the_region(kind: ProviderKind) -> bool {
    matches!(
        kind,
        ProviderKind::CloudFormation
            | ProviderKind::StackSet
            | ProviderKind::StackInstances
            | ProviderKind::EcrBuildAndPublish
            | ProviderKind::LambdaInvoke
            | ProviderKind::StepFunctions
    )
}

fn refuse(message: String) -> RunError {
    RunError::new(ErrorKind::Definition, message)
}

impl Runner<'_> {
    /// Refuses what cannot come to its end here, before anything begins: in the stages that the order asks for, and in
    /// the pipelines that they start.
    pub(super) async fn preflight(&self, order: &Order) -> Result<(), RunError> {
        let mut waiting = vec![(self.pipeline(&order.pipeline)?, true)];
        let mut seen: Vec<&str> = Vec::new();
        while let Some((pipeline, is_asked)) = waiting.pop() {
            if seen.contains(&pipeline.name) {
                continue;
            }
            seen.push(pipeline.name);
            for source in &pipeline.sources {
                if let Support::Refused(why) = of_source(source.source.kind()) {
                    return Err(refuse(format!(
                        "source `{}` of pipeline `{}` is of {}, which is not taken from this machine",
                        source.name,
                        pipeline.name,
                        source.source.provider()
                    ))
                    .cause(why));
                }
            }
            let stages = if is_asked {
                asked(pipeline, order)
            } else {
                &pipeline.stages
            };
            for stage in stages {
                for action in &stage.actions {
                    self.runs_here(stage, action).await?;
                    if let Provider::Invocation(invocation) = &action.provider {
                        waiting.push((self.pipeline(invocation.pipeline)?, false));
                    }
                }
                for rule in rules(stage) {
                    self.rule_runs_here(order, stage, &rule).await?;
                }
            }
        }
        self.no_cycle(self.pipeline(&order.pipeline)?, &mut Vec::new())
    }

    /// Refuses pipelines that would start themselves, however long the way.
    fn no_cycle(&self, pipeline: &Pipeline, way: &mut Vec<&'static str>) -> Result<(), RunError> {
        if way.contains(&pipeline.name) {
            way.push(pipeline.name);
            return Err(
                refuse(format!("pipeline `{}` would start itself", pipeline.name))
                    .cause(way.join(" → "))
                    .hint("remove one of the actions that start a pipeline"),
            );
        }
        way.push(pipeline.name);
        for stage in &pipeline.stages {
            for action in &stage.actions {
                if let Provider::Invocation(invocation) = &action.provider {
                    self.no_cycle(self.pipeline(invocation.pipeline)?, way)?;
                }
            }
        }
        way.pop();
        Ok(())
    }

    async fn runs_here(&self, stage: &Stage, action: &Action) -> Result<(), RunError> {
        let kind = action.provider.kind();
        let here = self.cloud.environment().remove("AWS_REGION");
        if let (Some(region), Some(here)) = (&action.region, here)
            && *region != here
            && calls_the_region(kind)
        {
            return Err(refuse(format!(
                "action `{}` works in {region}, and this environment is in {here}",
                label(stage, action)
            ))
            .hint(BEFORE_IT));
        }
        let why = match of_provider(kind) {
            Support::Refused(why) => Some(why.to_owned()),
            Support::WhereOffered(service, _) => self.cloud.lacks(service).await?,
            Support::Runs(_) => {
                let makes_none = matches!(
                    kind,
                    ProviderKind::LambdaInvoke | ProviderKind::StepFunctions
                );
                (makes_none && !action.outputs.is_empty())
                    .then(|| "its output artifact is not made here".to_owned())
            }
        };
        let Some(why) = why else { return Ok(()) };
        Err(refuse(format!(
            "action `{}` is of {}, which does not run on this machine",
            label(stage, action),
            action.provider.name()
        ))
        .cause(why)
        .hint(BEFORE_IT))
    }

    async fn rule_runs_here(
        &self,
        order: &Order,
        stage: &Stage,
        rule: &Rule,
    ) -> Result<(), RunError> {
        let label = format!("{}/{}", stage.name, rule.name());
        if order.skip_rules.contains(&label) {
            return Ok(());
        }
        let why = match rule {
            Rule::CodeBuild(build) if build_of(build).is_none() => {
                Some("its project is none of the pipelines' builds".to_owned())
            }
            Rule::DeploymentWindow {
                cron, time_zone, ..
            } => Window::parse(cron, time_zone.as_deref())
                .err()
                .map(|error| error.to_string()),
            _ => match of_rule(rule.kind()) {
                Support::WhereOffered(service, _) => self.cloud.lacks(service).await?,
                Support::Refused(why) => Some(why.to_owned()),
                Support::Runs(_) => None,
            },
        };
        let Some(why) = why else { return Ok(()) };
        Err(refuse(format!(
            "rule `{label}` is of {}, and cannot be looked at on this machine",
            rule.provider()
        ))
        .cause(why)
        .hint(format!("take it as held with --skip-rule {label}")))
    }
}

/// The stages that the order asks for.
fn asked<'a>(pipeline: &'a Pipeline, order: &Order) -> &'a [Stage] {
    let place = |name: &Option<String>| {
        let name = name.as_deref()?;
        pipeline.stages.iter().position(|stage| stage.name == name)
    };
    let from = place(&order.from).unwrap_or(0);
    let until = place(&order.until).map_or(pipeline.stages.len(), |at| at + 1);
    pipeline.stages.get(from..until).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of the documentation, from what the code does.
    fn table() -> String {
        let providers = ProviderKind::ALL.iter();
        let providers = providers.map(|kind| (kind.title(), of_provider(*kind)));
        let rules = RuleKind::ALL.iter();
        let rules = rules.map(|kind| (kind.title(), of_rule(*kind)));
        let sources = SourceKind::ALL.iter();
        let sources = sources.map(|kind| (kind.title(), of_source(*kind)));
        let rows = sources
            .chain(providers)
            .chain(rules)
            .map(|(title, support)| {
                let (word, text) = match support {
                    Support::Runs(how) => ("yes", how),
                    Support::WhereOffered(_, how) => ("where offered", how),
                    Support::Refused(why) => ("refused", why),
                };
                format!("| {title} | {word} | {text} |\n")
            });
        rows.collect()
    }

    #[test]
    fn the_documentation_says_what_runs_here() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/pipelines.md");
        let text = std::fs::read_to_string(path).unwrap();
        let head = "| provider | runs here | how, or why not |\n| --- | --- | --- |\n";
        let found = text.split_once(head).map(|(_, rest)| rest);
        let found = found.and_then(|rest| rest.split_once("\n\n"));
        let found = found
            .map(|(rows, _)| format!("{rows}\n"))
            .unwrap_or_default();
        assert_eq!(
            found,
            table(),
            "the rows of docs/pipelines.md are to be:\n{}",
            table()
        );
    }
}
