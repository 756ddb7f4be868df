using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;

namespace Streams.Analyzers;

/// <summary>
/// STRM006: a foreign-key join hashes the bytes of the left value to tell an answer that is out of date. A serializer of hash tables (JSON objects from dictionaries, Protobuf maps, sets) may
/// write equal values differently, and then a good answer is taken for an old one.
/// </summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
internal sealed class ForeignKeyAnalyzer : DiagnosticAnalyzer
{
    private const int MaxTypes = 500;

    private static readonly ImmutableHashSet<string> s_unordered = ImmutableHashSet.Create(
        StringComparer.Ordinal,
        "System.Collections.Generic.Dictionary", "System.Collections.Generic.IDictionary", "System.Collections.Generic.IReadOnlyDictionary", "System.Collections.Generic.HashSet",
        "System.Collections.Generic.ISet", "System.Collections.Generic.IReadOnlySet", "System.Collections.Concurrent.ConcurrentDictionary", "System.Collections.Concurrent.ConcurrentBag",
        "System.Collections.Immutable.ImmutableDictionary", "System.Collections.Immutable.ImmutableHashSet", "System.Collections.Frozen.FrozenDictionary", "System.Collections.Frozen.FrozenSet",
        "System.Collections.Hashtable", "Google.Protobuf.Collections.MapField");

    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics { get; } = ImmutableArray.Create(Rules.NondeterministicForeignKey);

    public override void Initialize(AnalysisContext context)
    {
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.None);
        context.EnableConcurrentExecution();
        context.RegisterOperationAction(Analyze, OperationKind.Invocation);
    }

    private static void Analyze(OperationAnalysisContext context)
    {
        var call = (IInvocationOperation)context.Operation;
        var method = call.TargetMethod;
        if (method.Name is not ("Join" or "LeftJoin") || !Operators.IsOperator(method)) return;

        // Told apart from a join by key by the function that finds the foreign key, which takes the left value and gives the other table's key.
        if (!method.OriginalDefinition.Parameters.Any(parameter => parameter.Name.StartsWith("foreignKey", StringComparison.OrdinalIgnoreCase))) return;
        var receiver = method.ReducedFrom is null && method.IsExtensionMethod ? method.Parameters[0].Type : method.ReceiverType;
        if (receiver is not INamedTypeSymbol { Name: "KTable", TypeArguments: { Length: 2 } arguments }) return;
        if (FindUnordered(arguments[1]) is not { } found) return;
        var location = call.Syntax is InvocationExpressionSyntax { Expression: MemberAccessExpressionSyntax member } ? member.Name.GetLocation() : call.Syntax.GetLocation();
        context.ReportDiagnostic(Diagnostic.Create(Rules.NondeterministicForeignKey, location, arguments[1].ToDisplayString(SymbolDisplayFormat.MinimallyQualifiedFormat), found));
    }

    private static string? FindUnordered(ITypeSymbol value)
    {
        var seen = new HashSet<ITypeSymbol>(SymbolEqualityComparer.Default);
        var open = new Queue<ITypeSymbol>();
        open.Enqueue(value);
        while (open.Count > 0 && seen.Count < MaxTypes)
        {
            var type = open.Dequeue();
            if (!seen.Add(type)) continue;
            if (type is IArrayTypeSymbol array)
            {
                open.Enqueue(array.ElementType);
                continue;
            }

            if (type is not INamedTypeSymbol named) continue;
            if (s_unordered.Contains($"{named.ContainingNamespace?.ToDisplayString()}.{named.Name}")) return named.ToDisplayString(SymbolDisplayFormat.MinimallyQualifiedFormat);
            foreach (var argument in named.TypeArguments) open.Enqueue(argument);

            // The library's own types are values, or containers whose items are type arguments.
            if (named.ContainingNamespace?.ToDisplayString() is { } space && (space == "System" || space.StartsWith("System.", StringComparison.Ordinal))) continue;
            for (INamedTypeSymbol? current = named; current is not null && current.SpecialType == SpecialType.None; current = current.BaseType)
            {
                foreach (var property in current.GetMembers().OfType<IPropertySymbol>())
                {
                    if (property is { IsStatic: false, DeclaredAccessibility: Accessibility.Public } && !property.GetAttributes().Any(attribute => attribute.AttributeClass?.Name == "JsonIgnoreAttribute")) open.Enqueue(property.Type);
                }
            }
        }

        return null;
    }
}
