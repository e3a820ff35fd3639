//! What placed stacks and others need of one another.
//!
//! Each stack of a set has outputs of its own, in accounts that the deploy may not look into. So what is needed of a set is
//! only what follows from names, and every account and region gets the value of its own.

use std::collections::BTreeMap;

use stackway_infra::config::StackSetPlacement;
use stackway_infra::flow::Outputs;
use stackway_infra::order::Copying;
use stackway_infra::stack_def::{ARTIFACTS, Need, STACKS, StackDef, StackGraph};
use stackway_infra::stack_set::{Overrides, Pair};

use super::{placement, replicas};
use crate::commands::status::graph_failure;
use crate::deploy_plan::CODE_PARAMETERS;
use crate::failure::{Failure, Kind};
use crate::settings::Settings;

/// The stacks of a graph that are deployed as stacks, and those that are rolled out as stack sets.
pub(crate) fn split(
    settings: &Settings,
    graph: &StackGraph,
) -> Result<(StackGraph, Vec<StackDef>), Failure> {
    let (sets, stacks): (Vec<_>, Vec<_>) = graph
        .deploy_order()
        .iter()
        .copied()
        .partition(|def| is_placed(settings, def.name));
    Ok((only(graph, &stacks)?, sets))
}

/// Whether a stack is rolled out as a stack set.
pub(super) fn is_placed(settings: &Settings, stack: &str) -> bool {
    placement(settings, stack).is_some()
}

/// Whether each account and region gets a value of its own, which follows from names: of its stack of a set, or of the copy
/// that a stack has there.
pub(super) fn follows_from_names(settings: &Settings, need: &Need) -> bool {
    let copied = || {
        Copying::of(need.stack).is_some()
            && (settings.naming)
                .copied_output(need.stack, need.output, "", "")
                .is_some()
    };
    is_placed(settings, need.stack) || copied()
}

/// These stacks of a graph; none, if there are none.
pub(crate) fn only(graph: &StackGraph, stacks: &[StackDef]) -> Result<StackGraph, Failure> {
    let names: Vec<_> = stacks.iter().map(|def| def.name.to_owned()).collect();
    let chosen = if names.is_empty() {
        StackGraph::new(&[])
    } else {
        graph.select(&names, false)
    };
    chosen.map_err(graph_failure)
}

/// What a stack takes of others: the parameter, the stack, and its output.
fn taken(
    def: &StackDef,
    code: bool,
) -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    let bucket =
        (code && def.package.is_some()).then_some((CODE_PARAMETERS[0], ARTIFACTS.0, ARTIFACTS.1));
    let needs = def.needs.iter();
    needs
        .map(|need| (need.parameter, need.stack, need.output))
        .chain(bucket)
}

/// Refuses a placement that cannot work: where a value that a stack needs is not known, or is not there.
///
/// `code` says whether the stack, if it has a package, runs it from a zip in a bucket.
pub(crate) fn check(settings: &Settings, def: &StackDef, code: bool) -> Result<(), Failure> {
    let own = placement(settings, def.name);
    replicas::check(settings, def)?;
    for (_, needed, output) in taken(def, code) {
        let refuse = |why: String, hint: String| {
            let what = match own {
                Some(_) => format!("stack `{}` cannot be placed as a stack set", def.name),
                None => format!("stack `{needed}` cannot be placed as a stack set"),
            };
            Err(Failure::new(Kind::Configuration, format!("{what}: {why}")).hint(hint))
        };
        let region = settings.naming.region.as_str();
        let Some(place) = placement(settings, needed) else {
            if own.is_some() && needed == ARTIFACTS.0 && output == ARTIFACTS.1 {
                return refuse(
                    "the code of its function has to be in a bucket of the function's own region"
                        .to_owned(),
                    format!(
                        "place `{needed}` over the same account and regions in stackway.toml, or give `{}` an image",
                        def.name
                    ),
                );
            }
            if let Some(own) = own {
                replicas::check_reached(settings, def, own, needed)?;
            }
            continue;
        };
        if settings.naming.output(needed, output, "", region).is_none() {
            return refuse(
                format!(
                    "`{}` needs `{output}` of `{needed}`, which each of its stacks alone can tell",
                    def.name
                ),
                format!(
                    "remove the `place` of `{needed}` from stackway.toml, or deploy it alone (`--stack {needed}`)"
                ),
            );
        }
        if place.is_service_managed() || own.is_some_and(StackSetPlacement::is_service_managed) {
            return refuse(
                format!(
                    "`{}` needs `{output}` of `{needed}` in each account, and the accounts of organizational units are not known beforehand",
                    def.name
                ),
                "place both over `accounts`, or deploy each alone with `--stack`".to_owned(),
            );
        }
        let wanted = match own {
            Some(own) => own.targets().pairs,
            None => here(settings).into_iter().collect(),
        };
        let there = place.targets().pairs;
        if let Some(pair) = wanted.iter().find(|pair| !there.contains(pair)) {
            return refuse(
                format!(
                    "`{}` needs `{needed}` in {pair}, where it is not placed",
                    def.name
                ),
                format!("add the account and region to the `place` of `{needed}` in stackway.toml"),
            );
        }
    }
    if let Some(own) = own
        && code
        && def.package.is_some()
        && own.accounts.len() != 1
    {
        return Err(Failure::new(
            Kind::Configuration,
            format!(
                "stack `{}` cannot be placed as a stack set over several accounts: its code is uploaded with the \
                 credentials of one",
                def.name
            ),
        )
        .hint("place it over the regions of one account, or give it an image that every account may pull"));
    }
    Ok(())
}

/// The account and region of a deploy, where the file alone tells the account.
pub(super) fn here(settings: &Settings) -> Option<Pair> {
    match settings.environment.accounts.as_slice() {
        [one] => Some(Pair::new(one.as_str(), settings.naming.region.as_str())),
        _ => None,
    }
}

/// What placed stacks give to the stacks of this account and the environment's region.
pub(crate) fn outputs_here(settings: &Settings, account: &str) -> Outputs {
    let here = Pair::new(account, settings.naming.region.as_str());
    let placed = STACKS.iter().filter(|def| {
        placement(settings, def.name).is_some_and(|place| place.targets().pairs.contains(&here))
    });
    placed
        .map(|def| {
            let outputs = def.outputs.iter().filter_map(|output| {
                let value =
                    (settings.naming).output(def.name, output, account, here.region.as_str())?;
                Some(((*output).to_owned(), value))
            });
            (def.name, outputs.collect())
        })
        .collect()
}

/// The values that a set takes of other sets, and of copies that stacks have in its regions, by account and region.
pub(super) fn values_of_pairs(
    settings: &Settings,
    def: &StackDef,
    own: &StackSetPlacement,
    code: bool,
) -> BTreeMap<Pair, Overrides> {
    let mut values: BTreeMap<Pair, Overrides> = BTreeMap::new();
    for (parameter, needed, output) in taken(def, code) {
        let naming = &settings.naming;
        let placed = is_placed(settings, needed);
        if !placed && Copying::of(needed).is_none() {
            continue;
        }
        for pair in own.targets().pairs {
            let value = if placed {
                naming.output(needed, output, &pair.place, &pair.region)
            } else {
                naming.copied_output(needed, output, &pair.place, &pair.region)
            };
            if let Some(value) = value {
                let of_pair = values.entry(pair).or_default();
                of_pair.insert(parameter.to_owned(), value);
            }
        }
    }
    values
}
