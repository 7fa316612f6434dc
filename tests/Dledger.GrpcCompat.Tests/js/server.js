'use strict';

// The server of the interop cases:  node server.js
// Prints "listening <port>" and serves on loopback until its standard input ends.

const path = require('node:path');
const zlib = require('node:zlib');
const grpc = require('@grpc/grpc-js');
const protoLoader = require('@grpc/proto-loader');
const { BaseServerInterceptingCall } = require('@grpc/grpc-js/build/src/server-interceptors');

const testing = require('./testing').load(grpc, protoLoader, path);

// The library inflates requests without telling whether they were compressed, and never compresses a response. Both are
// added here around its framing, so that the compression cases can be run against it.
const compressed = Symbol('compressed');
const compressedBuffers = new WeakSet();
const { decompressMessage, serializeMessage } = BaseServerInterceptingCall.prototype;

BaseServerInterceptingCall.prototype.decompressMessage = async function (message, encoding) {
  const plain = await decompressMessage.call(this, message, encoding);
  if (message.readUInt8(0) === 1) {
    compressedBuffers.add(plain);
  }
  return plain;
};

BaseServerInterceptingCall.prototype.serializeMessage = function (value) {
  const framed = serializeMessage.call(this, value);
  if (!value[compressed]) {
    return framed;
  }
  const body = zlib.gzipSync(framed.subarray(5));
  const prefix = Buffer.alloc(5);
  prefix.writeUInt8(1, 0);
  prefix.writeUInt32BE(body.length, 1);
  return Buffer.concat([prefix, body]);
};

const service = testing.TestService.service;
for (const method of Object.values(service)) {
  const { requestDeserialize } = method;
  method.requestDeserialize = (buffer) => {
    const message = requestDeserialize(buffer);
    message[compressed] = compressedBuffers.has(buffer);
    return message;
  };
}

function zeroes(size) {
  return { type: 'COMPRESSABLE', body: Buffer.alloc(size ?? 0) };
}

function refuse(code, details) {
  return Object.assign(new Error(details), { code, details });
}

function checkCompression(request) {
  if (request.expect_compressed && (request.expect_compressed.value ?? false) !== request[compressed]) {
    throw refuse(grpc.status.INVALID_ARGUMENT, 'The message has not the announced compression.');
  }
}

// Echoes metadata as the cases define it; returns the trailers.
function echoMetadata(call, compress) {
  const headers = new grpc.Metadata();
  const trailers = new grpc.Metadata();
  for (const value of call.metadata.get('x-grpc-test-echo-initial')) {
    headers.add('x-grpc-test-echo-initial', value);
  }
  for (const value of call.metadata.get('x-grpc-test-echo-trailing-bin')) {
    trailers.add('x-grpc-test-echo-trailing-bin', value);
  }
  if (compress) {
    headers.set('grpc-encoding', 'gzip');
  }
  call.sendMetadata(headers);
  return trailers;
}

function checkStatus(request) {
  if (request.response_status?.code) {
    throw refuse(request.response_status.code, request.response_status.message);
  }
}

function sleep(microseconds) {
  return new Promise((resolve) => setTimeout(resolve, microseconds / 1000));
}

async function writeResponses(call, request) {
  for (const parameters of request.response_parameters ?? []) {
    if (parameters.interval_us) {
      await sleep(parameters.interval_us);
    }
    call.write({ payload: zeroes(parameters.size), [compressed]: parameters.compressed?.value ?? false });
  }
}

const server = new grpc.Server();
server.addService(service, {
  EmptyCall(call, callback) {
    callback(null, {});
  },

  UnaryCall(call, callback) {
    try {
      const { request } = call;
      const trailers = echoMetadata(call, request.response_compressed !== undefined && request.response_compressed !== null);
      checkCompression(request);
      checkStatus(request);
      const response = { payload: zeroes(request.response_size), [compressed]: request.response_compressed?.value ?? false };
      callback(null, response, trailers);
    } catch (error) {
      callback(error);
    }
  },

  StreamingInputCall(call, callback) {
    let sum = 0;
    let failed = false;
    echoMetadata(call, false);
    call.on('data', (request) => {
      try {
        checkCompression(request);
        sum += request.payload?.body?.length ?? 0;
      } catch (error) {
        failed = true;
        callback(error);
      }
    });
    call.on('end', () => {
      if (!failed) {
        callback(null, { aggregated_payload_size: sum });
      }
    });
  },

  async StreamingOutputCall(call) {
    const compress = (call.request.response_parameters ?? []).some((parameters) => parameters.compressed);
    const trailers = echoMetadata(call, compress);
    await writeResponses(call, call.request);
    call.end(trailers);
  },

  FullDuplexCall(call) {
    const trailers = echoMetadata(call, false);

    // One request is answered after the other. An async iterator over the call would destroy it at the end.
    let answered = Promise.resolve();
    call.on('data', (request) => {
      answered = answered.then(async () => {
        await writeResponses(call, request);
        checkStatus(request);
      });
      answered.catch((error) => call.emit('error', error));
    });
    call.on('end', () => answered.then(() => call.end(trailers), () => {}));
  },
});

server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, port) => {
  if (error) {
    throw error;
  }
  console.log(`listening ${port}`);
});

process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
