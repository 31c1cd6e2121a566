using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using BasiqFunctions.Basiq.Models;
using BasiqFunctions.Platform;
using BasiqFunctions.Platform.Http;
using FluentValidation;

namespace BasiqFunctions.Reports;

/// <summary>CreateReport's body: the report that is asked for.</summary>
/// <param name="Type"><c>affordability</c>, <c>statement</c>, or the id of another of Basiq's report types.</param>
/// <param name="AccountIds">The accounts; of a statement exactly one. All that the users have without.</param>
/// <param name="From">The first day, <c>yyyy-MM-dd</c>; a statement needs one, others begin a year before their last.</param>
/// <param name="To">The last day; today without.</param>
/// <param name="Title">What the report is called.</param>
/// <param name="Users">Users beside the one of the route, whose finances are assessed together.</param>
internal sealed record ReportRequest(
    [property: JsonPropertyName("type")] string? Type,
    [property: JsonPropertyName("accountIds")] IReadOnlyList<string?>? AccountIds = null,
    [property: JsonPropertyName("from")] string? From = null,
    [property: JsonPropertyName("to")] string? To = null,
    [property: JsonPropertyName("title")] string? Title = null,
    [property: JsonPropertyName("users")] IReadOnlyList<string?>? Users = null)
{
    /// <summary>An assessment of what the users can afford.</summary>
    public const string Affordability = "affordability";

    /// <summary>An account's statement.</summary>
    public const string Statement = "statement";

    /// <summary>Whether it is a statement.</summary>
    [JsonIgnore]
    public bool IsStatement => Type is Statement or StatementId;

    /// <summary>Whether Basiq has to be told which accounts although the request means all of them: it requires them of this type.</summary>
    [JsonIgnore]
    public bool NeedsAllAccounts => BasiqType is AffordabilityId && AccountIds is null;

    /// <summary>What Basiq calls the type.</summary>
    [JsonIgnore]
    public string BasiqType => Type switch { Affordability => AffordabilityId, Statement => StatementId, _ => Type! };

    private const string AffordabilityId = "CON_AFFOR_01";
    private const string StatementId = "STATEMENT_01";

    /// <summary>The same for requests that ask for the same.</summary>
    public byte[] Meaning(UserId userId) => [.. JsonSerializer.SerializeToUtf8Bytes(userId), .. JsonSerializer.SerializeToUtf8Bytes(this, AppJson.Of<ReportRequest>())];

    /// <summary>The users whose report it is, that of the route first.</summary>
    public IReadOnlyList<UserId> UsersWith(UserId userId) => [userId, .. (Users ?? []).OfType<string>().Select(user => new UserId(user))];

    /// <summary>An account or a user that it names twice, which Basiq refuses; null where there is none.</summary>
    public (string Field, string Id)? Twice(UserId userId) =>
        SameIn(AccountIds ?? []) is { } accountId ? ("accountIds", accountId)
        : SameIn([userId, .. Users ?? []]) is { } user ? ("users", user)
        : null;

    /// <summary>Whether it begins after its end, where that is the day of the request.</summary>
    public bool BeginsAfter(DateOnly today) => To is null && string.CompareOrdinal(From, Day(today)) > 0;

    /// <summary>The report as Basiq is asked for it. The mark at the end of the title is by which it is known again in Basiq's list.</summary>
    /// <param name="userIds">The users.</param>
    /// <param name="allAccounts">Their accounts, which are named where the request names none.</param>
    /// <param name="mark">The mark.</param>
    /// <param name="today">The day of the request.</param>
    public ReportDetails ToDetails(IReadOnlyList<UserId> userIds, IReadOnlyList<string> allAccounts, string mark, DateOnly today)
    {
        var to = To ?? Day(today);
        List<ReportFilter> filters =
        [
            new("fromDate", From ?? Day(DateOnly.ParseExact(to, "yyyy-MM-dd", CultureInfo.InvariantCulture).AddYears(-1))),
            new("toDate", to),
        ];
        string[] accountIds = AccountIds is { } named ? [.. named.OfType<string>()] : [.. allAccounts];
        if (IsStatement)
        {
            filters.Add(new ReportFilter("account", accountIds[0]));
            filters.Add(new ReportFilter("user", userIds[0].Value));
        }
        else
        {
            filters.Add(new ReportFilter("users", ListOf(userIds.Select(user => user.Value))));
            if (accountIds.Length > 0)
                filters.Add(new ReportFilter("accounts", ListOf(accountIds)));
        }

        return new ReportDetails(BasiqType, $"{Title ?? (IsStatement ? "Statement" : "Affordability")} {mark}", filters);
    }

    /// <summary>The type alone: a title may name people.</summary>
    public override string ToString() => $"{nameof(ReportRequest)} {Type}";

    private static string? SameIn(IEnumerable<string?> ids) =>
        ids.GroupBy(id => id, StringComparer.Ordinal).FirstOrDefault(same => same.Count() > 1)?.Key;

    private static string Day(DateOnly day) => day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    private static JsonArray ListOf(IEnumerable<string> ids) => [.. ids.Select(id => (JsonNode)id)];
}

/// <summary>What CreateReport takes; that nothing comes twice is looked at when the user of the route is known.</summary>
internal sealed class ReportRequestValidator : AbstractValidator<ReportRequest>
{
    /// <summary>How many users one report may be about (Basiq, API reference: Create a report).</summary>
    internal const int MostUsers = 5;

    /// <summary>Basiq takes 50 characters, and the mark needs 13 of them.</summary>
    private const int MostTitle = 36;

    private const int MostAccounts = 100;

    public ReportRequestValidator()
    {
        RuleFor(report => report.Type).Must(type => type is { Length: > 0 and <= RouteId.MaxLength } && RouteId.IsValid(type))
            .WithMessage("must be 'affordability', 'statement', or the id of another of Basiq's report types.");
        RuleFor(report => report.AccountIds).Must(ids => ids is null || ids.Count is > 0 and <= MostAccounts)
            .WithMessage(string.Create(CultureInfo.InvariantCulture, $"must have 1 to {MostAccounts} account ids."));
        RuleFor(report => report.AccountIds).Must(ids => ids is null || ids.All(RouteId.IsValid)).WithMessage(RouteId.Rule);
        RuleFor(report => report.AccountIds).Must(ids => ids is { Count: 1 }).When(report => report.IsStatement)
            .WithMessage("must have one account id: a statement is of one account.");
        RuleFor(report => report.From).Must(IsDayOrNone).WithMessage(ADay);
        RuleFor(report => report.From).NotNull().When(report => report.IsStatement).WithMessage("is required of a statement.");
        RuleFor(report => report.To).Must(IsDayOrNone).WithMessage(ADay);
        RuleFor(report => report.To).Must((report, to) => report.From is null || to is null || string.CompareOrdinal(report.From, to) <= 0)
            .WithMessage("must not be before 'from'.");
        RuleFor(report => report.Title).IsLine(MostTitle);
        RuleFor(report => report.Title).Must(title => title is null || !string.IsNullOrWhiteSpace(title)).WithMessage("must not be blank.");
        RuleFor(report => report.Users).Must(users => users is null || users.All(RouteId.IsValid)).WithMessage(RouteId.Rule);
        RuleFor(report => report.Users).Must(users => users is null or { Count: < MostUsers })
            .WithMessage(string.Create(CultureInfo.InvariantCulture, $"must have at most {MostUsers - 1}: a report is of {MostUsers} users at most, with the one of the route."));
        RuleFor(report => report.Users).Must(users => users is not { Count: > 0 }).When(report => report.IsStatement)
            .WithMessage("must be left out: a statement is of one user.");
    }

    private const string ADay = "must be a day from 1900 on as yyyy-MM-dd, such as 2026-01-31.";

    private static bool IsDayOrNone(string? day) => day is null || (IdentityMatchValidator.TryDate(day, out var date) && date.Year >= 1900);
}
