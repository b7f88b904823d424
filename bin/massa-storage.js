#!/usr/bin/env -S MALLOC_MMAP_THRESHOLD_=131072 node --max-semi-space-size=4
const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(`massa-storage needs Node 20.19 or newer, this is ${process.versions.node}.\n`)
  process.exit(1)
}
const { main } = await import('../dist/cli/index.js')
process.exitCode = await main(process.argv.slice(2))
