//! Where a service of a region answers.

/// The regions of the `aws` partition begin with one of these and have three parts; those of other partitions have more.
///
/// <https://docs.aws.amazon.com/general/latest/gr/rande.html>
const CONTINENTS: [&str; 9] = ["af", "ap", "ca", "eu", "il", "me", "mx", "sa", "us"];

/// The public endpoint of a service in a region of the `aws` partition, such as `eu-west-2`; none for a region that is
/// not known to be one.
pub fn regional(service: &str, region: &str) -> Option<String> {
    let mut parts = region.split('-');
    let (continent, place, number) = (parts.next()?, parts.next()?, parts.next()?);
    let known = CONTINENTS.contains(&continent)
        && !place.is_empty()
        && place.bytes().all(|byte| byte.is_ascii_lowercase())
        && !number.is_empty()
        && number.bytes().all(|byte| byte.is_ascii_digit())
        && parts.next().is_none();
    known.then(|| format!("https://{service}.{region}.amazonaws.com"))
}

/// The same, with the partitions of China and of the United States' government.
///
/// <https://docs.aws.amazon.com/general/latest/gr/sm.html>
pub(crate) fn in_any_partition(service: &str, region: &str) -> Option<String> {
    if region.starts_with("cn-") {
        return Some(format!("https://{service}.{region}.amazonaws.com.cn"));
    }
    if region.starts_with("us-gov-") {
        return Some(format!("https://{service}.{region}.amazonaws.com"));
    }
    regional(service, region)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(region: &str, expected: Option<&str>) {
        assert_eq!(
            in_any_partition("ssm", region).as_deref(),
            expected,
            "{region}"
        );
    }

    #[test]
    fn an_endpoint_is_of_its_partition() {
        check("eu-west-2", Some("https://ssm.eu-west-2.amazonaws.com"));
        check(
            "us-gov-west-1",
            Some("https://ssm.us-gov-west-1.amazonaws.com"),
        );
        check(
            "cn-north-1",
            Some("https://ssm.cn-north-1.amazonaws.com.cn"),
        );
        for unknown in ["us-iso-east-1", "nowhere", "", "eu--2", "eu-west-2a"] {
            check(unknown, None);
        }
    }
}
