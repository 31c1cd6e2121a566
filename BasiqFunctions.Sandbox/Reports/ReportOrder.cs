using System.Globalization;
using System.Text.Json;
using BasiqFunctions.Sandbox.Data;
using BasiqFunctions.Sandbox.Platform;

namespace BasiqFunctions.Sandbox.Reports;

/// <summary>A report that is asked for, with what it is about.</summary>
/// <param name="Type">Its type.</param>
/// <param name="Title">Its title.</param>
/// <param name="Filters">The filters as given, JSON.</param>
/// <param name="From">The first day.</param>
/// <param name="To">The last day.</param>
/// <param name="Accounts">The accounts, each with whose it is.</param>
internal sealed record ReportOrder(
    string Type, string Title, string Filters, DateOnly From, DateOnly To, IReadOnlyList<(UserState User, AccountView Account)> Accounts)
{
    public const string Affordability = "CON_AFFOR_01";
    public const string Statement = "STATEMENT_01";

    // "The report title cannot be longer than 50 characters": Basiq's OpenAPI, POST /reports.
    private const int MostTitle = 50;
    private const int MostUsers = 5;

    /// <summary>Reads the body of <c>POST /reports</c>; the order, or what is wrong with it and the status that says so.</summary>
    public static (ReportOrder? Order, int Status, ApiError? Error) Read(
        JsonElement body, Func<string, UserState?> find, DataViews data, DateOnly today)
    {
        if (Text(body, "reportType") is not (Affordability or Statement))
            return Wrong("reportType", "The report type is not supported.");
        var isStatement = Text(body, "reportType") is Statement;
        if (Text(body, "title") is not { Length: > 0 and <= MostTitle } title)
            return Wrong("title", "The title must have 1 to 50 characters.");
        if (!body.TryGetProperty("filters", out var given) || given.ValueKind is not JsonValueKind.Array)
            return Wrong("filters", "The filters are required.");
        Dictionary<string, string[]> filters = [];
        foreach (var filter in given.EnumerateArray())
        {
            if (Text(filter, "name") is not { } name || !filter.TryGetProperty("value", out var value))
                return Wrong("filters", "A filter has a name and a value.");
            filters[name] = value.ValueKind is JsonValueKind.Array
                ? [.. value.EnumerateArray().Where(item => item.ValueKind is JsonValueKind.String).Select(item => item.GetString()!)]
                : value.ValueKind is JsonValueKind.String ? [value.GetString()!] : [];
        }

        if (!TryDay(filters, "fromDate", isStatement ? null : today.AddYears(-1), out var from) || !TryDay(filters, "toDate", today, out var to) || from > to)
            return Wrong("fromDate", "fromDate and toDate must be days as YYYY-MM-DD, the first not after the second.");
        var userIds = filters.GetValueOrDefault(isStatement ? "user" : "users", []);
        var accountIds = filters.GetValueOrDefault(isStatement ? "account" : "accounts", []);
        if (userIds.Length == 0 || (isStatement && accountIds.Length != 1))
            return Wrong("filters", isStatement ? "A statement is of one user and one account." : "The users are required.");
        if (userIds.Length > MostUsers)
            return (null, 400, new ApiError("forbidden-access", "Invalid users filter. Maximum 5 users allowed.\n", "There are too many users."));
        if (userIds.Distinct().Count() < userIds.Length || accountIds.Distinct().Count() < accountIds.Length)
            return Wrong("filters", "Some user ID(s)/account ID(s) have been entered more than once.");
        if (userIds.Select(find).ToArray() is var users && users.Any(user => user is null))
            return (null, 404, new ApiError("resource-not-found", "Requested resource is not found.", "A user does not exist."));
        if (accountIds.Length == 0)
            return Wrong("filters", "The accounts are required.");
        (UserState User, AccountView Account)[] all = [.. users.SelectMany(user => data.Accounts(user!).Select(account => (user!, account)))];
        if (accountIds.Except(all.Select(one => one.Account.Id)).Any())
            return Wrong("accounts", "An account is not one of the users'.");
        (UserState User, AccountView Account)[] accounts = [.. all.Where(one => accountIds.Contains(one.Account.Id))];
        if (accounts.Any(one => one.Account.Connection.IsStatement))
        {
            return (null, 400, new ApiError(
                "forbidden-access", "Connection source not supported.\n", "Connection source has to be web or open banking."));
        }

        if (accounts.GroupBy(one => (one.Account.Connection.InstitutionId, one.Account.AccountNo)).Where(same => same.Count() > 1).ToArray() is { Length: > 0 } twice)
        {
            var ids = string.Join(", ", twice.Select(same => $"[{string.Join(", ", same.Select(one => $"'{one.Account.Id}'"))}]"));
            return (null, 400, new ApiError("forbidden-access", $"The following accounts are duplicated: \n{ids}.\n", "Each account may be named once."));
        }

        return (
            new ReportOrder(
                isStatement ? Statement : Affordability,
                title,
                given.GetRawText(),
                from,
                to,
                accounts),
            202,
            null);
    }

    private static (ReportOrder?, int, ApiError?) Wrong(string parameter, string detail) =>
        (null, 400, new ApiError("parameter-not-valid", "Parameter not valid.", detail, parameter));

    private static string? Text(JsonElement json, string name) =>
        json.ValueKind is JsonValueKind.Object && json.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.String ? value.GetString() : null;

    private static bool TryDay(Dictionary<string, string[]> filters, string name, DateOnly? otherwise, out DateOnly day)
    {
        day = otherwise ?? default;
        return filters.TryGetValue(name, out var values)
            ? values is [var text] && DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out day)
            : otherwise is not null;
    }
}
