import type { ErasPort } from '../api/eras.ts'
import { listEras, type ReportErasModules, reportEra } from '../storage-worker/eras/report-eras.ts'

/** Answers what an operator asks about eras. */
export function openEras(modules: ReportErasModules): ErasPort {
  const { anchors } = modules
  return {
    list: (limit) => listEras(modules, limit),
    show: (era) => reportEra(modules, era),
    get failing() {
      const { failing } = anchors
      return failing && { code: failing.code, message: failing.message }
    },
  }
}
