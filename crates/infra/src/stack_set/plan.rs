use std::collections::{BTreeMap, BTreeSet};

use super::{Pair, StackInstance, Standing};

/// Parameter values that one pair has in place of the set's.
pub type Overrides = BTreeMap<String, String>;

/// Where a stack set is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WantedPairs {
    /// Accounts, or units, each with a region.
    pub pairs: BTreeSet<Pair>,
    /// What pairs have of their own; those left out have nothing.
    pub overrides: BTreeMap<Pair, Overrides>,
}

/// Why a pair is updated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UpdateCause {
    /// The set is made from something else now.
    Definition,
    /// Its stack is behind the set: the service's reason.
    Outdated(String),
    /// It is to have other values of its own.
    Overrides,
}

/// What a roll-out does, pair by pair. Each wanted or standing pair is in one of these, and in one alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PairPlan {
    /// Wanted, and not there; or there without a stack, for the reason given.
    pub create: BTreeMap<Pair, Option<String>>,
    /// Wanted and there, but not as wanted.
    pub update: BTreeMap<Pair, UpdateCause>,
    /// There, and not wanted.
    pub delete: BTreeSet<Pair>,
    /// There as wanted.
    pub leave: BTreeSet<Pair>,
    /// Wanted and there, but out of reach until somebody acts: the service's reason.
    pub stuck: BTreeMap<Pair, String>,
    /// The pairs of `update` whose own values change too, and of `create` that have some.
    pub overrides: BTreeMap<Pair, Overrides>,
}

impl PairPlan {
    /// Holds what is wanted against what stands.
    ///
    /// `known` are further pairs that the set is known to be placed over, such as a unit that auto-deployment watches and
    /// that holds no account yet. `overridden` are the values of their own that standing pairs have, where anybody
    /// looked; what is not in it is taken to have none.
    pub fn new(
        wanted: &WantedPairs,
        standing: &[StackInstance],
        known: &BTreeSet<Pair>,
        overridden: &BTreeMap<Pair, Overrides>,
        definition_changes: bool,
    ) -> Self {
        // A unit has an instance for each of its accounts: the one that needs the most decides for all.
        let mut there: BTreeMap<Pair, Standing> = known
            .iter()
            .map(|pair| (pair.clone(), Standing::Current))
            .collect();
        for instance in standing {
            let next = instance.standing();
            there
                .entry(instance.target())
                .and_modify(|worst| {
                    if urgency(&next) > urgency(worst) {
                        *worst = next.clone();
                    }
                })
                .or_insert(next);
        }
        let mut plan = Self::default();
        let none = Overrides::new();
        for pair in &wanted.pairs {
            let own = wanted.overrides.get(pair).unwrap_or(&none);
            let differ = own != overridden.get(pair).unwrap_or(&none);
            let cause = match there.get(pair) {
                None => {
                    plan.create.insert(pair.clone(), None);
                    if !own.is_empty() {
                        plan.overrides.insert(pair.clone(), own.clone());
                    }
                    continue;
                }
                Some(Standing::Missing(reason)) => {
                    plan.create.insert(pair.clone(), Some(reason.clone()));
                    if !own.is_empty() {
                        plan.overrides.insert(pair.clone(), own.clone());
                    }
                    continue;
                }
                Some(Standing::Inoperable(reason)) => {
                    plan.stuck.insert(pair.clone(), reason.clone());
                    continue;
                }
                Some(Standing::Suspended) => {
                    plan.stuck
                        .insert(pair.clone(), "the account is suspended".to_owned());
                    continue;
                }
                Some(Standing::Unknown(status)) => {
                    plan.stuck.insert(
                        pair.clone(),
                        format!("{status} is a status that this version does not know"),
                    );
                    continue;
                }
                Some(Standing::Behind(reason)) => Some(UpdateCause::Outdated(reason.clone())),
                Some(Standing::Current) if definition_changes => Some(UpdateCause::Definition),
                Some(Standing::Current) if differ => Some(UpdateCause::Overrides),
                Some(Standing::Current) => None,
            };
            match cause {
                Some(cause) => {
                    plan.update.insert(pair.clone(), cause);
                    if differ {
                        plan.overrides.insert(pair.clone(), own.clone());
                    }
                }
                None => {
                    plan.leave.insert(pair.clone());
                }
            }
        }
        plan.delete = there
            .into_keys()
            .filter(|pair| !wanted.pairs.contains(pair))
            .collect();
        plan
    }

    /// Leaves whatever is in these regions as it is; what is not there yet is not made.
    pub fn leave_regions(&mut self, regions: &BTreeSet<String>) {
        let left = |pair: &Pair| regions.contains(&pair.region);
        self.create.retain(|pair, _| !left(pair));
        self.overrides.retain(|pair, _| !left(pair));
        let standing = (self.update.keys())
            .chain(&self.delete)
            .chain(self.stuck.keys());
        let leave: Vec<_> = standing.filter(|pair| left(pair)).cloned().collect();
        for pair in leave {
            self.update.remove(&pair);
            self.delete.remove(&pair);
            self.stuck.remove(&pair);
            self.leave.insert(pair);
        }
    }

    /// Whether there is nothing to do for any pair. Stuck ones cannot be done.
    pub fn is_empty(&self) -> bool {
        self.create.is_empty() && self.update.is_empty() && self.delete.is_empty()
    }

    /// The pairs of `update` whose stacks follow the set: all but those that only get other values of their own.
    pub fn follow(&self) -> impl Iterator<Item = &Pair> {
        self.update
            .iter()
            .filter(|(_, cause)| **cause != UpdateCause::Overrides)
            .map(|(pair, _)| pair)
    }

    /// The pairs of `create`, together where their own values are the same.
    pub fn create_by_overrides(&self) -> BTreeMap<&Overrides, Vec<&Pair>> {
        self.by_overrides(self.create.keys())
    }

    /// The pairs of `update` whose own values change, together where they are the same.
    pub fn update_by_overrides(&self) -> BTreeMap<&Overrides, Vec<&Pair>> {
        let changing = self
            .update
            .keys()
            .filter(|pair| self.overrides.contains_key(pair));
        self.by_overrides(changing)
    }

    fn by_overrides<'a>(
        &'a self,
        pairs: impl Iterator<Item = &'a Pair>,
    ) -> BTreeMap<&'a Overrides, Vec<&'a Pair>> {
        static NONE: Overrides = Overrides::new();
        let mut together: BTreeMap<&Overrides, Vec<&Pair>> = BTreeMap::new();
        for pair in pairs {
            together
                .entry(self.overrides.get(pair).unwrap_or(&NONE))
                .or_default()
                .push(pair);
        }
        together
    }
}

/// Which of two standings of one target decides: what can be done goes before what cannot, so that one closed account
/// does not hold up its whole unit.
fn urgency(standing: &Standing) -> u8 {
    match standing {
        Standing::Suspended => 0,
        Standing::Inoperable(_) => 1,
        Standing::Unknown(_) => 2,
        Standing::Current => 3,
        Standing::Behind(_) => 4,
        Standing::Missing(_) => 5,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{DetailedStatus, DriftStatus, InstanceStatus};
    use super::*;

    fn instance(pair: &str, status: &str) -> StackInstance {
        let (place, region) = pair.split_once('/').unwrap();
        let (status, detailed) = status.split_once(' ').unwrap_or((status, "SUCCEEDED"));
        StackInstance {
            pair: Pair::new(place, region),
            organizational_unit: None,
            stack_id: (detailed != "CANCELLED").then(|| "arn".to_owned()),
            status: InstanceStatus::parse(status),
            detailed: Some(DetailedStatus::parse(detailed)),
            reason: None,
            drift: DriftStatus::NotChecked,
        }
    }

    fn pairs(text: &str) -> BTreeSet<Pair> {
        text.split_whitespace()
            .map(|pair| {
                let (place, region) = pair.split_once('/').unwrap();
                Pair::new(place, region)
            })
            .collect()
    }

    /// The plan as one line: each list by its name.
    fn shown(plan: &PairPlan) -> String {
        let list = |name: &str, pairs: Vec<&Pair>| {
            let pairs: Vec<_> = pairs.iter().map(ToString::to_string).collect();
            (!pairs.is_empty()).then(|| format!("{name} {}", pairs.join(" ")))
        };
        [
            list("create", plan.create.keys().collect()),
            list("update", plan.update.keys().collect()),
            list("delete", plan.delete.iter().collect()),
            list("leave", plan.leave.iter().collect()),
            list("stuck", plan.stuck.keys().collect()),
        ]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join("; ")
    }

    #[track_caller]
    fn check(wanted: &str, standing: &[(&str, &str)], changes: bool, expected: &str) {
        let wanted = WantedPairs {
            pairs: pairs(wanted),
            overrides: BTreeMap::new(),
        };
        let standing: Vec<_> = standing
            .iter()
            .map(|(pair, status)| instance(pair, status))
            .collect();
        let plan = PairPlan::new(
            &wanted,
            &standing,
            &BTreeSet::new(),
            &BTreeMap::new(),
            changes,
        );
        assert_eq!(shown(&plan), expected);
    }

    #[test]
    fn each_pair_has_its_own_fate() {
        check("1/a 1/b", &[], false, "create 1/a 1/b");
        // A new account in a region that others stand in: two lists, intersected, would miss it.
        check(
            "1/a 1/b 2/a 2/b",
            &[("1/a", "CURRENT"), ("1/b", "CURRENT"), ("2/a", "CURRENT")],
            false,
            "create 2/b; leave 1/a 1/b 2/a",
        );
        check(
            "1/a",
            &[("1/a", "CURRENT"), ("2/a", "CURRENT")],
            true,
            "update 1/a; delete 2/a",
        );
        check(
            "1/a 2/a 3/a 4/a",
            &[
                ("1/a", "OUTDATED FAILED"),
                ("2/a", "OUTDATED CANCELLED"),
                ("3/a", "INOPERABLE INOPERABLE"),
                ("4/a", "OUTDATED SKIPPED_SUSPENDED_ACCOUNT"),
            ],
            false,
            "create 2/a; update 1/a; stuck 3/a 4/a",
        );
        check("", &[("1/a", "INOPERABLE INOPERABLE")], false, "delete 1/a");
        check("1/a", &[("1/a", "LOST")], false, "stuck 1/a");
    }

    #[test]
    fn own_values_are_given_and_taken_back() {
        let own = |value: &str| Overrides::from([("A".to_owned(), value.to_owned())]);
        let wanted = WantedPairs {
            pairs: pairs("1/a 2/a 3/a 4/a"),
            overrides: BTreeMap::from([
                (Pair::new("1", "a"), own("x")),
                (Pair::new("2", "a"), own("x")),
                (Pair::new("4", "a"), own("y")),
            ]),
        };
        let standing = [
            instance("1/a", "CURRENT"),
            instance("2/a", "CURRENT"),
            instance("3/a", "CURRENT"),
        ];
        let overridden = BTreeMap::from([
            (Pair::new("1", "a"), own("x")),
            (Pair::new("3", "a"), own("z")),
        ]);
        let plan = PairPlan::new(&wanted, &standing, &BTreeSet::new(), &overridden, false);
        assert_eq!(shown(&plan), "create 4/a; update 2/a 3/a; leave 1/a");
        assert_eq!(plan.follow().count(), 0);
        let (none, x) = (Overrides::new(), own("x"));
        assert_eq!(
            plan.update_by_overrides(),
            BTreeMap::from([
                (&none, vec![&Pair::new("3", "a")]),
                (&x, vec![&Pair::new("2", "a")])
            ])
        );
        assert_eq!(
            plan.create_by_overrides(),
            BTreeMap::from([(&own("y"), vec![&Pair::new("4", "a")])])
        );
    }

    #[test]
    fn a_unit_stands_for_its_accounts() {
        let in_unit = |account: &str, status: &str| StackInstance {
            organizational_unit: Some("ou-ab12-11111111".to_owned()),
            ..instance(&format!("{account}/a"), status)
        };
        let wanted = WantedPairs {
            pairs: pairs("ou-ab12-11111111/a ou-ab12-22222222/a"),
            overrides: BTreeMap::new(),
        };
        let standing = [
            in_unit("1", "CURRENT"),
            in_unit("2", "OUTDATED SKIPPED_SUSPENDED_ACCOUNT"),
        ];
        // A unit without accounts has no instance; auto-deployment watches it all the same.
        let known = pairs("ou-ab12-22222222/a ou-ab12-33333333/a");
        let plan = PairPlan::new(&wanted, &standing, &known, &BTreeMap::new(), false);
        assert_eq!(
            shown(&plan),
            "delete ou-ab12-33333333/a; leave ou-ab12-11111111/a ou-ab12-22222222/a"
        );
    }

    proptest::proptest! {
        #[test]
        fn every_pair_is_in_one_list(
            wanted in proptest::collection::btree_set((0..6_u8, 0..6_u8), 0..20),
            standing in proptest::collection::btree_map((0..6_u8, 0..6_u8), 0..5_usize, 0..20),
            changes: bool,
        ) {
            let pair = |(place, region): &(u8, u8)| Pair::new(place.to_string(), region.to_string());
            let statuses = ["CURRENT", "OUTDATED FAILED", "OUTDATED CANCELLED", "INOPERABLE INOPERABLE", "LOST"];
            let instances: Vec<_> = standing.iter().map(|(at, status)| instance(&pair(at).to_string(), statuses[*status])).collect();
            let wanted = WantedPairs { pairs: wanted.iter().map(pair).collect(), overrides: BTreeMap::new() };
            let plan = PairPlan::new(&wanted, &instances, &BTreeSet::new(), &BTreeMap::new(), changes);
            let mut listed: Vec<Pair> = plan.create.keys().chain(plan.update.keys()).chain(plan.stuck.keys()).cloned().collect();
            listed.extend(plan.leave.iter().cloned());
            // What is wanted is listed once, and what is not wanted is deleted where it stands.
            proptest::prop_assert_eq!(listed.len(), wanted.pairs.len());
            proptest::prop_assert_eq!(listed.into_iter().collect::<BTreeSet<_>>(), wanted.pairs.clone());
            let there: BTreeSet<_> = standing.keys().map(pair).collect();
            proptest::prop_assert_eq!(&plan.delete, &there.difference(&wanted.pairs).cloned().collect::<BTreeSet<_>>());
        }
    }
}
