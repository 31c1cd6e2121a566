using System.Text.Json.Serialization;
using BasiqFunctions.Basiq.Models;
using BasiqFunctions.Connections;
using BasiqFunctions.Consents;

namespace BasiqFunctions.Users;

/// <summary>The JSON of users, consents and connections, without reflection.</summary>
[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ConsentStatePayload))]
[JsonSerializable(typeof(ConsentLink))]
[JsonSerializable(typeof(NoBankConnected))]
[JsonSerializable(typeof(ConnectionList))]
[JsonSerializable(typeof(ClientToken))]
[JsonSerializable(typeof(User))]
internal sealed partial class UsersJson : JsonSerializerContext;
