using Broker.Lite.Security.Sasl;
using Kafka.Protocol;
using Kafka.Protocol.Messages;
using Microsoft.Extensions.Logging;

namespace Broker.Lite.Requests;

/// <summary>AlterUserScramCredentials (51): make, change and remove users of SCRAM (KIP-554).</summary>
/// <remarks>
/// The client salts and hashes the password; what arrives could still be used to log in, so only the keys made of it are kept. All or
/// nothing for a user, each user on its own.
/// </remarks>
internal sealed class AlterUserScramCredentialsHandler(BrokerState broker, ILogger logger)
    : RequestHandler<AlterUserScramCredentialsRequest, AlterUserScramCredentialsResponse>(0, 0)
{
    private const int MaxNameLength = 256;

    protected override async ValueTask<AlterUserScramCredentialsResponse?> HandleAsync(
        AlterUserScramCredentialsRequest request, RequestContext context, CancellationToken cancellationToken)
    {
        var users = request.Deletions.Select(deletion => deletion.Name).Concat(request.Upsertions.Select(upsertion => upsertion.Name)).Distinct(StringComparer.Ordinal).ToList();
        var results = await broker.Loop.InvokeAsync(() => users.ConvertAll(user =>
        {
            var (error, message) = Alter(user, request, context);
            return new AlterUserScramCredentialsResponse.AlterUserScramCredentialsResult { User = user, ErrorCode = error, ErrorMessage = message };
        })).ConfigureAwait(false);
        return new AlterUserScramCredentialsResponse { Results = results };
    }

    private (ErrorCode Error, string? Message) Alter(string user, AlterUserScramCredentialsRequest request, RequestContext context)
    {
        var view = broker.Security.View;
        var scram = view.Scram.ToBuilder();
        if (user.Length is 0 or > MaxNameLength)
            return (ErrorCode.UnacceptableCredential, "Username must not be empty or longer than 256 characters");
        var touched = new HashSet<sbyte>();
        foreach (var deletion in request.Deletions.Where(deletion => deletion.Name == user))
        {
            if (!ScramMechanism.TryFind(deletion.Mechanism, out var mechanism))
                return (ErrorCode.UnsupportedSaslMechanism, "Unknown SCRAM mechanism");
            if (!touched.Add(deletion.Mechanism))
                return (ErrorCode.DuplicateResource, "A user credential cannot be altered twice in the same request");
            if (!scram.Remove((user, mechanism.Name)))
                return (ErrorCode.ResourceNotFound, "Attempt to delete a user credential that does not exist");
        }

        foreach (var upsertion in request.Upsertions.Where(upsertion => upsertion.Name == user))
        {
            if (!ScramMechanism.TryFind(upsertion.Mechanism, out var mechanism))
                return (ErrorCode.UnsupportedSaslMechanism, "Unknown SCRAM mechanism");
            if (!touched.Add(upsertion.Mechanism))
                return (ErrorCode.DuplicateResource, "A user credential cannot be altered twice in the same request");
            if (upsertion.Iterations < ScramCredential.MinIterations)
                return (ErrorCode.UnacceptableCredential, "Too few iterations");
            if (upsertion.Iterations > ScramCredential.MaxIterations)
                return (ErrorCode.UnacceptableCredential, "Too many iterations");
            if (upsertion.Salt.IsEmpty || upsertion.SaltedPassword.Length != mechanism.HashBytes)
                return (ErrorCode.UnacceptableCredential, "The salt is empty or the salted password has not the length of the mechanism's hash");
            scram[(user, mechanism.Name)] = ScramCredential.FromSaltedPassword(
                mechanism, upsertion.Salt.ToArray(), upsertion.SaltedPassword.ToArray(), upsertion.Iterations);
        }

        return SecurityChange.TryApply(broker, logger, context, view with { Scram = scram.ToImmutable() }, $"the SCRAM credentials of user '{user}'")
            ? (ErrorCode.None, null)
            : (ErrorCode.KafkaStorageError, "The credentials could not be written");
    }
}
