using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeActions;
using Microsoft.CodeAnalysis.CodeFixes;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Text;

namespace Streams.Analyzers.Tests;

/// <summary>Compiles a program against the library and runs the analyzers over it. What they are to report is marked in the text: [|here|].</summary>
internal static class Compiled
{
    private static readonly ImmutableArray<MetadataReference> s_references =
    [
        .. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Where(path => Path.GetFileName(path) is var file && !file.StartsWith("Microsoft.CodeAnalysis", StringComparison.Ordinal) && !file.StartsWith("xunit", StringComparison.Ordinal))
            .Select(path => MetadataReference.CreateFromFile(path)),
    ];

    private static readonly ImmutableArray<DiagnosticAnalyzer> s_analyzers =
        [new UnnamedOperatorAnalyzer(), new LambdaAnalyzer(), new IteratorAnalyzer(), new WindowAnalyzer(), new ForeignKeyAnalyzer()];

    private const string Usings = "using System; using System.Collections.Generic; using System.Linq; using System.Text; using Streams.Core; using Streams.Dsl; using Streams.State;\n";

    /// <summary>A method's body with streams, tables and stores to use.</summary>
    public static string Body(string statements) => $$"""
        public sealed class Key { public int Id { get; set; } public List<int> Parts { get; } = new(); }
        public sealed class Program
        {
            private int _total;
            private readonly List<string> _list = new();
            public static int s_count;
            public void Run(StreamsBuilder builder, KStream<string, string> stream, KStream<string, string> other, KStream<Key, string> keyed, KTable<string, string> table, IKeyValueStore<string, long> store)
            {
                {{statements}}
            }
        }
        """;

    /// <summary>Asserts that a rule reports exactly what is marked.</summary>
    public static async Task ReportsAsync(string id, string source)
    {
        var (text, expected) = Unmarked(Usings + source);
        var found = (await DiagnosticsAsync(text)).Where(diagnostic => diagnostic.Id == id).Select(diagnostic => diagnostic.Location.SourceSpan).Order().ToList();
        Assert.True(expected.SequenceEqual(found), $"expected {Show(text, expected)}\nfound {Show(text, found)}");
    }

    /// <summary>Applies the first fix offered for the one report of a rule and asserts what comes out, and that it compiles.</summary>
    public static async Task FixesAsync(string id, CodeFixProvider provider, string before, string after)
    {
        using var workspace = new AdhocWorkspace();
        var project = workspace.AddProject(ProjectInfo.Create(ProjectId.CreateNewId(), VersionStamp.Default, "Sample", "Sample", LanguageNames.CSharp, compilationOptions: Options(), metadataReferences: s_references));
        var document = workspace.AddDocument(project.Id, "Sample.cs", SourceText.From(Usings + before));
        var diagnostic = Assert.Single(await DiagnosticsAsync(Usings + before), diagnostic => diagnostic.Id == id);
        var actions = new List<CodeAction>();
        await provider.RegisterCodeFixesAsync(new CodeFixContext(document, diagnostic, (action, _) => actions.Add(action), CancellationToken.None));
        var operations = await Assert.Single(actions).GetOperationsAsync(CancellationToken.None);
        var changed = operations.OfType<ApplyChangesOperation>().Single().ChangedSolution.GetDocument(document.Id)!;
        var text = (await changed.GetTextAsync()).ToString();
        Assert.Equal(Usings + after, text);
        Assert.DoesNotContain(await DiagnosticsAsync(text), found => found.Id == id);
    }

    private static async Task<ImmutableArray<Diagnostic>> DiagnosticsAsync(string text)
    {
        var tree = CSharpSyntaxTree.ParseText(text, new CSharpParseOptions(LanguageVersion.Latest));
        var compilation = CSharpCompilation.Create("Sample", [tree], s_references, Options());
        var errors = compilation.GetDiagnostics().Where(diagnostic => diagnostic.Severity == DiagnosticSeverity.Error).ToList();
        Assert.True(errors.Count == 0, string.Join('\n', errors));
        Exception? crash = null;
        var options = new CompilationWithAnalyzersOptions(
            new AnalyzerOptions([]), (failure, _, _) => crash = failure, concurrentAnalysis: false, logAnalyzerExecutionTime: false);
        var found = await compilation.WithAnalyzers(s_analyzers, options).GetAnalyzerDiagnosticsAsync(CancellationToken.None);
        Assert.Null(crash);
        return found;
    }

    private static CSharpCompilationOptions Options() => new(OutputKind.DynamicallyLinkedLibrary, nullableContextOptions: NullableContextOptions.Enable);

    private static (string Text, List<TextSpan> Spans) Unmarked(string marked)
    {
        var spans = new List<TextSpan>();
        for (var start = marked.IndexOf("[|", StringComparison.Ordinal); start >= 0; start = marked.IndexOf("[|", StringComparison.Ordinal))
        {
            marked = marked.Remove(start, 2);
            var end = marked.IndexOf("|]", start, StringComparison.Ordinal);
            marked = marked.Remove(end, 2);
            spans.Add(TextSpan.FromBounds(start, end));
        }

        return (marked, spans);
    }

    private static string Show(string text, List<TextSpan> spans) => spans.Count == 0 ? "nothing" : string.Join(", ", spans.Select(span => $"'{text[span.Start..span.End]}'@{span.Start}"));
}
