using 'main.bicep'

param environmentName = 'prod'
param location = readEnvironmentVariable('AZURE_LOCATION', 'australiaeast')
param alertEmails = empty(readEnvironmentVariable('ALERT_EMAIL', ''))
  ? []
  : [readEnvironmentVariable('ALERT_EMAIL', '')]
param budgetStart = readEnvironmentVariable('BUDGET_START', '')

param tags = { application: 'BasiqFunctions', dataClass: 'financial' }

// Where your front end takes people back to.
param consentReturnUrls = ['https://app.example.com/banks']

param privateNetwork = true
param storageSku = 'Standard_ZRS'
param instanceMemoryMB = 2048
param maximumInstanceCount = 100
param alwaysReadyInstances = 1

// A consent lasts 12 months at most (Consumer Data Right): an account that was fetched once may be served that long.
param snapshotRetentionDays = 400
param logRetentionDays = 90
param logDailyCapGb = 20
param auditBlobAccess = true
param monthlyBudget = 1000
