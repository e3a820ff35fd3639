use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, Visitor};

use super::error::ValueError;
use crate::stack_set::Amount;

/// An [`Amount`] as it is written: a number, or `"N%"`.
#[derive(Clone, Copy)]
pub(super) struct RawAmount(pub(super) Amount);

const HINT: &str = "write a number of accounts, or a share of them in quotes: 2, or \"20%\"";

impl RawAmount {
    fn count(count: i64) -> Result<Self, ValueError> {
        match u32::try_from(count) {
            Ok(count) => Ok(Self(Amount::Count(count))),
            Err(_) => Err(ValueError::new(
                format!("`{count}` is not a number of accounts"),
                HINT,
            )),
        }
    }

    fn share(text: &str) -> Result<Self, ValueError> {
        let percent = text
            .strip_suffix('%')
            .and_then(|digits| digits.parse::<u8>().ok())
            .filter(|percent| *percent <= 100);
        percent
            .map(|percent| Self(Amount::Percent(percent)))
            .ok_or_else(|| ValueError::new(format!("`{text}` is not a share of accounts"), HINT))
    }
}

impl<'de> Deserialize<'de> for RawAmount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl Visitor<'_> for Either {
            type Value = RawAmount;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, or a share such as \"20%\"")
            }

            fn visit_i64<E: Error>(self, count: i64) -> Result<RawAmount, E> {
                RawAmount::count(count).map_err(E::custom)
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<RawAmount, E> {
                RawAmount::share(text).map_err(E::custom)
            }
        }
        deserializer.deserialize_any(Either)
    }
}
