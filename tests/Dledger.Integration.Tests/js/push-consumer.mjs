// The official push consumer: node push-consumer.mjs <endpoints> <group> <topic> [tag expression] [failing attempts]
// Each delivery is an event { event: "message", ... }; the first [failing attempts] deliveries of a message fail.
import { argumentsOf, emit, serve } from './lib/lines.mjs';
import { ConsumeResult, startPushConsumer } from './lib/sdk.mjs';

const { endpoints, group, topic } = argumentsOf(['endpoints', 'group', 'topic']);
const expression = process.argv[5] ?? '*';
const failingAttempts = Number(process.argv[6] ?? '0');

const { consumer } = await startPushConsumer(endpoints, group, { [topic]: expression }, async (view, delivery) => {
  emit({ event: 'message', ...delivery });
  return (view.deliveryAttempt ?? 1) <= failingAttempts ? ConsumeResult.FAILURE : ConsumeResult.SUCCESS;
});
emit({ event: 'started' });

await serve({}, () => consumer.shutdown());
