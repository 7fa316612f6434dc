// The official producer behind JSON lines: node producer.mjs <endpoints> <topic>
// send { body, tag?, keys?, properties?, messageGroup? } -> { messageId, offset }
// sendCompressed { body } -> { code, messageId, offset }
import { gzipSync } from 'node:zlib';
import { argumentsOf, emit, serve } from './lib/lines.mjs';
import { sendCompressed, startProducer } from './lib/sdk.mjs';

const { endpoints, topic } = argumentsOf(['endpoints', 'topic']);
const producer = await startProducer(endpoints, [topic]);
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
  sendCompressed: request => sendCompressed(producer, endpoints, messageOf(request), gzipSync(request.body)),
}, () => producer.shutdown());
