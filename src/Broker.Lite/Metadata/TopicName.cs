namespace Broker.Lite.Metadata;

/// <summary>Which names topics may have, and which topics are the broker's own.</summary>
internal static class TopicName
{
    /// <summary>The topic in which groups and their offsets are kept.</summary>
    public const string ConsumerOffsets = "__consumer_offsets";

    /// <summary>The topic in which transactions are kept.</summary>
    public const string TransactionState = "__transaction_state";

    // With the partition number and ".log" suffixes a folder name stays below the 255 bytes that file systems allow.
    private const int MaxLength = 249;

    /// <summary>Says what is wrong with a name, or null if it is legal. Also what keeps a name from leaving the data folder.</summary>
    public static string? Fault(string name)
    {
        if (name.Length == 0)
            return "A topic name cannot be empty";
        if (name is "." or "..")
            return "A topic name cannot be '.' or '..'";
        if (name.Length > MaxLength)
            return $"A topic name has at most {MaxLength} characters, this one {name.Length}";
        foreach (var c in name)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('.' or '_' or '-'))
                return "A topic name consists of ASCII letters, digits, '.', '_' and '-'";
        }

        return null;
    }

    /// <summary>True for topics that only the broker writes to.</summary>
    public static bool IsInternal(string name) => name is ConsumerOffsets or TransactionState;
}
