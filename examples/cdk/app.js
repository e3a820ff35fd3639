// Stackway's templates in a CDK app, two ways: see docs/interop.md.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { App, CfnOutput, DefaultStackSynthesizer, Duration, Stack } = require('aws-cdk-lib');
const { Alarm, Metric } = require('aws-cdk-lib/aws-cloudwatch');
const { CfnInclude } = require('aws-cdk-lib/cloudformation-include');

const templates = path.join(__dirname, '..', '..', 'cloudformation');
// CfnInclude makes an object of its own out of a condition on an update policy, which CloudFormation would refuse. So the
// policy of the API's alias is said again.
const restoreUpdatePolicy = (api) => {
  const alias = api.getResource('LiveAlias');
  alias.cfnOptions.updatePolicy = undefined;
  const rollout = {
    ApplicationName: { Ref: 'RolloutApplication' },
    DeploymentGroupName: { Ref: 'RolloutGroup' },
    BeforeAllowTrafficHook: { Ref: 'PreTraffic' },
  };
  alias.addOverride('UpdatePolicy', {
    'Fn::If': ['RollsOut', { CodeDeployLambdaAliasUpdate: rollout }, { Ref: 'AWS::NoValue' }],
  });
};

const app = new App({ analyticsReporting: false });
// Templates have no assets, so nothing of `cdk bootstrap` is needed.
const plain = () => new DefaultStackSynthesizer({ generateBootstrapVersionRule: false });

// 1. Each template as it is, a stack each. `cdk deploy` then takes its parameters as any others.
for (const file of fs.readdirSync(templates).filter((name) => name.endsWith('.yaml')).sort()) {
  const name = path.basename(file, '.yaml');
  const stack = new Stack(app, `as-is-${name}`, { synthesizer: plain() });
  const template = new CfnInclude(stack, 'Template', { templateFile: path.join(templates, file) });
  if (name === 'api') restoreUpdatePolicy(template);
}

// 2. A stack of one's own that has two of them, wired to each other, and something beside them.
class Orders extends Stack {
  constructor(scope, id, props) {
    super(scope, id, props);
    const common = { Project: 'acme', Environment: 'orders' };
    const include = (name, parameters) =>
      new CfnInclude(this, name, {
        templateFile: path.join(templates, `${name}.yaml`),
        parameters: { ...common, ...parameters },
      });

    const table = include('table', { DeletionProtection: 'true' }).getResource('Table');
    const api = include('api', {
      TableName: table.ref,
      TableArn: table.attrArn,
      // A zip in a bucket of one's own: `cargo xtask package` builds it.
      CodeS3Bucket: 'acme-artifacts',
      CodeS3Key: 'api.zip',
    });

    restoreUpdatePolicy(api);

    const url = api.getOutput('ApiUrl').value;
    new CfnOutput(this, 'OrdersUrl', { value: url, description: 'Where orders are.' });
    new Alarm(this, 'Idle', {
      metric: new Metric({
        namespace: 'AWS/Lambda',
        metricName: 'Invocations',
        dimensionsMap: { FunctionName: api.getResource('Function').ref },
        statistic: 'Sum',
        period: Duration.hours(1),
      }),
      threshold: 1,
      comparisonOperator: 'LessThanThreshold',
      evaluationPeriods: 1,
    });
  }
}

new Orders(app, 'orders', { synthesizer: plain() });
