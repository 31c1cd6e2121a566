import { textByName } from 'types.bicep'

metadata description = 'The storage account of the host, of Durable and of the snapshots. It takes Entra tokens alone, no key and no SAS.'

param name string
param location string
param tags textByName
param sku string
param containers string[]
param snapshotContainer string
param snapshotRetentionDays int
param isPublic bool
param workspaceName string
param auditBlobAccess bool

// Long enough to undo a mistake, short enough that a person who was removed is gone within the week.
var undoDays = 7

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-02-01' existing = {
  name: workspaceName
}

resource account 'Microsoft.Storage/storageAccounts@2025-01-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: sku }
  properties: {
    accessTier: 'Hot'
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowedCopyScope: 'AAD'
    supportsHttpsTrafficOnly: true
    minimumTlsVersion: 'TLS1_2'
    publicNetworkAccess: isPublic ? 'Enabled' : 'Disabled'
    networkAcls: {
      bypass: 'None'
      defaultAction: isPublic ? 'Allow' : 'Deny'
    }
    encryption: {
      keySource: 'Microsoft.Storage'
      requireInfrastructureEncryption: true
      services: {
        blob: { enabled: true, keyType: 'Account' }
        queue: { enabled: true, keyType: 'Account' }
        table: { enabled: true, keyType: 'Account' }
      }
    }
  }

  resource blobs 'blobServices' = {
    name: 'default'
    properties: {
      // No versions: they would keep what a person had removed.
      isVersioningEnabled: false
      deleteRetentionPolicy: { enabled: true, days: undoDays, allowPermanentDelete: false }
      containerDeleteRetentionPolicy: { enabled: true, days: undoDays }
    }

    resource container 'containers' = [
      for container in containers: {
        name: container
        properties: { publicAccess: 'None' }
      }
    ]
  }

  resource queues 'queueServices' = {
    name: 'default'
    properties: {}
  }

  resource tables 'tableServices' = {
    name: 'default'
    properties: {}
  }

  resource lifeCycle 'managementPolicies' = {
    name: 'default'
    properties: {
      policy: {
        rules: [
          {
            name: 'snapshot-retention'
            type: 'Lifecycle'
            enabled: true
            definition: {
              filters: {
                blobTypes: ['blockBlob']
                prefixMatch: ['${snapshotContainer}/']
              }
              actions: {
                // An account that a later sync did not fetch again stays in the blobs of the earlier one, so the days must be
                // more than a consent can last.
                baseBlob: { delete: { daysAfterModificationGreaterThan: snapshotRetentionDays } }
              }
            }
          }
        ]
      }
    }
    dependsOn: [blobs]
  }
}

#disable-next-line use-recent-api-versions // Only a preview has categories and groups of them.
resource blobLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: account::blobs
  name: 'to-workspace'
  properties: {
    workspaceId: workspace.id
    logs: auditBlobAccess ? [{ categoryGroup: 'audit', enabled: true }] : [{ category: 'StorageDelete', enabled: true }]
    metrics: [{ category: 'Transaction', enabled: true }]
  }
}

// Durable reads and writes its queues and tables all the time: their log lines would cost more than they tell.
#disable-next-line use-recent-api-versions // Only a preview has categories and groups of them.
resource queueMetrics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: account::queues
  name: 'to-workspace'
  properties: {
    workspaceId: workspace.id
    metrics: [{ category: 'Transaction', enabled: true }]
  }
}

#disable-next-line use-recent-api-versions // Only a preview has categories and groups of them.
resource tableMetrics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: account::tables
  name: 'to-workspace'
  properties: {
    workspaceId: workspace.id
    metrics: [{ category: 'Transaction', enabled: true }]
  }
}
