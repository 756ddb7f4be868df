using Streams.Kafka;
using Streams.Tool;

#pragma warning disable RS0030 // A command line talks to the console.
using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, pressed) =>
{
    pressed.Cancel = true;
    stop.Cancel();
};
return await new Commands(Console.Out, Console.Error, static (servers, settings) => new KafkaCluster(servers, settings), TimeProvider.System).RunAsync(args, stop.Token).ConfigureAwait(false);
