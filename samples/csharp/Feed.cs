using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace KeepInStep;

/// <summary>A page of changes.</summary>
internal sealed record Page(IReadOnlyList<Change>? Accounts, IReadOnlyList<Change> Changes, string NextCursor, bool HasMore);

/// <summary>A change of an account or of a transaction. One that was removed comes with its ids alone.</summary>
internal sealed record Change(string Type, string AccountId, string? TransactionId, string? InferredFrom, JsonElement? Transaction, JsonElement? Account)
{
    [JsonIgnore]
    public bool IsRemoval => Type == "removed";
}

/// <summary>What the app answers.</summary>
/// <param name="Page">The page; null when there is none.</param>
/// <param name="HasExpired">The cursor is too old: everything is to be read once more.</param>
internal sealed record Answer(Page? Page, bool HasExpired = false)
{
    /// <summary>There is nothing of the user: not yet, or not any more.</summary>
    public bool IsGone => Page is null && !HasExpired;
}

/// <summary>Reads <c>GET users/{userId}/changes</c>.</summary>
internal sealed class Feed(HttpClient http, int pageLength)
{
    /// <exception cref="HttpRequestException">It did not work; try again.</exception>
    public async Task<Answer> ReadAsync(string userId, string? cursor, CancellationToken cancellationToken)
    {
        var query = string.Create(CultureInfo.InvariantCulture, $"users/{Uri.EscapeDataString(userId)}/changes?limit={pageLength}{(cursor is null ? "" : $"&cursor={cursor}")}");
        using var answer = await http.GetAsync(new Uri(query, UriKind.Relative), cancellationToken);
        switch (answer.StatusCode)
        {
            case HttpStatusCode.OK:
                return new Answer(await answer.Content.ReadFromJsonAsync(FeedJson.Default.Page, cancellationToken));
            case HttpStatusCode.Gone when await IsAsync("cursor-expired"):
                return new Answer(Page: null, HasExpired: true);

            // Only these words end a copy: a 404 can come from a wrong address, too.
            case HttpStatusCode.NotFound when await IsAsync("consent-ended", "no-snapshot"):
                return new Answer(Page: null);
            default:
                throw new HttpRequestException($"The app answers {(int)answer.StatusCode}.", inner: null, answer.StatusCode);
        }

        async Task<bool> IsAsync(params string[] codes)
        {
            if (answer.Content.Headers.ContentType?.MediaType is not "application/problem+json")
                return false;
            var problem = await answer.Content.ReadFromJsonAsync(FeedJson.Default.JsonElement, cancellationToken);
            return codes.Contains(problem.GetProperty("code").GetString());
        }
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, RespectRequiredConstructorParameters = false)]
[JsonSerializable(typeof(Page))]
[JsonSerializable(typeof(JsonElement))]
internal sealed partial class FeedJson : JsonSerializerContext;
