/** Runs the program under one of its names, on a Node that can. */
export async function launch(name) {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major < 20 || (major === 20 && minor < 19)) {
    process.stderr.write(`${name} needs Node 20.19 or newer, this is ${process.versions.node}.\n`)
    process.exit(1)
  }
  const { main } = await import('../dist/cli/index.js')
  process.exitCode = await main(process.argv.slice(2), name)
}
