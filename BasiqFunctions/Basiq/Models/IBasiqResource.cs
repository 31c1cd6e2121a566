using System.Text.Json;

namespace BasiqFunctions.Basiq.Models;

/// <summary>
/// A resource that is kept exactly as Basiq sent it: what this app knows is read from <see cref="Json"/>, and what it does not
/// know survives, explicit nulls and order included.
/// </summary>
/// <typeparam name="TSelf">The resource.</typeparam>
public interface IBasiqResource<out TSelf>
    where TSelf : IBasiqResource<TSelf>
{
    /// <summary>The resource as received.</summary>
    JsonElement Json { get; }

    /// <summary>Takes a JSON object with an <c>id</c>.</summary>
    /// <exception cref="JsonException">It is not an object, or has no <c>id</c>.</exception>
    static abstract TSelf From(JsonElement json);
}
