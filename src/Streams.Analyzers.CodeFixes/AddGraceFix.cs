using System.Collections.Immutable;
using System.Composition;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeActions;
using Microsoft.CodeAnalysis.CodeFixes;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Streams.Analyzers.CodeFixes;

/// <summary>STRM004: takes the factory with grace and gives it a day, which is what Kafka Streams' windows had before the choice was asked for.</summary>
[ExportCodeFixProvider(LanguageNames.CSharp)]
[Shared]
internal sealed class AddGraceFix : CodeFixProvider
{
    private const string Title = "Keep the window open for late records";

    public override ImmutableArray<string> FixableDiagnosticIds { get; } = ImmutableArray.Create(Rules.WindowWithoutGrace.Id);

    public override FixAllProvider GetFixAllProvider() => WellKnownFixAllProviders.BatchFixer;

    public override async Task RegisterCodeFixesAsync(CodeFixContext context)
    {
        var root = await context.Document.GetSyntaxRootAsync(context.CancellationToken).ConfigureAwait(false);
        var diagnostic = context.Diagnostics[0];
        if (root?.FindNode(diagnostic.Location.SourceSpan).FirstAncestorOrSelf<InvocationExpressionSyntax>() is not { Expression: MemberAccessExpressionSyntax member } call) return;
        context.RegisterCodeFix(
            CodeAction.Create(
                Title,
                _ =>
                {
                    var name = member.Name.Identifier.ValueText;
                    name = name.Substring(0, name.Length - "WithNoGrace".Length) + "AndGrace";
                    var fixedCall = call
                        .WithExpression(member.WithName(SyntaxFactory.IdentifierName(name).WithTriviaFrom(member.Name)))
                        .WithArgumentList(call.ArgumentList.AddArguments(SyntaxFactory.Argument(SyntaxFactory.ParseExpression("TimeSpan.FromDays(1)")).WithLeadingTrivia(SyntaxFactory.Space)));
                    return Task.FromResult(context.Document.WithSyntaxRoot(root.ReplaceNode(call, fixedCall)));
                },
                equivalenceKey: Title),
            diagnostic);
    }
}
