//! What differs between two JSON values, leaf by leaf.

use std::fmt::Write as _;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// Lists whose alignment would cost more comparisons than this are compared as a whole.
const ALIGN_MAX: usize = 1_000_000;

/// Keys that name the member of a list, in the order in which they are tried.
const NAMES: &[&str] = &[
    "Sid",
    "PolicyName",
    "Key",
    "Name",
    "Id",
    "AttributeName",
    "IndexName",
    "LogicalId",
];

/// One step from a value into it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// The value of a key.
    Key(String),
    /// A member of a list.
    Item {
        /// The name that the member has by one of its own keys, such as a policy statement's `Sid`.
        name: Option<String>,
        /// Where it was, from 0.
        before: Option<usize>,
        /// Where it will be, from 0.
        after: Option<usize>,
    },
}

/// One place where two values differ.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// How to get there.
    pub path: Vec<Step>,
    /// What was there; `None` where it is added.
    pub before: Option<Value>,
    /// What will be there; `None` where it is removed.
    pub after: Option<Value>,
}

/// Every place where `before` and `after` differ, in the order of the keys. Equal values have none.
///
/// Objects are compared key by key. Lists are aligned first, so that a member added in front is one difference; the
/// members of a list that have names (`Sid`, `Key`, `Name` …) are aligned by them, so that one that changes is told by
/// what changes in it.
pub fn differences(before: &Value, after: &Value) -> Vec<Difference> {
    let mut walk = Walk::default();
    walk.values(Some(before), Some(after));
    walk.found
}

/// The path as people write it: keys with dots, list members in brackets, by name where they have one.
pub fn path_text(path: &[Step]) -> String {
    let mut text = String::new();
    for step in path {
        match step {
            Step::Key(key) => {
                if !text.is_empty() {
                    text.push('.');
                }
                text.push_str(key);
            }
            Step::Item {
                name: Some(name), ..
            } => text += &["[", name, "]"].concat(),
            Step::Item { before, after, .. } => {
                let _ = write!(text, "[{}]", after.or(*before).unwrap_or_default());
            }
        }
    }
    text
}

#[derive(Default)]
struct Walk {
    path: Vec<Step>,
    found: Vec<Difference>,
}

impl Walk {
    fn values(&mut self, before: Option<&Value>, after: Option<&Value>) {
        match (before, after) {
            (Some(before), Some(after)) if before == after => {}
            (Some(Value::Object(before)), Some(Value::Object(after))) => {
                let keys: BTreeSet<_> = before.keys().chain(after.keys()).collect();
                for key in keys {
                    self.step(Step::Key(key.clone()), before.get(key), after.get(key));
                }
            }
            (Some(Value::Array(before)), Some(Value::Array(after))) => self.lists(before, after),
            _ => self.found.push(Difference {
                path: self.path.clone(),
                before: before.cloned(),
                after: after.cloned(),
            }),
        }
    }

    fn step(&mut self, step: Step, before: Option<&Value>, after: Option<&Value>) {
        self.path.push(step);
        self.values(before, after);
        self.path.pop();
    }

    fn lists(&mut self, before: &[Value], after: &[Value]) {
        if before.len().saturating_mul(after.len()) > ALIGN_MAX {
            self.found.push(Difference {
                path: self.path.clone(),
                before: Some(Value::from(before)),
                after: Some(Value::from(after)),
            });
            return;
        }
        let names = names(before, after);
        let aligned = match &names {
            Some((_, before, after)) => aligned(before, after),
            None => aligned(before, after),
        };
        let name = |value: &Value| {
            let (key, ..) = names.as_ref()?;
            value.get(key)?.as_str().map(str::to_owned)
        };
        // Between two members that are the same, what went and what came are told as pairs where neither has a name.
        let (mut left, mut right) = (0, 0);
        for (next_left, next_right) in aligned.into_iter().chain([(before.len(), after.len())]) {
            while left < next_left || right < next_right {
                let old = (left < next_left).then_some(left);
                let new = (right < next_right).then_some(right);
                let (old, new) = if names.is_some() && old.is_some() {
                    (old, None)
                } else {
                    (old, new)
                };
                let (was, is) = (old.map(|at| &before[at]), new.map(|at| &after[at]));
                let step = Step::Item {
                    name: was.or(is).and_then(name),
                    before: old,
                    after: new,
                };
                self.step(step, was, is);
                left += usize::from(old.is_some());
                right += usize::from(new.is_some());
            }
            if let (Some(was), Some(is)) = (before.get(next_left), after.get(next_right)) {
                let step = Step::Item {
                    name: name(was),
                    before: Some(next_left),
                    after: Some(next_right),
                };
                self.step(step, Some(was), Some(is));
            }
            (left, right) = (next_left + 1, next_right + 1);
        }
    }
}

/// The key that names every member of both lists, with the names in their order; each once in its list.
fn names(before: &[Value], after: &[Value]) -> Option<(&'static str, Vec<String>, Vec<String>)> {
    let of = |list: &[Value], key: &str| -> Option<Vec<String>> {
        let names: Option<Vec<_>> = list
            .iter()
            .map(|item| item.get(key)?.as_str().map(str::to_owned))
            .collect();
        let names = names?;
        let once: BTreeSet<_> = names.iter().collect();
        (once.len() == names.len()).then_some(names)
    };
    if before.is_empty() && after.is_empty() {
        return None;
    }
    NAMES
        .iter()
        .find_map(|key| Some((*key, of(before, key)?, of(after, key)?)))
}

/// The longest run of pairs, in order, whose members are equal.
fn aligned<T: PartialEq>(before: &[T], after: &[T]) -> Vec<(usize, usize)> {
    let width = after.len() + 1;
    let mut lengths = vec![0_u32; (before.len() + 1) * width];
    for left in (0..before.len()).rev() {
        for right in (0..after.len()).rev() {
            lengths[left * width + right] = if before[left] == after[right] {
                lengths[(left + 1) * width + right + 1] + 1
            } else {
                lengths[(left + 1) * width + right].max(lengths[left * width + right + 1])
            };
        }
    }
    let mut pairs = Vec::new();
    let (mut left, mut right) = (0, 0);
    while left < before.len() && right < after.len() {
        if before[left] == after[right] {
            pairs.push((left, right));
            (left, right) = (left + 1, right + 1);
        } else if lengths[(left + 1) * width + right] >= lengths[left * width + right + 1] {
            left += 1;
        } else {
            right += 1;
        }
    }
    pairs
}

/// What differs between two maps of texts, such as tags.
pub fn map_differences<'a>(
    before: &'a BTreeMap<String, String>,
    after: &'a BTreeMap<String, String>,
) -> Vec<(&'a str, Option<&'a str>, Option<&'a str>)> {
    let keys: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    keys.into_iter()
        .map(|key| {
            let (was, is) = (before.get(key), after.get(key));
            (
                key.as_str(),
                was.map(String::as_str),
                is.map(String::as_str),
            )
        })
        .filter(|(_, was, is)| was != is)
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(before: Value, after: Value, expected: &[&str]) {
        let show = |value: &Option<Value>| value.as_ref().map_or("-".to_owned(), Value::to_string);
        let found: Vec<_> = differences(&before, &after)
            .iter()
            .map(|one| {
                format!(
                    "{}: {} > {}",
                    path_text(&one.path),
                    show(&one.before),
                    show(&one.after)
                )
            })
            .collect();
        assert_eq!(found, expected, "{before} {after}");
    }

    #[test]
    fn differences_are_told_leaf_by_leaf() {
        check(json!({"A": 1}), json!({"A": 1}), &[]);
        check(
            json!({"A": {"B": 1, "C": 2}}),
            json!({"A": {"B": 2}}),
            &["A.B: 1 > 2", "A.C: 2 > -"],
        );
        check(json!({}), json!({"A": {"B": 1}}), &[r#"A: - > {"B":1}"#]);
        check(json!({"A": 1}), json!({"A": [1]}), &["A: 1 > [1]"]);
        check(json!(1), json!(2), &[": 1 > 2"]);
        check(json!({"A": null}), json!({}), &["A: null > -"]);
    }

    #[test]
    fn lists_are_aligned() {
        check(
            json!(["a", "b"]),
            json!(["x", "a", "b"]),
            &[r#"[0]: - > "x""#],
        );
        check(
            json!(["a", "b", "c"]),
            json!(["a", "c"]),
            &[r#"[1]: "b" > -"#],
        );
        check(json!(["a", "b"]), json!(["a", "c"]), &[r#"[1]: "b" > "c""#]);
        check(json!([[1], [2]]), json!([[1], [3]]), &["[1][0]: 2 > 3"]);
        check(json!([]), json!([1, 2]), &["[0]: - > 1", "[1]: - > 2"]);
    }

    #[test]
    fn members_with_names_are_known_by_them() {
        let tags = |pairs: &[(&str, &str)]| -> Value {
            pairs
                .iter()
                .map(|(key, value)| json!({"Key": key, "Value": value}))
                .collect()
        };
        check(
            tags(&[("a", "1"), ("b", "2")]),
            tags(&[("n", "0"), ("a", "1"), ("b", "3")]),
            &[
                r#"[n]: - > {"Key":"n","Value":"0"}"#,
                r#"[b].Value: "2" > "3""#,
            ],
        );
        // A name that is there twice names nothing.
        check(
            tags(&[("a", "1"), ("a", "2")]),
            tags(&[("a", "1"), ("a", "3")]),
            &[r#"[1].Value: "2" > "3""#],
        );
        check(
            json!({"Statement": [{"Sid": "A", "Action": ["x", "y"]}]}),
            json!({"Statement": [{"Sid": "A", "Action": ["x", "z", "y"]}]}),
            &[r#"Statement[A].Action[1]: - > "z""#],
        );
    }

    /// Makes `before` into `after` by the differences alone.
    fn apply(value: &mut Value, path: &[Step], change: &Difference) {
        let Some((step, rest)) = path.split_first() else {
            *value = change.after.clone().unwrap();
            return;
        };
        match step {
            Step::Key(key) => {
                let object = value.as_object_mut().unwrap();
                match (rest, &change.after) {
                    ([], None) => drop(object.remove(key)),
                    ([], Some(after)) => drop(object.insert(key.clone(), after.clone())),
                    _ => apply(object.get_mut(key).unwrap(), rest, change),
                }
            }
            Step::Item {
                after: Some(at), ..
            } => apply(value.get_mut(at).unwrap(), rest, change),
            Step::Item { .. } => {}
        }
    }

    /// A list takes its new shape before anything in it changes: what goes is taken from the end, what comes is put in
    /// from the start.
    fn reshape(value: &mut Value, path: &[Step], change: &Difference) {
        match path {
            [
                Step::Item {
                    before: Some(at),
                    after: None,
                    ..
                },
            ] => {
                drop(value.as_array_mut().unwrap().remove(*at));
            }
            [
                Step::Item {
                    before: None,
                    after: Some(at),
                    ..
                },
            ] => {
                value
                    .as_array_mut()
                    .unwrap()
                    .insert(*at, change.after.clone().unwrap());
            }
            [Step::Key(key), rest @ ..] => {
                if let Some(inner) = value.get_mut(key) {
                    reshape(inner, rest, change);
                }
            }
            _ => {}
        }
    }

    /// Values whose lists hold no lists, so that the order of the reshaping is that of one list.
    fn value() -> impl Strategy<Value = Value> {
        let leaf = || {
            prop_oneof![
                Just(json!(null)),
                any::<bool>().prop_map(Value::from),
                (0..4).prop_map(Value::from),
                "[a-c]{0,2}".prop_map(Value::from)
            ]
        };
        let list = proptest::collection::vec(leaf(), 0..5).prop_map(Value::from);
        let named = proptest::collection::vec(("[a-d]", leaf()), 0..5).prop_map(|items| {
            items
                .into_iter()
                .map(|(name, value)| json!({"Name": name, "Value": value}))
                .collect()
        });
        let flat = prop_oneof![leaf(), list, named];
        flat.prop_recursive(3, 16, 4, |inner| {
            proptest::collection::btree_map("[a-d]", inner, 0..4)
                .prop_map(|map| map.into_iter().collect())
        })
    }

    proptest! {
        #[test]
        fn equal_values_have_no_difference(one in value()) {
            prop_assert_eq!(differences(&one, &one.clone()), []);
        }

        #[test]
        fn the_differences_make_one_into_the_other(before in value(), after in value()) {
            let found = differences(&before, &after);
            prop_assert_eq!(found.is_empty(), before == after);
            let mut made = before.clone();
            for change in found.iter().rev().filter(|change| change.after.is_none()) {
                reshape(&mut made, &change.path, change);
            }
            for change in found.iter().filter(|change| change.before.is_none()) {
                reshape(&mut made, &change.path, change);
            }
            for change in &found {
                apply(&mut made, &change.path, change);
            }
            prop_assert_eq!(made, after);
        }

        #[test]
        fn a_difference_is_of_what_it_says(before in value(), after in value()) {
            for change in differences(&before, &after) {
                prop_assert_ne!(&change.before, &change.after);
            }
        }
    }
}
