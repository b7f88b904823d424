// Writes docs/DETECTION.md: chances by arithmetic, and simulated with the code itself, which takes three minutes. With --check
// it writes nothing and exits 1 when the page is stale.
import { ALL_AMOUNTS, renderDetection } from '../test/sim/detection/render-detection.ts'
import { makePageNote, writePage } from './write-page.ts'

writePage('docs/DETECTION.md', await renderDetection(makePageNote('test/sim/detection'), ALL_AMOUNTS))
