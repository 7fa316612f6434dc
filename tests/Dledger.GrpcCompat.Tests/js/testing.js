'use strict';

// Loads the interop services from the same proto files from which the C# code is generated.
exports.load = (grpc, protoLoader, path) => {
  const root = path.join(__dirname, '..', 'proto');
  const definition = protoLoader.loadSync('grpc/testing/test.proto', {
    includeDirs: [root],
    keepCase: true,
    enums: String,
    defaults: false,
  });
  return grpc.loadPackageDefinition(definition).grpc.testing;
};
