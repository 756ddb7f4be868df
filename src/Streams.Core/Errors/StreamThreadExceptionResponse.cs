namespace Streams.Core;

/// <summary>What to do after an error that no other handler has dealt with. Source: Kafka's <c>StreamThreadExceptionResponse</c> (KIP-671).</summary>
public enum StreamThreadExceptionResponse
{
    /// <summary>
    /// Give up what the thread has done since its last commit, and go on from there with new clients and tasks opened anew. Errors that follow each other are
    /// answered with growing pauses, up to 10 s. A thread that was about to end ends without its last commit.
    /// </summary>
    ReplaceThread,

    /// <summary>Close this instance; it ends in <see cref="KafkaStreamsState.Error"/>, and the others of the application take its tasks over. The default.</summary>
    ShutdownClient,

    /// <summary>Close every instance of the application: the others are told through the group.</summary>
    ShutdownApplication,
}
