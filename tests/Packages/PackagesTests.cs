using System.Diagnostics;
using System.IO.Compression;
using System.Reflection;
using System.Text;
using System.Text.Json;
using System.Xml.Linq;

namespace Packages;

/// <summary>The packages as a user gets them: packed, looked into, and used by a program made from the template, without network.</summary>
public sealed class PackagesTests(PackedPackages packed) : IClassFixture<PackedPackages>
{
    private static readonly HashSet<string> s_tools = ["Streams.Tool", "Broker.Lite.Tool"];

    private static readonly string[] s_withoutAssembly = ["Streams.Analyzers", "Streams.Templates"];

    [Fact]
    public void Every_library_is_packed()
    {
        var expected = Directory.GetDirectories(Path.Combine(PackedPackages.Root, "src")).Select(path => Path.GetFileName(path)!)
            .Where(name => name != "Streams.Analyzers.CodeFixes").Append("Streams.Templates").Order(StringComparer.Ordinal);
        Assert.Equal(expected, packed.Packages.Keys.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Package_has_readme_license_and_description_and_depends_on_what_it_uses()
    {
        foreach (var (name, path) in packed.Packages)
        {
            using var zip = ZipFile.OpenRead(path);
            var files = zip.Entries.Select(entry => entry.FullName).ToList();
            Assert.Contains("PACKAGE.md", files);
            using var stream = zip.GetEntry(name + ".nuspec")!.Open();
            var metadata = XDocument.Load(stream).Root!.Elements().Single(element => element.Name.LocalName == "metadata");
            string? Value(string element) => metadata.Elements().FirstOrDefault(candidate => candidate.Name.LocalName == element)?.Value;
            Assert.Equal("PACKAGE.md", Value("readme"));
            Assert.Equal("Apache-2.0", Value("license"));
            Assert.NotEqual("Package Description", Value("description"));
            var dependencies = metadata.Descendants().Where(element => element.Name.LocalName == "dependency").Select(element => (string)element.Attribute("id")!).ToList();
            Assert.DoesNotContain(dependencies, dependency => dependency.Contains("Analyzer", StringComparison.Ordinal) || dependency.Contains("CodeAnalysis", StringComparison.Ordinal));
            if (s_withoutAssembly.Contains(name))
            {
                Assert.Empty(dependencies);
                Assert.DoesNotContain(files, file => file.StartsWith("lib/", StringComparison.Ordinal));
                continue;
            }

            var references = XDocument.Load(Path.Combine(PackedPackages.Root, "src", name, name + ".csproj")).Descendants("ProjectReference")
                .Select(reference => Path.GetFileNameWithoutExtension(((string)reference.Attribute("Include")!).Replace('\\', '/')));
            if (s_tools.Contains(name))
            {
                // A tool is installed alone, so it brings what it uses.
                Assert.Empty(dependencies);
                foreach (var assembly in references.Append(name)) Assert.Contains($"tools/net10.0/any/{assembly}.dll", files);
                continue;
            }

            Assert.Empty(references.Except(dependencies));
            Assert.Contains($"lib/net10.0/{name}.dll", files);
            Assert.Contains($"lib/net10.0/{name}.xml", files);
            Assert.DoesNotContain(files, file => file.EndsWith(".so", StringComparison.Ordinal));
        }
    }

    [Fact]
    public void Symbols_are_packed_beside_the_libraries()
    {
        foreach (var name in packed.Packages.Keys.Except(s_withoutAssembly))
        {
            using var zip = ZipFile.OpenRead(Path.ChangeExtension(packed.Packages[name], ".snupkg"));
            Assert.Contains($"{(s_tools.Contains(name) ? "tools/net10.0/any" : "lib/net10.0")}/{name}.pdb", zip.Entries.Select(entry => entry.FullName));
        }
    }

    [Fact]
    public void Analyzers_lie_where_the_compiler_looks()
    {
        using var zip = ZipFile.OpenRead(packed.Packages["Streams.Analyzers"]);
        var files = zip.Entries.Select(entry => entry.FullName).ToList();
        Assert.Contains("analyzers/dotnet/cs/Streams.Analyzers.dll", files);
        Assert.Contains("analyzers/dotnet/cs/Streams.Analyzers.CodeFixes.dll", files);
    }

    [Theory]
    [InlineData("streams-app")]
    [InlineData("streams-tests")]
    public void Template_names_this_version(string template)
    {
        using var json = JsonDocument.Parse(File.ReadAllText(Path.Combine(PackedPackages.Root, "templates", "content", template, ".template.config", "template.json")));
        Assert.Equal(PackedPackages.Version, json.RootElement.GetProperty("symbols").GetProperty("streamsVersion").GetProperty("defaultValue").GetString());
    }

    [Fact]
    public async Task Program_and_tests_made_from_the_templates_build_and_run()
    {
        var token = TestContext.Current.CancellationToken;
        var work = Path.Combine(packed.Folder, "work");
        Directory.CreateDirectory(work);
        await File.WriteAllTextAsync(Path.Combine(work, "nuget.config"), packed.NuGetConfig, token);

        var hive = Path.Combine(packed.Folder, "hive");
        await packed.DotnetAsync(work, "new", "install", packed.Packages["Streams.Templates"], "--debug:custom-hive", hive);
        await packed.DotnetAsync(work, "new", "streams-app", "-o", "Shop", "--debug:custom-hive", hive);
        await packed.DotnetAsync(work, "new", "streams-tests", "-o", "Shop.Tests", "--app", "Shop", "--debug:custom-hive", hive);

        // Not by a build process that something else has left behind, with an environment of its own.
        var build = await packed.DotnetAsync(work, "build", "Shop.Tests", "--nologo", "-v", "q", "-nodeReuse:false");
        Assert.False(build.Contains("warning", StringComparison.Ordinal), build);
        Assert.Contains("succeeded: 1", await packed.DotnetAsync(work, Path.Combine("Shop.Tests", "bin", "Debug", "net10.0", "Shop.Tests.dll")), StringComparison.Ordinal);

        await RunUntilAsync(packed.Start(Path.Combine(work, "Shop"), Path.Combine("bin", "Debug", "net10.0", "Shop.dll")), "running on an embedded broker", token);
    }

    [Fact]
    public async Task Broker_command_is_installed_runs_and_talks_to_itself()
    {
        var token = TestContext.Current.CancellationToken;
        var work = Path.Combine(packed.Folder, "tool");
        Directory.CreateDirectory(work);
        await File.WriteAllTextAsync(Path.Combine(work, "nuget.config"), packed.NuGetConfig, token);
        var tools = Path.Combine(work, "tools");
        await packed.DotnetAsync(work, "tool", "install", "Broker.Lite.Tool", "--tool-path", tools, "--version", PackedPackages.Version);
        var command = Path.Combine(tools, OperatingSystem.IsWindows() ? "broker.exe" : "broker");
        using var broker = Process.Start(new ProcessStartInfo(command, ["run", "--memory", "--port", "0"]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        try
        {
            var said = await broker.StandardOutput.ReadLineAsync(token).AsTask().WaitAsync(TimeSpan.FromMinutes(1), token);
            Assert.StartsWith("ready 127.0.0.1:", said, StringComparison.Ordinal);
            var address = said!["ready ".Length..];
            Assert.Equal(0, await ToolAsync("topics", "create", "--bootstrap-server", address, "--topic", "t", "--partitions", "3"));
            Assert.Equal(1, await ToolAsync("topics", "describe", "--bootstrap-server", address, "--topic", "missing"));
        }
        finally
        {
            if (!broker.HasExited)
                broker.Kill(entireProcessTree: true);
            await broker.WaitForExitAsync(CancellationToken.None);
        }

        async Task<int> ToolAsync(params string[] arguments)
        {
            using var tool = Process.Start(new ProcessStartInfo(command, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            await tool.WaitForExitAsync(token).WaitAsync(TimeSpan.FromMinutes(1), token);
            return tool.ExitCode;
        }
    }

    // The program runs until it is told to stop; that it has reached its cluster is what it says first.
    private static async Task RunUntilAsync(Process program, string expected, CancellationToken cancellationToken)
    {
        using (program)
        {
            var said = new StringBuilder();
            try
            {
                using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
                limit.CancelAfter(TimeSpan.FromMinutes(2));
                while (await program.StandardOutput.ReadLineAsync(limit.Token) is { } line)
                {
                    said.AppendLine(line);
                    if (line.Contains(expected, StringComparison.Ordinal)) break;
                }

                var failed = program.HasExited ? await program.StandardError.ReadToEndAsync(limit.Token) : "";
                Assert.True(said.ToString().Contains(expected, StringComparison.Ordinal), $"{said}\n{failed}");
                Assert.False(program.HasExited);
            }
            finally
            {
                if (!program.HasExited) program.Kill(entireProcessTree: true);
                await program.WaitForExitAsync(CancellationToken.None);
            }
        }
    }
}

/// <summary>All packages in a temporary folder, packed once from what is built.</summary>
public sealed class PackedPackages : IAsyncLifetime
{
    public static string Root { get; } = FindRoot();

    public static string Version { get; } = Metadata("Version");

    public string Folder { get; } = Directory.CreateTempSubdirectory("streams-packages-").FullName;

    /// <summary>Package file by name.</summary>
    public IReadOnlyDictionary<string, string> Packages { get; private set; } = new Dictionary<string, string>();

    /// <summary>Only our packages as a source; what else there is comes from what this machine has restored before.</summary>
    public string NuGetConfig => $"""
        <configuration>
          <packageSources><clear /><add key="packed" value="{Path.Combine(Folder, "packages")}" /></packageSources>
          <fallbackPackageFolders><add key="restored" value="{GlobalPackages}" /></fallbackPackageFolders>
        </configuration>
        """;

    private static string GlobalPackages => Environment.GetEnvironmentVariable("NUGET_PACKAGES")
        ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");

    public async ValueTask InitializeAsync()
    {
        var output = Path.Combine(Folder, "packages");
        await DotnetAsync(Root, "msbuild", "pack.proj", "-nologo", "-v:q", "-m:1", $"-p:Configuration={Metadata("Configuration")}", "-p:NoBuild=true", $"-p:PackageOutputPath={output}");
        Packages = Directory.GetFiles(output, $"*.{Version}.nupkg").ToDictionary(path => Path.GetFileName(path)[..^$".{Version}.nupkg".Length], path => path, StringComparer.Ordinal);
    }

    public ValueTask DisposeAsync()
    {
        Directory.Delete(Folder, recursive: true);
        return ValueTask.CompletedTask;
    }

    /// <summary>Runs dotnet and returns what it says; fails the test when dotnet fails.</summary>
    public async Task<string> DotnetAsync(string folder, params string[] arguments)
    {
        using var process = Start(folder, arguments);
        var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(process.ExitCode == 0, $"dotnet {string.Join(' ', arguments)} ended with {process.ExitCode}:\n{await output}\n{await errors}");
        return await output;
    }

    public Process Start(string folder, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", arguments) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
        if (folder != Root) start.Environment["NUGET_PACKAGES"] = Path.Combine(Folder, "restored");
        start.Environment["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1";
        start.Environment["DOTNET_NOLOGO"] = "1";

        // Servers that outlive the test would hold its folders.
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        start.Environment["UseSharedCompilation"] = "false";
        return Process.Start(start)!;
    }

    private static string Metadata(string key) =>
        typeof(PackedPackages).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(attribute => attribute.Key == key).Value!;

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Streams.sln"))) return folder.FullName;
        }

        throw new DirectoryNotFoundException($"No folder above {AppContext.BaseDirectory} holds Streams.sln.");
    }
}
