using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace Streams.Analyzers;

/// <summary>What analyzers need to know of the library's types, found by name: they see whatever version the user has.</summary>
internal static class Operators
{
    private static readonly ImmutableHashSet<string> s_namespaces = ImmutableHashSet.Create(StringComparer.Ordinal, "Streams.Dsl", "Streams.Dsl.Linq");

    private static readonly ImmutableHashSet<string> s_operatorTypes = ImmutableHashSet.Create(
        StringComparer.Ordinal,
        "KStream", "KTable", "KGroupedStream", "KGroupedTable", "CogroupedKStream", "TimeWindowedKStream", "SessionWindowedKStream", "WindowedCogroupedKStream", "TimeWindowedCogroupedKStream",
        "SessionWindowedCogroupedKStream", "SlidingWindowedCogroupedKStream", "BranchedKStream", "Branched", "StreamsBuilder");

    /// <summary>Whether a type is one of the DSL's, by its simple name.</summary>
    public static bool IsDsl(ITypeSymbol? type, string name) => type is not null && type.Name == name && IsInDsl(type);

    /// <summary>Whether a method is an operator: a method of a stream, table or grouping, or an extension of one.</summary>
    public static bool IsOperator(IMethodSymbol method) => Receiver(method) is { } receiver && s_operatorTypes.Contains(receiver.Name) && IsInDsl(receiver);

    /// <summary>The type an operator is called on.</summary>
    public static ITypeSymbol? Receiver(IMethodSymbol method)
    {
        var definition = method.ReducedFrom ?? method;
        return definition.IsExtensionMethod ? definition.Parameters[0].Type : method.ContainingType;
    }

    /// <summary>Whether a type comes from the DSL's assembly.</summary>
    public static bool IsInDsl(ITypeSymbol type) => s_namespaces.Contains(type.ContainingNamespace?.ToDisplayString() ?? "");

    /// <summary>The type of an argument as it is written, before conversions to the parameter's type.</summary>
    public static IOperation Unconverted(IOperation operation)
    {
        while (operation is IConversionOperation { IsImplicit: true } conversion) operation = conversion.Operand;
        return operation;
    }

    /// <summary>The lambda given for a parameter; <c>null</c> for a method group or a variable.</summary>
    public static IAnonymousFunctionOperation? Lambda(IArgumentOperation argument)
    {
        var value = argument.Value;
        while (true)
        {
            switch (value)
            {
                case IConversionOperation conversion:
                    value = conversion.Operand;
                    break;
                case IDelegateCreationOperation creation:
                    value = creation.Target;
                    break;
                case IAnonymousFunctionOperation lambda:
                    return lambda;
                default:
                    return null;
            }
        }
    }
}
