use std::collections::{BTreeMap, BTreeSet};

use super::Pair;

/// What one call names: every place with every region.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Product {
    /// Accounts, or organizational units.
    pub places: BTreeSet<String>,
    /// Regions.
    pub regions: BTreeSet<String>,
}

impl Product {
    /// The pairs that the call reaches.
    pub fn pairs(&self) -> impl Iterator<Item = Pair> + '_ {
        self.places.iter().flat_map(|place| {
            self.regions
                .iter()
                .map(move |region| Pair::new(place, region))
        })
    }

    /// How many pairs.
    pub fn len(&self) -> usize {
        self.places.len() * self.regions.len()
    }

    /// Whether it reaches nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the places are organizational units.
    pub fn is_of_units(&self) -> bool {
        self.places.iter().any(|place| Pair::is_unit(place))
    }
}

/// Splits pairs into products that reach exactly them: together every one, no other, none twice.
///
/// A call takes a list of accounts and a list of regions and works on all combinations, so a ragged set of pairs needs
/// more than one. Places with the same regions go together, or regions with the same places, whichever makes fewer calls.
pub fn products<'a>(pairs: impl IntoIterator<Item = &'a Pair>) -> Vec<Product> {
    let mut by_place: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut by_region: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for pair in pairs {
        by_place
            .entry(&pair.place)
            .or_default()
            .insert(&pair.region);
        by_region
            .entry(&pair.region)
            .or_default()
            .insert(&pair.place);
    }
    let (by_place, by_region) = (alike(by_place), alike(by_region));
    let mut products: Vec<Product> = if by_place.len() <= by_region.len() {
        by_place
            .into_iter()
            .map(|(regions, places)| Product { places, regions })
            .collect()
    } else {
        by_region
            .into_iter()
            .map(|(places, regions)| Product { places, regions })
            .collect()
    };
    products.sort();
    products
}

/// Keys that have the same values, together.
fn alike(
    values_by_key: BTreeMap<&str, BTreeSet<&str>>,
) -> BTreeMap<BTreeSet<String>, BTreeSet<String>> {
    let mut together: BTreeMap<BTreeSet<String>, BTreeSet<String>> = BTreeMap::new();
    for (key, values) in values_by_key {
        together
            .entry(values.into_iter().map(str::to_owned).collect())
            .or_default()
            .insert(key.to_owned());
    }
    together
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pairs: &[(&str, &str)], expected: &[(&[&str], &[&str])]) {
        let pairs: Vec<_> = pairs.iter().map(|(a, r)| Pair::new(*a, *r)).collect();
        let set = |names: &[&str]| {
            names
                .iter()
                .map(|name| (*name).to_owned())
                .collect::<BTreeSet<_>>()
        };
        let expected: Vec<_> = expected
            .iter()
            .map(|(places, regions)| Product {
                places: set(places),
                regions: set(regions),
            })
            .collect();
        assert_eq!(products(&pairs), expected);
    }

    #[test]
    fn ragged_pairs_make_the_fewest_calls_of_the_two_ways() {
        check(&[], &[]);
        check(&[("1", "a")], &[(&["1"], &["a"])]);
        check(
            &[("1", "a"), ("1", "b"), ("2", "a"), ("2", "b")],
            &[(&["1", "2"], &["a", "b"])],
        );
        // An L: two calls, whichever way it is cut.
        check(
            &[("1", "a"), ("1", "b"), ("2", "a")],
            &[(&["1"], &["a", "b"]), (&["2"], &["a"])],
        );
        // By place this makes three calls; by region two.
        check(
            &[("1", "a"), ("2", "b"), ("3", "a"), ("3", "b")],
            &[(&["1", "3"], &["a"]), (&["2", "3"], &["b"])],
        );
    }

    proptest::proptest! {
        #[test]
        fn the_products_are_the_pairs(raw in proptest::collection::vec((0..9_u8, 0..9_u8), 0..60)) {
            let wanted: BTreeSet<Pair> = raw
                .iter()
                .map(|(place, region)| Pair::new(place.to_string(), region.to_string()))
                .collect();
            let reached: Vec<Pair> = products(&wanted).iter().flat_map(|product| product.pairs().collect::<Vec<_>>()).collect();
            // Every wanted pair, no other, and none twice.
            proptest::prop_assert_eq!(reached.len(), wanted.len());
            proptest::prop_assert_eq!(reached.into_iter().collect::<BTreeSet<_>>(), wanted);
        }
    }
}
