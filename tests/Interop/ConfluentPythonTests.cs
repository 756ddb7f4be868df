namespace Interop;

public sealed class ConfluentPythonTests(SharedBroker broker)
{
    [Theory]
    [InlineData("acks_none_and_one_arrive_too")]
    [InlineData("admin_alters_topic_configs")]
    [InlineData("admin_creates_describes_and_deletes_topics")]
    [InlineData("admin_errors")]
    [InlineData("commit_keeps_its_metadata")]
    [InlineData("commits_and_resumes")]
    [InlineData("consumer_that_stops_polling_loses_its_partitions_and_comes_back")]
    [InlineData("consumer_waits_for_new_records")]
    [InlineData("gets_consecutive_offsets")]
    [InlineData("group_of_three_rebalances")]
    [InlineData("group_of_three_rebalances_cooperatively")]
    [InlineData("idempotent_producer")]
    [InlineData("idempotent_producers_side_by_side")]
    [InlineData("lag_is_what_is_left_to_read")]
    [InlineData("large_message")]
    [InlineData("lists_groups_with_their_members")]
    [InlineData("members_agree_on_the_strategy_all_of_them_know")]
    [InlineData("members_with_different_topics_get_only_their_own")]
    [InlineData("missing_topic_is_made_for_a_producer_and_not_for_a_consumer")]
    [InlineData("nulls_empties_and_headers_come_back")]
    [InlineData("offset_out_of_range_is_reported")]
    [InlineData("offsets_by_time")]
    [InlineData("partition_that_is_not_there_is_an_error")]
    [InlineData("pattern_follows_topics_that_come_and_go")]
    [InlineData("paused_partition_gives_nothing_until_it_is_resumed")]
    [InlineData("recreated_topic_starts_afresh")]
    [InlineData("running_consumer_finds_added_partitions")]
    [InlineData("second_transactional_producer_fences_the_first")]
    [InlineData("small_fetch_limits_only_make_it_slower")]
    [InlineData("static_member_returns_without_a_rebalance")]
    [InlineData("timestamps_are_the_producers_or_the_brokers_as_the_topic_says")]
    [InlineData("too_large_message_is_refused")]
    [InlineData("transaction_hides_what_follows_until_it_ends")]
    [InlineData("transaction_of_a_member_that_lost_its_partitions_is_refused")]
    [InlineData("transaction_open_for_too_long_is_aborted")]
    [InlineData("transaction_takes_offsets_along")]
    [InlineData("transactions_commit_and_abort")]
    [InlineData("unknown_group_has_no_offsets")]
    [InlineData("watermarks_and_seek")]
    public async Task Confluent_kafka(string check)
    {
        PythonClient.Confluent.SkipIfMissing();
        await PythonClient.Confluent.CheckAsync(broker.Bootstrap, check, Topics.Unique(check), TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Every_check_of_the_script_is_run()
    {
        PythonClient.Confluent.SkipIfMissing();
        Assert.Equal(Topics.InlineNames(GetType(), nameof(Confluent_kafka)), await PythonClient.Confluent.ChecksAsync(TestContext.Current.CancellationToken));
    }
}
