using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using BasiqFunctions.Sandbox.Data;
using BasiqFunctions.Sandbox.Platform;
using BasiqFunctions.Sandbox.Users;

namespace BasiqFunctions.Sandbox.Reports;

/// <summary>
/// What a report says, in the shape of Basiq's: metrics and groups that are worked out from the posted transactions of its accounts and days,
/// or an account's statement. Money is cents.
/// </summary>
internal sealed class ReportContent(ReportOrder order, string reportId, DateTimeOffset created, string baseUrl)
{
    private readonly (UserState User, AccountView Account, int Index, Entry Entry)[] _entries =
    [
        .. from one in order.Accounts
           from index in Enumerable.Range(0, one.Account.Count)
           where !one.Account.IsPending(index)
           let entry = one.Account.EntryAt(index)
           where entry.Day >= order.From.DayNumber && entry.Day <= order.To.DayNumber
           select (one.User, one.Account, index, entry),
    ];

    /// <summary>The report.</summary>
    public string Json() => Written(writer =>
    {
        writer.WriteStartObject();
        writer.WriteString("type"u8, "report"u8);
        writer.WriteString("id"u8, reportId);
        writer.WriteString("title"u8, order.Title);
        writer.WriteString("reportType"u8, order.Type);
        writer.WriteString("createdDate"u8, Answers.Timestamp(created));
        writer.WriteString("createdBy"u8, "Sandbox"u8);
        writer.WritePropertyName("filters"u8);
        writer.WriteRawValue(order.Filters);
        writer.WriteStartObject("data"u8);
        if (order.Type is ReportOrder.Statement)
            WriteStatement(writer);
        else
            WriteAffordability(writer);
        writer.WriteEndObject();
        if (order.Type is not ReportOrder.Statement)
            writer.WriteString("transactions"u8, $"{baseUrl}/reports/{reportId}/transactions");
        writer.WriteStartObject("links"u8);
        writer.WriteString("self"u8, $"{baseUrl}/reports/{reportId}");
        writer.WriteEndObject();
        writer.WriteEndObject();
    });

    /// <summary>The transactions that it is about, newest first by account.</summary>
    public string Transactions() => Written(writer =>
    {
        writer.WriteStartObject();
        writer.WriteString("type"u8, "list"u8);
        writer.WriteNumber("count"u8, _entries.Length);
        writer.WriteNumber("size"u8, _entries.Length);
        writer.WriteStartArray("data"u8);
        foreach (var (user, account, index, _) in _entries)
            InReports(Written(whole => new TransactionWriter(whole, user.Id, baseUrl).Write(account, index))).WriteTo(writer);

        writer.WriteEndArray();
        writer.WriteStartObject("links"u8);
        writer.WriteString("self"u8, $"{baseUrl}/reports/{reportId}/transactions");
        writer.WriteEndObject();
        writer.WriteEndObject();
    });

    /// <summary>A transaction in the shape that Basiq's description of reports has: its enrichment is all objects, empty ones where there is nothing.</summary>
    private static JsonNode InReports(string transaction)
    {
        var json = JsonNode.Parse(transaction)!;
        var enrich = json["enrich"]!;
        enrich["tags"] = new JsonObject(enrich["tags"]!.AsArray().Select(tag => tag!.GetValue<string>().Split(':')).Select(tag => KeyValuePair.Create(tag[0], (JsonNode?)tag[1])));
        enrich["category"] ??= new JsonObject();
        enrich["location"] ??= new JsonObject();
        enrich["merchant"] ??= new JsonObject(
            ((string[])["id", "businessName", "ABN", "website", "logoMaster", "logoThumb"]).Select(name => KeyValuePair.Create(name, (JsonNode?)"")));
        return json;
    }

    private void WriteAffordability(Utf8JsonWriter writer)
    {
        var months = Math.Max(1, (int)Math.Round((order.To.DayNumber - order.From.DayNumber + 1) / 30.4));
        var grouped = _entries
            .Select(one => (Group: ReportGroup.Of(one.Entry), one.Account, one.Index, one.Entry))
            .Where(one => one.Group is not null && one.Account.Kind.Class is "transaction" or "savings" or "credit-card" or "term-deposit")
            .ToLookup(one => one.Group!, one => (one.Account, one.Index, one.Entry));
        var cards = order.Accounts.Where(one => one.Account.Kind.Class is "credit-card").ToArray();

        writer.WriteStartArray("metrics"u8);
        WriteMetric(writer, "ME001", "# of identified salary sources", "Income Sources", "integer", Number(grouped[ReportGroup.Salary].Select(e => e.Entry.Narration).Distinct().Count()));
        WriteMetric(writer, "ME002", "Average monthly amount from salary", "Income Sources", "money", Cents(Sum(ReportGroup.Salary) / months));
        WriteMetric(writer, "ME004", "Other possible income monthly", "Income Sources", "money", Cents((OfSection(ReportGroup.Income) - Sum(ReportGroup.Salary)) / months));
        WriteMetric(writer, "ME008", "Average monthly amount", "Financial Commitments", "money", Cents(OfSection(ReportGroup.Liabilities) / months));
        WriteMetric(writer, "ME010", "Total credit card limit", "Financial Commitments", "money", Cents(cards.Sum(card => card.Account.Kind.CreditLimit)));
        WriteMetric(writer, "ME011", "Total credit card balance", "Financial Commitments", "money", Cents(cards.Sum(card => card.Account.Source.Closing)));
        WriteMetric(writer, "ME012", "Monthly spend on non-discretionary expenses (inc. liabilities)", "Expenses", "money", Cents((OfSection(ReportGroup.NonDiscretionary) + OfSection(ReportGroup.Liabilities)) / months));
        WriteMetric(writer, "ME014", "Mean monthly spend on discretionary expenses", "Expenses", "money", Cents(OfSection(ReportGroup.Discretionary) / months));
        WriteMetric(writer, "ME016", "Monthly spend on other expenses", "Expenses", "money", Cents(OfSection(ReportGroup.Other) / months));
        WriteMetric(writer, "ME018", "% of salary income withdrawn via ATM", "Risk Metrics", "percent", Percent(-Sum(ReportGroup.Cash), Sum(ReportGroup.Salary)));
        WriteMetric(writer, "ME021", "Total spend on High Risk Activities", "Risk Metrics", "money", Cents(Sum(ReportGroup.Cash) + Sum(ReportGroup.DebtInterest)));
        WriteMetric(writer, "ME025", "Has cash advances", "Risk Flags", "boolean", Flag(grouped[ReportGroup.Cash].Any(e => e.Account.Kind.Class is "credit-card")));
        WriteMetric(writer, "ME028", "Missing non-discretionary expenses: groceries", "Risk Flags", "boolean", Flag(!grouped[ReportGroup.Groceries].Any()));
        WriteMetric(writer, "ME029", "Missing non-discretionary expenses: telecommunication", "Risk Flags", "boolean", Flag(!grouped[ReportGroup.Telecommunication].Any()));
        WriteMetric(writer, "ME030", "Missing non-discretionary expenses: utilities", "Risk Flags", "boolean", Flag(!grouped[ReportGroup.Utilities].Any()));
        WriteMetric(writer, "ME033", "Average Income monthly", "Income Sources", "money", Cents(OfSection(ReportGroup.Income) / months));
        WriteMetric(writer, "ME034", "Average Outgoings monthly", "Expenses", "money", Cents(grouped.Where(g => g.Key.Section is not ReportGroup.Income).Sum(g => Sum(g.Key)) / months));
        WriteMetric(writer, "ME047", "Has unshared mortgage account", "Risk Flags", "boolean", Flag(grouped[ReportGroup.LoanRepayments].Any() && order.Accounts.All(one => one.Account.Kind.Class is not ("mortgage" or "loan"))));
        writer.WriteEndArray();

        Span<char> id = stackalloc char[Identifier.Length];
        writer.WriteStartArray("groups"u8);
        foreach (var group in grouped.OrderBy(g => g.Key.Id, StringComparer.Ordinal))
        {
            writer.WriteStartObject();
            writer.WriteString("id"u8, group.Key.Id);
            writer.WriteString("title"u8, group.Key.Title);
            writer.WriteStartArray("sections"u8);
            writer.WriteStringValue(group.Key.Section);
            writer.WriteEndArray();
            WriteAnalysis(writer, [.. group.Select(one => one.Entry)], months);
            writer.WriteStartArray("subgroup"u8);
            foreach (var (ordinal, sub) in group.GroupBy(one => one.Entry.Narration).Index())
            {
                writer.WriteStartObject();
                writer.WriteString("id"u8, $"{group.Key.Id}-{ordinal + 1}");
                writer.WriteString("name"u8, sub.Key.Description);
                WriteAnalysis(writer, [.. sub.Select(one => one.Entry)], months);
                writer.WriteStartArray("transactions"u8);
                foreach (var (account, index, entry) in sub)
                {
                    account.WriteTransactionId(id, index);
                    writer.WriteStartObject();
                    writer.WriteString("id"u8, id);
                    writer.WriteString("date"u8, Day(entry.Day));
                    writer.WriteString("description"u8, entry.Narration.Description);
                    Money.Write(writer, "amount"u8, entry.Amount);
                    writer.WriteEndObject();
                }

                writer.WriteEndArray();
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        WriteAccounts(writer, "accounts");

        long Sum(ReportGroup group) => grouped[group].Sum(one => one.Entry.Amount);

        long OfSection(string section) => grouped.Where(group => group.Key.Section == section).Sum(group => Sum(group.Key));
    }

    private void WriteStatement(Utf8JsonWriter writer)
    {
        var account = order.Accounts[0].Account;
        var bank = Institution.Find(account.Connection.InstitutionId)!;
        var home = Persona.Find(account.Connection.LoginId)!.Household;
        writer.WriteStartObject("institution"u8);
        writer.WriteString("logo"u8, $"{baseUrl}/logos/{bank.Id}.svg");
        writer.WriteString("name"u8, bank.Name);
        writer.WriteEndObject();
        writer.WriteStartObject("identity"u8);
        writer.WriteString("customerType"u8, "person"u8);
        writer.WriteString("fullName"u8, $"{home.FirstName} {home.LastName}");
        writer.WriteString("firstName"u8, home.FirstName);
        writer.WriteString("lastName"u8, home.LastName);
        writer.WriteString("DOB"u8, home.Born.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture));
        writer.WriteStartArray("phoneNumbers"u8);
        writer.WriteStringValue(home.Phone);
        writer.WriteEndArray();
        writer.WriteStartArray("emails"u8);
        writer.WriteEndArray();
        writer.WriteStartArray("physicalAddresses"u8);
        writer.WriteStartObject();
        writer.WriteString("addressLine1"u8, home.Street);
        writer.WriteString("addressLine2"u8, ""u8);
        writer.WriteString("addressLine3"u8, ""u8);
        writer.WriteString("postCode"u8, home.Postcode);
        writer.WriteString("city"u8, home.Suburb);
        writer.WriteString("state"u8, home.State);
        writer.WriteString("country"u8, "Australia"u8);
        writer.WriteEndObject();
        writer.WriteEndArray();
        writer.WriteEndObject();
        writer.WriteStartObject("accreditation"u8);
        foreach (var name in (string[])["cdrAccessModel", "entityName", "title", "licenceNo", "description"])
            writer.WriteString(name, "Sandbox"u8);
        writer.WriteEndObject();
        WriteAccounts(writer, "account");
        writer.WriteString("transactions"u8, $"{baseUrl}/reports/{reportId}/transactions");
    }

    private void WriteAccounts(Utf8JsonWriter writer, string name)
    {
        writer.WriteStartArray(name);
        foreach (var (user, account) in order.Accounts)
        {
            // In reports what there is none of is left out, not null.
            var json = JsonNode.Parse(Written(whole => AccountEndpoints.Write(whole, user, account, baseUrl)))!.AsObject();
            foreach (var nothing in json.Where(member => member.Value is null).Select(member => member.Key).ToArray())
                json.Remove(nothing);
            json.WriteTo(writer);
        }

        writer.WriteEndArray();
    }

    private static void WriteAnalysis(Utf8JsonWriter writer, Entry[] entries, int months)
    {
        long[] amounts = [.. entries.Select(entry => entry.Amount).Order()];
        var total = amounts.Sum();
        writer.WriteStartObject("analysis"u8);
        writer.WriteStartObject("summary"u8);
        writer.WriteNumber("transactionCount"u8, amounts.Length);
        writer.WriteEndObject();
        writer.WriteStartObject("range"u8);
        writer.WriteString("startDate"u8, Day(entries.Min(entry => entry.Day)));
        writer.WriteString("endDate"u8, Day(entries.Max(entry => entry.Day)));
        writer.WriteNumber("duration"u8, entries.Max(entry => entry.Day) - entries.Min(entry => entry.Day) + 1);
        writer.WriteEndObject();
        writer.WriteStartObject("amount"u8);
        Money.Write(writer, "total"u8, total);
        Money.Write(writer, "min"u8, amounts[0]);
        Money.Write(writer, "max"u8, amounts[^1]);
        writer.WriteStartObject("average"u8);
        Money.Write(writer, "transaction"u8, total / amounts.Length);
        Money.Write(writer, "month"u8, total / months);
        Money.Write(writer, "medianTransaction"u8, amounts[amounts.Length / 2]);
        writer.WriteEndObject();
        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    private static void WriteMetric(Utf8JsonWriter writer, string id, string title, string section, string format, string value)
    {
        writer.WriteStartObject();
        writer.WriteString("id"u8, id);
        writer.WriteString("title"u8, title);
        writer.WriteString("description"u8, title);
        writer.WriteStartArray("sections"u8);
        writer.WriteStringValue(section);
        writer.WriteEndArray();
        writer.WriteStartObject("result"u8);
        writer.WriteString("value"u8, value);
        writer.WriteString("format"u8, format);
        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    private static string Cents(long cents) => (cents / 100m).ToString("0.00", CultureInfo.InvariantCulture);

    private static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Percent(long part, long whole) => (whole == 0 ? 0 : 100m * part / whole).ToString("0.0", CultureInfo.InvariantCulture);

    private static string Flag(bool flag) => flag ? "true" : "false";

    private static string Day(int day) => DateOnly.FromDayNumber(day).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    private static string Written(Action<Utf8JsonWriter> write)
    {
        using var bytes = new MemoryStream();
        using (var writer = new Utf8JsonWriter(bytes, Answers.WriterOptions))
            write(writer);
        return Encoding.UTF8.GetString(bytes.ToArray());
    }
}
