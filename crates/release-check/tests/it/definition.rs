//! The state machine's definition against the function that it calls.

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use stackway_release_check::Step;

const TEMPLATE: &str = include_str!("../../../../cloudformation/automation.yaml");

/// A property of a resource of the template, by its YAML without tags.
fn property(resource: &str, name: &str) -> Value {
    let template: serde_yaml_ng::Value = serde_yaml_ng::from_str(TEMPLATE).unwrap();
    let value = &template["Resources"][resource]["Properties"][name];
    let value = match value {
        serde_yaml_ng::Value::Tagged(tagged) => &tagged.value,
        other => other,
    };
    serde_json::to_value(value).unwrap()
}

fn definition() -> Value {
    let text = property("Machine", "DefinitionString");
    serde_json::from_str(text.as_str().unwrap()).unwrap()
}

fn tasks(definition: &Value) -> Vec<(&String, &Value)> {
    let states = definition["States"].as_object().unwrap();
    let tasks: Vec<_> = states
        .iter()
        .filter(|(_, state)| state["Type"] == "Task")
        .collect();
    assert_eq!(tasks.len(), 9);
    tasks
}

/// What the function gets: paths and contexts are replaced by what they may stand for.
fn sent(template: &Value, name: &str) -> Value {
    let Some(template) = template.as_object() else {
        return template.clone();
    };
    let mut all = Map::new();
    for (key, value) in template {
        match key.strip_suffix(".$") {
            None => all.insert(key.clone(), sent(value, name)),
            Some(key) => {
                let value = match value.as_str().unwrap() {
                    "$$.State.Name" => name.into(),
                    "$$.State.RetryCount" => 1.into(),
                    "$$.Execution.Input" => {
                        serde_json::json!({"commit": "0123abc", "url": "https://api.example"})
                    }
                    "$.item.guid" => "verify-1".into(),
                    "$.item.path" => "/v1/items/verify-1/2024-05-01T12:00:00Z".into(),
                    other => panic!("{other} is nothing that a step reads"),
                };
                all.insert(key.to_owned(), value)
            }
        };
    }
    Value::Object(all)
}

#[test]
fn every_task_is_a_step_of_the_function() {
    let definition = definition();
    let mut asked = BTreeSet::new();
    for (name, state) in tasks(&definition) {
        let step: Step = serde_json::from_value(sent(&state["Parameters"], name)).unwrap();
        assert_eq!(step.step, *name);
        assert!(
            step.path.starts_with('/') && !step.expect.status.is_empty(),
            "{name}"
        );
        assert_eq!(
            step.release.url.as_deref(),
            Some("https://api.example"),
            "{name}"
        );
        asked.insert(format!("{} {:?}", step.method, step.expect.status));
    }
    let asked: Vec<_> = asked.into_iter().collect();
    assert_eq!(
        asked,
        [
            "DELETE [204, 404]",
            "DELETE [204]",
            "GET [200]",
            "GET [404]",
            "PATCH [200]",
            "POST [201]"
        ]
    );
}

/// What a state takes at the worst, in seconds: each try until it is given up, and the waits between.
fn worst(state: &Value) -> f64 {
    let retries = state["Retry"].as_array().unwrap();
    let timeout = state["TimeoutSeconds"].as_f64().unwrap();
    let of_one = |retry: &Value| -> f64 {
        let number = |key: &str| retry[key].as_f64().unwrap_or_default();
        let waits = (0..retry["MaxAttempts"].as_i64().unwrap()).map(|at| {
            number("IntervalSeconds") * number("BackoffRate").powi(i32::try_from(at).unwrap())
        });
        waits.map(|wait| wait + timeout).sum()
    };
    timeout + retries.iter().map(of_one).sum::<f64>()
}

#[test]
fn what_has_failed_is_cleaned_up_before_time_is_up() {
    let definition = definition();
    // Either what is open to all is asked, or the rest.
    let rest = tasks(&definition).into_iter();
    let rest = rest.filter(|(name, _)| *name != "Health");
    let all: f64 = rest.map(|(_, state)| worst(state)).sum();
    let whole = definition["TimeoutSeconds"].as_f64().unwrap();
    assert!(all < whole, "all steps can take {all} of {whole} seconds");
    // The function gives up before its state does, so that it is the function that says why.
    let function = property("Check", "Timeout").as_f64().unwrap();
    for (name, state) in tasks(&definition) {
        assert!(
            function < state["TimeoutSeconds"].as_f64().unwrap(),
            "{name}"
        );
        let next = state["Catch"][0]["Next"].as_str().unwrap();
        let expected = match name.as_str() {
            // Nothing is written yet.
            "Health" | "Ready" => "Why",
            "CleanUp" => "Left",
            _ => "CleanUp",
        };
        assert_eq!(next, expected, "{name}");
    }
}

/// A wrong answer stays wrong: it is tried again at the first step alone.
#[test]
fn only_what_may_pass_is_tried_again() {
    let definition = definition();
    for (name, state) in tasks(&definition) {
        for retry in state["Retry"].as_array().unwrap() {
            let errors: Vec<_> = retry["ErrorEquals"].as_array().unwrap().iter().collect();
            let tries_all = errors.iter().any(|error| *error == "States.ALL");
            assert_eq!(
                tries_all || errors.iter().any(|error| *error == "WrongAnswer"),
                ["Health", "Ready"].contains(&name.as_str()) && retry["MaxAttempts"] != 0,
                "{name}"
            );
            if !tries_all && retry["MaxAttempts"] != 0 {
                assert!(errors.iter().any(|error| *error == "Unavailable"), "{name}");
            }
        }
    }
}
