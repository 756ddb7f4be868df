using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Streams.Reactive;

namespace LogTail;

/// <summary>The page, and the two streams of server-sent events that it listens to.</summary>
public static class Web
{
    public static WebApplication Create(int port, StreamTap<string, LogLine> tail, Dashboard dashboard)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = TimeSpan.FromSeconds(5));
        var app = builder.Build();
        app.Urls.Add($"http://127.0.0.1:{port}");
        var stopping = app.Lifetime.ApplicationStopping;
        app.MapGet("/", () => Results.File(Path.Combine(AppContext.BaseDirectory, "page.html"), "text/html; charset=utf-8"));
        app.MapGet("/tail", (string? level, HttpContext request) => TypedResults.ServerSentEvents(TailAsync(tail, level, stopping, request.RequestAborted)));
        app.MapGet("/counts", (HttpContext request) => TypedResults.ServerSentEvents(CountsAsync(dashboard, stopping, request.RequestAborted)));
        return app;
    }

    private static async IAsyncEnumerable<LogLine> TailAsync(StreamTap<string, LogLine> tail, string? level, CancellationToken stopping, [EnumeratorCancellation] CancellationToken aborted)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(stopping, aborted);
        using var lines = tail.OpenReader();
        while (await MoreAsync(lines.WaitToReadAsync(end.Token)))
        {
            while (lines.TryRead(out var line))
            {
                if (string.IsNullOrEmpty(level) || line.Value.Level == level) yield return line.Value;
            }
        }
    }

    private static async IAsyncEnumerable<IReadOnlyList<LevelCount>> CountsAsync(Dashboard dashboard, CancellationToken stopping, [EnumeratorCancellation] CancellationToken aborted)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(stopping, aborted);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(500));
        do
        {
            yield return dashboard.Latest(windows: 3);
        }
        while (await MoreAsync(timer.WaitForNextTickAsync(end.Token)));
    }

    // A browser that has gone, and a program that ends, are the ordinary end of a stream.
    private static async ValueTask<bool> MoreAsync(ValueTask<bool> next)
    {
        try
        {
            return await next;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }
}
