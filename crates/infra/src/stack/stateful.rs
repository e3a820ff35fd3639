use super::{Action, Policy, Replacement, ResourceChange};

/// Types whose resources hold what cannot be made again from a template: data, keys, images.
///
/// Log groups are not among them: what they hold runs out by itself, and no deploy waits for a yes to lose it.
pub const STATEFUL_TYPES: &[&str] = &[
    "AWS::DynamoDB::GlobalTable",
    "AWS::DynamoDB::Table",
    "AWS::ECR::Repository",
    "AWS::KMS::Key",
    "AWS::S3::Bucket",
    "AWS::SecretsManager::Secret",
];

/// Whether resources of the type hold data; see [`STATEFUL_TYPES`].
pub fn is_stateful(resource_type: &str) -> bool {
    STATEFUL_TYPES.contains(&resource_type)
}

/// How a change set would take a resource with its data away from its stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// It leaves the stack.
    Removal,
    /// Another takes its place.
    Replacement,
    /// Another may take its place.
    PossibleReplacement,
    /// Its stack is removed, and made anew.
    WithStack,
}

impl Loss {
    /// As the end of a sentence that starts with the resource.
    pub fn verb(self) -> &'static str {
        match self {
            Self::Removal => "would be removed",
            Self::Replacement => "would be replaced",
            Self::PossibleReplacement => "may be replaced",
            Self::WithStack => "would be removed with its stack",
        }
    }
}

impl ResourceChange {
    /// How the change takes a stateful resource away; `None` where it stays, or holds no data.
    ///
    /// A resource that its policy retains counts too: its data stays, and the application no longer sees it.
    pub fn loss(&self) -> Option<Loss> {
        if !is_stateful(&self.resource_type) {
            return None;
        }
        match (&self.action, self.replacement) {
            (Action::Remove, _) => Some(Loss::Removal),
            (Action::Modify, Replacement::Always) => Some(Loss::Replacement),
            // What is decided while it runs may be decided either way.
            (Action::Modify, Replacement::Conditional) | (Action::Dynamic, _) => {
                Some(Loss::PossibleReplacement)
            }
            _ => None,
        }
    }

    /// What becomes of the data, where that is known.
    pub fn fate(&self) -> Option<&'static str> {
        self.policy.as_ref().map(Policy::fate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_counts_as_a_loss() {
        let table = "AWS::DynamoDB::Table";
        for (kind, action, replacement, expected) in [
            (
                table,
                Action::Remove,
                Replacement::Never,
                Some(Loss::Removal),
            ),
            (
                table,
                Action::Modify,
                Replacement::Always,
                Some(Loss::Replacement),
            ),
            (
                table,
                Action::Modify,
                Replacement::Conditional,
                Some(Loss::PossibleReplacement),
            ),
            (
                table,
                Action::Dynamic,
                Replacement::Never,
                Some(Loss::PossibleReplacement),
            ),
            (table, Action::Modify, Replacement::Never, None),
            (table, Action::Add, Replacement::Never, None),
            (table, Action::Import, Replacement::Never, None),
            (
                "AWS::Logs::LogGroup",
                Action::Remove,
                Replacement::Never,
                None,
            ),
            (
                "AWS::Lambda::Function",
                Action::Modify,
                Replacement::Always,
                None,
            ),
        ] {
            let mut change = ResourceChange::new(action.clone(), "R", kind);
            change.replacement = replacement;
            assert_eq!(change.loss(), expected, "{kind} {action:?} {replacement:?}");
        }
        assert!(STATEFUL_TYPES.is_sorted());
    }
}
