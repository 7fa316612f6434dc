// One JSON value per line: requests { id, op, ... } come in on stdin, answers { id, ok, result | error } and events
// { event, ... } go out on stdout. Requests run concurrently. The script ends when stdin does.
import { createInterface } from 'node:readline';

export function emit(value) {
  process.stdout.write(JSON.stringify(value) + '\n');
}

export async function serve(operations, stop) {
  const running = new Set();
  for await (const line of createInterface({ input: process.stdin })) {
    if (line.trim().length > 0) {
      const work = answer(operations, JSON.parse(line)).finally(() => running.delete(work));
      running.add(work);
    }
  }
  await Promise.allSettled(running);
  await Promise.race([stop().catch(() => {}), new Promise(resolve => setTimeout(resolve, 3000))]);
  process.exit(0);
}

async function answer(operations, request) {
  try {
    const operation = operations[request.op];
    if (!operation) {
      throw new Error(`no operation ${request.op}; there are ${Object.keys(operations).join(', ')}`);
    }
    emit({ id: request.id, ok: true, result: (await operation(request)) ?? null });
  } catch (error) {
    emit({ id: request.id, ok: false, error: { name: error.name, code: error.code ?? null, message: error.message, cause: error.cause ? String(error.cause) : null } });
  }
}

export function argumentsOf(names) {
  const values = process.argv.slice(2);
  if (values.length < names.length) {
    process.stderr.write(`usage: node ${process.argv[1]} ${names.map(name => `<${name}>`).join(' ')}\n`);
    process.exit(2);
  }
  return Object.fromEntries(names.map((name, index) => [name, values[index]]));
}
