using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;

namespace Streams.Analyzers;

/// <summary>STRM002 and STRM005: lambdas of operators that change the key, or what they have captured.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
internal sealed class LambdaAnalyzer : DiagnosticAnalyzer
{
    private static readonly ImmutableHashSet<string> s_mutators = ImmutableHashSet.Create(
        StringComparer.Ordinal,
        "Add", "AddRange", "AddFirst", "AddLast", "Insert", "InsertRange", "Remove", "RemoveAt", "RemoveAll", "RemoveRange", "Clear", "Push", "Pop", "Enqueue", "Dequeue", "TryAdd", "TryDequeue",
        "TryPop", "Sort", "Reverse", "UnionWith", "ExceptWith", "IntersectWith", "SymmetricExceptWith", "Append", "AppendLine");

    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics { get; } = ImmutableArray.Create(Rules.MutatedKey, Rules.CapturedState);

    public override void Initialize(AnalysisContext context)
    {
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.None);
        context.EnableConcurrentExecution();
        context.RegisterOperationAction(Analyze, OperationKind.Invocation);
    }

    private static void Analyze(OperationAnalysisContext context)
    {
        var call = (IInvocationOperation)context.Operation;
        if (!Operators.IsOperator(call.TargetMethod)) return;
        foreach (var argument in call.Arguments)
        {
            if (Operators.Lambda(argument) is not { } lambda) continue;
            var key = KeyParameter(argument, lambda);
            foreach (var inside in lambda.Body.Descendants())
            {
                // What an operator inside the lambda does with its own lambdas is told there.
                if (Changed(inside) is not { } changed) continue;
                var root = Root(changed, out var steps);
                if (key is not null && steps > 0 && root is IParameterReferenceOperation parameter && SymbolEqualityComparer.Default.Equals(parameter.Parameter, key))
                    context.ReportDiagnostic(Diagnostic.Create(Rules.MutatedKey, inside.Syntax.GetLocation(), call.TargetMethod.Name));
                else if (IsCaptured(root, lambda, steps) is { } captured)
                    context.ReportDiagnostic(Diagnostic.Create(Rules.CapturedState, inside.Syntax.GetLocation(), captured, call.TargetMethod.Name));
            }
        }
    }

    // The lambda's parameter that stands for the record's key: the first, in the delegates that take a key.
    private static IParameterSymbol? KeyParameter(IArgumentOperation argument, IAnonymousFunctionOperation lambda)
    {
        if (lambda.Symbol.Parameters.Length == 0 || argument.Parameter?.OriginalDefinition.Type is not INamedTypeSymbol { DelegateInvokeMethod: { } invoke }) return null;
        return invoke.Parameters[0].Type is ITypeParameterSymbol { Name: "K" } ? lambda.Symbol.Parameters[0] : null;
    }

    // What an operation changes: the target of an assignment, or the collection that a mutating method is called on.
    private static IOperation? Changed(IOperation operation) => operation switch
    {
        ISimpleAssignmentOperation { Parent: not IObjectOrCollectionInitializerOperation } assignment => assignment.Target,
        ICompoundAssignmentOperation assignment => assignment.Target,
        ICoalesceAssignmentOperation assignment => assignment.Target,
        IIncrementOrDecrementOperation change => change.Target,
        IInvocationOperation { Instance: { } instance } call when s_mutators.Contains(call.TargetMethod.Name) && IsUnsafeCollection(instance.Type) => instance,
        _ => null,
    };

    // Only what is known not to be for several threads; concurrent and immutable collections, and types of the user's own, have their reasons.
    private static bool IsUnsafeCollection(ITypeSymbol? type) =>
        type?.ContainingNamespace?.ToDisplayString() is "System.Collections.Generic" or "System.Collections" or "System.Collections.ObjectModel" || (type?.Name == "StringBuilder" && type.ContainingNamespace?.Name == "Text");

    // From a.b[c].d to a, and how many steps that was.
    private static IOperation? Root(IOperation changed, out int steps)
    {
        steps = changed.Parent is IInvocationOperation call && call.Instance == changed ? 1 : 0;
        IOperation? current = changed;
        while (true)
        {
            switch (current)
            {
                case IFieldReferenceOperation { Instance: { } instance } and not { Instance: IInstanceReferenceOperation }:
                    current = instance;
                    break;
                case IPropertyReferenceOperation { Instance: { } instance } and not { Instance: IInstanceReferenceOperation }:
                    current = instance;
                    break;
                case IArrayElementReferenceOperation element:
                    current = element.ArrayReference;
                    break;
                case IConversionOperation conversion:
                    current = conversion.Operand;
                    continue;
                default:
                    return current;
            }

            steps++;
        }
    }

    // Name of what belongs to the world outside the lambda; null for what is the lambda's own.
    private static string? IsCaptured(IOperation? root, IAnonymousFunctionOperation lambda, int steps)
    {
        switch (root)
        {
            case ILocalReferenceOperation local:
                return IsInside(local.Local, lambda) ? null : local.Local.Name;
            case IParameterReferenceOperation parameter:
                return IsInside(parameter.Parameter, lambda) ? null : parameter.Parameter.Name;
            case IFieldReferenceOperation { Instance: null or IInstanceReferenceOperation } field when steps > 0 || !field.Field.IsReadOnly:
                return field.Instance is null || IsOfOuter(field.Instance, lambda) ? field.Field.Name : null;
            case IPropertyReferenceOperation { Instance: null or IInstanceReferenceOperation } property:
                return property.Instance is null || IsOfOuter(property.Instance, lambda) ? property.Property.Name : null;
            default:
                return null;
        }
    }

    // In an object initializer inside the lambda, "this" is the new object.
    private static bool IsOfOuter(IOperation instance, IAnonymousFunctionOperation lambda) =>
        instance is IInstanceReferenceOperation { ReferenceKind: InstanceReferenceKind.ContainingTypeInstance } && lambda.Symbol is not null;

    private static bool IsInside(ISymbol symbol, IAnonymousFunctionOperation lambda) =>
        symbol.DeclaringSyntaxReferences.Any(reference => reference.SyntaxTree == lambda.Syntax.SyntaxTree && lambda.Syntax.Span.Contains(reference.Span));
}
