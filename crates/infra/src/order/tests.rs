use proptest::prelude::*;

use super::*;
use crate::stack_def::STACKS;

const HOME: &str = "eu-west-2";
const OTHERS: [&str; 5] = ["a", "b", "c", "d", "e"];
/// What the API needs in its own region: its code from one set, items and token from two stacks that copy them.
const SETS: [&str; 2] = ["artifacts", "api"];
const COPIED: [&str; 2] = ["table", "secrets"];

fn regions(text: &str) -> Regions {
    text.split_whitespace().map(str::to_owned).collect()
}

fn graph() -> StackGraph {
    let stacks: Vec<_> = STACKS
        .iter()
        .filter(|def| SETS.contains(&def.name) || COPIED.contains(&def.name))
        .copied()
        .collect();
    StackGraph::new(&stacks).unwrap()
}

fn of(standing: Option<&Regions>, wanted: &Regions) -> BTreeMap<&'static str, Replicas> {
    let replicas = Replicas {
        standing: standing.cloned(),
        wanted: wanted.clone(),
    };
    COPIED.map(|name| (name, replicas.clone())).into()
}

fn shown(turns: &[Turn]) -> Vec<String> {
    let names = |defs: &[StackDef]| {
        let names: Vec<_> = defs.iter().map(|def| def.name).collect();
        names.join(" ")
    };
    let shown = turns.iter().map(|turn| match turn {
        Turn::Stacks(stacks) => format!("stacks {}", names(stacks)),
        Turn::Replicas(stack, regions) => {
            let regions: Vec<_> = regions.iter().map(String::as_str).collect();
            format!("{} in {}", stack.name, regions.join(" "))
        }
        Turn::Sets(sets) => format!("sets {}", names(sets)),
        Turn::Leave(sets) => format!("leave {}", names(sets)),
    });
    shown.collect()
}

#[track_caller]
fn check(standing: Option<&str>, wanted: &str, expected: &[&str]) {
    let standing = standing.map(regions);
    let replicas = of(standing.as_ref(), &regions(wanted));
    let turns = turns(&graph(), |name| SETS.contains(&name), &replicas);
    assert_eq!(shown(&turns), expected);
}

#[test]
fn regions_are_won_from_the_bottom_and_left_from_the_top() {
    // `secrets` runs code, whose bucket is of a set here; so it comes after that.
    check(
        None,
        "a b",
        &[
            "stacks table",
            "sets artifacts",
            "stacks secrets",
            "sets api",
            "leave api",
            "leave artifacts",
        ],
    );
    check(
        Some("a"),
        "b c",
        &[
            "stacks table",
            "table in a b",
            "table in a b c",
            "sets artifacts",
            "stacks secrets",
            "secrets in a b",
            "secrets in a b c",
            "sets api",
            "leave api",
            "secrets in b c",
            "leave artifacts",
            "table in b c",
        ],
    );
    check(
        Some("a b"),
        "",
        &[
            "stacks table",
            "sets artifacts",
            "stacks secrets",
            "sets api",
            "leave api",
            "secrets in b",
            "secrets in ",
            "leave artifacts",
            "table in b",
            "table in ",
        ],
    );
}

#[test]
fn parameters_name_regions() {
    let named = |values: [&str; 3]| {
        let names = REPLICA_REGIONS.map(str::to_owned).into_iter();
        names.zip(values.map(str::to_owned)).collect()
    };
    for (now, wanted, expected) in [
        ("a b", ["", "", ""], ["a", "b", ""]),
        ("a b", ["b", "", "a"], ["b", "", "a"]),
        ("a b", ["", "", "c"], ["a", "b", ""]),
        ("a b c", ["c", "d", ""], ["c", "a", "b"]),
        ("", ["a", "", ""], ["", "", ""]),
    ] {
        let parameters = replica_parameters(&regions(now), &named(wanted)).unwrap();
        assert_eq!(parameters, named(expected), "{now}, {wanted:?}");
        assert_eq!(replica_regions(&parameters), regions(now));
    }
    assert_eq!(
        replica_parameters(&regions("a b c d"), &BTreeMap::new())
            .unwrap_err()
            .to_string(),
        "copies in 4 regions would stand at once, and there can be 3: a, b, c, d"
    );
}

/// Where everything is, as the turns go by.
struct World {
    copies: BTreeMap<&'static str, Option<Regions>>,
    instances: BTreeMap<&'static str, Regions>,
}

impl World {
    fn standing(regions: Option<&Regions>) -> Self {
        let placed = |regions: &Regions| {
            let mut placed = regions.clone();
            placed.insert(HOME.to_owned());
            placed
        };
        Self {
            copies: COPIED.map(|name| (name, regions.cloned())).into(),
            instances: SETS
                .map(|name| (name, regions.map(placed).unwrap_or_default()))
                .into(),
        }
    }

    /// Does what the turn says, as CloudFormation would: one region more or less in an update.
    fn take(&mut self, turn: &Turn, replicas: &BTreeMap<&'static str, Replicas>) {
        match turn {
            Turn::Stacks(stacks) => {
                for def in stacks {
                    let first = replicas[def.name].at_first();
                    let copies = self.copies.get_mut(def.name).unwrap();
                    assert!(copies.as_ref().is_none_or(|copies| copies == first));
                    *copies = Some(first.clone());
                }
            }
            Turn::Replicas(def, regions) => {
                let copies = self.copies.get_mut(def.name).unwrap();
                let before = copies.replace(regions.clone()).unwrap();
                assert_eq!(before.symmetric_difference(regions).count(), 1);
            }
            Turn::Sets(sets) => {
                for def in sets {
                    let wanted = replicas["table"].wanted.clone();
                    let instances = self.instances.get_mut(def.name).unwrap();
                    instances.extend(wanted);
                    instances.insert(HOME.to_owned());
                    self.check();
                }
            }
            Turn::Leave(sets) => {
                for def in sets {
                    let wanted = &replicas["table"].wanted;
                    let instances = self.instances.get_mut(def.name).unwrap();
                    instances.retain(|region| region == HOME || wanted.contains(region));
                    self.check();
                }
            }
        }
        self.check();
    }

    /// Wherever the API is, so is what it needs.
    fn check(&self) {
        for region in &self.instances["api"] {
            assert!(self.instances["artifacts"].contains(region), "{region}");
            for copies in self.copies.values() {
                let copies = copies.as_ref().expect("the stack is there");
                assert!(region == HOME || copies.contains(region), "{region}");
            }
        }
    }
}

fn some_regions() -> impl Strategy<Value = Regions> {
    proptest::sample::subsequence(OTHERS.to_vec(), 0..=3)
        .prop_map(|names| names.into_iter().map(str::to_owned).collect())
}

proptest! {
    #[test]
    fn nothing_runs_where_what_it_needs_is_not(
        standing in proptest::option::of(some_regions()),
        wanted in some_regions(),
    ) {
        let replicas = of(standing.as_ref(), &wanted);
        let mut world = World::standing(standing.as_ref());
        for turn in turns(&graph(), |name| SETS.contains(&name), &replicas) {
            world.take(&turn, &replicas);
        }
        let mut placed = wanted.clone();
        placed.insert(HOME.to_owned());
        prop_assert!(world.instances.values().all(|instances| *instances == placed));
        prop_assert!(world.copies.values().all(|copies| copies.as_ref() == Some(&wanted)));
    }
}
