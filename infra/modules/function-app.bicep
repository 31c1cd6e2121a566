import { textByName } from 'types.bicep'

metadata description = 'The Function App on Flex Consumption: .NET 10 isolated, everything it reaches reached as its identity.'

param name string
param planName string
param location string
param tags textByName
param identityName string
param storageName string
param packageContainer string
param snapshotContainer string
param vaultName string
param insightsName string
param workspaceName string

@description('The virtual network that the app calls out through; none, if empty.')
param networkName string

param consentReturnUrls string[]
param furtherSettings textByName
param instanceMemoryMB int
param maximumInstanceCount int
param alwaysReadyInstances int

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: identityName
}

resource account 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: storageName
}

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: insightsName
}

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-02-01' existing = {
  name: workspaceName
}

resource network 'Microsoft.Network/virtualNetworks@2025-05-01' existing = if (!empty(networkName)) {
  name: networkName

  resource appSubnet 'subnets' existing = {
    name: 'app'
  }
}

// What is not here keeps its default; the tests hold a list of that. A setting that this file makes and one of furtherSettings
// must not have the same name: Azure refuses the deployment then.
var returnUrls = toObject(
  map(range(0, length(consentReturnUrls)), i => { name: 'Consent__ReturnUrls__${i}', value: consentReturnUrls[i] }),
  setting => setting.name,
  setting => setting.value
)
var ownSettings = {
  AZURE_CLIENT_ID: identity.properties.clientId
  AzureWebJobsStorage__accountName: storageName
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: identity.properties.clientId
  // The host reads a body to its end before a function is called, and keeps it in memory.
  FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: '131072'
  AzureWebJobsDisableHomepage: 'true'
  APPLICATIONINSIGHTS_CONNECTION_STRING: insights.properties.ConnectionString
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identity.properties.clientId};Authorization=AAD'
  KeyVault__Uri: 'https://${vaultName}${environment().suffixes.keyvaultDns}'
  Snapshots__Container: snapshotContainer
}

// On Flex Consumption an execution may take as long as host.json says; on the older Consumption plan 10 minutes at most, and a host
// that is told more does not start there. functionTimeout is 10 minutes for that reason: keep it so, and the plan can be changed.
resource plan 'Microsoft.Web/serverfarms@2025-03-01' = {
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { name: 'FC1', tier: 'FlexConsumption' }
  properties: { reserved: true }
}

resource app 'Microsoft.Web/sites@2025-03-01' = {
  name: name
  location: location
  tags: union(tags, { 'azd-service-name': 'app' })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identity.id}': {} }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    publicNetworkAccess: 'Enabled'
    virtualNetworkSubnetId: empty(networkName) ? null : network::appSubnet.id
    functionAppConfig: {
      runtime: { name: 'dotnet-isolated', version: '10.0' }
      deployment: {
        storage: {
          type: 'blobContainer'
          value: '${account.properties.primaryEndpoints.blob}${packageContainer}'
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identity.id
          }
        }
      }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstanceCount
        alwaysReady: alwaysReadyInstances > 0 ? [{ name: 'http', instanceCount: alwaysReadyInstances }] : []
      }
    }
    siteConfig: {
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
      ftpsState: 'Disabled'
      http20Enabled: true
      appSettings: map(items(union(furtherSettings, ownSettings, returnUrls)), setting => {
        name: setting.key
        value: setting.value
      })
    }
  }

  resource ftpPassword 'basicPublishingCredentialsPolicies' = {
    name: 'ftp'
    properties: { allow: false }
  }

  resource deploymentPassword 'basicPublishingCredentialsPolicies' = {
    name: 'scm'
    properties: { allow: false }
  }
}

#disable-next-line use-recent-api-versions // Only a preview has categories and groups of them.
resource logs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: app
  name: 'to-workspace'
  properties: {
    workspaceId: workspace.id
    // The host's warnings, which tell of a start that failed before there was any telemetry.
    logs: [{ category: 'FunctionAppLogs', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}
