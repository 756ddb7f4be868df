namespace Kafka.Protocol;

/// <summary>
/// What a request or response class knows of itself without an instance. <see cref="Messages.ApiMessages"/> is computed from it.
/// </summary>
public interface IApiSchema
{
    /// <summary>The operation.</summary>
    static abstract ApiKey ApiKey { get; }

    /// <summary>The versions that can be read and written.</summary>
    static abstract VersionRange Versions { get; }

    /// <summary>First version in compact form with tagged fields (KIP-482); <see cref="VersionRange.Never"/> if there is none.</summary>
    static abstract short FlexibleFrom { get; }
}
