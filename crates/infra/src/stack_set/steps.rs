use super::{
    DefinitionChange, OperationAction, Overrides, Pair, PairPlan, Product, StackSetDefinition,
    products,
};

/// One operation of a roll-out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// The set is made from the wanted definition, and these instances follow; `None`: whatever there is.
    Update {
        /// The instances.
        on: Option<Product>,
    },
    /// These instances get other values of their own.
    Override {
        /// The instances.
        on: Product,
        /// All values of their own.
        overrides: Overrides,
    },
    /// These instances are made.
    Create {
        /// The instances.
        on: Product,
        /// The values of their own.
        overrides: Overrides,
    },
    /// These instances go, with their stacks.
    Delete {
        /// The instances.
        on: Product,
    },
}

impl Step {
    /// What the service calls it.
    pub fn action(&self) -> OperationAction {
        match self {
            Self::Update { .. } | Self::Override { .. } => OperationAction::Update,
            Self::Create { .. } => OperationAction::Create,
            Self::Delete { .. } => OperationAction::Delete,
        }
    }

    /// The instances that it names; `None`: whatever there is.
    pub fn on(&self) -> Option<&Product> {
        match self {
            Self::Update { on } => on.as_ref(),
            Self::Override { on, .. } | Self::Create { on, .. } | Self::Delete { on } => Some(on),
        }
    }

    /// The id of the operation that does this to a set whose newest operation is `after`.
    ///
    /// The same step in the same state has the same id, so a call that is sent again, by the SDK or by the run after one
    /// that was killed, begins one operation. Once it has ended, it is the newest itself, and a second try has an id of
    /// its own: the service works on outdated instances again under a new id alone.
    pub fn operation_id(
        &self,
        set_id: &str,
        definition: &StackSetDefinition,
        after: Option<&str>,
    ) -> String {
        use sha2::{Digest as _, Sha256};
        let definition = match self {
            Self::Update { .. } => format!("{definition:?}"),
            _ => String::new(),
        };
        let text = format!("{set_id}\n{after:?}\n{self:?}\n{definition}");
        let digest = Sha256::digest(text.as_bytes());
        let mut half = [0; 16];
        half.copy_from_slice(&digest[..16]);
        let hex = u128::from_be_bytes(half);
        let verb = self.action().as_str().to_lowercase();
        format!("{OPERATION_PREFIX}{verb}-{hex:032x}")
    }
}

/// How the ids of Stackway's own operations begin.
pub const OPERATION_PREFIX: &str = "stackway-";

/// The operations that do what the plan says, in their order.
///
/// Stacks that stay follow first, since new ones are made from the new definition; what is not wanted goes last, so that
/// a failure on the way has taken nothing away. Where no stack stays, the old ones go before the set changes: an update
/// without targets would update them once more.
pub fn steps(plan: &PairPlan, changes: &[DefinitionChange]) -> Vec<Step> {
    let follow: Vec<&Pair> = plan.follow().collect();
    let mut update: Vec<Step> = products(follow.iter().copied())
        .into_iter()
        .map(|on| Step::Update { on: Some(on) })
        .collect();
    let whole = changes.contains(&DefinitionChange::AutoDeployment);
    if whole || (!changes.is_empty() && follow.is_empty()) {
        update = vec![Step::Update { on: None }];
    }
    let overrides = plan
        .update_by_overrides()
        .into_iter()
        .flat_map(|(overrides, pairs)| {
            products(pairs).into_iter().map(|on| Step::Override {
                on,
                overrides: overrides.clone(),
            })
        });
    let create = plan
        .create_by_overrides()
        .into_iter()
        .flat_map(|(overrides, pairs)| {
            products(pairs).into_iter().map(|on| Step::Create {
                on,
                overrides: overrides.clone(),
            })
        });
    let delete = products(&plan.delete)
        .into_iter()
        .map(|on| Step::Delete { on });
    if follow.is_empty() && !changes.is_empty() && plan.leave.is_empty() {
        delete
            .chain(update)
            .chain(overrides)
            .chain(create)
            .collect()
    } else {
        update
            .into_iter()
            .chain(overrides)
            .chain(create)
            .chain(delete)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::super::{Permissions, UpdateCause};
    use super::*;

    fn pair(text: &str) -> Pair {
        let (place, region) = text.split_once('/').unwrap();
        Pair::new(place, region)
    }

    /// The steps as text: the action, and the pairs that it reaches.
    #[track_caller]
    fn check(plan: &PairPlan, changes: &[DefinitionChange], expected: &[&str]) {
        let shown: Vec<_> = steps(plan, changes)
            .iter()
            .map(|step| {
                let pairs = step.on().map_or_else(
                    || "whatever there is".to_owned(),
                    |on| {
                        let pairs: Vec<_> = on.pairs().map(|pair| pair.to_string()).collect();
                        pairs.join(" ")
                    },
                );
                let own = match step {
                    Step::Override { overrides, .. } | Step::Create { overrides, .. } => overrides
                        .iter()
                        .fold(String::new(), |text, (k, v)| text + " " + k + "=" + v),
                    _ => String::new(),
                };
                format!("{} {pairs}{own}", step.action())
            })
            .collect();
        assert_eq!(shown, expected);
    }

    #[test]
    fn what_stays_is_updated_first_and_what_goes_goes_last() {
        let mut plan = PairPlan {
            create: BTreeMap::from([(pair("3/a"), None), (pair("3/b"), None)]),
            delete: BTreeSet::from([pair("9/a")]),
            update: BTreeMap::from([
                (pair("1/a"), UpdateCause::Definition),
                (pair("1/b"), UpdateCause::Definition),
                (pair("2/a"), UpdateCause::Overrides),
            ]),
            overrides: BTreeMap::from([
                (pair("2/a"), Overrides::from([("P".into(), "x".into())])),
                (pair("3/b"), Overrides::from([("P".into(), "y".into())])),
            ]),
            ..PairPlan::default()
        };
        check(
            &plan,
            &[DefinitionChange::Template],
            &[
                "UPDATE 1/a 1/b",
                "UPDATE 2/a P=x",
                "CREATE 3/a",
                "CREATE 3/b P=y",
                "DELETE 9/a",
            ],
        );
        // Auto-deployment is switched without targets alone.
        plan.overrides.clear();
        plan.update.remove(&pair("2/a"));
        check(
            &plan,
            &[DefinitionChange::AutoDeployment],
            &["UPDATE whatever there is", "CREATE 3/a 3/b", "DELETE 9/a"],
        );
    }

    #[test]
    fn where_nothing_stays_the_old_goes_before_the_set_changes() {
        let plan = PairPlan {
            create: BTreeMap::from([(pair("1/b"), None)]),
            delete: BTreeSet::from([pair("1/a")]),
            ..PairPlan::default()
        };
        check(
            &plan,
            &[DefinitionChange::Template],
            &["DELETE 1/a", "UPDATE whatever there is", "CREATE 1/b"],
        );
        check(&plan, &[], &["CREATE 1/b", "DELETE 1/a"]);
        check(&PairPlan::default(), &[], &[]);
    }

    #[test]
    fn an_id_is_the_same_until_the_operation_has_ended() {
        let definition = |body: &str| StackSetDefinition {
            template_body: body.to_owned(),
            parameters: BTreeMap::new(),
            tags: BTreeMap::new(),
            capabilities: Vec::new(),
            permissions: Permissions::ServiceManaged(super::super::AutoDeployment::default()),
        };
        let step = Step::Update { on: None };
        let id = step.operation_id("s:1", &definition("a"), None);
        assert!(
            id.starts_with("stackway-update-") && id.len() <= 128,
            "{id}"
        );
        assert_eq!(id, step.operation_id("s:1", &definition("a"), None));
        for other in [
            step.operation_id("s:2", &definition("a"), None),
            step.operation_id("s:1", &definition("b"), None),
            step.operation_id("s:1", &definition("a"), Some(&id)),
        ] {
            assert_ne!(id, other);
        }
    }
}
