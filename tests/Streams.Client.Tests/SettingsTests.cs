using Streams.Client.Producing;
using Streams.Core;

namespace Streams.Client.Tests;

public sealed class SettingsTests
{
    [Fact]
    public void Wrong_settings_are_all_named()
    {
        var producer = Assert.Throws<ConfigException>(() => new ProducerSettings { ClientId = "", TransactionalId = "", TransactionTimeout = TimeSpan.Zero, MaxBufferedBytes = 0, MaxBufferedRecords = 0 }.Validate());
        foreach (var part in new[] { "ClientId", "TransactionalId", "TransactionTimeout", "MaxBufferedBytes", "MaxBufferedRecords" }) Assert.Contains(part, producer.Message, StringComparison.Ordinal);
        var consumer = Assert.Throws<ConfigException>(() => new ConsumerSettings
        {
            ClientId = " ",
            GroupInstanceId = "i",
            AutoCommitInterval = TimeSpan.Zero,
            MaxBufferedBytes = 0,
            HeartbeatInterval = TimeSpan.FromMinutes(1),
            RebalanceTimeout = TimeSpan.Zero,
            MetadataMaxAge = TimeSpan.Zero,
        }.Validate());
        foreach (var part in new[] { "ClientId", "GroupInstanceId", "AutoCommitInterval", "MaxBufferedBytes", "HeartbeatInterval", "RebalanceTimeout", "MetadataMaxAge" })
            Assert.Contains(part, consumer.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Budget_lets_in_first_come_first_served_and_forgets_who_cancels()
    {
        var token = TestContext.Current.CancellationToken;
        var budget = new Budget(maxBytes: 10, maxRecords: 3);
        await budget.TakeAsync(100, token);
        using var cancel = new CancellationTokenSource();
        var impatient = budget.TakeAsync(10, cancel.Token).AsTask();
        var patient = budget.TakeAsync(4, token).AsTask();
        var third = budget.TakeAsync(6, token).AsTask();
        Assert.False(patient.IsCompleted);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => impatient);
        budget.Return(100);
        await patient;
        await third;
        var full = budget.TakeAsync(1, token).AsTask();
        Assert.False(full.IsCompleted);
        budget.Close(new ObjectDisposedException("x"));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => full);
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await budget.TakeAsync(1, token));
    }
}
