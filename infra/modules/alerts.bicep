import { textByName } from 'types.bicep'

metadata description = 'Who is told, and of what. infra/README.md says how to read each alert.'

param actionGroupName string
param environmentName string
param location string
param tags textByName
param emails string[]
param workspaceName string
param insightsName string
param vaultName string
param appName string

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-02-01' existing = {
  name: workspaceName
}

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: insightsName
}

resource actionGroup 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: actionGroupName
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: take('basiq${environmentName}', 12)
    emailReceivers: [
      for (email, i) in emails: {
        name: 'email-${i}'
        emailAddress: email
        useCommonAlertSchema: true
      }
    ]
  }
}

// Each query gives a row when there is something to tell, and none when there is not. Rates are taken from metrics, which are
// counted whole; log lines and requests are sampled, and looked for where one is enough.
var rules = [
  {
    name: 'token-refresh-failing'
    title: 'Basiq: the server token is not renewed'
    description: 'Renewals of the server token failed within half an hour, and none succeeded. The token in use serves on until it expires.'
    severity: 1
    window: 'PT30M'
    query: '''
      AppMetrics
      | where Name == 'basiq.server_token.refreshes'
      | extend Outcome = tostring(Properties['basiq.outcome'])
      | summarize Failed = sumif(Sum, Outcome != 'success'), Succeeded = sumif(Sum, Outcome == 'success')
      | where Failed > 0 and Succeeded == 0
    '''
  }
  {
    name: 'token-old'
    title: 'Basiq: the server token is older than 45 minutes'
    description: 'The vault took no server token in 45 minutes, or an instance serves with one that is older. The timer renews it every 20.'
    severity: 1
    window: 'PT45M'
    // The vault's own log notices too when the app does not run at all.
    query: '''
      let Stored = toscalar(
        AZKVAuditLogs
        | where _ResourceId endswith '/vaults/VAULT' and OperationName == 'SecretSet' and HttpStatusCode == 200
        | where RequestUri has '/secrets/basiq-server-token'
        | count);
      let Age = toscalar(
        AppMetrics
        | where Name == 'basiq.server_token.age' and TimeGenerated > ago(10m)
        | summarize max(Max));
      print Stored = Stored, AgeInSeconds = Age
      | where Stored == 0 or AgeInSeconds > 2700
    '''
  }
  {
    name: 'syncs-failing'
    title: 'Basiq: syncs fail'
    description: 'Three syncs or more, and more than a tenth of all, failed within half an hour.'
    severity: 2
    window: 'PT30M'
    query: '''
      AppMetrics
      | where Name == 'basiq.sync.duration'
      | extend Outcome = tostring(Properties['basiq.outcome'])
      | summarize Failed = sumif(ItemCount, Outcome == 'failed'), Ended = sum(ItemCount)
      | where Failed >= 3 and Failed * 10 > Ended
    '''
  }
  {
    name: 'basiq-refuses'
    title: 'Basiq: our calls are refused'
    description: 'Basiq answered 401 or 403 that a new token did not heal: the API key is wrong, revoked, or lacks a permission.'
    severity: 1
    window: 'PT15M'
    query: '''
      let Refused = toscalar(
        AppMetrics
        | where Name == 'basiq.call.duration'
        | where tostring(Properties['basiq.outcome']) in ('unauthorized', 'forbidden')
        | summarize sum(ItemCount));
      let TokensRefused = toscalar(
        AppTraces
        | where tostring(Properties.EventId) == '1102' and tostring(Properties.CategoryName) startswith 'BasiqFunctions.'
        | count);
      print Refused = coalesce(Refused, 0), TokensRefused = TokensRefused
      | where Refused >= 3 or TokensRefused >= 3
    '''
  }
  {
    name: 'removals-held'
    title: 'Basiq: users seem to be gone, and their data waits for a word'
    description: 'The daily pass found Basiq to have nothing of more users than may go at once, or of anybody. Their data stays until somebody confirms that they are gone.'
    severity: 1
    window: 'PT1H'
    query: '''
      AppMetrics
      | where Name == 'basiq.retention.held'
      | summarize Users = sum(Sum)
      | where Users > 0
    '''
  }
  {
    name: 'data-damaged'
    title: 'Basiq: what is stored is damaged'
    description: 'Something was read that is not what had been stored; it was not given out.'
    severity: 1
    window: 'PT15M'
    query: '''
      AppMetrics
      | where Name == 'basiq.storage.damages'
      | summarize Damaged = sum(Sum)
      | where Damaged > 0
    '''
  }
  {
    name: 'poison-orchestrations'
    title: 'Basiq: an orchestration cannot go on'
    description: 'Durable took a message so often that it gave it up as poison, or an orchestration ended by an exception.'
    severity: 1
    window: 'PT15M'
    // 109 is Durable Task's PoisonMessageDetected.
    query: '''
      union
        (AppTraces
        | where tostring(Properties.CategoryName) == 'DurableTask.AzureStorage' and tostring(Properties.EventId) == '109'
        | project TimeGenerated, What = Message),
        (AppRequests
        | where Name startswith 'orchestration:' and Success == false
        | project TimeGenerated, What = Name)
    '''
  }
]

resource queries 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [
  for rule in rules: {
    name: '${rule.name}-${environmentName}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: rule.title
      description: rule.description
      severity: rule.severity
      enabled: true
      scopes: [workspace.id]
      evaluationFrequency: 'PT5M'
      windowSize: rule.window
      criteria: {
        allOf: [
          {
            query: replace(rule.query, 'VAULT', vaultName)
            timeAggregation: 'Count'
            operator: 'GreaterThan'
            threshold: 0
            failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
          }
        ]
      }
      autoMitigate: true
      // A new workspace has no tables yet.
      skipQueryValidation: true
      actions: { actionGroups: [actionGroup.id] }
    }
  }
]

// The platform's own health check is for plans whose instances stay. This asks from outside, as a caller would, and notices as
// well when nothing runs.
resource health 'Microsoft.Insights/webtests@2022-06-15' = {
  name: 'health-${environmentName}'
  location: location
  tags: union(tags, { 'hidden-link:${insights.id}': 'Resource' })
  kind: 'standard'
  properties: {
    SyntheticMonitorId: 'health-${environmentName}'
    Name: 'BasiqFunctions ${environmentName}'
    Kind: 'standard'
    Enabled: true
    Frequency: 300
    Timeout: 30
    RetryEnabled: true
    // Sydney, Singapore, Hong Kong.
    Locations: [{ Id: 'emea-au-syd-edge' }, { Id: 'apac-sg-sin-azr' }, { Id: 'apac-hk-hkn-azr' }]
    Request: {
      RequestUrl: 'https://${appName}.azurewebsites.net/api/health'
      HttpVerb: 'GET'
    }
    ValidationRules: {
      ExpectedHttpStatusCode: 200
      SSLCheck: true
      SSLCertRemainingLifetimeCheck: 14
    }
  }
}

resource unhealthy 'Microsoft.Insights/metricAlerts@2026-01-01' = {
  name: 'unhealthy-${environmentName}'
  location: 'global'
  tags: tags
  properties: {
    description: 'The app does not answer GET /api/health with 200, seen from two places at least.'
    severity: 1
    enabled: true
    scopes: [insights.id, health.id]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT15M'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.WebtestLocationAvailabilityCriteria'
      webTestId: health.id
      componentId: insights.id
      failedLocationCount: 2
    }
    autoMitigate: true
    actions: [{ actionGroupId: actionGroup.id }]
  }
}
