using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;

namespace Streams.Analyzers;

/// <summary>STRM003: a store's iterator that nobody disposes. What is returned, stored, passed on or disposed by hand is somebody's business already.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
internal sealed class IteratorAnalyzer : DiagnosticAnalyzer
{
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics { get; } = ImmutableArray.Create(Rules.UnclosedIterator);

    public override void Initialize(AnalysisContext context)
    {
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.None);
        context.EnableConcurrentExecution();
        context.RegisterOperationAction(Analyze, OperationKind.Invocation);
    }

    private static void Analyze(OperationAnalysisContext context)
    {
        var call = (IInvocationOperation)context.Operation;
        if (!IsIterator(call.TargetMethod.ReturnType)) return;
        IOperation use = call;
        while (use.Parent is IConversionOperation or IParenthesizedOperation) use = use.Parent;
        switch (use.Parent)
        {
            // Called and thrown away, or used once without a name: store.All().MoveNext().
            case IExpressionStatementOperation:
            case IInvocationOperation invocation when invocation.Instance == use && invocation.TargetMethod.Name != "Dispose":
            case IPropertyReferenceOperation:
                Report(context, call);
                break;
            case IVariableInitializerOperation { Parent: IVariableDeclaratorOperation declarator } when !IsUsing(declarator) && !IsLookedAfter(declarator):
                Report(context, call);
                break;
            default:
                break;
        }
    }

    private static bool IsIterator(ITypeSymbol type) =>
        Is(type) || type.AllInterfaces.Any(Is);

    private static bool Is(ITypeSymbol type) => type.Name == "IKeyValueIterator" && type.ContainingNamespace?.ToDisplayString() == "Streams.Core";

    private static bool IsUsing(IVariableDeclaratorOperation declarator)
    {
        for (IOperation? current = declarator.Parent; current is not null and not IBlockOperation; current = current.Parent)
        {
            if (current is IUsingDeclarationOperation or IUsingOperation) return true;
        }

        return false;
    }

    // Whether the variable is disposed, returned, assigned to something or passed to somebody, anywhere in the method.
    private static bool IsLookedAfter(IVariableDeclaratorOperation declarator)
    {
        IOperation method = declarator;
        while (method.Parent is { } parent) method = parent;
        return method.Descendants().OfType<ILocalReferenceOperation>().Where(reference => SymbolEqualityComparer.Default.Equals(reference.Local, declarator.Symbol)).Any(reference =>
        {
            IOperation use = reference;
            while (use.Parent is IConversionOperation or IParenthesizedOperation) use = use.Parent;
            return use.Parent switch
            {
                IInvocationOperation { TargetMethod.Name: "Dispose" } => true,
                IConditionalAccessOperation access => access.WhenNotNull is IInvocationOperation { TargetMethod.Name: "Dispose" },
                IArgumentOperation or IReturnOperation or IUsingOperation or IVariableInitializerOperation or ITupleOperation or IArrayInitializerOperation => true,
                ISimpleAssignmentOperation assignment => assignment.Value == use,
                _ => false,
            };
        });
    }

    private static void Report(OperationAnalysisContext context, IInvocationOperation call)
    {
        var location = call.Syntax is InvocationExpressionSyntax { Expression: MemberAccessExpressionSyntax member } ? member.Name.GetLocation() : call.Syntax.GetLocation();
        context.ReportDiagnostic(Diagnostic.Create(Rules.UnclosedIterator, location, call.TargetMethod.Name));
    }
}
