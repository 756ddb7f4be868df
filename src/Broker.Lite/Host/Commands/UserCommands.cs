using System.Security.Cryptography;
using System.Text;
using Broker.Lite.Host.Client;
using Broker.Lite.Security.Sasl;
using Kafka.Protocol.Messages;

namespace Broker.Lite.Host.Commands;

/// <summary>Users of SCRAM. Passwords come from a file or standard input, so that they need not be seen in the list of processes.</summary>
internal static class UserCommands
{
    private const int SaltBytes = 24;

    public static IEnumerable<ToolCommand> All =>
    [
        new("users list", "List users of SCRAM with their mechanisms.", [], [], ListAsync),
        new("users set", """
            Make a user or change its password.
              --user NAME  --mechanism SCRAM-SHA-256|SCRAM-SHA-512 (default SCRAM-SHA-512)  --iterations N (4096 to 16384)
              --password-file FILE (default: the first line of standard input)
            """, ["--user", "--mechanism", "--iterations", "--password-file"], [], SetAsync),
        new("users delete", "Delete a user's credentials.\n  --user NAME  --mechanism SCRAM-SHA-256|SCRAM-SHA-512 (default SCRAM-SHA-512)", ["--user", "--mechanism"], [], DeleteAsync),
    ];

    private static async Task ListAsync(ToolContext tool, CancellationToken cancellationToken)
    {
        var any = await tool.Cluster.AnyAsync(cancellationToken).ConfigureAwait(false);
        var answer = await any.SendAsync(_ => new DescribeUserScramCredentialsRequest { Users = null }, cancellationToken).ConfigureAwait(false);
        ClusterClient.Check(answer.ErrorCode, answer.ErrorMessage, "Users");
        foreach (var user in answer.Results.OrderBy(user => user.User, StringComparer.Ordinal))
        {
            var mechanisms = user.CredentialInfos.Select(info => $"{(ScramMechanism.TryFind(info.Mechanism, out var mechanism) ? mechanism.Name : "?")} ({info.Iterations})");
            await tool.Output.WriteLineAsync($"{user.User}\t{string.Join(", ", mechanisms)}").ConfigureAwait(false);
        }
    }

    private static async Task SetAsync(ToolContext tool, CancellationToken cancellationToken)
    {
        var user = tool.Arguments.Required("--user");
        var mechanism = MechanismOf(tool);
        var iterations = (int)tool.Arguments.Number("--iterations", ScramCredential.MinIterations, ScramCredential.MinIterations, ScramCredential.MaxIterations);
        var password = tool.Arguments.Text("--password-file") is { } file
            ? (await File.ReadAllTextAsync(file, cancellationToken).ConfigureAwait(false)).Split('\n')[0].TrimEnd('\r')
            : await tool.Input.ReadLineAsync(cancellationToken).ConfigureAwait(false);
        if (string.IsNullOrEmpty(password))
            throw new ToolException("The password is empty");
        var salt = RandomNumberGenerator.GetBytes(SaltBytes);
        var salted = mechanism.Salted(Encoding.UTF8.GetBytes(password), salt, iterations);
        await AlterAsync(
            tool,
            new AlterUserScramCredentialsRequest { Upsertions = [new() { Name = user, Mechanism = mechanism.Id, Iterations = iterations, Salt = salt, SaltedPassword = salted }] },
            cancellationToken).ConfigureAwait(false);
        await tool.Output.WriteLineAsync($"Set the password of {user} for {mechanism.Name}").ConfigureAwait(false);
    }

    private static async Task DeleteAsync(ToolContext tool, CancellationToken cancellationToken)
    {
        var user = tool.Arguments.Required("--user");
        var mechanism = MechanismOf(tool);
        await AlterAsync(tool, new AlterUserScramCredentialsRequest { Deletions = [new() { Name = user, Mechanism = mechanism.Id }] }, cancellationToken).ConfigureAwait(false);
        await tool.Output.WriteLineAsync($"Deleted {user} for {mechanism.Name}").ConfigureAwait(false);
    }

    private static async Task AlterAsync(ToolContext tool, AlterUserScramCredentialsRequest request, CancellationToken cancellationToken)
    {
        var controller = await tool.Cluster.ControllerAsync(cancellationToken).ConfigureAwait(false);
        var answer = await controller.SendAsync(_ => request, cancellationToken).ConfigureAwait(false);
        ClusterClient.Check(answer.Results[0].ErrorCode, answer.Results[0].ErrorMessage, $"User {answer.Results[0].User}");
    }

    private static ScramMechanism MechanismOf(ToolContext tool)
    {
        var name = tool.Arguments.Text("--mechanism") ?? ScramMechanism.Sha512.Name;
        return ScramMechanism.TryFind(name, out var mechanism) ? mechanism : throw new ToolException($"--mechanism '{name}' is not one of {string.Join(", ", ScramMechanism.All.Select(known => known.Name))}");
    }
}
