use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;

use super::error::{Fault, ValueError};
use super::stack_set::{RawPlacement, Surroundings};
use super::{AccountId, EnvironmentName, Placement, Region, StackName, tag};
use crate::stack_def::{Presence, StackDef};

/// A list as it is written; its values are checked one by one, so that an error has the line of its value.
pub(super) type Texts = Vec<Spanned<String>>;

/// An `[environments.<name>]` table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Environment {
    /// Its name.
    pub name: EnvironmentName,
    /// Whether it is on AWS or on this machine.
    pub kind: EnvironmentKind,
    /// The accounts that it may touch. Empty: none yet, for kind `aws`; kind `local` always has one.
    pub accounts: Vec<AccountId>,
    /// Where it is deployed; never empty, and the first is the primary one.
    pub regions: Vec<Region>,
    /// Who deploys the `api` stack.
    pub delivery: Delivery,
    /// Values for stacks' parameters, by stack and by parameter.
    pub parameters: BTreeMap<StackName, BTreeMap<String, String>>,
    /// Tags that every stack of the environment carries beside Stackway's own.
    pub tags: BTreeMap<String, String>,
    /// Stacks that it has beside those of every environment.
    pub with: BTreeSet<StackName>,
    /// Stacks that it does without.
    pub without: BTreeSet<StackName>,
    /// How stacks are placed; one that is not here is [`Placement::Stack`].
    pub stacks: BTreeMap<StackName, Placement>,
    /// Whether a deploy protects its stacks: against their deletion, and what holds data against its replacement and
    /// removal. Where the file does not say, `prod` alone is protected.
    pub protect: bool,
    pub(super) line: usize,
}

impl Environment {
    /// The line of its table in the file, from 1.
    pub fn line(&self) -> usize {
        self.line
    }

    /// Whether the environment has the stack.
    pub fn has(&self, stack: &StackDef) -> bool {
        match stack.presence {
            Presence::Always => true,
            Presence::Offered => !self.without.contains(stack.name),
            Presence::OnRequest => self.with.contains(stack.name),
        }
    }

    /// How the stack is placed.
    pub fn placement(&self, stack: &str) -> &Placement {
        self.stacks.get(stack).unwrap_or(&Placement::Stack)
    }
}

/// Where an environment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EnvironmentKind {
    /// In an AWS account.
    Aws,
    /// On this machine, in an emulator; no credentials are read.
    Local,
}

/// Who deploys the `api` stack.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Delivery {
    /// `cargo xtask deploy`, from the work tree.
    #[default]
    Direct,
    /// The pipeline, from the repository.
    Pipeline,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawEnvironment {
    kind: EnvironmentKind,
    accounts: Option<Spanned<Texts>>,
    regions: Spanned<Texts>,
    #[serde(default)]
    delivery: Delivery,
    #[serde(default)]
    parameters: BTreeMap<StackName, BTreeMap<String, String>>,
    #[serde(default, deserialize_with = "tag::map")]
    tags: BTreeMap<String, String>,
    #[serde(default)]
    stacks: BTreeMap<StackName, RawPlacement>,
    with: Option<Texts>,
    without: Option<Spanned<Texts>>,
    protect: Option<bool>,
}

impl RawEnvironment {
    pub(super) fn check(self, name: EnvironmentName, line: usize) -> Result<Environment, Fault> {
        let regions_span = self.regions.span();
        let regions: Vec<Region> = distinct(self.regions.into_inner())?;
        if regions.is_empty() {
            return Err(fault(
                regions_span,
                format!("environment `{name}` has no region"),
                "name one or more, the primary one first: regions = [\"eu-west-2\"]",
            ));
        }
        let accounts_span = self
            .accounts
            .as_ref()
            .map(Spanned::span)
            .unwrap_or_default();
        let mut accounts: Vec<AccountId> =
            distinct(self.accounts.map(Spanned::into_inner).unwrap_or_default())?;
        if self.kind == EnvironmentKind::Local {
            if accounts.is_empty() {
                accounts.push(AccountId::local());
            }
            if accounts.len() > 1 {
                return Err(fault(
                    accounts_span,
                    format!(
                        "environment `{name}` is local and has {} accounts",
                        accounts.len()
                    ),
                    "an emulator is one account: leave `accounts` out, or name one",
                ));
            }
        }
        let with: Vec<StackName> = distinct(self.with.unwrap_or_default())?;
        let without_span = self.without.as_ref().map(Spanned::span).unwrap_or_default();
        let without: Vec<StackName> =
            distinct(self.without.map(Spanned::into_inner).unwrap_or_default())?;
        if let Some(both) = without.iter().find(|stack| with.contains(stack)) {
            return Err(fault(
                without_span,
                format!("environment `{name}` is both with and without `{both}`"),
                "remove it from one of the two",
            ));
        }
        let around = Surroundings {
            accounts: &accounts,
            protected: name.as_str() == "prod",
        };
        let stacks = self
            .stacks
            .into_iter()
            .map(|(stack, raw)| Ok((stack, raw.check(&around)?)))
            .collect::<Result<_, Fault>>()?;
        Ok(Environment {
            protect: self.protect.unwrap_or(name.as_str() == "prod"),
            name,
            kind: self.kind,
            accounts,
            regions,
            delivery: self.delivery,
            parameters: self.parameters,
            tags: self.tags,
            stacks,
            with: with.into_iter().collect(),
            without: without.into_iter().collect(),
            line,
        })
    }
}

fn fault(span: Range<usize>, message: String, hint: &str) -> Fault {
    Fault {
        span,
        message,
        hint: Some(hint.to_owned()),
    }
}

/// The values of a list, each of which may stand there once.
pub(super) fn distinct<T>(texts: Texts) -> Result<Vec<T>, Fault>
where
    T: Clone + Ord + TryFrom<String, Error = ValueError>,
{
    let mut seen = BTreeSet::new();
    let mut kept = Vec::with_capacity(texts.len());
    for text in texts {
        let span = text.span();
        let text = text.into_inner();
        let value = T::try_from(text.clone()).map_err(|error| error.at(span.clone()))?;
        if !seen.insert(value.clone()) {
            return Err(fault(
                span,
                format!("`{text}` stands here twice"),
                "remove one of the two",
            ));
        }
        kept.push(value);
    }
    Ok(kept)
}
