using Streams.Client;
using Streams.Core;

namespace MoneyTransfer;

/// <summary>
/// Writes the deposits and the transfers, each once, however often it is killed: in transactions, and after a restart from the first number on that is not there yet.
/// </summary>
internal sealed class Teller(ICluster cluster, int seed, int transferCount)
{
    public const int AccountCount = 100;
    public const long DepositCents = 100_000;
    private const int BatchSize = 1_000;

    public async Task WriteAsync(CancellationToken cancellationToken)
    {
        await using var producer = new Producer<string, Instruction>(cluster, new ProducerSettings { TransactionalId = "teller" }, valueSerializer: MoneyTransferTopology.InstructionSerde);

        // The first transaction ends what an earlier run has left open: only then is the end of the topic known.
        await (await producer.BeginTransactionAsync(cancellationToken)).AbortAsync(cancellationToken);
        using var transfers = new CommittedReader<Instruction>(cluster, MoneyTransferTopology.Transfers, MoneyTransferTopology.InstructionSerde);
        var next = 0;
        await transfers.ReadToEndAsync((_, instruction) => next = Math.Max(next, instruction.Number + 1), cancellationToken);

        var end = AccountCount + transferCount;
        while (next < end)
        {
            await using var transaction = await producer.BeginTransactionAsync(cancellationToken);
            for (var left = Math.Min(BatchSize, end - next); left > 0; left--, next++)
            {
                var (account, instruction) = Make(next);
                await producer.PostAsync(MoneyTransferTopology.Transfers, account, instruction, cancellationToken);
            }

            await transaction.CommitAsync(cancellationToken);
        }
    }

    // A function of the number, so that a later run goes on with the same transfers.
    private (string Account, Instruction Instruction) Make(int number)
    {
        if (number < AccountCount) return (Name(number), new Instruction(InstructionKind.Deposit, number, "", DepositCents));
        var random = new Random(unchecked((seed * 1_000_003) + number));
        var payer = random.Next(AccountCount);
        var receiver = (payer + random.Next(1, AccountCount)) % AccountCount;
        return (Name(payer), new Instruction(InstructionKind.Pay, number, Name(receiver), random.Next(1, 6_000)));
    }

    private static string Name(int account) => $"account-{account:000}";
}
