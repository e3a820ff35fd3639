use super::{Faults, repeated};
use crate::model::{Draft, Filter, PushFilter, Source};

const FILTERS_MAX: usize = 3;
const PATTERNS_MAX: usize = 8;
const PATTERN_MAX: usize = 255;
const TRIGGERS_MAX: usize = 50;

pub(super) fn check(draft: &Draft, faults: &mut Faults) {
    if draft.triggers.len() > TRIGGERS_MAX {
        faults.add(format!(
            "has {} triggers; CodePipeline takes {TRIGGERS_MAX}",
            draft.triggers.len()
        ));
    }
    for twice in repeated(draft.triggers.iter().map(|trigger| trigger.source.as_str())) {
        faults.add(format!(
            "two triggers watch source `{twice}`; put their filters into one"
        ));
    }
    for trigger in &draft.triggers {
        faults.enter(draft.source_stage);
        faults.at(&trigger.source);
        let source = draft
            .sources
            .iter()
            .find(|source| source.name == trigger.source);
        match source.map(|source| &source.source) {
            None => faults.add("a trigger watches it, and there is no such source action"),
            Some(Source::S3(_)) => {
                faults.add("a trigger watches it, and only a connection has triggers");
            }
            Some(Source::CodeConnections(source)) if !source.detect_changes => {
                faults.add("a trigger watches it, and its changes are not detected");
            }
            Some(Source::CodeConnections(_)) => {}
        }
        if trigger.push.is_empty() && trigger.pull_request.is_empty() {
            faults.add("its trigger asks for no push and no pull request");
        }
        for (what, count) in [
            ("push", trigger.push.len()),
            ("pull request", trigger.pull_request.len()),
        ] {
            if count > FILTERS_MAX {
                faults.add(format!(
                    "its trigger has {count} {what} filters; CodePipeline takes {FILTERS_MAX}"
                ));
            }
        }
        for push in &trigger.push {
            match push {
                PushFilter::Tags(tags) => filter("tag", tags, faults),
                PushFilter::Branches { branches, paths } => {
                    filter("branch", branches, faults);
                    filter("path", paths, faults);
                    if branches.is_empty() && paths.is_empty() {
                        faults.add("a push filter asks for nothing");
                    }
                }
            }
        }
        for request in &trigger.pull_request {
            if request.events.is_empty() {
                faults.add("a pull request filter names no event");
            }
            filter("branch", &request.branches, faults);
            filter("path", &request.paths, faults);
        }
        faults.leave();
    }
}

fn filter(what: &str, filter: &Filter, faults: &mut Faults) {
    for (kind, patterns) in [
        ("includes", &filter.includes),
        ("excludes", &filter.excludes),
    ] {
        if patterns.len() > PATTERNS_MAX {
            faults.add(format!(
                "a filter {kind} {} {what} patterns; CodePipeline takes {PATTERNS_MAX}",
                patterns.len()
            ));
        }
        for pattern in patterns {
            if pattern.is_empty() || pattern.chars().count() > PATTERN_MAX {
                faults.add(format!(
                    "{what} pattern `{pattern}` may have 1 to {PATTERN_MAX} characters"
                ));
            }
        }
    }
}
