// The official producer behind JSON lines: node producer.mjs <endpoints> <topic> [commit | rollback | unknown]
// Its transaction checker gives the answer of the third argument, else that of the message's property whenAsked; each check is an event
// { event: "check" }.
// send { body, tag?, keys?, properties?, messageGroup?, priority?, liteTopic?, deliverInMilliseconds? }
//   -> { messageId, offset, recallHandle }
// recall { recallHandle } -> { messageId }
// sendInTransaction { body, ..., end?: "commit" | "rollback" } -> { messageId, transactionId }
// sendTransaction { ..., resolution?: 'commit' | 'rollback' } -> { messageId, offset }; left open without a resolution
// sendCompressed { body } -> { code, messageId, offset }
import { gzipSync } from 'node:zlib';
import { argumentsOf, emit, serve } from './lib/lines.mjs';
import { sendCompressed, startProducer, TransactionResolution } from './lib/sdk.mjs';

const { endpoints, topic } = argumentsOf(['endpoints', 'topic']);
const resolutions = {
  commit: TransactionResolution.COMMIT,
  rollback: TransactionResolution.ROLLBACK,
  unknown: TransactionResolution.TRANSACTION_RESOLUTION_UNSPECIFIED,
};
const checked = process.argv[4];
const producer = await startProducer(endpoints, [topic], {
  // What becomes of a message whose transaction was left open: what the third argument says, else one of its properties.
  checker: {
    async check(view) {
      emit({ event: 'check', messageId: view.messageId, body: view.body.toString('utf8') });
      return resolutions[checked ?? view.properties.get('whenAsked')] ?? resolutions.unknown;
    },
  },
});
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
  async sendTransaction(request) {
    const transaction = producer.beginTransaction();
    const receipt = await producer.send(messageOf(request), transaction);
    if (request.resolution === 'commit') {
      await transaction.commit();
    } else if (request.resolution === 'rollback') {
      await transaction.rollback();
    }
    return { messageId: receipt.messageId, offset: receipt.offset };
  },
  sendCompressed: request => sendCompressed(producer, endpoints, messageOf(request), gzipSync(request.body)),
}, () => producer.shutdown());
