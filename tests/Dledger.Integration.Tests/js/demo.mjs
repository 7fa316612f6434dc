// The demonstration: three nodes on loopback, the official Node.js SDK, the leader killed with -9 again and again.
//   node demo.mjs [--configuration Release] [--messages 20000] [--queues 8] [--producers 8] [--kills 5]
//                 [--minutes 10] [--json] [--keep]
// Each producer has one call in flight and moves to the next node when a call fails; a message is sent again until it is
// acked. Exit code 0: nothing acked is lost, no two messages share a queue offset, and per producer and queue the acked
// offsets follow the order of the sends. 1: one of these is broken. 2: the demonstration could not run.
import { parseArgs } from 'node:util';
import { Cluster, findBinary } from './lib/cluster.mjs';
import { Ledger, percentile } from './lib/ledger.mjs';
import { pause, run, until } from './lib/processes.mjs';

const { values: flags } = parseArgs({
  options: {
    configuration: { type: 'string', default: 'Release' },
    messages: { type: 'string', default: '20000' },
    queues: { type: 'string', default: '8' },
    producers: { type: 'string', default: '8' },
    kills: { type: 'string', default: '5' },
    minutes: { type: 'string', default: '10' },
    json: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
  },
});
const messages = Number(flags.messages);
const kills = Number(flags.kills);
const producerCount = Number(flags.producers);
const topic = 'demo';
const group = 'demo-readers';

// Milliseconds after a kill in which answers that the leader had already sent may still arrive.
const acksUnderWay = 200;

const say = text => process.stderr.write(`${text}\n`);

// Nothing here waits for ever, whatever the nodes do.
const limit = setTimeout(() => {
  say(`the demonstration did not end within ${flags.minutes} minutes`);
  showNodes();
  process.exit(2);
}, Number(flags.minutes) * 60_000);

let cluster;

function showNodes() {
  for (const node of cluster?.nodes ?? []) {
    say(`--- node ${node.id}, ${node.process?.exitCode ?? node.process?.signalCode ?? 'running'}\n${cluster.logTail(node)}`);
  }
  if (flags.keep && cluster) {
    say(`data and logs: ${cluster.directory}`);
  }
}

try {
  const broken = await demonstrate();
  clearTimeout(limit);
  process.exit(broken ? 1 : 0);
} catch (error) {
  say(`the demonstration could not run: ${error.stack ?? error}`);
  showNodes();
  process.exit(2);
}

async function demonstrate() {
  const { ConsumeResult, startProducer, startPushConsumer } = await import('./lib/sdk.mjs');
  const binary = findBinary(flags.configuration);
  cluster = await Cluster.create({ binary, nodeCount: 3, keep: flags.keep });
  cluster.startAll();
  await until('three nodes with a leader', () => cluster.isWhole(), 60_000, 200);
  await command('topic', 'create', topic, '--queues', flags.queues);
  await command('group', 'create', group);
  say(`three nodes on ${cluster.nodes.map(node => node.address).join(', ')}; topic ${topic} with ${flags.queues} queues`);

  const ledger = new Ledger();
  for (const node of cluster.nodes) {
    await startPushConsumer(node.address, group, { [topic]: '*' }, (view, delivery) => {
      const [producer, sequence] = delivery.body.split('/').map(Number);
      ledger.received({ ...delivery, producer, sequence });
      return ConsumeResult.SUCCESS;
    });
  }

  const load = { next: 0, ceiling: 0, ackTimes: [], lastAck: new Array(producerCount).fill(0), killTimes: [], producerGaps: [] };
  load.ceiling = share(1);
  const started = performance.now();
  const producers = Array.from({ length: producerCount }, (_, index) => produce(index, load, ledger, startProducer));
  await killLeaders(load);
  load.ceiling = messages;
  await Promise.all(producers);
  const seconds = (performance.now() - started) / 1000;
  say(`all ${messages} messages acked after ${seconds.toFixed(1)} s; waiting for the rest of the deliveries`);
  await until('every acked message delivered', () => ledger.hasAllAcked(), 180_000, 250).catch(error => say(error.message));
  return report(ledger, load, seconds);
}

// How many messages may be sent before the n-th kill.
function share(kill) {
  return Math.floor(messages * kill / (kills + 1));
}

async function produce(index, load, ledger, startProducer) {
  let target = index % cluster.nodes.length;
  let producer = null;
  for (;;) {
    // Past the ceiling only a trickle is sent, so that load never ends before the kill that it waits for.
    if (load.next >= load.ceiling && load.ceiling < messages) {
      await pause(100);
    }
    if (load.next >= messages) {
      return;
    }
    const sequence = load.next++;
    for (;;) {
      try {
        producer ??= await startProducer(cluster.nodes[target].address, [topic]);
        const receipt = await producer.send({ topic, tag: `p${index}`, body: Buffer.from(`${index}/${sequence}`) });
        const now = performance.now();
        ledger.acked(index, sequence, receipt.messageId, receipt.offset);
        load.ackTimes.push(now);
        noteProducerGap(load, load.lastAck[index], now);
        load.lastAck[index] = now;
        break;
      } catch {
        ledger.unknown++;
        producer?.shutdown().catch(() => {});
        producer = null;
        target = (target + 1) % cluster.nodes.length;
      }
    }
  }
}

function noteProducerGap(load, from, to) {
  for (const [kill, time] of load.killTimes.entries()) {
    if (from > 0 && from < time + acksUnderWay && to > time) {
      load.producerGaps[kill] = Math.max(load.producerGaps[kill] ?? 0, to - from);
    }
  }
}

async function killLeaders(load) {
  for (let kill = 1; kill <= kills; kill++) {
    await until(`${share(kill)} messages acked before kill ${kill}`, () => load.ackTimes.length >= share(kill), 120_000, 20);
    await until('three nodes again', () => cluster.isWhole(), 60_000, 200);
    const leader = await until('a leader', () => cluster.findLeader(), 30_000, 100);
    load.ceiling = kill < kills ? share(kill + 1) : messages - 1;
    await pause(250);
    load.killTimes.push(performance.now());
    await cluster.kill(leader);
    say(`kill ${kill}: node ${leader.id} (leader) after ${load.ackTimes.length} acked messages`);
    await until('an ack after the kill', () => load.ackTimes.at(-1) > load.killTimes.at(-1) + 1, 60_000, 10);
    await pause(500);
    cluster.start(leader);
  }
}

// From the last ack of the old leader to the first of the next one: the longest silence that begins before the kill or
// while the acks that were under way still come in.
function gapAfter(killTime, ackTimes) {
  let longest = 0;
  for (let i = 1; i < ackTimes.length; i++) {
    if (ackTimes[i] > killTime && ackTimes[i - 1] < killTime + acksUnderWay) {
      longest = Math.max(longest, ackTimes[i] - ackTimes[i - 1]);
    }
  }
  return longest;
}

function report(ledger, load, seconds) {
  const verdict = ledger.verdict();
  const gaps = load.killTimes.map(time => gapAfter(time, load.ackTimes));
  const figures = {
    sent: messages + verdict.withoutAnswer,
    messages,
    acked: verdict.acked,
    withoutAnswer: verdict.withoutAnswer,
    received: verdict.received,
    lost: verdict.lost.length,
    duplicated: verdict.storedTwice + verdict.deliveredAgain,
    storedTwice: verdict.storedTwice,
    deliveredAgain: verdict.deliveredAgain,
    outOfOrder: verdict.outOfOrder.length,
    sharedOffsets: verdict.clashes.length,
    otherOffsetThanAcked: verdict.misplaced.length,
    seconds: Number(seconds.toFixed(1)),
    gapMilliseconds: gaps.map(gap => Math.round(gap)),
    slowestProducerMilliseconds: load.killTimes.map((_, index) => Math.round(load.producerGaps[index] ?? 0)),
    gapP50: Math.round(percentile(gaps, 0.5)),
    gapP99: Math.round(percentile(gaps, 0.99)),
    gapMax: Math.round(Math.max(0, ...gaps)),
  };
  const broken = figures.lost + figures.outOfOrder + figures.sharedOffsets + figures.otherOffsetThanAcked > 0
    || figures.acked !== messages;
  const lines = [
    ['sends', `${figures.sent} (${figures.withoutAnswer} without an answer, sent again)`],
    ['acked', figures.acked],
    ['received', figures.received],
    ['lost', figures.lost],
    ['duplicated', `${figures.duplicated} (${figures.storedTwice} stored twice by a second send, ${figures.deliveredAgain} delivered again)`],
    ['out of order', figures.outOfOrder],
    ['offsets shared by two messages', figures.sharedOffsets],
    ['found at another offset than acked', figures.otherOffsetThanAcked],
    ...figures.gapMilliseconds.map((gap, index) =>
      [`gap of kill ${index + 1}`, `${gap} ms (slowest producer ${figures.slowestProducerMilliseconds[index]} ms)`]),
    ['gap p50 / p99 / max', `${figures.gapP50} / ${figures.gapP99} / ${figures.gapMax} ms`],
    ['result', broken ? 'BROKEN' : 'nothing acked was lost'],
  ];
  if (flags.json) {
    process.stdout.write(`${JSON.stringify({ ...figures, broken })}\n`);
  } else {
    process.stdout.write(lines.map(([name, value]) => `${name.padEnd(36)}${value}\n`).join(''));
  }
  if (broken) {
    for (const [name, findings] of Object.entries({ lost: verdict.lost, outOfOrder: verdict.outOfOrder, clashes: verdict.clashes, misplaced: verdict.misplaced })) {
      findings.slice(0, 5).forEach(finding => say(`${name}: ${JSON.stringify(finding)}`));
    }
    showNodes();
  }
  return broken;
}

async function command(...args) {
  const { code, stderr } = await run(cluster.binary, [...args, '--address', cluster.nodes[0].address]);
  if (code !== 0) {
    throw new Error(`dledger ${args.join(' ')}: exit code ${code}: ${stderr}`);
  }
}
