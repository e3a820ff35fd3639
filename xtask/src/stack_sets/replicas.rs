//! Stacks that copy what they hold to the regions of sets that need it there.

use std::collections::{BTreeMap, BTreeSet};

use stackway_infra::config::StackSetPlacement;
use stackway_infra::order::{
    Copying, REPLICA_REGIONS, Replicas, replica_parameters, replica_regions,
};
use stackway_infra::stack_def::StackDef;

use super::needs::{here, is_placed};
use crate::failure::{Failure, Kind};
use crate::settings::Settings;

/// Refuses regions that a stack cannot copy to.
pub(super) fn check(settings: &Settings, def: &StackDef) -> Result<(), Failure> {
    let Some(copying) = Copying::of(def.name) else {
        return Ok(());
    };
    let parameters = settings.parameters(def.name);
    let given = REPLICA_REGIONS
        .iter()
        .filter_map(|name| parameters.get(*name));
    let given: Vec<_> = given.filter(|region| !region.is_empty()).collect();
    let refuse = |why: String, hint: String| {
        let what = format!("stack `{}` cannot be copied to other regions", def.name);
        Err(Failure::new(Kind::Configuration, format!("{what}: {why}")).hint(hint))
    };
    let parameters_of = format!(
        "[environments.{}.parameters.{}] in stackway.toml",
        settings.environment.name, def.name
    );
    if let Some((name, value)) = copying.copies_with {
        if !copying.copies(&parameters) {
            return match given.first() {
                None => Ok(()),
                Some(region) => refuse(
                    format!("{region} is named, and `{name}` is not `{value}`"),
                    format!(
                        "set `{name} = \"{value}\"` in {parameters_of}, before the stack is made"
                    ),
                ),
            };
        }
        if parameters
            .get("BillingMode")
            .is_some_and(|mode| mode == "PROVISIONED")
        {
            return refuse(
                "a global table is paid by request".to_owned(),
                format!("remove `BillingMode` from {parameters_of}"),
            );
        }
    }
    let mut seen = BTreeSet::from([settings.naming.region.as_str()]);
    for region in &given {
        if !seen.insert(region) {
            let why = if **region == settings.naming.region {
                format!("{region} is its own")
            } else {
                format!("{region} is named twice")
            };
            return refuse(
                why,
                format!("name each other region once in {parameters_of}"),
            );
        }
    }
    let copies = copying.copies_with.is_some() || !given.is_empty();
    if copies && is_placed(settings, def.name) {
        return refuse(
            "it is placed as a stack set, and has a stack of its own in each region".to_owned(),
            format!(
                "remove the `place` of `{}` from stackway.toml, or the copies from {parameters_of}",
                def.name
            ),
        );
    }
    Ok(())
}

/// Refuses a placement over accounts and regions where a stack that is needed there, and is not placed, has no copy.
pub(super) fn check_reached(
    settings: &Settings,
    def: &StackDef,
    own: &StackSetPlacement,
    needed: &str,
) -> Result<(), Failure> {
    let Some(copying) = Copying::of(needed) else {
        return Ok(());
    };
    let parameters = settings.parameters(needed);
    // The accounts of organizational units are not known beforehand.
    if !copying.holds(&parameters) || own.is_service_managed() {
        return Ok(());
    }
    let mut regions = replica_regions(&parameters);
    regions.insert(settings.naming.region.clone());
    let account = here(settings).map(|here| here.place);
    let missing = own.targets().pairs.into_iter().find(|pair| {
        !regions.contains(&pair.region)
            || account
                .as_ref()
                .is_some_and(|account| *account != pair.place)
    });
    let Some(pair) = missing else {
        return Ok(());
    };
    let name = REPLICA_REGIONS[0];
    let with = copying
        .copies_with
        .map(|(name, value)| format!("`{name} = \"{value}\"` and "))
        .unwrap_or_default();
    Err(Failure::new(
        Kind::Configuration,
        format!(
            "stack `{}` cannot be placed as a stack set: it needs `{needed}` in {pair}, where there is none",
            def.name
        ),
    )
    .hint(format!(
        "copy it there, by {with}`{name}` of [environments.{}.parameters.{needed}], or place it over the same account and \
         regions",
        settings.environment.name
    )))
}

/// Refuses to make a global table of one that is none, or the other way: it would be another, and empty.
pub(super) fn check_kind(
    settings: &Settings,
    def: &StackDef,
    copying: Copying,
    standing: &BTreeMap<String, String>,
) -> Result<(), Failure> {
    let wanted = settings.parameters(def.name);
    let Some((name, _)) = copying.copies_with else {
        return Ok(());
    };
    if copying.copies(&wanted) == copying.copies(standing) {
        return Ok(());
    }
    let stands = standing.get(name).map_or("false", String::as_str);
    Err(Failure::new(
        Kind::Configuration,
        format!(
            "`{name}` of stack `{}` is decided when it is made: it stands with `{name} = \"{stands}\"`",
            def.name
        ),
    )
    .hint(format!(
        "set `{name} = \"{stands}\"` in [environments.{}.parameters.{}]; docs/regions.md tells how a table becomes another",
        settings.environment.name, def.name
    )))
}

/// Refuses more copies on the way than there can be.
pub(super) fn check_count(
    settings: &Settings,
    def: &StackDef,
    replicas: &Replicas,
) -> Result<(), Failure> {
    let Some(most) = replicas.grown().pop() else {
        return Ok(());
    };
    replica_parameters(&most, &BTreeMap::new()).map(drop).map_err(|error| {
        Failure::new(
            Kind::Configuration,
            format!("stack `{}`: {error}", def.name),
        )
        .hint(format!(
            "take a region from [environments.{}.parameters.{}] and from the sets placed there, deploy, then add the new one",
            settings.environment.name, def.name
        ))
    })
}
