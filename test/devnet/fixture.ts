import { fileURLToPath } from 'node:url'

/** Path of a fixture or recording of the project. */
export function fixturePath(path: string): string {
  return fileURLToPath(new URL(`../../${path}`, import.meta.url))
}

export const RECORDINGS = {
  replayed: fixturePath('devnet/recordings/sandbox.ndjson.gz'),
  push: fixturePath('test/fixtures/sandbox/push.ndjson.gz'),
  pull: fixturePath('test/fixtures/sandbox/pull.ndjson.gz'),
  fork: fixturePath('test/fixtures/sandbox/fork.ndjson.gz'),
}
