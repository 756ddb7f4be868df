using Microsoft.CodeAnalysis;

namespace Streams.Analyzers;

/// <summary>Every rule, with what it says. Ids never change their meaning; docs/guide/analyzers.md explains each.</summary>
internal static class Rules
{
    public static readonly DiagnosticDescriptor UnnamedOperator = Rule(
        "STRM001",
        "Streams.Upgrades",
        DiagnosticSeverity.Info,
        "Stateful operator has no name",
        "'{0}' keeps state under a generated name, which changes when operators are added before it; give it one, for example with {1}");

    public static readonly DiagnosticDescriptor MutatedKey = Rule(
        "STRM002",
        "Streams.Correctness",
        DiagnosticSeverity.Warning,
        "Key is changed in an operator",
        "'{0}' must not change the key: the record would belong to another partition than it is in; make a new key with SelectKey or Map");

    public static readonly DiagnosticDescriptor UnclosedIterator = Rule(
        "STRM003",
        "Streams.Resources",
        DiagnosticSeverity.Warning,
        "Iterator of a store is not closed",
        "The iterator that '{0}' returns holds resources of the store until it is disposed; declare it with 'using'");

    public static readonly DiagnosticDescriptor WindowWithoutGrace = Rule(
        "STRM004",
        "Streams.Correctness",
        DiagnosticSeverity.Info,
        "Window has no room for late records",
        "'{0}' drops every record that comes after its window has ended, however little; say '{1}' with a grace period, or state that none is meant");

    public static readonly DiagnosticDescriptor CapturedState = Rule(
        "STRM005",
        "Streams.Correctness",
        DiagnosticSeverity.Warning,
        "Lambda of an operator changes captured state",
        "'{0}' is changed by the lambda of '{1}': it is shared between threads, lost in a restart and not part of a commit; keep it in a state store");

    public static readonly DiagnosticDescriptor NondeterministicForeignKey = Rule(
        "STRM006",
        "Streams.Correctness",
        DiagnosticSeverity.Warning,
        "Left side of a foreign-key join may have several forms in bytes",
        "A foreign-key join compares the bytes of its left values; '{0}' holds a {1}, whose entries may be written in another order for an equal value, so that results are lost; use a sorted collection or a list");

    private static DiagnosticDescriptor Rule(string id, string category, DiagnosticSeverity severity, string title, string message) =>
        new(id, title, message, category, severity, isEnabledByDefault: true, helpLinkUri: null);
}
