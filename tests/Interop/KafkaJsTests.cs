namespace Interop;

public sealed class KafkaJsTests(SharedBroker broker)
{
    [Theory]
    [InlineData("admin_creates_grows_describes_and_deletes_topics")]
    [InlineData("admin_moves_and_deletes_offsets_and_records")]
    [InlineData("commits_and_resumes")]
    [InlineData("errors_have_their_names")]
    [InlineData("group_of_two_shares_the_partitions_and_takes_over")]
    [InlineData("idempotent_producer")]
    [InlineData("keys_choose_the_partition_and_keep_their_order")]
    [InlineData("produces_and_consumes_with_both_codecs")]
    [InlineData("second_transactional_producer_fences_the_first")]
    [InlineData("transaction_takes_offsets_along")]
    [InlineData("transactions_commit_and_abort")]
    public async Task Kafkajs(string check)
    {
        KafkaJs.SkipIfMissing();
        await KafkaJs.CheckAsync(broker.Bootstrap, check, Topics.Unique(check), TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Every_check_of_the_script_is_run()
    {
        KafkaJs.SkipIfMissing();
        Assert.Equal(Topics.InlineNames(GetType(), nameof(Kafkajs)), await KafkaJs.ChecksAsync(TestContext.Current.CancellationToken));
    }
}
