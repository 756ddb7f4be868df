"""Tokens (OAUTHBEARER) and SASL over TLS, seen by confluent-kafka 1.7.0 (librdkafka 2.0.2) and kafka-python 2.0.2. See harness.py for the commands.

The bootstrap argument is JSON: the addresses of listeners with SASL_PLAINTEXT and with SASL_SSL, and a folder with the certificate of their
authority and with tokens: of admin, who may do everything, of alice, who may do nothing, and some that are not good.
"""

import base64
import json
import os
import time

from confluent_kafka import Consumer, KafkaError, Producer
from kafka import KafkaConsumer, KafkaProducer
from kafka.errors import KafkaError as PythonKafkaError
from kafka.oauth import AbstractTokenProvider

from harness import check, equal, main, wait_until


def expiry_of(token):
    return json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))["exp"]


class Broker:
    def __init__(self, text):
        self.__dict__.update(json.loads(text))

    def token(self, name):
        with open(os.path.join(self.folder, name + ".jwt"), encoding="ascii") as file:
            return file.read()

    def token_ending_soon(self):
        """The first of those with an end in five-second steps that is good for a few seconds yet."""
        for step in range(1, 121):
            text = self.token(f"short-{step}")
            if expiry_of(text) > time.time() + 3:
                return text
        raise AssertionError("all short tokens have ended")

    def login(self, name, over_tls=False, calls=None):
        def fetch(_):
            if calls is not None:
                calls.append(name)
            return self.token(name), time.time() + 3000

        return {**self.address(over_tls), "sasl.mechanism": "OAUTHBEARER", "oauth_cb": fetch}

    def address(self, over_tls):
        if not over_tls:
            return {"bootstrap.servers": self.plain, "security.protocol": "SASL_PLAINTEXT"}
        return {
            "bootstrap.servers": self.tls,
            "security.protocol": "SASL_SSL",
            "ssl.ca.location": os.path.join(self.folder, "authority.pem"),
        }


class Tokens(AbstractTokenProvider):
    def __init__(self, text):
        self.text = text

    def token(self):
        return self.text


def send(settings, topic, values):
    results = []
    producer = Producer({**settings, "acks": "all", "message.timeout.ms": 20000})
    for value in values:
        producer.produce(topic, value, on_delivery=lambda error, _: results.append(error and error.code()))
    equal(0, producer.flush(30), "messages left after flush")
    return results


def read(settings, topic, count):
    consumer = Consumer({**settings, "group.id": topic, "auto.offset.reset": "earliest", "fetch.wait.max.ms": 100})
    try:
        consumer.subscribe([topic])
        values = []
        while len(values) < count:
            message = wait_until(lambda: consumer.poll(1), f"message {len(values)} of {topic}", poll=lambda: None)
            if message.error():
                return message.error().code()
            values.append(message.value())
        return values
    finally:
        consumer.close()


def round_trip(settings, topic):
    values = [b"%d" % number for number in range(500)]
    equal([None] * 500, send(settings, topic, values), "delivery errors")
    equal(values, read(settings, topic, 500), "values read")


def login_error(settings):
    """The code of the error that the client reports of its login."""
    errors = []
    producer = Producer({**settings, "error_cb": lambda error: errors.append((error.code(), error.str()))})
    producer.produce("never", b"never")
    wait_until(lambda: any(code == KafkaError._AUTHENTICATION for code, _ in errors), "an authentication error", poll=lambda: producer.poll(0.1))
    producer.purge()
    return errors


@check
def token_lets_in_and_its_subject_is_the_user(bootstrap, topic):
    broker = Broker(bootstrap)
    calls = []
    round_trip(broker.login("admin", calls=calls), topic)
    equal(True, len(calls) > 0, "the client asked for a token")
    equal([KafkaError.TOPIC_AUTHORIZATION_FAILED], send(broker.login("alice"), topic, [b"never"]), "delivery error of a user without rules")


@check
def token_lets_in_over_tls(bootstrap, topic):
    round_trip(Broker(bootstrap).login("admin", over_tls=True), topic)


@check
def bad_tokens_are_authentication_errors(bootstrap, topic):
    broker = Broker(bootstrap)
    for name in ("other-key", "other-audience", "expired", "unsigned"):
        login_error(broker.login(name))
    # librdkafka's own unsigned tokens, for tests: alg none.
    config = "principal=admin scope=kafka"
    login_error({**broker.address(False), "sasl.mechanism": "OAUTHBEARER", "enable.sasl.oauthbearer.unsecure.jwt": True, "sasl.oauthbearer.config": config})


@check
def session_ends_with_its_token_and_goes_on_with_the_next(bootstrap, topic):
    broker = Broker(bootstrap)
    given = []

    def fetch(_):
        # The first one ends in seconds; the client is to come again before that, with the next one.
        text = broker.token_ending_soon() if not given else broker.token("admin")
        given.append(expiry_of(text))
        return text, given[-1]

    results = []
    producer = Producer({**broker.address(False), "sasl.mechanism": "OAUTHBEARER", "oauth_cb": fetch, "acks": "all", "linger.ms": 0})

    def one_more():
        producer.produce(topic, b"%d" % len(results), on_delivery=lambda error, _: results.append(error and error.code()))
        equal(0, producer.flush(30), "messages left after flush")

    # Well after the end of the first token: only a session with the second one can write.
    wait_until(lambda: given and time.time() > given[0] + 2, "the end of the first token", poll=one_more)
    equal({None}, set(results), "delivery errors")
    equal(True, len(given) > 1 and given[0] < given[1], f"ends of the tokens: {given}")


@check
def kafka_python_logs_in_with_a_token(bootstrap, topic):
    broker = Broker(bootstrap)
    for over_tls in (False, True):
        settings = {
            "bootstrap_servers": broker.tls if over_tls else broker.plain,
            "security_protocol": "SASL_SSL" if over_tls else "SASL_PLAINTEXT",
            "sasl_mechanism": "OAUTHBEARER",
            "ssl_cafile": os.path.join(broker.folder, "authority.pem"),
        }
        name = f"{topic}-{over_tls}"
        producer = KafkaProducer(**settings, sasl_oauth_token_provider=Tokens(broker.token("admin")))
        offsets = [producer.send(name, b"%d" % number).get(30).offset for number in range(10)]
        equal(list(range(10)), offsets, "offsets")
        producer.close()
        consumer = KafkaConsumer(
            name, **settings, sasl_oauth_token_provider=Tokens(broker.token("admin")), auto_offset_reset="earliest", consumer_timeout_ms=30000
        )
        equal([b"%d" % number for number in range(10)], [next(consumer).value for _ in range(10)], "values")
        consumer.close()
        refused = None
        try:
            KafkaProducer(**settings, sasl_oauth_token_provider=Tokens(broker.token("other-key"))).close()
        except PythonKafkaError as failure:
            refused = failure
        equal(True, refused is not None, "refusal of a token of another key")


@check
def passwords_let_in_over_tls(bootstrap, topic):
    broker = Broker(bootstrap)
    for mechanism in ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"):
        password = {"sasl.mechanism": mechanism, "sasl.username": "admin", "sasl.password": "admin-secret"}
        round_trip({**broker.address(True), **password}, f"{topic}-{mechanism}")
        login_error({**broker.address(True), **password, "sasl.password": "wrong"})


if __name__ == "__main__":
    main()
