using Broker.Lite.Host.Client;

namespace Broker.Lite.Host.Commands;

/// <summary>What a tool command works with.</summary>
internal sealed record ToolContext(ToolArguments Arguments, ClusterClient Cluster, TextReader Input, TextWriter Output, TimeProvider Time);

/// <summary>One action of the tool, such as <c>topics create</c>.</summary>
/// <param name="Name">Its words.</param>
/// <param name="Help">One line on what it does, then its options, a line each.</param>
/// <param name="WithValue">Options with a value.</param>
/// <param name="Flags">Options without.</param>
/// <param name="Run">Does it.</param>
internal sealed record ToolCommand(string Name, string Help, string[] WithValue, string[] Flags, Func<ToolContext, CancellationToken, Task> Run);
