using 'main.bicep'

// azd gives these from its environment; without it they are what a shared dev environment has.
param environmentName = readEnvironmentVariable('AZURE_ENV_NAME', 'dev')
param location = readEnvironmentVariable('AZURE_LOCATION', 'australiaeast')
param alertEmails = empty(readEnvironmentVariable('ALERT_EMAIL', ''))
  ? []
  : [readEnvironmentVariable('ALERT_EMAIL', '')]
param budgetStart = readEnvironmentVariable('BUDGET_START', '')

param tags = { application: 'BasiqFunctions' }
param consentReturnUrls = ['http://localhost:3000/banks']

param privateNetwork = false
param storageSku = 'Standard_LRS'
param instanceMemoryMB = 2048
param maximumInstanceCount = 40
param alwaysReadyInstances = 0

// Above Snapshots:MaxAge: the rule counts from when a blob was written, also of one that is still in use.
param snapshotRetentionDays = 400
param logRetentionDays = 30
param logDailyCapGb = 1
param auditBlobAccess = false
param monthlyBudget = 50
