"""Drives the broker with kafka-python (written against 2.0.2). See harness.py for the commands."""

import threading
import time

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, OffsetAndMetadata, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, NewPartitions, NewTopic
from kafka.errors import (
    InvalidPartitionsError,
    InvalidTopicError,
    MessageSizeTooLargeError,
    OffsetOutOfRangeError,
    TopicAlreadyExistsError,
    UnknownTopicOrPartitionError,
)

from harness import as_json, check, equal, main, say, wait_until


def new_producer(bootstrap, **settings):
    return KafkaProducer(bootstrap_servers=bootstrap, **{"acks": "all", "linger_ms": 5, **settings})


def new_consumer(bootstrap, *topics, **settings):
    defaults = {"group_id": None, "auto_offset_reset": "earliest", "enable_auto_commit": False, "fetch_max_wait_ms": 100}
    return KafkaConsumer(*topics, bootstrap_servers=bootstrap, **{**defaults, **settings})


def new_admin(bootstrap):
    return KafkaAdminClient(bootstrap_servers=bootstrap)


def create_topic(bootstrap, topic, partitions=1, **configs):
    admin = new_admin(bootstrap)
    admin.create_topics([NewTopic(topic, partitions, 1, topic_configs=configs)])
    admin.close()


def send_numbers(bootstrap, topic, numbers, partition=None, **settings):
    producer = new_producer(bootstrap, **settings)
    sent = [producer.send(topic, b"%d" % number, key=b"%d" % number, partition=partition) for number in numbers]
    producer.flush(30)
    offsets = [future.get(30).offset for future in sent]
    producer.close()
    return offsets


def take(consumer, count, seconds=30):
    records = []

    def poll():
        for batch in consumer.poll(timeout_ms=200, max_records=count - len(records)).values():
            records.extend(batch)

    wait_until(lambda: len(records) >= count, f"{count} records", poll, seconds)
    return records


def produce(bootstrap, topic, codec, records):
    producer = new_producer(bootstrap, compression_type=None if codec == "none" else codec)
    sent = [
        producer.send(topic, value, key=key, headers=headers, partition=0, timestamp_ms=timestamp)
        for key, value, timestamp, headers in records
    ]
    producer.flush(30)
    for future in sent:
        future.get(30)
    producer.close()


def consume(bootstrap, topic, count):
    consumer = new_consumer(bootstrap)
    consumer.assign([TopicPartition(topic, 0)])
    for record in take(consumer, count):
        say(as_json(record.key, record.value, record.timestamp, record.headers))
    consumer.close()


def flood(bootstrap, topic, count):
    """Not idempotent (this client is not): a batch may be written twice, but what was acknowledged must be there."""
    # One request in flight keeps the order over retries; the retries outlast the broker's absence. Small batches make many of them.
    producer = new_producer(
        bootstrap, batch_size=2000, retries=1000, retry_backoff_ms=50, max_in_flight_requests_per_connection=1, reconnect_backoff_ms=50, reconnect_backoff_max_ms=100
    )
    lock = threading.Lock()
    failures = []

    def acknowledged(number):
        with lock:
            say(str(number))

    for number in range(count):
        future = producer.send(topic, b"%d" % number, partition=0)
        future.add_callback(lambda _, number=number: acknowledged(number))
        future.add_errback(failures.append)
    producer.flush(60)
    producer.close()
    equal([], failures, "failed sends")


@check
def recognises_the_broker_version(bootstrap, topic):
    admin = new_admin(bootstrap)
    version = admin._client.config["api_version"]
    admin.close()
    # It guesses from the ranges of a few APIs. 2.5 would take DescribeAcls, which belongs to a broker with authorisation.
    if version < (2, 4, 0):
        raise AssertionError(f"classified as {version}")


@check
def gets_consecutive_offsets(bootstrap, topic):
    create_topic(bootstrap, topic)
    equal(list(range(100)), send_numbers(bootstrap, topic, range(100)), "offsets")


@check
def acks_none_and_one_arrive_too(bootstrap, topic):
    create_topic(bootstrap, topic)
    for acks in (0, 1):
        producer = new_producer(bootstrap, acks=acks)
        producer.send(topic, b"acks=%d" % acks)
        producer.flush(30)
        producer.close()
    consumer = new_consumer(bootstrap, topic)
    equal([b"acks=0", b"acks=1"], sorted(record.value for record in take(consumer, 2)), "values")
    consumer.close()


@check
def same_key_goes_to_the_same_partition(bootstrap, topic):
    create_topic(bootstrap, topic, partitions=4)
    send_numbers(bootstrap, topic, [number % 10 for number in range(200)])
    consumer = new_consumer(bootstrap, topic)
    partitions = {}
    for record in take(consumer, 200):
        partitions.setdefault(record.key, set()).add(record.partition)
    consumer.close()
    equal(10, len(partitions), "keys")
    equal({1}, {len(of_key) for of_key in partitions.values()}, "partitions of one key")


@check
def large_message(bootstrap, topic):
    create_topic(bootstrap, topic)
    payload = bytes(index * 31 % 251 for index in range(900 * 1024))
    producer = new_producer(bootstrap)
    producer.send(topic, payload).get(30)
    producer.close()
    consumer = new_consumer(bootstrap, topic)
    equal(payload, take(consumer, 1)[0].value, "payload")
    consumer.close()


@check
def too_large_message_is_refused(bootstrap, topic):
    create_topic(bootstrap, topic, **{"max.message.bytes": "10000"})
    producer = new_producer(bootstrap)
    try:
        producer.send(topic, bytes(20000)).get(30)
        raise AssertionError("accepted")
    except MessageSizeTooLargeError:
        pass
    producer.send(topic, b"small").get(30)
    producer.close()


@check
def consumer_waits_for_new_records(bootstrap, topic):
    create_topic(bootstrap, topic)
    consumer = new_consumer(bootstrap, topic, fetch_max_wait_ms=10000)
    equal({}, consumer.poll(timeout_ms=300), "records of an empty topic")
    send_numbers(bootstrap, topic, [1])
    # Far below fetch_max_wait_ms: the broker has to wake the parked fetch.
    equal(b"1", take(consumer, 1, seconds=5)[0].value, "value")
    consumer.close()


@check
def starts_at_the_end_and_seeks_back(bootstrap, topic):
    create_topic(bootstrap, topic)
    send_numbers(bootstrap, topic, range(10))
    partition = TopicPartition(topic, 0)
    consumer = new_consumer(bootstrap)
    consumer.assign([partition])
    equal({partition: 0}, consumer.beginning_offsets([partition]), "beginning")
    equal({partition: 10}, consumer.end_offsets([partition]), "end")
    consumer.seek_to_end(partition)
    equal(10, consumer.position(partition), "position at the end")
    consumer.seek(partition, 7)
    equal([b"7", b"8", b"9"], [record.value for record in take(consumer, 3)], "values after seek")
    consumer.close()


@check
def offsets_by_time(bootstrap, topic):
    create_topic(bootstrap, topic)
    # Recent, so that retention leaves them alone.
    start = int(time.time() - 3600) * 1000
    # Compressed, so that several records share a batch and the answer has to be exact within it.
    producer = new_producer(bootstrap, compression_type="gzip", linger_ms=200)
    for index in range(10):
        producer.send(topic, b"%d" % index, partition=0, timestamp_ms=start + index * 1000)
    producer.flush(30)
    producer.close()
    partition = TopicPartition(topic, 0)
    consumer = new_consumer(bootstrap)
    for target, expected in ((0, 0), (3000, 3), (3001, 4), (9000, 9)):
        found = consumer.offsets_for_times({partition: start + target})[partition]
        equal(expected, found.offset, f"offset for +{target} ms")
    equal(None, consumer.offsets_for_times({partition: start + 9001})[partition], "offset beyond the last record")
    consumer.close()


@check
def offset_out_of_range_is_reported(bootstrap, topic):
    create_topic(bootstrap, topic)
    send_numbers(bootstrap, topic, range(3))
    partition = TopicPartition(topic, 0)
    consumer = new_consumer(bootstrap, auto_offset_reset="none")
    consumer.assign([partition])
    consumer.seek(partition, 1000)
    try:
        wait_until(lambda: consumer.poll(timeout_ms=200), "an answer")
        raise AssertionError("records at an offset beyond the end")
    except OffsetOutOfRangeError:
        pass
    consumer.close()


@check
def commits_and_resumes(bootstrap, topic):
    create_topic(bootstrap, topic)
    send_numbers(bootstrap, topic, range(100))
    partition = TopicPartition(topic, 0)
    first = new_consumer(bootstrap, topic, group_id=topic)
    take(first, 40)
    first.commit({partition: OffsetAndMetadata(40, "so far")})
    equal("so far", first.committed(partition, metadata=True).metadata, "metadata")
    first.close()
    second = new_consumer(bootstrap, topic, group_id=topic)
    equal(b"40", take(second, 60)[0].value, "first value after resuming")
    second.commit()
    equal(100, second.committed(partition), "committed")
    second.close()


@check
def group_of_three_rebalances(bootstrap, topic):
    create_topic(bootstrap, topic, partitions=6)
    settings = {"group_id": topic, "session_timeout_ms": 10000, "heartbeat_interval_ms": 200, "max_poll_interval_ms": 20000}
    seen = []
    members = [new_consumer(bootstrap, topic, **settings)]

    def poll_all():
        for member in members:
            for batch in member.poll(timeout_ms=50).values():
                seen.extend(record.value for record in batch)

    def settled(*sizes):
        held = [sorted(partition.partition for partition in member.assignment()) for member in members]
        return sorted(map(len, held)) == sorted(sizes) and sorted(sum(held, [])) == list(range(6))

    def join():
        members.append(new_consumer(bootstrap, topic, **settings))

    # A member joins only while the others poll, as they would in processes of their own.
    def rebalance_to(*sizes):
        threads_stop = threading.Event()
        results = {}

        def run(member):
            while not threads_stop.is_set():
                for batch in member.poll(timeout_ms=50).values():
                    results.setdefault(id(member), []).extend(record.value for record in batch)

        threads = [threading.Thread(target=run, args=(member,)) for member in members]
        for thread in threads:
            thread.start()
        try:
            wait_until(lambda: settled(*sizes), f"assignment {sizes}")
        finally:
            threads_stop.set()
            for thread in threads:
                thread.join()
        for values in results.values():
            seen.extend(values)

    rebalance_to(6)
    send_numbers(bootstrap, topic, range(0, 60))
    wait_until(lambda: len(set(seen)) == 60, "the first 60 records", poll_all)
    members[0].commit()
    join()
    join()
    rebalance_to(2, 2, 2)
    send_numbers(bootstrap, topic, range(60, 120))
    wait_until(lambda: len(set(seen)) == 120, "the next 60 records", poll_all)
    for member in members:
        member.commit()
    members.pop(0).close()
    rebalance_to(3, 3)
    send_numbers(bootstrap, topic, range(120, 180))
    wait_until(lambda: len(set(seen)) == 180, "the last 60 records", poll_all)
    equal(180, len(seen), "deliveries of 180 records, all committed before each rebalance")
    for member in members:
        member.close()


@check
def lost_member_is_replaced(bootstrap, topic):
    create_topic(bootstrap, topic, partitions=2)
    settings = {"group_id": topic, "session_timeout_ms": 6000, "heartbeat_interval_ms": 500}
    lost = new_consumer(bootstrap, topic, **settings)
    wait_until(lambda: len(lost.assignment()) == 2, "assignment of the first member", lambda: lost.poll(timeout_ms=100))
    # Gone without a word: the heartbeat thread stops and no LeaveGroup is sent.
    lost._coordinator._heartbeat_thread.close()
    heir = new_consumer(bootstrap, topic, **settings)
    wait_until(lambda: len(heir.assignment()) == 2, "take-over by the second member", lambda: heir.poll(timeout_ms=100))
    heir.close()


@check
def admin_creates_describes_and_deletes_topics(bootstrap, topic):
    admin = new_admin(bootstrap)
    admin.create_topics([NewTopic(topic, 3, 1, topic_configs={"cleanup.policy": "compact"})])
    described = admin.describe_topics([topic])[0]
    equal(0, described["error_code"], "error")
    equal([0, 1, 2], sorted(partition["partition"] for partition in described["partitions"]), "partitions")
    admin.create_partitions({topic: NewPartitions(5)})
    wait_until(lambda: len(admin.describe_topics([topic])[0]["partitions"]) == 5, "five partitions")
    response = admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])[0]
    configs = {entry[0]: entry[1] for entry in response.resources[0][4]}
    equal("compact", configs["cleanup.policy"], "cleanup.policy")
    admin.delete_topics([topic])
    wait_until(lambda: topic not in admin.list_topics(), "deletion")
    admin.close()


@check
def admin_errors(bootstrap, topic):
    create_topic(bootstrap, topic)
    admin = new_admin(bootstrap)

    def fails_with(error, action):
        try:
            action()
        except error:
            return
        raise AssertionError(f"no {error.__name__}")

    fails_with(TopicAlreadyExistsError, lambda: admin.create_topics([NewTopic(topic, 1, 1)]))
    fails_with(InvalidPartitionsError, lambda: admin.create_topics([NewTopic(topic + "-none", 0, 1)]))
    fails_with(InvalidTopicError, lambda: admin.create_topics([NewTopic("no spaces", 1, 1)]))
    fails_with(UnknownTopicOrPartitionError, lambda: admin.delete_topics([topic + "-unknown"]))
    admin.close()


@check
def admin_lists_describes_and_deletes_groups(bootstrap, topic):
    create_topic(bootstrap, topic)
    send_numbers(bootstrap, topic, range(5))
    consumer = new_consumer(bootstrap, topic, group_id=topic, client_id="lister")
    take(consumer, 5)
    consumer.commit()
    admin = new_admin(bootstrap)
    equal([(topic, "consumer")], [group for group in admin.list_consumer_groups() if group[0] == topic], "listed")
    described = admin.describe_consumer_groups([topic])[0]
    equal("Stable", described.state, "state")
    equal(["lister"], [member.client_id for member in described.members], "members")
    offsets = admin.list_consumer_group_offsets(topic)
    equal(5, offsets[TopicPartition(topic, 0)].offset, "committed offset")
    equal("NonEmptyGroupError", admin.delete_consumer_groups([topic])[0][1].__name__, "deleting a live group")
    consumer.close()
    equal("NoError", admin.delete_consumer_groups([topic])[0][1].__name__, "deleting an empty group")
    equal([], [group for group in admin.list_consumer_groups() if group[0] == topic], "listed after deletion")
    admin.close()


if __name__ == "__main__":
    main(produce, consume, flood)
