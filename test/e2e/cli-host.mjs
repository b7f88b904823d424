import { Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import { main } from '../../dist/cli/index.js'

/*
 * The built command line, loaded once: runs what is asked line by line over channel 3, each command with a folder, an
 * environment and outputs of its own. Ends by itself when the channel ends and no command left anything behind.
 */

const channel = new Socket({ fd: 3 })
for await (const line of createInterface({ input: channel })) {
  channel.write(`${JSON.stringify(await run(JSON.parse(line)))}\n`)
}
channel.end()

async function run({ args, name, cwd, env }) {
  process.chdir(cwd)
  process.env = env
  const outputs = { stdout: '', stderr: '' }
  for (const each of ['stdout', 'stderr']) {
    const write = (bytes, _encoding, done) => {
      outputs[each] += bytes
      done()
    }
    Object.defineProperty(process, each, { configurable: true, value: new Writable({ write }) })
  }
  try {
    return { code: await main(args, name), ...outputs }
  } finally {
    // Of a channel that a process of its own would have: it waits for that as long as it lives.
    process.removeAllListeners('disconnect')
  }
}
