// One node, killed by strace at a random write or sync call of one of its threads, again and again on the same data:
//   node crash-rounds.mjs [--configuration Release] [--rounds 50] [--seed n] [--calls 200] [--json] [--keep]
// In each round the official producer sends until the node dies; then the node starts without strace and everything
// acked must come out, at the acked offset, none at an offset of another. Exit codes: 0 holds, 1 broken, 2 could not run.
import { parseArgs } from 'node:util';
import { Cluster, findBinary } from './lib/cluster.mjs';
import { Ledger } from './lib/ledger.mjs';
import { run, until } from './lib/processes.mjs';

const { values: flags } = parseArgs({
  options: {
    configuration: { type: 'string', default: 'Release' },
    rounds: { type: 'string', default: '50' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    calls: { type: 'string', default: '200' },
    producers: { type: 'string', default: '4' },
    json: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
  },
});

// strace counts calls by thread. Frames are appended by one thread with pwritev and fdatasync; pwrite64 and fsync are
// those of everything else: votes, queues, checkpoints, segments made ready.
const targets = [
  { syscalls: 'pwritev,pwritev2', calls: 300 },
  { syscalls: 'fdatasync', calls: 300 },
  { syscalls: 'pwrite64', calls: 300 },
  { syscalls: 'pwrite64,pwritev,pwritev2,fdatasync,fsync', calls: 300 },
  { syscalls: 'fsync', calls: 6 },
];
const topic = 'crash';
const group = 'crash-readers';
const rounds = Number(flags.rounds);
const random = mulberry32(Number(flags.seed));
const say = text => process.stderr.write(`${text}\n`);
let cluster;

const limit = setTimeout(() => {
  say('the rounds did not end in time');
  process.exit(2);
}, 120_000 + rounds * 60_000);

try {
  say(`seed ${flags.seed}; replay: node crash-rounds.mjs --rounds ${rounds} --seed ${flags.seed} --calls ${flags.calls}`);
  const broken = await crashAndRead();
  clearTimeout(limit);
  process.exit(broken ? 1 : 0);
} catch (error) {
  say(`the rounds could not run: ${error.stack ?? error}`);
  if (cluster) {
    say(cluster.logTail(cluster.nodes[0], 40));
  }
  process.exit(2);
}

async function crashAndRead() {
  if ((await run('strace', ['--version']).catch(() => ({ code: 1 }))).code !== 0) {
    throw new Error('strace is missing; install the package strace');
  }
  cluster = await Cluster.create({ binary: findBinary(flags.configuration), nodeCount: 1, keep: flags.keep });
  const node = cluster.nodes[0];
  const ledger = new Ledger();
  cluster.start(node);
  await serving(node);
  await command('topic', 'create', topic, '--queues', '4');
  await command('group', 'create', group);
  await cluster.kill(node);

  let killed = 0;
  for (let round = 1; round <= rounds; round++) {
    const target = targets[Math.floor(random() * targets.length)];
    const call = 1 + Math.floor(random() * Math.min(target.calls, Number(flags.calls)));
    const before = ledger.acks.length;
    killed += await crash(node, target.syscalls, call, round, ledger) ? 1 : 0;
    cluster.start(node);
    await serving(node);
    await drain(node, ledger);
    await cluster.kill(node);
    const verdict = ledger.verdict();
    const faults = verdict.lost.length + verdict.clashes.length + verdict.misplaced.length + verdict.outOfOrder.length;
    say(`round ${round}: ${target.syscalls} number ${call}, ${ledger.acks.length - before} acked, ${faults} faults`);
    if (faults > 0) {
      return report(ledger, round, killed);
    }
  }
  return report(ledger, rounds, killed);
}

// Sends with the official producer until the node is gone; true when strace ended it.
async function crash(node, syscalls, call, round, ledger) {
  const { startProducer } = await import('./lib/sdk.mjs');
  node.exit = null;
  const dying = cluster.start(node, [
    'strace', '-f', '-qq', '-o', '/dev/null', '-e', `trace=${syscalls}`, '-e', `inject=${syscalls}:signal=SIGKILL:when=${call}`,
  ]);
  const end = Date.now() + 15_000;
  const ready = Promise.race([serving(node).then(() => true, () => false), dying.exited.then(() => false)]);
  if (await ready) {
    await Promise.all(Array.from({ length: Number(flags.producers) }, async (_, index) => {
      const producer = await startProducer(node.address, [topic]).catch(() => null);
      for (let sequence = 0; producer && !node.exit && Date.now() < end && sequence < 600; sequence++) {
        try {
          const receipt = await producer.send({ topic, body: Buffer.from(`${round}.${index}/${sequence}/${'x'.repeat(sequence % 900)}`) });
          ledger.acked(`${round}.${index}`, sequence, receipt.messageId, receipt.offset);
        } catch {
          ledger.unknown++;
          break;
        }
      }
      producer?.shutdown().catch(() => {});
    }));
  }
  return until('the node dies under strace', () => node.exit, 5_000).then(() => true, () => cluster.kill(node).then(() => false));
}

// Reads until the group is through; the node is not disturbed meanwhile.
async function drain(node, ledger) {
  const { stdout, stderr, code } = await run(cluster.binary, [
    'consume', topic, '--group', group, '--until-empty', '--json', '--address', node.address], { milliseconds: 120_000 });
  if (code !== 0) {
    throw new Error(`dledger consume: exit code ${code}: ${stderr}`);
  }
  for (const line of stdout.split('\n').filter(text => text.length > 0)) {
    const message = JSON.parse(line);
    const [producer, sequence] = message.body.split('/');
    ledger.received({ ...message, producer, sequence: Number(sequence) });
  }
}

function report(ledger, ran, killed) {
  const verdict = ledger.verdict();
  const broken = verdict.lost.length + verdict.clashes.length + verdict.misplaced.length + verdict.outOfOrder.length > 0;
  const figures = {
    rounds: ran, killedByStrace: killed, seed: Number(flags.seed), acked: verdict.acked, withoutAnswer: verdict.withoutAnswer,
    received: verdict.received, lost: verdict.lost.length, outOfOrder: verdict.outOfOrder.length,
    sharedOffsets: verdict.clashes.length, otherOffsetThanAcked: verdict.misplaced.length,
    storedTwice: verdict.storedTwice, deliveredAgain: verdict.deliveredAgain, broken,
  };
  process.stdout.write(flags.json
    ? `${JSON.stringify(figures)}\n`
    : Object.entries(figures).map(([name, value]) => `${name.padEnd(24)}${value}\n`).join(''));
  if (broken) {
    for (const [name, findings] of Object.entries({ lost: verdict.lost, clashes: verdict.clashes, misplaced: verdict.misplaced, outOfOrder: verdict.outOfOrder })) {
      findings.slice(0, 5).forEach(finding => say(`${name}: ${JSON.stringify(finding)}`));
    }
    say(cluster.logTail(cluster.nodes[0], 40));
  }
  return broken;
}

async function serving(node) {
  await until(`node ${node.id} serves`, () => node.process.exitCode === null && cluster.findLeader(), 60_000, 100);
}

async function command(...args) {
  const { code, stderr } = await run(cluster.binary, [...args, '--address', cluster.nodes[0].address]);
  if (code !== 0) {
    throw new Error(`dledger ${args.join(' ')}: exit code ${code}: ${stderr}`);
  }
}

// A small generator with a printed seed, so that a failing run can be repeated.
function mulberry32(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
