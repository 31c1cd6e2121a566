using System.Text.Json.Serialization;
using BasiqFunctions.Basiq.Models;

namespace BasiqFunctions.Basiq;

/// <summary>Serialization of what goes to and comes from Basiq, generated at build time.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectNullableAnnotations = true)]
[JsonSerializable(typeof(UserDetails))]
[JsonSerializable(typeof(User))]
[JsonSerializable(typeof(Job))]
[JsonSerializable(typeof(Connection))]
[JsonSerializable(typeof(Consent))]
[JsonSerializable(typeof(Account))]
[JsonSerializable(typeof(ClientToken))]
[JsonSerializable(typeof(AuthLink))]
[JsonSerializable(typeof(MfaResponse))]
[JsonSerializable(typeof(AuthLinkRequest))]
[JsonSerializable(typeof(ReportDetails))]
[JsonSerializable(typeof(BasiqEvent))]
[JsonSerializable(typeof(Webhook))]
[JsonSerializable(typeof(WebhookMessage))]
[JsonSerializable(typeof(WebhookDetails))]
[JsonSerializable(typeof(BasiqList<BasiqEvent>))]
[JsonSerializable(typeof(BasiqList<WebhookMessage>))]
[JsonSerializable(typeof(BasiqList<Connection>))]
[JsonSerializable(typeof(BasiqList<Consent>))]
[JsonSerializable(typeof(BasiqList<Identity>))]
internal sealed partial class BasiqJson : JsonSerializerContext;
