using Microsoft.AspNetCore.Http;

namespace BasiqFunctions.Platform.Http;

/// <summary>A feature of a request by which a function gives its answers another shape, also those that it does not make itself.</summary>
internal sealed record AnswerShape(Func<IResult, IResult> Give);
