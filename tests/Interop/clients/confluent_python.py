"""Drives the broker with confluent-kafka, hence librdkafka (written against 1.7.0 on librdkafka 2.0.2). See harness.py for the commands."""

import threading
import time

from confluent_kafka import (
    OFFSET_BEGINNING,
    OFFSET_INVALID,
    Consumer,
    KafkaError,
    KafkaException,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, ConfigResource, NewPartitions, NewTopic

from harness import as_json, check, equal, main, say, wait_until


def new_producer(bootstrap, **settings):
    return Producer({"bootstrap.servers": bootstrap, "acks": "all", "linger.ms": 5, **dotted(settings)})


def new_consumer(bootstrap, **settings):
    defaults = {
        "bootstrap.servers": bootstrap,
        "group.id": "nobody",
        "auto.offset.reset": "earliest",
        "enable.auto.commit": False,
        "fetch.wait.max.ms": 100,
    }
    return Consumer({**defaults, **dotted(settings)})


def dotted(settings):
    return {name.replace("_", "."): value for name, value in settings.items()}


def new_admin(bootstrap):
    return AdminClient({"bootstrap.servers": bootstrap})


def create_topic(bootstrap, topic, partitions=1, **configs):
    # The client has to live until the answer is there.
    admin = new_admin(bootstrap)
    admin.create_topics([NewTopic(topic, partitions, 1, config=configs)])[topic].result(30)


def send_numbers(bootstrap, topic, numbers, **settings):
    """Sends the numbers as key and value and returns [(partition, offset)] in the order of acknowledgement."""
    acknowledged, failed = [], []

    def delivered(error, message):
        if error is None:
            acknowledged.append((message.partition(), message.offset()))
        else:
            failed.append(error)

    producer = new_producer(bootstrap, **settings)
    for number in numbers:
        producer.produce(topic, b"%d" % number, b"%d" % number, on_delivery=delivered)
    equal(0, producer.flush(30), "messages left after flush")
    equal([], failed, "failed messages")
    return acknowledged


def take(consumer, count, seconds=30):
    messages = []

    def poll():
        for message in consumer.consume(count - len(messages), 0.2):
            if message.error():
                raise KafkaException(message.error())
            messages.append(message)

    wait_until(lambda: len(messages) >= count, f"{count} records", poll, seconds)
    return messages


def assigned(bootstrap, topic, offset=OFFSET_BEGINNING, **settings):
    consumer = new_consumer(bootstrap, **settings)
    consumer.assign([TopicPartition(topic, 0, offset)])
    return consumer


def error_code(action):
    try:
        action()
    except KafkaException as failure:
        return failure.args[0].code()
    return None


def produce(bootstrap, topic, codec, records):
    failed = []
    producer = new_producer(bootstrap, compression_type=codec)
    for key, value, timestamp, headers in records:
        producer.produce(
            topic, value, key, partition=0, timestamp=timestamp, headers=headers, on_delivery=lambda error, _: failed.append(error) if error else None
        )
    equal(0, producer.flush(30), "messages left after flush")
    equal([], failed, "failed messages")


def consume(bootstrap, topic, count):
    consumer = assigned(bootstrap, topic)
    for message in take(consumer, count):
        say(as_json(message.key(), message.value(), message.timestamp()[1], message.headers()))
    consumer.close()


def flood(bootstrap, topic, count):
    """Idempotent: the broker's restart in the middle must neither lose, double nor reorder anything."""
    failed = []

    def delivered(error, message):
        if error is None:
            say(message.value().decode())
        else:
            failed.append(str(error))

    # A short queue and small batches keep the load going for as long as the broker answers, five requests in flight at any moment.
    producer = new_producer(
        bootstrap,
        enable_idempotence=True,
        linger_ms=0,
        batch_num_messages=50,
        queue_buffering_max_messages=500,
        message_timeout_ms=60000,
        reconnect_backoff_ms=20,
        reconnect_backoff_max_ms=100,
        retry_backoff_ms=20,
    )
    for number in range(count):
        while True:
            try:
                producer.produce(topic, b"%d" % number, partition=0, on_delivery=delivered)
                break
            except BufferError:
                producer.poll(0.01)
        producer.poll(0)
    equal(0, producer.flush(60), "messages left after flush")
    equal([], failed, "failed messages")


@check
def gets_consecutive_offsets(bootstrap, topic):
    create_topic(bootstrap, topic)
    equal([(0, offset) for offset in range(1000)], send_numbers(bootstrap, topic, range(1000)), "offsets")


@check
def acks_none_and_one_arrive_too(bootstrap, topic):
    create_topic(bootstrap, topic)
    for acks in (0, 1):
        producer = new_producer(bootstrap, acks=acks)
        producer.produce(topic, b"acks=%d" % acks)
        equal(0, producer.flush(30), "messages left")
    consumer = assigned(bootstrap, topic)
    equal([b"acks=0", b"acks=1"], sorted(message.value() for message in take(consumer, 2)), "values")
    consumer.close()


@check
def idempotent_producer(bootstrap, topic):
    create_topic(bootstrap, topic)
    offsets = send_numbers(bootstrap, topic, range(5000), enable_idempotence=True, linger_ms=0)
    equal([(0, offset) for offset in range(5000)], offsets, "offsets")
    consumer = assigned(bootstrap, topic)
    equal([b"%d" % number for number in range(5000)], [message.value() for message in take(consumer, 5000)], "values in order")
    consumer.close()


@check
def idempotent_producers_side_by_side(bootstrap, topic):
    create_topic(bootstrap, topic)
    threads = [threading.Thread(target=send_numbers, args=(bootstrap, topic, range(start, start + 500)), kwargs={"enable_idempotence": True}) for start in (0, 500, 1000)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    consumer = assigned(bootstrap, topic)
    values = [int(message.value()) for message in take(consumer, 1500)]
    equal(list(range(1500)), sorted(values), "all values, once")
    for start in (0, 500, 1000):
        own = [value for value in values if start <= value < start + 500]
        equal(sorted(own), own, f"order of the producer that began at {start}")
    consumer.close()


@check
def large_message(bootstrap, topic):
    create_topic(bootstrap, topic)
    payload = bytes(index * 31 % 251 for index in range(900 * 1024))
    failed = []
    producer = new_producer(bootstrap)
    producer.produce(topic, payload, on_delivery=lambda error, _: failed.append(error) if error else None)
    equal(0, producer.flush(30), "messages left")
    equal([], failed, "failed messages")
    consumer = assigned(bootstrap, topic)
    equal(payload, take(consumer, 1)[0].value(), "payload")
    consumer.close()


@check
def too_large_message_is_refused(bootstrap, topic):
    create_topic(bootstrap, topic, **{"max.message.bytes": "10000"})
    results = []
    producer = new_producer(bootstrap)
    producer.produce(topic, bytes(20000), on_delivery=lambda error, _: results.append(error and error.code()))
    producer.flush(30)
    producer.produce(topic, b"small", on_delivery=lambda error, _: results.append(error and error.code()))
    producer.flush(30)
    equal([KafkaError.MSG_SIZE_TOO_LARGE, None], results, "results")


@check
def consumer_waits_for_new_records(bootstrap, topic):
    create_topic(bootstrap, topic)
    consumer = assigned(bootstrap, topic, fetch_wait_max_ms=10000)
    equal([], consumer.consume(1, 0.5), "records of an empty topic")
    send_numbers(bootstrap, topic, [1])
    # Far below fetch.wait.max.ms: the broker has to wake the parked fetch.
    equal(b"1", take(consumer, 1, seconds=5)[0].value(), "value")
    consumer.close()


@check
def watermarks_and_seek(bootstrap, topic):
    create_topic(bootstrap, topic)
    send_numbers(bootstrap, topic, range(10))
    consumer = assigned(bootstrap, topic)
    equal((0, 10), consumer.get_watermark_offsets(TopicPartition(topic, 0), 30), "watermarks")
    take(consumer, 1)
    consumer.seek(TopicPartition(topic, 0, 7))
    equal([b"7", b"8", b"9"], [message.value() for message in take(consumer, 3)], "values after seek")
    consumer.close()


@check
def offsets_by_time(bootstrap, topic):
    create_topic(bootstrap, topic)
    # Recent, so that retention leaves them alone.
    start = int(time.time() - 3600) * 1000
    # Compressed, so that several records share a batch and the answer has to be exact within it.
    producer = new_producer(bootstrap, compression_type="zstd", linger_ms=200)
    for index in range(10):
        producer.produce(topic, b"%d" % index, partition=0, timestamp=start + index * 1000)
    equal(0, producer.flush(30), "messages left")
    consumer = new_consumer(bootstrap)
    for target, expected in ((0, 0), (3000, 3), (3001, 4), (9000, 9)):
        found = consumer.offsets_for_times([TopicPartition(topic, 0, start + target)], 30)[0]
        equal(expected, found.offset, f"offset for +{target} ms")
    consumer.close()


@check
def offset_out_of_range_is_reported(bootstrap, topic):
    create_topic(bootstrap, topic)
    send_numbers(bootstrap, topic, range(3))
    consumer = assigned(bootstrap, topic, offset=1000, auto_offset_reset="error")
    message = wait_until(lambda: consumer.poll(0.2), "an answer")
    # librdkafka reports the failed reset; what the broker said is in the text.
    equal(KafkaError._AUTO_OFFSET_RESET, message.error().code(), "error")
    if "out of range" not in message.error().str().lower():
        raise AssertionError(message.error().str())
    consumer.close()


@check
def commits_and_resumes(bootstrap, topic):
    create_topic(bootstrap, topic)
    send_numbers(bootstrap, topic, range(100))
    partition = TopicPartition(topic, 0)
    first = new_consumer(bootstrap, group_id=topic)
    first.subscribe([topic])
    take(first, 40)
    equal([40], [result.offset for result in first.commit(offsets=[TopicPartition(topic, 0, 40)], asynchronous=False)], "commit")
    first.close()
    second = new_consumer(bootstrap, group_id=topic)
    second.subscribe([topic])
    equal(b"40", take(second, 60)[0].value(), "first value after resuming")
    second.commit(asynchronous=False)
    equal(100, second.committed([partition], 30)[0].offset, "committed")
    second.close()


@check
def unknown_group_has_no_offsets(bootstrap, topic):
    create_topic(bootstrap, topic)
    consumer = new_consumer(bootstrap, group_id=topic)
    equal(OFFSET_INVALID, consumer.committed([TopicPartition(topic, 0)], 30)[0].offset, "committed")
    consumer.close()


def rebalance(bootstrap, topic, strategy):
    create_topic(bootstrap, topic, partitions=6)
    members, seen = [], []

    def join():
        member = new_consumer(
            bootstrap, group_id=topic, partition_assignment_strategy=strategy, session_timeout_ms=10000, heartbeat_interval_ms=200
        )
        member.subscribe([topic])
        members.append(member)

    def poll_all():
        for member in members:
            for message in member.consume(100, 0.05):
                if message.error():
                    raise KafkaException(message.error())
                seen.append(message.value())

    def settled(*sizes):
        held = [sorted(partition.partition for partition in member.assignment()) for member in members]
        return sorted(map(len, held)) == sorted(sizes) and sorted(sum(held, [])) == list(range(6))

    def commit_all():
        for member in members:
            # A member without a partition of its own, or that has read nothing new, has nothing to commit.
            code = error_code(lambda member=member: member.commit(asynchronous=False))
            if code not in (None, KafkaError._NO_OFFSET):
                raise AssertionError(f"commit failed with {code}")

    total = 0
    for action, sizes in ((join, (6,)), (join, (3, 3)), (join, (2, 2, 2)), (lambda: members.pop(0).close(), (3, 3))):
        action()
        wait_until(lambda: settled(*sizes), f"assignment {sizes}", poll_all)
        send_numbers(bootstrap, topic, range(total, total + 60))
        total += 60
        wait_until(lambda: len(set(seen)) == total, f"{total} records", poll_all)
        commit_all()
    equal(total, len(seen), "deliveries, all committed before each rebalance")
    for member in members:
        member.close()


@check
def group_of_three_rebalances(bootstrap, topic):
    rebalance(bootstrap, topic, "range,roundrobin")


@check
def group_of_three_rebalances_cooperatively(bootstrap, topic):
    rebalance(bootstrap, topic, "cooperative-sticky")


@check
def static_member_returns_without_a_rebalance(bootstrap, topic):
    create_topic(bootstrap, topic, partitions=4)
    assignments = []

    def start(name):
        member = new_consumer(bootstrap, group_id=topic, group_instance_id=name, session_timeout_ms=30000, heartbeat_interval_ms=200)
        member.subscribe([topic], on_assign=lambda _, partitions: assignments.append((name, sorted(p.partition for p in partitions))))
        return member

    stays, leaves = start("stays"), start("leaves")
    members = [stays, leaves]

    def poll_all():
        for member in members:
            member.poll(0.05)

    wait_until(lambda: [len(member.assignment()) for member in members] == [2, 2], "two partitions each", poll_all)
    before = sorted(partition.partition for partition in leaves.assignment())
    # The other one has to go on polling while this one says goodbye. Static members send no LeaveGroup.
    leaves.close()
    assignments.clear()
    members[1] = start("leaves")
    wait_until(lambda: len(members[1].assignment()) == 2, "the static member's return", poll_all)
    equal([("leaves", before)], assignments, "assignments since the return")
    for member in members:
        member.close()


@check
def admin_creates_describes_and_deletes_topics(bootstrap, topic):
    admin = new_admin(bootstrap)
    admin.create_topics([NewTopic(topic, 3, 1, config={"cleanup.policy": "compact"})])[topic].result(30)
    equal([0, 1, 2], sorted(admin.list_topics(timeout=30).topics[topic].partitions), "partitions")
    admin.create_partitions([NewPartitions(topic, 5)])[topic].result(30)
    wait_until(lambda: len(admin.list_topics(timeout=30).topics[topic].partitions) == 5, "five partitions")
    resource = ConfigResource(ConfigResource.Type.TOPIC, topic)
    configs = next(iter(admin.describe_configs([resource]).values())).result(30)
    equal("compact", configs["cleanup.policy"].value, "cleanup.policy")
    admin.delete_topics([topic])[topic].result(30)
    wait_until(lambda: topic not in admin.list_topics(timeout=30).topics, "deletion")


@check
def admin_alters_topic_configs(bootstrap, topic):
    create_topic(bootstrap, topic)
    admin = new_admin(bootstrap)
    changed = ConfigResource(ConfigResource.Type.TOPIC, topic, set_config={"retention.ms": "123456"})
    next(iter(admin.alter_configs([changed]).values())).result(30)
    resource = ConfigResource(ConfigResource.Type.TOPIC, topic)
    configs = next(iter(admin.describe_configs([resource]).values())).result(30)
    equal("123456", configs["retention.ms"].value, "retention.ms")


@check
def admin_errors(bootstrap, topic):
    create_topic(bootstrap, topic)
    admin = new_admin(bootstrap)

    def create(name, partitions, **configs):
        return error_code(lambda: admin.create_topics([NewTopic(name, partitions, 1, config=configs)])[name].result(30))

    equal(KafkaError.TOPIC_ALREADY_EXISTS, create(topic, 1), "creating it again")
    equal(KafkaError.TOPIC_EXCEPTION, create("no spaces", 1), "a bad name")
    equal(KafkaError.INVALID_CONFIG, create(topic + "-config", 1, **{"cleanup.policy": "nonsense"}), "a bad config")
    unknown = topic + "-unknown"
    equal(KafkaError.UNKNOWN_TOPIC_OR_PART, error_code(lambda: admin.delete_topics([unknown])[unknown].result(30)), "deleting what is not there")
    equal(KafkaError.INVALID_PARTITIONS, error_code(lambda: admin.create_partitions([NewPartitions(topic, 1)])[topic].result(30)), "shrinking")


@check
def lists_groups_with_their_members(bootstrap, topic):
    create_topic(bootstrap, topic)
    send_numbers(bootstrap, topic, range(5))
    consumer = new_consumer(bootstrap, group_id=topic, client_id="lister")
    consumer.subscribe([topic])
    take(consumer, 5)
    group = new_admin(bootstrap).list_groups(topic, timeout=30)[0]
    equal(("Stable", "consumer"), (group.state, group.protocol_type), "state")
    equal(["lister"], [member.client_id for member in group.members], "members")
    consumer.close()


@check
def running_consumer_finds_added_partitions(bootstrap, topic):
    """The periodic metadata refresh has to show them, and the group has to rebalance."""
    create_topic(bootstrap, topic)
    consumer = new_consumer(bootstrap, group_id=topic, topic_metadata_refresh_interval_ms=200, heartbeat_interval_ms=200)
    consumer.subscribe([topic])
    wait_until(lambda: len(consumer.assignment()) == 1, "one partition", lambda: consumer.poll(0.05))
    admin = new_admin(bootstrap)
    admin.create_partitions([NewPartitions(topic, 3)])[topic].result(30)
    wait_until(lambda: len(consumer.assignment()) == 3, "three partitions", lambda: consumer.poll(0.05))
    consumer.close()


def transactional(bootstrap, transactional_id, **settings):
    producer = new_producer(bootstrap, transactional_id=transactional_id, **settings)
    producer.init_transactions(30)
    return producer


def send_all(producer, topic, values, partition=0):
    failed = []
    for value in values:
        producer.produce(topic, value, partition=partition, on_delivery=lambda error, _: failed.append(error) if error else None)
    equal(0, producer.flush(30), "messages left after flush")
    return failed


def committed_values(bootstrap, topic, count, isolation="read_committed"):
    """The first values; a record written last, outside of any transaction, shows that there are no more of them."""
    send_all(new_producer(bootstrap), topic, [b"end"])
    consumer = assigned(bootstrap, topic, isolation_level=isolation)
    values = [message.value() for message in take(consumer, count + 1)]
    consumer.close()
    equal(b"end", values[-1], f"last of {values}")
    return values[:-1]


@check
def transactions_commit_and_abort(bootstrap, topic):
    create_topic(bootstrap, topic)
    producer = transactional(bootstrap, topic)
    for number in range(10):
        producer.begin_transaction()
        equal([], send_all(producer, topic, [b"%d.%d" % (number, i) for i in range(3)]), "failed messages")
        if number % 3 == 1:
            producer.abort_transaction(30)
        else:
            producer.commit_transaction(30)
    producer.begin_transaction()
    producer.commit_transaction(30)  # nothing in it
    expected = [b"%d.%d" % (number, i) for number in range(10) if number % 3 != 1 for i in range(3)]
    equal(expected, committed_values(bootstrap, topic, len(expected)), "committed values")
    everything = [b"%d.%d" % (number, i) for number in range(10) for i in range(3)] + [b"end"]
    equal(everything, committed_values(bootstrap, topic, len(everything), "read_uncommitted"), "all values")


@check
def transaction_hides_what_follows_until_it_ends(bootstrap, topic):
    create_topic(bootstrap, topic)
    producer = transactional(bootstrap, topic)
    producer.begin_transaction()
    equal([], send_all(producer, topic, [b"in"]), "failed messages")
    equal([], send_all(new_producer(bootstrap), topic, [b"after"]), "failed messages")
    consumer = assigned(bootstrap, topic, isolation_level="read_committed")
    equal(None, consumer.poll(0.5), "message while the transaction is open")
    equal((0, 0), consumer.get_watermark_offsets(TopicPartition(topic, 0), 30), "watermarks of a read-committed client")
    producer.commit_transaction(30)
    equal([b"in", b"after"], [message.value() for message in take(consumer, 2)], "values")
    consumer.close()


@check
def transaction_takes_offsets_along(bootstrap, topic):
    """Consume, process, produce: the positions move with the commit and stay with the abort."""
    create_topic(bootstrap, topic)
    create_topic(bootstrap, topic + "-out")
    send_numbers(bootstrap, topic, range(20))
    producer = transactional(bootstrap, topic)
    partition = TopicPartition(topic, 0)

    def run(abort, expected_first):
        consumer = new_consumer(bootstrap, group_id=topic, isolation_level="read_committed")
        consumer.subscribe([topic])
        messages = take(consumer, 5)
        equal(b"%d" % expected_first, messages[0].value(), "first value")
        producer.begin_transaction()
        equal([], send_all(producer, topic + "-out", [message.value() for message in messages]), "failed messages")
        producer.send_offsets_to_transaction([TopicPartition(topic, 0, messages[-1].offset() + 1)], consumer.consumer_group_metadata(), 30)
        if abort:
            producer.abort_transaction(30)
        else:
            producer.commit_transaction(30)
        consumer.close()

    run(abort=False, expected_first=0)
    run(abort=True, expected_first=5)
    run(abort=False, expected_first=5)
    consumer = new_consumer(bootstrap, group_id=topic)
    equal(10, consumer.committed([partition], 30)[0].offset, "committed")
    consumer.close()
    equal([b"%d" % number for number in range(10)], committed_values(bootstrap, topic + "-out", 10), "output")


@check
def transaction_of_a_member_that_lost_its_partitions_is_refused(bootstrap, topic):
    create_topic(bootstrap, topic)
    send_numbers(bootstrap, topic, range(5))
    producer = transactional(bootstrap, topic)
    consumer = new_consumer(bootstrap, group_id=topic)
    consumer.subscribe([topic])
    take(consumer, 5)
    identity = consumer.consumer_group_metadata()
    consumer.close()
    producer.begin_transaction()
    code = error_code(lambda: producer.send_offsets_to_transaction([TopicPartition(topic, 0, 5)], identity, 30))
    equal(True, code in (KafkaError.UNKNOWN_MEMBER_ID, KafkaError.ILLEGAL_GENERATION), f"refused with {code}")
    producer.abort_transaction(30)


@check
def second_transactional_producer_fences_the_first(bootstrap, topic):
    create_topic(bootstrap, topic)
    first = transactional(bootstrap, topic)
    first.begin_transaction()
    equal([], send_all(first, topic, [b"zombie"]), "failed messages")
    second = transactional(bootstrap, topic)
    fatal = None
    try:
        send_all(first, topic, [b"late"])
        first.commit_transaction(30)
    except KafkaException as failure:
        fatal = failure.args[0]
    equal(True, fatal is not None and fatal.fatal(), f"the first one ends with {fatal}")
    second.begin_transaction()
    equal([], send_all(second, topic, [b"good"]), "failed messages")
    second.commit_transaction(30)
    equal([b"good"], committed_values(bootstrap, topic, 1), "committed values")


@check
def transaction_open_for_too_long_is_aborted(bootstrap, topic):
    create_topic(bootstrap, topic)
    # The client insists on giving a message no longer than the transaction, and its first one takes it a second.
    producer = transactional(bootstrap, topic, transaction_timeout_ms=4000, message_timeout_ms=4000)
    producer.begin_transaction()
    equal([], send_all(producer, topic, [b"slow"]), "failed messages")
    consumer = assigned(bootstrap, topic, isolation_level="read_committed")
    equal([], send_all(new_producer(bootstrap), topic, [b"after"]), "failed messages")
    equal([b"after"], [message.value() for message in take(consumer, 1)], "values once the time-out has passed")
    consumer.close()
    code = error_code(lambda: producer.commit_transaction(30))
    equal(True, code is not None, "commit of an aborted transaction")


if __name__ == "__main__":
    main(produce, consume, flood)
