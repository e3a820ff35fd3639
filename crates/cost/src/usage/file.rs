//! From `usage.toml` to profiles: every error has its line and what could stand there.

use std::collections::BTreeMap;
use std::ops::Range;

use rust_decimal::Decimal;
use time::Date;
use time::macros::format_description;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Account, Credits, METRICS, Profile, UsageFile};

/// More of anything in a month is a slip of the hand; it keeps sums inside what decimals hold.
const FIGURE_MAX: u64 = 10_000_000_000;

/// A `usage.toml` that cannot be used. It shows as `line <line>: <what is wrong>`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{message}", line.map(|line| format!("line {line}: ")).unwrap_or_default())]
pub struct UsageError {
    /// The line, from 1, where one is known.
    pub line: Option<usize>,
    /// What is wrong.
    pub message: String,
}

type Figures = BTreeMap<&'static str, Decimal>;

pub(super) fn parse(text: &str) -> Result<UsageFile, UsageError> {
    let reader = Reader { text };
    let root = DeTable::parse(text).map_err(|error| UsageError {
        line: error.span().map(|span| reader.line(span)),
        message: error.message().to_owned(),
    })?;
    let mut file = UsageFile {
        default_profile: String::new(),
        account: Account::default(),
        profiles: BTreeMap::new(),
    };
    for (key, value) in root.get_ref() {
        match key.get_ref().as_ref() {
            "profile" => reader.string(value)?.clone_into(&mut file.default_profile),
            "account" => file.account = reader.account(value)?,
            "profiles" => {
                for (name, profile) in reader.table(value)? {
                    let name = name.get_ref().to_string();
                    file.profiles.insert(name, reader.profile(profile)?);
                }
            }
            other => {
                let message =
                    format!("there is no key `{other}`; there are: profile, account, profiles");
                return Err(reader.error(key.span(), message));
            }
        }
    }
    if file.profiles.is_empty() {
        return Err(UsageError {
            line: None,
            message: "there is no profile: add [profiles.<name>]".to_owned(),
        });
    }
    if !file.profiles.contains_key(&file.default_profile) {
        // Names the choices.
        file.profile(&file.default_profile)?;
    }
    Ok(file)
}

struct Reader<'a> {
    text: &'a str,
}

impl Reader<'_> {
    fn line(&self, span: Range<usize>) -> usize {
        let before = self.text.get(..span.start).unwrap_or_default();
        before.matches('\n').count() + 1
    }

    fn error(&self, span: Range<usize>, message: String) -> UsageError {
        UsageError {
            line: Some(self.line(span)),
            message,
        }
    }

    fn table<'v, 't>(
        &self,
        value: &'v Spanned<DeValue<'t>>,
    ) -> Result<&'v DeTable<'t>, UsageError> {
        (value.get_ref().as_table())
            .ok_or_else(|| self.error(value.span(), "this is not a table".to_owned()))
    }

    fn string<'v>(&self, value: &'v Spanned<DeValue<'_>>) -> Result<&'v str, UsageError> {
        (value.get_ref().as_str())
            .ok_or_else(|| self.error(value.span(), "this is not text in quotes".to_owned()))
    }

    fn number(&self, value: &Spanned<DeValue<'_>>) -> Result<Decimal, UsageError> {
        let text = match value.get_ref() {
            DeValue::Integer(number) if number.radix() == 10 => number.as_str(),
            DeValue::Float(number) => number.as_str(),
            DeValue::String(text) => text.as_ref(),
            _ => "",
        };
        let number = text.replace('_', "").parse::<Decimal>().ok();
        number
            .filter(|number| !number.is_sign_negative() && *number <= Decimal::from(FIGURE_MAX))
            .ok_or_else(|| {
                let message = format!("this is not a number from 0 to {FIGURE_MAX}");
                self.error(value.span(), message)
            })
    }

    fn account(&self, value: &Spanned<DeValue<'_>>) -> Result<Account, UsageError> {
        let (mut plan, mut credits, mut opened) = (None, None, None);
        for (key, value) in self.table(value)? {
            match key.get_ref().as_ref() {
                "plan" => plan = Some((self.string(value)?, value.span())),
                "credits" => credits = Some(self.number(value)?),
                "opened" => opened = Some(self.date(value)?),
                other => {
                    let message =
                        format!("there is no key `{other}`; there are: plan, credits, opened");
                    return Err(self.error(key.span(), message));
                }
            }
        }
        match (plan, credits, opened) {
            (Some(("credits", _)), Some(balance), Some(opened)) => {
                Ok(Account::Credits(Credits { balance, opened }))
            }
            (Some(("credits", span)), _, _) => {
                let message =
                    "plan `credits` needs `credits` (what is left, in USD) and `opened` (a date)";
                Err(self.error(span, message.to_owned()))
            }
            (None | Some(("always-free", _)), _, _) => Ok(Account::AlwaysFree),
            (Some(("twelve-months", _)), _, _) => Ok(Account::TwelveMonths),
            (Some((other, span)), _, _) => {
                let message =
                    format!("`{other}` is no plan; there are: always-free, twelve-months, credits");
                Err(self.error(span, message))
            }
        }
    }

    fn date(&self, value: &Spanned<DeValue<'_>>) -> Result<Date, UsageError> {
        let text = match value.get_ref() {
            DeValue::Datetime(date) => date.to_string(),
            DeValue::String(text) => text.to_string(),
            _ => String::new(),
        };
        Date::parse(&text, format_description!("[year]-[month]-[day]")).map_err(|_| {
            self.error(
                value.span(),
                "this is not a date like 2026-11-24".to_owned(),
            )
        })
    }

    fn profile(&self, value: &Spanned<DeValue<'_>>) -> Result<Profile, UsageError> {
        let mut profile = Profile::default();
        for (key, value) in self.table(value)? {
            if key.get_ref().as_ref() == "resources" {
                for (name, own) in self.table(value)? {
                    let mut figures = Figures::new();
                    for (table, figure) in self.table(own)? {
                        self.figures(table, figure, &mut figures)?;
                    }
                    profile
                        .resources
                        .insert(name.get_ref().to_string(), figures);
                }
            } else {
                self.figures(key, value, &mut profile.figures)?;
            }
        }
        Ok(profile)
    }

    fn figures(
        &self,
        table: &Spanned<std::borrow::Cow<'_, str>>,
        value: &Spanned<DeValue<'_>>,
        figures: &mut Figures,
    ) -> Result<(), UsageError> {
        for (name, figure) in self.table(value)? {
            let key = format!("{}.{}", table.get_ref(), name.get_ref());
            let metric = METRICS
                .iter()
                .find(|metric| metric.key == key)
                .ok_or_else(|| {
                    let prefix = format!("{}.", table.get_ref());
                    let mut near: Vec<_> = (METRICS.iter())
                        .map(|metric| metric.key)
                        .filter(|key| key.starts_with(&prefix))
                        .collect();
                    if near.is_empty() {
                        near = METRICS.iter().map(|metric| metric.key).collect();
                    }
                    let message =
                        format!("there is no figure `{key}`; there are: {}", near.join(", "));
                    self.error(name.span(), message)
                })?;
            figures.insert(metric.key, self.number(figure)?);
        }
        Ok(())
    }
}
