// The official lite push consumer behind JSON lines: node lite-push-consumer.mjs <endpoints> <group> <topic>
// subscribe { liteTopic }; each delivery is an event { event: "message", messageId, body }.
import { argumentsOf, emit, serve } from './lib/lines.mjs';
import { ConsumeResult, startLitePushConsumer } from './lib/sdk.mjs';

const { endpoints, group, topic } = argumentsOf(['endpoints', 'group', 'topic']);
const consumer = await startLitePushConsumer(endpoints, group, topic, async view => {
  emit({ event: 'message', messageId: view.messageId, body: view.body.toString('utf8') });
  return ConsumeResult.SUCCESS;
});
emit({ event: 'started' });

await serve({
  subscribe: ({ liteTopic }) => consumer.subscribeLite(liteTopic).then(() => null),
}, () => consumer.close());
