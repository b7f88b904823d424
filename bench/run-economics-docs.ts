// Writes docs/ECONOMICS.md from what `massa-storage economics` answers. With --check it writes nothing and exits 1 when the page
// is stale.
import { renderEconomics } from '../test/sim/economics/render-economics.ts'
import { makePageNote, writePage } from './write-page.ts'

writePage('docs/ECONOMICS.md', renderEconomics(makePageNote('cli/economics-report.ts')))
