// RocketMQ's Admin service behind JSON lines, by a gRPC library that knows nothing of ours: node admin.mjs <host:port> <proto directory>
// call { method, request } -> response; names as in the proto file, enum values and 64-bit numbers as text
import grpc from '@grpc/grpc-js';
import loader from '@grpc/proto-loader';
import { argumentsOf, emit, serve } from './lib/lines.mjs';

const { endpoints, directory } = argumentsOf(['endpoints', 'directory']);
const definition = loader.loadSync('apache/rocketmq/v2/admin.proto', {
  includeDirs: [directory], keepCase: true, enums: String, longs: String, defaults: true,
});
const { Admin } = grpc.loadPackageDefinition(definition).apache.rocketmq.v2;
const admin = new Admin(endpoints, grpc.credentials.createInsecure());
emit({ event: 'started' });

await serve({
  call: ({ method, request }) => new Promise((resolve, reject) => admin[method](
    request, { deadline: Date.now() + 30_000 }, (error, response) => (error ? reject(error) : resolve(response)))),
}, async () => admin.close());
