//! CodePipeline and CodeBuild.

use super::{Billed, Subject};

pub(super) fn pipeline(subject: &mut Subject<'_>) -> Billed {
    let kind = subject.text(&["PipelineType"], "V1");
    if kind != "V2" {
        return Billed::NotPriced(format!("there is no rule for pipelines of type {kind}"));
    }
    let minutes = subject.usage("codepipeline.runs") * subject.usage("codepipeline.action_minutes");
    Billed::one("codepipeline-minutes", minutes)
}

pub(super) fn project(subject: &mut Subject<'_>) -> Billed {
    let compute = subject.text(&["Environment", "ComputeType"], "BUILD_GENERAL1_SMALL");
    let machine = subject.text(&["Environment", "Type"], "LINUX_CONTAINER");
    let item = match (machine.as_str(), compute.as_str()) {
        ("LINUX_CONTAINER", "BUILD_GENERAL1_SMALL") => "codebuild-small-minutes",
        ("LINUX_CONTAINER", "BUILD_GENERAL1_MEDIUM") => "codebuild-medium-minutes",
        ("LINUX_CONTAINER", "BUILD_GENERAL1_LARGE") => "codebuild-large-minutes",
        ("ARM_CONTAINER", "BUILD_GENERAL1_SMALL") => "codebuild-arm-small-minutes",
        _ => return Billed::NotPriced(format!("there is no rule for {compute} on {machine}")),
    };
    let minutes = subject.usage("codebuild.builds") * subject.usage("codebuild.minutes");
    Billed::one(item, minutes)
}
