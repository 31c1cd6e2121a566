using System.Text.Json;
using FluentValidation;
using FluentValidation.Results;
using Microsoft.AspNetCore.Http;

namespace BasiqFunctions.Platform.Http;

/// <summary>
/// The fields of a request's JSON object, taken one by one. What has the wrong type, is null where that has no meaning or is
/// taken by nobody is noted under the field's name, so that one answer names everything that is wrong. For requests in which a
/// field that is left out, one that is null and one of the wrong type are three things; see <see cref="JsonBody"/> for others.
/// </summary>
internal sealed class RequestFields
{
    private static readonly JsonDocumentOptions AsDeepAsBodies = new() { MaxDepth = JsonBody.MaxDepth };

    // What has not been taken yet.
    private readonly Dictionary<string, JsonElement> _fields;
    private readonly FieldErrors _errors;
    private readonly bool _nullIsAbsent;
    private readonly string _prefix;
    private List<RequestFields>? _inner;

    private RequestFields(JsonElement json, bool nullIsAbsent, string prefix, FieldErrors errors)
    {
        (_nullIsAbsent, _prefix, _errors) = (nullIsAbsent, prefix, errors);
        _fields = new Dictionary<string, JsonElement>(json.GetPropertyCount(), StringComparer.Ordinal);
        foreach (var property in json.EnumerateObject())
        {
            // Throws when the name has half a character in it.
            var name = property.Name;
            if (!_fields.TryAdd(name, property.Value))
                Refuse(name, JsonBody.GivenTwice);
        }

        IsEmpty = _fields.Count == 0;
    }

    /// <summary>Whether the object has no fields at all.</summary>
    public bool IsEmpty { get; }

    /// <summary>Reads a request's body.</summary>
    /// <param name="request">The request.</param>
    /// <param name="optional">Whether no body at all is taken as <c>{}</c>.</param>
    /// <param name="nullIsAbsent">Whether a null says the same as leaving the field out; where it does not, it is refused.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="ProblemException">400, 413 or 415, as <see cref="JsonBody"/> says.</exception>
    public static async Task<RequestFields> ReadAsync(
        HttpRequest request, bool optional, bool nullIsAbsent, CancellationToken cancellation)
    {
        var body = await JsonBody.ReadAsync(request, json => Read(json, nullIsAbsent), optional, cancellation);
        return body.IsRead ? body.Value : throw new ProblemException(body.Refusal);
    }

    /// <summary>The field's text; null when it is absent or not a text.</summary>
    public string? Text(string name)
    {
        if (Take(name) is not { } value)
            return null;
        if (value.ValueKind is not JsonValueKind.String)
            return Refuse(name, "must be a string.");
        try
        {
            return value.GetString();
        }
        catch (InvalidOperationException)
        {
            return Refuse(name, "is not valid Unicode.");
        }
    }

    /// <summary>The field's texts; null when it is absent or not an array of texts.</summary>
    public IReadOnlyList<string>? Texts(string name)
    {
        if (Take(name) is not { } value)
            return null;
        if (value.ValueKind is not JsonValueKind.Array || value.EnumerateArray().Any(item => item.ValueKind is not JsonValueKind.String))
        {
            Refuse(name, "must be an array of strings.");
            return null;
        }

        try
        {
            return [.. value.EnumerateArray().Select(item => item.GetString()!)];
        }
        catch (InvalidOperationException)
        {
            Refuse(name, "is not valid Unicode.");
            return null;
        }
    }

    /// <summary>The field's truth; null when it is absent or neither true nor false.</summary>
    public bool? Flag(string name)
    {
        var value = Take(name);
        switch (value?.ValueKind)
        {
            case null:
                return null;
            case JsonValueKind.True or JsonValueKind.False:
                return value.Value.GetBoolean();
            default:
                Refuse(name, "must be true or false.");
                return null;
        }
    }

    /// <summary>The field's own fields; null when it is absent or not an object.</summary>
    public RequestFields? Object(string name)
    {
        if (Take(name) is not { } value)
            return null;
        if (value.ValueKind is not JsonValueKind.Object)
        {
            Refuse(name, "must be an object.");
            return null;
        }

        try
        {
            var inner = new RequestFields(value, _nullIsAbsent, $"{_prefix}{name}.", _errors);
            (_inner ??= []).Add(inner);
            return inner;
        }
        catch (InvalidOperationException)
        {
            Refuse(name, JsonBody.NameIsNoText);
            return null;
        }
    }

    /// <summary>Notes that a field is not taken here, and why.</summary>
    public void RefuseIfGiven(string name, string why)
    {
        if (_fields.Remove(name))
            Refuse(name, why);
    }

    /// <summary>
    /// Ends the reading: validates what was read and throws when anything was wrong with it, fields that nobody took included.
    /// </summary>
    /// <exception cref="ProblemException">400, naming each field.</exception>
    public T Validated<T>(T value, IValidator<T> validator)
    {
        RefuseUntaken();
        var validation = validator.Validate(value);
        if (validation.IsValid && _errors.Count == 0)
            return value;
        var refused = _errors.Fields.Keys.ToHashSet(StringComparer.Ordinal);
        foreach (var failure in validation.Errors)
        {
            // A field of the wrong type was read as absent: what follows from that is no news.
            var name = JsonNameOf(failure);
            if (!refused.Contains(name))
                _errors.Add(name, failure.ErrorMessage);
        }

        throw new ProblemException(Problem.InvalidInput(_errors));
    }

    private static JsonBodyResult<RequestFields> Read(ReadOnlySpan<byte> json, bool nullIsAbsent)
    {
        var element = JsonElement.Parse(json, AsDeepAsBodies);
        if (element.ValueKind is not JsonValueKind.Object)
            return new(null, JsonBody.NoObject());
        try
        {
            return new(new RequestFields(element, nullIsAbsent, "", new FieldErrors()), null);
        }
        catch (InvalidOperationException)
        {
            return new(null, Problem.InvalidInput("body", JsonBody.NameIsNoText));
        }
    }

    private void RefuseUntaken()
    {
        foreach (var name in _fields.Keys)
            Refuse(name, "is not a field of this request.");
        foreach (var inner in _inner ?? [])
            inner.RefuseUntaken();
    }

    private JsonElement? Take(string name)
    {
        if (!_fields.Remove(name, out var value))
            return null;
        if (value.ValueKind is not JsonValueKind.Null)
            return value;
        if (!_nullIsAbsent)
            Refuse(name, "cannot be null: Basiq changes fields and does not clear them. Leave it out to keep it.");
        return null;
    }

    private string? Refuse(string name, string why)
    {
        _errors.Add(_prefix + JsonBody.Shorten(name), why);
        return null;
    }

    /// <summary><c>BusinessAddress.Postcode</c> as JSON spells it.</summary>
    private static string JsonNameOf(ValidationFailure failure) =>
        string.Join('.', failure.PropertyName.Split('.').Select(JsonNamingPolicy.CamelCase.ConvertName));
}
