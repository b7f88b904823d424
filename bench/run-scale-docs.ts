// Writes docs/SCALE.md from placement, messages and limits as they are, called for up to 1,000 nodes. With --check it writes
// nothing and exits 1 when the page is stale.
import { renderScale } from '../test/sim/scale/render-scale.ts'
import { makePageNote, writePage } from './write-page.ts'

writePage('docs/SCALE.md', await renderScale(makePageNote('test/sim/scale'), [5, 30, 1_000]))
