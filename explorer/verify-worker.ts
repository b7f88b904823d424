import { openArchive } from './ask-archive.ts'
import { work } from './work.ts'
import type { Answered, Asked } from './worker-messages.ts'

/*
 * The worker of the page: asks the archive, and verifies what it answers, so that the page stays responsive.
 */

// This file is explorer/verify-worker.js.
const archive = openArchive(new URL('..', self.location.href))

self.addEventListener('message', async ({ data }: MessageEvent<Asked>) => {
  const outcome = await work(data, archive)
  self.postMessage({ number: data.number, outcome } satisfies Answered)
})
