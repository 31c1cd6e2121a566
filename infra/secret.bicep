metadata description = 'Sets one secret in the vault. The value is asked for, is kept out of the deployment\'s history, and stands in no file.'

@description('The vault, as AZURE_KEY_VAULT_NAME of the deployment gives it.')
param vaultName string

@description('Which secret.')
@allowed([
  'basiq-api-key'
  'change-cursor-key'
  'consent-state-key'
  'idempotency-seal-key'
  'notification-secrets'
  'report-key'
  'basiq-webhook-secret'
])
param name string = 'basiq-api-key'

@description('The value. Leave it out, and the command asks for it.')
@secure()
@minLength(1)
param value string

@description('When this is run; not to be given.')
param now string = utcNow()

resource vault 'Microsoft.KeyVault/vaults@2025-05-01' existing = {
  name: vaultName

  resource secret 'secrets' = {
    name: name
    properties: {
      value: value
      contentType: 'text/plain'
      attributes: {
        enabled: true
        // When it is to be rotated. Key Vault hands out a secret that has expired all the same.
        exp: dateTimeToEpoch(dateTimeAdd(now, 'P90D'))
      }
    }
  }
}
