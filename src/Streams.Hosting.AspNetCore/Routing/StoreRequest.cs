using Streams.Core;
using Streams.Hosting.AspNetCore.Reading;

namespace Streams.Hosting.AspNetCore.Routing;

/// <summary>One question to one partition: how to answer it here, and how to ask another instance.</summary>
/// <param name="Read">Answers it.</param>
/// <param name="Locate">Says whose it is, anew with every attempt, because tasks move.</param>
/// <param name="Path">Path and query of the same question at another instance.</param>
/// <param name="Hop">Whether it comes from another instance.</param>
/// <param name="Bound">What the answer has to contain.</param>
/// <param name="BoundText">The same as it came.</param>
/// <param name="Authorization">Credentials to pass on; empty for none.</param>
internal sealed record StoreRequest(StoreRead Read, Func<KeyQueryMetadata> Locate, Func<int, string> Path, Hop Hop, Position Bound, string BoundText, string Authorization);
