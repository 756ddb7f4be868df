using System.Collections.Immutable;
using System.Composition;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeActions;
using Microsoft.CodeAnalysis.CodeFixes;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Streams.Analyzers.CodeFixes;

/// <summary>STRM001: gives an aggregation without any materialization a name, after the variable it goes into or the operator. The author changes it at will, once, before the first release.</summary>
[ExportCodeFixProvider(LanguageNames.CSharp)]
[Shared]
internal sealed class NameOperatorFix : CodeFixProvider
{
    private const string Title = "Name the store";

    public override ImmutableArray<string> FixableDiagnosticIds { get; } = ImmutableArray.Create(Rules.UnnamedOperator.Id);

    public override FixAllProvider? GetFixAllProvider() => null;

    public override async Task RegisterCodeFixesAsync(CodeFixContext context)
    {
        var root = await context.Document.GetSyntaxRootAsync(context.CancellationToken).ConfigureAwait(false);
        var diagnostic = context.Diagnostics[0];
        if (root?.FindNode(diagnostic.Location.SourceSpan).FirstAncestorOrSelf<InvocationExpressionSyntax>() is not { } call) return;
        var model = await context.Document.GetSemanticModelAsync(context.CancellationToken).ConfigureAwait(false);
        if (model?.GetSymbolInfo(call, context.CancellationToken).Symbol is not IMethodSymbol method) return;
        var parameter = method.Parameters.FirstOrDefault(candidate => candidate.Name == "materialized");
        if (parameter is null || IsGiven(call, method, parameter)) return;
        context.RegisterCodeFix(CodeAction.Create(Title, _ => NameAsync(context.Document, root, call, method), equivalenceKey: Title), diagnostic);
    }

    private static bool IsGiven(InvocationExpressionSyntax call, IMethodSymbol method, IParameterSymbol parameter) =>
        call.ArgumentList.Arguments.Any(argument => argument.NameColon?.Name.Identifier.ValueText == parameter.Name)
        || call.ArgumentList.Arguments.TakeWhile(argument => argument.NameColon is null).Count() > method.Parameters.IndexOf(parameter);

    private static Task<Document> NameAsync(Document document, SyntaxNode root, InvocationExpressionSyntax call, IMethodSymbol method)
    {
        var taken = new HashSet<string>(root.DescendantNodes().OfType<LiteralExpressionSyntax>().Select(literal => literal.Token.ValueText));
        var wanted = call.FirstAncestorOrSelf<VariableDeclaratorSyntax>()?.Identifier.ValueText ?? method.Name;
        var name = Kebab(wanted);
        for (var number = 2; taken.Contains(name); number++) name = $"{Kebab(wanted)}-{number}";

        var argument = SyntaxFactory.Argument(SyntaxFactory.ParseExpression($"Materialized.As(\"{name}\")"));

        // After a left-out argument it has to say its own name.
        var position = method.Parameters.IndexOf(method.Parameters.First(parameter => parameter.Name == "materialized"));
        if (call.ArgumentList.Arguments.Count != position) argument = argument.WithNameColon(SyntaxFactory.NameColon("materialized"));
        var fixedCall = call.WithArgumentList(call.ArgumentList.AddArguments(argument)).WithAdditionalAnnotations(Microsoft.CodeAnalysis.Formatting.Formatter.Annotation);
        return Task.FromResult(document.WithSyntaxRoot(root.ReplaceNode(call, fixedCall)));
    }

    private static string Kebab(string name) =>
        string.Concat(name.Select((letter, index) => char.IsUpper(letter) ? (index > 0 ? "-" : "") + char.ToLowerInvariant(letter) : letter.ToString()));
}
