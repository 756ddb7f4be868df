using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Http;
using Streams.Core;

namespace Streams.SchemaRegistry.Tests;

public sealed class SchemaRegistryClientTests : IAsyncLifetime
{
    private static readonly RegistrySchema s_text = new(SchemaType.Avro, "\"string\"");

    private TestRegistry _registry = null!;
    private SchemaRegistryClient _client = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _registry = await TestRegistry.StartAsync();
        _client = _registry.CreateClient();
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _registry.DisposeAsync();
    }

    [Fact]
    public async Task Register_gives_the_id_that_the_schema_is_found_by()
    {
        var schema = new RegistrySchema(SchemaType.Json, """{"type":"object","title":"Ünïcode \" quoted"}""", [new SchemaReference("n", "t-value", 1)]);
        await _client.RegisterAsync("t-value", s_text, cancellationToken: Token);
        var id = await _client.RegisterAsync("orders-value", schema, cancellationToken: Token);
        using var other = _registry.CreateClient();
        Assert.Equal(schema, await other.GetSchemaAsync(id, Token));
        Assert.Equal(new RegisteredSchema("orders-value", 1, id, schema), await other.FindAsync("orders-value", schema, cancellationToken: Token));
        Assert.Equal(new RegisteredSchema("orders-value", 1, id, schema), await other.GetVersionAsync("orders-value", 1, Token));
        Assert.Equal(new RegisteredSchema("orders-value", 1, id, schema), await other.GetLatestAsync("orders-value", Token));
        Assert.Equal(["orders-value", "t-value"], await other.GetSubjectsAsync(Token));
        Assert.Equal([1], await other.GetVersionsAsync("orders-value", Token));
    }

    [Fact]
    public async Task What_cannot_change_is_asked_once_also_by_many_at_a_time()
    {
        var ids = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => _client.RegisterAsync("s", s_text, cancellationToken: Token).AsTask()));
        Assert.Single(ids.Distinct());
        await _client.RegisterAsync("s", s_text, cancellationToken: Token);
        await _client.GetSchemaAsync(ids[0], Token);
        Assert.Single(_registry.Requests);
    }

    [Fact]
    public async Task Cache_forgets_the_oldest_past_its_bound()
    {
        using var small = _registry.CreateClient(config => config with { MaxCachedSchemas = 2 });
        foreach (var subject in new[] { "a", "b", "c" }) await small.RegisterAsync(subject, s_text, cancellationToken: Token);
        await small.RegisterAsync("c", s_text, cancellationToken: Token);
        Assert.Equal(3, _registry.Requests.Count);
        await small.RegisterAsync("a", s_text, cancellationToken: Token);
        Assert.Equal(4, _registry.Requests.Count);
    }

    [Theory]
    [InlineData("a b/c?d#e%f", "/subjects/a%20b%2Fc%3Fd%23e%25f/versions/1")]
    [InlineData("größe", "/subjects/gr%C3%B6%C3%9Fe/versions/1")]
    public async Task Subject_is_escaped_in_the_url(string subject, string target)
    {
        var missing = await Assert.ThrowsAsync<SchemaRegistryException>(async () => await _client.GetVersionAsync(subject, 1, Token));
        Assert.Equal(404, missing.StatusCode);
        Assert.Equal("GET " + target, _registry.Requests.Single());
        await Assert.ThrowsAsync<ArgumentException>(async () => await _client.GetVersionAsync("..", 1, Token));
    }

    [Fact]
    public async Task Refusal_names_subject_url_and_the_registrys_reason_and_is_not_repeated()
    {
        var failure = await Assert.ThrowsAsync<SchemaRegistryException>(async () => await _client.GetLatestAsync("nowhere", Token));
        Assert.Equal((404, 40401, false), (failure.StatusCode, failure.ErrorCode, failure.IsTransient));
        Assert.Contains("'nowhere'", failure.Message, StringComparison.Ordinal);
        Assert.Contains(_registry.Url.ToString(), failure.Message, StringComparison.Ordinal);
        Assert.Contains("not found", failure.Message, StringComparison.Ordinal);
        Assert.Single(_registry.Requests);
    }

    [Fact]
    public async Task Failed_answer_is_not_kept()
    {
        await Assert.ThrowsAsync<SchemaRegistryException>(async () => await _client.FindAsync("s", s_text, cancellationToken: Token));
        var id = await _client.RegisterAsync("s", s_text, cancellationToken: Token);
        Assert.Equal(id, (await _client.FindAsync("s", s_text, cancellationToken: Token)).Id);
    }

    [Theory]
    [InlineData(500)]
    [InlineData(503)]
    [InlineData(429)]
    [InlineData(408)]
    public async Task Failure_that_may_pass_is_repeated_up_to_the_bound(int status)
    {
        for (var count = 0; count < 3; count++) _registry.Faults.Enqueue(Status(status));
        await _client.RegisterAsync("s", s_text, cancellationToken: Token);
        Assert.Equal(4, _registry.Requests.Count);

        for (var count = 0; count < 4; count++) _registry.Faults.Enqueue(Status(status));
        var failure = await Assert.ThrowsAsync<SchemaRegistryException>(async () => await _client.RegisterAsync("t", s_text, cancellationToken: Token));
        Assert.True(failure.IsTransient);
        Assert.Equal(status, failure.StatusCode);
        Assert.Equal(8, _registry.Requests.Count);
    }

    [Fact]
    public async Task Next_address_is_tried_when_one_does_not_answer()
    {
        var dead = FreeUrl();
        using var client = new SchemaRegistryClient(new SchemaRegistryConfig { Urls = [dead, _registry.Url], RetryBackoff = TimeSpan.FromMilliseconds(1) });
        await client.RegisterAsync("s", s_text, cancellationToken: Token);
        await client.RegisterAsync("t", s_text, cancellationToken: Token);
        Assert.Equal(2, _registry.Requests.Count);

        using var hopeless = new SchemaRegistryClient(new SchemaRegistryConfig { Urls = [dead], MaxRetries = 1, RetryBackoff = TimeSpan.FromMilliseconds(1) });
        var failure = await Assert.ThrowsAsync<SchemaRegistryException>(async () => await hopeless.GetSchemaAsync(1, Token));
        Assert.True(failure.IsTransient);
        Assert.Null(failure.StatusCode);
        Assert.Contains(dead.ToString(), failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_answer_in_time_is_an_error_that_says_so()
    {
        _registry.Faults.Enqueue(context => Task.Delay(Timeout.Infinite, context.RequestAborted).ContinueWith(static _ => { }, TaskScheduler.Default));
        using var client = _registry.CreateClient(config => config with { RequestTimeout = TimeSpan.FromMilliseconds(50), MaxRetries = 0 });
        var failure = await Assert.ThrowsAsync<SchemaRegistryException>(async () => await client.GetSchemaAsync(1, Token));
        Assert.True(failure.IsTransient);
        Assert.Contains("within 0.05 s", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Cancelling_ends_one_wait_and_not_the_request_that_others_share()
    {
        var go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var arrived = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _registry.Faults.Enqueue(async context =>
        {
            arrived.SetResult();
            await go.Task;
            await context.Response.WriteAsync("""{"id":77}""");
        });
        using var cancel = new CancellationTokenSource();
        var first = _client.RegisterAsync("s", s_text, cancellationToken: cancel.Token).AsTask();
        await arrived.Task;
        var second = _client.RegisterAsync("s", s_text, cancellationToken: Token).AsTask();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        go.SetResult();
        Assert.Equal(77, await second);
    }

    [Theory]
    [InlineData("")]
    [InlineData("<html>welcome</html>")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("""{"id":"7"}""")]
    [InlineData("""{"id":99999999999}""")]
    public async Task Answer_that_is_not_the_registrys_is_an_error(string answer)
    {
        _registry.Faults.Enqueue(context => context.Response.WriteAsync(answer));
        var failure = await Assert.ThrowsAsync<SchemaRegistryException>(async () => await _client.RegisterAsync("s", s_text, cancellationToken: Token));
        Assert.False(failure.IsTransient);
        Assert.Contains("'s'", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Answer_past_the_bound_is_an_error_and_not_read()
    {
        using var client = _registry.CreateClient(config => config with { MaxResponseBytes = 1024 });
        _registry.Faults.Enqueue(context => context.Response.WriteAsync(new string(' ', 1025)));
        Assert.Contains("larger", (await Assert.ThrowsAsync<SchemaRegistryException>(async () => await client.GetSchemaAsync(1, Token))).Message, StringComparison.Ordinal);
        _registry.Faults.Enqueue(async context =>
        {
            // Without a length in its head.
            for (var count = 0; count < 10; count++)
            {
                await context.Response.Body.WriteAsync(Encoding.ASCII.GetBytes(new string(' ', 200)));
                await context.Response.Body.FlushAsync();
            }
        });
        Assert.Contains("larger", (await Assert.ThrowsAsync<SchemaRegistryException>(async () => await client.GetSchemaAsync(1, Token))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Credentials_are_sent()
    {
        _registry.RequiredAuthorization = "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes("me:pässword"));
        using var basic = _registry.CreateClient(config => config with { BasicAuth = ("me", "pässword") });
        await basic.GetSubjectsAsync(Token);
        _registry.RequiredAuthorization = "Bearer token-1";
        using var bearer = _registry.CreateClient(config => config with { BearerToken = _ => ValueTask.FromResult("token-1") });
        await bearer.GetSubjectsAsync(Token);
        var refused = await Assert.ThrowsAsync<SchemaRegistryException>(() => _client.GetSubjectsAsync(Token));
        Assert.Equal(401, refused.StatusCode);
        Assert.False(refused.IsTransient);
    }

    [Fact]
    public async Task Root_may_have_a_path()
    {
        await using var nested = await TestRegistry.StartAsync("/registry/v1");
        using var client = new SchemaRegistryClient(SchemaRegistryConfig.At(new Uri(nested.Url, "/registry/v1").ToString()));
        await client.RegisterAsync("s", s_text, cancellationToken: Token);
        Assert.Equal("POST /registry/v1/subjects/s/versions", nested.Requests.Single());
    }

    [Fact]
    public async Task Compatibility_is_asked_and_set()
    {
        var one = new RegistrySchema(SchemaType.Avro, """{"type":"record","name":"A","fields":[{"name":"a","type":"int"}]}""");
        var two = new RegistrySchema(SchemaType.Avro, """{"type":"record","name":"A","fields":[{"name":"a","type":"int"},{"name":"b","type":"int"}]}""");
        await _client.RegisterAsync("s", one, cancellationToken: Token);
        Assert.False(await _client.IsCompatibleAsync("s", two, cancellationToken: Token));
        Assert.True(await _client.IsCompatibleAsync("s", one, version: 1, Token));
        Assert.Equal(409, (await Assert.ThrowsAsync<SchemaRegistryException>(async () => await _client.RegisterAsync("s", two, cancellationToken: Token))).ErrorCode);

        Assert.Equal(SchemaCompatibility.Backward, await _client.GetCompatibilityAsync(cancellationToken: Token));
        await _client.SetCompatibilityAsync("s", SchemaCompatibility.FullTransitive, Token);
        Assert.Equal(SchemaCompatibility.FullTransitive, await _client.GetCompatibilityAsync("s", Token));
        await _client.RegisterAsync("s", two, cancellationToken: Token);
        Assert.Equal([1, 2], await _client.GetVersionsAsync("s", Token));
        Assert.Equal([1, 2], await _client.DeleteSubjectAsync("s", cancellationToken: Token));
        Assert.Empty(await _client.GetSubjectsAsync(Token));
    }

    [Fact]
    public void Wrong_configuration_names_all_its_faults()
    {
        var wrong = Assert.Throws<ConfigException>(() => new SchemaRegistryClient(new SchemaRegistryConfig
        {
            Urls = [new Uri("ftp://x")],
            BasicAuth = ("a:b", ""),
            BearerToken = _ => ValueTask.FromResult(""),
            RequestTimeout = TimeSpan.Zero,
            MaxRetries = -1,
            MaxCachedSchemas = 0,
            MaxResponseBytes = 1,
        }));
        foreach (var part in new[] { "ftp://x", "BearerToken", "':'", "RequestTimeout", "MaxRetries", "MaxCachedSchemas", "MaxResponseBytes" })
            Assert.Contains(part, wrong.Message, StringComparison.Ordinal);
        Assert.Throws<ConfigException>(() => SchemaRegistryConfig.At(""));
        Assert.Throws<ConfigException>(() => SchemaRegistryConfig.At("not a url"));
        Assert.Equal(2, SchemaRegistryConfig.At("http://a:8081, https://b/x").Urls.Count);
    }

    private static Func<HttpContext, Task> Status(int status) => context =>
    {
        context.Response.StatusCode = status;
        return context.Response.WriteAsync("<busy>");
    };

    private static Uri FreeUrl()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, 0));
        return new Uri($"http://127.0.0.1:{((System.Net.IPEndPoint)socket.LocalEndPoint!).Port}/");
    }
}
