using System.Collections.Concurrent;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Streams.SchemaRegistry.Avro;

namespace Streams.SchemaRegistry.Tests;

/// <summary>A schema registry as a web server on a free port of this machine: subjects, versions, ids, a backward rule for Avro records, Confluent's error codes; and faults on demand.</summary>
internal sealed class TestRegistry : IAsyncDisposable
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, List<(int Version, int Id, string Body)>> _subjects = new(StringComparer.Ordinal);
    private readonly List<string> _bodies = [];
    private readonly Dictionary<string, string> _compatibility = new(StringComparer.Ordinal) { [""] = "BACKWARD" };
    private readonly WebApplication _app;

    private TestRegistry(WebApplication app) => _app = app;

    /// <summary>Requests so far: method, path and query.</summary>
    public ConcurrentQueue<string> Requests { get; } = new();

    /// <summary>Answers to give instead of the right ones, first come first served.</summary>
    public ConcurrentQueue<Func<HttpContext, Task>> Faults { get; } = new();

    /// <summary>What requests must be authorised with; anything by default.</summary>
    public string? RequiredAuthorization { get; set; }

    public Uri Url => new(_app.Urls.First());

    public static async Task<TestRegistry> StartAsync(string path = "")
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrel(options => options.Listen(IPAddress.Loopback, 0));
        var app = builder.Build();
        var registry = new TestRegistry(app);
        if (path.Length > 0) app.UsePathBase(path);
        app.Run(registry.HandleAsync);
        await app.StartAsync(TestContext.Current.CancellationToken);
        return registry;
    }

    public SchemaRegistryClient CreateClient(Func<SchemaRegistryConfig, SchemaRegistryConfig>? change = null)
    {
        var config = SchemaRegistryConfig.At(Url.ToString()) with { RetryBackoff = TimeSpan.FromMilliseconds(1) };
        return new SchemaRegistryClient(change is null ? config : change(config));
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task HandleAsync(HttpContext context)
    {
        // As it was sent, so that tests see what is escaped.
        Requests.Enqueue($"{context.Request.Method} {context.Features.Get<Microsoft.AspNetCore.Http.Features.IHttpRequestFeature>()!.RawTarget}");
        if (RequiredAuthorization is not null && context.Request.Headers.Authorization != RequiredAuthorization)
        {
            context.Response.StatusCode = 401;
            return;
        }

        if (Faults.TryDequeue(out var fault))
        {
            await fault(context);
            return;
        }

        JsonNode? body = null;
        if (context.Request.ContentLength > 0) body = await JsonNode.ParseAsync(context.Request.Body);
        var (status, answer) = Answer(context, body as JsonObject);
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/vnd.schemaregistry.v1+json";
        await context.Response.WriteAsync(answer.ToJsonString(), Encoding.UTF8);
    }

    private (int Status, JsonNode Answer) Answer(HttpContext context, JsonObject? body)
    {
        var method = context.Request.Method;
        var parts = context.Request.Path.Value!.Split('/', StringSplitOptions.RemoveEmptyEntries).Select(Uri.UnescapeDataString).ToArray();
        lock (_lock)
        {
            return (method, parts) switch
            {
                ("GET", ["subjects"]) => (200, new JsonArray([.. _subjects.Keys.Order(StringComparer.Ordinal).Select(name => JsonValue.Create(name))])),
                ("GET", ["subjects", var subject, "versions"]) => OfSubject(subject, versions => new JsonArray([.. versions.Select(entry => JsonValue.Create(entry.Version))])),
                ("GET", ["subjects", var subject, "versions", var version]) => Version(subject, version),
                ("POST", ["subjects", var subject, "versions"]) => Register(subject, body!),
                ("POST", ["subjects", var subject]) => Lookup(subject, body!),
                ("DELETE", ["subjects", var subject]) => Delete(subject),
                ("GET", ["schemas", "ids", var id]) => ById(int.Parse(id, System.Globalization.CultureInfo.InvariantCulture)),
                ("POST", ["compatibility", "subjects", var subject, "versions", _]) =>
                    OfSubject(subject, versions => new JsonObject { ["is_compatible"] = IsCompatible(versions[^1].Body, body!) }),
                ("GET", ["config", .. var subject]) => (200, new JsonObject { ["compatibilityLevel"] = Rule(subject.FirstOrDefault() ?? "") }),
                ("PUT", ["config", .. var subject]) => SetRule(subject.FirstOrDefault() ?? "", body!),
                _ => Error(404, 404, "HTTP 404 Not Found"),
            };
        }
    }

    private string Rule(string subject) => _compatibility.GetValueOrDefault(subject, _compatibility[""]);

    private (int Status, JsonNode Answer) SetRule(string subject, JsonObject body)
    {
        _compatibility[subject] = body["compatibility"]!.GetValue<string>();
        return (200, new JsonObject { ["compatibility"] = _compatibility[subject] });
    }

    private (int Status, JsonNode Answer) Register(string subject, JsonObject body)
    {
        var text = body.ToJsonString();
        if (!_subjects.TryGetValue(subject, out var versions)) _subjects.Add(subject, versions = []);
        var known = versions.Find(entry => entry.Body == text);
        if (known.Id > 0) return (200, new JsonObject { ["id"] = known.Id });
        foreach (var reference in body["references"]?.AsArray() ?? [])
        {
            var (status, _) = Version(reference!["subject"]!.GetValue<string>(), reference["version"]!.GetValue<int>().ToString(System.Globalization.CultureInfo.InvariantCulture));
            if (status != 200) return Error(422, 42201, $"No schema reference found for subject \"{reference["subject"]}\"");
        }

        if (versions.Count > 0 && Rule(subject) == "BACKWARD" && !IsCompatible(versions[^1].Body, body)) return Error(409, 409, "Schema being registered is incompatible with an earlier schema");
        if (!_bodies.Contains(text)) _bodies.Add(text);
        var id = _bodies.IndexOf(text) + 1;
        versions.Add((versions.Count + 1, id, text));
        return (200, new JsonObject { ["id"] = id });
    }

    private (int Status, JsonNode Answer) Lookup(string subject, JsonObject body)
    {
        if (!_subjects.TryGetValue(subject, out var versions)) return Error(404, 40401, $"Subject '{subject}' not found.");
        var text = body.ToJsonString();
        var known = versions.Find(entry => entry.Body == text);
        return known.Id == 0 ? Error(404, 40403, "Schema not found") : (200, Described(subject, known));
    }

    private (int Status, JsonNode Answer) Version(string subject, string version)
    {
        if (!_subjects.TryGetValue(subject, out var versions)) return Error(404, 40401, $"Subject '{subject}' not found.");
        var entry = version == "latest" ? versions[^1] : versions.Find(candidate => candidate.Version == int.Parse(version, System.Globalization.CultureInfo.InvariantCulture));
        return entry.Id == 0 ? Error(404, 40402, $"Version {version} not found.") : (200, Described(subject, entry));
    }

    private (int Status, JsonNode Answer) ById(int id) => id < 1 || id > _bodies.Count ? Error(404, 40403, $"Schema {id} not found") : (200, JsonNode.Parse(_bodies[id - 1])!);

    private (int Status, JsonNode Answer) Delete(string subject)
    {
        var answer = OfSubject(subject, versions => new JsonArray([.. versions.Select(entry => JsonValue.Create(entry.Version))]));
        _subjects.Remove(subject);
        return answer;
    }

    private (int Status, JsonNode Answer) OfSubject(string subject, Func<List<(int Version, int Id, string Body)>, JsonNode> answer) =>
        _subjects.TryGetValue(subject, out var versions) ? (200, answer(versions)) : Error(404, 40401, $"Subject '{subject}' not found.");

    private static JsonObject Described(string subject, (int Version, int Id, string Body) entry)
    {
        var body = JsonNode.Parse(entry.Body)!.AsObject();
        body["subject"] = subject;
        body["version"] = entry.Version;
        body["id"] = entry.Id;
        return body;
    }

    // Backward for Avro records: what is new has a default.
    private static bool IsCompatible(string before, JsonObject after)
    {
        if (after.ContainsKey("schemaType")) return true;
        var old = AvroSchema.Parse(JsonNode.Parse(before)!["schema"]!.GetValue<string>());
        return AvroSchema.Parse(after["schema"]!.GetValue<string>()).Fields.All(field => field.Default is not null || old.Field(field.Name) is not null);
    }

    private static (int Status, JsonNode Answer) Error(int status, int code, string message) => (status, new JsonObject { ["error_code"] = code, ["message"] = message });
}
