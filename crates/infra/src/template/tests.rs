use std::fmt::Write;

use super::*;

fn parse(text: &str) -> Result<Template, TemplateError> {
    Template::parse(text, Path::new("t.yaml"))
}

#[track_caller]
fn good(text: &str) -> Template {
    parse(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn values(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

const BUCKET: &str = "Resources:\n  Bucket:\n    Type: AWS::S3::Bucket\n";

#[test]
fn the_project_s_templates_are_good() {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../cloudformation"));
    let roles = crate::stack_def::STACK_SET_ROLES;
    for def in crate::stack_def::STACKS.iter().chain(roles) {
        let template = Template::load(&folder.join(format!("{}.yaml", def.name))).unwrap();
        let faults: Vec<_> = template.check().iter().map(ToString::to_string).collect();
        assert!(faults.is_empty(), "{}: {faults:#?}", def.name);
        for output in def.outputs {
            assert!(
                template.outputs.contains_key(*output),
                "{}: {output}",
                def.name
            );
        }
    }
}

#[test]
fn short_forms_become_long_ones() {
    for (short, long) in [
        ("!Ref A", r#"{"Ref":"A"}"#),
        ("!GetAtt A.B.C", r#"{"Fn::GetAtt":["A","B.C"]}"#),
        ("!GetAtt [A, B]", r#"{"Fn::GetAtt":["A","B"]}"#),
        ("{Fn::GetAtt: A.B}", r#"{"Fn::GetAtt":["A","B"]}"#),
        ("!Sub '${A}-b'", r#"{"Fn::Sub":"${A}-b"}"#),
        (
            "!Sub ['${A}', {A: !Ref B}]",
            r#"{"Fn::Sub":["${A}",{"A":{"Ref":"B"}}]}"#,
        ),
        (
            "!If [C, !Ref A, !Ref AWS::NoValue]",
            r#"{"Fn::If":["C",{"Ref":"A"},{"Ref":"AWS::NoValue"}]}"#,
        ),
        (
            "!Join ['-', [a, 1, true]]",
            r#"{"Fn::Join":["-",["a",1,true]]}"#,
        ),
        ("!GetAZs ''", r#"{"Fn::GetAZs":""}"#),
        ("{200: a, true: b}", r#"{"200":"a","true":"b"}"#),
        ("2012-10-17", r#""2012-10-17""#),
        ("000000000000", r#""000000000000""#),
        ("1.5", "1.5"),
        (".inf", r#"".inf""#),
    ] {
        let template = good(&format!("{BUCKET}    Properties:\n      P: {short}\n"));
        assert_eq!(
            template.resources["Bucket"].properties["P"].to_string(),
            long,
            "{short}"
        );
    }
}

#[test]
fn json_is_a_template_too() {
    let template =
        good(r#"{"Resources": {"Bucket": {"Type": "AWS::S3::Bucket", "DependsOn": ["A", "B"]}}}"#);
    assert_eq!(template.resources["Bucket"].depends_on, ["A", "B"]);
}

#[test]
fn what_is_no_template() {
    let cases = [
        ("nothing", String::new()),
        ("a word", "hello".to_owned()),
        ("a tab", "Resources:\n\tBucket: {}".to_owned()),
        ("not closed", "Resources: [".to_owned()),
        (
            "a key twice",
            format!("{BUCKET}  Bucket:\n    Type: AWS::S3::Bucket\n"),
        ),
        ("two documents", format!("{BUCKET}---\n{BUCKET}")),
        ("no resources", "Description: x".to_owned()),
        ("resources that are a list", "Resources: [a]".to_owned()),
        ("a section that is not", format!("{BUCKET}Output: {{}}\n")),
        (
            "another version",
            format!("AWSTemplateFormatVersion: 2010-09-10\n{BUCKET}"),
        ),
        (
            "an unknown tag",
            format!("{BUCKET}    Properties:\n      Name: !Reff A\n"),
        ),
        (
            "a resource without a type",
            "Resources:\n  Bucket:\n    Properties: {}\n".to_owned(),
        ),
        (
            "a resource's unknown key",
            format!("{BUCKET}    Propertys: {{}}\n"),
        ),
        ("a resource's name", BUCKET.replace("Bucket:", "My-Bucket:")),
        (
            "properties that are a list",
            format!("{BUCKET}    Properties: []\n"),
        ),
        (
            "DependsOn that is a number",
            format!("{BUCKET}    DependsOn: [1]\n"),
        ),
        (
            "a parameter without a type",
            format!("Parameters:\n  A:\n    Default: a\n{BUCKET}"),
        ),
        (
            "a parameter's length",
            format!("Parameters:\n  A:\n    Type: String\n    MaxLength: -1\n{BUCKET}"),
        ),
        (
            "a parameter's bound",
            format!("Parameters:\n  A:\n    Type: Number\n    MinValue: one\n{BUCKET}"),
        ),
        (
            "a parameter's secrecy",
            format!("Parameters:\n  A:\n    Type: String\n    NoEcho: maybe\n{BUCKET}"),
        ),
        (
            "a parameter's values",
            format!("Parameters:\n  A:\n    Type: String\n    AllowedValues: a\n{BUCKET}"),
        ),
        (
            "an output without a value",
            format!("{BUCKET}Outputs:\n  A:\n    Description: a\n"),
        ),
    ];
    let mut all = String::new();
    for (case, text) in cases {
        let error = parse(&text).expect_err(case);
        writeln!(all, "# {case}\n{error}\n").unwrap();
    }
    let absent = Template::load(Path::new("no/such.yaml")).unwrap_err();
    assert_eq!(absent.kind(), TemplateErrorKind::NotFound);
    writeln!(all, "# no file\n{absent}").unwrap();
    insta::assert_snapshot!(all);
}

/// The faults of a template in which `lines` follow a parameter, a condition and a resource.
fn faults(lines: &str) -> String {
    let text = format!(
        "Parameters:
  Name:
    Type: String
    Description: a name
    MaxLength: 9
Conditions:
  Named: !Not [!Equals [!Ref Name, '']]
Mappings:
  Zones:
    eu-west-2: {{zone: a}}
{lines}"
    );
    let faults = good(&text).check();
    lines_of(&faults)
}

/// One a line, as a person reads them.
fn lines_of(items: &[impl ToString]) -> String {
    items.iter().fold(String::new(), |lines, item| {
        lines + &item.to_string() + "\n"
    })
}

#[test]
fn what_cloudformation_would_refuse() {
    let with = |value: &str| format!("{BUCKET}    Properties:\n      P: {value}\n");
    let parameter =
        |lines: &str| format!("{BUCKET}Parameters:\n  A:\n    Description: a\n    {lines}\n");
    let mut all = String::new();
    for (case, lines) in [
        ("Ref", with("!Ref Nam")),
        (
            "Ref of a pseudo parameter that is not",
            with("!Ref AWS::Zone"),
        ),
        ("GetAtt", with("!GetAtt Buckets.Arn")),
        ("GetAtt of a parameter", with("!GetAtt Name.Arn")),
        ("GetAtt without an attribute", with("!GetAtt Bucket")),
        (
            "Sub",
            with("!Sub 'a-${Names}-${Bucke.Arn}-${!Literal}-${AWS::Region}-${Name}'"),
        ),
        (
            "Sub with names of its own",
            with("!Sub ['${Own}-${Other}', {Own: !Ref Nobody}]"),
        ),
        ("Sub that is not closed", with("!Sub 'a-${Name'")),
        ("If", with("!If [Name, a, !Ref Nobody]")),
        ("If with two parts", with("!If [Named, a]")),
        (
            "FindInMap",
            with("!FindInMap [Zone, !Ref AWS::Regio, zone]"),
        ),
        ("a function beside keys", with("{Ref: Name, Other: a}")),
        (
            "a policy's Condition is none",
            with("{Condition: {StringEquals: {a: b}}}"),
        ),
        ("Condition", format!("{BUCKET}    Condition: Name\n")),
        (
            "DependsOn",
            format!("{BUCKET}    DependsOn: [Bukket, Bucket, Name]\n"),
        ),
        ("a resource that needs itself", with("!GetAtt Bucket.Arn")),
        (
            "resources that need each other",
            format!(
                "{BUCKET}    DependsOn: B\n  B:\n    Type: A::B::C\n    Properties: {{P: !Sub '${{Bucket}}'}}\n  C:\n    Type: A::B::C\n    DependsOn: B\n"
            ),
        ),
        ("a type", BUCKET.replace("AWS::S3::Bucket", "S3 Bucket")),
        (
            "policies",
            format!(
                "{BUCKET}    DeletionPolicy: Keep\n    UpdateReplacePolicy: RetainExceptOnCreate\n"
            ),
        ),
        (
            "an output",
            format!(
                "{BUCKET}Outputs:\n  A:\n    Value: !Ref Buckets\n    Condition: No\n    Export: {{Name: !Sub '${{X}}'}}\n"
            ),
        ),
        (
            "a transform",
            format!("Transform: AWS::Serverless-2016-10-31\n{BUCKET}"),
        ),
        ("a size", format!("{BUCKET}# {}\n", "x".repeat(BODY_MAX))),
    ] {
        writeln!(all, "# {case}\n{}", faults(&lines)).unwrap();
    }
    for (case, lines) in [
        ("an unbounded parameter", "Type: String"),
        ("a type of parameter", "Type: Text\n    MaxLength: 3"),
        (
            "a default out of bounds",
            "Type: Number\n    MinValue: 1\n    MaxValue: 3\n    Default: 4",
        ),
        ("a type of AWS", "Type: AWS::EC2::VPC::Id"),
    ] {
        let faults = good(&parameter(lines)).check();
        writeln!(all, "# {case}\n{}", lines_of(&faults)).unwrap();
    }
    for (case, lines) in [
        ("a condition on a resource", "  C: !Equals [!Ref Bucket, a]"),
        ("a condition on nothing", "  C: !Not [!Condition D]"),
        ("a condition on itself", "  C: !Not [!Condition C]"),
        ("a condition that is none", "  C: !Ref AWS::Region"),
    ] {
        let faults = good(&format!("{BUCKET}Conditions:\n{lines}\n")).check();
        writeln!(all, "# {case}\n{}", lines_of(&faults)).unwrap();
    }
    insta::assert_snapshot!(all);
}

#[test]
fn values_are_held_against_their_bounds() {
    let template = good(&format!(
        "Parameters:
  Word: {{Type: String, AllowedPattern: '[a-z]+|[0-9]+', MaxLength: 5, MinLength: 2}}
  Choice: {{Type: String, AllowedValues: [a, 1, true], Default: a}}
  Count: {{Type: Number, MinValue: 1, MaxValue: 2.5, Default: 1}}
  Items: {{Type: CommaDelimitedList, AllowedPattern: '[a-z]', Default: 'a, b', ConstraintDescription: one letter each}}
  Secret: {{Type: String, NoEcho: true, MinLength: 8, Default: 12345678}}
  Java: {{Type: String, AllowedPattern: '(?!x)a', Default: x}}
{BUCKET}"
    ));
    let mut all = String::new();
    for given in [
        &[("Word", "abc")] as &[_],
        &[],
        &[("Word", "abc"), ("Wrod", "abc"), ("Else", "")],
        &[("Word", "a")],
        &[("Word", "abcdef")],
        &[("Word", "abc1")],
        &[("Word", "ab\n")],
        &[("Word", "éé")],
        &[("Word", "ab"), ("Choice", "b")],
        &[("Word", "ab"), ("Choice", "1")],
        &[("Word", "ab"), ("Count", "0.5")],
        &[("Word", "ab"), ("Count", "3")],
        &[("Word", "ab"), ("Count", "two")],
        &[("Word", "ab"), ("Count", "NaN")],
        &[("Word", "ab"), ("Items", "a,bb")],
        &[("Word", "ab"), ("Secret", "short")],
        &[("Word", &"x".repeat(5000))],
    ] {
        let shown: Vec<_> = given
            .iter()
            .map(|(name, value)| format!("{name}={}", value.chars().take(9).collect::<String>()))
            .collect();
        let faults = template
            .check_parameters(&values(given))
            .err()
            .unwrap_or_default();
        let faults = lines_of(&faults);
        writeln!(all, "{shown:?}\n{faults}").unwrap();
    }
    insta::assert_snapshot!(all);
}

const CONDITIONAL: &str = "
Parameters:
  Kind: {Type: String, Default: zip}
  Size: {Type: Number, Default: 1}
Mappings:
  Regions:
    eu-west-2: {free: yes}
    us-east-1: {free: no}
Conditions:
  Image: !Equals [!Ref Kind, image]
  Zip: !Not [!Condition Image]
  Small: !Equals [!Ref Size, '1']
  SmallZip: !And [!Condition Small, !Condition Zip]
  Either: !Or [!Condition Image, !Condition Small]
  Free: !Equals [!FindInMap [Regions, !Ref AWS::Region, free], yes]
Resources:
  Always: {Type: A::B::Always}
  I: {Type: A::B::Image, Condition: Image}
  Z: {Type: A::B::Zip, Condition: Zip}
  S: {Type: A::B::SmallZip, Condition: SmallZip}
  E: {Type: A::B::Either, Condition: Either}
  F: {Type: A::B::Free, Condition: Free}
  N: {Type: A::B::Unknown, Condition: Nowhere}
  Chosen: {Type: A::B::C, Properties: {P: !If [Image, !Ref I, !Ref Z]}}
Outputs:
  ImageOut: {Value: !Ref I, Condition: Image, Description: d}
  Careless: {Value: !GetAtt I.Arn, Description: d}
";

#[test]
fn conditions_say_which_resources_exist() {
    let template = good(CONDITIONAL);
    for (given, expected) in [
        (&[] as &[(&str, &str)], "Always Chosen E F N S Z"),
        (&[("Kind", "image")], "Always Chosen E F I N"),
        (
            &[("Size", "2"), ("AWS::Region", "us-east-1")],
            "Always Chosen N Z",
        ),
        (
            &[
                ("AWS::Region", "eu-west-2"),
                ("Kind", "image"),
                ("Size", "2"),
            ],
            "Always Chosen E F I N",
        ),
    ] {
        let names: Vec<_> = template
            .resource_types(&values(given))
            .into_keys()
            .collect();
        assert_eq!(names.join(" "), expected, "{given:?}");
    }
}

#[test]
fn what_is_switched_off_is_not_referred_to() {
    let template = good(CONDITIONAL);
    let shown = |given| {
        template
            .check_conditions(&values(given))
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        shown(&[]),
        ["line 27: Outputs.Careless: refers to `I`, which condition `Image` switches off"]
    );
    assert!(shown(&[("Kind", "image")]).is_empty());
}

#[test]
fn capabilities_are_the_least_that_suffice() {
    for (resource, expected) in [
        ("AWS::S3::Bucket, Properties: {RoleName: a}", vec![]),
        ("AWS::IAM::Role", vec![Capability::Iam]),
        (
            "AWS::IAM::Policy, Properties: {PolicyName: a}",
            vec![Capability::Iam],
        ),
        (
            "AWS::IAM::Role, Properties: {RoleName: a}",
            vec![Capability::NamedIam],
        ),
    ] {
        let template = good(&format!(
            "Resources:\n  A: {{Type: {resource}}}\n  B: {{Type: A::B::C}}\n"
        ));
        assert_eq!(template.capabilities(), expected, "{resource}");
    }
}

#[test]
fn a_cycle_of_conditions_ends() {
    let text = format!(
        "Conditions:\n  A: !Not [!Condition B]\n  B: !Not [!Condition A]\n{BUCKET}    Condition: A\n"
    );
    assert_eq!(good(&text).resource_types(&BTreeMap::new()).len(), 1);
}

proptest::proptest! {
    #[test]
    fn no_text_panics(text in "\\PC{0,200}") {
        let _ = parse(&text);
    }

    #[test]
    fn no_shape_panics(
        tag in proptest::sample::select(vec!["Ref", "GetAtt", "Sub", "If", "Join", "Equals", "FindInMap", "Condition"]),
        value in "[\\[\\]{}a-zA:'\", ${}.!0-9-]{0,40}",
        key in proptest::sample::select(vec!["Type", "Properties", "Condition", "DependsOn", "Value", "Default", "AllowedPattern"]),
    ) {
        for section in ["Resources", "Outputs", "Parameters"] {
            let text = format!("{BUCKET}  A:\n    Type: A::B::C\nConditions:\n  C: !{tag} {value}\n{section}:\n  B:\n    {key}: !{tag} {value}\n");
            let plain = format!("{section}:\n  Bucket:\n    Type: String\n    Value: a\n    {key}: {value}\n");
            for text in [text, plain] {
                if let Ok(template) = parse(&text) {
                    template.check();
                    let given = BTreeMap::from([("B".to_owned(), value.clone())]);
                    let _ = template.check_parameters(&given);
                    template.check_conditions(&given);
                    template.resource_types(&given);
                    template.capabilities();
                }
            }
        }
    }
}

/// Whether a parameter is asked for follows from what the other values leave.
#[test]
fn a_parameter_that_is_switched_off_is_not_used() {
    let template = good(
        r"
Parameters:
  On: {Type: String, Default: 'false'}
  Days: {Type: Number, Default: 0}
  Key: {Type: String}
  Name: {Type: String}
Conditions:
  IsOn: !Equals [!Ref On, 'true']
  Both: !And [!Condition IsOn, !Not [!Equals [!Ref Days, '0']]]
Resources:
  Made: {Type: AWS::Lambda::Function, Condition: Both, Properties: {Code: {S3Key: !Ref Key}}}
  Always: {Type: AWS::SSM::Parameter, Properties: {Value: !If [IsOn, !Ref Name, none]}}
",
    );
    let uses = |name: &str, on: &str, days: &str| {
        template.uses_parameter(name, &values(&[("On", on), ("Days", days)]))
    };
    assert!(!uses("Key", "false", "30"));
    assert!(!uses("Key", "true", "0"));
    assert!(uses("Key", "true", "30"));
    assert!(!uses("Name", "false", "30"));
    assert!(uses("Name", "true", "0"));
    assert!(!template.uses_parameter("Name", &BTreeMap::new()));
}
