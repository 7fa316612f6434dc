// The official simple consumer behind JSON lines: node simple-consumer.mjs <endpoints> <group> <topic> [tag expression]
// receive { count?, invisibleMilliseconds? } -> [delivery]
// ack { receiptHandle }, changeInvisible { receiptHandle, milliseconds } for a delivery of this process
import { argumentsOf, emit, serve } from './lib/lines.mjs';
import { describe, startSimpleConsumer } from './lib/sdk.mjs';

const { endpoints, group, topic } = argumentsOf(['endpoints', 'group', 'topic']);
const { consumer, deliveries } = await startSimpleConsumer(
  endpoints, group, { [topic]: process.argv[5] ?? '*' }, { awaitDuration: 5000, requestTimeout: 5000 });
const views = new Map();
emit({ event: 'started' });

function viewOf(receiptHandle) {
  const view = views.get(receiptHandle);
  if (!view) {
    throw new Error(`no delivery with the receipt handle ${receiptHandle}`);
  }
  return view;
}

await serve({
  async receive({ count = 16, invisibleMilliseconds = 15_000 }) {
    const received = await consumer.receive(count, invisibleMilliseconds);
    return received.map(view => {
      views.set(view.receiptHandle, view);
      return describe(view, deliveries);
    });
  },
  ack: ({ receiptHandle }) => consumer.ack(viewOf(receiptHandle)).then(() => null),
  async changeInvisible({ receiptHandle, milliseconds }) {
    const view = viewOf(receiptHandle);
    await consumer.changeInvisibleDuration(view, milliseconds);
    views.set(view.receiptHandle, view);
    return { receiptHandle: view.receiptHandle };
  },
}, () => consumer.shutdown());
