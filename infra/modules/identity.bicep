import { textByName } from 'types.bicep'

metadata description = 'The one identity that the app has everywhere.'

param name string
param location string
param tags textByName

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: name
  location: location
  tags: tags
}
