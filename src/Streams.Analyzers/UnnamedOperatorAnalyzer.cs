using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;

namespace Streams.Analyzers;

/// <summary>STRM001: operators with a store or an internal topic whose name is left to the numbering.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
internal sealed class UnnamedOperatorAnalyzer : DiagnosticAnalyzer
{
    private static readonly ImmutableHashSet<string> s_aggregations = ImmutableHashSet.Create(StringComparer.Ordinal, "Count", "Reduce", "Aggregate");

    // What names a store or an internal topic; any argument of these types that is not made on the spot is taken to carry a name.
    private static readonly ImmutableHashSet<string> s_carriers = ImmutableHashSet.Create(StringComparer.Ordinal, "Named", "Materialized", "StreamJoined", "Joined", "TableJoined", "Suppressed", "Repartitioned", "Grouped");

    private static readonly ImmutableHashSet<string> s_naming = ImmutableHashSet.Create(StringComparer.Ordinal, "As", "WithName", "WithStoreName", "Named");

    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics { get; } = ImmutableArray.Create(Rules.UnnamedOperator);

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
        if (!Operators.IsOperator(method) || Suggestion(method) is not { } suggestion) return;
        if (call.Arguments.Any(IsNaming)) return;
        context.ReportDiagnostic(Diagnostic.Create(Rules.UnnamedOperator, Name(call), method.Name, suggestion));
    }

    private static string? Suggestion(IMethodSymbol method)
    {
        var receiver = Operators.Receiver(method)!.Name;
        if (s_aggregations.Contains(method.Name) && receiver.IndexOf("KGrouped", StringComparison.Ordinal) + receiver.IndexOf("indowed", StringComparison.Ordinal) + receiver.IndexOf("Cogrouped", StringComparison.Ordinal) > -3)
            return "Materialized.As(\"...\")";
        if (method.Name == "Repartition" && receiver == "KStream") return "Repartitioned.As(\"...\")";

        // Only a join of two streams keeps both sides; the windows tell it.
        if (method.Name is "Join" or "LeftJoin" or "OuterJoin" && method.Parameters.Any(parameter => Operators.IsDsl(parameter.Type, "JoinWindows"))) return "StreamJoined.As(\"...\")";
        return method.Name == "Suppress" && receiver == "KTable" ? "WithName(\"...\")" : null;
    }

    private static bool IsNaming(IArgumentOperation argument)
    {
        if (argument.ArgumentKind == ArgumentKind.DefaultValue) return false;
        var value = Operators.Unconverted(argument.Value);

        // A text where a Named is wanted is its name.
        if (value.Type?.SpecialType == SpecialType.System_String && Operators.IsDsl(argument.Parameter?.Type, "Named")) return true;
        if (argument.Parameter?.Type is not { } type || !s_carriers.Contains(type.Name) || !Operators.IsInDsl(type)) return false;
        if (value.ConstantValue is { HasValue: true, Value: null }) return false;
        return value is not (IInvocationOperation or IObjectCreationOperation or IPropertyReferenceOperation { Instance: null }) || NamesInChain(value);
    }

    // Materialized.With(...).WithName("x"): somewhere in the chain a name is given, which is text.
    private static bool NamesInChain(IOperation value)
    {
        for (var current = value; current is not null; current = Next(current))
        {
            if (current is IInvocationOperation call && s_naming.Contains(call.TargetMethod.Name) && call.Arguments.Any(argument => argument.Parameter?.Type.SpecialType == SpecialType.System_String)) return true;
            if (current is IObjectCreationOperation creation) return creation.Initializer is { } initializer && initializer.Initializers.OfType<ISimpleAssignmentOperation>().Any(assignment => assignment.Target is IPropertyReferenceOperation { Property.Name: "Name" or "StoreName" });
            if (current is not (IInvocationOperation or IConversionOperation)) return current is not IPropertyReferenceOperation { Instance: null };
        }

        return false;
    }

    private static IOperation? Next(IOperation operation) => operation switch
    {
        IInvocationOperation { Instance: { } instance } => instance,
        IInvocationOperation { TargetMethod.IsExtensionMethod: true, Arguments: { Length: > 0 } arguments } => arguments[0].Value,
        IConversionOperation conversion => conversion.Operand,
        _ => null,
    };

    private static Location Name(IInvocationOperation call) =>
        call.Syntax is Microsoft.CodeAnalysis.CSharp.Syntax.InvocationExpressionSyntax { Expression: Microsoft.CodeAnalysis.CSharp.Syntax.MemberAccessExpressionSyntax member } ? member.Name.GetLocation() : call.Syntax.GetLocation();
}
