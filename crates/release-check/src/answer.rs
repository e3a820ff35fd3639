//! An answer against what it must be.

use serde_json::{Map, Value};
use stackway_aws_client::Reply;

use crate::{CheckError, Step};

/// How much of an answer is told, in characters.
const TOLD: usize = 300;

/// Whether the same request may be answered otherwise in a moment.
fn passes(status: u16) -> bool {
    status == 429 || status >= 500
}

/// Holds the answer against what the step expects.
pub(crate) fn hold(step: &Step, reply: &Reply) -> Result<(), CheckError> {
    let expected = &step.expect;
    let is_expected = expected.status.contains(&reply.status);
    let is_right = is_expected || (step.retry > 0 && expected.again.contains(&reply.status));
    let told = |what: String| format!("{} {} answered {what}", step.method, step.path);
    if !is_right {
        let right: Vec<_> = expected.status.iter().map(u16::to_string).collect();
        let what = told(format!(
            "{}, not {}{}",
            reply.status,
            right.join(" or "),
            said(&reply.body)
        ));
        let step = step.step.clone();
        return Err(if passes(reply.status) {
            CheckError::Unavailable { step, what }
        } else {
            CheckError::WrongAnswer { step, what }
        });
    }
    if !is_expected || expected.body.is_empty() {
        return Ok(());
    }
    let found: Map<String, Value> = serde_json::from_slice(&reply.body).unwrap_or_default();
    let wrong: Vec<_> = expected
        .body
        .iter()
        .filter(|(field, value)| found.get(*field) != Some(value))
        .map(|(field, value)| match found.get(field) {
            Some(other) => format!("`{field}` is {other}, not {value}"),
            None => format!("there is no `{field}`"),
        })
        .collect();
    if wrong.is_empty() {
        return Ok(());
    }
    Err(CheckError::WrongAnswer {
        step: step.step.clone(),
        what: told(format!(
            "{}, but {}{}",
            reply.status,
            wrong.join(", "),
            said(&reply.body)
        )),
    })
}

/// The beginning of a body, on one line.
fn said(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let words: Vec<_> = text.split_whitespace().collect();
    let mut text = words.join(" ");
    if let Some((end, _)) = text.char_indices().nth(TOLD) {
        text.truncate(end);
        text.push('…');
    }
    if text.is_empty() {
        text
    } else {
        format!(": {text}")
    }
}
