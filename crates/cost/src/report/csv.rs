//! CSV, as RFC 4180 has it: one row a line of the estimate, and one for each thing that is not priced.

use super::Report;
use super::number::{exact, price};
use crate::diff::Difference;

impl Report<'_> {
    /// The report as CSV. What is not priced has empty amounts and a reason.
    pub fn csv(&self) -> String {
        let mut out = row(&[
            "stack",
            "region",
            "account",
            "resource",
            "type",
            "service",
            "item",
            "usage_type",
            "quantity",
            "free_quantity",
            "unit",
            "price",
            "monthly_list",
            "monthly_after_free_tier",
            "reason",
        ]);
        for line in &self.estimate.lines {
            out += &row(&[
                &line.stack,
                &line.region,
                line.account.as_deref().unwrap_or_default(),
                &line.resource,
                &line.resource_type,
                &line.service,
                &line.item,
                line.usage_type.as_deref().unwrap_or_default(),
                &exact(line.quantity),
                &exact(line.free),
                &line.unit,
                &line.price.map(price).unwrap_or_default(),
                &line.list.map(exact).unwrap_or_default(),
                &line.after_free.map(exact).unwrap_or_default(),
                "",
            ]);
        }
        for missing in &self.estimate.not_priced {
            out += &row(&[
                &missing.stack,
                &missing.region,
                missing.account.as_deref().unwrap_or_default(),
                &missing.resource,
                &missing.resource_type,
                "",
                missing.item.as_deref().unwrap_or_default(),
                "",
                "",
                "",
                "",
                "",
                "",
                "",
                &missing.why,
            ]);
        }
        out
    }
}

impl Difference {
    /// The difference as CSV.
    pub fn csv(&self) -> String {
        let mut out = row(&[
            "change",
            "stack",
            "region",
            "account",
            "resource",
            "type",
            "item",
            "before_list",
            "before_after_free_tier",
            "after_list",
            "after_after_free_tier",
            "monthly_list",
            "monthly_after_free_tier",
        ]);
        for change in &self.lines {
            let line = &change.line;
            let monthly = change.monthly();
            out += &row(&[
                change.kind.as_str(),
                &line.stack,
                &line.region,
                line.account.as_deref().unwrap_or_default(),
                &line.resource,
                &line.resource_type,
                &line.item,
                &change.before.list.map(exact).unwrap_or_default(),
                &change.before.after_free.map(exact).unwrap_or_default(),
                &change.after.list.map(exact).unwrap_or_default(),
                &change.after.after_free.map(exact).unwrap_or_default(),
                &monthly.list.map(exact).unwrap_or_default(),
                &monthly.after_free.map(exact).unwrap_or_default(),
            ]);
        }
        out
    }
}

fn row(fields: &[&str]) -> String {
    let fields: Vec<_> = fields.iter().map(|field| quoted(field)).collect();
    fields.join(",") + "\r\n"
}

/// A field, in quotes where it needs them. One that a spreadsheet would take for a formula is kept as text.
fn quoted(field: &str) -> String {
    let formula = field.starts_with(['=', '+', '@', '\t']);
    let field = if formula {
        format!("'{field}")
    } else {
        field.to_owned()
    };
    if field.contains([',', '"', '\n', '\r']) {
        return format!("\"{}\"", field.replace('"', "\"\""));
    }
    field
}

#[cfg(test)]
mod tests {
    #[test]
    fn fields_are_quoted() {
        for (field, expected) in [
            ("a", "a"),
            ("a,b", "\"a,b\""),
            ("a\"b\nc", "\"a\"\"b\nc\""),
            ("=1+1", "'=1+1"),
            ("-1.50", "-1.50"),
        ] {
            assert_eq!(super::quoted(field), expected);
        }
    }
}
