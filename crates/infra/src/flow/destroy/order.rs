//! Which stack goes before which.

use crate::stack_def::{DELIVERY, STACK_SET_ROLES, STACKS, StackDef, StackGraph};

/// The place of a stack among those that are removed: what is not known to the graph first, since a role or bucket of
/// the known ones may have made it; dependents before what they need; the roles of stack sets last.
pub(super) fn order(label: &str) -> usize {
    let graph = StackGraph::all();
    let known = graph
        .iter()
        .flat_map(StackGraph::deploy_order)
        .rev()
        .position(|def| def.name == label);
    let role = STACK_SET_ROLES.iter().position(|def| def.name == label);
    match (known, role) {
        (Some(at), _) => 1 + at,
        (None, Some(at)) => 1 + STACKS.len() + at,
        (None, None) => 0,
    }
}

/// Whether `first` has to be gone before `second` goes, where both are there. Known stacks that need nothing of one
/// another go side by side; of others nobody knows whether they do, so they go one after the other.
pub(super) fn goes_before(first: &str, second: &str) -> bool {
    let (a, b) = (tier(first), tier(second));
    if a != b {
        return a < b;
    }
    match a {
        Tier::Unknown => first < second,
        // Its roles may have made the stacks that go before it.
        Tier::Known if second == DELIVERY => order(first) < order(second),
        Tier::Known => STACKS
            .iter()
            .filter(|def| def.name == first)
            .map(StackDef::needed_stacks)
            .any(|needed| needed.contains(second)),
        Tier::Roles => false,
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Tier {
    Unknown,
    Known,
    Roles,
}

fn tier(label: &str) -> Tier {
    let among = |defs: &[StackDef]| defs.iter().any(|def| def.name == label);
    if among(STACKS) {
        Tier::Known
    } else if among(STACK_SET_ROLES) {
        Tier::Roles
    } else {
        Tier::Unknown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_come_last_and_strangers_first() {
        let mut labels = [
            "artifacts",
            "stack-set-execution",
            "table",
            "delivery",
            "api",
            "made-by-a-pipeline",
        ];
        labels.sort_by_key(|label| order(label));
        assert_eq!(
            labels,
            [
                "made-by-a-pipeline",
                "api",
                "delivery",
                "table",
                "artifacts",
                "stack-set-execution"
            ]
        );
    }

    /// Whether the first has to be gone before the second goes.
    #[test]
    fn independent_stacks_go_side_by_side() {
        for (first, second, expected) in [
            ("api", "table", true),
            ("api", "artifacts", true),
            ("delivery", "artifacts", true),
            ("table", "artifacts", false),
            ("artifacts", "table", false),
            ("table", "api", false),
            // A role of `delivery` may have made it.
            ("api", "delivery", true),
            ("delivery", "api", false),
            ("made-by-a-pipeline", "delivery", true),
            ("made-by-a-pipeline", "table", true),
            ("a-made-one", "made-by-a-pipeline", true),
            ("made-by-a-pipeline", "a-made-one", false),
            ("artifacts", "stack-set-execution", true),
            ("stack-set-administration", "stack-set-execution", false),
        ] {
            assert_eq!(goes_before(first, second), expected, "{first} {second}");
        }
    }
}
