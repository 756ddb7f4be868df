namespace Conformance;

/// <summary>A case says something that this runner does not understand. Nothing in a case is ever left unread.</summary>
internal sealed class CaseFormatException(string message) : Exception(message);
