'use strict';

// Runs one interop case against a server:  node client.js <host:port> <case>
// Prints the case's name and exits with 0, or prints what went wrong and exits with 1.

const assert = require('node:assert');
const path = require('node:path');
const grpc = require('@grpc/grpc-js');
const protoLoader = require('@grpc/proto-loader');
const { CompressionFilter } = require('@grpc/grpc-js/build/src/compression-filter');

const testing = require('./testing').load(grpc, protoLoader, path);

const GZIP = 2;

// The library hides whether a received message was compressed; its filter sees the message with its prefix.
const receivedFlags = [];
const receiveMessage = CompressionFilter.prototype.receiveMessage;
CompressionFilter.prototype.receiveMessage = async function (message) {
  const framed = await message;
  receivedFlags.push(framed.readUInt8(0));
  return receiveMessage.call(this, Promise.resolve(framed));
};

function connect(address, compressed = false, service = testing.TestService) {
  const options = compressed ? { 'grpc.default_compression_algorithm': GZIP } : {};
  return new service(address, grpc.credentials.createInsecure(), options);
}

function zeroes(size) {
  return { type: 'COMPRESSABLE', body: Buffer.alloc(size) };
}

function unary(client, method, request, options = {}, metadata = new grpc.Metadata()) {
  return new Promise((resolve) => {
    const outcome = { error: null, response: null, headers: null, status: null };
    const call = client[method](request, metadata, options, (error, response) => {
      outcome.error = error;
      outcome.response = response;
    });
    call.on('metadata', (headers) => (outcome.headers = headers));
    call.on('status', (status) => {
      outcome.status = status;
      setImmediate(() => resolve(outcome));
    });
  });
}

async function succeed(promise) {
  const outcome = await promise;
  assert.ifError(outcome.error);
  return outcome;
}

// Collects what a streaming call gives until its status.
function collect(call, onMessage = () => {}) {
  return new Promise((resolve) => {
    const outcome = { messages: [], error: null, headers: null };
    call.on('metadata', (headers) => (outcome.headers = headers));
    call.on('data', (message) => {
      outcome.messages.push(message);
      onMessage(outcome.messages.length, message);
    });
    call.on('error', (error) => (outcome.error = error));
    call.on('status', (status) => setImmediate(() => resolve({ ...outcome, status })));
  });
}

function send(call, message, flags) {
  return new Promise((resolve, reject) => {
    call.write(message, flags, (error) => (error ? reject(error) : resolve()));
  });
}

function sizes(messages) {
  return messages.map((message) => message.payload.body.length);
}

const cases = {
  async empty_unary(address) {
    const { response } = await succeed(unary(connect(address), 'EmptyCall', {}));
    assert.deepStrictEqual(response, {});
  },

  async large_unary(address) {
    const request = { response_size: 314159, payload: zeroes(271828) };
    const { response } = await succeed(unary(connect(address), 'UnaryCall', request));
    assert.ok(response.payload.body.equals(Buffer.alloc(314159)));
  },

  async client_streaming(address) {
    const outcome = await new Promise((resolve, reject) => {
      const call = connect(address).StreamingInputCall((error, response) => (error ? reject(error) : resolve(response)));
      for (const size of [27182, 8, 1828, 45904]) {
        call.write({ payload: zeroes(size) });
      }
      call.end();
    });
    assert.strictEqual(outcome.aggregated_payload_size, 74922);
  },

  async server_streaming(address) {
    const wanted = [31415, 9, 2653, 58979];
    const request = { response_parameters: wanted.map((size) => ({ size })) };
    const outcome = await collect(connect(address).StreamingOutputCall(request));
    assert.strictEqual(outcome.status.code, grpc.status.OK, outcome.status.details);
    assert.deepStrictEqual(sizes(outcome.messages), wanted);
  },

  async ping_pong(address) {
    const requests = [[31415, 27182], [9, 8], [2653, 1828], [58979, 45904]];
    const call = connect(address).FullDuplexCall();
    const ask = (index) => {
      const [size, payload] = requests[index];
      call.write({ response_parameters: [{ size }], payload: zeroes(payload) });
    };
    const ended = collect(call, (count, message) => {
      assert.strictEqual(message.payload.body.length, requests[count - 1][0]);
      if (count < requests.length) {
        ask(count);
      } else {
        call.end();
      }
    });
    ask(0);
    const outcome = await ended;
    assert.strictEqual(outcome.status.code, grpc.status.OK, outcome.status.details);
    assert.strictEqual(outcome.messages.length, requests.length);
  },

  async empty_stream(address) {
    const call = connect(address).FullDuplexCall();
    const ended = collect(call);
    call.end();
    const outcome = await ended;
    assert.strictEqual(outcome.status.code, grpc.status.OK, outcome.status.details);
    assert.strictEqual(outcome.messages.length, 0);
  },

  async status_code_and_message(address) {
    await expectEchoedStatus(address, 'test status message', true);
  },

  async special_status_message(address) {
    await expectEchoedStatus(address, '\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n', false);
  },

  async unimplemented_method(address) {
    const { error } = await unary(connect(address), 'UnimplementedCall', {});
    assert.strictEqual(error.code, grpc.status.UNIMPLEMENTED);
  },

  async unimplemented_service(address) {
    const client = connect(address, false, testing.UnimplementedService);
    const { error } = await unary(client, 'UnimplementedCall', {});
    assert.strictEqual(error.code, grpc.status.UNIMPLEMENTED);
  },

  async cancel_after_begin(address) {
    const error = await new Promise((resolve) => {
      const call = connect(address).StreamingInputCall((failure) => resolve(failure));
      call.cancel();
    });
    assert.strictEqual(error.code, grpc.status.CANCELLED);
  },

  async cancel_after_first_response(address) {
    const call = connect(address).FullDuplexCall();
    const ended = collect(call, () => call.cancel());
    call.write({ response_parameters: [{ size: 31415 }], payload: zeroes(27182) });
    const outcome = await ended;
    assert.strictEqual(outcome.status.code, grpc.status.CANCELLED);
    assert.strictEqual(outcome.messages.length, 1);
  },

  async timeout_on_sleeping_server(address) {
    // The server keeps the call open, since the request stream does not end.
    const call = connect(address).FullDuplexCall({ deadline: Date.now() + 20 });
    const ended = collect(call);
    call.write({ payload: zeroes(27182) });
    const outcome = await ended;
    assert.strictEqual(outcome.status.code, grpc.status.DEADLINE_EXCEEDED);
  },

  async custom_metadata(address) {
    const bytes = Buffer.from([0xab, 0xab, 0xab]);
    const metadata = () => {
      const entries = new grpc.Metadata();
      entries.set('x-grpc-test-echo-initial', 'test_initial_metadata_value');
      entries.set('x-grpc-test-echo-trailing-bin', bytes);
      return entries;
    };
    const check = (headers, trailers) => {
      assert.deepStrictEqual(headers.get('x-grpc-test-echo-initial'), ['test_initial_metadata_value']);
      const echoed = trailers.get('x-grpc-test-echo-trailing-bin');
      assert.strictEqual(echoed.length, 1);
      assert.ok(echoed[0].equals(bytes));
    };

    const request = { response_size: 314159, payload: zeroes(271828) };
    const once = await succeed(unary(connect(address), 'UnaryCall', request, {}, metadata()));
    check(once.headers, once.status.metadata);

    const call = connect(address).FullDuplexCall(metadata());
    const ended = collect(call);
    call.write({ response_parameters: [{ size: 314159 }], payload: zeroes(271828) });
    call.end();
    const outcome = await ended;
    assert.strictEqual(outcome.status.code, grpc.status.OK, outcome.status.details);
    check(outcome.headers, outcome.status.metadata);
  },

  async client_compressed_unary(address) {
    const request = (compressed) => ({
      expect_compressed: { value: compressed },
      response_size: 314159,
      payload: zeroes(271828),
    });

    // The probe: a server that supports the case notices that the announced compression is missing.
    const probe = await unary(connect(address), 'UnaryCall', request(true));
    assert.strictEqual(probe.error?.code, grpc.status.INVALID_ARGUMENT);

    const compressed = await succeed(unary(connect(address, true), 'UnaryCall', request(true)));
    assert.strictEqual(compressed.response.payload.body.length, 314159);
    const plain = await succeed(unary(connect(address), 'UnaryCall', request(false)));
    assert.strictEqual(plain.response.payload.body.length, 314159);
  },

  async server_compressed_unary(address) {
    for (const wanted of [true, false]) {
      receivedFlags.length = 0;
      const request = { response_compressed: { value: wanted }, response_size: 314159, payload: zeroes(271828) };
      const { response } = await succeed(unary(connect(address), 'UnaryCall', request));
      assert.strictEqual(response.payload.body.length, 314159);
      assert.deepStrictEqual(receivedFlags, [wanted ? 1 : 0]);
    }
  },

  async client_compressed_streaming(address) {
    const start = () => {
      let call;
      const ended = new Promise((resolve) => {
        call = connect(address, true).StreamingInputCall((error, response) => resolve({ error, response }));
      });
      return { call, ended };
    };

    const probe = start();
    probe.call.write({ expect_compressed: { value: true }, payload: zeroes(27182) }, grpc.writeFlags?.NoCompress ?? 2);
    assert.strictEqual((await probe.ended).error?.code, grpc.status.INVALID_ARGUMENT);

    const { call, ended } = start();
    await send(call, { expect_compressed: { value: true }, payload: zeroes(27182) });
    await send(call, { expect_compressed: { value: false }, payload: zeroes(45904) }, 2);
    call.end();
    const { error, response } = await ended;
    assert.ifError(error);
    assert.strictEqual(response.aggregated_payload_size, 73086);
  },

  async server_compressed_streaming(address) {
    receivedFlags.length = 0;
    const request = {
      response_parameters: [
        { compressed: { value: true }, size: 31415 },
        { compressed: { value: false }, size: 92653 },
      ],
    };
    const outcome = await collect(connect(address).StreamingOutputCall(request));
    assert.strictEqual(outcome.status.code, grpc.status.OK, outcome.status.details);
    assert.deepStrictEqual(sizes(outcome.messages), [31415, 92653]);
    assert.deepStrictEqual(receivedFlags, [1, 0]);
  },
};

async function expectEchoedStatus(address, message, alsoStreaming) {
  const response_status = { code: 2, message };
  const { error } = await unary(connect(address), 'UnaryCall', { response_status });
  assert.strictEqual(error.code, 2);
  assert.strictEqual(error.details, message);
  if (alsoStreaming) {
    const call = connect(address).FullDuplexCall();
    const ended = collect(call);
    call.write({ response_status });
    call.end();
    const outcome = await ended;
    assert.strictEqual(outcome.status.code, 2);
    assert.strictEqual(outcome.status.details, message);
  }
}

async function main() {
  const [address, name] = process.argv.slice(2);
  if (!Object.hasOwn(cases, name)) {
    throw new Error(`There is no case "${name}"; known are ${Object.keys(cases).join(', ')}.`);
  }
  await cases[name](address);
  console.log(name);
}

main().then(
  () => process.exit(0),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
