"""Drives the broker with confluent-kafka, hence librdkafka (written against 1.7.0 on librdkafka 2.0.2). See harness.py for the commands."""

import json
import threading
import time

from confluent_kafka import (
    OFFSET_BEGINNING,
    OFFSET_INVALID,
    TIMESTAMP_CREATE_TIME,
    TIMESTAMP_LOG_APPEND_TIME,
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


@check
def paused_partition_gives_nothing_until_it_is_resumed(bootstrap, topic):
    create_topic(bootstrap, topic, partitions=2)
    producer = new_producer(bootstrap)
    for partition in (0, 1):
        for number in range(20):
            producer.produce(topic, b"%d.%d" % (partition, number), partition=partition)
    equal(0, producer.flush(30), "messages left")
    consumer = new_consumer(bootstrap)
    consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING) for partition in (0, 1)])
    first = take(consumer, 1)[0]
    paused, other = first.partition(), 1 - first.partition()
    consumer.pause([TopicPartition(topic, paused)])
    equal({other}, {message.partition() for message in take(consumer, 20)}, "partitions while one is paused")
    equal([], consumer.consume(1, 0.5), "records of the paused partition")
    consumer.resume([TopicPartition(topic, paused)])
    equal([b"%d.%d" % (paused, number) for number in range(1, 20)], [message.value() for message in take(consumer, 19)], "the rest, in order")
    consumer.close()


@check
def pattern_follows_topics_that_come_and_go(bootstrap, topic):
    create_topic(bootstrap, topic + "-a", partitions=2)
    create_topic(bootstrap, topic + "-b")
    consumer = new_consumer(bootstrap, group_id=topic, topic_metadata_refresh_interval_ms=200, heartbeat_interval_ms=200, session_timeout_ms=10000)
    consumer.subscribe(["^" + topic + "-.*"])

    def holds(*expected):
        return sorted((p.topic, p.partition) for p in consumer.assignment()) == sorted((topic + name, partition) for name, partition in expected)

    def poll():
        consumer.poll(0.05)

    wait_until(lambda: holds(("-a", 0), ("-a", 1), ("-b", 0)), "both topics", poll)
    create_topic(bootstrap, topic + "-c")
    wait_until(lambda: holds(("-a", 0), ("-a", 1), ("-b", 0), ("-c", 0)), "the new topic", poll)
    new_admin_deletes(bootstrap, topic + "-a")
    wait_until(lambda: holds(("-b", 0), ("-c", 0)), "the deleted topic to go", poll)
    consumer.close()


def new_admin_deletes(bootstrap, topic):
    admin = new_admin(bootstrap)
    admin.delete_topics([topic])[topic].result(30)


@check
def members_with_different_topics_get_only_their_own(bootstrap, topic):
    for name in ("-a", "-b"):
        create_topic(bootstrap, topic + name, partitions=3)
    wishes = [["-a"], ["-b"], ["-a", "-b"]]
    members = []
    for wish in wishes:
        member = new_consumer(bootstrap, group_id=topic, partition_assignment_strategy="roundrobin", heartbeat_interval_ms=200, session_timeout_ms=10000)
        member.subscribe([topic + name for name in wish])
        members.append(member)

    def poll():
        for member in members:
            member.poll(0.05)

    def settled():
        held = [[(p.topic, p.partition) for p in member.assignment()] for member in members]
        everything = sorted(sum(held, []))
        return everything == sorted((topic + name, partition) for name in ("-a", "-b") for partition in range(3)) and all(held)

    wait_until(settled, "every partition once", poll)
    for wish, member in zip(wishes, members):
        foreign = {p.topic for p in member.assignment()} - {topic + name for name in wish}
        equal(set(), foreign, f"topics of the member that wants {wish}")
    for member in members:
        member.close()


@check
def missing_topic_is_made_for_a_producer_and_not_for_a_consumer(bootstrap, topic):
    consumer = new_consumer(bootstrap, group_id=topic, topic_metadata_refresh_interval_ms=200)
    consumer.subscribe([topic + "-read"])
    message = wait_until(lambda: consumer.poll(0.2), "an answer")
    equal(KafkaError.UNKNOWN_TOPIC_OR_PART, message.error().code(), "error")
    send_numbers(bootstrap, topic + "-written", [1])
    topics = new_admin(bootstrap).list_topics(timeout=30).topics
    equal([False, True], [topic + name in topics for name in ("-read", "-written")], "topics")
    # Made by somebody else, it is found by the consumer that waits for it.
    send_numbers(bootstrap, topic + "-read", [7])

    def poll():
        message = consumer.poll(0.1)
        if message and not message.error():
            found.append(message.value())

    found = []
    wait_until(lambda: found == [b"7"], "the record of the topic that was made", poll)
    consumer.close()


@check
def recreated_topic_starts_afresh(bootstrap, topic):
    create_topic(bootstrap, topic, partitions=3)
    producer = new_producer(bootstrap, topic_metadata_refresh_interval_ms=200, enable_idempotence=True)
    results = []
    for number in range(30):
        producer.produce(topic, b"%d" % number, partition=number % 3, on_delivery=lambda error, message: results.append(error))
    producer.flush(30)
    reader = new_consumer(bootstrap, group_id=topic)
    reader.subscribe([topic])
    take(reader, 30)
    reader.commit(asynchronous=False)
    reader.close()

    # A producer that is still there asks for the topic again and so may make it, before the next line does.
    del producer
    new_admin_deletes(bootstrap, topic)
    create_topic(bootstrap, topic, partitions=3)
    equal([None] * 30, results, "results before")
    again = new_consumer(bootstrap, group_id=topic)
    equal([OFFSET_INVALID] * 3, [found.offset for found in again.committed([TopicPartition(topic, number) for number in range(3)], 30)], "offsets of the group")
    send_numbers(bootstrap, topic, range(10))
    again.subscribe([topic])
    equal(sorted(b"%d" % number for number in range(10)), sorted(message.value() for message in take(again, 10)), "values of the new topic only")
    again.close()


@check
def commit_keeps_its_metadata(bootstrap, topic):
    create_topic(bootstrap, topic)
    consumer = new_consumer(bootstrap, group_id=topic)
    for text in ("here \u00e4 it was", "m" * 4000, ""):
        consumer.commit(offsets=[with_metadata(topic, 0, 7, text)], asynchronous=False)
        found = consumer.committed([TopicPartition(topic, 0)], 30)[0]
        # librdkafka shows no text as no metadata.
        equal((7, text), (found.offset, getattr(found, "metadata", text) or ""), "committed")
    consumer.close()


def with_metadata(topic, partition, offset, text):
    """confluent-kafka before 2.0 cannot attach a text; there the position alone is compared."""
    try:
        return TopicPartition(topic, partition, offset, text)
    except TypeError:
        return TopicPartition(topic, partition, offset)


@check
def nulls_empties_and_headers_come_back(bootstrap, topic):
    create_topic(bootstrap, topic)
    sent = [
        (None, None, None),
        (b"", b"", None),
        (b"k", None, [("only", b"headers")]),
        (None, b"v", [("twice", b"1"), ("twice", b"2"), ("null", None), ("empty", b"")]),
    ]
    failed = []
    producer = new_producer(bootstrap)
    for key, value, headers in sent:
        producer.produce(topic, value, key, headers=headers, on_delivery=lambda error, _: failed.append(error) if error else None)
    equal(0, producer.flush(30), "messages left")
    equal([], failed, "failed messages")
    consumer = assigned(bootstrap, topic)
    equal(sent, [(message.key(), message.value(), message.headers()) for message in take(consumer, len(sent))], "records")
    consumer.close()


@check
def timestamps_are_the_producers_or_the_brokers_as_the_topic_says(bootstrap, topic):
    old = int(time.time() * 1000) - 3_600_000
    create_topic(bootstrap, topic + "-create")
    create_topic(bootstrap, topic + "-append", **{"message.timestamp.type": "LogAppendTime"})
    create_topic(bootstrap, topic + "-strict", **{"message.timestamp.before.max.ms": "60000", "message.timestamp.after.max.ms": "60000"})
    results = {}
    producer = new_producer(bootstrap, message_timeout_ms=20000, compression_type="gzip")
    for name, timestamp in (("-create", old), ("-append", old), ("-strict", old)):
        producer.produce(topic + name, b"x", timestamp=timestamp, on_delivery=lambda error, message, name=name: results.update({name: (error and error.code(), message.timestamp())}))
    equal(0, producer.flush(30), "messages left")
    equal((None, (TIMESTAMP_CREATE_TIME, old)), results["-create"], "create time")
    equal(KafkaError.INVALID_TIMESTAMP, results["-strict"][0], "a time too far from the broker's")
    for name, kind in (("-create", TIMESTAMP_CREATE_TIME), ("-append", TIMESTAMP_LOG_APPEND_TIME)):
        consumer = assigned(bootstrap, topic + name)
        found = take(consumer, 1)[0].timestamp()
        equal((kind, True), (found[0], (found[1] == old) == (name == "-create")), f"timestamp as read from {name}")
        consumer.close()


@check
def lag_is_what_is_left_to_read(bootstrap, topic):
    create_topic(bootstrap, topic)
    send_numbers(bootstrap, topic, range(30))
    lags = []

    def on_statistics(text):
        partition = json.loads(text).get("topics", {}).get(topic, {}).get("partitions", {}).get("0", {})
        lags.append((partition.get("ls_offset"), partition.get("hi_offset"), partition.get("consumer_lag_stored", partition.get("consumer_lag"))))

    # Confluent's class takes callbacks as settings, under names with underscores.
    settings = {"bootstrap.servers": bootstrap, "group.id": topic, "auto.offset.reset": "earliest", "enable.auto.commit": False}
    consumer = Consumer({**settings, "statistics.interval.ms": 100, "fetch.wait.max.ms": 100, "stats_cb": on_statistics})
    consumer.assign([TopicPartition(topic, 0, OFFSET_BEGINNING)])
    take(consumer, 30)
    wait_until(lambda: lags and lags[-1] == (30, 30, 0), "a lag of 0", lambda: consumer.poll(0.1))
    consumer.close()


@check
def small_fetch_limits_only_make_it_slower(bootstrap, topic):
    create_topic(bootstrap, topic)
    values = [bytes([number % 256]) * (5000 + number * 300) for number in range(60)]
    producer = new_producer(bootstrap, batch_num_messages=3)
    for value in values:
        producer.produce(topic, value, partition=0)
    equal(0, producer.flush(30), "messages left")
    consumer = assigned(bootstrap, topic, fetch_message_max_bytes=1000, fetch_max_bytes=2000, message_max_bytes=2000)
    equal(values, [message.value() for message in take(consumer, len(values))], "values")
    consumer.close()


@check
def consumer_that_stops_polling_loses_its_partitions_and_comes_back(bootstrap, topic):
    create_topic(bootstrap, topic, partitions=2)
    settings = {"heartbeat_interval_ms": 200, "session_timeout_ms": 6000, "max_poll_interval_ms": 6000}
    busy, idle = (new_consumer(bootstrap, group_id=topic, **settings) for _ in range(2))
    for consumer in (busy, idle):
        consumer.subscribe([topic])
    wait_until(lambda: [len(c.assignment()) for c in (busy, idle)] == [1, 1], "one partition each", lambda: (busy.poll(0.05), idle.poll(0.05)))
    wait_until(lambda: len(busy.assignment()) == 2, "both partitions for the one that polls", lambda: busy.poll(0.05), seconds=60)
    wait_until(lambda: [len(c.assignment()) for c in (busy, idle)] == [1, 1], "one partition each again", lambda: (busy.poll(0.05), idle.poll(0.05)))
    for consumer in (busy, idle):
        consumer.close()


@check
def members_agree_on_the_strategy_all_of_them_know(bootstrap, topic):
    create_topic(bootstrap, topic, partitions=4)
    strategies = ("roundrobin,range", "range,roundrobin", "range")
    members = [new_consumer(bootstrap, group_id=topic, partition_assignment_strategy=s, heartbeat_interval_ms=200, session_timeout_ms=10000) for s in strategies]
    for member in members:
        member.subscribe([topic])

    def poll():
        for member in members:
            member.poll(0.05)

    wait_until(lambda: sorted(len(member.assignment()) for member in members) == [1, 1, 2], "four partitions for three", poll)
    stranger = new_consumer(bootstrap, group_id=topic, partition_assignment_strategy="cooperative-sticky", heartbeat_interval_ms=200)
    stranger.subscribe([topic])
    refused = wait_until(lambda: stranger.poll(0.1), "a refusal", poll)
    equal(KafkaError.INCONSISTENT_GROUP_PROTOCOL, refused.error().code(), "error of a member with another strategy")
    for member in [*members, stranger]:
        member.close()


@check
def partition_that_is_not_there_is_an_error(bootstrap, topic):
    create_topic(bootstrap, topic, partitions=2)
    results = []
    producer = new_producer(bootstrap, message_timeout_ms=10000)
    try:
        producer.produce(topic, b"x", partition=5, on_delivery=lambda error, _: results.append(error and error.code()))
        producer.flush(30)
    except KafkaException as failure:
        results.append(failure.args[0].code())
    equal([KafkaError._UNKNOWN_PARTITION], results, "result")
    equal(KafkaError._UNKNOWN_PARTITION, error_code(lambda: new_consumer(bootstrap).get_watermark_offsets(TopicPartition(topic, 5), 30)), "error of the watermarks")


if __name__ == "__main__":
    main(produce, consume, flood)
