using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Text.Json.Serialization;
using BasiqFunctions.Connections;
using BasiqFunctions.Connections.Institutions;
using BasiqFunctions.Connections.Outages;
using BasiqFunctions.Connections.Visits;
using BasiqFunctions.Consents;
using BasiqFunctions.Notifications;
using BasiqFunctions.Platform;
using BasiqFunctions.Platform.Health;
using BasiqFunctions.Platform.Idempotency;
using BasiqFunctions.Platform.Records;
using BasiqFunctions.Platform.Vault.LocalVault;
using BasiqFunctions.Removal;
using BasiqFunctions.Reports;
using BasiqFunctions.Sync;
using BasiqFunctions.Webhooks;

namespace BasiqFunctions;

/// <summary>The JSON of the app's own, generated at build time; <see cref="AppJson"/> hands it out.</summary>
[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, RespectNullableAnnotations = true)]

// What callers are answered.
[JsonSerializable(typeof(Basiq.Models.ClientToken))]
[JsonSerializable(typeof(Basiq.Models.User))]
[JsonSerializable(typeof(ConfirmedRemoval))]
[JsonSerializable(typeof(ConnectionAttention))]
[JsonSerializable(typeof(ConnectionList))]
[JsonSerializable(typeof(ConsentLink))]
[JsonSerializable(typeof(ConsentList))]
[JsonSerializable(typeof(DeletionReceiptList))]
[JsonSerializable(typeof(DeliveryList))]
[JsonSerializable(typeof(HealthReport))]
[JsonSerializable(typeof(HeldRemovalList))]
[JsonSerializable(typeof(IdentityList))]
[JsonSerializable(typeof(IdentityMatch))]
[JsonSerializable(typeof(Institution))]
[JsonSerializable(typeof(InstitutionList))]
[JsonSerializable(typeof(NoBankConnected))]
[JsonSerializable(typeof(NotificationSubscription))]
[JsonSerializable(typeof(NotificationSubscriptionList))]
[JsonSerializable(typeof(RefreshSpared))]
[JsonSerializable(typeof(RemovalUnderWay))]
[JsonSerializable(typeof(ReportAnswer))]
[JsonSerializable(typeof(ReportList))]
[JsonSerializable(typeof(ReportSummary))]
[JsonSerializable(typeof(ReportTypeList))]
[JsonSerializable(typeof(SubscriptionAnswer))]
[JsonSerializable(typeof(SyncAnswer))]
[JsonSerializable(typeof(SyncStarted))]
[JsonSerializable(typeof(TestResult))]

// What they send.
[JsonSerializable(typeof(Basiq.Models.UserDetails))]
[JsonSerializable(typeof(ConsentLinkRequest))]
[JsonSerializable(typeof(CreateAuthLinkRequest))]
[JsonSerializable(typeof(IdentityMatchRequest))]
[JsonSerializable(typeof(MfaAnswerRequest))]
[JsonSerializable(typeof(NotificationSubscriptionRequest))]
[JsonSerializable(typeof(RefreshRequest))]
[JsonSerializable(typeof(ReportRequest))]
[JsonSerializable(typeof(StartSyncRequest))]
[JsonSerializable(typeof(SubscriptionRequest))]

// What is kept in tables, signed, or shown by an orchestration.
[JsonSerializable(typeof(AffectedConnection))]
[JsonSerializable(typeof(ConsentStatePayload))]
[JsonSerializable(typeof(ConsentWarning))]
[JsonSerializable(typeof(DeletionReceipt))]
[JsonSerializable(typeof(EventHandled))]
[JsonSerializable(typeof(EventInput))]
[JsonSerializable(typeof(EventTried))]
[JsonSerializable(typeof(HeldRemoval))]
[JsonSerializable(typeof(IdempotencyRecord))]
[JsonSerializable(typeof(ImmutableSortedDictionary<string, string>))]
[JsonSerializable(typeof(KeptAttention))]
[JsonSerializable(typeof(KeptConnections))]
[JsonSerializable(typeof(KeptDelivery))]
[JsonSerializable(typeof(KeptInstitutions))]
[JsonSerializable(typeof(KeptLook))]
[JsonSerializable(typeof(KeptReport))]
[JsonSerializable(typeof(KeptSubscription))]
[JsonSerializable(typeof(KeptVisits))]
[JsonSerializable(typeof(QueuedMessage))]
[JsonSerializable(typeof(QueueHead))]
[JsonSerializable(typeof(ReceiverState))]
[JsonSerializable(typeof(RecordEnd))]
[JsonSerializable(typeof(StoredAnswer))]
[JsonSerializable(typeof(SyncInput))]
[JsonSerializable(typeof(SyncProgress))]
[JsonSerializable(typeof(UserAbsence))]

// What the team's backend is told, and its secrets.
[JsonSerializable(typeof(ImmutableSortedDictionary<string, ImmutableArray<SigningSecret>>))]
[JsonSerializable(typeof(NotificationMessage))]
[JsonSerializable(typeof(QueuedNotification))]

// The file that stands in for Key Vault.
[JsonSerializable(typeof(Dictionary<string, List<SecretVersion>>))]
[JsonSerializable(typeof(KeyVaultError))]
[JsonSerializable(typeof(SecretBundle))]
[JsonSerializable(typeof(SecretPage))]
[JsonSerializable(typeof(SecretRequest))]
internal sealed partial class AppJsonContext : JsonSerializerContext
{
    [ModuleInitializer]
    internal static void HandOver() => AppJson.Use(Default);
}
