import { fileURLToPath } from 'node:url'

/**
 * A program of this folder as `tsc -b` compiled it, for a process of its own: that starts in a third of the time that
 * it takes behind a loader of TypeScript.
 */
export function programPath(name: string): string {
  return fileURLToPath(new URL(`../../dist/.test/fault/${name}.js`, import.meta.url))
}
