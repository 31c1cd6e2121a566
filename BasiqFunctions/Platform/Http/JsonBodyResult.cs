using System.Diagnostics.CodeAnalysis;

namespace BasiqFunctions.Platform.Http;

/// <summary>A body that was read, or the answer that refuses it.</summary>
internal readonly record struct JsonBodyResult<T>(T? Value, ProblemResult? Refusal)
    where T : class
{
    [MemberNotNullWhen(true, nameof(Value))]
    [MemberNotNullWhen(false, nameof(Refusal))]
    public bool IsRead => Refusal is null;
}
