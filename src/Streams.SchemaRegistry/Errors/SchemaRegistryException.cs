using Streams.Core;

namespace Streams.SchemaRegistry;

/// <summary>The schema registry refused a call or could not be reached; the message names the call, the subject or id and the URL.</summary>
/// <remarks>
/// A serde throws it from <c>Serialize</c> and <c>Deserialize</c> when it needs a schema it has not seen. An error handler that skips unreadable records should let records with
/// <see cref="IsTransient"/> fail: they are readable again when the registry is.
/// </remarks>
public sealed class SchemaRegistryException : StreamsException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="message">What was asked, of whom, and the answer.</param>
    /// <param name="statusCode">HTTP status; <c>null</c> when there was no answer.</param>
    /// <param name="errorCode">The registry's own code, such as 40401; 0 when it gave none.</param>
    /// <param name="isTransient">Whether the same call may work later.</param>
    /// <param name="innerException">What it was made from, if anything.</param>
    public SchemaRegistryException(string message, int? statusCode, int errorCode, bool isTransient, Exception? innerException = null)
        : base(message, innerException)
    {
        StatusCode = statusCode;
        ErrorCode = errorCode;
        IsTransient = isTransient;
    }

    /// <summary>HTTP status; <c>null</c> when there was no answer.</summary>
    public int? StatusCode { get; }

    /// <summary>The registry's own code (40401 subject, 40402 version, 40403 schema not found; 409 incompatible; 42201 invalid schema); 0 when it gave none.</summary>
    public int ErrorCode { get; }

    /// <summary>Whether the same call may work later: no connection, no answer in time, an overloaded or failing server.</summary>
    public bool IsTransient { get; }
}
