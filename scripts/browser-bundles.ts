import { readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
/** By its name in `dist`. */
const ENTRIES = {
  'browser/verify': 'core/verify.ts',
  'explorer/app': 'explorer/app.ts',
  'explorer/verify-worker': 'explorer/verify-worker.ts',
}
/** As they are. */
const COPIES = ['explorer/index.html', 'explorer/style.css', 'explorer/icon.svg']

/**
 * What a browser loads, each script with all that it imports; from the sources, of which `#crypto` gives what needs no Node.
 *
 * @returns files by their names in `dist`, as `browser/verify.js`
 */
export async function bundleForBrowsers(): Promise<Map<string, Uint8Array>> {
  const { outputFiles } = await build({
    absWorkingDir: ROOT,
    entryPoints: ENTRIES,
    outdir: 'dist',
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    conditions: ['source'],
    target: 'es2022',
    minify: true,
    logLevel: 'warning',
  })
  const bundles = outputFiles.map(({ path, contents }) => [relative(join(ROOT, 'dist'), path), contents] as const)
  const copies = COPIES.map((path) => [path, readFileSync(join(ROOT, path))] as const)
  return new Map<string, Uint8Array>([...bundles, ...copies])
}
