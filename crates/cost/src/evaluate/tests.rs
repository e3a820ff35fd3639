use std::fmt::Write;

use super::*;

const TEMPLATE: &str = "
Parameters:
  Env: {Type: String, Default: dev}
  Count: {Type: Number, Default: 3}
  Key: {Type: String, Default: ''}
  Perhaps: {Type: String, Default: ''}
  Names: {Type: CommaDelimitedList, Default: 'a, b'}
  Vpc: {Type: 'AWS::EC2::VPC::Id'}
  Ami: {Type: 'AWS::SSM::Parameter::Value<String>', Default: /ami}
Mappings:
  Sizes:
    dev: {memory: 128, list: [x, y]}
    eu-west-2: {memory: 256}
Conditions:
  IsDev: !Equals [!Ref Env, dev]
  IsProd: !Not [!Condition IsDev]
  Both: !And [!Condition IsDev, !Equals [!Ref Count, '3']]
  Either: !Or [!Condition IsProd, !Condition Both]
  Unsure: !Equals [!Ref Vpc, vpc-1]
  Sure: !Or [!Condition Unsure, !Condition IsDev]
  Loop: !Not [!Condition Loop]
  HasKey: !Not [!Equals [!Ref Key, '']]
  HasTopic: !Not [!Equals ['', !Ref Topic]]
  HasPerhaps: !Not [!Equals [!Ref Perhaps, '']]
  HasArn: !Not [!Equals [!GetAtt Topic.TopicArn, none]]
Resources:
  Table:
    Type: AWS::DynamoDB::Table
    Properties: {TableName: !Sub '${Env}-table'}
  Topic: {Type: AWS::SNS::Topic}
  Off: {Type: A::B::C, Condition: IsProd}
  Maybe: {Type: A::B::C, Condition: Unsure}
  X:
    Type: A::B::C
    Properties:
      P: EXPRESSION
";

/// What an expression comes to, and the gaps that it leaves beside those of the rest.
fn of(expression: &str) -> String {
    let place = Place {
        region: "eu-west-2".into(),
        account: None,
        stack_name: "s".into(),
    };
    let given = BTreeMap::from([
        ("Count".to_owned(), Given::Text("3".into())),
        (
            "Key".to_owned(),
            Given::Later(Form::Filled, "it comes later".into()),
        ),
        (
            "Perhaps".to_owned(),
            Given::Later(Form::Any, "nobody knows".into()),
        ),
    ]);
    let quiet = |text: &str| {
        let template = Template::parse(&TEMPLATE.replace("EXPRESSION", text)).unwrap();
        let mut evaluator = Evaluator::new(&template, &given, &place);
        let resources = evaluator.resources();
        let value = resources
            .iter()
            .find(|resource| resource.id == "X")
            .unwrap();
        (value.properties.at(&["P"]).clone(), evaluator.gaps())
    };
    let (_, rest) = quiet("1");
    let (value, gaps) = quiet(expression);
    let value = match value {
        Value::Unknown(unknown) => format!("unknown, line {}: {}", unknown.line, unknown.why),
        Value::Absent => "absent".to_owned(),
        Value::Resource(id) => format!("resource {id}"),
        value => value.json().unwrap().to_string(),
    };
    let gaps: Vec<_> = (gaps.iter().filter(|gap| !rest.contains(gap)))
        .map(|gap| format!("\n    gap, line {}: {}", gap.line, gap.what))
        .collect();
    value + &gaps.concat()
}

#[test]
fn functions() {
    let mut all = String::new();
    for expression in [
        "!Ref Env",
        "!Ref Count",
        "!Ref Names",
        "!Ref Table",
        "!Ref Topic",
        "!Ref AWS::Region",
        "!Ref AWS::NoValue",
        "!Ref AWS::AccountId",
        "!Ref Vpc",
        "!Ref Ami",
        "!Ref Nowhere",
        "!Ref [a]",
        "!GetAtt Table.Arn",
        "!GetAtt [Table, Arn]",
        "!GetAtt Nobody.Arn",
        "!GetAtt Table",
        "!Sub 'a-${Env}-${!Literal}-${AWS::Region}-${Table}'",
        "!Sub ['${A}${Env}', {A: !Ref Count}]",
        "!Sub '${Table.Arn}/x'",
        "!Sub '${Env'",
        "!Sub {a: b}",
        "!If [IsDev, yes, no]",
        "!If [IsProd, yes, !Ref AWS::NoValue]",
        "!If [Both, 1, 2]",
        "!If [Either, 1, 2]",
        "!If [Sure, 1, 2]",
        "!If [Unsure, 1, 2]",
        "!If [HasKey, 1, 2]",
        "!If [HasTopic, 1, 2]",
        "!If [HasPerhaps, 1, 2]",
        "!If [HasArn, 1, 2]",
        "!If [Loop, 1, 2]",
        "!If [Nobody, 1, 2]",
        "!If [IsDev, 1]",
        "!Join ['-', [a, !Ref Env, 1]]",
        "!Join ['-', !Ref Names]",
        "!Join ['-', [a, !GetAtt Table.Arn]]",
        "!Join ['-', [a, [b]]]",
        "!Split [',', 'a,b']",
        "!Select [1, !Ref Names]",
        "!Select [5, !Ref Names]",
        "!Select [0, !GetAZs '']",
        "!FindInMap [Sizes, !Ref Env, memory]",
        "!FindInMap [Sizes, !Ref AWS::Region, memory]",
        "!FindInMap [Sizes, dev, list]",
        "!FindInMap [Sizes, prod, memory]",
        "!FindInMap [Sizes, prod, memory, {DefaultValue: 64}]",
        "!Length {Ref: Names}",
        "Fn::Length: [1, 2, 3]",
        "Fn::ToJsonString: {a: [1, !Ref Env]}",
        "!Base64 abc",
        "!Cidr [10.0.0.0/24, 2, 5]",
        "!Cidr [10.0.0.0/24, 300]",
        "!Cidr [10.0.0.0/28, 2, 8]",
        "!Select [1, !Cidr [10.0.0.0/16, 6]]",
        "!ImportValue shared-vpc",
        "{'Fn::Transform': {Name: Other}}",
        "!Equals [1, 1]",
        "!Nonsense x",
        "'{{resolve:secretsmanager:s}}'",
        "{a: 1, b: !Ref AWS::NoValue}",
        "{'Fn::ForEach::L': [N, !Ref Names, {'k${N}': '${N}!', 'p&{N}': !Ref N}]}",
        "{'Fn::ForEach::L': [N, [1.5, x-y], {'k&{N}': !Sub 'v-${N}'}]}",
        "{'Fn::ForEach::L': [N, !Ref Vpc, {'k${N}': 1}]}",
        "{'Fn::ForEach::L': nothing}",
    ] {
        let expression = match expression.strip_prefix("Fn::") {
            Some(_) => format!("\n        {expression}"),
            None => expression.to_owned(),
        };
        writeln!(all, "{}\n  → {}", expression.trim(), of(&expression)).unwrap();
    }
    insta::assert_snapshot!(all);
}

#[test]
fn conditions_and_loops_say_which_resources_there_are() {
    let template = Template::parse(
        "
Transform: [AWS::LanguageExtensions, Mine]
Parameters: {On: {Type: String, Default: 'true'}}
Conditions: {IsOn: !Equals [!Ref On, 'true']}
Resources:
  A: {Type: T, Condition: IsOn}
  B: {Properties: {}}
  'Fn::ForEach::Outer':
    - O
    - [x, y]
    - 'Fn::ForEach::Inner':
        - I
        - ['1', '2']
        - 'R${O}${I}': {Type: T, Properties: {Name: !Sub '${O}-${I}', Same: !Ref O}}
Outputs:
  Name: {Value: !Ref On}
  Gone: {Value: 1, Condition: IsOff}
",
    )
    .unwrap();
    let place = Place {
        region: "eu-west-2".into(),
        account: None,
        stack_name: "s".into(),
    };
    let given = BTreeMap::from([("Wrong".to_owned(), Given::Text(String::new()))]);
    let mut evaluator = Evaluator::new(&template, &given, &place);
    let mut all = String::new();
    for resource in evaluator.resources() {
        let properties = resource.properties.json().unwrap();
        writeln!(all, "line {}: {} {properties}", resource.line, resource.id).unwrap();
    }
    writeln!(all, "outputs: {:?}", evaluator.outputs().into_keys()).unwrap();
    for gap in evaluator.gaps() {
        writeln!(all, "gap, line {}: {}", gap.line, gap.what).unwrap();
    }
    insta::assert_snapshot!(all);
}

/// Each of these asks for more than could ever be made; all of them end in gaps within the bounds.
#[test]
fn what_would_never_end_ends() {
    let place = Place {
        region: "eu-west-2".into(),
        account: None,
        stack_name: "s".into(),
    };
    let lots: Vec<String> = (0..200).map(|number| number.to_string()).collect();
    let list = format!("[{}]", lots.join(", "));
    let mut loops = "R${A}${B}${C}${D}: {Type: T}".to_owned();
    for name in ["A", "B", "C", "D"] {
        loops = format!("'Fn::ForEach::{name}': [{name}, {list}, {{{loops}}}]");
    }
    let laughs = (1..40)
        .map(|step| format!("a{step}: &a{step} [*a{0}, *a{0}, *a{0}]\n", step - 1))
        .collect::<Vec<_>>()
        .concat();
    let doubling = (0..30).fold("x".repeat(1000), |inner, _| inner);
    let chain = (0..300)
        .map(|step| {
            format!(
                "  R{step}: {{Type: 'AWS::S3::Bucket', Properties: {{BucketName: !Ref R{}}}}}\n",
                (step + 1) % 300
            )
        })
        .collect::<Vec<_>>()
        .concat();
    let sub = format!("!Sub ['{}', {{V: '{doubling}'}}]", "${V}".repeat(40_000));
    for text in [
        format!(
            "Resources: {{{}}}",
            loops.replace("R${", "'R${").replace("D}:", "D}':")
        ),
        format!("a0: &a0 [x]\n{laughs}Resources: {{A: {{Type: T, Properties: {{P: *a39}}}}}}"),
        format!("Resources:\n{chain}"),
        format!("Resources: {{A: {{Type: T, Properties: {{P: {sub}}}}}}}"),
    ] {
        let template = Template::parse(&text).unwrap();
        let given = BTreeMap::new();
        let mut evaluator = Evaluator::new(&template, &given, &place);
        evaluator.resources();
        let gaps = evaluator.gaps();
        assert!(
            gaps.iter()
                .any(|gap| gap.what.contains("too large") || gap.what.contains("waits for itself")),
            "{gaps:?}"
        );
    }
}
