use crate::model::{
    Action, BeforeEntry, ExecutionMode, Filter, OnFailure, OnSuccess, Pipeline, Provider,
    PushFilter, Rule, SourceAction, Stage, Text, Trigger, Variable,
};
use crate::tree::Tree;

/// How a form writes keys and values: CodePipeline's JSON and CloudFormation's properties differ in nothing else.
pub(super) trait Dialect {
    /// A key of the structure; keys of configurations are the same everywhere.
    fn key(&self, key: &'static str) -> String;
    /// A value.
    fn text(&self, text: &Text) -> Tree;

    /// A map of the structure.
    fn map<const N: usize>(&self, entries: [(&'static str, Tree); N]) -> Tree {
        Tree::map(entries.map(|(key, value)| (self.key(key), value)))
    }

    /// Adds to a map of the structure what is there.
    fn add(&self, map: &mut Tree, key: &'static str, value: Option<Tree>) {
        map.insert_some(self.key(key), value);
    }
}

/// The pipeline's variables, triggers, mode and stages, in that order.
pub(super) fn structure(pipeline: &Pipeline, form: &impl Dialect) -> Vec<(String, Tree)> {
    let mut all = vec![
        (form.key("pipelineType"), Tree::text("V2")),
        (form.key("executionMode"), mode(pipeline.execution_mode)),
    ];
    if !pipeline.variables.is_empty() {
        let variables = pipeline.variables.iter().map(|one| variable(one, form));
        all.push((form.key("variables"), Tree::List(variables.collect())));
    }
    if !pipeline.triggers.is_empty() {
        let triggers = pipeline.triggers.iter().map(|one| trigger(one, form));
        all.push((form.key("triggers"), Tree::List(triggers.collect())));
    }
    let sources = pipeline
        .sources
        .iter()
        .map(|one| source(one, form))
        .collect();
    let first = form.map([
        ("name", Tree::text(pipeline.source_stage)),
        ("actions", Tree::List(sources)),
    ]);
    let later = pipeline.stages.iter().map(|one| stage(one, form));
    all.push((
        form.key("stages"),
        Tree::List(std::iter::once(first).chain(later).collect()),
    ));
    all
}

fn mode(mode: ExecutionMode) -> Tree {
    Tree::text(mode.as_str())
}

fn variable(variable: &Variable, form: &impl Dialect) -> Tree {
    let mut tree = form.map([("name", Tree::text(variable.name))]);
    form.add(&mut tree, "defaultValue", variable.default.map(Tree::text));
    form.add(
        &mut tree,
        "description",
        Some(Tree::text(variable.description)),
    );
    tree
}

fn trigger(trigger: &Trigger, form: &impl Dialect) -> Tree {
    let mut git = form.map([("sourceActionName", Tree::text(trigger.source.as_str()))]);
    let pushes = trigger.push.iter().map(|push| {
        let mut tree = Tree::Map(Vec::new());
        match push {
            PushFilter::Tags(tags) => form.add(&mut tree, "tags", filter(tags, form)),
            PushFilter::Branches { branches, paths } => {
                form.add(&mut tree, "branches", filter(branches, form));
                form.add(&mut tree, "filePaths", filter(paths, form));
            }
        }
        tree
    });
    form.add(&mut git, "push", some(pushes.collect()));
    let requests = trigger.pull_request.iter().map(|request| {
        let events = request.events.iter().map(|event| event.as_str());
        let mut tree = form.map([("events", Tree::texts(events))]);
        form.add(&mut tree, "branches", filter(&request.branches, form));
        form.add(&mut tree, "filePaths", filter(&request.paths, form));
        tree
    });
    form.add(&mut git, "pullRequest", some(requests.collect()));
    form.map([
        ("providerType", Tree::text("CodeStarSourceConnection")),
        ("gitConfiguration", git),
    ])
}

fn filter(filter: &Filter, form: &impl Dialect) -> Option<Tree> {
    let mut tree = Tree::Map(Vec::new());
    let list =
        |patterns: &[String]| (!patterns.is_empty()).then(|| Tree::texts(patterns.iter().cloned()));
    form.add(&mut tree, "includes", list(&filter.includes));
    form.add(&mut tree, "excludes", list(&filter.excludes));
    (!filter.is_empty()).then_some(tree)
}

fn some(list: Vec<Tree>) -> Option<Tree> {
    (!list.is_empty()).then_some(Tree::List(list))
}

fn source(source: &SourceAction, form: &impl Dialect) -> Tree {
    let mut tree = form.map([
        ("name", Tree::text(source.name.as_str())),
        (
            "actionTypeId",
            action_type("Source", source.source.provider(), form),
        ),
        ("runOrder", Tree::Int(1)),
        (
            "configuration",
            configuration(&source.source.configuration(), form),
        ),
    ]);
    let output = form.map([("name", Tree::text(source.output.as_str()))]);
    form.add(&mut tree, "outputArtifacts", Some(Tree::List(vec![output])));
    form.add(
        &mut tree,
        "namespace",
        source.namespace.as_deref().map(Tree::text),
    );
    tree
}

fn action_type(category: &str, provider: &str, form: &impl Dialect) -> Tree {
    form.map([
        ("category", Tree::text(category)),
        ("owner", Tree::text("AWS")),
        ("provider", Tree::text(provider)),
        ("version", Tree::text("1")),
    ])
}

fn configuration(entries: &[(&'static str, Text)], form: &impl Dialect) -> Tree {
    Tree::map(entries.iter().map(|(key, text)| (*key, form.text(text))))
}

fn stage(stage: &Stage, form: &impl Dialect) -> Tree {
    let mut tree = form.map([("name", Tree::text(stage.name))]);
    form.add(
        &mut tree,
        "beforeEntry",
        stage
            .before_entry
            .as_ref()
            .map(|one| before_entry(one, form)),
    );
    let actions = stage.in_order().into_iter().map(|one| action(one, form));
    form.add(&mut tree, "actions", Some(Tree::List(actions.collect())));
    form.add(
        &mut tree,
        "onSuccess",
        stage.on_success.as_ref().map(|one| on_success(one, form)),
    );
    form.add(
        &mut tree,
        "onFailure",
        stage.on_failure.as_ref().map(|one| on_failure(one, form)),
    );
    tree
}

fn action(action: &Action, form: &impl Dialect) -> Tree {
    let provider = &action.provider;
    let mut tree = form.map([
        ("name", Tree::text(action.name.as_str())),
        (
            "actionTypeId",
            action_type(provider.category().as_str(), provider.name(), form),
        ),
        ("runOrder", Tree::Int(i64::from(action.run_order))),
    ]);
    let entries = provider.configuration();
    let entries = (!entries.is_empty()).then(|| configuration(&entries, form));
    form.add(&mut tree, "configuration", entries);
    if let Provider::Commands(commands) = provider {
        form.add(
            &mut tree,
            "commands",
            Some(Tree::texts(commands.commands.iter().cloned())),
        );
        let variables = commands.environment.iter().map(|variable| {
            let mut tree = form.map([
                ("name", Tree::text(variable.name)),
                ("value", form.text(&variable.value)),
            ]);
            form.add(&mut tree, "type", Some(Tree::text(variable.kind.as_str())));
            tree
        });
        form.add(&mut tree, "environmentVariables", some(variables.collect()));
        let outputs = &commands.output_variables;
        form.add(
            &mut tree,
            "outputVariables",
            (!outputs.is_empty()).then(|| Tree::texts(outputs.iter().cloned())),
        );
    }
    let inputs = action
        .inputs
        .iter()
        .map(|name| form.map([("name", Tree::text(name.as_str()))]));
    form.add(&mut tree, "inputArtifacts", some(inputs.collect()));
    let outputs = action.outputs.iter().map(|output| {
        let mut tree = form.map([("name", Tree::text(output.name.as_str()))]);
        let files = (!output.files.is_empty()).then(|| Tree::texts(output.files.iter().cloned()));
        form.add(&mut tree, "files", files);
        tree
    });
    form.add(&mut tree, "outputArtifacts", some(outputs.collect()));
    form.add(
        &mut tree,
        "namespace",
        action.namespace.as_deref().map(Tree::text),
    );
    form.add(
        &mut tree,
        "roleArn",
        action.role.as_ref().map(|role| form.text(role)),
    );
    form.add(
        &mut tree,
        "region",
        action.region.as_deref().map(Tree::text),
    );
    let minutes = action.timeout_minutes;
    form.add(
        &mut tree,
        "timeoutInMinutes",
        minutes.map(|minutes| Tree::Int(i64::from(minutes))),
    );
    tree
}

fn before_entry(condition: &BeforeEntry, form: &impl Dialect) -> Tree {
    conditions(Some(condition.result()), &condition.rules(), form)
}

fn on_success(condition: &OnSuccess, form: &impl Dialect) -> Tree {
    conditions(Some(condition.result()), condition.rules(), form)
}

fn on_failure(failure: &OnFailure, form: &impl Dialect) -> Tree {
    match failure {
        OnFailure::Rollback => form.map([("result", Tree::text("ROLLBACK"))]),
        OnFailure::RollbackUnless(rules) => conditions(Some("ROLLBACK"), rules, form),
        OnFailure::Retry(mode) => {
            let retry = form.map([("retryMode", Tree::text(mode.as_str()))]);
            form.map([
                ("result", Tree::text("RETRY")),
                ("retryConfiguration", retry),
            ])
        }
    }
}

fn conditions(result: Option<&str>, rules: &[Rule], form: &impl Dialect) -> Tree {
    let mut condition = Tree::Map(Vec::new());
    form.add(&mut condition, "result", result.map(Tree::text));
    let rules = rules.iter().map(|one| rule(one, form));
    form.add(&mut condition, "rules", Some(Tree::List(rules.collect())));
    form.map([("conditions", Tree::List(vec![condition]))])
}

fn rule(rule: &Rule, form: &impl Dialect) -> Tree {
    let mut tree = form.map([
        ("name", Tree::text(rule.name())),
        ("ruleTypeId", action_type("Rule", rule.provider(), form)),
        ("configuration", configuration(&rule.configuration(), form)),
    ]);
    let commands = rule.commands().iter().map(|command| form.text(command));
    form.add(&mut tree, "commands", some(commands.collect()));
    let input = rule
        .input()
        .map(|name| Tree::List(vec![form.map([("name", Tree::text(name))])]));
    form.add(&mut tree, "inputArtifacts", input);
    tree
}
