namespace Streams.Hosting.AspNetCore.Reading;

/// <summary>What was asked for cannot be understood; the message goes to whoever asked, as the detail of a 400.</summary>
internal sealed class BadRequestException(string message) : Exception(message);
