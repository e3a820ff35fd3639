use std::collections::{BTreeMap, BTreeSet};

use super::{Fault, Faults};
use crate::model::{Invocation, Pipeline, Provider};

pub(super) fn check(pipelines: &[Pipeline]) -> Vec<Fault> {
    let by_name: BTreeMap<_, _> = pipelines
        .iter()
        .map(|pipeline| (pipeline.name, pipeline))
        .collect();
    let mut found = Vec::new();
    for pipeline in pipelines {
        let mut faults = Faults::new(pipeline.name);
        for (stage, action, invocation) in invocations(pipeline) {
            faults.enter(stage);
            faults.at(action);
            match by_name.get(invocation.pipeline) {
                None => {
                    let names: Vec<_> = by_name.keys().copied().collect();
                    faults.add(format!(
                        "invokes `{}`; the pipelines are: {}",
                        invocation.pipeline,
                        names.join(", ")
                    ));
                }
                Some(invoked) => given(invocation, invoked, &mut faults),
            }
            if reaches(&by_name, invocation.pipeline, pipeline.name) {
                faults.add(format!(
                    "invokes `{}`, which leads back here: it would start itself for ever",
                    invocation.pipeline
                ));
            }
        }
        found.append(&mut faults.found);
    }
    let mut builds = BTreeMap::new();
    for pipeline in pipelines {
        for build in &pipeline.builds {
            if let Some(other) = builds.insert(build.name, pipeline.name) {
                let mut faults = Faults::new(pipeline.name);
                faults.add(format!(
                    "build `{}` is one of pipeline `{other}` too",
                    build.name
                ));
                found.append(&mut faults.found);
            }
        }
    }
    found
}

fn given(invocation: &Invocation, invoked: &Pipeline, faults: &mut Faults) {
    for (name, _) in &invocation.variables {
        if !invoked
            .variables
            .iter()
            .any(|variable| variable.name == *name)
        {
            faults.add(format!(
                "gives `{}` the variable `{name}`, which it does not have",
                invoked.name
            ));
        }
    }
    for variable in &invoked.variables {
        let is_given = invocation
            .variables
            .iter()
            .any(|(name, _)| *name == variable.name);
        if variable.default.is_none() && !is_given {
            faults.add(format!(
                "does not give `{}` its variable `{}`, which has no default",
                invoked.name, variable.name
            ));
        }
    }
    for revision in &invocation.revisions {
        if !invoked
            .sources
            .iter()
            .any(|source| source.name == revision.action)
        {
            faults.add(format!(
                "gives `{}` a revision of source `{}`, which it does not have",
                invoked.name, revision.action
            ));
        }
    }
}

fn invocations(pipeline: &Pipeline) -> impl Iterator<Item = (&str, &str, &Invocation)> {
    pipeline.stages.iter().flat_map(|stage| {
        stage
            .actions
            .iter()
            .filter_map(|action| match &action.provider {
                Provider::Invocation(invocation) => {
                    Some((stage.name, action.name.as_str(), invocation))
                }
                _ => None,
            })
    })
}

/// Whether a start of `from` comes to start `to`.
fn reaches(by_name: &BTreeMap<&str, &Pipeline>, from: &str, to: &str) -> bool {
    let mut seen = BTreeSet::new();
    let mut open = vec![from];
    while let Some(name) = open.pop() {
        if name == to {
            return true;
        }
        if let Some(pipeline) = by_name.get(name).filter(|_| seen.insert(name)) {
            open.extend(invocations(pipeline).map(|(_, _, invocation)| invocation.pipeline));
        }
    }
    false
}
