// The official producer behind JSON lines: node producer.mjs <endpoints> <topic>
// send { body, tag?, keys?, properties?, messageGroup? } -> { messageId, offset }
// sendTransaction { ..., resolution?: 'commit' | 'rollback' } -> { messageId, offset }; left open without a resolution
// sendCompressed { body } -> { code, messageId, offset }
import { gzipSync } from 'node:zlib';
import { argumentsOf, emit, serve } from './lib/lines.mjs';
import { sendCompressed, startProducer, TransactionResolution } from './lib/sdk.mjs';

const { endpoints, topic } = argumentsOf(['endpoints', 'topic']);
const resolutions = { commit: TransactionResolution.COMMIT, rollback: TransactionResolution.ROLLBACK };
const producer = await startProducer(endpoints, [topic], {
  // What becomes of a message whose transaction was left open stands in one of its properties.
  checker: {
    async check(view) {
      return resolutions[view.properties.get('whenAsked')] ?? TransactionResolution.TRANSACTION_RESOLUTION_UNSPECIFIED;
    },
  },
});
emit({ event: 'started' });

function messageOf({ body, tag, keys, properties, messageGroup }) {
  return {
    topic,
    body: Buffer.from(body),
    tag,
    keys,
    messageGroup,
    properties: properties ? new Map(Object.entries(properties)) : undefined,
  };
}

await serve({
  async send(request) {
    const receipt = await producer.send(messageOf(request));
    return { messageId: receipt.messageId, offset: receipt.offset };
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
