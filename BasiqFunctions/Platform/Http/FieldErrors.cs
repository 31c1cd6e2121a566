namespace BasiqFunctions.Platform.Http;

/// <summary>What is wrong with which field of a request, in the order found. The texts never quote what was sent.</summary>
internal sealed class FieldErrors
{
    private readonly OrderedDictionary<string, List<string>> _fields = new(StringComparer.Ordinal);

    public int Count => _fields.Count;

    public IReadOnlyDictionary<string, List<string>> Fields => _fields;

    public void Add(string field, string message)
    {
        if (!_fields.TryGetValue(field, out var messages))
            _fields.Add(field, [message]);
        else if (!messages.Contains(message))
            messages.Add(message);
    }
}
