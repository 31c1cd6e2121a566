import { textByName } from 'modules/types.bicep'

targetScope = 'subscription'

metadata description = 'BasiqFunctions in one resource group: the app, its storage, vault, telemetry, alerts and budget.'

// Names are made here, once, and handed to the modules as they are. A module that took them from another one's outputs would
// leave them open until the deployment runs, and neither what-if nor the tests could say what is going to be made.

@description('Which environment this is, such as dev or prod. Part of the names.')
@minLength(2)
@maxLength(16)
param environmentName string

@description('Where everything is deployed.')
@metadata({ azd: { type: 'location' } })
param location string

@description('Tags of the resource group and of everything in it, beside the environment\'s name.')
param tags textByName = {}

@description('Who is told by alerts and budget. Nobody, if empty: for a try-out alone.')
param alertEmails string[]

@description('Whether storage and vault are reached through a virtual network alone.')
param privateNetwork bool

@description('The virtual network\'s addresses, a /24 at least: it is cut into a /26 for the app and a /27 for private endpoints.')
param networkAddressPrefix string = '10.60.0.0/24'

@description('Where a consent may return to: Consent:ReturnUrls.')
param consentReturnUrls string[]

@description('Further app settings by name, with __ for the colon, such as { Sync__JobTimeout: \'00:20:00\' }. Never a secret.')
param appSettings textByName = {}

@description('Whether notifications go to an Event Grid topic as well: Notifications:EventGrid. A queue needs no more than Notifications__Queue in appSettings.')
param notificationTopic bool = false

@description('Memory of an instance in MB.')
@allowed([512, 2048, 4096])
param instanceMemoryMB int

@description('How many instances there may be at most.')
@minValue(1)
@maxValue(1000)
param maximumInstanceCount int

@description('Instances that are kept ready for HTTP, so that a first call does not wait for a start. They cost while idle.')
param alwaysReadyInstances int

@description('Redundancy of the storage account.')
@allowed(['Standard_LRS', 'Standard_ZRS', 'Standard_GZRS'])
param storageSku string

@description('Days after which snapshots that were not written to are deleted.')
@minValue(1)
param snapshotRetentionDays int

@description('Days that log lines, traces and metrics are kept.')
@minValue(30)
@maxValue(730)
param logRetentionDays int

@description('GB of telemetry a day after which no more is taken until the next, as a brake on cost; -1 for none.')
param logDailyCapGb int

@description('Whether each read and write of a blob is logged, for audits. It is most of the cost of telemetry at scale.')
param auditBlobAccess bool

@description('What a month may cost, in the currency of the subscription.')
@minValue(1)
param monthlyBudget int

@description('First day of the budget\'s first month, as 2026-12-01: the month of the first deployment, and never changed after it. No budget, if empty.')
param budgetStart string

// One place says what the task hub is called, and Durable names its containers after it.
var taskHub = toLower(loadJsonContent('../host.json', 'extensions.durableTask.hubName'))
var token = uniqueString(subscription().id, environmentName, location)
var allTags = union(tags, { 'azd-env-name': environmentName, environment: environmentName })
var names = {
  identity: 'id-basiq-${environmentName}'
  storage: 'stbasiq${token}'
  vault: 'kv-basiq-${token}'
  workspace: 'log-basiq-${environmentName}'
  insights: 'appi-basiq-${environmentName}'
  plan: 'plan-basiq-${environmentName}'
  app: 'func-basiq-${token}'
  network: 'vnet-basiq-${environmentName}'
  actionGroup: 'ag-basiq-${environmentName}'
  topic: 'evgt-basiq-${token}'
}
var containers = {
  packages: 'app-packages'
  snapshots: 'basiq-snapshots'
  // The host's locks and function keys, and what Durable keeps beside its queues and tables.
  working: [
    'azure-webjobs-hosts'
    'azure-webjobs-secrets'
    '${taskHub}-applease'
    '${taskHub}-largemessages'
    '${taskHub}-leases'
  ]
}
var secretNames = {
  read: ['basiq-api-key']
  written: [
    'basiq-server-token'
    'change-cursor-key'
    'consent-state-key'
    'idempotency-seal-key'
    'notification-secrets'
    'report-key'
    'basiq-webhook-secret'
  ]
}

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: 'rg-basiq-${environmentName}'
  location: location
  tags: allTags
}

module identity 'modules/identity.bicep' = {
  scope: group
  params: {
    name: names.identity
    location: location
    tags: allTags
  }
}

module telemetry 'modules/telemetry.bicep' = {
  scope: group
  params: {
    workspaceName: names.workspace
    insightsName: names.insights
    location: location
    tags: allTags
    retentionDays: logRetentionDays
    dailyCapGb: logDailyCapGb
  }
}

module storage 'modules/storage.bicep' = {
  scope: group
  params: {
    name: names.storage
    location: location
    tags: allTags
    sku: storageSku
    containers: concat([containers.packages, containers.snapshots], containers.working)
    snapshotContainer: containers.snapshots
    snapshotRetentionDays: snapshotRetentionDays
    isPublic: !privateNetwork
    workspaceName: names.workspace
    auditBlobAccess: auditBlobAccess
  }
  dependsOn: [telemetry]
}

module vault 'modules/vault.bicep' = {
  scope: group
  params: {
    name: names.vault
    location: location
    tags: allTags
    isPublic: !privateNetwork
    workspaceName: names.workspace
  }
  dependsOn: [telemetry]
}

module network 'modules/network.bicep' = if (privateNetwork) {
  scope: group
  params: {
    name: names.network
    location: location
    tags: allTags
    addressPrefix: networkAddressPrefix
    storageName: names.storage
    vaultName: names.vault
  }
  dependsOn: [storage, vault]
}

module access 'modules/access.bicep' = {
  scope: group
  params: {
    identityName: names.identity
    storageName: names.storage
    containers: concat([containers.packages, containers.snapshots], containers.working)
    vaultName: names.vault
    secretsRead: secretNames.read
    secretsWritten: secretNames.written
    insightsName: names.insights
  }
  dependsOn: [identity, storage, vault, telemetry]
}

module topic 'modules/topic.bicep' = if (notificationTopic) {
  scope: group
  params: {
    name: names.topic
    location: location
    tags: allTags
    identityName: names.identity
  }
  dependsOn: [identity]
}

module app 'modules/function-app.bicep' = {
  scope: group
  params: {
    name: names.app
    planName: names.plan
    location: location
    tags: allTags
    identityName: names.identity
    storageName: names.storage
    packageContainer: containers.packages
    snapshotContainer: containers.snapshots
    vaultName: names.vault
    insightsName: names.insights
    workspaceName: names.workspace
    networkName: privateNetwork ? names.network : ''
    consentReturnUrls: consentReturnUrls
    furtherSettings: union(appSettings, notificationTopic ? { Notifications__EventGrid: topic!.outputs.endpoint } : {})
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    alwaysReadyInstances: alwaysReadyInstances
  }
  // The app must not start before it may reach what it needs.
  dependsOn: [access, network]
}

module alerts 'modules/alerts.bicep' = {
  scope: group
  params: {
    actionGroupName: names.actionGroup
    environmentName: environmentName
    location: location
    tags: allTags
    emails: alertEmails
    workspaceName: names.workspace
    insightsName: names.insights
    vaultName: names.vault
    appName: names.app
  }
  dependsOn: [app]
}

module budget 'modules/budget.bicep' = if (!empty(budgetStart)) {
  scope: group
  params: {
    name: 'budget-basiq-${environmentName}'
    monthlyAmount: monthlyBudget
    start: budgetStart
    actionGroupName: names.actionGroup
  }
  dependsOn: [alerts]
}

output AZURE_RESOURCE_GROUP string = group.name
output AZURE_FUNCTION_APP_NAME string = names.app
output AZURE_KEY_VAULT_NAME string = names.vault
output SERVICE_APP_API string = 'https://${names.app}.azurewebsites.net/api'
