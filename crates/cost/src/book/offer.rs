//! Prices from AWS: offer files of the bulk API, and answers of the query API.
//!
//! See [offer files](https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/reading-service-price-list-file-for-services.html)
//! and [GetProducts](https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_pricing_GetProducts.html).

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::Deserialize;

use super::{Item, Price, PriceBook, Source, Tier};

/// Usage types of a region bear one of these prefixes. us-east-1, the oldest, often has none.
///
/// See [region billing codes](https://docs.aws.amazon.com/cur/latest/userguide/region-billing-codes.html).
const PREFIXES: &[(&str, &[&str])] = &[
    ("eu-central-1", &["EUC1-"]),
    ("eu-west-1", &["EU-", "EUW1-"]),
    ("eu-west-2", &["EUW2-"]),
    ("us-east-1", &["", "USE1-"]),
    ("us-east-2", &["USE2-"]),
];

/// An offer that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OfferError {
    /// It is not JSON of that form.
    #[error("this is no price list: {0}")]
    Form(String),
    /// It is of a service that the book has nothing of.
    #[error("the price book has nothing of service `{0}`")]
    Service(String),
    /// Two products fit one item and differ.
    #[error("`{item}` in {region} fits products with different prices")]
    Ambiguous {
        /// The item.
        item: String,
        /// The region.
        region: String,
    },
}

/// The products of a service, as a price list has them.
#[derive(Clone, Debug, Default)]
pub struct Products {
    /// The service's code.
    pub service: String,
    /// The day of publication; empty where none is told.
    pub published: String,
    all: Vec<Product>,
}

#[derive(Clone, Debug)]
struct Product {
    usage_type: String,
    operation: String,
    region: String,
    /// The paid tiers, from 0 on.
    tiers: Vec<Tier>,
}

/// What a refresh did to the book.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Refreshed {
    /// Prices that changed: item, region, the first tier's price before and after.
    pub changed: Vec<(String, String, Option<Decimal>, Decimal)>,
    /// Prices that were looked at and are the same.
    pub same: usize,
    /// Items of the service that the list has no product for: item, region. Their old prices stay.
    pub missing: Vec<(String, String)>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OfferFile {
    offer_code: String,
    #[serde(default)]
    publication_date: String,
    products: BTreeMap<String, RawProduct>,
    terms: RawTerms,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    product: RawProduct,
    service_code: String,
    #[serde(default)]
    publication_date: String,
    terms: ListedTerms,
}

#[derive(Deserialize)]
struct RawProduct {
    #[serde(default)]
    attributes: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct RawTerms {
    #[serde(rename = "OnDemand", default)]
    on_demand: BTreeMap<String, BTreeMap<String, RawTerm>>,
}

#[derive(Deserialize)]
struct ListedTerms {
    #[serde(rename = "OnDemand", default)]
    on_demand: BTreeMap<String, RawTerm>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawTerm {
    price_dimensions: BTreeMap<String, RawDimension>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawDimension {
    #[serde(default)]
    begin_range: String,
    price_per_unit: BTreeMap<String, Decimal>,
}

impl Products {
    /// Reads an offer file of the bulk API.
    ///
    /// # Errors
    /// [`OfferError::Form`] where it is something else.
    pub fn from_offer_file(json: &str) -> Result<Self, OfferError> {
        let file: OfferFile =
            serde_json::from_str(json).map_err(|error| OfferError::Form(error.to_string()))?;
        let products = (file.products.into_iter()).filter_map(|(sku, raw)| {
            let terms = file.terms.on_demand.get(&sku)?;
            product(&raw, terms.values())
        });
        Ok(Self {
            service: file.offer_code,
            published: day(&file.publication_date),
            all: products.collect(),
        })
    }

    /// Whether it has products of a region.
    pub fn covers(&self, region: &str) -> bool {
        self.all.iter().any(|product| product.region == region)
    }

    /// Reads the products of a `GetProducts` answer, each a JSON text of its own.
    ///
    /// # Errors
    /// [`OfferError::Form`] where one of them is something else.
    pub fn from_list<'a>(list: impl IntoIterator<Item = &'a str>) -> Result<Self, OfferError> {
        let mut products = Self::default();
        for json in list {
            let listed: Listed =
                serde_json::from_str(json).map_err(|error| OfferError::Form(error.to_string()))?;
            products.published = products.published.max(day(&listed.publication_date));
            products.service = listed.service_code;
            products
                .all
                .extend(product(&listed.product, listed.terms.on_demand.values()));
        }
        Ok(products)
    }
}

fn product<'a>(raw: &RawProduct, terms: impl Iterator<Item = &'a RawTerm>) -> Option<Product> {
    let attribute = |name: &str| raw.attributes.get(name).cloned().unwrap_or_default();
    let mut tiers: Vec<Tier> = terms
        .flat_map(|term| term.price_dimensions.values())
        .filter_map(|dimension| {
            Some(Tier {
                from: dimension.begin_range.parse().unwrap_or_default(),
                // "0.0000002000" and "0.0000002" are one price.
                price: dimension.price_per_unit.get("USD")?.normalize(),
            })
        })
        // A tier of price zero is an allowance, which the book has by itself.
        .filter(|tier| !tier.price.is_zero())
        .collect();
    tiers.sort_by_key(|tier| tier.from);
    let free = tiers.first()?.from;
    for tier in &mut tiers {
        tier.from = (tier.from - free).normalize();
    }
    Some(Product {
        usage_type: attribute("usagetype"),
        operation: attribute("operation"),
        region: attribute("regionCode"),
        tiers,
    })
}

fn day(date: &str) -> String {
    date.split('T').next().unwrap_or_default().to_owned()
}

/// The usage types that an item can have in a region.
pub fn usage_type_of(item: &Item, region: &str) -> Vec<String> {
    if item.service == "awskms" {
        return vec![format!("{region}-{}", item.usage)];
    }
    let prefixes = PREFIXES.iter().find(|(code, _)| *code == region);
    (prefixes
        .map_or(&[] as &[&str], |(_, prefixes)| prefixes)
        .iter())
    .map(|prefix| format!("{prefix}{}", item.usage))
    .collect()
}

impl PriceBook {
    /// Takes the prices of a service in a region from a price list. `url` is where the list is from.
    ///
    /// Items that the list does not have keep what they had.
    ///
    /// # Errors
    /// [`OfferError::Service`] and [`OfferError::Ambiguous`]; the book is then as it was.
    pub fn refresh(
        &mut self,
        list: &Products,
        region: &str,
        url: &str,
        today: &str,
    ) -> Result<Refreshed, OfferError> {
        let ids: Vec<String> = (self.items.iter())
            .filter(|(_, item)| item.service == list.service)
            .map(|(id, _)| id.clone())
            .collect();
        if ids.is_empty() {
            return Err(OfferError::Service(list.service.clone()));
        }
        let mut done = Refreshed::default();
        let mut prices = Vec::new();
        for id in ids {
            let item = &self.items[&id];
            if item.prices.contains_key(super::GLOBAL) {
                continue;
            }
            let names = usage_type_of(item, region);
            let mut fits = (list.all.iter()).filter(|product| {
                names.contains(&product.usage_type)
                    && (product.region.is_empty() || product.region == region)
                    && (item.operation.as_ref()).is_none_or(|wanted| *wanted == product.operation)
            });
            let Some(product) = fits.next() else {
                done.missing.push((id, region.to_owned()));
                continue;
            };
            if fits.any(|other| other.tiers != product.tiers) {
                return Err(OfferError::Ambiguous {
                    item: id,
                    region: region.to_owned(),
                });
            }
            let before = item.prices.get(region);
            if before.is_some_and(|before| before.tiers == product.tiers) {
                done.same += 1;
            } else {
                let first = |tiers: &[Tier]| tiers.first().map(|tier| tier.price);
                let now = first(&product.tiers).unwrap_or_default();
                let was = before.and_then(|before| first(&before.tiers));
                done.changed.push((id.clone(), region.to_owned(), was, now));
            }
            prices.push((id, product.usage_type.clone(), product.tiers.clone()));
        }
        let source = format!("{}/{region}", list.service);
        let date = if list.published.is_empty() {
            today
        } else {
            &list.published
        };
        if !prices.is_empty() {
            let entry = Source {
                url: url.to_owned(),
                date: date.to_owned(),
                note: None,
            };
            self.sources.insert(source.clone(), entry);
        }
        for (id, usage_type, tiers) in prices {
            if let Some(item) = self.items.get_mut(&id) {
                let price = Price {
                    usage_type,
                    tiers,
                    source: source.clone(),
                };
                item.prices.insert(region.to_owned(), price);
            }
        }
        if !done.changed.is_empty() {
            today.clone_into(&mut self.version);
        }
        self.forget_sources();
        Ok(done)
    }

    /// Leaves out the sources that nothing names any more.
    fn forget_sources(&mut self) {
        let used: Vec<&String> = (self.items.values())
            .flat_map(|item| item.prices.values().map(|price| &price.source))
            .chain(self.free.iter().map(|allowance| &allowance.source))
            .collect();
        let kept: BTreeMap<_, _> = (self.sources.iter())
            .filter(|(key, _)| used.contains(key))
            .map(|(key, source)| (key.clone(), source.clone()))
            .collect();
        self.sources = kept;
    }
}
