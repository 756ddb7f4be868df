namespace Chaos;

/// <summary>Which library's clients a process uses: it is told by a variable, so that the arguments are the application's alone.</summary>
internal static class ClientLibrary
{
    private const string Setting = "client.library";
    private const string VariableName = "CLIENT_LIBRARY";

    public static IReadOnlyDictionary<string, string> OfThisProcess => Settings(Environment.GetEnvironmentVariable(VariableName) is { Length: > 0 } library ? library : "confluent");

    public static IReadOnlyDictionary<string, string> Settings(string library) => new Dictionary<string, string> { [Setting] = library };

    public static (string Name, string Value) Variable(string library) => (VariableName, library);
}
