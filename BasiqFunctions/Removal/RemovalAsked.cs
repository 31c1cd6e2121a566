using System.Text.Json.Serialization;

namespace BasiqFunctions.Removal;

/// <summary>A removal that was asked for, and is durable: it goes on by itself, whatever becomes of who asked.</summary>
/// <param name="UserId">Whose data goes.</param>
/// <param name="ReceiptId">The id of its receipt.</param>
/// <param name="HasEnded">Whether all is gone.</param>
/// <param name="Receipt">The receipt, once it has ended; null then where there was nothing to remove.</param>
public sealed record RemovalAsked(string UserId, string ReceiptId, bool HasEnded, DeletionReceipt? Receipt)
{
    /// <summary>Whether something was removed, or may be yet.</summary>
    [JsonIgnore]
    public bool IsAny => !HasEnded || Receipt is not null;
}
