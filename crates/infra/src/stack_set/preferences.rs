use std::fmt;

/// A number of accounts in a region, or a share of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amount {
    /// So many.
    Count(u32),
    /// So many in a hundred, rounded down.
    Percent(u8),
}

impl Amount {
    /// Whether it is none at all.
    pub fn is_zero(self) -> bool {
        matches!(self, Self::Count(0) | Self::Percent(0))
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => write!(f, "{count}"),
            Self::Percent(percent) => write!(f, "{percent}%"),
        }
    }
}

/// What failures do to how many accounts are worked on at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ConcurrencyMode {
    /// Never more than the tolerance and one, so that no more than that can fail: with no tolerance, one by one.
    #[default]
    Strict,
    /// Always as many as allowed; more can fail than are tolerated before the operation stops.
    Soft,
}

/// Whether regions are worked on one after another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RegionConcurrency {
    /// One after another.
    #[default]
    Sequential,
    /// All at once.
    Parallel,
}

/// How an operation goes over its instances.
///
/// See [StackSetOperationPreferences](https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_StackSetOperationPreferences.html).
/// AWS does not apply them to what auto-deployment does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preferences {
    /// Regions in the order in which they are worked on; those left out come after, by name. Empty: as the service likes.
    pub region_order: Vec<String>,
    /// How many accounts may fail in a region before the operation stops there and goes to no further region.
    pub failure_tolerance: Amount,
    /// How many accounts are worked on at once; at least 1.
    pub max_concurrent: Amount,
    /// What failures do to that.
    pub concurrency_mode: ConcurrencyMode,
    /// Whether regions wait for each other.
    pub region_concurrency: RegionConcurrency,
}

impl Default for Preferences {
    /// The service's own: no failure tolerated, one account at a time, one region at a time.
    fn default() -> Self {
        Self {
            region_order: Vec::new(),
            failure_tolerance: Amount::Count(0),
            max_concurrent: Amount::Count(1),
            concurrency_mode: ConcurrencyMode::Strict,
            region_concurrency: RegionConcurrency::Sequential,
        }
    }
}

impl Preferences {
    /// The same for an operation on some regions: the service refuses an order that names others.
    #[must_use]
    pub fn within(&self, regions: &std::collections::BTreeSet<String>) -> Self {
        let mut order: Vec<_> = self
            .region_order
            .iter()
            .filter(|region| regions.contains(*region))
            .cloned()
            .collect();
        if !order.is_empty() {
            // An order must name every region of the operation.
            let rest: Vec<_> = regions
                .iter()
                .filter(|region| !order.contains(region))
                .cloned()
                .collect();
            order.extend(rest);
        }
        Self {
            region_order: order,
            ..self.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(order: &[&str], regions: &[&str], expected: &[&str]) {
        let preferences = Preferences {
            region_order: order.iter().map(|name| (*name).to_owned()).collect(),
            ..Preferences::default()
        };
        let regions = regions.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(preferences.within(&regions).region_order, expected);
    }

    #[test]
    fn an_operation_s_order_names_its_own_regions_and_all_of_them() {
        check(&[], &["a", "b"], &[]);
        check(&["b", "a"], &["a", "b"], &["b", "a"]);
        check(&["c", "b"], &["a", "b"], &["b", "a"]);
        check(&["c"], &["a", "b"], &[]);
    }
}
