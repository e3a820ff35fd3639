//! Takes stack sets away: for `stack-set remove`, and for `destroy`.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use stackway_infra::aws::{self, CloudFormationStackSets};
use stackway_infra::cloud::stack_sets::StackSets as _;
use stackway_infra::flow::roll_out::RemovedStackSet;
use stackway_infra::inventory::{MadeSet, Owner};
use stackway_infra::stack_def::{STACKS, StackGraph};
use stackway_infra::stack_set::{
    CallAs, Pair, Preferences, StackInstance, StackSet, StackSetAddress,
};

use super::{HeldBucket, RollOutDisplay, buckets, placement, roll_out};
use crate::cloud::Cloud;
use crate::commands::status::graph_failure;
use crate::failure::{Failure, Kind};
use crate::settings::Settings;
use crate::ui::Ui;

/// A stack set of the environment that stands.
#[derive(Debug)]
pub(crate) struct Standing {
    /// Its stack's name in the project.
    pub(crate) stack: String,
    pub(crate) address: StackSetAddress,
    /// Where it is administered, if that is not the environment's region.
    pub(crate) region: Option<String>,
    /// The accounts and regions of its instances.
    pub(crate) instances: Vec<String>,
    /// The stacks of its instances, by their ids.
    pub(crate) stacks: Vec<(Pair, String)>,
    /// What [`held`] found in them.
    pub(crate) buckets: Vec<HeldBucket>,
}

impl Standing {
    fn new(
        stack: &str,
        address: StackSetAddress,
        region: Option<String>,
        instances: Vec<StackInstance>,
    ) -> Self {
        Self {
            stack: stack.to_owned(),
            address,
            region,
            instances: instances
                .iter()
                .map(|instance| instance.pair.to_string())
                .collect(),
            stacks: instances
                .into_iter()
                .filter_map(|instance| Some((instance.pair, instance.stack_id?)))
                .collect(),
            buckets: Vec::new(),
        }
    }
}

/// Whether a set is this environment's: by its tags, as its name may be the start of another project's too.
fn is_own(settings: &Settings, set: &StackSet) -> bool {
    let tag = |key: &str| set.definition.tags.get(key).map(String::as_str);
    tag("project") == Some(settings.naming.project.as_str())
        && tag("environment") == Some(settings.naming.environment.as_str())
        && tag("managed-by") == Some("stackway")
}

/// The client for a region; none is the environment's.
fn client_in(cloud: &Cloud, region: Option<&str>) -> CloudFormationStackSets {
    match region {
        None => CloudFormationStackSets::new(&cloud.config),
        Some(region) => CloudFormationStackSets::new(&aws::in_region(&cloud.config, region)),
    }
}

/// The environment's stack sets, placed by stackway.toml still or no longer: those of these stacks, or all; and those
/// that its pipelines `made`, unless their tags say that they are another's. In the order in which they are removed.
///
/// # Errors
/// A lookup that fails; an endpoint without stack sets has none.
pub(crate) async fn standing(
    settings: &Settings,
    cloud: &Cloud,
    stacks: &[String],
    made: &[MadeSet],
) -> Result<Vec<Standing>, Failure> {
    let client = client_in(cloud, None);
    let mut callers: BTreeSet<_> = STACKS
        .iter()
        .filter_map(|def| placement(settings, def.name))
        .map(|placement| placement.call_as)
        .collect();
    callers.insert(CallAs::Caller);
    let prefix = settings.naming.stack("");
    let mut found = Vec::new();
    for call_as in callers {
        let sets = match client.stack_sets(call_as).await {
            Ok(sets) => sets,
            Err(error) if error.is_unknown_operation() => continue,
            Err(error) => return Err(error.into()),
        };
        for set in sets {
            let Some(stack) = set.address.name.strip_prefix(&prefix) else {
                continue;
            };
            if !stacks.is_empty() && !stacks.iter().any(|name| name == stack) {
                continue;
            }
            let described = client.describe_stack_set(&set.address).await?;
            if !described.is_some_and(|described| is_own(settings, &described)) {
                continue;
            }
            let instances = client.stack_instances(&set.address).await?;
            let stack = stack.to_owned();
            found.push(Standing::new(&stack, set.address, None, instances));
        }
    }
    found.extend(made_by_pipelines(settings, cloud, made, &found).await?);
    // A set that needs another goes before it.
    let graph = StackGraph::all().map_err(graph_failure)?;
    let order = graph.deploy_order();
    found.sort_by_key(|set| Reverse(order.iter().position(|def| def.name == set.stack)));
    Ok(found)
}

/// The same, with what the buckets of their stacks hold.
///
/// # Errors
/// As for [`standing`], and where a bucket does not answer.
pub(crate) async fn held(
    settings: &Settings,
    cloud: &Cloud,
    stacks: &[String],
    made: &[MadeSet],
) -> Result<Vec<Standing>, Failure> {
    let mut sets = standing(settings, cloud, stacks, made).await?;
    buckets::look_into(cloud, &mut sets).await?;
    Ok(sets)
}

/// Of the sets that pipelines name, those that are there and not listed yet.
async fn made_by_pipelines(
    settings: &Settings,
    cloud: &Cloud,
    made: &[MadeSet],
    known: &[Standing],
) -> Result<Vec<Standing>, Failure> {
    let owner = Owner::new(&settings.naming, &cloud.account);
    let mut found = Vec::new();
    for one in made {
        let address = StackSetAddress {
            name: one.name.clone(),
            // A pipeline's action takes the account for the organization's own.
            call_as: CallAs::Caller,
        };
        let listed = |set: &Standing| set.address == address && set.region == one.region;
        if known.iter().any(listed) {
            continue;
        }
        let client = client_in(cloud, one.region.as_deref());
        let Some(set) = client.describe_stack_set(&address).await? else {
            continue;
        };
        if !owner.owns(true, &set.definition.tags) {
            continue;
        }
        let instances = client.stack_instances(&address).await?;
        found.push(Standing::new(
            &one.name,
            address,
            one.region.clone(),
            instances,
        ));
    }
    Ok(found)
}

/// Removes the sets with their instances, and with their stacks unless `retain_stacks`; each is looked for again. The buckets
/// that were found in them are emptied first.
///
/// # Errors
/// The first set that could not be removed, with every instance's reason.
pub(crate) async fn remove(
    ui: &Ui,
    settings: &Settings,
    cloud: &Cloud,
    sets: &[Standing],
    retain_stacks: bool,
) -> Result<Vec<RemovedStackSet>, Failure> {
    let environment = settings.environment.name.to_string();
    let mut removed = Vec::new();
    for set in sets {
        let preferences = placement(settings, &set.stack)
            .map_or_else(Preferences::default, |placement| {
                placement.preferences.clone()
            });
        let client = client_in(cloud, set.region.as_deref());
        if !retain_stacks {
            buckets::empty(ui, cloud, set).await?;
        }
        let display = RollOutDisplay::new(ui, &set.stack, "removed");
        let result = roll_out(&client, cloud, &display)
            .remove(&set.address, &preferences, retain_stacks)
            .await;
        display.clear();
        let gone =
            result.map_err(|error| Failure::of_roll_out(error, Kind::Destroy, &environment))?;
        removed.extend(gone);
    }
    Ok(removed)
}
