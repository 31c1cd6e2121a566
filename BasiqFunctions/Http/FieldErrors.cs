namespace BasiqFunctions.Http;

/// <summary>What is wrong with which field of a request, in the order found. The texts never quote what was sent.</summary>
internal sealed class FieldErrors
{
    private readonly List<(string Field, List<string> Messages)> _fields = [];

    public int Count => _fields.Count;

    public IReadOnlyList<(string Field, List<string> Messages)> Fields => _fields;

    public void Add(string field, string message)
    {
        foreach (var (name, messages) in _fields)
        {
            if (name == field)
            {
                if (!messages.Contains(message))
                    messages.Add(message);
                return;
            }
        }
        _fields.Add((field, [message]));
    }
}
