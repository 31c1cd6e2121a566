using Azure.Data.Tables;

namespace BasiqFunctions.Platform.Records;

/// <summary>Tables of Azure Table Storage.</summary>
internal sealed class AzureRecordTables(TableServiceClient service) : IRecordTables
{
    public IRecordTable Open(string name) => new AzureRecordTable(service.GetTableClient(name));
}
