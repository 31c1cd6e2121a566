using BasiqFunctions.Platform.Http;

namespace BasiqFunctions.Connections;

/// <summary>What RefreshConnections is asked for.</summary>
/// <param name="ConnectionId">The connection; all of the user's when null.</param>
internal sealed record RefreshRequest(string? ConnectionId)
{
    /// <summary>Takes the fields of a request, not validated.</summary>
    public static RefreshRequest From(RequestFields fields) => new(fields.Text("connectionId"));
}
