//! What is priced: the stacks of an environment, of a git revision, or as they are deployed; or templates by path.

mod plan;
mod usage;

use std::collections::BTreeMap;
use std::path::Path;

use futures::future::try_join_all;
use stackway_cost::book::{PriceBook, UnknownRegion};
use stackway_cost::estimate::{self, Basis, Deployment, Estimate};
use stackway_cost::evaluate::{Form, Given, Place};
use stackway_cost::template::Template;
use stackway_infra::aws::CloudFormationStackSets;
use stackway_infra::cloud::stack_sets::StackSets as _;
use stackway_infra::config::{Config, Delivery, Environment, Placement};
use stackway_infra::naming::Naming;
use stackway_infra::stack_def::{ARTIFACTS, DELIVERY, StackDef, StackGraph};
use stackway_infra::stack_set::{Pair, StackSetAddress};

use crate::cloud::Cloud;
use crate::failure::{Failure, Kind};
use crate::project::Revision;
use crate::settings::Settings;
use crate::stack_sets;

pub(crate) use plan::{PlanCost, StackCost};
pub(crate) use usage::Usage;

/// A template with its parameters and places.
#[derive(Clone, Debug)]
pub(crate) struct Priced {
    stack: String,
    template: Template,
    given: BTreeMap<String, Given>,
    places: Vec<Located>,
}

/// A place with the parameters that hold there alone.
#[derive(Clone, Debug)]
struct Located {
    place: Place,
    overrides: BTreeMap<String, Given>,
}

/// Templates to be priced together.
#[derive(Clone, Debug, Default)]
pub(crate) struct Selection {
    stacks: Vec<Priced>,
    /// What is to be said of the selection.
    pub(crate) notes: Vec<String>,
}

impl Selection {
    /// The stacks of an environment as the work tree has them.
    pub(crate) fn of_work_tree(settings: &Settings, graph: &StackGraph) -> Result<Self, Failure> {
        let read = |path: &str| {
            let file = settings.project.path(path);
            match std::fs::read_to_string(&file) {
                Ok(text) => Ok(Some(text)),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
                Err(error) => Err(Failure::io("read", &file, &error)),
            }
        };
        Self::of_files(&settings.environment, &settings.naming, graph, &read)
    }

    /// The stacks of an environment as a git revision has them: its templates and its stackway.toml. An environment or a
    /// stack that was not there then costs nothing.
    pub(crate) fn of_revision(
        settings: &Settings,
        graph: &StackGraph,
        revision: &Revision,
    ) -> Result<Self, Failure> {
        let path = "stackway.toml";
        let Some(text) = revision.file(path)? else {
            return Ok(Self::default());
        };
        let config = Config::parse(&text, Path::new(path)).map_err(|error| {
            let what = format!("cannot read the stackway.toml of {}", revision.short());
            Failure::new(Kind::Configuration, what).cause(error.to_string())
        })?;
        let Ok(environment) = config.environment(settings.environment.name.as_str()) else {
            return Ok(Self::default());
        };
        let naming = Naming {
            project: config.project.name.to_string(),
            region: environment
                .regions
                .first()
                .map(ToString::to_string)
                .unwrap_or_default(),
            environment: environment.name.to_string(),
        };
        Self::of_files(environment, &naming, graph, &|path| revision.file(path))
    }

    fn of_files(
        environment: &Environment,
        naming: &Naming,
        graph: &StackGraph,
        read: &dyn Fn(&str) -> Result<Option<String>, Failure>,
    ) -> Result<Self, Failure> {
        let mut selection = Self::default();
        for def in graph.deploy_order() {
            // The pipelines of an environment that has none are not deployed. What a pipeline deploys is: it costs the same.
            let without_pipelines =
                def.name == DELIVERY && environment.delivery == Delivery::Direct;
            if without_pipelines || !environment.has(def) {
                continue;
            }
            let path = format!("cloudformation/{}.yaml", def.name);
            let Some(text) = read(&path)? else {
                continue;
            };
            let template = parsed(&text, &path)?;
            let given = environment
                .parameters
                .get(def.name)
                .map(|values| {
                    let text = |(name, value): (&String, &String)| {
                        (name.clone(), Given::Text(value.clone()))
                    };
                    values.iter().map(text).collect()
                })
                .unwrap_or_default();
            selection.add(def, template, given, environment, naming);
        }
        Ok(selection)
    }

    /// The stacks of an environment as they are deployed. One that is not costs nothing.
    pub(crate) async fn of_deployed(
        settings: &Settings,
        graph: &StackGraph,
        cloud: &Cloud,
    ) -> Result<Self, Failure> {
        let asked = graph.deploy_order().iter().map(async |def| {
            let deployed = cloud.deployed(&settings.naming.stack(def.name)).await?;
            Ok::<_, Failure>(deployed.map(|deployed| (def, deployed)))
        });
        let mut selection = Self::default();
        for (def, (stack, template)) in try_join_all(asked).await?.into_iter().flatten() {
            let template = parsed(&template, &format!("the template of stack {}", stack.name))?;
            let given = (stack.parameters.into_iter())
                .map(|(name, value)| (name, Given::Text(value)))
                .collect();
            selection.add(
                def,
                template,
                given,
                &settings.environment,
                &settings.naming,
            );
        }
        let placed = graph.deploy_order().iter().filter_map(|def| {
            let at = stack_sets::address(settings, def)?;
            Some((def, at))
        });
        let sets = CloudFormationStackSets::new(&cloud.config);
        for (def, at) in placed {
            selection
                .stacks
                .extend(standing_set(&sets, def, &at).await?);
        }
        Ok(selection)
    }

    /// The stacks of `self`, and those of `changed` as `planned` has them in place of what they were: what a plan leads to.
    pub(crate) fn changed_to(&self, planned: &Self, changed: &[&str], graph: &StackGraph) -> Self {
        let of = |selection: &Self, name: &str| {
            let found = selection.stacks.iter().find(|priced| priced.stack == name);
            found.cloned()
        };
        let stacks = graph.deploy_order().iter().filter_map(|def| {
            let side = if changed.contains(&def.name) {
                planned
            } else {
                self
            };
            of(side, def.name)
        });
        Self {
            stacks: stacks.collect(),
            notes: Vec::new(),
        }
    }

    /// Templates by path, each a stack of its file's name, in one region.
    pub(crate) fn of_templates(
        paths: &[std::path::PathBuf],
        region: &str,
        parameters: &[(String, String)],
    ) -> Result<Self, Failure> {
        let mut selection = Self::default();
        for path in paths {
            let text = std::fs::read(path).map_err(|error| Failure::io("read", path, &error))?;
            let template = parsed(&String::from_utf8_lossy(&text), &path.display().to_string())?;
            let stack = path.file_stem().unwrap_or_default().to_string_lossy();
            selection.stacks.push(Priced {
                given: (parameters.iter())
                    .filter(|(name, _)| paths.len() == 1 || template.declares(name))
                    .map(|(name, value)| (name.clone(), Given::Text(value.clone())))
                    .collect(),
                template,
                places: vec![Located {
                    place: Place {
                        region: region.to_owned(),
                        account: None,
                        stack_name: stack.to_string(),
                    },
                    overrides: BTreeMap::new(),
                }],
                stack: stack.into_owned(),
            });
        }
        Ok(selection)
    }

    /// Adds a stack of the project, with what the deploy itself gives it.
    fn add(
        &mut self,
        def: &StackDef,
        template: Template,
        mut given: BTreeMap<String, Given>,
        environment: &Environment,
        naming: &Naming,
    ) {
        let repository = "the deploy fills it from the repository's address".to_owned();
        let known = [
            ("RepositoryId", Given::Later(Form::Filled, repository)),
            ("Project", Given::Text(naming.project.clone())),
            ("Environment", Given::Text(naming.environment.clone())),
        ];
        let mut coming: Vec<(&str, Given)> = known.into_iter().collect();
        for need in def.needs {
            let later = || {
                let why = format!("`{}` comes from stack `{}`", need.parameter, need.stack);
                Given::Later(Form::Any, why)
            };
            let output = self.output(need.stack, need.output).unwrap_or_else(later);
            coming.push((need.parameter, output));
        }
        if def.package.is_some() {
            let bucket = self.output(ARTIFACTS.0, ARTIFACTS.1);
            let later =
                |what: &str| Given::Later(Form::Filled, format!("the deploy uploads {what}"));
            coming.push(("CodeS3Bucket", bucket.unwrap_or_else(|| later("the code"))));
            coming.push(("CodeS3Key", later("the code")));
        }
        for (name, value) in coming {
            if template.declares(name) {
                given.entry(name.to_owned()).or_insert(value);
            }
        }
        let (places, note) = places(def, environment, naming);
        self.notes.extend(note);
        self.stacks.push(Priced {
            stack: def.name.to_owned(),
            template,
            given,
            places,
        });
    }

    /// An output of a stack that was added before.
    fn output(&self, stack: &str, output: &str) -> Option<Given> {
        let priced = self.stacks.iter().find(|priced| priced.stack == stack)?;
        let place = priced.places.first()?;
        estimate::outputs(&priced.in_place(place)).remove(output)
    }

    /// What all of it costs.
    pub(crate) fn estimate(&self, basis: Basis<'_>) -> Result<Estimate, Failure> {
        let deployments: Vec<_> = (self.stacks.iter())
            .flat_map(|priced| priced.places.iter().map(|located| priced.in_place(located)))
            .collect();
        estimate::estimate(&deployments, basis).map_err(unknown_region)
    }
}

impl Priced {
    fn in_place(&self, located: &Located) -> Deployment<'_> {
        let mut given = self.given.clone();
        given.extend(located.overrides.clone());
        Deployment {
            stack: self.stack.clone(),
            template: &self.template,
            given,
            place: located.place.clone(),
        }
    }
}

/// Where a stack is: once, or once for each account and region of its stack set, with the values of its own that a
/// pair has.
fn places(
    def: &StackDef,
    environment: &Environment,
    naming: &Naming,
) -> (Vec<Located>, Option<String>) {
    let located = |region: &str, account: Option<String>| Located {
        place: Place {
            region: region.to_owned(),
            account,
            stack_name: naming.stack(def.name),
        },
        overrides: BTreeMap::new(),
    };
    let Placement::StackSet(set) = environment.placement(def.name) else {
        // Which of several accounts it is, the credentials decide.
        let account = match environment.accounts.as_slice() {
            [one] => Some(one.to_string()),
            _ => None,
        };
        return (vec![located(&naming.region, account)], None);
    };
    let mut owners: Vec<Option<String>> = (set.accounts.iter())
        .map(|account| Some(account.to_string()))
        .collect();
    owners.extend(set.organizational_units.iter().map(|_| None));
    let mut places = Vec::new();
    for owner in &owners {
        for region in &set.regions {
            let mut located = located(region.as_str(), owner.clone());
            let own = owner.as_ref().and_then(|account| {
                set.overrides
                    .get(&Pair::new(account.clone(), region.as_str()))
            });
            for (name, value) in own.into_iter().flatten() {
                located
                    .overrides
                    .insert(name.clone(), Given::Text(value.clone()));
            }
            places.push(located);
        }
    }
    let note = (!set.organizational_units.is_empty()).then(|| {
        format!(
            "stack set `{}`: the accounts of an organizational unit are not known here, so each unit counts as one",
            def.name
        )
    });
    (places, note)
}

/// A stack set as it stands, with its instances; `None` where there is none, or nothing that has stack sets.
async fn standing_set(
    sets: &CloudFormationStackSets,
    def: &StackDef,
    at: &StackSetAddress,
) -> Result<Option<Priced>, Failure> {
    let set = match sets.describe_stack_set(at).await {
        Ok(set) => set,
        Err(error) if error.is_unknown_operation() => None,
        Err(error) => return Err(error.into()),
    };
    let Some(set) = set else {
        return Ok(None);
    };
    let name = format!("the template of stack set {}", at.name);
    let template = parsed(&set.definition.template_body, &name)?;
    let given = (set.definition.parameters.into_iter())
        .map(|(name, value)| (name, Given::Text(value)))
        .collect();
    let instances = sets.stack_instances(at).await?;
    let places = instances.into_iter().map(|instance| Located {
        place: Place {
            region: instance.pair.region,
            account: Some(instance.pair.place),
            stack_name: at.name.clone(),
        },
        overrides: BTreeMap::new(),
    });
    Ok(Some(Priced {
        stack: def.name.to_owned(),
        template,
        given,
        places: places.collect(),
    }))
}

fn parsed(text: &str, name: &str) -> Result<Template, Failure> {
    Template::parse(text).map_err(|error| {
        Failure::new(
            Kind::Configuration,
            format!("`{name}` is no template that can be priced"),
        )
        .cause(error.to_string())
    })
}

fn unknown_region(error: UnknownRegion) -> Failure {
    let regions = error.regions.join(", ");
    Failure::new(Kind::Configuration, error.to_string()).hint(format!("its regions are: {regions}"))
}

/// The price book that this program was built with.
pub(crate) fn book() -> Result<PriceBook, Failure> {
    PriceBook::embedded().map_err(|error| Failure::new(Kind::Configuration, error.to_string()))
}
