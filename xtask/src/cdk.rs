//! The templates in a CDK app: `cdk synth` of examples/cdk, held against the templates.

use std::path::Path;

use serde_json::Value;
use stackway_infra::template::Template;

use crate::checks::Outcome;
use crate::failure::{Failure, Kind};
use crate::node_tools::{CDK, NodeTools};
use crate::process;
use crate::project::Project;
use crate::ui::Ui;

/// Where the example is.
const APP: &str = "examples/cdk";
/// What the app calls a stack that has a template as it is.
const AS_IS: &str = "as-is-";
/// The app's own stack, and the templates that it has.
const OWN: (&str, [&str; 2]) = ("orders", ["table", "api"]);

/// Runs `cdk synth`, and compares what comes out.
pub(crate) async fn check(ui: &Ui, project: &Project) -> Outcome {
    let tools = match NodeTools::install(ui, project, &CDK).await {
        Ok(Some(tools)) => tools,
        Ok(None) => {
            return Outcome::Skipped(
                "Node.js and npm are not on PATH: install Node.js 20 or later".to_owned(),
            );
        }
        Err(failure) => return Outcome::Failed(failure),
    };
    let out = tools.output("out");
    let mut synth = tools.program("aws-cdk/bin/cdk");
    synth
        .args(["synth", "--quiet", "--ci", "--no-notices", "--output"])
        .arg(&out)
        .current_dir(project.path(APP))
        // The app finds its packages where they are installed, and nothing is written elsewhere or sent.
        .env("NODE_PATH", tools.modules())
        .env("CDK_HOME", tools.output("home"))
        .env("CDK_DISABLE_CLI_TELEMETRY", "true")
        .env("CDK_DISABLE_VERSION_CHECK", "true");
    if let Err(failure) = process::run(ui, "synthesise the CDK app", &mut synth).await {
        return Outcome::Failed(failure);
    }
    match held(project, &out) {
        Ok(differences) if differences.is_empty() => Outcome::Passed,
        Ok(differences) => {
            let failure = Failure::new(Kind::Check, "CDK makes other stacks than the templates");
            let failure = differences.into_iter().fold(failure, Failure::cause);
            Outcome::Failed(failure.hint(format!(
                "correct the template, or say in {APP}/app.js what CfnInclude loses"
            )))
        }
        Err(failure) => Outcome::Failed(failure),
    }
}

/// What differs between the templates and what CDK made of them.
fn held(project: &Project, out: &Path) -> Result<Vec<String>, Failure> {
    let folder = project.path("cloudformation");
    let unread = |error: &std::io::Error| Failure::io("read", &folder, error);
    let mut differences = Vec::new();
    for entry in std::fs::read_dir(&folder).map_err(|error| unread(&error))? {
        let path = entry.map_err(|error| unread(&error))?.path();
        let Some(name) = path.file_stem().and_then(|name| name.to_str()) else {
            continue;
        };
        if path
            .extension()
            .is_some_and(|extension| extension == "yaml")
        {
            let (template, made) = (read(&path)?, made(out, &format!("{AS_IS}{name}"))?);
            compare(&plain(&template), &plain(&made), name, &mut differences);
        }
    }
    let (own, templates) = OWN;
    let own = made(out, own)?;
    for name in templates {
        let template = read(&folder.join(format!("{name}.yaml")))?;
        differences.extend(missing(&template, &own, name));
    }
    differences.sort();
    Ok(differences)
}

fn read(path: &Path) -> Result<Value, Failure> {
    let template = Template::load(path).map_err(|error| {
        Failure::new(Kind::Configuration, "cannot read a template").cause(error.to_string())
    })?;
    Ok(template.document())
}

/// A template that CDK made.
fn made(out: &Path, stack: &str) -> Result<Value, Failure> {
    read(&out.join(format!("{stack}.template.json")))
}

/// A document in which what means the same is the same: scalars are texts, and what a resource waits for is a list.
fn plain(value: &Value) -> Value {
    match value {
        Value::Object(object) => object
            .iter()
            .map(|(key, value)| {
                let value = match value {
                    Value::String(_) if key == "DependsOn" => Value::Array(vec![value.clone()]),
                    other => plain(other),
                };
                (key.clone(), value)
            })
            .collect(),
        Value::Array(items) => items.iter().map(plain).collect(),
        Value::Bool(one) => Value::String(one.to_string()),
        Value::Number(one) => Value::String(one.to_string()),
        Value::Null | Value::String(_) => value.clone(),
    }
}

/// Every place at which two documents differ.
fn compare(template: &Value, made: &Value, place: &str, differences: &mut Vec<String>) {
    match (template, made) {
        (Value::Object(a), Value::Object(b)) => {
            for (key, value) in a {
                let place = format!("{place}.{key}");
                match b.get(key) {
                    Some(other) => compare(value, other, &place, differences),
                    None => differences.push(format!("{place} is lost")),
                }
            }
            let added = b.keys().filter(|key| !a.contains_key(*key));
            differences.extend(added.map(|key| format!("{place}.{key} is added")));
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (position, (one, other)) in a.iter().zip(b).enumerate() {
                compare(one, other, &format!("{place}[{position}]"), differences);
            }
        }
        (a, b) if a == b => {}
        (a, b) => differences.push(format!("{place} is {a}, and CDK has {b}")),
    }
}

/// Resources of a template that a stack lacks, or has as another type.
fn missing(template: &Value, stack: &Value, name: &str) -> Vec<String> {
    let resources = template["Resources"].as_object().into_iter().flatten();
    let lacks =
        resources.filter(|(id, one)| stack["Resources"][id.as_str()]["Type"] != one["Type"]);
    lacks
        .map(|(id, _)| format!("{name}.{id} is not in the stack that includes it"))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_difference_is_told_and_spelling_is_none() {
        let template = json!({"Resources": {
            "A": {"Type": "T", "DependsOn": "B", "Properties": {"Size": 1, "On": true, "List": [1, 2]}},
            "B": {"Type": "T"},
        }});
        let same = json!({"Resources": {
            "B": {"Type": "T"},
            "A": {"Type": "T", "DependsOn": ["B"], "Properties": {"Size": "1", "On": "true", "List": ["1", 2]}},
        }});
        let other = json!({"Resources": {
            "A": {"Type": "T", "DependsOn": ["C"], "Properties": {"Size": 2, "List": [1]}, "Metadata": {}},
            "B": {"Type": "U"},
        }});
        let differences = |made: &Value| {
            let mut differences = Vec::new();
            compare(&plain(&template), &plain(made), "t", &mut differences);
            differences
        };
        assert_eq!(differences(&same), [""; 0]);
        let expected = [
            r#"t.Resources.A.DependsOn[0] is "B", and CDK has "C""#,
            r#"t.Resources.A.Properties.Size is "1", and CDK has "2""#,
            "t.Resources.A.Properties.On is lost",
            r#"t.Resources.A.Properties.List is ["1","2"], and CDK has ["1"]"#,
            "t.Resources.A.Metadata is added",
            r#"t.Resources.B.Type is "T", and CDK has "U""#,
        ];
        assert_eq!(differences(&other), expected);
        let lacks = ["t.B is not in the stack that includes it"];
        assert_eq!(missing(&template, &other, "t"), lacks);
    }
}
