namespace BasiqFunctions.Platform.Records;

/// <summary>The tables of the host that runs the app.</summary>
public interface IRecordTables
{
    /// <summary>Opens a table, which is made on first use.</summary>
    /// <param name="name">3 to 63 ASCII letters and digits, a letter first.</param>
    IRecordTable Open(string name);
}
