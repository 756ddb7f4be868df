using System.Text.Json;

namespace Conformance;

/// <summary>The fields of a JSON object, read strictly: what is asked for must have the right type, and what nobody asked for is an error.</summary>
internal sealed class Fields
{
    private readonly JsonElement _element;
    private readonly string _where;
    private readonly HashSet<string> _unread = [];

    public Fields(JsonElement element, string where)
    {
        _element = element;
        _where = where;
        if (element.ValueKind != JsonValueKind.Object) throw new CaseFormatException($"{where} is {element.ValueKind}, not an object");
        foreach (var property in element.EnumerateObject())
        {
            if (!_unread.Add(property.Name)) throw new CaseFormatException($"{where} has the field '{property.Name}' twice");
        }
    }

    public IEnumerable<string> Names => _element.EnumerateObject().Select(property => property.Name).ToList();

    public bool Has(string name) => _element.TryGetProperty(name, out _);

    public JsonElement Required(string name) =>
        Take(name) ?? throw new CaseFormatException($"{_where} has no field '{name}'");

    public JsonElement? Take(string name)
    {
        _unread.Remove(name);
        return _element.TryGetProperty(name, out var value) ? value : null;
    }

    public string Text(string name) => OptionalText(name) ?? throw new CaseFormatException($"{_where} has no text '{name}'");

    public string? OptionalText(string name) => Take(name) switch
    {
        null or { ValueKind: JsonValueKind.Null } => null,
        { ValueKind: JsonValueKind.String } text => text.GetString(),
        { } other => throw Wrong(name, other, "a text"),
    };

    public long Number(string name) => OptionalNumber(name) ?? throw new CaseFormatException($"{_where} has no number '{name}'");

    public long? OptionalNumber(string name) => Take(name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.Number } number when number.TryGetInt64(out var value) => value,
        { } other => throw Wrong(name, other, "a whole number"),
    };

    public bool? OptionalFlag(string name) => Take(name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.True } => true,
        { ValueKind: JsonValueKind.False } => false,
        { } other => throw Wrong(name, other, "true or false"),
    };

    public Fields Object(string name) => new(Required(name), $"{_where}.{name}");

    public Fields? OptionalObject(string name) => Take(name) is { } value ? new Fields(value, $"{_where}.{name}") : null;

    public IReadOnlyList<Fields> Objects(string name) => [.. Elements(name).Select((element, index) => new Fields(element, $"{_where}.{name}[{index}]"))];

    public IReadOnlyList<JsonElement> Elements(string name)
    {
        var array = Required(name);
        return array.ValueKind == JsonValueKind.Array ? [.. array.EnumerateArray()] : throw Wrong(name, array, "an array");
    }

    public IReadOnlyList<string> Texts(string name) =>
        [.. Elements(name).Select(element => element.ValueKind == JsonValueKind.String ? element.GetString()! : throw Wrong(name, element, "a text"))];

    /// <summary>Call when everything understood has been read.</summary>
    public void RequireAllRead()
    {
        if (_unread.Count > 0) throw new CaseFormatException($"{_where} has fields that are not understood: {string.Join(", ", _unread)}");
    }

    public CaseFormatException Unknown(string what, string value) => new($"{_where} names an unknown {what}: '{value}'");

    private CaseFormatException Wrong(string name, JsonElement value, string wanted) => new($"{_where}.{name} is {value.GetRawText()}, not {wanted}");
}
