//! A pipeline as it is defined: as a person reads it, and as JSON.

use serde_json::{Map, Value, json};
use stackway_pipeline_defs::model::{
    Action, Filter, OnFailure, Part, Pipeline, Provider, PushFilter, Rule, SourceAction, Stage,
    Text, Trigger,
};
use stackway_pipeline_defs::render::Site;

use crate::ui::{BOLD, DIM};

/// A definition, with the names that an environment has for what it refers to.
pub(super) struct Definition<'a> {
    pub(super) pipeline: &'a Pipeline,
    pub(super) site: &'a Site,
}

impl Definition<'_> {
    /// A line a stage, a line an action, and below it what it runs.
    pub(super) fn text(&self) -> String {
        let pipeline = self.pipeline;
        let mut lines = vec![
            format!(
                "{BOLD}{}{BOLD:#} {DIM}{}{DIM:#}",
                pipeline.name,
                pipeline.execution_mode.as_str()
            ),
            format!("  {}", pipeline.summary),
        ];
        for trigger in &pipeline.triggers {
            lines.push(format!("  {DIM}starts on{DIM:#} {}", starts(trigger)));
        }
        for variable in &pipeline.variables {
            let default = variable
                .default
                .map_or_else(|| "to be given".to_owned(), |value| format!("= {value}"));
            lines.push(format!(
                "  {DIM}variable{DIM:#} {} {default} {DIM}{}{DIM:#}",
                variable.name, variable.description
            ));
        }
        lines.push(format!("┬ {BOLD}{}{BOLD:#}", pipeline.source_stage));
        for source in &pipeline.sources {
            lines.push(format!(
                "│   {:<14} {DIM}{}{DIM:#} → {}",
                source.name,
                source.source.provider(),
                source.output
            ));
            lines.extend(self.settings(&source.source.configuration(), "│     "));
        }
        let last = pipeline.stages.len().saturating_sub(1);
        for (index, stage) in pipeline.stages.iter().enumerate() {
            let (branch, rail) = if index == last {
                ("└", " ")
            } else {
                ("├", "│")
            };
            lines.push(format!("{branch} {BOLD}{}{BOLD:#}", stage.name));
            for condition in conditions(stage) {
                lines.push(format!("{rail}   {DIM}{condition}{DIM:#}"));
            }
            for action in stage.in_order() {
                lines.extend(self.action(action, rail));
            }
        }
        lines.join("\n")
    }

    fn action(&self, action: &Action, rail: &str) -> Vec<String> {
        let arrow = |from: &[String], to: &str| match (from.is_empty(), to.is_empty()) {
            (true, true) => String::new(),
            (false, true) => format!(" {} →", from.join(", ")),
            (true, false) => format!(" → {to}"),
            (false, false) => format!(" {} → {to}", from.join(", ")),
        };
        let mut made: Vec<_> = action.outputs.iter().map(|one| one.name.clone()).collect();
        made.extend(
            action
                .namespace
                .iter()
                .map(|namespace| format!("#{{{namespace}.…}}")),
        );
        let order = match action.run_order {
            1 => String::new(),
            order => format!("{DIM}{order}.{DIM:#} "),
        };
        let mut lines = vec![format!(
            "{rail}   {order}{:<14} {DIM}{}{DIM:#}{}",
            action.name,
            action.provider.name(),
            arrow(&action.inputs, &made.join(", "))
        )];
        let indent = format!("{rail}     ");
        let commands = self.commands(action);
        if commands.is_empty() {
            lines.extend(self.settings(&action.provider.configuration(), &indent));
        }
        let mut phase = "";
        for (name, command) in &commands {
            if *name != phase {
                phase = name;
                lines.push(format!("{indent}{DIM}{name}{DIM:#}"));
            }
            lines.push(format!("{indent}{DIM}${DIM:#} {command}"));
        }
        lines.extend(
            self.build(action)
                .map(|told| format!("{indent}{DIM}{told}{DIM:#}")),
        );
        lines
    }

    fn settings(&self, settings: &[(&'static str, Text)], indent: &str) -> Vec<String> {
        settings
            .iter()
            .map(|(key, text)| format!("{indent}{DIM}{key}{DIM:#} {}", self.write(text)))
            .collect()
    }

    /// What the action's build keeps and reports, if it is one.
    fn build(&self, action: &Action) -> Option<String> {
        let Provider::CodeBuild(build) = &action.provider else {
            return None;
        };
        let spec = &self.pipeline.build(build.build)?.buildspec;
        let reports: Vec<_> = spec
            .reports
            .iter()
            .map(|report| format!("{} ({})", report.group, report.format.as_str()))
            .collect();
        Some(format!(
            "reports {}; cache {}",
            reports.join(", "),
            spec.cache.join(", ")
        ))
    }

    /// Phase and text of each command that the action runs.
    fn commands(&self, action: &Action) -> Vec<(&'static str, String)> {
        match &action.provider {
            Provider::Commands(commands) => commands
                .commands
                .iter()
                .map(|command| ("commands", command.clone()))
                .collect(),
            Provider::CodeBuild(build) => self
                .pipeline
                .build(build.build)
                .into_iter()
                .flat_map(|build| build.buildspec.phases.each())
                .flat_map(|(name, phase)| {
                    phase
                        .commands
                        .iter()
                        .chain(&phase.finally)
                        .map(move |command| (name.as_str(), command.clone()))
                })
                .collect(),
            _ => Vec::new(),
        }
    }

    fn write(&self, text: &Text) -> String {
        text.write(|part| match part {
            Part::Literal(text) => text.clone(),
            Part::Variable(reference) => reference.to_string(),
            Part::Resource(resource) => self.site.value(*resource),
        })
    }

    /// As docs/pipelines.md describes it.
    pub(super) fn json(&self) -> Value {
        let pipeline = self.pipeline;
        let sources: Vec<_> = pipeline
            .sources
            .iter()
            .map(|one| self.source(one))
            .collect();
        let first = json!({
            "name": pipeline.source_stage, "conditions": [], "actions": sources,
        });
        let later = pipeline.stages.iter().map(|stage| {
            let actions: Vec<_> = stage
                .in_order()
                .into_iter()
                .map(|action| self.action_json(action))
                .collect();
            json!({"name": stage.name, "conditions": conditions(stage), "actions": actions})
        });
        let variables: Vec<_> = pipeline
            .variables
            .iter()
            .map(|one| json!({"name": one.name, "default": one.default, "description": one.description}))
            .collect();
        json!({
            "pipeline": pipeline.name,
            "summary": pipeline.summary,
            "mode": pipeline.execution_mode.as_str(),
            "triggers": pipeline.triggers.iter().map(starts).collect::<Vec<_>>(),
            "variables": variables,
            "stages": std::iter::once(first).chain(later).collect::<Vec<_>>(),
        })
    }

    fn source(&self, source: &SourceAction) -> Value {
        json!({
            "name": source.name,
            "provider": source.source.provider(),
            "run_order": 1,
            "inputs": [],
            "outputs": [source.output],
            "namespace": source.namespace,
            "configuration": self.configuration(&source.source.configuration()),
            "commands": [],
        })
    }

    fn action_json(&self, action: &Action) -> Value {
        let outputs: Vec<_> = action.outputs.iter().map(|one| &one.name).collect();
        let commands: Vec<_> = self
            .commands(action)
            .into_iter()
            .map(|(phase, command)| json!({"phase": phase, "command": command}))
            .collect();
        json!({
            "name": action.name,
            "provider": action.provider.name(),
            "run_order": action.run_order,
            "inputs": action.inputs,
            "outputs": outputs,
            "namespace": action.namespace,
            "configuration": self.configuration(&action.provider.configuration()),
            "commands": commands,
        })
    }

    fn configuration(&self, settings: &[(&'static str, Text)]) -> Value {
        let entries: Map<String, Value> = settings
            .iter()
            .map(|(key, text)| ((*key).to_owned(), Value::from(self.write(text))))
            .collect();
        Value::Object(entries)
    }
}

/// What starts it by itself.
fn starts(trigger: &Trigger) -> String {
    let names = |filter: &Filter| {
        let mut names = filter.includes.clone();
        names.extend(filter.excludes.iter().map(|name| format!("not {name}")));
        if names.is_empty() {
            "any".to_owned()
        } else {
            names.join(", ")
        }
    };
    let pushes = trigger.push.iter().map(|push| match push {
        PushFilter::Tags(tags) => format!("tags {}", names(tags)),
        PushFilter::Branches { branches, paths } if paths == &Filter::default() => {
            format!("pushes to {}", names(branches))
        }
        PushFilter::Branches { branches, paths } => {
            format!("pushes to {} that touch {}", names(branches), names(paths))
        }
    });
    let requests = trigger
        .pull_request
        .iter()
        .map(|request| format!("pull requests to {}", names(&request.branches)));
    pushes.chain(requests).collect::<Vec<_>>().join("; ")
}

/// What a stage is held by, a line each.
fn conditions(stage: &Stage) -> Vec<String> {
    let named = |rules: &[Rule]| {
        let names: Vec<_> = rules
            .iter()
            .map(|rule| format!("{} ({})", rule.name(), rule.provider()))
            .collect();
        names.join(", ")
    };
    let mut all = Vec::new();
    if let Some(condition) = &stage.before_entry {
        all.push(format!(
            "before entry: {} unless {}",
            condition.result(),
            named(&condition.rules())
        ));
    }
    if let Some(condition) = &stage.on_success {
        all.push(format!(
            "on success: {} unless {}",
            condition.result(),
            named(condition.rules())
        ));
    }
    all.extend(stage.on_failure.as_ref().map(|reaction| match reaction {
        OnFailure::Retry(mode) => format!("on failure: RETRY {}", mode.as_str()),
        OnFailure::Rollback => "on failure: ROLLBACK".to_owned(),
        OnFailure::RollbackUnless(rules) => {
            format!("on failure: ROLLBACK unless {}", named(rules))
        }
    }));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_and_machines_read_of_a_definition() {
        let pipelines = stackway_pipeline_defs::pipelines::all().unwrap();
        let site = Site::example();
        let shown: Vec<_> = pipelines
            .iter()
            .map(|pipeline| Definition {
                pipeline,
                site: &site,
            })
            .collect();
        let texts: Vec<_> = shown
            .iter()
            .map(|one| anstream::adapter::strip_str(&one.text()).to_string())
            .collect();
        insta::assert_snapshot!(texts.join("\n\n"));
        let json = shown[0].json();
        let test = &json["stages"][1]["actions"][0];
        assert_eq!(test["provider"], "CodeBuild");
        let commands = test["commands"].as_array().unwrap();
        assert!(
            commands
                .iter()
                .any(|one| one["phase"] == "build" && one["command"] == "cargo fmt --all --check")
        );
    }
}
