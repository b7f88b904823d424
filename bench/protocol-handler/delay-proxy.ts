import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** A way to `address` that takes `oneWayMs` in each direction, in a process of its own; 0: the address itself. */
export async function startDelay(
  address: string,
  oneWayMs: number,
): Promise<{ readonly address: string; stop(): Promise<void> }> {
  if (oneWayMs === 0) return { address, stop: async () => {} }
  const port = /\/tcp\/(\d+)/.exec(address)?.[1] ?? ''
  const child = fork(fileURLToPath(new URL('./delay-child.ts', import.meta.url)), [port, `${oneWayMs}`])
  const [proxyPort] = (await once(child, 'message')) as [number]
  return { address: address.replace(`/tcp/${port}`, `/tcp/${proxyPort}`), stop: () => end(child) }
}

async function end(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit')
  child.disconnect()
  await ended
}
