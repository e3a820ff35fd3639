//! Numbers as people and machines read them.

use rust_decimal::Decimal;

/// Decimals of an exact amount.
const EXACT_DECIMALS: u32 = 6;

/// An amount for people, to the cent: `1,234.50`, and `<0.01` for what is less than half a cent and not nothing.
pub fn money(amount: Decimal) -> String {
    let rounded = amount.round_dp(2);
    if rounded.is_zero() && !amount.is_zero() {
        return if amount.is_sign_negative() {
            ">-0.01"
        } else {
            "<0.01"
        }
        .to_owned();
    }
    grouped(&format!("{rounded:.2}"))
}

/// An amount with its sign: `+0.10`, `-1.00`, `0.00`.
pub fn signed(amount: Decimal) -> String {
    if amount.is_zero() || amount.is_sign_negative() {
        return money(amount);
    }
    let shown = money(amount);
    match shown.strip_prefix('<') {
        Some(bound) => format!("<+{bound}"),
        None => format!("+{shown}"),
    }
}

/// An amount in a form, and `?` where it is not known.
pub(super) fn or_unknown(amount: Option<Decimal>, form: fn(Decimal) -> String) -> String {
    amount.map_or_else(|| "?".to_owned(), form)
}

/// An amount for machines: two to six decimals, and no group signs.
pub fn exact(amount: Decimal) -> String {
    let amount = amount.round_dp(EXACT_DECIMALS).normalize();
    let amount = if amount.is_zero() {
        Decimal::ZERO
    } else {
        amount
    };
    if amount.scale() < 2 {
        format!("{amount:.2}")
    } else {
        amount.to_string()
    }
}

/// A price: all its digits.
pub(super) fn price(price: Decimal) -> String {
    price.normalize().to_string()
}

/// A quantity for people: at most three decimals, group signs.
pub fn quantity(quantity: Decimal) -> String {
    let rounded = quantity.round_dp(3).normalize();
    if rounded.is_zero() && !quantity.is_zero() {
        return "<0.001".to_owned();
    }
    grouped(&rounded.to_string())
}

/// A factor for people: two digits where it is small, none behind the point where it is not.
pub(super) fn factor(factor: Decimal) -> String {
    let decimals = u32::from(factor < Decimal::TEN);
    grouped(&factor.round_dp(decimals).normalize().to_string())
}

/// A unit in the number that a quantity asks for.
pub(super) fn plural(unit: &str, quantity: Decimal) -> String {
    if quantity == Decimal::ONE || unit == "GB" {
        return unit.to_owned();
    }
    format!("{unit}s")
}

/// A share for people, in per cent.
pub(super) fn percent(share: Decimal) -> String {
    let percent = (share * Decimal::ONE_HUNDRED).round_dp(1).normalize();
    if percent.is_zero() && !share.is_zero() {
        return "<0.1 %".to_owned();
    }
    format!("{} %", grouped(&percent.to_string()))
}

fn grouped(number: &str) -> String {
    let (sign, number) = match number.strip_prefix('-') {
        Some(number) => ("-", number),
        None => ("", number),
    };
    let (whole, rest) = match number.find('.') {
        Some(point) => number.split_at(point),
        None => (number, ""),
    };
    let mut out = String::with_capacity(number.len() + 4);
    for (position, digit) in whole.chars().enumerate() {
        if position > 0 && (whole.len() - position).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    format!("{sign}{out}{rest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        let check = |number: &str, form: fn(Decimal) -> String, expected: &str| {
            assert_eq!(form(number.parse().unwrap()), expected, "{number}");
        };
        check("0", money, "0.00");
        check("0.004", money, "<0.01");
        check("-0.004", money, ">-0.01");
        check("0.006", money, "0.01");
        check("1234567.891", money, "1,234,567.89");
        check("-1234.5", money, "-1,234.50");
        check("0.1", signed, "+0.10");
        check("0.001", signed, "<+0.01");
        check("-2", signed, "-2.00");
        check("0", signed, "0.00");
        check("0", exact, "0.00");
        check("1.5", exact, "1.50");
        check("0.0000001", exact, "0.00");
        check("0.00123456789", exact, "0.001235");
        check("1000", exact, "1000.00");
        check("0.00001", quantity, "<0.001");
        check("1000000", quantity, "1,000,000");
        check("18250.0", quantity, "18,250");
        check("1.2345", quantity, "1.234");
        check("333.33", factor, "333");
        check("1.0191", factor, "1");
        check("2.55", factor, "2.6");
        check("0.5", percent, "50 %");
        check("0.00001", percent, "<0.1 %");
        check("12.5", percent, "1,250 %");
    }
}
