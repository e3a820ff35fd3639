//! What the text and the markdown have in common: sections of lines with signs.

use std::fmt::Write as _;

use std::collections::BTreeMap;

use stackway_infra::stack::{
    Access, AccessKind, Action, Attribute, PropertyChange, Replacement, ResourceChange, Shown,
    is_access_property,
};
use stackway_infra::template_diff::NamedChange;

use super::value::{change, shown};
use super::{Source, StackReport, Verdict};

/// What happens to what a line tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    Add,
    Change,
    Replace,
    MayReplace,
    Remove,
    Import,
    /// A word to the reader.
    Note,
}

impl Sign {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Change => "~",
            Self::Replace => "-/+",
            Self::MayReplace => "~/+",
            Self::Remove => "-",
            Self::Import => "<",
            Self::Note => "",
        }
    }
}

/// One line of a section.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) sign: Sign,
    /// Whether it belongs to the line above it.
    pub(super) inner: bool,
    pub(super) text: String,
    /// What is said besides, less loudly.
    pub(super) remark: String,
}

/// Lines of one kind.
#[derive(Debug)]
pub(super) struct Section {
    pub(super) title: &'static str,
    pub(super) lines: Vec<Line>,
}

impl Line {
    fn new(sign: Sign, text: String) -> Self {
        Self {
            sign,
            inner: false,
            text,
            remark: String::new(),
        }
    }

    fn remark(mut self, remark: String) -> Self {
        self.remark = remark;
        self
    }
}

/// What happens to the stack, in a word.
pub(super) fn verdict(report: &StackReport) -> &'static str {
    match (report.verdict, report.source) {
        (Verdict::New, Source::ChangeSet) => "new",
        (Verdict::New, Source::Templates) => "new, from its template",
        (Verdict::Update, Source::ChangeSet) => "update",
        (Verdict::Update, Source::Templates) => "update, from the templates",
        (Verdict::Unchanged, _) => "no changes",
        (Verdict::Failed, _) => "cannot be planned",
        (Verdict::LeftOut, _) => "left out",
    }
}

/// The stack's sections that have lines; `all` tells also what goes without saying.
pub(super) fn sections(report: &StackReport, all: bool) -> Vec<Section> {
    let changes = &report.changes;
    let new = report.verdict == Verdict::New && !all;
    let named = |changes: &[NamedChange]| -> Vec<Line> {
        let said = changes.iter().filter(|_| !new);
        said.map(|change| named_line(change, all)).collect()
    };
    let sections = [
        Section {
            title: "parameters",
            lines: named(&changes.parameters),
        },
        Section {
            title: "resources",
            lines: resource_lines(report, all),
        },
        Section {
            title: "permissions and network",
            lines: access_lines(report, all),
        },
        Section {
            title: "tags",
            lines: named(&changes.tags),
        },
        Section {
            title: "outputs",
            lines: named(&changes.outputs),
        },
        Section {
            title: "guarded",
            lines: guarded_lines(report),
        },
    ];
    sections
        .into_iter()
        .filter(|section| !section.lines.is_empty())
        .collect()
}

fn signed(before: &Shown, after: &Shown) -> Sign {
    match (before, after) {
        (Shown::Absent, _) => Sign::Add,
        (_, Shown::Absent) => Sign::Remove,
        _ => Sign::Change,
    }
}

/// A name and its value, or what becomes of it.
fn valued(name: &str, before: &Shown, after: &Shown, all: bool) -> String {
    let value = match (before, after) {
        (Shown::Absent, Shown::Absent) => return name.to_owned(),
        (Shown::NotGiven, Shown::NotGiven) => "changes".to_owned(),
        (Shown::Secret, Shown::Secret) => "(secret) changes".to_owned(),
        (Shown::Absent, one) | (one, Shown::Absent) => shown(one, all),
        _ => change(before, after, all),
    };
    format!("{name}  {value}")
}

fn named_line(named: &NamedChange, all: bool) -> Line {
    let sign = signed(&named.before, &named.after);
    Line::new(sign, valued(&named.name, &named.before, &named.after, all))
}

fn resource_lines(report: &StackReport, all: bool) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut tagged = 0;
    for resource in &report.changes.resources {
        if resource.is_tags_alone() && !all {
            tagged += 1;
            continue;
        }
        lines.push(resource_line(resource));
        // What a new resource is made of is in its template; it is told where all is asked for.
        let told = resource.action == Action::Modify || all;
        let has_access = !resource.access().is_empty();
        let properties = resource
            .properties
            .iter()
            .filter(|property| told && !(has_access && is_access_property(&property.path)))
            .filter(|property| property.attribute != Attribute::Tags || all);
        lines.extend(properties.map(|property| property_line(property, all)));
    }
    if tagged > 0 {
        let plural = if tagged == 1 {
            "1 resource gets"
        } else {
            &format!("{tagged} resources get")
        };
        lines.push(Line::new(
            Sign::Change,
            format!("{plural} the stack's tags, and nothing else"),
        ));
    }
    lines
}

fn resource_line(resource: &ResourceChange) -> Line {
    let sign = match (&resource.action, resource.replacement) {
        (Action::Add, _) => Sign::Add,
        (Action::Remove, _) => Sign::Remove,
        (Action::Import, _) => Sign::Import,
        (Action::Modify, Replacement::Always) => Sign::Replace,
        (Action::Modify, Replacement::Conditional) | (Action::Dynamic, _) => Sign::MayReplace,
        _ => Sign::Change,
    };
    let what = match sign {
        Sign::Replace => "is replaced",
        Sign::MayReplace => "may be replaced",
        Sign::Remove => "is removed",
        Sign::Import => "is imported",
        _ => "",
    };
    let fate = resource
        .fate()
        .map(|fate| format!("; what is there is {fate}"));
    let mut remark = what.to_owned();
    if sign != Sign::Add && sign != Sign::Change {
        remark += &fate.unwrap_or_default();
    }
    Line::new(
        sign,
        format!("{}  {}", resource.logical_id, resource.resource_type),
    )
    .remark(remark)
}

fn property_line(property: &PropertyChange, all: bool) -> Line {
    let mut remarks = Vec::new();
    match property.recreation {
        Replacement::Always => remarks.push("replaces".to_owned()),
        Replacement::Conditional => remarks.push("may replace".to_owned()),
        Replacement::Never => {}
    }
    let causes: Vec<_> = property.causes.iter().map(ToString::to_string).collect();
    if !causes.is_empty() {
        remarks.push(format!("by {}", causes.join(" and ")));
    }
    Line {
        inner: true,
        ..Line::new(
            signed(&property.before, &property.after),
            valued(&property.place(), &property.before, &property.after, all),
        )
        .remark(remarks.join(", "))
    }
}

fn access_lines(report: &StackReport, all: bool) -> Vec<Line> {
    let mut by_resource: BTreeMap<&str, Vec<&Access>> = BTreeMap::new();
    for access in &report.access {
        by_resource
            .entry(&access.logical_id)
            .or_default()
            .push(access);
    }
    by_resource
        .into_iter()
        .flat_map(|(resource, all_access)| {
            all_access.into_iter().map(move |access| (resource, access))
        })
        .map(|(resource, access)| {
            let sign = if access.given {
                Sign::Add
            } else {
                Sign::Remove
            };
            let (text, remark) = access_text(&access.kind, all);
            Line::new(sign, format!("{resource}  {text}")).remark(remark)
        })
        .collect()
}

fn access_text(kind: &AccessKind, all: bool) -> (String, String) {
    match kind {
        AccessKind::Statement {
            effect,
            principals,
            actions,
            resources,
            condition,
        } => {
            let mut text = format!("{effect} ");
            if !principals.is_empty() {
                let _ = write!(text, "{}: ", listed(principals, all));
            }
            text += &listed(actions, all);
            if !resources.is_empty() {
                let _ = write!(text, " on {}", listed(resources, all));
            }
            let condition = condition
                .as_ref()
                .map(|condition| format!("if {condition}"));
            (text, condition.unwrap_or_default())
        }
        AccessKind::ManagedPolicy { arn } => (format!("managed policy {arn}"), String::new()),
        AccessKind::Network {
            direction,
            protocol,
            ports,
            peer,
        } => {
            let way = if *direction == "ingress" {
                "from"
            } else {
                "to"
            };
            let open = if peer == "0.0.0.0/0" || peer == "::/0" {
                "the whole internet"
            } else {
                ""
            };
            (
                format!("{direction} {protocol} port {ports} {way} {peer}"),
                open.to_owned(),
            )
        }
    }
}

/// A list on one line; the end of a long one is a number.
fn listed(texts: &[String], all: bool) -> String {
    const MOST: usize = 6;
    if all || texts.len() <= MOST {
        return texts.join(", ");
    }
    format!(
        "{} and {} more",
        texts[..MOST].join(", "),
        texts.len() - MOST
    )
}

fn guarded_lines(report: &StackReport) -> Vec<Line> {
    report
        .guarded
        .iter()
        .map(|guarded| {
            let allow = format!(
                "a deploy stops here unless it has `--allow-replace {}/{}`",
                report.stack, guarded.logical_id
            );
            Line::new(Sign::Note, format!("{}: {allow}", guarded.sentence()))
        })
        .collect()
}
