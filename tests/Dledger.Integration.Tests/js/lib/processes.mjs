// Child processes that never outlive this one: each is started here, known by its own id and ended by it.
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

const children = new Set();
let interrupted = false;
const cleanups = [];

export function onExit(cleanup) {
  cleanups.push(cleanup);
}

function killAll() {
  for (const child of children) {
    killTree(child.pid);
  }
}

// A tracer that is killed leaves its program running, so what a child has started dies first.
function killTree(pid) {
  for (const child of childrenOf(pid)) {
    killTree(child);
  }
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

function childrenOf(pid) {
  try {
    return readdirSync(`/proc/${pid}/task`)
      .flatMap(task => readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' '))
      .filter(text => text.trim().length > 0)
      .map(Number);
  } catch {
    return [];
  }
}

// kill -9 of a process started here and of all that it has started.
export async function kill(child) {
  if (children.has(child)) {
    killTree(child.pid);
  }
  await child.exited;
}

process.on('exit', () => {
  killAll();
  for (const cleanup of cleanups) {
    cleanup();
  }
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    if (!interrupted) {
      interrupted = true;
      process.stderr.write(`\n${signal}: stopping\n`);
      process.exit(130);
    }
  });
}

export function start(command, args, options = {}) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
  children.add(child);
  child.exited = new Promise(resolve => {
    child.once('error', error => {
      children.delete(child);
      resolve({ code: null, signal: null, error });
    });
    child.once('exit', (code, signal) => {
      children.delete(child);
      resolve({ code, signal });
    });
  });
  return child;
}

// Runs a command to its end; { code, signal, stdout, stderr }. It is killed after the given time.
export async function run(command, args, { milliseconds = 30_000, ...options } = {}) {
  const child = start(command, args, options);
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', text => { stdout += text; });
  child.stderr.setEncoding('utf8').on('data', text => { stderr += text; });
  const closed = new Promise(resolve => child.once('close', resolve));
  const timer = setTimeout(() => child.kill('SIGKILL'), milliseconds);
  const { code, signal, error } = await child.exited;
  clearTimeout(timer);
  if (error) {
    throw new Error(`cannot start ${command}: ${error.message}`);
  }
  await closed;
  return { code, signal, stdout, stderr };
}

export const pause = milliseconds => new Promise(resolve => setTimeout(resolve, milliseconds));

// Asks until the probe answers something true; throws with the reason after the given time.
export async function until(what, probe, milliseconds, step = 50) {
  const end = Date.now() + milliseconds;
  for (;;) {
    const answer = await probe();
    if (answer) {
      return answer;
    }
    if (Date.now() > end) {
      throw new Error(`${what}: not within ${milliseconds / 1000} s`);
    }
    await pause(step);
  }
}
