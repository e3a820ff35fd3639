use super::expression::{self, job_id, read_later};
use super::{step, unmirrored};
use crate::model::{
    BeforeEntry, Build, Draft, Operator, Pipeline, Provider, SkipRule, Stage, Text,
};
use crate::render::RenderError;
use crate::tree::Tree;

const RUNNER: &str = "ubuntu-24.04";
const MINUTES: i64 = 60;

/// The job of a stage.
pub(super) fn job(
    pipeline: &Pipeline,
    stage: &Stage,
    earlier: &[Stage],
) -> Result<Tree, RenderError> {
    let mut tree = Tree::map([("name", Tree::text(stage.name))]);
    if !earlier.is_empty() {
        tree.insert(
            "needs",
            Tree::texts(earlier.iter().map(|stage| job_id(stage.name))),
        );
    }
    tree.insert_some("if", condition(pipeline, stage, earlier)?.map(Tree::Text));
    if let [action] = stage.actions.as_slice()
        && let Provider::Invocation(invocation) = &action.provider
    {
        tree.insert("permissions", permissions(true));
        tree.insert(
            "uses",
            Tree::text(format!("./.github/workflows/{}.yml", invocation.pipeline)),
        );
        let inputs = invocation
            .variables
            .iter()
            .map(|(name, value)| (*name, Tree::Text(expression::text(pipeline, stage, value))));
        tree.insert("with", Tree::map(inputs));
        return Ok(tree);
    }
    let calls_aws = stage
        .actions
        .iter()
        .any(|action| step::calls_aws(&action.provider));
    tree.insert("runs-on", Tree::text(RUNNER));
    tree.insert("timeout-minutes", Tree::Int(MINUTES));
    tree.insert("permissions", permissions(calls_aws));
    let approves = stage
        .actions
        .iter()
        .any(|action| matches!(action.provider, Provider::ManualApproval(_)));
    if approves {
        // The reviewers of this environment are who approves.
        tree.insert("environment", Tree::text("${{ vars.ENVIRONMENT }}"));
    }
    let outputs = read_later(pipeline, stage);
    if !outputs.is_empty() {
        let outputs = outputs.into_iter().map(|(name, step)| {
            let value = format!("${{{{ steps.{step}.outputs.{name} }}}}");
            (name, Tree::Text(value))
        });
        tree.insert("outputs", Tree::map(outputs));
    }
    let mut steps = Vec::new();
    if stage.actions.iter().any(|action| !action.inputs.is_empty()) {
        steps.push(step::checkout());
    }
    if calls_aws {
        steps.push(step::credentials());
    }
    for action in stage.in_order() {
        steps.extend(step::action(pipeline, stage, action)?);
    }
    tree.insert("steps", Tree::List(steps));
    Ok(tree)
}

fn permissions(calls_aws: bool) -> Tree {
    let mut tree = Tree::map([("contents", Tree::text("read"))]);
    if calls_aws {
        // For the token that the role is taken with.
        tree.insert("id-token", Tree::text("write"));
    }
    tree
}

/// Conditions before entry. A job runs after ones that were skipped, as a stage does.
fn condition(
    pipeline: &Draft,
    stage: &Stage,
    earlier: &[Stage],
) -> Result<Option<String>, RenderError> {
    let mut all = Vec::new();
    if earlier
        .iter()
        .any(|stage| matches!(stage.before_entry, Some(BeforeEntry::Skip(_))))
    {
        all.push("!failure() && !cancelled()".to_owned());
    }
    match &stage.before_entry {
        None => {}
        Some(BeforeEntry::Fail(rules)) => {
            let rule = rules
                .first()
                .map(|rule| rule.name().to_owned())
                .unwrap_or_default();
            return Err(unmirrored(
                pipeline,
                stage,
                &rule,
                "a job cannot fail by a rule before it starts",
            ));
        }
        Some(BeforeEntry::Skip(rules)) => {
            for rule in rules {
                all.push(skip_rule(pipeline, stage, rule)?);
            }
        }
    }
    Ok((!all.is_empty()).then(|| format!("${{{{ {} }}}}", all.join(" && "))))
}

fn skip_rule(pipeline: &Draft, stage: &Stage, rule: &SkipRule) -> Result<String, RenderError> {
    match rule {
        SkipRule::LambdaInvoke { name, .. } => Err(unmirrored(
            pipeline,
            stage,
            name,
            "a job cannot ask a function whether it runs",
        )),
        SkipRule::VariableCheck {
            name,
            variable,
            operator,
            value,
        } => {
            let variable = expression::bare(pipeline, stage, variable).ok_or_else(|| {
                unmirrored(
                    pipeline,
                    stage,
                    name,
                    "only a single variable can be compared",
                )
            })?;
            let value = format!("'{}'", value.replace('\'', "''"));
            match operator {
                Operator::Equals => Ok(format!("{variable} == {value}")),
                Operator::NotEquals => Ok(format!("{variable} != {value}")),
                Operator::Contains => Ok(format!("contains({variable}, {value})")),
                Operator::Matches => Err(unmirrored(
                    pipeline,
                    stage,
                    name,
                    "GitHub's expressions have no regular expressions",
                )),
            }
        }
    }
}

/// A build by itself, for pull requests.
pub(super) fn build_alone(build: &Build) -> Tree {
    let mut steps = vec![step::checkout(), step::cache()];
    steps.extend(step::build(build, Vec::new()));
    Tree::map([
        ("name", Tree::text(build.name)),
        ("runs-on", Tree::text(RUNNER)),
        ("timeout-minutes", Tree::Int(MINUTES)),
        ("permissions", permissions(false)),
        ("steps", Tree::List(steps)),
    ])
}

/// Everything that the tree checks.
pub(super) fn tree() -> Tree {
    let run = Tree::map([
        ("name", Tree::text("Check")),
        ("run", Tree::text(".ci/run")),
    ]);
    Tree::map([
        ("name", Tree::text("tree")),
        ("runs-on", Tree::text(RUNNER)),
        ("timeout-minutes", Tree::Int(MINUTES)),
        ("permissions", permissions(false)),
        (
            "steps",
            Tree::List(vec![step::checkout(), step::cache(), run]),
        ),
    ])
}

/// What a pull request costs.
pub(super) fn cost() -> Tree {
    Tree::map([
        ("name", Tree::text("cost")),
        ("runs-on", Tree::text(RUNNER)),
        ("timeout-minutes", Tree::Int(MINUTES)),
        ("permissions", permissions(false)),
        (
            "steps",
            Tree::List(vec![
                step::checkout_with_parents(),
                step::cache(),
                step::cost(),
            ]),
        ),
    ])
}

/// A variable of the environment of a step.
pub(super) fn variable(
    pipeline: &Draft,
    stage: &Stage,
    name: &str,
    value: &Text,
) -> (String, Tree) {
    (
        name.to_owned(),
        Tree::Text(expression::text(pipeline, stage, value)),
    )
}
