using System.Text.Json;
using System.Text.Json.Serialization;

namespace BasiqFunctions.Basiq.Models;

/// <summary>A user's consent to share data.</summary>
[JsonConverter(typeof(BasiqResourceConverter<Consent>))]
public sealed record Consent : IBasiqResource<Consent>
{
    private Consent(JsonElement json) => (Json, Id) = (json, json.RequiredText("id"));

    /// <inheritdoc />
    public JsonElement Json { get; }

    /// <summary>Basiq's id.</summary>
    public string Id { get; }

    /// <summary><c>active</c>, <c>expired</c>, <c>revoked</c>, or one to come.</summary>
    public string? Status => Json.Text("status");

    /// <summary>When it was given, ISO 8601.</summary>
    public string? Created => Json.Text("created");

    /// <summary>When it was last changed, ISO 8601.</summary>
    public string? Updated => Json.Text("updated");

    /// <summary>When it ends, ISO 8601.</summary>
    public string? ExpiryDate => Json.Text("expiryDate");

    /// <summary>Where it was given.</summary>
    public string? Origin => Json.Text("origin");

    /// <summary>Whether Basiq says that the person took it back.</summary>
    public bool IsRevoked => Is(Status, "revoked");

    /// <summary>
    /// Whether it is over: whether Basiq calls it revoked or expired. Its status alone decides; one of a status that Basiq does not
    /// document is in force, and so is one that should have ended by its dates (<see cref="IsDoubtedAt"/>).
    /// </summary>
    public bool HasEnded => IsOver(Status);

    /// <summary>When it ends or ended; null where Basiq gives no date.</summary>
    public DateTimeOffset? EndsAt => (IsRevoked ? RevokedAt : null) ?? BasiqTime.Of(ExpiryDate);

    private DateTimeOffset? RevokedAt => BasiqTime.Of(Json.Text("revoked"));

    /// <summary>Whether its dates say that it is over and its status does not: Basiq is to be asked again, and nothing is to be done.</summary>
    public bool IsDoubtedAt(DateTimeOffset now) => !HasEnded && (RevokedAt is not null || EndsAt <= now);

    /// <inheritdoc />
    public static Consent From(JsonElement json) => new(json);

    /// <summary>Reads one from its JSON text.</summary>
    /// <exception cref="JsonException">It is not a JSON object, or has no <c>id</c>.</exception>
    public static Consent Parse(string json) => From(JsonElement.Parse(json));

    /// <summary>The id alone: the rest may be personal data.</summary>
    public override string ToString() => $"{nameof(Consent)} {Id}";

    /// <summary>Whether a consent of this status is over.</summary>
    internal static bool IsOver(string? status) => Is(status, "revoked") || Is(status, "expired");

    private static bool Is(string? status, string wanted) => string.Equals(status, wanted, StringComparison.OrdinalIgnoreCase);
}
