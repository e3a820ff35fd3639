//! How a stack set is placed, and how it is rolled out: the keys beside `place = "stack-set"`.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;

use super::amount::RawAmount;
use super::environment::{Texts, distinct};
use super::error::Fault;
use super::{AccountId, OrganizationalUnit, Placement, Region};
use crate::stack_set::{
    Amount, AutoDeployment, CallAs, ConcurrencyMode, Overrides, Pair, Preferences,
    RegionConcurrency, WantedPairs,
};

/// Where a stack set goes, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StackSetPlacement {
    /// Accounts that each get the stack (self-managed permissions); empty where there are units.
    pub accounts: Vec<AccountId>,
    /// Units of the organisation whose accounts get the stack (service-managed permissions); empty where there are
    /// accounts.
    pub organizational_units: Vec<OrganizationalUnit>,
    /// The regions in each account; never empty.
    pub regions: Vec<Region>,
    /// As whom calls are made.
    pub call_as: CallAs,
    /// What happens by itself as accounts come and go; off for accounts.
    pub auto_deployment: AutoDeployment,
    /// The ARN of the administration role, where it is not Stackway's own.
    pub administration_role: Option<String>,
    /// The name of the execution role, where it is not Stackway's own.
    pub execution_role: Option<String>,
    /// How operations go over instances.
    pub preferences: Preferences,
    /// Parameter values for one account and region.
    pub overrides: BTreeMap<Pair, Overrides>,
}

impl StackSetPlacement {
    /// Whether permissions are the organisation's.
    pub fn is_service_managed(&self) -> bool {
        !self.organizational_units.is_empty()
    }

    /// Every account or unit with every region.
    pub fn targets(&self) -> WantedPairs {
        let accounts = self.accounts.iter().map(AccountId::as_str);
        let units = self
            .organizational_units
            .iter()
            .map(OrganizationalUnit::as_str);
        let pairs: BTreeSet<Pair> = accounts
            .chain(units)
            .flat_map(|place| {
                self.regions
                    .iter()
                    .map(move |region| Pair::new(place, region.as_str()))
            })
            .collect();
        WantedPairs {
            pairs,
            overrides: self.overrides.clone(),
        }
    }
}

/// What the rest of the file says that a placement is held to.
pub(super) struct Surroundings<'a> {
    /// The accounts that the environment may touch.
    pub(super) accounts: &'a [AccountId],
    /// Whether no failure may be tolerated.
    pub(super) protected: bool,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum RawCallAs {
    #[serde(rename = "self")]
    Caller,
    DelegatedAdmin,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum RawConcurrencyMode {
    Strict,
    Soft,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum RawRegionConcurrency {
    Sequential,
    Parallel,
}

type RawOverrides =
    BTreeMap<Spanned<AccountId>, BTreeMap<Spanned<Region>, BTreeMap<String, String>>>;

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Place {
    Stack,
    StackSet,
}

/// An `[environments.<name>.stacks.<stack>]` table as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPlacement {
    place: Spanned<Place>,
    accounts: Option<Spanned<Texts>>,
    organizational_units: Option<Spanned<Texts>>,
    regions: Option<Spanned<Texts>>,
    region_order: Option<Spanned<Texts>>,
    region_concurrency: Option<Spanned<RawRegionConcurrency>>,
    failure_tolerance: Option<Spanned<RawAmount>>,
    max_concurrent: Option<Spanned<RawAmount>>,
    concurrency_mode: Option<Spanned<RawConcurrencyMode>>,
    call_as: Option<Spanned<RawCallAs>>,
    auto_deployment: Option<Spanned<bool>>,
    retain_on_removal: Option<Spanned<bool>>,
    administration_role: Option<Spanned<String>>,
    execution_role: Option<Spanned<String>>,
    overrides: Option<Spanned<RawOverrides>>,
}

fn fault(span: Range<usize>, message: impl Into<String>, hint: impl Into<String>) -> Fault {
    Fault {
        span,
        message: message.into(),
        hint: Some(hint.into()),
    }
}

impl RawPlacement {
    pub(super) fn check(self, around: &Surroundings<'_>) -> Result<Placement, Fault> {
        match self.place.get_ref() {
            Place::Stack => self.stack(),
            Place::StackSet => self
                .stack_set(around)
                .map(|placement| Placement::StackSet(Box::new(placement))),
        }
    }

    fn stack(self) -> Result<Placement, Fault> {
        let given = [
            span(self.accounts.as_ref()),
            span(self.organizational_units.as_ref()),
            span(self.regions.as_ref()),
            span(self.region_order.as_ref()),
            span(self.region_concurrency.as_ref()),
            span(self.failure_tolerance.as_ref()),
            span(self.max_concurrent.as_ref()),
            span(self.concurrency_mode.as_ref()),
            span(self.call_as.as_ref()),
            span(self.auto_deployment.as_ref()),
            span(self.retain_on_removal.as_ref()),
            span(self.administration_role.as_ref()),
            span(self.execution_role.as_ref()),
            span(self.overrides.as_ref()),
        ];
        match given.into_iter().flatten().next() {
            Some(_) => Err(fault(
                self.place.span(),
                "`place = \"stack\"` takes no targets and no preferences",
                "remove the other keys, or say `place = \"stack-set\"`",
            )),
            None => Ok(Placement::Stack),
        }
    }

    fn stack_set(self, around: &Surroundings<'_>) -> Result<StackSetPlacement, Fault> {
        let place = self.place.span();
        let service_managed = match (&self.accounts, &self.organizational_units) {
            (Some(_), None) => false,
            (None, Some(_)) => true,
            _ => {
                return Err(fault(
                    place,
                    "a stack set is placed over `accounts` or over `organizational_units`",
                    "give one of the two",
                ));
            }
        };
        self.check_permissions(service_managed)?;
        let accounts = self.accounts(around)?;
        let units = named(self.organizational_units, "organizational unit")?;
        let regions: Vec<Region> = match self.regions {
            Some(regions) if !regions.get_ref().is_empty() => distinct(regions.into_inner())?,
            _ => {
                return Err(fault(
                    place,
                    "a stack set without regions makes no stack",
                    "add `regions = [\"eu-west-2\"]`",
                ));
            }
        };
        let preferences = Preferences {
            region_order: region_order(self.region_order, &regions)?,
            failure_tolerance: tolerance(self.failure_tolerance, around)?,
            max_concurrent: concurrent(self.max_concurrent)?,
            concurrency_mode: match self.concurrency_mode.map(Spanned::into_inner) {
                Some(RawConcurrencyMode::Soft) => ConcurrencyMode::Soft,
                Some(RawConcurrencyMode::Strict) | None => ConcurrencyMode::Strict,
            },
            region_concurrency: match self.region_concurrency.map(Spanned::into_inner) {
                Some(RawRegionConcurrency::Parallel) => RegionConcurrency::Parallel,
                Some(RawRegionConcurrency::Sequential) | None => RegionConcurrency::Sequential,
            },
        };
        let enabled = self.auto_deployment.is_some_and(Spanned::into_inner);
        Ok(StackSetPlacement {
            call_as: match self.call_as.map(Spanned::into_inner) {
                Some(RawCallAs::DelegatedAdmin) => CallAs::DelegatedAdmin,
                Some(RawCallAs::Caller) | None => CallAs::Caller,
            },
            auto_deployment: AutoDeployment {
                enabled,
                // An account that leaves keeps its data unless the file says otherwise.
                retain_on_removal: enabled
                    && self.retain_on_removal.is_none_or(Spanned::into_inner),
            },
            administration_role: self.administration_role.map(Spanned::into_inner),
            execution_role: self.execution_role.map(Spanned::into_inner),
            overrides: overrides(self.overrides, &accounts, &regions)?,
            accounts,
            organizational_units: units,
            regions,
            preferences,
        })
    }

    /// Refuses keys of the other permission model.
    fn check_permissions(&self, service_managed: bool) -> Result<(), Fault> {
        let (others, instead): (&[_], _) = if service_managed {
            (
                &[
                    (
                        "administration_role",
                        span(self.administration_role.as_ref()),
                    ),
                    ("execution_role", span(self.execution_role.as_ref())),
                    ("overrides", span(self.overrides.as_ref())),
                ],
                "accounts",
            )
        } else {
            (
                &[
                    ("call_as", span(self.call_as.as_ref())),
                    ("auto_deployment", span(self.auto_deployment.as_ref())),
                    ("retain_on_removal", span(self.retain_on_removal.as_ref())),
                ],
                "organizational_units",
            )
        };
        for (key, given) in others {
            if let Some(at) = given {
                return Err(fault(
                    at.clone(),
                    format!("`{key}` goes with `{instead}` alone"),
                    format!("remove it, or place the stack set over `{instead}`"),
                ));
            }
        }
        match &self.retain_on_removal {
            Some(retain)
                if !self
                    .auto_deployment
                    .as_ref()
                    .is_some_and(|on| *on.get_ref()) =>
            {
                Err(fault(
                    retain.span(),
                    "`retain_on_removal` says what auto-deployment leaves behind, and that is off",
                    "add `auto_deployment = true`, or remove it",
                ))
            }
            _ => Ok(()),
        }
    }

    fn accounts(&self, around: &Surroundings<'_>) -> Result<Vec<AccountId>, Fault> {
        let Some(texts) = &self.accounts else {
            return Ok(Vec::new());
        };
        let accounts: Vec<AccountId> = named(Some(texts.clone()), "account")?;
        for (account, text) in accounts.iter().zip(texts.get_ref()) {
            if !around.accounts.contains(account) {
                return Err(fault(
                    text.span(),
                    format!("the environment may not touch account {account}"),
                    "add it to `accounts` of the environment",
                ));
            }
        }
        Ok(accounts)
    }
}

fn span<T>(value: Option<&Spanned<T>>) -> Option<Range<usize>> {
    value.map(Spanned::span)
}

/// The values of a list that is there and so holds one at least.
fn named<T>(texts: Option<Spanned<Texts>>, what: &str) -> Result<Vec<T>, Fault>
where
    T: Clone + Ord + TryFrom<String, Error = super::ValueError>,
{
    match texts {
        None => Ok(Vec::new()),
        Some(texts) if texts.get_ref().is_empty() => Err(fault(
            texts.span(),
            format!("a stack set without an {what} makes no stack"),
            format!("name an {what} at least"),
        )),
        Some(texts) => distinct(texts.into_inner()),
    }
}

fn region_order(order: Option<Spanned<Texts>>, regions: &[Region]) -> Result<Vec<String>, Fault> {
    let Some(order) = order else {
        return Ok(Vec::new());
    };
    let texts = order.into_inner();
    let order: Vec<Region> = distinct(texts.clone())?;
    for (region, text) in order.iter().zip(&texts) {
        if !regions.contains(region) {
            return Err(fault(
                text.span(),
                format!("the stack set has no region `{region}`"),
                "`region_order` names regions of `regions`; those left out come last",
            ));
        }
    }
    Ok(order.iter().map(ToString::to_string).collect())
}

fn tolerance(
    amount: Option<Spanned<RawAmount>>,
    around: &Surroundings<'_>,
) -> Result<Amount, Fault> {
    let Some(amount) = amount else {
        return Ok(Amount::Count(0));
    };
    let (at, RawAmount(tolerance)) = (amount.span(), amount.into_inner());
    if around.protected && !tolerance.is_zero() {
        return Err(fault(
            at,
            "a protected environment tolerates no failure",
            "write `failure_tolerance = 0`, or remove it",
        ));
    }
    Ok(tolerance)
}

fn concurrent(amount: Option<Spanned<RawAmount>>) -> Result<Amount, Fault> {
    let Some(amount) = amount else {
        return Ok(Amount::Count(1));
    };
    let (at, RawAmount(concurrent)) = (amount.span(), amount.into_inner());
    if concurrent.is_zero() {
        return Err(fault(
            at,
            "with no account at once, nothing is rolled out",
            "write a number from 1, or a share from \"1%\"",
        ));
    }
    Ok(concurrent)
}

fn overrides(
    raw: Option<Spanned<RawOverrides>>,
    accounts: &[AccountId],
    regions: &[Region],
) -> Result<BTreeMap<Pair, Overrides>, Fault> {
    let mut overrides = BTreeMap::new();
    let Some(raw) = raw else {
        return Ok(overrides);
    };
    for (account, by_region) in raw.into_inner() {
        if !accounts.contains(account.get_ref()) {
            return Err(fault(
                account.span(),
                format!("the stack set has no account {}", account.get_ref()),
                "name an account of the stack set's `accounts`",
            ));
        }
        for (region, values) in by_region {
            if !regions.contains(region.get_ref()) {
                return Err(fault(
                    region.span(),
                    format!("the stack set has no region `{}`", region.get_ref()),
                    "name a region of the stack set's `regions`",
                ));
            }
            if !values.is_empty() {
                let pair = Pair::new(account.get_ref().as_str(), region.get_ref().as_str());
                overrides.insert(pair, values);
            }
        }
    }
    Ok(overrides)
}
