using System.Globalization;
using BasiqFunctions.Platform.Http;
using Microsoft.AspNetCore.Http;

namespace BasiqFunctions.Data;

/// <summary>The query parameters by which transactions are chosen, the same for every function that reads them.</summary>
internal static class TransactionParameters
{
    /// <summary>Reads <c>from</c>, <c>to</c> and <c>status</c>, and adds an error for each that is not acceptable.</summary>
    public static TransactionQuery Read(IQueryCollection parameters, FieldErrors errors)
    {
        var from = ReadDate(parameters, "from", errors);
        var to = ReadDate(parameters, "to", errors);
        if (from > to)
            errors.Add("from", "must not be after 'to'.");
        TransactionStatus? status = null;
        switch (QueryParameters.Value(parameters, "status"))
        {
            case null:
                break;
            case "pending":
                status = TransactionStatus.Pending;
                break;
            case "posted":
                status = TransactionStatus.Posted;
                break;
            default:
                errors.Add("status", "must be 'pending' or 'posted'.");
                break;
        }

        return new TransactionQuery(from, to, status);
    }

    private static DateOnly? ReadDate(IQueryCollection parameters, string name, FieldErrors errors)
    {
        if (QueryParameters.Value(parameters, name) is not { } text)
            return null;
        if (DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var date))
            return date;
        errors.Add(name, "must be a date as yyyy-MM-dd, such as 2024-06-30.");
        return null;
    }
}
