using System.Text.Json.Serialization;

namespace BasiqFunctions.Sync;

/// <summary>The JSON of syncs, without reflection.</summary>
[JsonSerializable(typeof(SyncProgress))]
[JsonSerializable(typeof(SyncInput))]
[JsonSerializable(typeof(SyncAnswer))]
[JsonSerializable(typeof(SyncStarted))]
[JsonSerializable(typeof(StartSyncRequest))]
[JsonSerializable(typeof(MfaAnswerRequest))]
internal sealed partial class SyncJson : JsonSerializerContext;
