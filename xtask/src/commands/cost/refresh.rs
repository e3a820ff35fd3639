//! The price book anew.

use std::path::Path;

use rust_decimal::Decimal;
use stackway_cost::book::{OfferError, PriceBook, Products, Refreshed};
use stackway_infra::aws::PriceListApi;
use stackway_infra::cloud::billing::PriceLists as _;
use time::OffsetDateTime;

use super::{CostArgs, cloud_of};
use crate::cli::GlobalArgs;
use crate::failure::{Failure, Kind};
use crate::project::Project;
use crate::settings::Settings;
use crate::ui::Ui;

/// The book's file, from the root of the workspace.
const BOOK: &str = "crates/cost/prices.json";

/// Where offer files are published.
const OFFERS: &str = "https://pricing.us-east-1.amazonaws.com/offers/v1.0/aws";

/// What the book became, and what is to be said of it.
struct Work {
    book: PriceBook,
    done: Refreshed,
    today: String,
}

impl Work {
    fn take(&mut self, list: &Products, region: &str) -> Result<(), OfferError> {
        let url = format!("{OFFERS}/{}/current/{region}/index.json", list.service);
        let done = self.book.refresh(list, region, &url, &self.today)?;
        self.done.changed.extend(done.changed);
        self.done.missing.extend(done.missing);
        self.done.same += done.same;
        Ok(())
    }

    fn take_folder(&mut self, folder: &Path) -> Result<(), Failure> {
        let read =
            std::fs::read_dir(folder).map_err(|error| Failure::io("read", folder, &error))?;
        let mut files: Vec<_> = (read.filter_map(Result::ok))
            .map(|entry| entry.path())
            .filter(|path| {
                path.extension()
                    .is_some_and(|extension| extension == "json")
            })
            .collect();
        files.sort();
        for path in &files {
            let text =
                std::fs::read_to_string(path).map_err(|error| Failure::io("read", path, &error))?;
            let refuse = |error: OfferError| {
                Failure::new(
                    Kind::Configuration,
                    format!("cannot use `{}`", path.display()),
                )
                .cause(error.to_string())
            };
            let list = Products::from_offer_file(&text).map_err(refuse)?;
            for region in self.book.regions.clone() {
                if list.covers(&region) {
                    self.take(&list, &region).map_err(refuse)?;
                }
            }
        }
        if files.is_empty() {
            let what = format!("there is no offer file (*.json) in `{}`", folder.display());
            return Err(Failure::new(Kind::CommandLine, what).hint(format!(
                "an offer file is {OFFERS}/AWSLambda/current/eu-west-2/index.json"
            )));
        }
        Ok(())
    }

    async fn take_api(&mut self, ui: &Ui, api: &PriceListApi) -> Result<(), Failure> {
        let mut services: Vec<String> = self
            .book
            .items
            .values()
            .map(|item| item.service.clone())
            .collect();
        services.sort();
        services.dedup();
        for service in services {
            for region in self.book.regions.clone() {
                ui.detail(format!("{service} in {region}"));
                let products = api.products(&service, &region).await?;
                let list = Products::from_list(products.iter().map(String::as_str));
                let taken = list.and_then(|list| {
                    if products.is_empty() {
                        Ok(())
                    } else {
                        self.take(&list, &region)
                    }
                });
                taken.map_err(|error| {
                    Failure::new(
                        Kind::Configuration,
                        format!("cannot use the price list of {service} in {region}"),
                    )
                    .cause(error.to_string())
                })?;
            }
        }
        Ok(())
    }
}

pub(super) async fn run(ui: &Ui, global: &GlobalArgs, args: &CostArgs) -> Result<(), Failure> {
    let project = Project::locate()?;
    let path = project.path(BOOK);
    let text =
        std::fs::read_to_string(&path).map_err(|error| Failure::io("read", &path, &error))?;
    let book = PriceBook::parse(&text)
        .map_err(|error| Failure::new(Kind::Configuration, error.to_string()))?;
    let mut work = Work {
        book,
        done: Refreshed::default(),
        today: OffsetDateTime::now_utc().date().to_string(),
    };
    if let Some(folder) = &args.offers {
        work.take_folder(folder)?;
    } else {
        let settings = Settings::resolve(ui, global, &args.endpoint)?;
        let cloud = cloud_of(&settings).await?;
        work.take_api(ui, &PriceListApi::new(&cloud.config)).await?;
    }
    let shown = |price: Option<Decimal>| {
        price.map_or("no price".to_owned(), |price| price.normalize().to_string())
    };
    for (item, region, before, now) in &work.done.changed {
        ui.data(format!(
            "{item} in {region}: {} → {}",
            shown(*before),
            shown(Some(*now))
        ));
    }
    for (item, region) in &work.done.missing {
        ui.detail(format!(
            "{item} in {region}: not in the list, and kept as it was"
        ));
    }
    ui.say(format!(
        "{} prices changed, {} are as they were, {} are not in the lists and stay",
        work.done.changed.len(),
        work.done.same,
        work.done.missing.len()
    ));
    if args.dry_run {
        return Ok(());
    }
    // Held to its own rules before it takes the old one's place.
    let written = work.book.to_json();
    PriceBook::parse(&written)
        .map_err(|error| Failure::new(Kind::Configuration, error.to_string()))?;
    write_whole(&path, &written)?;
    ui.say(format!("wrote {BOOK}; the next build has it"));
    Ok(())
}

/// Writes beside the file and renames, so that nobody sees half of it.
fn write_whole(path: &Path, text: &str) -> Result<(), Failure> {
    let unfinished = path.with_extension("json.new");
    std::fs::write(&unfinished, text)
        .and_then(|()| std::fs::rename(&unfinished, path))
        .map_err(|error| Failure::io("write", path, &error))
}
