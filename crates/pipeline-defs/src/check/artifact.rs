use std::collections::{BTreeMap, BTreeSet};

use super::Faults;
use crate::model::Draft;

/// Artifacts are made once, before they are read. An action whose artifact is made only later can never run.
pub(super) fn check(draft: &Draft, faults: &mut Faults) {
    let mut makers: BTreeMap<&str, String> = BTreeMap::new();
    let mut made_twice = |name, maker: String, faults: &mut Faults| {
        if let Some(first) = makers.get(name) {
            faults.add(format!("makes artifact `{name}`, which {first} makes too"));
        } else {
            makers.insert(name, maker);
        }
    };
    faults.enter(draft.source_stage);
    for source in &draft.sources {
        faults.at(&source.name);
        made_twice(
            &source.output,
            format!("`{}` of `{}`", source.name, draft.source_stage),
            faults,
        );
    }
    for stage in &draft.stages {
        faults.enter(stage.name);
        for action in stage.in_order() {
            faults.at(&action.name);
            for output in &action.outputs {
                made_twice(
                    &output.name,
                    format!("`{}` of `{}`", action.name, stage.name),
                    faults,
                );
            }
        }
    }

    let mut made: BTreeSet<&str> = draft
        .sources
        .iter()
        .map(|source| source.output.as_str())
        .collect();
    for stage in &draft.stages {
        faults.enter(stage.name);
        let mut fresh: Vec<(u16, &str)> = Vec::new();
        for action in stage.in_order() {
            faults.at(&action.name);
            let mut seen = BTreeSet::new();
            for input in &action.inputs {
                if !seen.insert(input) {
                    faults.add(format!("reads artifact `{input}` twice"));
                }
                let before = made.contains(input.as_str())
                    || fresh
                        .iter()
                        .any(|(order, name)| name == input && *order < action.run_order);
                if before {
                    continue;
                }
                match makers.get(input.as_str()) {
                    Some(maker) => faults.add(format!(
                        "can never run: it reads artifact `{input}`, which {maker} makes no earlier"
                    )),
                    None => faults.add(format!("reads artifact `{input}`, which nothing makes")),
                }
            }
            fresh.extend(
                action
                    .outputs
                    .iter()
                    .map(|output| (action.run_order, output.name.as_str())),
            );
        }
        made.extend(fresh.into_iter().map(|(_, name)| name));
    }
    faults.leave();
}
