using Broker.Lite.Security.Sasl;
using Kafka.Protocol;
using Kafka.Protocol.Messages;

namespace Broker.Lite.Requests;

/// <summary>DescribeUserScramCredentials (50): which users have which mechanisms; never the keys (KIP-554).</summary>
internal sealed class DescribeUserScramCredentialsHandler(BrokerState broker)
    : RequestHandler<DescribeUserScramCredentialsRequest, DescribeUserScramCredentialsResponse>(0, 0)
{
    protected override ValueTask<DescribeUserScramCredentialsResponse?> HandleAsync(
        DescribeUserScramCredentialsRequest request, RequestContext context, CancellationToken cancellationToken)
    {
        var byUser = broker.Security.View.Scram.ToLookup(entry => entry.Key.User, StringComparer.Ordinal);
        var asked = request.Users is { Count: > 0 } users ? users.ConvertAll(user => user.Name) : [.. byUser.Select(user => user.Key).Order(StringComparer.Ordinal)];
        var response = new DescribeUserScramCredentialsResponse { ErrorMessage = null };
        foreach (var group in asked.GroupBy(name => name, StringComparer.Ordinal))
        {
            var result = new DescribeUserScramCredentialsResponse.DescribeUserScramCredentialsResult { User = group.Key, ErrorMessage = null };
            if (group.Count() > 1)
                (result.ErrorCode, result.ErrorMessage) = (ErrorCode.DuplicateResource, $"Cannot describe SCRAM credentials for the same user twice in a single request: {group.Key}");
            else if (!byUser.Contains(group.Key))
                (result.ErrorCode, result.ErrorMessage) = (ErrorCode.ResourceNotFound, $"Attempt to describe a user credential that does not exist: {group.Key}");
            else
                result.CredentialInfos.AddRange(byUser[group.Key].Select(Describe).OrderBy(info => info.Mechanism));
            response.Results.Add(result);
        }

        return ValueTask.FromResult<DescribeUserScramCredentialsResponse?>(response);
    }

    private static DescribeUserScramCredentialsResponse.CredentialInfo Describe(KeyValuePair<(string User, string Mechanism), ScramCredential> entry)
    {
        _ = ScramMechanism.TryFind(entry.Key.Mechanism, out var mechanism);
        return new() { Mechanism = mechanism!.Id, Iterations = entry.Value.Iterations };
    }
}
