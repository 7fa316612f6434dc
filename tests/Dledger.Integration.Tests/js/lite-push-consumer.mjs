// The official lite push consumer behind JSON lines: node lite-push-consumer.mjs <endpoints> <group> <topic> [failing attempts]
// subscribe { liteTopic, from?: "min" | "max" | "last" }, unsubscribe { liteTopic }, topics -> the set as the client knows it
// Each delivery is an event { event: "message", ... }; the first [failing attempts] deliveries of a message fail.
import { argumentsOf, emit, serve } from './lib/lines.mjs';
import { ConsumeResult, describe, OffsetOption, startLitePushConsumer } from './lib/sdk.mjs';

const { endpoints, group, topic } = argumentsOf(['endpoints', 'group', 'topic']);
const failingAttempts = Number(process.argv[5] ?? '0');
const places = { min: OffsetOption?.MIN_OFFSET, max: OffsetOption?.MAX_OFFSET, last: OffsetOption?.LAST_OFFSET };
const consumer = await startLitePushConsumer(endpoints, group, topic, async view => {
  emit({ event: 'message', queueId: 0, bodyEncoding: 0, ...describe(view) });
  return (view.deliveryAttempt ?? 1) <= failingAttempts ? ConsumeResult.FAILURE : ConsumeResult.SUCCESS;
});
emit({ event: 'started' });

await serve({
  subscribe: ({ liteTopic, from }) => consumer.subscribeLite(liteTopic, from ? places[from] : undefined).then(() => null),
  unsubscribe: ({ liteTopic }) => consumer.unsubscribeLite(liteTopic).then(() => null),
  topics: async () => [...consumer.getLiteTopicSet()],
}, () => consumer.close());
