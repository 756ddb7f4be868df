namespace Conformance;

/// <summary>A case says something that this runner does not understand. Nothing in a case is ever left unread.</summary>
internal sealed class CaseFormatException(string message) : Exception(message);

/// <summary>A case needs an operator or option that the library does not have.</summary>
internal sealed class NotExpressibleException(string what) : Exception($"DSL lacks {what}");
