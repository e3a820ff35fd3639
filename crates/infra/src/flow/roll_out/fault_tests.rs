//! Every fault in every call of a roll-out and of a removal: each run converges, or ends in one clear error from which the
//! next run does.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::clock::PollInterval;
use crate::cloud::fake::{Case, Ended as Run, FakeClock, Fault, Faults, for_each_fault};
use crate::cloud::stack_sets::fake::FakeStackSets;
use crate::flow::AllowReplace;
use crate::stack_set::{CallAs, Overrides, Pair, Permissions, StackSetDefinition, WantedPairs};

struct Silent;

impl RollOutObserver for Silent {
    fn observe_roll_out(&self, _: &str, _: &RollOutProgress) {}
}

struct World {
    sets: FakeStackSets,
    clock: FakeClock,
}

impl World {
    fn new(faults: &Faults) -> Self {
        Self {
            sets: FakeStackSets::new().with_faults(faults),
            clock: FakeClock::default(),
        }
    }

    fn roll_out(&self) -> RollOut<'_> {
        RollOut {
            sets: &self.sets,
            clock: &self.clock,
            poll: PollInterval::AWS,
            observer: &Silent,
        }
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

fn wanted(text: &str, template: &str) -> WantedStackSet {
    WantedStackSet {
        stack: "table".to_owned(),
        address: StackSetAddress {
            name: "set".to_owned(),
            call_as: CallAs::Caller,
        },
        definition: StackSetDefinition {
            template_body: template.to_owned(),
            parameters: BTreeMap::new(),
            tags: BTreeMap::new(),
            capabilities: Vec::new(),
            permissions: Permissions::SelfManaged {
                administration_role: "arn:aws:iam::111111111111:role/a".to_owned(),
                execution_role: "e".to_owned(),
            },
        },
        targets: WantedPairs {
            pairs: pairs(text),
            overrides: BTreeMap::new(),
        },
        preferences: Preferences::default(),
        allow_replace: AllowReplace::default(),
        left_regions: BTreeSet::new(),
        unwanted: Unwanted::Go,
    }
}

/// An end that is allowed: success, or the error that the fault itself is.
#[track_caller]
fn clear<T>(case: &Case, ended: &Run<Result<T, RollOutError>>) {
    match ended {
        Run::Killed => assert_eq!(case.fault, Fault::KilledAfter, "{case}"),
        Run::Returned(Ok(_)) => {}
        Run::Returned(Err(error)) => {
            let expected = case.fault.error().map(|error| error.to_string());
            assert_eq!(Some(error.to_string()), expected, "{case}");
        }
    }
}

/// Rolls `next` out over `before` under every fault, and once more without one.
async fn converges(before: Option<&WantedStackSet>, next: &WantedStackSet) -> usize {
    for_each_fault(
        async |faults| {
            let world = World::new(faults);
            if let Some(before) = before {
                world.roll_out().run(before).await.unwrap();
            }
            world
        },
        async |world: &World| world.roll_out().run(next).await,
        async |world: &World, case: &Case, ended| {
            clear(case, &ended);
            let again = world.roll_out().run(next).await;
            assert!(again.is_ok(), "{case}: {again:?}");
            let standing: BTreeMap<Pair, Overrides> = world.sets.standing(&next.address);
            let reached: BTreeSet<_> = standing.keys().cloned().collect();
            assert_eq!(reached, next.targets.pairs, "{case}");
            for (pair, own) in standing {
                let wanted = next.targets.overrides.get(&pair).cloned();
                assert_eq!(own, wanted.unwrap_or_default(), "{case}: {pair}");
            }
            let definition = world.sets.definition(&next.address).unwrap();
            assert_eq!(
                definition.template_body, next.definition.template_body,
                "{case}"
            );
            let third = world.roll_out().run(next).await.unwrap();
            assert!(third.is_unchanged(), "{case}: {third:?}");
        },
    )
    .await
}

#[tokio::test]
async fn a_new_set_converges_from_every_fault() {
    let cases = converges(None, &wanted("1/a 1/b 2/a", "one")).await;
    assert!(cases > 50, "{cases}");
}

#[tokio::test]
async fn an_update_that_grows_and_shrinks_converges_from_every_fault() {
    let mut next = wanted("1/a 1/b 3/a 3/b", "two");
    next.targets.overrides.insert(
        Pair::new("3", "b"),
        Overrides::from([("A".to_owned(), "1".to_owned())]),
    );
    let cases = converges(Some(&wanted("1/a 1/b 2/a", "one")), &next).await;
    assert!(cases > 100, "{cases}");
}

#[tokio::test]
async fn a_removal_converges_from_every_fault() {
    let set = wanted("1/a 1/b 2/a", "one");
    let cases = for_each_fault(
        async |faults| {
            let world = World::new(faults);
            world.roll_out().run(&set).await.unwrap();
            world
        },
        async |world: &World| {
            world
                .roll_out()
                .remove(&set.address, &set.preferences, false)
                .await
        },
        async |world: &World, case: &Case, ended| {
            clear(case, &ended);
            let again = world
                .roll_out()
                .remove(&set.address, &set.preferences, false)
                .await;
            assert!(again.is_ok(), "{case}: {again:?}");
            assert_eq!(world.sets.definition(&set.address), None, "{case}");
        },
    )
    .await;
    assert!(cases > 50, "{cases}");
}
