"""Users and access rules, seen by confluent-kafka 1.7.0 (librdkafka 2.0.2) and kafka-python 2.0.2. See harness.py for the commands.

The bootstrap address is a SASL_PLAINTEXT listener with SCRAM-SHA-256 and the users of USERS; admin may do everything, alice what rules allow.
"""

from confluent_kafka import Consumer, KafkaError, Producer
from confluent_kafka.admin import AdminClient, NewTopic
from kafka import KafkaAdminClient
from kafka.admin import (
    ACL,
    ACLFilter,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    ResourcePattern,
    ResourcePatternFilter,
    ResourceType,
)

from harness import check, equal, main, wait_until

USERS = {"admin": "admin-secret", "alice": "alice-secret"}


def login(bootstrap, user, password=None):
    return {
        "bootstrap.servers": bootstrap,
        "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanism": "SCRAM-SHA-256",
        "sasl.username": user,
        "sasl.password": USERS[user] if password is None else password,
    }


def create_topic(bootstrap, topic):
    admin = AdminClient(login(bootstrap, "admin"))
    admin.create_topics([NewTopic(topic, 1, 1)])[topic].result(30)


def send(bootstrap, user, topic, values):
    """Sends the values and returns the error code of each, None for those acknowledged."""
    results = []
    producer = Producer({**login(bootstrap, user), "acks": "all"})
    for value in values:
        producer.produce(topic, value, on_delivery=lambda error, _: results.append(error and error.code()))
    equal(0, producer.flush(30), "messages left after flush")
    return results


def read(bootstrap, user, topic, group, count):
    """The first values a member of the group gets, or the code of the error it meets before it has them."""
    settings = {"group.id": group, "auto.offset.reset": "earliest", "enable.auto.commit": False, "fetch.wait.max.ms": 100}
    consumer = Consumer({**login(bootstrap, user), **settings})
    try:
        consumer.subscribe([topic])
        values = []
        while len(values) < count:
            message = wait_until(lambda: consumer.poll(1), f"message {len(values)} of {topic}", poll=lambda: None)
            if message.error():
                return message.error().code()
            values.append(message.value())
        consumer.commit(asynchronous=False)
        return values
    finally:
        consumer.close()


def rules_admin(bootstrap):
    return KafkaAdminClient(
        bootstrap_servers=bootstrap,
        security_protocol="SASL_PLAINTEXT",
        sasl_mechanism="SCRAM-SHA-256",
        sasl_plain_username="admin",
        sasl_plain_password=USERS["admin"],
    )


def rule(kind, name, operation, pattern=ACLResourcePatternType.LITERAL, permission=ACLPermissionType.ALLOW):
    return ACL("User:alice", "*", operation, permission, ResourcePattern(kind, name, pattern))


def everything_about(kind, name):
    return ACLFilter(None, None, ACLOperation.ANY, ACLPermissionType.ANY, ResourcePatternFilter(kind, name, ACLResourcePatternType.ANY))


@check
def scram_user_writes_and_reads(bootstrap, topic):
    create_topic(bootstrap, topic)
    values = [b"%d" % number for number in range(500)]
    equal([None] * 500, send(bootstrap, "admin", topic, values), "delivery errors")
    equal(values, read(bootstrap, "admin", topic, topic, 500), "values read")


@check
def wrong_password_is_an_authentication_error(bootstrap, topic):
    errors = []
    producer = Producer({**login(bootstrap, "alice", "wrong"), "error_cb": lambda error: errors.append(error.code())})
    producer.produce(topic, b"never")
    wait_until(lambda: KafkaError._AUTHENTICATION in errors, "an authentication error", poll=lambda: producer.poll(0.1))
    producer.purge()


@check
def topic_without_a_rule_is_refused(bootstrap, topic):
    create_topic(bootstrap, topic)
    rules_admin(bootstrap).create_acls([rule(ResourceType.GROUP, topic, ACLOperation.READ)])
    equal([KafkaError.TOPIC_AUTHORIZATION_FAILED], send(bootstrap, "alice", topic, [b"never"]), "delivery errors")
    equal(KafkaError.TOPIC_AUTHORIZATION_FAILED, read(bootstrap, "alice", topic, topic, 1), "read")
    alice = AdminClient(login(bootstrap, "alice"))  # has to live until the answer is there
    created = alice.create_topics([NewTopic(topic + "-more", 1, 1)])[topic + "-more"]
    equal(KafkaError.TOPIC_AUTHORIZATION_FAILED, created.exception(30).args[0].code(), "creating a topic")


@check
def rules_made_by_a_client_let_in_until_it_deletes_them(bootstrap, topic):
    create_topic(bootstrap, topic)
    admin = rules_admin(bootstrap)
    rules = [
        rule(ResourceType.TOPIC, topic, ACLOperation.WRITE),
        rule(ResourceType.TOPIC, topic, ACLOperation.READ),
    ]
    equal(rules, admin.create_acls(rules)["succeeded"], "rules made")
    equal([None], send(bootstrap, "alice", topic, [b"in"]), "delivery errors")
    equal(KafkaError.GROUP_AUTHORIZATION_FAILED, read(bootstrap, "alice", topic, topic, 1), "read in a group without a rule")

    admin.create_acls([rule(ResourceType.GROUP, topic[:-1], ACLOperation.READ, ACLResourcePatternType.PREFIXED)])
    equal([b"in"], read(bootstrap, "alice", topic, topic, 1), "read in a group with a rule")

    found, error = admin.describe_acls(everything_about(ResourceType.TOPIC, topic))
    equal("NoError", error.__name__, "describing rules")
    equal({ACLOperation.WRITE, ACLOperation.READ}, {one.operation for one in found}, "rules described")

    deny = rule(ResourceType.TOPIC, topic, ACLOperation.WRITE, permission=ACLPermissionType.DENY)
    equal([deny], admin.create_acls([deny])["succeeded"], "rule that denies made")
    equal([KafkaError.TOPIC_AUTHORIZATION_FAILED], send(bootstrap, "alice", topic, [b"out"]), "delivery errors where denied")

    [(_, deleted, error)] = admin.delete_acls([everything_about(ResourceType.TOPIC, topic)])
    equal("NoError", error.__name__, "deleting rules")
    equal(3, len(deleted), "rules deleted")
    equal(KafkaError.TOPIC_AUTHORIZATION_FAILED, read(bootstrap, "alice", topic, topic, 1), "read after the rules were deleted")


if __name__ == "__main__":
    main()
