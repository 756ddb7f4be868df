// Drives the broker with kafkajs. The commands are those of ../harness.py:
//
//   client.js BOOTSTRAP check NAME TOPIC      run one check; exit code 0 means it held
//   client.js BOOTSTRAP list                  the names of all checks
//   client.js BOOTSTRAP produce TOPIC CODEC   records as JSON lines on stdin
//   client.js BOOTSTRAP consume TOPIC COUNT   the first COUNT records of partition 0 as JSON lines on stdout
'use strict'

const assert = require('node:assert').strict
const readline = require('node:readline')
const { Kafka, CompressionTypes, Partitioners, ConfigResourceTypes, logLevel } = require('kafkajs')

const [bootstrap, command, ...rest] = process.argv.slice(2)
const deadlineMs = 30000
const kafka = new Kafka({
  clientId: 'kafkajs',
  brokers: [bootstrap],
  logLevel: logLevel.NOTHING,
  retry: { initialRetryTime: 50, retries: 8 },
})
const codecs = { none: CompressionTypes.None, gzip: CompressionTypes.GZIP }

const toHex = data => (data === null || data === undefined ? null : Buffer.from(data).toString('hex'))
const fromHex = text => (text === null ? null : Buffer.from(text, 'hex'))

async function withProducer(settings, action) {
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner, ...settings })
  await producer.connect()
  try {
    return await action(producer)
  } finally {
    await producer.disconnect()
  }
}

async function withAdmin(action) {
  const admin = kafka.admin()
  await admin.connect()
  try {
    return await action(admin)
  } finally {
    await admin.disconnect()
  }
}

const createTopic = (topic, numPartitions = 1, configEntries = []) =>
  withAdmin(admin => admin.createTopics({ topics: [{ topic, numPartitions, configEntries }] }))

const send = (topic, values, settings = {}) =>
  withProducer({}, producer => producer.send({ topic, messages: values.map(value => ({ value, partition: 0 })), ...settings }))

async function within(promise, what) {
  let timer
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${deadlineMs} ms: ${what}`)), deadlineMs)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

// The first `count` messages a group member gets, in order. onStart gets the consumer once it runs.
async function take(topic, groupId, count, settings = {}, onMessages = async () => {}) {
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 100, rebalanceTimeout: 10000, ...settings })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  const messages = []
  let done
  const enough = new Promise(resolve => (done = resolve))
  await consumer.run({
    autoCommit: false,
    eachMessage: async ({ partition, message }) => {
      if (messages.length < count) messages.push({ partition, ...message })
      if (messages.length === count) done()
    },
  })
  try {
    await within(enough, `${count} records`)
    await onMessages(consumer, messages)
  } finally {
    await consumer.disconnect()
  }
  return messages
}

const values = messages => messages.map(message => message.value.toString())
const range = (from, to) => Array.from({ length: to - from }, (_, i) => String(from + i))

// A record written last shows that there is nothing more to be seen.
async function committedValues(topic, count) {
  await send(topic, ['end'])
  const seen = values(await take(topic, `${topic}-reader-${process.pid}-${Math.floor(performance.now())}`, count + 1, { readUncommitted: false }))
  assert.equal(seen.at(-1), 'end')
  return seen.slice(0, -1)
}

const transactional = (transactionalId, action, settings = {}) =>
  withProducer({ transactionalId, maxInFlightRequests: 1, idempotent: true, ...settings }, action)

const checks = {
  async produces_and_consumes_with_both_codecs(topic) {
    await createTopic(topic)
    for (const [name, compression] of Object.entries(codecs)) await send(topic, range(0, 50).map(i => `${name} ${i}`), { compression })
    const expected = ['none', 'gzip'].flatMap(name => range(0, 50).map(i => `${name} ${i}`))
    assert.deepEqual(values(await take(topic, topic, 100)), expected)
  },

  async keys_choose_the_partition_and_keep_their_order(topic) {
    await createTopic(topic, 3)
    await withProducer({}, producer =>
      producer.send({ topic, messages: range(0, 60).map(i => ({ key: `k${i % 7}`, value: i, headers: { h: `v${i}` } })) })
    )
    const messages = await take(topic, topic, 60)
    assert.equal(new Set(messages.map(message => message.partition)).size, 3)
    for (let key = 0; key < 7; key++) {
      const own = messages.filter(message => message.key.toString() === `k${key}`)
      assert.equal(new Set(own.map(message => message.partition)).size, 1)
      assert.deepEqual(values(own), range(0, 60).filter(i => i % 7 === key))
      assert.equal(own[0].headers.h.toString(), `v${key}`)
    }
  },

  async idempotent_producer(topic) {
    await createTopic(topic)
    await withProducer({ idempotent: true, maxInFlightRequests: 1 }, async producer => {
      for (let i = 0; i < 20; i++) {
        const [result] = await producer.send({ topic, acks: -1, messages: [{ value: String(i) }] })
        assert.equal(result.baseOffset, String(i))
      }
    })
    assert.deepEqual(values(await take(topic, topic, 20)), range(0, 20))
  },

  async commits_and_resumes(topic) {
    await createTopic(topic)
    await send(topic, range(0, 10))
    await take(topic, topic, 10, {}, consumer => consumer.commitOffsets([{ topic, partition: 0, offset: '4', metadata: 'four' }]))
    assert.deepEqual(values(await take(topic, topic, 6)), range(4, 10))
    const [offsets] = await withAdmin(admin => admin.fetchOffsets({ groupId: topic, topics: [topic] }))
    assert.deepEqual({ ...offsets.partitions[0] }, { partition: 0, offset: '4', metadata: 'four' })
  },

  async group_of_two_shares_the_partitions_and_takes_over(topic) {
    await createTopic(topic, 4)
    const members = []
    const assignments = new Map()
    const until = async (condition, what) => {
      const start = performance.now()
      while (!condition()) {
        assert.ok(performance.now() - start < deadlineMs, `not in time: ${what}, but ${JSON.stringify([...assignments.values()])}`)
        await new Promise(resolve => setTimeout(resolve, 20))
      }
    }
    const join = async name => {
      const consumer = kafka.consumer({ groupId: topic, sessionTimeout: 6000, heartbeatInterval: 200, rebalanceTimeout: 6000, maxWaitTimeInMs: 100 })
      members.push(consumer)
      consumer.on(consumer.events.GROUP_JOIN, event => assignments.set(name, event.payload.memberAssignment[topic] ?? []))
      await consumer.connect()
      await consumer.subscribe({ topic })
      await consumer.run({ eachMessage: async () => {} })
      return consumer
    }
    const all = () => [...assignments.values()].flat().sort().join()
    try {
      const first = await join('first')
      await until(() => all() === '0,1,2,3', 'one member has all')
      await join('second')
      await until(() => all() === '0,1,2,3' && assignments.size === 2 && assignments.get('second').length === 2, 'two members have two each')
      const described = (await withAdmin(admin => admin.describeGroups([topic]))).groups[0]
      assert.deepEqual([described.state, described.protocolType, described.members.length], ['Stable', 'consumer', 2])
      assert.ok((await withAdmin(admin => admin.listGroups())).groups.some(group => group.groupId === topic))
      await first.disconnect()
      assignments.delete('first')
      await until(() => all() === '0,1,2,3', 'the other member has all')
    } finally {
      for (const member of members) await member.disconnect()
    }
    await withAdmin(admin => admin.deleteGroups([topic]))
  },

  async transactions_commit_and_abort(topic) {
    await createTopic(topic)
    await transactional(topic, async producer => {
      for (let i = 0; i < 9; i++) {
        const transaction = await producer.transaction()
        await transaction.send({ topic, messages: [{ value: `${i}.0` }, { value: `${i}.1` }] })
        await (i % 3 === 1 ? transaction.abort() : transaction.commit())
      }
    })
    const expected = range(0, 9).filter(i => i % 3 !== 1).flatMap(i => [`${i}.0`, `${i}.1`])
    assert.deepEqual(await committedValues(topic, expected.length), expected)
  },

  async transaction_takes_offsets_along(topic) {
    await createTopic(topic)
    await createTopic(`${topic}-out`)
    await send(topic, range(0, 10))
    await transactional(topic, async producer => {
      for (const [count, commit] of [[4, true], [3, false], [6, true]]) {
        await take(topic, topic, count, {}, async (_, messages) => {
          const transaction = await producer.transaction()
          await transaction.send({ topic: `${topic}-out`, messages: messages.map(({ value }) => ({ value })) })
          const offset = String(Number(messages.at(-1).offset) + 1)
          await transaction.sendOffsets({ consumerGroupId: topic, topics: [{ topic, partitions: [{ partition: 0, offset }] }] })
          await (commit ? transaction.commit() : transaction.abort())
        })
      }
    })
    assert.deepEqual(await committedValues(`${topic}-out`, 10), range(0, 10))
  },

  async second_transactional_producer_fences_the_first(topic) {
    await createTopic(topic)
    await transactional(topic, async first => {
      const zombie = await first.transaction()
      await zombie.send({ topic, messages: [{ value: 'zombie' }] })
      await transactional(topic, async second => {
        const transaction = await second.transaction()
        await transaction.send({ topic, messages: [{ value: 'good' }] })
        await transaction.commit()
      })
      await assert.rejects(zombie.commit(), error => ['INVALID_PRODUCER_EPOCH', 'PRODUCER_FENCED'].includes((error.cause ?? error).type))
    })
    assert.deepEqual(await committedValues(topic, 1), ['good'])
  },

  async admin_creates_grows_describes_and_deletes_topics(topic) {
    await withAdmin(async admin => {
      assert.equal(await admin.createTopics({ topics: [{ topic, numPartitions: 2, configEntries: [{ name: 'retention.ms', value: '1234567' }] }] }), true)
      assert.equal(await admin.createTopics({ topics: [{ topic }] }), false)
      await admin.createPartitions({ topicPartitions: [{ topic, count: 5 }] })
      const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
      assert.equal(topics[0].partitions.length, 5)
      const described = await admin.describeConfigs({
        includeSynonyms: false,
        resources: [{ type: ConfigResourceTypes.TOPIC, name: topic, configNames: ['retention.ms'] }],
      })
      assert.equal(described.resources[0].configEntries[0].configValue, '1234567')
      await admin.alterConfigs({
        validateOnly: false,
        resources: [{ type: ConfigResourceTypes.TOPIC, name: topic, configEntries: [{ name: 'cleanup.policy', value: 'compact' }] }],
      })
      assert.ok((await admin.listTopics()).includes(topic))
      assert.equal((await admin.describeCluster()).brokers.length, 1)
      await admin.deleteTopics({ topics: [topic] })
      assert.ok(!(await admin.listTopics()).includes(topic))
    })
  },

  async admin_moves_and_deletes_offsets_and_records(topic) {
    await createTopic(topic)
    await send(topic, range(0, 10))
    await withAdmin(async admin => {
      assert.deepEqual((await admin.fetchTopicOffsets(topic)).map(({ low, high }) => [low, high]), [['0', '10']])
      await admin.setOffsets({ groupId: topic, topic, partitions: [{ partition: 0, offset: '3' }] })
      assert.equal((await admin.fetchOffsets({ groupId: topic, topics: [topic] }))[0].partitions[0].offset, '3')
      await admin.resetOffsets({ groupId: topic, topic, earliest: true })
      await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '6' }] })
      assert.deepEqual((await admin.fetchTopicOffsets(topic)).map(({ low, high }) => [low, high]), [['6', '10']])
      const later = await admin.fetchTopicOffsetsByTimestamp(topic, Date.now() + 60000)
      assert.equal(later[0].offset, '10')
    })
    assert.deepEqual(values(await take(topic, `${topic}-2`, 4)), range(6, 10))
  },

  async errors_have_their_names(topic) {
    await createTopic(topic, 1, [{ name: 'max.message.bytes', value: '1000' }])
    await assert.rejects(send(topic, ['x'.repeat(2000)]), { type: 'MESSAGE_TOO_LARGE' })
    await withAdmin(async admin => {
      await assert.rejects(admin.createTopics({ topics: [{ topic: 'a b' }] }), error => error.errors[0].type === 'INVALID_TOPIC_EXCEPTION')
      await assert.rejects(admin.deleteGroups(['unknown-group']), error => error.groups[0].error.type === 'GROUP_ID_NOT_FOUND')
    })
  },
}

async function produce(topic, codec) {
  const messages = []
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const record = JSON.parse(line)
    const headers = {}
    for (const [name, value] of record.headers) headers[name] = [...(headers[name] ?? []), fromHex(value)]
    messages.push({ key: fromHex(record.key), value: fromHex(record.value), timestamp: String(record.timestamp), headers, partition: 0 })
  }
  await withProducer({}, producer => producer.send({ topic, acks: -1, compression: codecs[codec], messages }))
}

async function consume(topic, count) {
  for (const { key, value, timestamp, headers } of await take(topic, `${topic}-${process.pid}`, count)) {
    const pairs = Object.entries(headers ?? {}).flatMap(([name, data]) => (Array.isArray(data) ? data : [data]).map(one => [name, toHex(one)]))
    process.stdout.write(JSON.stringify({ key: toHex(key), value: toHex(value), timestamp: Number(timestamp), headers: pairs }) + '\n')
  }
}

async function main() {
  if (command === 'list') process.stdout.write(Object.keys(checks).sort().join('\n') + '\n')
  else if (command === 'check') await checks[rest[0]](rest[1])
  else if (command === 'produce') await produce(rest[0], rest[1])
  else if (command === 'consume') await consume(rest[0], Number(rest[1]))
  else throw new Error(`unknown command '${command}'`)
}

main().then(
  // Not before the pipe has taken everything; and not by waiting for the client's timers, which outlive its connections.
  () => process.stdout.write('', () => process.exit(0)),
  error => {
    console.error(error)
    process.exit(1)
  }
)
