using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;

namespace Streams.Analyzers;

/// <summary>STRM004: windows that close at once. The name says it, so this is a suggestion only, for those who took the first factory that was offered.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
internal sealed class WindowAnalyzer : DiagnosticAnalyzer
{
    private const string Suffix = "WithNoGrace";

    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics { get; } = ImmutableArray.Create(Rules.WindowWithoutGrace);

    public override void Initialize(AnalysisContext context)
    {
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.None);
        context.EnableConcurrentExecution();
        context.RegisterOperationAction(Analyze, OperationKind.Invocation);
    }

    private static void Analyze(OperationAnalysisContext context)
    {
        var call = (IInvocationOperation)context.Operation;
        var name = call.TargetMethod.Name;
        if (!name.EndsWith(Suffix, StringComparison.Ordinal) || call.TargetMethod.ContainingType is not { } type || !Operators.IsInDsl(type)) return;
        if (call.Syntax is not InvocationExpressionSyntax { Expression: MemberAccessExpressionSyntax member }) return;
        context.ReportDiagnostic(Diagnostic.Create(Rules.WindowWithoutGrace, member.Name.GetLocation(), name, name.Substring(0, name.Length - Suffix.Length) + "AndGrace"));
    }
}
