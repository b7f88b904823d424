import type { ErasPort } from '../api/eras.ts'
import { listEras, type ReportErasModules, reportEras } from '../storage-worker/eras/report-eras.ts'

/** Answers what an operator asks about eras. */
export function openEras(modules: ReportErasModules): ErasPort {
  const { anchors } = modules
  return {
    list: (limit) => listEras(modules, limit),
    show: async (era) => (await reportEras(modules, [era]))[0],
    get failing() {
      const { failing } = anchors
      return failing && { code: failing.code, message: failing.message }
    },
  }
}
