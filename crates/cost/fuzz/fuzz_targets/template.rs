//! Any bytes as a template: an answer or one error, and never a panic.

#![no_main]

use std::collections::BTreeMap;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use stackway_cost::book::PriceBook;
use stackway_cost::estimate::{Basis, Deployment, estimate};
use stackway_cost::evaluate::Place;
use stackway_cost::report::Report;
use stackway_cost::template::Template;
use stackway_cost::usage::{Account, UsageFile};

static BOOK: LazyLock<PriceBook> =
    LazyLock::new(|| PriceBook::embedded().expect("a test holds that it is whole"));
static USAGE: LazyLock<UsageFile> =
    LazyLock::new(|| UsageFile::embedded().expect("a test holds that it is whole"));

fuzz_target!(|bytes: &[u8]| {
    let Ok(template) = Template::parse(&String::from_utf8_lossy(bytes)) else {
        return;
    };
    let deployment = Deployment {
        stack: "fuzz".to_owned(),
        template: &template,
        given: BTreeMap::new(),
        place: Place {
            region: "eu-west-1".to_owned(),
            account: None,
            stack_name: "fuzz".to_owned(),
        },
    };
    let basis = Basis {
        book: &BOOK,
        profile_name: "busy",
        profile: &USAGE.profiles["busy"],
        account: &Account::TwelveMonths,
        today: time::macros::date!(2026 - 11 - 24),
    };
    let estimate = estimate(&[deployment], basis).expect("the book has the region");
    let report = Report {
        title: "fuzz",
        estimate: &estimate,
    };
    let _ = (report.text(None), report.text(Some(80)), report.json(), report.csv(), report.markdown(), report.html());
});
