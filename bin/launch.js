import { setFlagsFromString } from 'node:v8'

/** Runs the program under one of its names, on a Node that can. */
export async function launch(name) {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major < 20 || (major === 20 && minor < 19)) {
    process.stderr.write(`${name} needs Node 20.19 or newer, this is ${process.versions.node}.\n`)
    process.exit(1)
  }
  // V8 lets its heap grow up to fourfold before it looks through it: a sidecar that holds 50 MB would take 150. Here and not
  // in the first line of the commands, so that it holds for whoever starts Node itself, too.
  setFlagsFromString('--heap-growing-percent=50')
  const { main } = await import('../dist/cli/index.js')
  process.exitCode = await main(process.argv.slice(2), name)
}
