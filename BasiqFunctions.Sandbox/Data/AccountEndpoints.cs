using System.Text.Json;
using BasiqFunctions.Sandbox.Platform;
using BasiqFunctions.Sandbox.Users;

namespace BasiqFunctions.Sandbox.Data;

/// <summary><c>/users/{userId}/accounts</c>: all that match a filter, never paged, and one.</summary>
internal sealed class AccountEndpoints(DataViews data)
{
    private static readonly FilterFields Filters = new(
        [("account.id", FilterOps.Equality), ("connection.id", FilterOps.Equality), ("institution.id", FilterOps.Equality)]);

    public void Map(ApiRoutes routes)
    {
        routes.OfUser("GET", "/users/{userId}/accounts", List);
        routes.OfUser("GET", "/users/{userId}/accounts/{accountId}", Get);
    }

    private async Task List(HttpContext context, UserState user)
    {
        if (!Filters.TryParse(context, out var filter, out var refusal))
        {
            await refusal;
            return;
        }

        var baseUrl = context.BaseUrl();
        context.Response.ContentType = "application/json";
        await using var writer = new Utf8JsonWriter(context.Response.BodyWriter, Answers.WriterOptions);
        writer.WriteStartObject();
        writer.WriteString("type"u8, "list"u8);
        writer.WriteStartArray("data"u8);
        foreach (var account in data.Accounts(user))
        {
            if (!filter.Matches("account.id", account.Id)
                || !filter.Matches("connection.id", account.Connection.Id)
                || !filter.Matches("institution.id", account.Connection.InstitutionId))
            {
                continue;
            }

            Write(writer, user, account, baseUrl);
            await Answers.FlushIfMuch(context, writer);
        }

        writer.WriteEndArray();
        writer.WriteStartObject("links"u8);
        writer.WriteString("self"u8, $"{baseUrl}/users/{user.Id}/accounts");
        writer.WriteEndObject();
        writer.WriteEndObject();
        writer.Flush();
        await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
    }

    private Task Get(HttpContext context, UserState user)
    {
        if (!Filters.TryParse(context, out var filter, out var refusal))
            return refusal;
        var id = (string)context.Request.RouteValues["accountId"]!;
        foreach (var account in data.Accounts(user))
        {
            if (account.Id == id
                && filter.Matches("account.id", id)
                && filter.Matches("connection.id", account.Connection.Id)
                && filter.Matches("institution.id", account.Connection.InstitutionId))
            {
                return Answers.Json(
                    context, 200, (user, account, context.BaseUrl()), static (writer, x) => Write(writer, x.user, x.account, x.Item3));
            }
        }

        return Answers.NotFound(context);
    }

    /// <summary>The account as a connection shows it.</summary>
    public static void WriteShort(Utf8JsonWriter writer, UserState user, AccountView account, string baseUrl)
    {
        writer.WriteStartObject();
        WriteCommon(writer, account);
        WriteLinks(writer, user, account, baseUrl);
        writer.WriteEndObject();
    }

    /// <summary>The account with all that there is of it.</summary>
    public static void Write(Utf8JsonWriter writer, UserState user, AccountView account, string baseUrl)
    {
        var kind = account.Kind;
        var home = Persona.Find(account.Connection.LoginId)!.Household;
        writer.WriteStartObject();
        WriteCommon(writer, account);
        writer.WriteString("accountHolder"u8, $"{home.FirstName} {home.LastName}".ToUpperInvariant());
        writer.WriteString("accountOwnership"u8, home.Joint && kind.Class != "credit-card" ? "TWO_PARTY"u8 : "ONE_PARTY"u8);
        writer.WriteBoolean("isOwned"u8, true);
        writer.WriteString("connection"u8, account.Connection.Id);
        writer.WriteString("institution"u8, account.Connection.InstitutionId);
        if (kind.CreditLimit > 0)
            Money.Write(writer, "creditLimit"u8, kind.CreditLimit);
        else
            writer.WriteNull("creditLimit"u8);
        if (kind.DepositRate is not null)
            writer.WriteString("depositRate"u8, kind.DepositRate);
        if (kind.LendingRate is not null)
            writer.WriteString("lendingRate"u8, kind.LendingRate);
        writer.WriteString("maskedNumber"u8, $"xxxx xxxx {account.AccountNo[^4..]}");
        if (kind.Class is "transaction" or "savings")
        {
            writer.WriteString("bsb"u8, account.AccountNo.AsSpan(0, 6));
            writer.WriteString("unmaskedAccNum"u8, account.AccountNo.AsSpan(6));
        }

        writer.WriteStartArray("transactionIntervals"u8);
        if (account.Source.Posted > 0)
        {
            writer.WriteStartObject();
            writer.WriteString("from"u8, Day(account.Source.DayOf(0)));
            writer.WriteString("to"u8, Day(account.Source.DayOf(account.Source.Posted - 1)));
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        WriteLinks(writer, user, account, baseUrl);
        writer.WriteEndObject();
    }

    private static void WriteCommon(Utf8JsonWriter writer, AccountView account)
    {
        var balance = account.Source.Closing;
        var kind = account.Kind;

        // What may still be spent: for a card what is left of its limit, for a loan nothing.
        var available = kind.Class switch
        {
            "mortgage" or "loan" or "term-deposit" => (long?)null,
            _ => balance + kind.CreditLimit + account.Source.PendingTotal,
        };
        writer.WriteString("type"u8, "account"u8);
        writer.WriteString("id"u8, account.Id);
        writer.WriteString("name"u8, kind.Name);
        writer.WriteString("accountNo"u8, account.AccountNo);
        Money.Write(writer, "balance"u8, balance);
        if (available is { } cents)
            Money.Write(writer, "availableFunds"u8, cents);
        else
            writer.WriteNull("availableFunds"u8);
        writer.WriteString("currency"u8, "AUD"u8);
        writer.WriteStartObject("class"u8);
        writer.WriteString("type"u8, kind.Class);
        writer.WriteString("product"u8, kind.Product);
        writer.WriteEndObject();
        writer.WriteString("lastUpdated"u8, Answers.Timestamp(account.Updated));
        writer.WriteString("status"u8, "available"u8);
    }

    private static void WriteLinks(Utf8JsonWriter writer, UserState user, AccountView account, string baseUrl)
    {
        var userUrl = $"{baseUrl}/users/{user.Id}";
        writer.WriteStartObject("links"u8);
        writer.WriteString("self"u8, $"{userUrl}/accounts/{account.Id}");
        writer.WriteString("transactions"u8, $"{userUrl}/transactions?filter=account.id.eq('{account.Id}')");
        writer.WriteString("connection"u8, $"{userUrl}/connections/{account.Connection.Id}");
        writer.WriteString("institution"u8, $"{baseUrl}/institutions/{account.Connection.InstitutionId}");
        writer.WriteEndObject();
    }

    private static string Day(int day) => DateOnly.FromDayNumber(day).ToString("yyyy-MM-dd", null);
}
