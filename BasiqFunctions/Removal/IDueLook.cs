using BasiqFunctions.Platform.Notices;
using Microsoft.DurableTask.Client;

namespace BasiqFunctions.Removal;

/// <summary>Does what is due of a user, of a kind that a folder above this one knows.</summary>
public interface IDueLook
{
    /// <summary>The kind.</summary>
    string Kind { get; }

    /// <summary>Looks at what is true now, does what follows, and gives when the user is due again; null for never.</summary>
    /// <param name="client">The durable client of the calling function.</param>
    /// <param name="userId">The user.</param>
    /// <param name="tell">Takes what the team's backend is to be told.</param>
    /// <param name="cancellation">Ends the wait.</param>
    Task<DateTimeOffset?> LookAsync(DurableTaskClient client, UserId userId, Action<Notice> tell, CancellationToken cancellation);
}
