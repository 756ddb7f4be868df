namespace Interop;

public sealed class KafkaPythonTests(SharedBroker broker)
{
    [Theory]
    [InlineData("acks_none_and_one_arrive_too")]
    [InlineData("admin_creates_describes_and_deletes_topics")]
    [InlineData("admin_errors")]
    [InlineData("admin_lists_describes_and_deletes_groups")]
    [InlineData("commits_and_resumes")]
    [InlineData("consumer_waits_for_new_records")]
    [InlineData("gets_consecutive_offsets")]
    [InlineData("group_of_three_rebalances")]
    [InlineData("large_message")]
    [InlineData("lost_member_is_replaced")]
    [InlineData("offset_out_of_range_is_reported")]
    [InlineData("offsets_by_time")]
    [InlineData("recognises_the_broker_version")]
    [InlineData("same_key_goes_to_the_same_partition")]
    [InlineData("starts_at_the_end_and_seeks_back")]
    [InlineData("too_large_message_is_refused")]
    public async Task Kafka_python(string check)
    {
        PythonClient.KafkaPython.SkipIfMissing();
        await PythonClient.KafkaPython.CheckAsync(broker.Bootstrap, check, Topics.Unique(check), TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Every_check_of_the_script_is_run()
    {
        PythonClient.KafkaPython.SkipIfMissing();
        Assert.Equal(Topics.InlineNames(GetType(), nameof(Kafka_python)), await PythonClient.KafkaPython.ChecksAsync(TestContext.Current.CancellationToken));
    }
}
