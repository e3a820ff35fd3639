//! The bill beside the estimate.

use std::collections::BTreeMap;

use comfy_table::{CellAlignment, Table, presets};
use rust_decimal::Decimal;
use serde::Serialize;
use stackway_cost::actual::{Billed, Compared, compare};
use stackway_cost::estimate::Estimate;
use stackway_cost::report::{exact, money, quantity};
use stackway_infra::aws::{AwsBudgets, CostExplorer, FreeTier};
use stackway_infra::cloud::billing::{
    AccountPlan, Bills as _, Budget, Budgets as _, COST_EXPLORER_CALL_USD, FreeTierUse as _,
    FreeUse, Spend, Tags,
};
use time::{Duration, OffsetDateTime};

use super::{CostArgs, cloud_of};
use crate::cli::{Format, GlobalArgs};
use crate::failure::{Failure, Kind};
use crate::settings::Settings;
use crate::ui::Ui;

/// Calls of Cost Explorer that one report takes, where no answer has a second page.
const CALLS: u32 = 3;

/// How many days ahead the forecast looks.
const FORECAST_DAYS: i64 = 30;

/// What AWS told.
struct Told {
    days: u16,
    spend: Vec<Spend>,
    forecast: Option<String>,
    rows: Vec<Compared>,
    budgets: Vec<Budget>,
    free: Vec<FreeUse>,
    plan: Option<AccountPlan>,
}

pub(super) async fn run(
    ui: &Ui,
    global: &GlobalArgs,
    settings: &Settings,
    estimate: &Estimate,
    args: &CostArgs,
) -> Result<(), Failure> {
    if !matches!(global.format, Format::Text | Format::Json) {
        return Err(Failure::new(
            Kind::CommandLine,
            "a bill is shown as text or json",
        ));
    }
    let cloud = cloud_of(settings).await?;
    let question = format!(
        "Cost Explorer takes {COST_EXPLORER_CALL_USD} USD for each call, and this makes {CALLS} or, with many days, a few more."
    );
    ui.confirm(&question, "yes", args.yes)
        .map_err(|failure| Failure {
            causes: vec![question.clone()],
            hints: vec![
                "nothing was asked of Cost Explorer; `--yes` answers in advance".to_owned(),
            ],
            ..failure
        })?;
    let mut tags = Tags::from([
        ("project".to_owned(), vec![settings.naming.project.clone()]),
        (
            "environment".to_owned(),
            vec![settings.naming.environment.clone()],
        ),
    ]);
    if !args.stacks.is_empty() {
        tags.insert("stack".to_owned(), args.stacks.clone());
    }
    let today = OffsetDateTime::now_utc().date();
    let from = today - Duration::days(args.days.into());
    let bills = CostExplorer::new(&cloud.config);
    let spend = bills.daily_spend(&tags, from, today).await?;
    let usage = bills.usage_spend(&tags, from, today).await?;
    let forecast = bills
        .forecast(&tags, today, today + Duration::days(FORECAST_DAYS))
        .await?;
    let mut billed = Vec::new();
    for used in usage {
        billed.push(Billed {
            quantity: decimal(&used.quantity)?,
            amount: decimal(&used.amount)?,
            usage_type: used.usage_type,
        });
    }
    let free_tier = FreeTier::new(&cloud.config);
    let told = Told {
        days: args.days,
        spend,
        forecast,
        rows: compare(estimate, &billed, args.days),
        budgets: AwsBudgets::new(&cloud.config)
            .budgets(&cloud.account)
            .await?,
        free: free_tier.free_use().await?,
        plan: free_tier.account_plan().await?,
    };
    if ui.is_json() {
        ui.json(&told.json(estimate)?);
    } else {
        ui.data(told.text(estimate)?.trim_end());
    }
    if told.spend.is_empty() {
        ui.warn(
            "no cost bears the tags `project` and `environment`; activate them as cost allocation tags under Billing, which \
             takes a day",
        );
    }
    Ok(())
}

/// What AWS sends as an amount; more digits than a decimal has are rounded.
fn decimal(text: &str) -> Result<Decimal, Failure> {
    (text
        .parse::<Decimal>()
        .or_else(|_| Decimal::from_scientific(text)))
    .map_err(|_| {
        Failure::new(
            Kind::Account,
            format!("AWS sent `{text}` in place of an amount"),
        )
    })
}

/// Amounts summed up by a name of theirs, the names in order.
fn sums<'a>(
    spend: &'a [Spend],
    name: impl Fn(&'a Spend) -> &'a str,
) -> Result<BTreeMap<&'a str, Decimal>, Failure> {
    let mut sums = BTreeMap::new();
    for one in spend {
        *sums.entry(name(one)).or_insert(Decimal::ZERO) += decimal(&one.amount)?;
    }
    Ok(sums)
}

#[derive(Serialize)]
struct Json {
    days: u16,
    billed: String,
    by_day: BTreeMap<String, String>,
    by_service: BTreeMap<String, String>,
    by_stack: BTreeMap<String, String>,
    forecast_next_30_days: Option<String>,
    estimated_monthly: String,
    usage: Vec<UsageJson>,
    budgets: Vec<BudgetJson>,
    free_tier: Vec<FreeJson>,
    plan: Option<PlanJson>,
}

#[derive(Serialize)]
struct UsageJson {
    usage_type: String,
    estimated_quantity: String,
    billed_quantity: String,
    estimated_monthly: String,
    billed_monthly: String,
}

#[derive(Serialize)]
struct BudgetJson {
    name: String,
    period: String,
    limit: Option<String>,
    actual: Option<String>,
    forecast: Option<String>,
}

#[derive(Serialize)]
struct FreeJson {
    service: String,
    usage_type: String,
    unit: String,
    actual: f64,
    forecast: f64,
    limit: f64,
    kind: String,
}

#[derive(Serialize)]
struct PlanJson {
    kind: String,
    credits: Option<String>,
    ends: Option<String>,
}

impl Told {
    fn json(&self, estimate: &Estimate) -> Result<Json, Failure> {
        let by = |sums: BTreeMap<&str, Decimal>| -> BTreeMap<String, String> {
            sums.into_iter()
                .map(|(name, sum)| (name.to_owned(), exact(sum)))
                .collect()
        };
        Ok(Json {
            days: self.days,
            billed: exact(sums(&self.spend, |_| "")?.values().sum()),
            by_day: by(sums(&self.spend, |one| &one.day)?),
            by_service: by(sums(&self.spend, |one| &one.service)?),
            by_stack: by(sums(&self.spend, |one| &one.stack)?),
            forecast_next_30_days: self.forecast.clone(),
            estimated_monthly: exact(estimate.total().after_free),
            usage: (self.rows.iter())
                .map(|row| UsageJson {
                    usage_type: row.usage_type.clone(),
                    estimated_quantity: exact(row.estimated_quantity),
                    billed_quantity: exact(row.billed_quantity),
                    estimated_monthly: exact(row.estimated),
                    billed_monthly: exact(row.billed),
                })
                .collect(),
            budgets: (self.budgets.iter().cloned())
                .map(|budget| BudgetJson {
                    name: budget.name,
                    period: budget.period,
                    limit: budget.limit,
                    actual: budget.actual,
                    forecast: budget.forecast,
                })
                .collect(),
            free_tier: (self.free.iter().cloned())
                .map(|free| FreeJson {
                    service: free.service,
                    usage_type: free.usage_type,
                    unit: free.unit,
                    actual: free.actual,
                    forecast: free.forecast,
                    limit: free.limit,
                    kind: free.kind,
                })
                .collect(),
            plan: self.plan.clone().map(|plan| PlanJson {
                kind: plan.kind,
                credits: plan.credits,
                ends: plan.ends,
            }),
        })
    }

    fn text(&self, estimate: &Estimate) -> Result<String, Failure> {
        let total: Decimal = sums(&self.spend, |_| "")?.values().sum();
        let mut out = format!(
            "billed in the last {} days: {} USD",
            self.days,
            money(total)
        );
        let forecast = match &self.forecast {
            Some(forecast) => format!(
                "; forecast for the next {FORECAST_DAYS}: {}",
                money(decimal(forecast)?)
            ),
            None => "; there is too little to forecast from".to_owned(),
        };
        let monthly = money(estimate.total().after_free);
        out += &[forecast, format!("; estimated for a month: {monthly}\n")].concat();
        for (what, sums) in [
            ("day", sums(&self.spend, |one| &one.day)?),
            ("service", sums(&self.spend, |one| &one.service)?),
            (
                "stack",
                sums(&self.spend, |one| {
                    if one.stack.is_empty() {
                        "(untagged)"
                    } else {
                        &one.stack
                    }
                })?,
            ),
        ] {
            let rows = sums
                .into_iter()
                .map(|(name, sum)| vec![name.to_owned(), money(sum)]);
            out += &table(&[what, "billed"], rows.collect());
        }
        let rows = self.rows.iter().map(|row| {
            vec![
                row.usage_type.clone(),
                row.title.clone(),
                quantity(row.estimated_quantity),
                quantity(row.billed_quantity),
                money(row.estimated),
                money(row.billed),
            ]
        });
        let header = [
            "usage type, a month",
            "for",
            "estimated use",
            "billed use",
            "estimated",
            "billed",
        ];
        out += &table(&header, rows.collect());
        let amount = |amount: &Option<String>| amount.clone().unwrap_or_else(|| "-".to_owned());
        let rounded = |amount: &Option<String>| match amount {
            Some(amount) => decimal(amount).map(money),
            None => Ok("-".to_owned()),
        };
        let rows = (self.budgets.iter()).map(|budget| {
            Ok(vec![
                budget.name.clone(),
                rounded(&budget.actual)?,
                rounded(&budget.forecast)?,
                rounded(&budget.limit)?,
            ])
        });
        out += &table(
            &["budget", "spent", "forecast", "limit"],
            rows.collect::<Result<_, Failure>>()?,
        );
        let rows = self.free.iter().map(|free| {
            let of =
                |value: f64| Decimal::try_from(value).map_or_else(|_| value.to_string(), quantity);
            vec![
                format!("{} {}", free.service, free.usage_type),
                of(free.actual),
                of(free.forecast),
                of(free.limit),
                free.unit.clone(),
            ]
        });
        out += &table(
            &["free tier", "used", "forecast", "free", ""],
            rows.collect(),
        );
        if let Some(plan) = &self.plan {
            let (credits, ends) = (amount(&plan.credits), amount(&plan.ends));
            out += &[
                "\nplan ",
                &plan.kind,
                ": credits ",
                &credits,
                ", ends ",
                &ends,
                "\n",
            ]
            .concat();
        }
        Ok(out)
    }
}

/// A table; nothing where it has no rows.
fn table(header: &[&str], rows: Vec<Vec<String>>) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_header(header)
        .add_rows(rows);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    format!("\n{}\n", table.trim_fmt())
}
