//! What a deploy does, phase by phase: stacks, sets, and the copies that stacks have in the regions of sets.

use std::collections::BTreeMap;

use stackway_infra::cloud::Stacks as _;
use stackway_infra::flow::roll_out::Unwanted;
use stackway_infra::order::{
    Copying, Regions, Replicas, Turn, replica_parameters, replica_regions, turns,
};
use stackway_infra::stack::{Outcome, StackStatus};
use stackway_infra::stack_def::{STACKS, StackDef, StackGraph};

use super::needs::{is_placed, only};
use super::{placement, replicas};
use crate::cloud::Cloud;
use crate::failure::{Failure, Kind};
use crate::settings::Settings;

/// Values of stacks that go before those of the plan.
pub(crate) type OwnValues = BTreeMap<&'static str, BTreeMap<String, String>>;

/// What is done together, after all that comes before it.
#[derive(Debug)]
pub(crate) enum Phase {
    /// Stacks by their needs, with values of their own in this phase.
    Stacks {
        graph: StackGraph,
        own: OwnValues,
        /// What it is for, where a stack has another phase before.
        why: Option<String>,
    },
    /// Sets, one after another.
    Sets {
        sets: Vec<StackDef>,
        unwanted: Unwanted,
    },
}

/// The phases of a deploy. Holds the regions that are wanted against those of stacks that stand; only reads.
pub(crate) async fn phases(
    settings: &Settings,
    graph: &StackGraph,
    cloud: &Cloud,
) -> Result<Vec<Phase>, Failure> {
    let mut replicas = BTreeMap::new();
    for def in graph.deploy_order() {
        if let Some(of_stack) = of_stack(settings, def, cloud).await? {
            replicas.insert(def.name, of_stack);
        }
    }
    turns(graph, |name| is_placed(settings, name), &replicas)
        .into_iter()
        .map(|turn| phase(settings, graph, turn, &replicas))
        .collect()
}

fn phase(
    settings: &Settings,
    graph: &StackGraph,
    turn: Turn,
    replicas: &BTreeMap<&'static str, Replicas>,
) -> Result<Phase, Failure> {
    Ok(match turn {
        Turn::Stacks(stacks) => {
            let copying = stacks
                .iter()
                .filter_map(|def| Some((def.name, replicas.get(def.name)?)));
            Phase::Stacks {
                graph: only(graph, &stacks)?,
                own: copying
                    .map(|(name, of_stack)| {
                        Ok((name, values(settings, name, of_stack.at_first())?))
                    })
                    .collect::<Result<_, Failure>>()?,
                why: None,
            }
        }
        Turn::Replicas(def, regions) => Phase::Stacks {
            graph: only(graph, &[def])?,
            own: [(def.name, values(settings, def.name, &regions)?)].into(),
            why: Some(if regions.is_empty() {
                format!("{}: without copies in other regions", def.name)
            } else {
                let regions: Vec<_> = regions.iter().map(String::as_str).collect();
                format!("{}: with copies in {}", def.name, regions.join(", "))
            }),
        },
        Turn::Sets(sets) => Phase::Sets {
            sets,
            unwanted: Unwanted::Stay,
        },
        Turn::Leave(sets) => Phase::Sets {
            sets,
            unwanted: Unwanted::Go,
        },
    })
}

/// The copies of a stack, where it makes some; `None` where it is a stack set itself.
async fn of_stack(
    settings: &Settings,
    def: &StackDef,
    cloud: &Cloud,
) -> Result<Option<Replicas>, Failure> {
    let Some(copying) = Copying::of(def.name).filter(|_| !is_placed(settings, def.name)) else {
        return Ok(None);
    };
    let standing = cloud
        .stacks
        .describe_stack(&settings.naming.stack(def.name))
        .await?
        .filter(|stack| {
            use StackStatus::{CreateFailed, RollbackComplete, RollbackFailed};
            let outcome = stack.status.outcome();
            // What never was made is made anew.
            let failed = matches!(
                stack.status,
                CreateFailed | RollbackComplete | RollbackFailed
            );
            !failed && !matches!(outcome, Outcome::AwaitingExecution | Outcome::Deleted)
        });
    if let Some(stack) = &standing {
        replicas::check_kind(settings, def, copying, &stack.parameters)?;
    }
    let of_stack = Replicas {
        standing: standing.map(|stack| replica_regions(&stack.parameters)),
        wanted: replica_regions(&settings.parameters(def.name)),
    };
    replicas::check_count(settings, def, &of_stack)?;
    // A stack without copies is deployed like any other.
    let none = of_stack.at_first().is_empty() && of_stack.wanted.is_empty();
    Ok((!none).then_some(of_stack))
}

/// The parameters of a stack that name these regions.
fn values(
    settings: &Settings,
    stack: &str,
    regions: &Regions,
) -> Result<BTreeMap<String, String>, Failure> {
    replica_parameters(regions, &settings.parameters(stack))
        .map_err(|error| Failure::new(Kind::Configuration, error.to_string()))
}

/// Refuses regions that no set is placed in.
pub(crate) fn left_regions(settings: &Settings, named: &[String]) -> Result<Regions, Failure> {
    let placed: Regions = STACKS
        .iter()
        .filter_map(|def| placement(settings, def.name))
        .flat_map(|placement| placement.regions.iter().map(ToString::to_string))
        .collect();
    for region in named {
        if !placed.contains(region) {
            let regions: Vec<_> = placed.iter().map(String::as_str).collect();
            let hint = if regions.is_empty() {
                format!(
                    "no stack of `{}` is placed as a stack set",
                    settings.environment.name
                )
            } else {
                format!("stack sets are placed in: {}", regions.join(", "))
            };
            return Err(Failure::new(
                Kind::CommandLine,
                format!("`{region}` cannot be left alone: no stack set is placed there"),
            )
            .hint(hint));
        }
    }
    Ok(named.iter().cloned().collect())
}
