metadata description = 'What the app\'s identity may do: each role, on as little as it goes, and why.'

param identityName string
param storageName string
param containers string[]
param vaultName string
param secretsRead string[]
param secretsWritten string[]
param insightsName string

// Microsoft Learn, Azure built-in roles.
var roles = {
  storageBlobDataContributor: 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'
  storageQueueDataContributor: '974c5e8b-45b9-4653-ba55-5f855dd0fb88'
  storageTableDataContributor: '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3'
  keyVaultSecretsUser: '4633458b-17de-408a-b874-0445c86b69e6'
  keyVaultSecretsOfficer: 'b86a8fe4-44ce-4948-aee5-eccb2c155cd7'
  monitoringMetricsPublisher: '3913510d-42f4-4e42-8a64-420c390055eb'
}

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: identityName
}

resource account 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: storageName

  resource blobs 'blobServices' existing = {
    name: 'default'

    resource container 'containers' existing = [for container in containers: { name: container }]
  }
}

resource vault 'Microsoft.KeyVault/vaults@2025-05-01' existing = {
  name: vaultName

  resource read 'secrets' existing = [for secret in secretsRead: { name: secret }]
  resource written 'secrets' existing = [for secret in secretsWritten: { name: secret }]
}

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: insightsName
}

// Container by container, never on the account. Contributor and not Owner, which could also delete versions and for good what is
// soft-deleted, and which neither the host nor Durable needs.
resource onContainers 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (container, i) in containers: {
    scope: account::blobs::container[i]
    name: guid(account::blobs::container[i].id, identity.id, roles.storageBlobDataContributor)
    properties: {
      description: 'Reads, writes and deletes the blobs of this container: packages, snapshots, the host\'s locks and keys, or Durable\'s leases and large messages.'
      roleDefinitionId: subscriptionResourceId(
        'Microsoft.Authorization/roleDefinitions',
        roles.storageBlobDataContributor
      )
      principalId: identity.properties.principalId
      principalType: 'ServicePrincipal'
    }
  }
]

// On the account, which has no queues and tables but Durable's, the host's and the app's: how many queues there are follows from the
// partition count, and the host makes a table of diagnostic events each month.
resource onQueues 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: account
  name: guid(account.id, identity.id, roles.storageQueueDataContributor)
  properties: {
    description: 'Durable makes, fills and empties its control queues and its queue of work items.'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roles.storageQueueDataContributor
    )
    principalId: identity.properties.principalId
    principalType: 'ServicePrincipal'
  }
}

resource onTables 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: account
  name: guid(account.id, identity.id, roles.storageTableDataContributor)
  properties: {
    description: 'Durable keeps histories, instances and partitions in tables; the app the records of idempotency keys; the host its diagnostic events.'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roles.storageTableDataContributor
    )
    principalId: identity.properties.principalId
    principalType: 'ServicePrincipal'
  }
}

resource onSecretsRead 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (secret, i) in secretsRead: {
    scope: vault::read[i]
    name: guid(vault::read[i].id, identity.id, roles.keyVaultSecretsUser)
    properties: {
      description: 'Reads this secret, and no other one.'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.keyVaultSecretsUser)
      principalId: identity.properties.principalId
      principalType: 'ServicePrincipal'
    }
  }
]

// There is no narrower built-in role that sets a secret. It may delete one as well, which soft delete and purge protection undo.
resource onSecretsWritten 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (secret, i) in secretsWritten: {
    scope: vault::written[i]
    name: guid(vault::written[i].id, identity.id, roles.keyVaultSecretsOfficer)
    properties: {
      description: 'Sets this secret, which the app makes itself, reads it and disables its old versions.'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.keyVaultSecretsOfficer)
      principalId: identity.properties.principalId
      principalType: 'ServicePrincipal'
    }
  }
]

resource onTelemetry 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: insights
  name: guid(insights.id, identity.id, roles.monitoringMetricsPublisher)
  properties: {
    description: 'Sends telemetry. It reads none.'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roles.monitoringMetricsPublisher
    )
    principalId: identity.properties.principalId
    principalType: 'ServicePrincipal'
  }
}
