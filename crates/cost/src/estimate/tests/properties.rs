//! What holds of every estimate, whatever is used and whatever the template.

use proptest::prelude::*;

use super::*;
use crate::usage::{METRICS, UsageFile};

/// A profile of any figures, some of them zero.
fn profiles() -> impl Strategy<Value = Profile> {
    let figure = prop_oneof![
        Just(Decimal::ZERO),
        (0_u32..10_000).prop_map(Decimal::from),
        // Sums of more digits than a decimal has are rounded; no bill has so many.
        (0_i64..1_000_000_000, 3_u32..5).prop_map(|(number, scale)| Decimal::new(number, scale)),
    ];
    proptest::collection::vec(figure, METRICS.len()).prop_map(|figures| Profile {
        figures: METRICS
            .iter()
            .map(|metric| metric.key)
            .zip(figures)
            .collect(),
        resources: BTreeMap::new(),
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// The lines add up to the total, to the stacks and to the services, and to what each item costs as a whole.
    #[test]
    fn the_sum_of_the_parts_is_the_whole(profile in profiles(), region in 0..5_usize) {
        let book = PriceBook::embedded().unwrap();
        let region = book.regions[region].clone();
        let texts = [(ON_DEMAND, region.as_str()), (FIXED, region.as_str()), (ON_DEMAND, "eu-west-1")];
        let estimate = with(&texts, &profile, &Account::TwelveMonths);
        let total = estimate.total();
        let stacks: Amount = estimate.by_stack().into_iter().map(|(_, amount)| amount).sum();
        let services: Amount = estimate.by_service().into_iter().map(|(_, amount)| amount).sum();
        prop_assert_eq!(stacks, total);
        prop_assert_eq!(services, total);
        for (id, item) in &book.items {
            for (region, price) in &item.prices {
                let lines = || estimate.lines.iter().filter(|line| line.item == *id && line.region == *region);
                let quantity: Decimal = lines().map(|line| line.quantity).sum();
                let paid: Decimal = lines().map(|line| line.quantity - line.free).sum();
                let amount: Amount = lines().map(Line::amount).sum();
                prop_assert_eq!(amount.list, cost(&price.tiers, quantity));
                prop_assert_eq!(amount.after_free, cost(&price.tiers, paid));
            }
        }
        for line in &estimate.lines {
            prop_assert!(line.free >= Decimal::ZERO && line.free <= line.quantity);
            prop_assert!(line.amount().after_free <= line.amount().list || line.list.is_none());
        }
        for used in &estimate.used {
            let allowance = book.free.iter().find(|allowance| allowance.id == used.id).unwrap();
            let free: Decimal = (estimate.lines.iter())
                .filter(|line| allowance.items.contains(&line.item))
                .map(|line| line.free)
                .sum();
            prop_assert_eq!(free, used.amount.min(used.used));
        }
    }

    /// More of anything never costs less.
    #[test]
    fn more_usage_never_costs_less(profile in profiles(), metric in 0..METRICS.len(), more in 0_u32..1_000_000) {
        let mut larger = profile.clone();
        let key = METRICS[metric].key;
        let figure = profile.figures[key] + Decimal::from(more);
        larger.figures.insert(key, figure);
        let of = |profile| with(&[(ON_DEMAND, "eu-west-1"), (FIXED, "eu-west-2")], profile, &Account::AlwaysFree).total();
        let (before, after) = (of(&profile), of(&larger));
        prop_assert!(after.list >= before.list && after.after_free >= before.after_free);
    }
}

#[test]
fn no_usage_of_what_is_paid_by_use_costs_nothing() {
    let book = PriceBook::embedded().unwrap();
    for region in &book.regions {
        let estimate = with(
            &[(ON_DEMAND, region)],
            &Profile::default(),
            &Account::AlwaysFree,
        );
        assert_eq!(estimate.total(), Amount::default(), "{region}");
        assert!(
            estimate
                .lines
                .iter()
                .all(|line| line.after_free == Some(Decimal::ZERO)),
            "{region}"
        );
    }
}

#[test]
fn profiles_of_the_project_rise() {
    let file = UsageFile::embedded().unwrap();
    let of = |name: &str| {
        with(
            &[(ON_DEMAND, "us-east-1")],
            &file.profiles[name],
            &Account::AlwaysFree,
        )
        .total()
        .list
    };
    assert!(
        of("idle") < of("learning") && of("learning") < of("small") && of("small") < of("busy")
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

    /// Any text, and any shape of a template: an answer, or one error.
    #[test]
    fn no_template_panics(
        text in "\\PC{0,120}",
        value in "[\\[\\]{}a-zA:'\", ${}.!&*0-9-]{0,40}",
        kind in proptest::sample::select(vec![
            "AWS::Lambda::Function", "AWS::DynamoDB::Table", "AWS::ECS::Service", "AWS::CloudWatch::Alarm", "A::B::C",
        ]),
        key in proptest::sample::select(vec![
            "MemorySize", "BillingMode", "GlobalSecondaryIndexes", "Metrics", "DesiredCount", "'Fn::ForEach::A'", "Tier",
        ]),
        tag in proptest::sample::select(vec![
            "", "!Ref ", "!Sub ", "!If ", "!Join ", "!Select ", "!FindInMap ", "!Cidr ", "!GetAtt ", "!ToJsonString ",
        ]),
    ) {
        let shaped = format!("Resources:\n  R:\n    Type: {kind}\n    Condition: C\n    Properties:\n      {key}: {tag}{value}\nConditions:\n  C: !Equals [{value}, {value}]\n");
        for text in [text, shaped] {
            if Template::parse(&text).is_ok() {
                let usage = profile(&[("lambda.requests", "10"), ("fargate.hours", "730")]);
                with(&[(&text, "eu-west-1")], &usage, &Account::AlwaysFree);
            }
        }
    }
}
