use proptest::prelude::*;

use super::*;

/// What the guide says is missing is what is missing.
#[test]
fn the_guide_names_every_gap() {
    let book = PriceBook::embedded().unwrap();
    let rows = book.items.values().filter_map(|item| {
        let missing: Vec<_> = (book.regions.iter())
            .filter(|region| {
                !item.prices.contains_key(*region) && !item.prices.contains_key(GLOBAL)
            })
            .map(|region| format!("`{region}`"))
            .collect();
        let (service, title) = (&item.service, &item.title);
        (!missing.is_empty()).then(|| format!("| {service}: {title} | {} |", missing.join(", ")))
    });
    let mut rows: Vec<_> = rows.collect();
    rows.sort();
    let guide = include_str!("../../../../docs/cost.md");
    let (_, table) = guide
        .split_once("| item | has no price in |\n| --- | --- |\n")
        .unwrap();
    let said: Vec<_> = table.lines().take_while(|line| !line.is_empty()).collect();
    assert_eq!(said, rows);
}

#[test]
fn the_book_is_whole_and_written_as_it_is_read() {
    let book = PriceBook::embedded().unwrap();
    assert_eq!(
        book.to_json(),
        EMBEDDED,
        "write the file as `cost --refresh` does"
    );
    for region in [
        "us-east-1",
        "us-east-2",
        "eu-west-1",
        "eu-west-2",
        "eu-central-1",
    ] {
        assert_eq!(book.check_region(region), Ok(()));
        // What the project's own stacks cannot do without.
        for item in [
            "lambda-requests",
            "http-api-requests",
            "dynamodb-write-units",
            "s3-storage",
            "logs-ingestion",
            "kms-keys",
        ] {
            assert!(book.price(item, region).is_some(), "{item} in {region}");
        }
    }
    for (id, item) in &book.items {
        for (region, price) in item.prices.iter().filter(|(region, _)| *region != GLOBAL) {
            assert!(
                price.usage_type.ends_with(&item.usage)
                    || id.starts_with("secret")
                    || id.starts_with("sqs"),
                "{id}"
            );
            assert!(!region.is_empty() && !price.tiers.is_empty());
        }
    }
    for (key, source) in &book.sources {
        assert!(source.url.starts_with("https://"), "{key}");
        assert_eq!(source.date.len(), 10, "{key}: {}", source.date);
    }
}

#[test]
fn a_damaged_book_is_refused() {
    let change = |from: &str, to: &str| {
        PriceBook::parse(&EMBEDDED.replacen(from, to, 1))
            .unwrap_err()
            .to_string()
    };
    for (from, to, expected) in [
        ("\"format\": 1", "\"format\": 2", "its format is 2"),
        (
            "\"source\": \"AWSELB/eu-west-2\"",
            "\"source\": \"hearsay\"",
            "names source `hearsay`",
        ),
        (
            "\"from\": \"0\"",
            "\"from\": \"1\"",
            "the first tier does not start at 0",
        ),
        (
            "\"from\": \"300000000\"",
            "\"from\": \"0\"",
            "the tiers do not rise",
        ),
        (
            "\"price\": \"0.1\"",
            "\"price\": \"-0.1\"",
            "a price is below zero",
        ),
        ("\"amount\": \"1000000\"", "\"amount\": \"0\"", "no amount"),
        (
            "\"lambda-gb-seconds-x86\",",
            "\"lambda\",",
            "names `lambda`, which is no item",
        ),
        (
            "\"eu-west-2\",",
            "\"eu-west-9\",",
            "which is no region of it",
        ),
        ("{", "[", "not usable"),
    ] {
        let error = change(from, to);
        assert!(error.contains(expected), "{from} → {to}: {error}");
    }
}

/// Answers as the two price lists give them, cut down to a few products each.
const OFFER: &str = include_str!("../../tests/data/offers/dynamodb-eu-west-1.json");
const LISTED: &str = include_str!("../../tests/data/products-elb-us-east-2.json");

#[test]
fn a_refresh_takes_what_the_list_has() {
    let mut book = PriceBook::embedded().unwrap();
    let list = Products::from_offer_file(OFFER).unwrap();
    assert_eq!(
        (list.service.as_str(), list.published.as_str()),
        ("AmazonDynamoDB", "2026-12-01")
    );
    let done = book
        .refresh(
            &list,
            "eu-west-1",
            "https://example.com/offer",
            "2026-12-02",
        )
        .unwrap();
    let decimal = |text: &str| text.parse::<Decimal>().unwrap();
    let changed = vec![(
        "dynamodb-write-units".to_owned(),
        "eu-west-1".to_owned(),
        Some(decimal("0.000000705")),
        decimal("0.0000007"),
    )];
    assert_eq!(done.changed, changed);
    assert_eq!(done.same, 2);
    let missing: Vec<_> = done.missing.iter().map(|(item, _)| item.as_str()).collect();
    assert_eq!(
        missing,
        [
            "dynamodb-pitr",
            "dynamodb-read-capacity",
            "dynamodb-write-capacity"
        ]
    );
    // The free tier row of the storage is an allowance, and no price of zero.
    assert_eq!(
        book.price("dynamodb-storage", "eu-west-1").unwrap().tiers[0].price,
        decimal("0.283")
    );
    assert_eq!(
        book.price("dynamodb-pitr", "eu-west-1").unwrap().tiers[0].price,
        decimal("0.22")
    );
    assert_eq!(book.sources["AmazonDynamoDB/eu-west-1"].date, "2026-12-01");
    assert_eq!(book.version, "2026-12-02");
    PriceBook::parse(&book.to_json()).unwrap();
    // The same list again changes nothing.
    let again = book
        .refresh(
            &list,
            "eu-west-1",
            "https://example.com/offer",
            "2026-12-03",
        )
        .unwrap();
    assert_eq!(
        (again.changed.len(), again.same, book.version.as_str()),
        (0, 3, "2026-12-02")
    );
}

#[test]
fn a_refresh_from_the_query_api_tells_operations_apart() {
    let mut book = PriceBook::embedded().unwrap();
    let products: Vec<serde_json::Value> = serde_json::from_str(LISTED).unwrap();
    let texts: Vec<_> = products.iter().map(ToString::to_string).collect();
    let list = Products::from_list(texts.iter().map(String::as_str)).unwrap();
    assert!(book.price("alb-hours", "us-east-2").is_none());
    let done = book
        .refresh(&list, "us-east-2", "https://example.com", "2026-12-02")
        .unwrap();
    assert_eq!(done.changed.len(), 2);
    // A network load balancer has the same usage type, at another price.
    assert_eq!(
        book.price("alb-hours", "us-east-2").unwrap().tiers[0]
            .price
            .to_string(),
        "0.0225"
    );
    let tiers = &book.price("alb-lcu-hours", "us-east-2").unwrap().tiers;
    assert_eq!(tiers.len(), 2);
}

#[test]
fn what_is_no_price_list_is_refused() {
    let mut book = PriceBook::embedded().unwrap();
    let before = book.clone();
    assert!(matches!(
        Products::from_offer_file("[]"),
        Err(OfferError::Form(_))
    ));
    assert!(matches!(
        Products::from_list(["{}"]),
        Err(OfferError::Form(_))
    ));
    let unknown = Products::from_offer_file(&OFFER.replace("AmazonDynamoDB", "AmazonFoo")).unwrap();
    assert_eq!(
        book.refresh(&unknown, "eu-west-1", "", ""),
        Err(OfferError::Service("AmazonFoo".into()))
    );
    let ambiguous =
        Products::from_offer_file(&OFFER.replace("EU-IA-ReadRequestUnits", "EU-ReadRequestUnits"))
            .unwrap();
    assert!(matches!(
        book.refresh(&ambiguous, "eu-west-1", "", ""),
        Err(OfferError::Ambiguous { .. })
    ));
    assert_eq!(book, before);
}

fn tiers() -> impl Strategy<Value = Vec<Tier>> {
    proptest::collection::vec((1_u32..1_000_000, 0_i64..1_000_000), 1..6).prop_map(|steps| {
        let mut from = Decimal::ZERO;
        (steps.into_iter())
            .map(|(width, price)| {
                let tier = Tier {
                    from,
                    price: Decimal::new(price, 7),
                };
                from += Decimal::from(width);
                tier
            })
            .collect()
    })
}

proptest! {
    /// More costs no less, and a little more costs a little more: no tier has a jump at its start.
    #[test]
    fn tiers_are_monotone_and_continuous(tiers in tiers(), quantity in 0_u64..6_000_000, more in 0_u32..1_000_000) {
        let quantity = Decimal::from(quantity);
        let more = Decimal::new(more.into(), 6);
        let dearest = tiers.iter().map(|tier| tier.price).max().unwrap();
        let (before, after) = (cost(&tiers, quantity), cost(&tiers, quantity + more));
        prop_assert!(after >= before);
        prop_assert!(after - before <= more * dearest);
        for tier in &tiers {
            let step = Decimal::new(1, 6);
            let jump = cost(&tiers, tier.from + step) - cost(&tiers, (tier.from - step).max(Decimal::ZERO));
            prop_assert!(jump <= step * Decimal::TWO * dearest);
        }
    }

    #[test]
    fn nothing_costs_nothing(tiers in tiers(), quantity in -1000_i64..=0) {
        prop_assert_eq!(cost(&tiers, Decimal::from(quantity)), Decimal::ZERO);
    }
}
