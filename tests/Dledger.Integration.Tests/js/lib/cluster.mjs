// Nodes of the built dledger binary on loopback: started, killed with -9, started again, in one temporary directory.
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { kill, onExit, run, start, until } from './processes.mjs';

export function repositoryRoot() {
  for (let folder = dirname(fileURLToPath(import.meta.url)); folder !== dirname(folder); folder = dirname(folder)) {
    if (existsSync(join(folder, 'Dledger.sln'))) {
      return folder;
    }
  }
  throw new Error('no folder above this script holds Dledger.sln');
}

export function findBinary(configuration) {
  const path = process.env.DLEDGER_BINARY
    ?? join(repositoryRoot(), 'src', 'Dledger.Cli', 'bin', configuration, 'net10.0', 'dledger');
  if (!existsSync(path)) {
    throw new Error(`${path} is missing; build it: dotnet build src/Dledger.Cli -c ${configuration}`);
  }
  return path;
}

async function freePorts(count) {
  const servers = await Promise.all(Array.from({ length: count }, () => new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve(server));
  })));
  const ports = servers.map(server => server.address().port);
  await Promise.all(servers.map(server => new Promise(resolve => server.close(resolve))));
  return ports;
}

export class Cluster {
  static async create({ binary, nodeCount, keep = false }) {
    const directory = mkdtempSync(join(tmpdir(), 'dledger-nodes-'));
    const ports = await freePorts(nodeCount * 2);
    return new Cluster(binary, directory, ports, nodeCount, keep);
  }

  constructor(binary, directory, ports, nodeCount, keep) {
    this.binary = binary;
    this.directory = directory;
    this.nodes = Array.from({ length: nodeCount }, (_, index) => ({
      id: index + 1,
      clientPort: ports[index],
      address: `127.0.0.1:${ports[index]}`,
      peerPort: ports[nodeCount + index],
      data: join(directory, `node-${index + 1}`),
      config: join(directory, `node-${index + 1}.json`),
      log: join(directory, `node-${index + 1}.log`),
      process: null,
    }));
    for (const node of this.nodes) {
      this.#configure(node);
    }
    if (!keep) {
      onExit(() => rmSync(directory, { recursive: true, force: true, maxRetries: 5 }));
    }
  }

  #configure(node) {
    mkdirSync(node.data, { recursive: true });
    writeFileSync(node.config, JSON.stringify({
      nodeId: node.id,
      dataDirectory: node.data,
      peerListenAddress: '127.0.0.1',
      nodes: this.nodes.map(other => ({
        id: other.id, host: '127.0.0.1', peerPort: other.peerPort, clientHost: '127.0.0.1', clientPort: other.clientPort,
      })),
      client: { listenAddress: '127.0.0.1', port: node.clientPort },
      storage: { segmentSize: '64MiB' },
    }, null, 2));
  }

  // wrapper: a command and arguments that start the node in their turn, such as strace.
  start(node, wrapper = []) {
    const log = openSync(node.log, 'a');
    const [command, ...args] = [...wrapper, this.binary, 'serve', '--config', node.config];
    node.process = start(command, args, { stdio: ['ignore', log, log] });
    closeSync(log);
    node.process.exited.then(({ code, signal }) => {
      node.exit = { code, signal };
    });
    return node.process;
  }

  startAll() {
    for (const node of this.nodes) {
      this.start(node);
    }
  }

  kill(node) {
    return kill(node.process);
  }

  async stop(node) {
    node.process.kill('SIGTERM');
    await Promise.race([node.process.exited, until(`node ${node.id} stops`, () => node.exit, 20_000)]);
  }

  // One command of the binary with --json; its parsed answer, or null when it fails.
  async ask(node, ...args) {
    const { code, stdout } = await run(this.binary, [...args, '--address', node.address, '--wait', '0', '--json']);
    return code === 0 ? JSON.parse(stdout) : null;
  }

  async status() {
    for (const node of this.nodes) {
      const answer = await this.ask(node, 'cluster', 'status');
      if (answer) {
        return answer;
      }
    }
    return null;
  }

  async findLeader() {
    const leader = (await this.status())?.nodes.find(node => node.role === 'leader' && node.isServing);
    return leader ? this.nodes.find(node => node.id === leader.nodeId) : null;
  }

  // Every node answers, one of them leads and serves, and no other is far behind.
  async isWhole() {
    const nodes = (await this.status())?.nodes ?? [];
    return nodes.length === this.nodes.length
      && nodes.some(node => node.role === 'leader' && node.isServing)
      && nodes.every(node => node.role === 'leader' || (node.role === 'follower' && node.lagBytes >= 0 && node.lagBytes < 1 << 20));
  }

  logTail(node, lines = 15) {
    return existsSync(node.log) ? readFileSync(node.log, 'utf8').trimEnd().split('\n').slice(-lines).join('\n') : '';
  }
}
