import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
/** By its name in `dist`. */
const ENTRIES = { 'browser/verify': 'core/verify.ts' }

/**
 * What a browser loads, each file with all that it imports; from the sources, of which `#crypto` gives what needs no Node.
 *
 * @returns minified modules by their names in `dist`, as `browser/verify.js`
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
  return new Map(outputFiles.map(({ path, contents }) => [path.slice(join(ROOT, 'dist').length + 1), contents]))
}
