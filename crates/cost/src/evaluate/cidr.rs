//! `Fn::Cidr`: the parts of an address block.
//!
//! See [Fn::Cidr](https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-cidr.html).

use std::net::Ipv4Addr;

use super::{Unknown, Value};

/// `count` blocks of `bits` host bits each, from the start of `block`. `Err(None)` where the arguments do not fit;
/// `Err(Some)` where one of them is not known.
pub(super) fn blocks(
    block: &Value,
    count: &Value,
    bits: Option<&Value>,
) -> Result<Vec<String>, Option<Unknown>> {
    for value in [Some(block), Some(count), bits].into_iter().flatten() {
        if let Value::Unknown(unknown) = value {
            return Err(Some(unknown.clone()));
        }
    }
    let number = |value: &Value| value.text()?.trim().parse::<u32>().ok();
    let parsed = || {
        let (address, length) = block.text()?.split_once('/')?;
        let address = u32::from(address.trim().parse::<Ipv4Addr>().ok()?);
        let length = length
            .trim()
            .parse::<u32>()
            .ok()
            .filter(|length| *length <= 32)?;
        let count = number(count).filter(|count| (1..=256).contains(count))?;
        let bits = match bits {
            Some(bits) => number(bits)?,
            None => 8,
        };
        let host = 32 - length;
        let fits = (1..=host).contains(&bits) && u64::from(count) << bits <= 1_u64 << host;
        fits.then_some((u64::from(address) >> host << host, count, bits))
    };
    let (start, count, bits) = parsed().ok_or(None)?;
    let block = |part: u32| {
        let address = u32::try_from(start + (u64::from(part) << bits)).ok()?;
        Some(format!("{}/{}", Ipv4Addr::from(address), 32 - bits))
    };
    (0..count).map(|part| block(part).ok_or(None)).collect()
}
