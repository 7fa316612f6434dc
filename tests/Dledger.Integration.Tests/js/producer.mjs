// The official producer behind JSON lines: node producer.mjs <endpoints> <topic> [commit | rollback | unknown]
// With a third argument it has a transaction checker, which gives that answer; each check is an event { event: "check" }.
// send { body, tag?, keys?, properties?, messageGroup?, priority?, liteTopic?, deliverInMilliseconds? }
//   -> { messageId, offset, recallHandle }
// recall { recallHandle } -> { messageId }
// sendInTransaction { body, ..., end?: "commit" | "rollback" } -> { messageId, transactionId }
// sendCompressed { body } -> { code, messageId, offset }
import { gzipSync } from 'node:zlib';
import { argumentsOf, emit, serve } from './lib/lines.mjs';
import { sendCompressed, startProducer } from './lib/sdk.mjs';

const { endpoints, topic } = argumentsOf(['endpoints', 'topic']);
const resolutions = { commit: 1, rollback: 2, unknown: 0 };
const checked = process.argv[4];
const checker = checked && {
  async check(view) {
    emit({ event: 'check', messageId: view.messageId, body: view.body.toString('utf8') });
    return resolutions[checked];
  },
};
const producer = await startProducer(endpoints, [topic], checker ? { checker } : {});
emit({ event: 'started' });

function messageOf({ body, tag, keys, properties, messageGroup, priority, liteTopic, deliverInMilliseconds }) {
  return {
    topic,
    body: Buffer.from(body),
    tag,
    keys,
    messageGroup,
    priority,
    liteTopic,
    deliveryTimestamp: deliverInMilliseconds === undefined ? undefined : new Date(Date.now() + deliverInMilliseconds),
    properties: properties ? new Map(Object.entries(properties)) : undefined,
  };
}

await serve({
  async send(request) {
    const receipt = await producer.send(messageOf(request));
    return { messageId: receipt.messageId, offset: receipt.offset, recallHandle: receipt.recallHandle };
  },
  async recall({ recallHandle }) {
    const receipt = await producer.recallMessage(topic, recallHandle);
    return { messageId: receipt.messageId };
  },
  async sendInTransaction(request) {
    const transaction = producer.beginTransaction();
    const receipt = await producer.send(messageOf(request), transaction);
    if (request.end) {
      await transaction[request.end]();
    }
    return { messageId: receipt.messageId, transactionId: receipt.transactionId };
  },
  sendCompressed: request => sendCompressed(producer, endpoints, messageOf(request), gzipSync(request.body)),
}, () => producer.shutdown());
