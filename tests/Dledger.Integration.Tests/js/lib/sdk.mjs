// The official RocketMQ 5 client for Node.js, unmodified, with two things around it: a logger that writes nowhere (the
// client's own writes below the home directory) and an observer that reads the queue id of each delivery, which the
// client receives but does not show.
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const home = mkdtempSync(join(tmpdir(), 'dledger-sdk-'));
process.env.HOME = home;
process.on('exit', () => rmSync(home, { recursive: true, force: true }));

const require = createRequire(import.meta.url);
const sdk = require('rocketmq-client-nodejs');

export const { ConsumeResult, FilterExpression, OffsetOption } = sdk;

export const { TransactionResolution } = require('rocketmq-client-nodejs/proto/apache/rocketmq/v2/definition_pb');

const verbose = process.env.DLEDGER_SDK_LOG === '1';

function write(level, args) {
  if (verbose) {
    process.stderr.write(`${level} ${args.map(String).join(' ')}\n`);
  }
}

export const quietLogger = {
  debug() {},
  info(...args) { write('info', args); },
  warn(...args) { write('warn', args); },
  error(...args) { write('error', args); },
  close() {},
};

function options(endpoints, rest) {
  return { endpoints, namespace: '', logger: quietLogger, ...rest };
}

// "sql <expression>", else tags.
function filterOf(text) {
  return text.startsWith('sql ') ? new sdk.FilterExpression(text.slice(4), 2) : text;
}

function filtersOf(subscriptions) {
  return new Map(Object.entries(subscriptions).map(([topic, text]) => [topic, filterOf(text)]));
}

export async function startProducer(endpoints, topics, rest = {}) {
  const producer = new sdk.Producer(options(endpoints, { topics, ...rest }));
  await producer.startup();
  return producer;
}

export async function startSimpleConsumer(endpoints, group, subscriptions, rest = {}) {
  const consumer = new sdk.SimpleConsumer(
    options(endpoints, { consumerGroup: group, subscriptions: filtersOf(subscriptions), ...rest }));
  const deliveries = observe(consumer);
  await consumer.startup();
  return { consumer, deliveries };
}

// listener(view, delivery) returns a ConsumeResult or a promise of one.
export async function startPushConsumer(endpoints, group, subscriptions, listener, rest = {}) {
  let deliveries;
  const consumer = new sdk.PushConsumer(options(endpoints, {
    consumerGroup: group,
    subscriptions: filtersOf(subscriptions),
    messageListener: { consume: view => listener(view, describe(view, deliveries)) },
    ...rest,
  }));
  deliveries = observe(consumer);
  await consumer.startup();
  return { consumer, deliveries };
}

// Starts a lite push consumer; its subscriptions to lite topics are calls of their own.
export async function startLitePushConsumer(endpoints, group, bindTopic, listener) {
  const consumer = new sdk.LitePushConsumerImpl(
    options(endpoints, { consumerGroup: group, bindTopic, messageListener: { consume: listener } }));
  await consumer.startup();
  return consumer;
}

// Notes what each answer says of a delivery, by receipt handle; the last 10,000 are kept.
function observe(consumer) {
  const noted = new Map();
  const calls = consumer.rpcClientManager;
  const receive = calls.receiveMessage.bind(calls);
  calls.receiveMessage = async (...args) => {
    const responses = await receive(...args);
    for (const response of responses) {
      const system = response.getMessage()?.getSystemProperties();
      if (system) {
        noted.set(system.getReceiptHandle(), { queueId: system.getQueueId(), bodyEncoding: system.getBodyEncoding() });
        if (noted.size > 10_000) {
          noted.delete(noted.keys().next().value);
        }
      }
    }
    return responses;
  };
  return noted;
}

export function describe(view, deliveries) {
  const noted = deliveries?.get(view.receiptHandle);
  return {
    messageId: view.messageId,
    topic: view.topic,
    queueId: noted?.queueId,
    offset: view.offset,
    attempt: view.deliveryAttempt,
    tag: view.tag,
    priority: view.priority,
    liteTopic: view.liteTopic,
    keys: view.keys,
    properties: Object.fromEntries(view.properties),
    bodyEncoding: noted?.bodyEncoding,
    body: view.body.toString('utf8'),
    corrupted: view.corrupted === true,
    receiptHandle: view.receiptHandle,
  };
}

// Sends a message through the client's own generated stub with a body that is gzip already, as the Java and C++ clients
// do above their threshold; the Node.js client never compresses itself.
export async function sendCompressed(producer, endpoints, message, compressedBody) {
  const { Endpoints } = require('rocketmq-client-nodejs/dist/route');
  const { PublishingMessage } = require('rocketmq-client-nodejs/dist/message');
  const { Encoding } = require('rocketmq-client-nodejs/proto/apache/rocketmq/v2/definition_pb');
  const { SendMessageRequest } = require('rocketmq-client-nodejs/proto/apache/rocketmq/v2/service_pb');
  const publishing = new PublishingMessage(message, producer.publishingSettings, false);
  const encoded = publishing.toProtobuf('', { queueId: 0 });
  encoded.setBody(compressedBody);
  encoded.getSystemProperties().setBodyEncoding(Encoding.GZIP);
  const request = new SendMessageRequest();
  request.addMessages(encoded);
  const response = await producer.rpcClientManager.sendMessage(new Endpoints(endpoints), request, 10_000);
  const answer = response.toObject();
  const entry = answer.entriesList[0] ?? {};
  return { code: answer.status?.code, message: answer.status?.message, messageId: entry.messageId, offset: entry.offset };
}
